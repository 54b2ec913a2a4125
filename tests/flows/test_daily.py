"""The day under Prefect: the same work as by direct calls, its graph, its failures, its discretion."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from connectors.faults import Fault
from maatpak.kernel.settings import Settings
from tasks.day import run_day
from tasks.engine import Engine, open_engine
from tests.conftest import _lent
from tests.flows.conftest import Prefect
from tests.flows.contents import count, differences, sinks, tables
from tests.flows.patience import until
from tests.flows.town import CANARIES, CODE, NOW, TUESDAY, Twins, people_town
from tests.tasks.outbox_world import NOW as NOON
from tests.tasks.outbox_world import House
from tests.tasks.receive.mails import writes
from tests.tasks.send.sending import faulty, run_sql

CUSTOMERS = 32
UNLUCKY = "kanarie8@example.test"
"""Whom the outbox refuses in these tests, with an error that quotes the address."""

REFUSAL = f"""
CREATE FUNCTION refuse_unlucky() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the outbox does not like %', NEW.recipient; END $$;
CREATE TRIGGER refuse_unlucky BEFORE INSERT ON message FOR EACH ROW
WHEN (NEW.recipient = '{UNLUCKY}') EXECUTE FUNCTION refuse_unlucky();
"""
ACTIONS = "SELECT count(*) FROM action WHERE "


def run_daily(engine: Engine) -> Any:
    """The town's Tuesday, in this process; its final state."""
    from flows.daily import daily
    from flows.workplace import lent

    with lent(engine):
        return daily(creditor=CODE, as_of=TUESDAY, at=NOW, return_state=True)


@dataclass(frozen=True)
class BadDay:
    """A day on which one customer's reminder could not be written."""

    engine: Engine
    state: Any

    @property
    def flow_run(self) -> str:
        return str(self.state.state_details.flow_run_id)


@pytest.fixture(scope="module")
def bad_day(
    prefect: Prefect, server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BadDay]:
    with _lent(server_url, "maatpak_test", template) as url:
        engine = open_engine(Settings(workspace=tmp_path_factory.mktemp("town"), database_url=url))
        people_town(engine, CUSTOMERS)
        with engine.database.session() as session:
            session.execute(text(REFUSAL))
        day = BadDay(engine, run_daily(engine))
        until(lambda: _is_recorded(prefect, day), "Prefect's record of the run")
        yield day
        engine.close()


def test_the_flow_does_what_direct_calls_do(prefect: Prefect, engine: Engine, twins: Twins) -> None:
    engine.settings = engine.settings.model_copy(update={"shards": 2})
    people_town(engine, CUSTOMERS)
    with twins.of(engine) as twin:
        state = run_daily(engine)
        assert state.is_completed(), state.message
        run_day(twin, CODE, TUESDAY, NOW)
        assert differences(tables(engine), tables(twin)) == []
        assert differences(sinks(engine), sinks(twin)) == []
        assert count(engine, "SELECT count(*) FROM message WHERE state = 'sent'") >= 10
        assert count(engine, "SELECT count(DISTINCT segment) FROM action") >= 3


def test_a_day_speaks_for_one_instant(prefect: Prefect, engine: Engine) -> None:
    from flows.daily import daily
    from flows.workplace import lent

    people_town(engine, 8)
    with lent(engine):
        daily(creditor=CODE, as_of=TUESDAY, return_state=True)
    later = "SELECT count(*) FROM tick t JOIN creditor c ON c.id = t.creditor_id WHERE t.known_at > c.looked_at"
    assert count(engine, "SELECT count(*) FROM tick") == engine.settings.shards
    assert count(engine, later) == 0, "what was recorded since the day began would look as if the tick had seen it"


def test_the_run_graph_is_the_journey(prefect: Prefect, bad_day: BadDay) -> None:
    journeys = _runs(prefect, bad_day.flow_run)
    assert {each["parameters"]["segment"] for each in journeys} >= {"forgetful", "key", "new"}
    for each in journeys:
        pack_id, segment = each["parameters"]["pack_id"], each["parameters"]["segment"]
        journey = bad_day.engine.pack(pack_id).journeys[segment]
        labels, edges, states = _graph(prefect, each["id"])
        assert sorted(labels) == sorted(journey.steps)
        assert edges == set(journey.edges())
        failed = {"reminder"} if segment == "forgetful" else set()
        assert {label for label, state in states.items() if state == "FAILED"} == failed
        assert {state for label, state in states.items() if label not in failed} == {"COMPLETED"}
        assert each["state"]["type"] == ("FAILED" if failed else "COMPLETED")


def _runs(prefect: Prefect, parent: str) -> list[Any]:
    """The flow runs that a flow run started."""
    found = prefect.post("flow_runs/filter", {"flow_runs": {"parent_flow_run_id": {"any_": [parent]}}})
    assert isinstance(found, list)
    return found


def _is_recorded(prefect: Prefect, day: BadDay) -> bool:
    """Whether the server has noted the end of every step: it does so behind the run, by the batch."""
    for each in _runs(prefect, day.flow_run):
        journey = day.engine.pack(each["parameters"]["pack_id"]).journeys[each["parameters"]["segment"]]
        labels, _, states = _graph(prefect, each["id"])
        if len(labels) < len(journey.steps) or not set(states.values()) <= {"COMPLETED", "FAILED"}:
            return False
    return True


def _graph(prefect: Prefect, flow_run: str) -> tuple[list[str], set[tuple[str, str]], dict[str, str]]:
    """Labels, edges and states of a run graph as Prefect's page gets it."""
    graph: Any = prefect.graph(flow_run)
    nodes = dict(graph["nodes"])
    labels = {key: node["label"] for key, node in nodes.items()}
    edges = {(labels[parent["id"]], node["label"]) for node in nodes.values() for parent in node["parents"]}
    return list(labels.values()), edges, {node["label"]: node["state_type"] for node in nodes.values()}


def test_prefect_learns_nothing_personal(prefect: Prefect, bad_day: BadDay) -> None:
    kept = "".join(path.read_text() for path in (bad_day.engine.settings.workspace / "logs" / "failures").iterdir())
    assert UNLUCKY in kept
    with closing(sqlite3.connect(f"file:{prefect.database}?mode=ro", uri=True)) as connection:
        everything = "\n".join(connection.iterdump())
    assert bad_day.flow_run in everything
    assert "It failed for 1 customers" in everything
    assert [canary for canary in CANARIES if canary in everything] == []


def test_each_step_leaves_an_artifact(prefect: Prefect, bad_day: BadDay) -> None:
    found: Any = prefect.get("artifacts/acme-forgetful-reminder-0/latest")
    assert "| queued |" in found["data"]
    assert "| error ProgrammingError |" in found["data"] or "| error OperationalError |" in found["data"]
    assert "Cases (at most 100)" in found["data"]
    assert "/runs/flow-run/" in found["data"]


def test_a_failing_customer_holds_nobody_up(prefect: Prefect, bad_day: BadDay) -> None:
    engine = bad_day.engine
    assert bad_day.state.is_failed()
    assert count(engine, f"{ACTIONS} step = 'reminder' AND state = 'approved'") == 1
    assert count(engine, f"{ACTIONS} step = 'reminder' AND state = 'executed'") >= 10
    with engine.database.session() as session:
        session.execute(text("DROP TRIGGER refuse_unlucky ON message"))
    again = run_daily(engine)
    assert again.is_completed(), again.message
    assert count(engine, f"{ACTIONS} state = 'approved'") == 0
    told = f"SELECT count(*) FROM message WHERE state = 'sent' AND recipient = '{UNLUCKY}'"
    assert count(engine, told) == 1


def test_a_paused_segment_rests_in_the_daily_run(prefect: Prefect, engine: Engine) -> None:
    from deployments.table import table
    from flows.segment import segment
    from flows.workplace import lent

    people_town(engine, 16)
    names = prefect.register(table(engine))
    assert [each for each in names if each.startswith("ingest/")] == ["ingest/ledger"]
    deployment: Any = prefect.get(f"deployments/name/segment/{CODE}-forgetful")
    waiting = f"{ACTIONS} segment = '{{}}' AND state = 'approved'"
    prefect.patch(f"deployments/{deployment['id']}", {"tags": ["ours"]})
    prefect.post(f"deployments/{deployment['id']}/pause_deployment", {})
    try:
        assert run_daily(engine).is_completed()
    finally:
        prefect.post(f"deployments/{deployment['id']}/resume_deployment", {})
    told: Any = prefect.get("artifacts/acme-rest/latest")
    assert "| forgetful | 1 |" in told["data"]
    assert count(engine, waiting.format("forgetful")) >= 5
    assert count(engine, waiting.format("key")) == 0
    with lent(engine):
        segment(creditor=CODE, segment="forgetful", at=NOW)
    assert count(engine, waiting.format("forgetful")) == 0


def test_a_mail_that_cannot_be_taken_in_fails_the_run_when_all_others_are(prefect: Prefect, engine: Engine) -> None:
    from flows.receive import receive
    from flows.workplace import lent

    house = House(engine)
    run_sql(house, "ALTER TABLE incoming ADD CHECK (kind <> 'answer')")
    writes(house, "somebody@elsewhere.example")
    writes(house, "away@elsewhere.example", Auto_Submitted="auto-replied")
    with lent(engine):
        state: Any = receive(at=NOW, return_state=True)
        assert state.is_failed(), state
        assert count(engine, "SELECT count(*) FROM incoming") == 1
        run_sql(house, "ALTER TABLE incoming DROP CONSTRAINT incoming_kind_check")
        state = receive(at=NOW, return_state=True)
        assert state.is_completed()
    assert count(engine, "SELECT count(*) FROM incoming") == 2


def test_a_delivery_that_leaves_something_open_fails_its_run(prefect: Prefect, engine: Engine) -> None:
    from flows.deliver import deliver
    from flows.workplace import lent

    house = House(engine)
    house.customer()
    house.written()
    faulty(house, Fault(at="after", drop=True))
    with lent(engine):
        state: Any = deliver(creditor="NL1", at=NOON, return_state=True)
        assert state.is_failed(), state
        state = deliver(creditor="NL1", at=NOON, return_state=True)
        assert state.is_completed(), state
