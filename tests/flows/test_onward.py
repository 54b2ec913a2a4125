"""What a person decides goes on within seconds, through Prefect, once, and whatever is not there."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deployments.table import planned_for
from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import NonPaymentReason
from maatpak.ledger.tables import Action, Case, Message, Wake
from tasks.approvals import approve
from tasks.reasons import state_reason
from tasks.waking import Waiting
from tests.flows.conftest import Prefect
from tests.flows.patience import until
from tests.tasks.act.house import House, at
from tests.tasks.act.stages import Stages

CODE = "ACME"


@pytest.fixture
def house(stages: Stages, tmp_path: Path) -> Iterator[House]:
    with stages.at("demanding", tmp_path / "workspace") as house:
        yield house


@pytest.fixture
def deployment(prefect: Prefect, house: House) -> Iterator[str]:
    """The path of the deployment, fresh; its runs speak for an afternoon of the house."""
    (planned,) = [each for each in planned_for(CODE, "UTC", []) if each.flow == "flows.onward.onward"]
    # One that another test left would keep its own parameters, as those that people changed.
    left: Any = prefect.post("deployments/filter", {"flows": {"name": {"any_": ["onward"]}}})
    for each in left:
        prefect.delete(f"deployments/{each['id']}")
    prefect.register([replace(planned, parameters={"creditor": CODE, "at": at(house.day, 15).isoformat()})])
    found: Any = prefect.get(f"deployments/name/onward/{CODE}")
    yield f"deployments/{found['id']}"
    prefect.delete(f"deployments/{found['id']}")


@contextmanager
def dispatching(house: House) -> Iterator[None]:
    """As `maatpak up` does, in a thread."""
    from deployments.dispatch import dispatch

    stop = threading.Event()
    thread = threading.Thread(target=dispatch, args=(house.engine, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def say_yes(house: House) -> int:
    action_id = int(house.row(Action, step="final_demand").id)
    with house.desk("mo", 14) as desk:
        approve(desk, [action_id], "looked at it")
    return action_id


def runs(prefect: Prefect, deployment: str) -> list[Any]:
    """The flow runs of the deployment."""
    of_it = {"deployments": {"id": {"any_": [deployment.rpartition("/")[2]]}}}
    found = prefect.post("flow_runs/filter", of_it)
    assert isinstance(found, list)
    return found


def test_a_yes_leads_to_the_step_within_seconds(
    prefect: Prefect, house: House, deployment: str, record_property: Any
) -> None:
    day = house.day
    with dispatching(house):
        begun = time.monotonic()
        action_id = say_yes(house)
        until(lambda: house.row(Action, id=action_id).state == "executed", "the step")
        record_property("told", f"approved → executed, through Prefect: {time.monotonic() - begun:.1f} s")
        until(lambda: house.count(Wake) == 0, "the end of the run")
    (run,) = runs(prefect, deployment)
    assert (run["state"]["type"], run["name"]) == ("COMPLETED", f"{CODE}: approval_given 1")
    is_told(run["id"])
    sent = house.rows(Message, template="final_demand")
    assert {(each.channel, each.state, each.sent_on) for each in sent} == {
        ("email", "sent", day),
        ("post", "sent", day),
    }


def is_told(run_id: str) -> None:
    """The console shows the run with all that it did."""
    from maatpak.console.orchestration.runs import read_run

    tasks = ["business date", "deliver", "journeys", "journeys", "resting segments", "tick 0"]
    # Prefect notes the ends of tasks by the batch, behind the run.
    until(lambda: sorted(each.name for each in read_run([CODE], run_id).tasks) == tasks, "Prefect's record of the run")
    detail = read_run([CODE], run_id)
    assert (detail.run.flow, detail.run.creditor, detail.run.state) == ("onward", CODE, "COMPLETED")
    assert {each.title.partition(" as of")[0]: dict(each.counts) for each in detail.reports}["Delivered"] == {
        "email sent": 1, "post sent": 1,
    }  # fmt: skip
    (journey,) = detail.inner
    inside = read_run([CODE], journey.run_id)
    assert (journey.flow, len(inside.tasks) > 10, journey.retryable) == ("journey", True, False)
    (step,) = inside.reports
    assert step.title.startswith("forgetful: final_demand")
    assert step.case_ids == (1,)
    with pytest.raises(UsageError):
        read_run(["OTHER"], run_id)


def test_acts_wait_while_the_deployment_is_paused_and_make_one_run(
    prefect: Prefect, house: House, deployment: str, caplog: pytest.LogCaptureFixture
) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from deployments.dispatch import AGAIN_AFTER, Dispatcher
    from flows.workplace import lent

    dispatcher, waiting = Dispatcher(house.engine), Waiting(house.creditor_id, CODE)
    prefect.post(f"{deployment}/pause_deployment", {})
    say_yes(house)
    with house.desk("carla", 14) as desk:
        state_reason(desk, desk.case(int(house.row(Case).id)), NonPaymentReason.FORGOT)
    with caplog.at_level(logging.WARNING, "maatpak.dispatch"), lent(house.engine):
        assert [dispatcher.carry_on(waiting) for _ in range(2)] == [AGAIN_AFTER, AGAIN_AFTER]
        with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
            assert [dispatcher.carry_on(waiting) for _ in range(2)] == [AGAIN_AFTER, AGAIN_AFTER]
        assert house.count(Wake) == 2, "what was recorded waits"
        prefect.post(f"{deployment}/resume_deployment", {})
        assert dispatcher.carry_on(waiting) == 0
    paused, gone = [each.getMessage() for each in caplog.records if each.name == "maatpak.dispatch"]
    assert "is paused" in paused
    assert "did not take the run (ConnectError)" in gone
    dispatcher.close()
    (run,) = runs(prefect, deployment)
    assert run["name"] == f"{CODE}: approval_given 1, reason_stated 1"
    assert house.count(Wake) == 0
