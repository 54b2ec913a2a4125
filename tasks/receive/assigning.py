"""What came in and nobody knows whose it is: a person says, or that it is nobody's."""

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, select

from connectors.inbox.reading import read_mail
from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import Channel
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.tables import Answer, Incoming
from tasks.answers import record_answer
from tasks.desk import Desk, acting_person
from tasks.receive.arriving import DROPPED, TAKEN, UNASSIGNED
from tasks.rights import DESK

if TYPE_CHECKING:
    from tasks.engine import Engine

FIRST_WORDS = 200
NUMBER = re.compile(r"[Ii]?(\d{1,18})")
"""Of a mail or text that came in: `I7`, or 7. Nothing has more digits, and the database knows none."""


def list_incoming(engine: "Engine", most: int | None = None) -> list[dict[str, Any]]:
    """What waits for somebody who knows whose it is, oldest first."""
    with engine.database.reading() as session:
        rows = session.exec(
            select(Incoming).where(Incoming.state == UNASSIGNED).order_by(col(Incoming.id)).limit(most)
        ).all()
    return [_shown(engine, row) for row in rows]


def assign_incoming(desk: Desk, number: str, case_id: int) -> Answer:
    """It is this case's customer who wrote.

    Raises:
        UsageError: nothing of that number waits.
    """
    desk.require("say whose a message is", *DESK)
    case = desk.case(case_id)
    row = _waiting(desk.session, number)
    row.state, row.creditor_id, row.debtor_id = TAKEN, case.creditor_id, case.debtor_id
    row.ended_by = desk.person.login
    words = _words(desk.engine, row)
    desk.record("incoming_assigned", case=case, incoming=number)
    return record_answer(desk, case, Channel(row.channel), answer_no=number, content=words.encode() or b" ")


def drop_incoming(engine: "Engine", number: str, actor: str, as_of: date, now: datetime) -> None:
    """It is nobody's: an advertisement, say.

    Raises:
        UsageError: nothing of that number waits.
    """
    with engine.database.session() as session:
        person = acting_person(session, actor, "drop a message", *DESK)
        row = _waiting(session, number)
        row.state, row.ended_by = DROPPED, person.login
        draft = EventDraft("incoming_dropped", person.login, business_date=as_of, body={"incoming": number})
        append_events(session, [draft], now)
    engine.anchor()


def _waiting(session: Session, number: str) -> Incoming:
    named = NUMBER.fullmatch(number.strip())
    row = session.get(Incoming, int(named[1]), with_for_update=True) if named else None
    if row is None or row.state != UNASSIGNED:
        raise UsageError(f"Nothing waits under {number!r}.", advice="`maatpak messages incoming` shows what does.")
    return row


def _words(engine: "Engine", row: Incoming) -> str:
    content = engine.store.get(row.content)
    return read_mail(content).text if row.channel == Channel.EMAIL else content.decode(errors="replace")


def _shown(engine: "Engine", row: Incoming) -> dict[str, Any]:
    mail = read_mail(engine.store.get(row.content)) if row.channel == Channel.EMAIL else None
    return {
        "incoming_no": f"I{row.id}",
        "channel": row.channel,
        "kind": row.kind,
        "received_at": row.received_at,
        "sender": mail.sender if mail is not None else row.sender,
        "subject": mail.subject if mail is not None else None,
        "text": _words(engine, row)[:FIRST_WORDS],
    }
