"""What is learned between queueing and sending, and the hours of sending."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connectors.faults import Fault
from connectors.mail.smtp import SmtpMail
from maatpak.kernel.words import CallResult, Channel, HoldReason
from maatpak.ledger.tables import AddressState, Case, ContactResult
from policies.reach import Learned
from tasks.desk import Desk, desk
from tasks.holds import set_hold
from tasks.plans import cancel_plan, decline_plan, offer_plan
from tasks.preferences import mark_address, opt_out_of
from tasks.send import sending_instant
from tasks.send.ahead import GOOD_FOR
from tests.tasks.outbox_world import DAY, EARLIER, NOW, Account, House
from tests.tasks.send.sending import PATIENCE, faulty, hold, in_sink, messages, run_sql, send, states, wait_until


def paid(house: House, account: Account) -> None:
    for item_id in account.item_ids:
        run_sql(
            house,
            "UPDATE item_version SET replaced_from = DATE '2026-03-11', replaced_at = now()"
            f" WHERE item_id = {item_id};"
            " INSERT INTO item_version (item_id, creditor_id, debtor_id, item_type, document_no, currency, issued_on,"
            " due_on, amount, open_amount, disputed_amount, settled_on, settled_by, settled_estimated, valid_from,"
            " recorded_at) SELECT item_id, creditor_id, debtor_id, item_type, document_no, currency, issued_on, due_on,"
            " amount, 0, 0, DATE '2026-03-11', 'payment', false, DATE '2026-03-11', now()"
            f" FROM item_version WHERE item_id = {item_id}",
        )


def talk(house: House, account: Account) -> None:
    """A customer rings."""
    with desk(house.engine, house.creditor_id, "maritNL1", DAY, NOW) as at:
        case = at.session.get_one(Case, account.case_id)
        at.session.add(
            ContactResult(
                creditor_id=house.creditor_id,
                case_id=account.case_id,
                debtor_id=account.debtor_id,
                code=CallResult.SPOKE_NO_COMMITMENT,
                day_part="morning",
                called_on=DAY,
                actor="maritNL1",
                recorded_at=at.now,
            )
        )
        at.record("call_recorded", case=case)


def mark(house: House, account: Account, channel: str, address: str, learned: Learned) -> None:
    with desk(house.engine, house.creditor_id, "maritNL1", DAY, NOW) as at:
        mark_address(at, at.session.get_one(Case, account.case_id), channel, address, learned, "told")


def opt_out(house: House, account: Account) -> None:
    with desk(house.engine, house.creditor_id, "maritNL1", DAY, NOW) as at:
        opt_out_of(at, at.session.get_one(Case, account.case_id), "email")


def test_an_opt_out_of_a_mailbox_holds_for_all_accounts_that_write_there(house: House) -> None:
    stopped = house.customer(email="ap@shared.example")
    house.customer(email="AP@Shared.example")
    house.customer(email="else@shared.example")
    house.written()
    opt_out(house, stopped)
    assert send(house).plain() == {"email": {"cancelled": 2, "sent": 1}}
    assert in_sink(house) == [each["message_ref"] for each in messages(house) if each["recipient"].startswith("else")]
    assert [each["reason"] for each in house.rows("SELECT reason FROM action ORDER BY id")] == [
        *("opted_out", "opted_out", None),
    ]


@pytest.mark.parametrize(("act", "reason"), [(hold, "on_hold"), (paid, "paid")])
def test_what_is_recorded_after_queueing_stops_the_message(
    house: House, act: Callable[[House, Account], None], reason: str
) -> None:
    stopped = house.customer()
    house.customer()
    house.written()
    act(house, stopped)
    summary = send(house)
    assert summary.plain() == {"email": {"cancelled": 1, "sent": 1}}
    assert len(in_sink(house)) == 1
    first, second = house.rows("SELECT state, reason FROM action ORDER BY id")
    assert first == {"state": "cancelled", "reason": reason}
    assert second == {"state": "executed", "reason": None}
    assert states(house) == {"cancelled": 1, "sent": 1}


@pytest.mark.parametrize(
    ("happen", "left", "action"),
    [
        (hold, "cancelled", ("cancelled", "on_hold")),
        (talk, "queued", ("in_progress", None)),
        (opt_out, "cancelled", ("cancelled", "opted_out")),
    ],
)
def test_what_is_recorded_while_sending_stops_what_has_not_left(
    house: House, happen: Callable[[House, Account], None], left: str, action: tuple[str, str | None]
) -> None:
    house.customers(16)
    house.written()
    faulty(house, Fault(delay=0.5))
    sending = threading.Thread(target=send, args=(house,))
    sending.start()
    wait_until(lambda: len(in_sink(house)) >= 1)
    happen(house, house.accounts[-1])
    sending.join(PATIENCE)
    (last,) = house.rows(f"SELECT state, reason FROM action WHERE id = {house.accounts[-1].action_id}")
    assert (last["state"], last["reason"]) == action
    assert states(house) == {"sent": 15, left: 1}
    assert len(in_sink(house)) == 15


def test_a_letter_that_left_counts_though_the_mail_beside_it_was_stopped(house: House) -> None:
    account = house.customer("manager_letter", "habitual")
    house.written()
    send(house, channel=Channel.POST)
    assert states(house, "action") == {"in_progress": 1}
    hold(house, account)
    send(house)
    assert states(house) == {"sent": 1, "cancelled": 1}
    assert states(house, "action") == {"executed": 1}


def test_an_address_that_died_meanwhile_is_not_used(house: House) -> None:
    account = house.customer()
    house.written()
    dead: dict[str, Any] = {
        "debtor_id": account.debtor_id,
        "channel": "email",
        "address": "K-1001@klant.example",
        "state": "dead",
    }
    with house.engine.database.session() as session:
        session.add(AddressState(**dead, cause="bounced", actor="engine", valid_from=DAY, recorded_at=EARLIER))
    assert send(house).plain() == {"email": {"cancelled": 1}}
    assert house.rows("SELECT reason FROM action") == [{"reason": "no_address"}]
    assert in_sink(house) == []


@pytest.mark.parametrize(
    ("channel", "spelled", "learned", "reason"),
    [
        ("phone", "06 12345678", Learned.GONE, "no_address"),
        ("phone", "+31 6 1234 5678", Learned.OPTED_OUT, "opted_out"),
        ("sms", "06-12345678", Learned.GONE, "no_address"),
        ("phone", "06 12345679", Learned.GONE, None),
    ],
)
def test_a_text_does_not_go_to_a_number_of_which_a_call_learned_meanwhile(
    house: House, channel: str, spelled: str, learned: Learned, reason: str | None
) -> None:
    account = house.customer("second_text", kind="consumer", amounts=(9900,))
    house.written()
    mark(house, account, channel, spelled, learned)
    assert send(house).plain() == {"sms": {"cancelled" if reason else "sent": 1}}
    assert house.rows("SELECT reason FROM action") == [{"reason": reason}]


def test_what_is_known_of_a_payers_address_for_one_account_weighs_more_for_it(house: House) -> None:
    payer = house.customer()
    paid_for, other = house.customer(payer_no="K-1001"), house.customer(payer_no="K-1001")
    house.accounts = [paid_for, other]
    run_sql(house, f"UPDATE action SET payer_party_id = {payer.party_id} WHERE case_id <> {payer.case_id}")
    house.written()
    mark(house, payer, "email", "K-1001@klant.example", Learned.GONE)
    mark(house, paid_for, "email", "k-1001@KLANT.example", Learned.ANSWERED)
    send(house)
    sent = house.rows("SELECT case_id, state FROM action WHERE state IN ('executed', 'cancelled') ORDER BY id")
    assert sent == [
        {"case_id": paid_for.case_id, "state": "executed"},
        {"case_id": other.case_id, "state": "cancelled"},
    ]


@pytest.mark.parametrize(
    ("channel", "spellings"),
    [
        ("email", ("Anna@Klant.example", "anna@klant.example")),
        ("sms", ("+31612345678", "06 12345678")),
        ("phone", ("020 1234567", "+31 20 123 4567")),
    ],
)
def test_one_address_has_one_mark_however_it_is_spelled(house: House, channel: str, spellings: tuple[str, str]) -> None:
    account = house.customer()
    first, second = spellings
    mark(house, account, channel, first, Learned.GONE)
    mark(house, account, channel, second, Learned.ANSWERED)
    known = house.rows("SELECT address, state FROM address_state WHERE replaced_at IS NULL")
    assert known == [{"address": second, "state": "proven"}]


def test_outside_the_customers_hours_mails_wait_and_letters_go(house: House) -> None:
    house.customer()
    house.customer(preferred_channel="post")
    house.written()
    night = NOW.replace(hour=20)
    assert send(house, now=night).plain() == {"email": {"postponed": 1}, "post": {"sent": 1}}
    (waiting,) = [row for row in messages(house) if row["state"] == "queued"]
    assert waiting["send_after"] == NOW.replace(day=12, hour=7)
    assert send(house, now=night + timedelta(hours=1)).counts == {}


def test_a_caught_up_day_sends_within_everybodys_hours() -> None:
    assert sending_instant(DAY, NOW.replace(hour=6)) == NOW.replace(hour=11)
    assert sending_instant(DAY, NOW.replace(hour=15)) == NOW.replace(hour=15)


@pytest.mark.parametrize("answer", [decline_plan, cancel_plan])
def test_the_letter_of_an_offer_that_does_not_stand_any_more_does_not_go(
    house: House, answer: Callable[[Desk, str], object]
) -> None:
    account = house.customer("plan_offer", "strained")
    with desk(house.engine, house.creditor_id, "maritNL1", DAY, EARLIER) as at:
        offered = offer_plan(at, at.session.get_one(Case, account.case_id))
    assert offered is not None
    run_sql(
        house,
        f"ALTER TABLE plan DISABLE TRIGGER ALL; UPDATE plan SET action_id = {account.action_id};"
        " ALTER TABLE plan ENABLE TRIGGER ALL",
    )
    house.written()
    with desk(house.engine, house.creditor_id, "maritNL1", DAY, NOW) as at:
        answer(at, offered.plan_no)
    assert send(house).plain() == {"email": {"cancelled": 1}}
    assert house.rows("SELECT state, reason FROM action") == [{"state": "cancelled", "reason": "stopped"}]


def test_what_is_recorded_stops_messages_that_were_marked_ahead(house: House) -> None:
    """Each mail takes longer than a mark is good for; those that wait are marked when the holds are set."""
    house.customers(8)
    house.written()
    mail = house.engine.mail
    assert isinstance(mail, SmtpMail)
    assert mail.sink is not None
    mail.sink.plan_faults([Fault(at="content", delay=2 * GOOD_FOR)])
    mail.sink.port()
    house.engine.mail = SmtpMail(mail.sink, connections=1)
    sending = threading.Thread(target=send, args=(house,))
    sending.start()
    wait_until(lambda: any(b"begun" in path.read_bytes() for path in house.engine.workspace.deliveries.glob("*")))
    wait_until(lambda: states(house)["sending"] >= 2)
    with desk(house.engine, house.creditor_id, "maritNL1", DAY, NOW) as at:
        for account in house.accounts:
            case = at.session.get_one(Case, account.case_id)
            set_hold(at, case, HoldReason.COMPLAINT, DAY + timedelta(days=5), "wrong goods", source="person")
    sending.join(PATIENCE)
    assert Counter((row["state"], row["tries"]) for row in messages(house)) == {("sent", 1): 1, ("cancelled", 0): 7}
    assert len(in_sink(house)) == 1
