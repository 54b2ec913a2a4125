"""A refusal at sending says the same of an address as a bounce that comes back, and what follows is decided there."""

import re
from datetime import datetime
from typing import TYPE_CHECKING

from maatpak.ledger.audit import append_events
from maatpak.ledger.locks import lock_creditor
from maatpak.ledger.tables import Creditor, Message
from tasks.desk import desk_in
from tasks.evidence import learn_of_address
from tasks.send.recording import Record
from tasks.send.reporting import CODE

if TYPE_CHECKING:
    from tasks.engine import Engine


def record_refusal(engine: "Engine", creditor_id: int, message_id: int, record: Record, now: datetime) -> None:
    """Record that a message failed, and what its service said of the address (`record.learned`), in one transaction.

    A message whose failure is recorded already is left alone, so what was learned is put on record once, also after a
    kill.
    """
    assert record.learned is not None
    with engine.database.session() as session:
        lock_creditor(session, creditor_id, shared=True)
        as_of = session.get_one(Creditor, creditor_id).business_date
        assert as_of is not None  # nothing is sent before the first day
        desk = desk_in(session, engine, creditor_id, None, as_of, now)
        message = session.get_one(Message, message_id)
        case = desk.case(message.case_id)
        if session.connection().exec_driver_sql(record.statements, dict(record.values)).rowcount:
            words = str(record.values["why"])
            said = re.search(CODE, words)
            learn_of_address(desk, case, message, record.learned, said[1] if said else words)
        append_events(session, desk.drafts, desk.now)
    engine.anchor()
