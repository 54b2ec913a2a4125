"""What a person decides goes on within seconds, through Prefect, once, and whatever breaks in between."""

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
from maatpak.kernel.words import NonPaymentReason
from maatpak.ledger.tables import Action, Wake
from tasks.approvals import approve
from tasks.reasons import state_reason
from tasks.waking import taken
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
    prefect.register([replace(planned, parameters={"creditor": CODE, "at": at(house.day, 15).isoformat()})])
    found: Any = prefect.get(f"deployments/name/onward/{CODE}")
    yield f"deployments/{found['id']}"
    prefect.delete(f"deployments/{found['id']}")


@contextmanager
def dispatching(house: House) -> Iterator[None]:
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
    of_it = {"deployments": {"id": {"any_": [deployment.rpartition("/")[2]]}}}
    found = prefect.post("flow_runs/filter", of_it)
    assert isinstance(found, list)
    return found


def test_a_yes_leads_to_the_step_within_seconds(
    prefect: Prefect, house: House, deployment: str, record_property: Any
) -> None:
    with dispatching(house):
        begun = time.monotonic()
        action_id = say_yes(house)
        until(lambda: house.row(Action, id=action_id).state == "executed", "the step")
        record_property("told", f"approved → executed: {time.monotonic() - begun:.1f} s")
        until(lambda: house.count(Wake) == 0, "the end of the run")
    (run,) = runs(prefect, deployment)
    assert run["state"]["type"] == "COMPLETED"
    assert run["name"] == f"{CODE}: approval_given 1"
