from collections.abc import Iterator
from pathlib import Path

import pytest

from maatpak.ledger.tables import Action, Case, WorkTask
from tests.tasks.act.house import House
from tests.tasks.act.stages import Stages


@pytest.fixture
def house(request: pytest.FixtureRequest, stages: Stages, tmp_path: Path) -> Iterator[House]:
    """A house with one customer, who owes 1,000.00 and 500.00 since long; `stage` says how far it has come."""
    marker = request.node.get_closest_marker("stage")
    with stages.at(marker.args[0] if marker else "start", tmp_path / "workspace") as house:
        yield house


@pytest.fixture
def case_id(house: House) -> int:
    """The customer's case."""
    return int(house.row(Case).id)


@pytest.fixture
def demand(house: House) -> Action:
    """The final demand that waits for its approval, at stage `demanding`."""
    found: Action = house.row(Action, step="final_demand")
    return found


@pytest.fixture
def call_task(house: House) -> WorkTask:
    """The call that the journey asks for, at stage `calling`."""
    found: WorkTask = house.row(WorkTask, kind="call")
    return found


@pytest.fixture
def handoff(house: House) -> Action:
    """The placement that waits for its two yeses."""
    found: Action = house.row(Action, step="handoff", state="awaiting_approval")
    return found
