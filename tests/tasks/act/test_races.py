"""Two people who say yes to the same batch at once: each action is taken by exactly one of them, the other is told."""

import threading
from collections import Counter
from collections.abc import Sequence

import pytest

from maatpak.kernel.errors import RefusedError
from maatpak.ledger.tables import Action, Approval
from tasks.approvals import approve
from tests.tasks.act.house import House
from tests.tasks.act.test_locks import PATIENCE, wait_for_a_lock

Outcomes = dict[str, str]

pytestmark = pytest.mark.stage("three demanding")


@pytest.fixture
def waiting(house: House) -> list[int]:
    """Three demands that wait for one yes each, of three customers."""
    demands = house.rows(Action, step="final_demand", state="awaiting_approval")
    assert [each.approvals_needed for each in demands] == [1, 1, 1]
    return [int(each.id) for each in demands]


def say_yes(house: House, who: str, batch: Sequence[int], told: Outcomes, together: threading.Barrier) -> None:
    """A desk of one's own, at which somebody approves a batch as soon as the others are there, too."""
    try:
        with house.desk(who, 15) as desk:
            together.wait(PATIENCE)
            approve(desk, batch, f"{who} looked at it")
    except RefusedError as error:
        told[who] = error.message
    else:
        told[who] = "approved"


def taken(house: House) -> dict[int, list[str]]:
    """Action → who approved it; every approved one has its event."""
    yeses: dict[int, list[str]] = {int(each.id): [] for each in house.rows(Action, step="final_demand")}
    for approval in house.rows(Approval):
        yeses[approval.action_id].append(approval.actor)
    events = Counter(each.action_id for each in house.rows_of_events("approval_given"))
    assert events == {action_id: len(actors) for action_id, actors in yeses.items() if actors}
    return yeses


@pytest.mark.parametrize("attempt", [0, *(pytest.param(each, marks=pytest.mark.chaos) for each in (1, 2))])
@pytest.mark.parametrize(
    "batches",
    [((0, 1, 2), (2, 1, 0)), ((0, 1), (1, 2))],
    ids=["the same batch, each in another order", "batches that share one"],
)
def test_each_action_of_two_batches_is_taken_once(
    house: House, waiting: list[int], batches: tuple[tuple[int, ...], tuple[int, ...]], attempt: int
) -> None:
    del attempt  # who comes first is for the machine to say
    chosen = dict(zip(("mo", "mia"), ([waiting[at] for at in batch] for batch in batches), strict=True))
    told: Outcomes = {}
    together = threading.Barrier(2)
    desks = [
        threading.Thread(target=say_yes, args=(house, who, batch, told, together)) for who, batch in chosen.items()
    ]
    for each in desks:
        each.start()
    for each in desks:
        each.join(PATIENCE)
        assert not each.is_alive(), "nobody waits for ever"
    (winner,) = (who for who, outcome in told.items() if outcome == "approved")
    (loser,) = chosen.keys() - {winner}
    assert "is approved" in told[loser]
    shared = set(chosen[winner])
    assert taken(house) == {action_id: [winner] if action_id in shared else [] for action_id in waiting}
    states = {int(each.id): each.state for each in house.rows(Action, step="final_demand")}
    assert states == {each: "approved" if each in shared else "awaiting_approval" for each in waiting}
    rest = [each for each in chosen[loser] if each not in shared]
    if rest:
        with house.desk(loser, 16) as desk:
            approve(desk, rest, "what was left")
        assert {who for actors in taken(house).values() for who in actors} == {winner, loser}


def test_who_comes_second_waits_for_the_first_and_is_told(house: House, waiting: list[int]) -> None:
    told: Outcomes = {}
    alone = threading.Barrier(1)
    second = threading.Thread(target=say_yes, args=(house, "mia", list(reversed(waiting)), told, alone))
    with house.desk("mo", 15) as desk:
        approve(desk, waiting, "mo looked at it")
        second.start()
        wait_for_a_lock(house, second)
        assert told == {}
    second.join(PATIENCE)
    assert "is approved" in told["mia"]
    assert taken(house) == {action_id: ["mo"] for action_id in waiting}
