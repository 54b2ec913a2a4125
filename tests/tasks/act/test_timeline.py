"""The way of an item from order to payment, as far as the data go (rule 29)."""

from datetime import date
from typing import Any

import pytest

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.words import EvidenceKind
from maatpak.ledger.tables import Message, WorkTask
from policies.reach import Learned
from tasks.evidence import note_evidence
from tasks.preferences import mark_address, set_preference
from tasks.revalidate import EVERYTHING_RECORDED
from tasks.timeline import timeline
from tasks.work import Outcome, finish_work
from tests.tasks.act.house import House
from tests.tasks.act.script import Script


def told(house: House, case_id: int, document: str) -> dict[str, Any]:
    with house.engine.database.frames(read_only=True) as frames:
        rows = timeline(house.engine, frames, case_id, house.day, EVERYTHING_RECORDED)
    (row,) = [row for row in rows if row["document_no"] == document]
    return row


@pytest.mark.parametrize(
    ("sending", "received", "receipt"),
    [
        ({}, None, None),
        ({"invoice_sent_on": -5, "invoice_channel": "email"}, -2, "presumed"),
        ({"invoice_sent_on": -3, "invoice_channel": "email"}, 0, "presumed"),
        ({"invoice_sent_on": -2, "invoice_channel": "email"}, None, None),
        ({"invoice_sent_on": -5, "invoice_channel": "post"}, None, None),
        ({"invoice_sent_on": -7, "invoice_channel": "post"}, 0, "presumed"),
        ({"ordered_on": -20, "delivered_on": -10, "approved_on": -1}, -1, "confirmed"),
        ({"delivered_on": 2, "approved_on": 3}, None, None),
    ],
)
def test_what_the_ledger_tells(
    house: House, sending: dict[str, Any], received: int | None, receipt: str | None
) -> None:
    def on(count: int) -> date:
        return add_working_days(house.day, count, "NL")

    case_id, due = house.debtor("T1"), on(15)
    sending = {name: on(told) if isinstance(told, int) else told for name, told in sending.items()}
    known = {name: told if told <= house.day else None for name, told in sending.items() if isinstance(told, date)}
    house.item(case_id, "T-1", 90_000, due, issued_on=on(-8), po_number="4500", **sending)
    assert told(house, case_id, "T-1") == {
        "item_id": house.items["T-1"],
        "document_no": "T-1",
        "order_no": "4500",
        "ordered_on": known.get("ordered_on"),
        "delivered_on": known.get("delivered_on"),
        "invoiced_on": on(-8),
        "sent_on": sending.get("invoice_sent_on"),
        "sent_by": sending.get("invoice_channel"),
        "sent_again_on": None,
        "received_on": None if received is None else on(received),
        "receipt": receipt,
        "approved_on": known.get("approved_on"),
        "due_on": due,
        "asked_on": None,
        "last_asked": None,
        "paid_on": None,
    }


def test_an_invoice_that_came_back_was_not_received(house: House) -> None:
    case_id = house.debtor("T1")
    due = add_working_days(house.day, 15, "NL")
    house.item(case_id, "T-1", 90_000, due, invoice_sent_on=house.day, invoice_channel="E-mail")
    with house.desk("olga") as desk:
        mark_address(desk, desk.case(case_id), "email", "T1@example.test", Learned.GONE, "bounced")
    assert told(house, case_id, "T-1")["receipt"] == "came back"


def test_what_we_did_and_the_money(house: House, case_id: int) -> None:
    script = Script(house, calling=False)
    script.until("reminder")
    asked_on = house.day
    message = house.row(Message, case_id=case_id)
    script.day()
    with house.desk("olga", 13) as desk:
        note_evidence(desk, message.message_ref, EvidenceKind.ANSWERED, "mail")
    answered_on = house.day
    house.pay("F1", house.day)
    row = told(house, case_id, "F1")
    assert (row["asked_on"], row["received_on"], row["receipt"]) == (asked_on, answered_on, "confirmed")
    assert (row["paid_on"], told(house, case_id, "F2")["paid_on"]) == (answered_on, None)


def test_an_upload_is_a_receipt(house: House) -> None:
    known: dict[str, Any] = {"invoice_sent_on": date(2026, 1, 5), "invoice_channel": "email"}
    case_id = house.debtor("T1")
    with house.desk("olga", 7) as desk:
        set_preference(desk, desk.debtor(desk.case(case_id).debtor_id), "portal", "Ariba")
    house.item(case_id, "T-1", 90_000, add_working_days(house.day, 9, "NL"), **known)
    assert told(house, case_id, "T-1")["receipt"] is None, "a mail is not where they look"
    Script(house, calling=False).day()
    with house.desk("olga", 15) as desk:
        finish_work(desk, int(house.row(WorkTask, case_id=case_id).id or 0), Outcome("done"))
    row = told(house, case_id, "T-1")
    assert (row["sent_again_on"], row["received_on"], row["receipt"]) == (house.day, house.day, "confirmed")
