"""An address that is refused at sending is known as one whose message bounced: what follows is the same."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connectors.faults import Fault, plan_faults
from connectors.mail.smtp import SmtpMail
from connectors.outcome import Failed
from maatpak.kernel.words import EvidenceKind, ReachState
from tasks.desk import desk
from tasks.evidence import note_evidence
from tasks.send.journal import Journal
from tests.tasks.outbox_world import DAY, NOW, House
from tests.tasks.send.sending import faulty, in_sink, messages, run_sql, send, states

NO_SUCH_USER = Fault("k-1001", reply="550 5.1.1 <k-1001@klant.example>: no such user")


def learned(house: House) -> dict[str, Any]:
    """What was learned, whoever told it."""
    return {
        "address": house.rows("SELECT debtor_id, channel, address, state FROM address_state WHERE replaced_at IS NULL"),
        "repairs": house.rows(
            "SELECT debtor_id, case_id, channel, subject, role, due_on FROM work_task WHERE kind = 'repair'"
        ),
        "events": house.rows(
            "SELECT kind, actor, debtor_id, case_id, body::json->>'learned' AS learned, body::json->>'state' AS state"
            " FROM event WHERE kind = 'address_marked'"
        ),
    }


def refused(house: House) -> None:
    faulty(house, NO_SUCH_USER)
    send(house)


def bounced(house: House) -> None:
    send(house)
    with desk(house.engine, house.creditor_id, None, DAY, NOW) as at:
        note_evidence(at, messages(house)[0]["message_ref"], EvidenceKind.BOUNCED, "mailbox")


def killed(house: House) -> None:
    """The worker was told, and killed before it recorded that."""
    journal = Journal(house.engine.workspace.deliveries, house.creditor_id, DAY, "killed")
    until = "clock_timestamp() + interval '5 minutes'"
    run_sql(
        house,
        f"UPDATE message SET state = 'sending', leased_by = '{journal.writer}', leased_until = {until}, tries = 1",
    )
    (row,) = messages(house)
    journal.begin(row["id"])
    journal.end(row["id"], Failed(NO_SUCH_USER.reply, permanent=True, address=ReachState.DEAD))
    journal.close(settled=False)
    send(house)
    send(house)


@pytest.mark.parametrize("told", [refused, bounced, killed])
def test_an_address_that_is_gone_is_marked_once_and_looked_for(house: House, told: Callable[[House], None]) -> None:
    account = house.customer()
    house.written()
    told(house)
    whose = {"debtor_id": account.debtor_id, "case_id": account.case_id}
    found = learned(house)
    (repair,) = found["repairs"]
    assert (repair["debtor_id"], repair["channel"], repair["role"]) == (account.debtor_id, "email", "operator")
    assert found["address"] == [
        {"debtor_id": account.debtor_id, "channel": "email", "address": "k-1001@klant.example", "state": "dead"}
    ]
    assert found["events"] == [
        {"kind": "address_marked", "actor": "engine", **whose, "learned": "gone", "state": "dead"}
    ]


@pytest.mark.parametrize(
    ("reply", "state", "cause", "repairs"),
    [("400 21211", "dead", "400 21211", 1), ("400 21610", "opted_out", "400 21610", 0), ("400 21617", None, "", 0)],
)
def test_a_number_that_is_refused(house: House, reply: str, state: str | None, cause: str, repairs: int) -> None:
    house.customer("second_text", kind="consumer", amounts=(9900,))
    house.written()
    plan_faults(house.engine.workspace.sinks / "sms", [Fault(reply=reply)])
    assert send(house).plain() == {"sms": {"failed": 1}}
    known = house.rows("SELECT state, cause FROM address_state")
    assert known == ([{"state": state, "cause": cause}] if state else [])
    assert len(learned(house)["repairs"]) == repairs
    assert states(house, "action") == {"failed": 1}


def test_a_mailbox_that_is_full_is_a_miss_once_the_mail_is_given_up(house: House) -> None:
    house.customer()
    house.written()
    faulty(house, Fault(reply="452 4.2.2 mailbox full"))
    known = "SELECT state, missed, cause FROM address_state"
    send(house)
    assert (states(house), house.rows(known)) == ({"queued": 1}, []), "it may have room later"
    run_sql(house, f"UPDATE message SET send_after = NULL, first_tried_at = '{NOW - timedelta(days=3)}'")
    send(house)
    assert house.rows(known) == [{"state": "unproven", "missed": 1, "cause": "452 4.2.2"}]


def test_nothing_else_goes_to_an_address_that_was_refused(house: House) -> None:
    """Both were claimed, and the second may be marked already when the first is refused."""
    account = house.customer("debit_note")
    house.customer(amounts=(9900,), currency="GBP", account=account)
    house.customer()
    house.written()
    faulty(house, NO_SUCH_USER)
    mail = house.engine.mail
    assert isinstance(mail, SmtpMail)
    assert mail.sink is not None
    house.engine.mail = SmtpMail(mail.sink, connections=1)
    assert send(house).plain() == {"email": {"failed": 1, "cancelled": 1, "sent": 1}}
    ended = house.rows("SELECT state, reason FROM action ORDER BY state")
    assert ended == [
        {"state": "cancelled", "reason": "no_address"},
        {"state": "executed", "reason": None},
        {"state": "failed", "reason": None},
    ]
    assert len(in_sink(house)) == 1
    assert len(learned(house)["repairs"]) == 1
