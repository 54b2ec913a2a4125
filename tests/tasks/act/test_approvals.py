"""Approvals: role, limit, four eyes, what was shown, and how long a word stands (law 9, rules 10 and 11)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import select

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import CallResult, DisputeState, HoldReason, NonPaymentReason
from maatpak.ledger.tables import Action, Approval, Case, ContactSlot, Debtor, DebtorProfile, Person, WorkTask
from maatpak.ledger.versions import succeed
from tasks.approvals import approve, ask_account_manager, postpone, reject
from tasks.calls import Call, record_call
from tasks.case_move import move_case
from tasks.desk import Desk
from tasks.disputes import decide_dispute, open_dispute
from tasks.holds import LIFT_CONFIRM, lift_hold, set_hold
from tasks.pending import pending
from tasks.preferences import set_contact
from tasks.promises import cancel_promise, make_promise
from tasks.reasons import state_reason
from tasks.work import Outcome, finish_work
from tests.tasks.act.house import House
from tests.tasks.act.script import Script, check_all

pytestmark = pytest.mark.stage("demanding")


def say_yes(house: House, action: Action, who: str, shown: str | None = None) -> Action:
    number = int(action.id or 0)
    with house.desk(who, 15) as desk:
        approve(desk, [number], "looked at it", shown=None if shown is None else {number: shown})
    found: Action = house.row(Action, id=action.id)
    return found


def test_waits_with_what_an_approver_sees(house: House, demand: Action) -> None:
    with house.desk("mo") as desk:
        (row,) = pending(desk)
    assert (row.action_id, row.step, row.amount, row.role) == (demand.id, "final_demand", 150_000, "credit_manager")
    assert (row.needed, row.given, row.debtor_no, row.address_changed) == (1, 0, "C1", False)
    assert row.content_hash == demand.content_hash
    assert demand.content_hash
    assert row.checks == ()


def test_a_yes_approves_and_the_next_run_sends(house: House, demand: Action) -> None:
    assert say_yes(house, demand, "mo").state == "approved"
    word = house.row(Approval)
    assert (word.actor, word.role, word.content_hash, word.decided_on) == (
        "mo", "credit_manager", demand.content_hash, house.day,
    )  # fmt: skip
    Script(house).until("final_demand")


@pytest.mark.parametrize(
    ("who", "allowed"),
    [
        ("olga", False),
        ("carla", False),
        ("anna", False),
        ("audrey", False),
        ("ada", False),
        ("max", False),
        ("mo", True),
        ("frans", True),
    ],
    ids=[
        "operator",
        "collector",
        "account manager",
        "auditor",
        "administrator",
        "too small a limit",
        "manager",
        "director",
    ],
)
def test_needs_role_and_limit(house: House, demand: Action, who: str, allowed: bool) -> None:
    if allowed:
        assert say_yes(house, demand, who).state == "approved"
    else:
        with pytest.raises(RefusedError):
            say_yes(house, demand, who)
        assert house.rows(Approval) == []


@pytest.mark.parametrize(
    ("limit", "overdue", "allowed"), [(150_000, 0, True), (149_999, 0, False), (150_000, 1, False)]
)
def test_the_limit_counts_what_is_overdue_too(
    house: House, case_id: int, demand: Action, limit: int, overdue: int, allowed: bool
) -> None:
    if overdue:
        house.item(case_id, "F7", overdue, house.day - timedelta(days=3))
    with house.engine.database.session() as session:
        person = session.get_one(Person, house.row(Person, login="mo").id)
        person.approval_limit = limit
    if allowed:
        say_yes(house, demand, "mo")
    else:
        with pytest.raises(RefusedError, match="may approve up to"):
            say_yes(house, demand, "mo")


def test_without_a_rate_no_approval(house: House, demand: Action) -> None:
    with house.engine.database.session() as session:
        session.get_one(Person, house.row(Person, login="mo").id).limit_currency = "GBP"
    with pytest.raises(RefusedError, match="no rate, no approval"):
        say_yes(house, demand, "mo")


def another_account(desk: Desk, case: Case) -> Case:
    """A second account of the customer."""
    first = desk.session.get_one(Debtor, case.debtor_id)
    other = Debtor(**first.model_dump(exclude={"id", "debtor_no"}), debtor_no="C1-2")
    desk.session.add(other)
    desk.session.flush()
    second = Case(**case.model_dump(exclude={"id", "debtor_id"}), debtor_id=int(other.id or 0))
    desk.session.add(second)
    desk.session.flush()
    return second


HANDS: dict[str, Callable[[Desk, Case], object]] = {
    "a reason": lambda desk, case: state_reason(desk, case, NonPaymentReason.FORGOT),
    "a promise": lambda desk, case: cancel_promise(desk, make_promise(desk, case, desk.as_of).promise_no),
    "a hold set": lambda desk, case: set_hold(desk, case, HoldReason.DATA, desk.as_of, "asked"),
    "a hold lifted": lambda desk, case: lift_hold(
        desk, set_hold(desk, case, HoldReason.DATA, desk.as_of, "asked").hold_no, "clear"
    ),
    "a hold of the customer lifted at another account": lambda desk, case: lift_hold(
        desk,
        set_hold(desk, another_account(desk, case), HoldReason.DATA, desk.as_of, "asked", scope="party").hold_no,
        "ok",
    ),
    "a dispute rejected": lambda desk, case: decide_dispute(
        desk,
        open_dispute(desk, case, "F1", NonPaymentReason.PRICE, amount=1).dispute_no,
        DisputeState.REJECTED,
        "no",
    ),
    "a contact changed": lambda desk, case: set_contact(
        desk, desk.debtor(case.debtor_id), "Jo", "escalation", phone="+31612345678"
    ),
    "the case moved": lambda desk, case: move_case(desk, case, "forgetful", "known to be so"),
}
"""What a person may have done in a round that takes their word on its escalation away."""


@pytest.mark.parametrize("hand", HANDS)
def test_four_eyes(house: House, case_id: int, demand: Action, hand: str) -> None:
    with house.desk("mo") as desk:
        HANDS[hand](desk, desk.case(case_id))
    if house.row(Action, id=demand.id).state != "awaiting_approval":
        demand = Script(house, approving=False).until("final_demand", "awaiting_approval")
    with pytest.raises(RefusedError, match=r"may not approve what follows from it|have changed"):
        say_yes(house, demand, "mo")


def test_who_asked_to_lift_a_legal_stop_does_not_approve_either(house: House, case_id: int, demand: Action) -> None:
    with house.desk("olga") as desk:
        stop = set_hold(desk, desk.case(case_id), HoldReason.LEGAL_STOP, desk.as_of, "letter", source="insolvent")
    with house.desk("mo") as desk:
        assert lift_hold(desk, stop.hold_no, "withdrawn") is None
    with house.desk("mia") as desk:
        finish_work(desk, house.row(WorkTask, subject=LIFT_CONFIRM).id, Outcome("agreed", "seen"))
    for who in ("mo", "mia"):
        with pytest.raises(RefusedError, match=r"lift.* a hold in this round"):
            say_yes(house, demand, who)
    assert say_yes(house, demand, "frans").state == "approved"


@pytest.mark.stage("calling")
def test_who_called_does_not_approve(house: House, case_id: int) -> None:
    script = Script(house, approving=False, calling=False)
    task = house.row(WorkTask, kind="call", state="open")
    with house.desk("mo") as desk:
        record_call(desk, task.id, Call(CallResult.SPOKE_NO_COMMITMENT, "morning"))
    demand = script.until("final_demand", "awaiting_approval")
    with pytest.raises(RefusedError, match="recorded a call result"):
        say_yes(house, demand, "mo")
    say_yes(house, demand, "mia")


@pytest.mark.stage("calling")
def test_who_waived_the_call_or_published_the_pack_does_not_approve(house: House, case_id: int) -> None:
    script = Script(house, approving=False, calling=False)
    with house.desk("mo") as desk:
        finish_work(desk, house.row(WorkTask, kind="call").id, Outcome("waived", "they only write"))
    demand = script.until("final_demand", "awaiting_approval")
    with pytest.raises(RefusedError, match="waived the call"):
        say_yes(house, demand, "mo")
    with house.engine.database.session() as session:
        session.get_one(Person, house.row(Person, login="ada").id).role = "credit_manager"
        session.get_one(Person, house.row(Person, login="ada").id).approval_limit = 10**9
    with pytest.raises(RefusedError, match="gave the creditor the pack"):
        say_yes(house, demand, "ada")


@pytest.mark.stage("start")
def test_an_act_in_an_earlier_round_does_not_count(house: House, case_id: int) -> None:
    with house.desk("mo") as desk:
        state_reason(desk, desk.case(case_id), NonPaymentReason.FORGOT)
    house.go_to(house.day + timedelta(days=1))
    demand = Script(house, approving=False).until("final_demand", "awaiting_approval")
    assert say_yes(house, demand, "mo").state == "approved"


def test_binds_to_what_was_shown(house: House, case_id: int, demand: Action) -> None:
    with pytest.raises(RefusedError, match="no longer what was shown"):
        say_yes(house, demand, "mo", shown="0" * 64)
    assert say_yes(house, demand, "mo", shown=str(demand.content_hash)).state == "approved"


@pytest.mark.parametrize(("days", "shown"), [(1, True), (20, False)])
def test_an_imported_change_of_address_shows(house: House, demand: Action, days: int, shown: bool) -> None:
    with house.engine.database.session() as session:
        profile = session.exec(select(DebtorProfile)).one()
        succeed(session, profile, demand.business_date - timedelta(days=days), demand.proposed_at, city="Elsewhere")
    with house.desk("mo") as desk:
        assert pending(desk)[0].address_changed is shown


def test_changed_since_it_was_proposed_it_is_refused(house: House, case_id: int, demand: Action) -> None:
    with house.engine.database.session() as session:
        profile = session.exec(select(DebtorProfile)).one()
        succeed(session, profile, house.day, demand.proposed_at, street="Elsewhere 9")
    with pytest.raises(RefusedError, match="have changed since it was proposed"):
        say_yes(house, demand, "mo")


def test_changed_after_the_yes_it_is_taken_back(house: House, case_id: int, demand: Action) -> None:
    say_yes(house, demand, "mo")
    house.pay("F2", house.day, known_on=house.day + timedelta(days=1))
    script = Script(house, approving=False)
    script.day()
    found = house.row(Action, id=demand.id)
    assert (found.state, found.reason) == ("cancelled", "amount_changed")
    again = script.until("final_demand", "awaiting_approval")
    assert (again.attempt, again.amount) == (2, 100_000)


def test_an_unheard_proposal_lapses_after_five_working_days(house: House, demand: Action) -> None:
    script = Script(house, approving=False)
    for _ in range(5):
        script.day()
    assert house.row(Action, id=demand.id).state == "awaiting_approval"
    assert script.day().settled.counts == {"action approval_lapsed": 1}
    found = house.row(Action, id=demand.id)
    assert (found.state, found.reason) == ("cancelled", "approval_lapsed")
    assert house.rows_of(ContactSlot) == [slot for slot in house.rows_of(ContactSlot) if slot.action_id != demand.id]
    assert script.until("final_demand", "awaiting_approval").attempt == 2


def test_a_yes_that_was_not_used_lapses_too(house: House, case_id: int, demand: Action) -> None:
    say_yes(house, demand, "mo")
    (word,) = house.rows(Approval)
    assert word.lapses_on is not None
    house.go_to(word.lapses_on + timedelta(days=3))
    from tasks.settle import settle_records
    from tests.tasks.act.house import at

    settle_records(house.engine, house.creditor_id, house.day, at(house.day, 6))
    assert house.row(Action, id=demand.id).reason == "approval_lapsed"


def test_a_no_says_what_comes_next_and_the_proposal_does_not_return_before(house: House, demand: Action) -> None:
    next_on = house.day + timedelta(days=14)
    with house.desk("mo") as desk:
        for step, on, error in (("final_demand", house.day, "not after today"), ("nowhere", next_on, "no step")):
            with pytest.raises(UsageError, match=error):
                reject(desk, int(demand.id or 0), "too hard", step, on)
        with pytest.raises(UsageError, match="in words"):
            reject(desk, int(demand.id or 0), " ", "final_demand", next_on)
        reject(desk, int(demand.id or 0), "too hard", "final_demand", next_on)
    found = house.row(Action, id=demand.id)
    assert (found.state, found.retry_on, found.retry_step) == ("rejected", next_on, "final_demand")
    again = Script(house, approving=False).until("final_demand", "awaiting_approval")
    assert again.business_date >= next_on


@pytest.mark.stage("three demanding")
def test_a_batch_is_bounded_and_all_or_nothing(house: House) -> None:
    demands = house.rows(Action, step="final_demand", state="awaiting_approval")
    ids, other = [demand.id for demand in demands], demands[-1].case_id
    assert len(ids) == 3
    with house.desk("mo") as desk:
        desk.__dict__["pack"] = _with_batch_of_one(desk)
        with pytest.raises(RefusedError, match="1 is the most"):
            approve(desk, ids, "looked at it")
    with house.desk("mo") as desk:
        state_reason(desk, desk.case(other), NonPaymentReason.FORGOT)
    with house.desk("mo") as desk, pytest.raises(RefusedError, match="recorded a reason"):
        approve(desk, ids, "looked at it")
    assert house.rows(Approval) == []
    # A reason was heard: the other demand no longer says that there was no word, so it is proposed afresh.
    with pytest.raises(RefusedError, match="have changed since"), house.desk("mia") as desk:
        approve(desk, ids, "looked at it")
    assert house.rows(Approval) == []
    unheard = [action.id for action in house.rows(Action, step="final_demand") if action.case_id != other]
    with house.desk("mia") as desk:
        assert [action.state for action in approve(desk, unheard, "looked at it")] == ["approved", "approved"]


def _with_batch_of_one(desk: Desk) -> object:
    from dataclasses import replace

    pack = desk.pack
    limits = pack.guardrails.approvals.model_copy(update={"demands_a_batch": 1})
    return replace(pack, guardrails=pack.guardrails.model_copy(update={"approvals": limits}))


@pytest.mark.stage("placing")
def test_placement_takes_two_and_nobody_counts_twice(house: House) -> None:
    handoff = house.row(Action, step="handoff")
    assert handoff.approvals_needed == 2
    check_all(house, handoff.id)
    assert say_yes(house, handoff, "mo").state == "awaiting_approval"
    with pytest.raises(RefusedError, match="already approved"):
        say_yes(house, handoff, "mo")
    assert say_yes(house, handoff, "mia").state == "approved"


@pytest.mark.stage("placing")
def test_who_said_yes_may_take_it_back_with_a_no(house: House) -> None:
    handoff = house.row(Action, step="handoff")
    say_yes(house, handoff, "mo")
    with house.desk("mo") as desk:
        rejected = reject(desk, int(handoff.id or 0), "they rang just now", "call", house.day + timedelta(days=7))
    assert rejected.state == "rejected"
    assert [row.verdict for row in house.rows(Approval, action_id=handoff.id)] == ["approved", "rejected"]


def test_postponed_the_same_step_comes_up_again_from_that_date(house: House, demand: Action) -> None:
    number, until = int(demand.id or 0), house.day + timedelta(days=14)
    with house.desk("carla") as desk, pytest.raises(RefusedError, match="may not postpone"):
        postpone(desk, number, "they wait for their bank", until)
    with house.desk("mo") as desk:
        with pytest.raises(UsageError, match="not after today"):
            postpone(desk, number, "they wait for their bank", house.day)
        postpone(desk, number, "they wait for their bank", until)
    found, word = house.row(Action, id=number), house.row(Approval)
    assert (found.state, found.reason, found.retry_on, found.retry_step) == (
        "rejected", "postponed", until, "final_demand",
    )  # fmt: skip
    assert (word.verdict, word.next_step, word.next_on) == ("postponed", "final_demand", until)
    assert [event.kind for event in house.rows_of_events("approval_postponed")] == ["approval_postponed"]
    again = Script(house, approving=False).until("final_demand", "awaiting_approval")
    assert again.business_date >= until


def test_the_account_manager_is_asked_and_until_then_nobody_says_yes(house: House, demand: Action) -> None:
    number = int(demand.id or 0)
    with house.desk("mo") as desk:
        task = ask_account_manager(desk, number, "Did you speak\nwith them?")
        with pytest.raises(RefusedError, match="open already"):
            ask_account_manager(desk, number, "And you?")
    assert (task.kind, task.assignee, task.subject) == (
        "consult", "anna", "Before the verdict on final_demand: Did you speak with them?",
    )  # fmt: skip
    with pytest.raises(RefusedError, match="anna was asked"):
        say_yes(house, demand, "mia")
    with house.desk("mo") as desk, pytest.raises(RefusedError, match="asked for a second person"):
        finish_work(desk, int(task.id or 0), Outcome("agree"))
    with house.desk("anna") as desk:
        finish_work(desk, int(task.id or 0), Outcome("agree", "I did"))
    assert house.row(Action, id=number).state == "awaiting_approval"
    assert say_yes(house, demand, "mia").state == "approved"


def test_a_question_ends_with_the_proposal(house: House, demand: Action) -> None:
    number = int(demand.id or 0)
    with house.desk("mo") as desk:
        task = ask_account_manager(desk, number, "Did you speak with them?")
    with house.desk("mia") as desk:
        postpone(desk, number, "no hurry", house.day + timedelta(days=7))
    ended = house.row(WorkTask, id=task.id)
    assert (ended.state, ended.outcome) == ("cancelled", "postponed")
