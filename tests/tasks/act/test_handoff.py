"""Handing over: a dossier that cannot be made fails alone, and each shard sees to its own."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.errors import RefusedError
from maatpak.ledger.tables import Action, Case, Message, Placement, Touch
from tasks import handoff
from tasks.claims import claim_payment
from tasks.day import run_day
from tasks.desk import Desk
from tasks.engine import Engine
from tasks.execute import execute_all
from tasks.explaining import explain_case
from tasks.finding import find_case
from tasks.handoff import hand_over
from tasks.placements import recall_placement
from tasks.plans import offer_plan
from tasks.promises import make_promise
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script

pytestmark = pytest.mark.stage("placing")


@pytest.fixture
def approved(house: House) -> Action:
    """A handoff that both have said yes to."""
    (action,) = house.rows(Action, step="handoff", state="awaiting_approval")
    Script(house).approve(action.id)
    found: Action = house.row(Action, id=action.id)
    assert found.state == "approved"
    return found


def execute(house: House) -> None:
    execute_all(house.engine, house.creditor_id, house.day, at(house.day, 16))


def test_a_dossier_that_cannot_be_made_fails_alone_and_stops_nobody(house: House, approved: Action) -> None:
    message = house.rows(Message, state="sent")[0]
    path = house.engine.store.path(message.content)
    assert path is not None
    path.unlink()
    execute(house)
    action = house.row(Action, id=approved.id)
    assert (action.state, action.reason) == ("failed", "agency")
    assert [each.state for each in house.rows(Placement)] == ["recalled"]
    assert house.rows(Touch, kind="handoff") == []
    assert len(list((house.engine.workspace.root / "logs" / "failures").iterdir())) == 1
    execute(house)
    following = house.day + timedelta(days=1)
    house.snapshot(following)
    assert run_day(house.engine, house.creditor_id, following, at(following, 6)).began


def test_a_shard_hands_over_its_own(house: House, approved: Action, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as killed:
        killed.setattr("tasks.execute.hand_over", lambda *_: 0)
        execute(house)
    assert house.row(Action, id=approved.id).state == "in_progress"
    (case,) = house.rows(Case, id=approved.case_id)
    mine = case.shard_key % 2
    instant = at(house.day, 17)
    assert hand_over(house.engine, house.creditor_id, house.day, instant, 1 - mine, 2, None) == 0
    assert house.row(Action, id=approved.id).state == "in_progress"
    assert hand_over(house.engine, house.creditor_id, house.day, instant, mine, 2, None) == 1
    assert house.row(Action, id=approved.id).state == "executed"


def test_a_case_that_is_placed_is_told_with_all_that_was_done(house: House, approved: Action) -> None:
    execute(house)
    told = explain_case(house.engine, find_case(house.engine, "C1"), None, at(house.day, 17), {}).explanation
    steps = {step.name: (step.status, step.done_on) for step in told.steps}
    for name in ("reminder", "second_notice", "final_demand", "handoff"):
        assert steps[name] == ("done", house.row(Action, step=name).executed_on)
    assert (told.decision["reason"], told.next_step) == ("placed", "decide")


ABOUT_PLACED: dict[str, Callable[[Desk, Case, list[str] | None], object]] = {
    "promise": lambda desk, case, named: make_promise(desk, case, desk.as_of + timedelta(days=3), documents=named),
    "plan": lambda desk, case, named: offer_plan(desk, case, documents=named),
    "claim": lambda desk, case, named: claim_payment(desk, case, documents=named),
}


@pytest.mark.parametrize("act", ABOUT_PLACED)
def test_nothing_is_agreed_about_what_an_agency_has(house: House, approved: Action, act: str) -> None:
    execute(house)
    number = house.row(Placement).placement_no
    agree = ABOUT_PLACED[act]
    house.item(int(approved.case_id), "F9", 40_000, house.day - timedelta(days=5))
    with house.desk("mo", 18) as desk, pytest.raises(RefusedError, match=rf"placement {number}.*case recall {number}"):
        agree(desk, desk.case(approved.case_id), ["F1", "F2"])
    with house.desk("mo", 18) as desk:
        agree(desk, desk.case(approved.case_id), ["F9"])


def test_a_case_that_is_wholly_with_an_agency_takes_no_promise(house: House, approved: Action) -> None:
    execute(house)
    with house.desk("mo", 18) as desk:
        with pytest.raises(RefusedError, match="with an agency"):
            make_promise(desk, desk.case(approved.case_id), desk.as_of, amount=100)
        recall_placement(desk, house.row(Placement).placement_no, "error")
        make_promise(desk, desk.case(approved.case_id), desk.as_of, amount=100)


@pytest.mark.parametrize("handed_over", [False, True])
def test_a_placement_that_was_recalled_before_its_dossier_was_concluded(
    house: House, approved: Action, monkeypatch: pytest.MonkeyPatch, *, handed_over: bool
) -> None:
    """A run was killed; what the agency has not got it does not get, and what it has counts."""
    with monkeypatch.context() as killed:
        if handed_over:
            killed.setattr("tasks.handoff._conclude", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                execute(house)
        else:
            killed.setattr("tasks.execute.hand_over", lambda *_: 0)
            execute(house)
    placement = house.row(Placement)
    dossiers = house.engine.workspace.root
    with house.desk("mo", 17) as desk:
        recall_placement(desk, placement.placement_no, "error")
    execute_all(house.engine, house.creditor_id, house.day, at(house.day, 18))
    action = house.row(Action, id=approved.id)
    assert (action.state, action.reason) == (("executed", None) if handed_over else ("cancelled", "stopped"))
    assert len(list(dossiers.rglob("manifest.json"))) == handed_over
    assert [touch.rating for touch in house.rows(Touch, kind="handoff")] == [-12] * handed_over
    following = add_working_days(house.day, 1, "NL")
    house.snapshot(following)
    (tick,) = run_day(house.engine, house.creditor_id, following, at(following, 6)).ticks
    assert "step_under_way" not in tick.reasons


def test_one_that_is_recalled_while_others_are_handed_over_is_not_handed_over(
    house: House, approved: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = handoff._place

    def recalled_first(engine: Engine, query: str) -> object:
        with house.desk("mo", 15) as desk:
            recall_placement(desk, house.row(Placement).placement_no, "error")
        return place(engine, query)

    monkeypatch.setattr(handoff, "_place", recalled_first)
    execute(house)
    assert house.row(Action, id=approved.id).state == "cancelled"
    assert list(house.engine.workspace.root.rglob("manifest.json")) == []
