"""Operations in the console: what Prefect knows, told to people; what they change, kept by Prefect and as events."""

import re
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from deployments.table import PROVING, RECEIVING, planned_for
from maatpak.console.orchestration import acts, asking
from maatpak.console.orchestration.acts import Operator
from maatpak.console.orchestration.cron import cron_in_words
from maatpak.console.orchestration.deployments import Deployment, read_deployment
from maatpak.console.orchestration.overview import look_again, read_overview
from maatpak.console.orchestration.runs import RunFilter, read_run, read_runs
from maatpak.kernel.errors import RefusedError, TransientError, UsageError
from tasks.engine import Engine
from tasks.tick import tick
from tests.console.house import Browser, console_of, words_of
from tests.flows.conftest import Prefect
from tests.flows.patience import until
from tests.tasks.act.house import House, at, build_house

CODE, ZONE = "OPSA", "Europe/Amsterdam"
THURSDAY = date(2026, 3, 5)
NOW = datetime(2026, 3, 9, 10, tzinfo=UTC)
PLANNED = [
    RECEIVING,
    *(
        each
        for each in (*planned_for(CODE, ZONE, ["forgetful"]), *planned_for("OPSB", ZONE, []))
        if each.flow in {"flows.daily.daily", "flows.segment.segment"}
    ),
]


@pytest.fixture
def house(engine: Engine) -> House:
    return build_house(engine, THURSDAY, CODE)


@pytest.fixture
def olga(prefect: Prefect, house: House) -> Iterator[Operator]:
    """An operator of one of two creditors, whose deployments are as the table has them."""
    names = prefect.register(PLANNED)
    yield Operator(house.engine, "olga", (CODE,), datetime.now(UTC))
    for name in names:
        found: Any = prefect.get(f"deployments/name/{name}")
        prefect.delete(f"deployments/{found['id']}")


def deployments(codes: tuple[str, ...] = (CODE,)) -> dict[str, Deployment]:
    look_again()
    return {each.name: each for each in read_overview(codes, datetime.now(UTC)).deployments}


def coming(deployment: Deployment) -> tuple[datetime, ...]:
    return read_deployment((CODE,), deployment.deployment_id).next_at


def test_what_runs_when_is_told_and_what_people_change_is_kept(prefect: Prefect, olga: Operator, house: House) -> None:
    found = deployments()
    ours = ["receive/mailbox", f"daily/{CODE}", f"segment/{CODE}-forgetful"]
    assert [each for each in found if each in ours] == ours, "other tests may have left theirs on the same server"
    assert "daily/OPSB" not in found
    segment, day = found[f"segment/{CODE}-forgetful"], found[f"daily/{CODE}"]
    assert (segment.creditor, segment.segment, segment.paused, segment.last) == (CODE, "forgetful", False, None)
    (schedule,) = segment.schedules
    assert (schedule.words, schedule.time_zone) == ("09:30, 11:30, 13:30 and 15:30 on weekdays", ZONE)
    acts.pause(olga, segment.deployment_id)
    acts.reschedule(olga, segment.deployment_id, "15 10 * * 1,3", "Europe/Brussels", schedule.schedule_id)
    acts.reschedule(olga, day.deployment_id, "0 14 * * *", ZONE)
    prefect.register(PLANNED)  # as a restart does
    changed = deployments()
    (schedule,) = changed[segment.name].schedules
    assert (changed[segment.name].paused, schedule.words, schedule.time_zone) == (
        True, "10:15 on Mondays and Wednesdays", "Europe/Brussels",
    )  # fmt: skip
    assert {each.words for each in changed[day.name].schedules} == {"06:00 on weekdays", "14:00"}
    acts.resume(olga, segment.deployment_id)
    assert not deployments()[segment.name].paused
    kept = [each for each in house.rows_of_events() if each.kind.startswith("deployment_")]
    assert [(each.kind, each.actor, each.creditor_id, each.body["deployment"]) for each in kept] == [
        ("deployment_paused", "olga", house.creditor_id, segment.name),
        ("deployment_rescheduled", "olga", house.creditor_id, segment.name),
        ("deployment_rescheduled", "olga", house.creditor_id, day.name),
        ("deployment_resumed", "olga", house.creditor_id, segment.name),
    ]


def test_runs_are_started_caught_up_and_tried_again(prefect: Prefect, olga: Operator, house: House) -> None:
    day = deployments()[f"daily/{CODE}"]
    until(lambda: coming(day), "the plan of the next days' runs")
    planned = coming(day)
    run_id = acts.run_now(olga, day.deployment_id)
    assert set(coming(day)) > set(planned), "and what was started by hand"
    caught_up = acts.catch_up(replace(olga, now=NOW), CODE, date(2026, 3, 6))
    assert read_run((CODE,), caught_up).parameters == {"creditor": CODE, "as_of": "2026-03-06"}
    for refused, as_of in ((RefusedError, date(2026, 3, 4)), (UsageError, date(2026, 3, 10))):
        with pytest.raises(refused, match="2026-03-05 to 2026-03-09"):
            acts.catch_up(replace(olga, now=NOW), CODE, as_of)
    with pytest.raises(RefusedError, match="did not fail"):
        acts.retry(olga, run_id)
    for state in ("RUNNING", "FAILED"):
        prefect.post(f"flow_runs/{run_id}/set_state", {"state": {"type": state, "message": "1 failed"}, "force": True})
    by_state = RunFilter(creditor=CODE, flow="daily", state="FAILED")
    (failed,) = read_runs(list(deployments().values()), by_state, datetime.now(UTC)).runs
    assert (failed.run_id, failed.message, failed.retryable) == (run_id, "1 failed", True)
    last = deployments()[day.name].last
    assert last is not None
    assert last.run_id == run_id
    acts.retry(olga, run_id)
    assert read_run((CODE,), run_id).run.state_name == "AwaitingRetry"
    acts.run_now(olga, day.deployment_id)
    first = read_runs(list(deployments().values()), RunFilter(flow="daily"), datetime.now(UTC), limit=2)
    assert (len(first.runs), first.total, first.next_offset) == (2, 3, 2)
    second = read_runs(list(deployments().values()), RunFilter(flow="daily"), datetime.now(UTC), limit=2, offset=2)
    assert (len(second.runs), second.next_offset) == (1, None)
    started = [each.kind for each in house.rows_of_events() if each.actor == "olga"]
    assert started == ["run_started", "day_caught_up", "run_retried", "run_started"]


def test_people_run_operations_in_the_console(prefect: Prefect, olga: Operator, house: House) -> None:
    console = console_of(house.engine)
    browser, day = console.browser("olga"), deployments()[f"daily/{CODE}"]
    path = f"/operations/deployments/{day.deployment_id}"
    page = browser.get("/operations")
    words = words_of(page)
    assert "The whole day" in words
    assert "06:00 on weekdays" in words
    assert browser.press(page, f"{path}/pause").status_code == 303
    assert "at rest" in words_of(browser.get("/operations")), "what this process changed is seen at once"
    assert deployments()[day.name].paused
    wrong = browser.send(f"{path}/schedule", cron="0 0 30 2 *", time_zone=ZONE)
    assert (wrong.status_code, "never comes" in words_of(wrong)) == (422, True)
    schedule = day.schedules[0].schedule_id
    done = browser.send(f"{path}/schedule", cron="15 10 * * 1,3", time_zone="Europe/Brussels", schedule=schedule)
    told = words_of(
        Browser(console, {"Cookie": f"{browser.headers['Cookie']}; {done.headers['set-cookie'].split(';')[0]}"}).get(
            path
        )
    )
    assert re.search(r"next on Mon \d+ \w+ 10:15, Wed \d+ \w+ 10:15", told) or "next on Wed" in told
    assert "10:15 on Mondays and Wednesdays" in told
    started = console.program("olga").post(f"/api/v1{path}/run")
    run_id = started.json()["data"]["run_id"]
    for state in ("RUNNING", "FAILED"):
        prefect.post(f"flow_runs/{run_id}/set_state", {"state": {"type": state, "message": "1 failed"}, "force": True})
    look_again()
    assert "Failed lately" in words_of(browser.get("/operations"))
    page = browser.get(f"/operations/runs/{run_id}")
    assert "1 failed" in words_of(page)
    assert browser.press(page, f"/operations/runs/{run_id}/retry").status_code == 303
    assert console.program("olga").get("/api/v1/operations/runs", state="SCHEDULED", flow="daily").json()["total"] == 1
    assert console.browser("audrey").get(path).status_code == 200
    assert console.program("carla").post(f"/api/v1{path}/pause").status_code == 403
    foreign = deployments((CODE, "OPSB"))["daily/OPSB"].deployment_id
    assert browser.get(f"/operations/deployments/{foreign}").status_code == 404
    assert console.program("olga").post(f"/api/v1/operations/deployments/{foreign}/pause").status_code == 404


def test_an_auditor_has_history_proven(prefect: Prefect, olga: Operator, house: House) -> None:
    (name,) = prefect.register([PROVING])
    audrey = replace(olga, login="audrey")
    verified = acts.prove(audrey)
    tick(house.engine, house.creditor_id, THURSDAY, at(THURSDAY))
    replayed = acts.prove(audrey, CODE, THURSDAY)
    asked = [read_run((CODE,), each).parameters for each in (verified, replayed)]
    assert asked == [{"kind": "verify"}, {"kind": "replay", "creditor": CODE, "as_of": "2026-03-05"}]
    for login, code, as_of, wrong in (
        ("carla", None, None, RefusedError),
        ("audrey", CODE, date(2026, 3, 4), UsageError),
        ("audrey", "OPSB", THURSDAY, UsageError),
    ):
        with pytest.raises(wrong):
            acts.prove(replace(olga, login=login), code, as_of)
    kept = [(each.actor, each.body) for each in house.rows_of_events("run_started")]
    assert kept == [("audrey", {"deployment": name, "run": each}) for each in (verified, replayed)]
    prefect.delete(f"deployments/{prefect.get(f'deployments/name/{name}')['id']}")  # type: ignore[index]


def test_who_may_not_changes_nothing(prefect: Prefect, olga: Operator, house: House) -> None:
    everything = deployments((CODE, "OPSB"))
    own, foreign = everything[f"daily/{CODE}"].deployment_id, everything["daily/OPSB"].deployment_id
    for who in ("carla", "anna", "audrey"):
        with pytest.raises(RefusedError, match="may not pause work"):
            acts.pause(replace(olga, login=who), own)
    for refused in (
        lambda: acts.pause(olga, foreign),
        lambda: acts.run_now(olga, foreign),
        lambda: acts.pause(olga, "x"),
    ):
        with pytest.raises(UsageError):
            refused()
    for cron, zone in (("never", ZONE), ("0 25 * * *", ZONE), ("0 6 * * *", "Europe"), ("0 6 * * *", "")):
        with pytest.raises(UsageError):
            acts.reschedule(olga, own, cron, zone)
    assert deployments((CODE, "OPSB")) == everything
    assert [each for each in house.rows_of_events() if each.actor in {"olga", "carla", "anna", "audrey"}] == []


def test_no_page_waits_for_a_prefect_that_does_not_answer(
    prefect: Prefect, olga: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    monkeypatch.setattr(asking, "PATIENCE", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        for port in (9, silent.getsockname()[1]):
            look_again()
            begun = time.monotonic()
            with (
                temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{port}/api"}),
                pytest.raises(TransientError, match="Prefect does not answer"),
            ):
                read_overview((CODE,), NOW)
            assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 6 * * 1-5", "06:00 on weekdays"),
        ("*/15 8-18 * * 1-5", "every 15 minutes from 08:00 to 18:59 on weekdays"),
        ("*/5 * * * *", "every 5 minutes"),
        ("0 * * * 0,6", "every hour at :00 at weekends"),
        ("30 7 * * 2", "07:30 on Tuesdays"),
        ("0 6 1 * *", "cron 0 6 1 * *"),
        ("*/7 * * * *", "cron */7 * * * *"),
        ("@daily", "cron @daily"),
    ],
)
def test_schedules_read_like_sentences(cron: str, words: str) -> None:
    assert cron_in_words(cron) == words
