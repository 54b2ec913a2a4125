"""What Twilio calls back with: reports become evidence, STOP is obeyed, any other text is an answer."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import col, select

from connectors.sms.hooks import IncomingText, TextReport, Word
from maatpak.kernel.ids import content_hash
from maatpak.kernel.words import Channel, ReachState
from maatpak.ledger.tables import AddressState, Message
from policies.reach import Learned
from tasks.answers import record_answer
from tasks.desk import Desk
from tasks.preferences import mark_address, record_text_consent
from tasks.receive.arriving import Arrival, recorded
from tasks.receive.matching import Owner, owner_of_message, owners_of_number
from tasks.receive.observing import Observation, observe

if TYPE_CHECKING:
    from maatpak.ledger.tables import Case
    from tasks.engine import Engine

ASKED_FOR_IT = "texted STOP"
TOOK_IT_BACK = "texted START"


def record_text_report(engine: "Engine", report: TextReport, message_ref: str | None, now: datetime) -> bool:
    """What became of a text, by its reference or the service's number; whether it was news."""
    with engine.database.reading() as session:
        owner = owner_of_message(session, message_ref, report.service_ref)
    words = " ".join(str(part) for part in (report.error_code, report.state) if part)
    arrival = Arrival(
        key=content_hash(["text report", report.service_ref, report.state, report.error_code]),
        channel=Channel.SMS,
        kind="report",
        content=words.encode(),
        received_at=now,
    )
    with recorded(engine, arrival, owner, now) as taken:
        if taken is None:
            return False
        message = taken.desk.session.get_one(Message, taken.owner.message_id)
        observe(taken.desk, taken.case, message, Observation(report.evidence, report.address, words), taken.number)
    return True


def record_text(engine: "Engine", text: IncomingText, now: datetime) -> bool:
    """A customer's text, on every account that we text at its number; whether it was news.

    STOP and START are for all of them, and for those that we have not texted yet: the number is one person's, whatever
    they owe to whom.
    """
    for_all = text.word in (Word.STOP, Word.START)
    with engine.database.reading() as session:
        owners: list[Owner | None] = [*owners_of_number(session, text.sender, untexted=for_all)]
    news = False
    for owner in owners or [None]:
        arrival = Arrival(
            # An answer is one, also when it is told again after we texted another account of that number.
            key=content_hash(["text", text.service_ref, owner.case_id if owner is not None and for_all else None]),
            channel=Channel.SMS,
            kind=text.word or "answer",
            content=text.body.encode(),
            received_at=now,
            waits_for_a_person=True,
        )
        with recorded(engine, arrival, owner, now) as taken:
            if taken is not None:
                _put(taken.desk, taken.case, text, taken.number)
                news = True
        if not for_all:
            break  # Said once, it is answered once.
    return news


def _put(desk: Desk, case: "Case", text: IncomingText, number: str) -> None:
    opted_out = _opted_out(desk, case, text.sender)
    if text.word is Word.STOP:
        mark_address(desk, case, Channel.SMS, text.sender, Learned.OPTED_OUT, ASKED_FOR_IT)
        record_text_consent(desk, desk.debtor(case.debtor_id), text.sender, given=False, source=ASKED_FOR_IT)
    elif text.word is Word.START and opted_out:
        mark_address(desk, case, Channel.SMS, text.sender, Learned.OPTED_IN, TOOK_IT_BACK)
        record_text_consent(desk, desk.debtor(case.debtor_id), text.sender, given=True, source=TOOK_IT_BACK)
    else:
        record_answer(desk, case, Channel.SMS, answer_no=number, content=text.body.encode() or b" ")


def _opted_out(desk: Desk, case: "Case", number: str) -> bool:
    known = select(AddressState.id).where(
        AddressState.debtor_id == case.debtor_id,
        AddressState.channel == Channel.SMS,
        AddressState.address == number,
        AddressState.state == ReachState.OPTED_OUT,
        col(AddressState.replaced_at).is_(None),
    )
    return desk.session.exec(known).first() is not None
