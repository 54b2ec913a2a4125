"""Asked again before acting: every reason for which something that was decided is not done after all (law 4)."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from sqlmodel import select

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.reasons import SkipReason
from maatpak.kernel.words import CallResult, Channel, DisputeState, HoldReason, NonPaymentReason
from maatpak.ledger.tables import (
    Action,
    Case,
    ContactResult,
    ContactSlot,
    DebtorProfile,
    Message,
    QuarantinedRow,
    Snapshot,
    WorkTask,
)
from maatpak.ledger.versions import succeed
from policies.reach import Learned
from tasks.answers import record_answer
from tasks.claims import claim_payment
from tasks.disputes import decide_dispute, open_dispute
from tasks.execute import execute_all, execute_step
from tasks.holds import set_hold
from tasks.plans import offer_plan
from tasks.preferences import mark_address
from tasks.promises import make_promise
from tasks.revalidate import offered_meanwhile
from tasks.send import deliver
from tasks.tick import tick
from tasks.tickets import open_ticket
from tasks.work import Outcome, finish_work
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script

Between = Callable[[House, int], Any]


def act(what: Callable[..., Any], *arguments: Any, **more: Any) -> Between:
    """An act of a person on the case."""

    def do(house: House, case_id: int) -> None:
        with house.desk("carla", 7) as desk:
            what(desk, desk.case(case_id), *arguments, **more)

    return do


def quarantine(house: House, case_id: int) -> None:
    with house.engine.database.session() as session:
        snapshot = session.exec(select(Snapshot)).first()
        assert snapshot is not None
        session.add(
            QuarantinedRow(
                snapshot_id=int(snapshot.id or 0),
                creditor_id=house.creditor_id,
                debtor_no="C1",
                file="items.csv",
                row_no=1,
                table_name="items",
                raw={},
                rules="due_missing",
                business_date=house.day,
                recorded_at=at(house.day, 7),
            )
        )


def stop_by_law(house: House, case_id: int) -> None:
    with house.engine.database.session() as session:
        profile = session.exec(select(DebtorProfile)).one()
        succeed(session, profile, house.day, at(house.day, 7), legal_stop="insolvent")


def ticket(house: House, case_id: int) -> None:
    with house.desk("carla", 7) as desk:
        open_ticket(desk, desk.debtor(desk.case(case_id).debtor_id), "complaint")


def no_address_left(house: House, case_id: int, learned: Learned = Learned.GONE) -> None:
    with house.desk("carla", 7) as desk:
        case = desk.case(case_id)
        for channel, address in ((Channel.EMAIL, "C1@example.test"), (Channel.POST, "Kade 1, 1011 AB Amsterdam")):
            mark_address(desk, case, channel, address, learned, "for a test")
        mark_address(desk, case, "phone", "+31201234567", learned, "for a test")


def both_paid(house: House) -> None:
    house.pay("F1", house.day)
    house.pay("F2", house.day)


MEANWHILE: dict[str, tuple[Between, SkipReason]] = {
    "all paid": (lambda house, _: both_paid(house), SkipReason.PAID),
    "part paid": (lambda house, _: house.pay("F2", house.day, 10_000), SkipReason.AMOUNT_CHANGED),
    "one of two paid": (lambda house, _: house.pay("F2", house.day), SkipReason.AMOUNT_CHANGED),
    "credited": (
        lambda house, case_id: house.item(
            case_id, "CN1", 20_000, house.day, item_type="credit_note", issued_on=house.day
        ),
        SkipReason.AMOUNT_CHANGED,
    ),
    "on hold": (act(set_hold, HoldReason.DATA, date(2026, 3, 6), "asked"), SkipReason.ON_HOLD),
    "an item on hold": (
        lambda house, case_id: act(
            set_hold, HoldReason.DATA, date(2026, 3, 6), "asked", scope="item", item_id=house.items["F2"]
        )(house, case_id),
        SkipReason.DISPUTED,
    ),
    "one item disputed": (act(open_dispute, "F2", NonPaymentReason.PRICE), SkipReason.DISPUTED),
    "part promised": (act(make_promise, date(2026, 3, 6), documents=["F2"]), SkipReason.PROMISED),
    "all promised": (act(make_promise, date(2026, 3, 6)), SkipReason.PROMISED),
    "a plan offered": (act(offer_plan), SkipReason.IN_PLAN),
    "claimed paid": (act(claim_payment, documents=["F1"]), SkipReason.CLAIMED_PAID),
    "an answer": (act(record_answer, Channel.EMAIL), SkipReason.ANSWER_UNREAD),
    "stopped by law": (stop_by_law, SkipReason.LEGAL_STOP),
    "quarantined": (quarantine, SkipReason.QUARANTINED),
    "a complaint": (ticket, SkipReason.ON_HOLD),
    "no address left": (no_address_left, SkipReason.NO_ADDRESS),
    "opted out": (lambda house, case_id: no_address_left(house, case_id, Learned.OPTED_OUT), SkipReason.OPTED_OUT),
}


@pytest.mark.parametrize("meanwhile", MEANWHILE)
def test_what_came_in_meanwhile_cancels_with_its_reason(house: House, case_id: int, meanwhile: str) -> None:
    tick(house.engine, house.creditor_id, house.day, at(house.day, 6))
    (action,) = house.rows(Action)
    assert action.state == "approved"
    happen, reason = MEANWHILE[meanwhile]
    happen(house, case_id)
    done = execute_all(house.engine, house.creditor_id, house.day, at(house.day, 8))
    found = house.row(Action)
    lost = reason in (SkipReason.NO_ADDRESS, SkipReason.OPTED_OUT)
    assert (found.state, found.reason) == ("failed" if lost else "cancelled", reason)
    assert found.started_on == house.day
    assert [message.state for message in house.rows(Message)] == []
    assert house.rows_of(ContactSlot) == [], "the party's day is free again"
    assert sum(done.counts.values()) == 1
    again = tick(house.engine, house.creditor_id, house.day, at(house.day, 9))
    assert again.proposed == 0, "one step a day, also when it came to nothing"


def test_a_ledger_gone_stale_cancels_nothing_a_person_holds_but_sends_nothing(house: House, case_id: int) -> None:
    tick(house.engine, house.creditor_id, house.day, at(house.day, 6))
    later = house.day + timedelta(days=4)
    house.snapshot(later)
    script = Script(house, calling=False)
    script.day()
    assert house.row(Action, step="reminder").state == "executed"


def test_nothing_in_between_nothing_cancelled(house: House, case_id: int) -> None:
    tick(house.engine, house.creditor_id, house.day, at(house.day, 6))
    action = house.row(Action)
    done = execute_step(
        house.engine, house.creditor_id, action.segment, action.pack_id, action.step, house.day, at(house.day, 8)
    )
    assert (done.counts, done.case_ids, done.total) == ({"queued": 1}, (case_id,), 1)
    assert execute_all(house.engine, house.creditor_id, house.day, at(house.day, 9)).total == 0
    assert house.row(Message).state == "queued"


@pytest.mark.stage("calling")
@pytest.mark.parametrize(
    ("meanwhile", "reason"),
    [
        ("all promised", "promised"),
        ("on hold", "on_hold"),
        ("a plan offered", "in_plan"),
        ("an answer", "answer_unread"),
    ],
)
def test_a_call_that_lost_its_ground_leaves_the_list(house: House, case_id: int, meanwhile: str, reason: str) -> None:
    until = house.day + timedelta(days=4)
    changed = {
        "all promised": act(make_promise, until),
        "on hold": act(set_hold, HoldReason.DATA, until, "asked"),
    }
    changed.get(meanwhile, MEANWHILE[meanwhile][0])(house, case_id)
    script = Script(house, calling=False)
    script.people = lambda: None  # type: ignore[method-assign]
    assert script.day().ticks[0].withdrawn == 1
    task, action = house.row(WorkTask, kind="call"), house.row(Action, step="call")
    assert (task.state, action.state, action.reason) == ("cancelled", "cancelled", reason)


@pytest.mark.stage("calling")
def test_a_call_is_not_taken_away_because_an_amount_moved(house: House, case_id: int) -> None:
    house.pay("F2", house.day, 10_000)
    script = Script(house, calling=False)
    assert script.day().ticks[0].withdrawn == 0
    assert house.row(WorkTask, kind="call").state == "open"


@pytest.mark.stage("calling")
def test_a_call_ends_with_its_round(house: House, case_id: int) -> None:
    house.pay("F1", house.day)
    house.pay("F2", house.day)
    Script(house, calling=False).day()
    task, action = house.row(WorkTask, kind="call"), house.row(Action, step="call")
    assert (task.state, action.state, action.reason) == ("cancelled", "cancelled", "round_closed")


@pytest.mark.stage("demanding")
@pytest.mark.parametrize(
    ("meanwhile", "reason"),
    [
        ("one item disputed", "disputed"),
        ("part promised", "promised"),
        ("a plan offered", "in_plan"),
        ("a complaint", "on_hold"),
        ("an answer", "answer_unread"),
        ("claimed paid", "claimed_paid"),
        ("part paid", "amount_changed"),
    ],
)
def test_a_threat_that_lost_its_ground_is_not_put_before_an_approver(
    house: House, case_id: int, demand: Action, meanwhile: str, reason: str
) -> None:
    promised = act(make_promise, house.day + timedelta(days=4), documents=["F2"])
    happen = promised if meanwhile == "part promised" else MEANWHILE[meanwhile][0]
    happen(house, case_id)
    script = Script(house, approving=False)
    script.people = lambda: None  # type: ignore[method-assign]
    script.day()
    found = house.row(Action, id=demand.id)
    assert (found.state, found.reason) == ("cancelled", reason)


def spoke(house: House, case_id: int, code: CallResult, callback_on: date | None = None) -> None:
    """A collector had the customer on the phone, of their own accord."""
    with house.engine.database.session() as session:
        case = session.get_one(Case, case_id)
        session.add(
            ContactResult(
                creditor_id=house.creditor_id,
                case_id=case_id,
                debtor_id=case.debtor_id,
                code=code,
                day_part="morning",
                callback_on=callback_on,
                called_on=house.day,
                actor="carla",
                recorded_at=at(house.day, 7),
            )
        )


def reject_dispute(house: House, case_id: int) -> None:
    with house.desk("mo", 7) as desk:
        dispute = open_dispute(desk, desk.case(case_id), "F1", NonPaymentReason.PRICE)
        decide_dispute(desk, dispute.dispute_no, DisputeState.REJECTED, "as agreed")
    with house.desk("colin", 7) as desk:
        finish_work(desk, house.row(WorkTask, kind="reply").id, Outcome("answered", "told them why"))


IN_FOUR_DAYS = date(2026, 3, 6)
SILENCES: dict[str, tuple[Between, int]] = {
    "a talk": (lambda house, case_id: spoke(house, case_id, CallResult.SPOKE_NO_COMMITMENT), 3),
    "a callback": (lambda house, case_id: spoke(house, case_id, CallResult.CALLBACK_AGREED, IN_FOUR_DAYS), 5),
    "a dispute rejected": (reject_dispute, 7),
}
"""What makes us silent, and for how many working days."""


@pytest.mark.parametrize("silence", SILENCES)
@pytest.mark.parametrize("queued", [False, True], ids=["approved", "queued"])
def test_a_letter_waits_while_somebody_talks_with_the_customer(
    house: House, case_id: int, silence: str, queued: bool
) -> None:
    tick(house.engine, house.creditor_id, house.day, at(house.day, 6))
    if queued:
        execute_all(house.engine, house.creditor_id, house.day, at(house.day, 6))
    happen, days = SILENCES[silence]
    happen(house, case_id)
    first = house.day
    execute_all(house.engine, house.creditor_id, house.day, at(house.day, 8))
    deliver(house.engine, house.creditor_id, house.day, at(house.day, 9), "worker")
    action = house.row(Action)
    assert action.state == ("in_progress" if queued else "approved"), "it is wanted, and waits"
    assert [message.state for message in house.rows(Message)] == (["queued"] if queued else [])
    script = Script(house, calling=False)
    for _ in range(days + 1):
        script.day()
    gone = house.row(Action, id=action.id)
    assert gone.state == "executed"
    assert gone.executed_on >= add_working_days(first, days, "NL")


def test_nobody_is_offered_a_plan_and_threatened_on_one_day(house: House, case_id: int) -> None:
    actions = pl.DataFrame(
        {
            "action_id": [1, 2, 3],
            "case_id": [case_id, case_id, case_id + 1],
            "kind": ["plan_offer", "handoff", "handoff"],
            "escalating": [False, True, True],
        }
    )
    with house.engine.database.frames() as frames:
        assert offered_meanwhile(frames, actions)["action_id"].to_list() == [2]
        assert offered_meanwhile(frames, actions[1:])["action_id"].to_list() == []
    act(offer_plan)(house, case_id)
    with house.engine.database.frames() as frames:
        assert offered_meanwhile(frames, actions[1:])["action_id"].to_list() == [2]
