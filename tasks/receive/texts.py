"""What Twilio calls back with: reports become evidence, STOP is obeyed, any other text is an answer."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from connectors.sms.hooks import IncomingText, TextReport, Word, read_word
from maatpak.kernel.ids import content_hash
from maatpak.kernel.words import Channel
from maatpak.ledger.tables import Incoming, Message
from policies.reach import Learned
from tasks.answers import record_answer
from tasks.desk import Desk
from tasks.preferences import mark_address, record_text_consent
from tasks.receive.arriving import Arrival, is_known, recorded
from tasks.receive.matching import Owner, owner_of_message, owners_of_number, owners_who_stopped
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
    """A customer's text, on the account that we last texted at its number; whether it was news.

    STOP is for every account with that number, also for those that we have not texted yet, and START for all that
    stopped: the number is one person's, whatever they owe to whom. Both hold for a number that is nobody's so far.
    """
    with engine.database.reading() as session:
        if is_known(session, _key(text)):
            return False
        word = _word(session, text)
        owners = _owners(session, text.sender, word)
    for number, owner in enumerate(owners, 1):
        arrival = Arrival(
            # The last one has the text's own, so that one that was broken off goes on and one that is done does not.
            key=_key(text, owner if number < len(owners) else None),
            channel=Channel.SMS,
            kind=word or "answer",
            content=text.body.encode(),
            received_at=now,
            waits_for_a_person=word not in (Word.STOP, Word.START),
            sender=text.sender,
        )
        with recorded(engine, arrival, owner, now) as taken:
            if taken is not None:
                _put(taken.desk, taken.case, text, word, taken.number)
    return True


def _key(text: IncomingText, owner: Owner | None = None) -> str:
    return content_hash(["text", text.service_ref, owner.case_id if owner is not None else None])


def _word(session: Session, text: IncomingText) -> Word | None:
    """What it asks for. Who has not stopped may have meant something else that the service takes for a START: yes."""
    if text.word is not Word.START or _last_word(session, text.sender) == Word.STOP:
        return text.word
    return text.word if owners_who_stopped(session, text.sender) else read_word(text.body)


def _last_word(session: Session, number: str) -> str | None:
    """The last STOP or START of a number, whosever it was."""
    words = select(Incoming.kind).where(Incoming.sender == number, col(Incoming.kind).in_([Word.STOP, Word.START]))
    return session.exec(words.order_by(col(Incoming.id).desc()).limit(1)).first()


def _owners(session: Session, number: str, word: Word | None) -> list[Owner | None]:
    """On whose accounts it is put; nobody's, where it is none's."""
    found = owners_who_stopped(session, number) if word is Word.START else []
    if not found and word is not Word.STOP:
        found = owners_of_number(session, number)[:1]  # Said once, it is answered once.
    if not found:
        known = owners_of_number(session, number, untexted=True)
        # An answer of one of several whom we never texted is for a person to place.
        found = known if word is Word.STOP or len(known) == 1 else known[:1] if word is Word.START else []
    return [*found] or [None]


def _put(desk: Desk, case: "Case", text: IncomingText, word: Word | None, number: str) -> None:
    if word is Word.STOP:
        mark_address(desk, case, Channel.SMS, text.sender, Learned.OPTED_OUT, ASKED_FOR_IT)
        record_text_consent(desk, desk.debtor(case.debtor_id), text.sender, given=False, source=ASKED_FOR_IT)
    elif word is not Word.START:
        record_answer(desk, case, Channel.SMS, answer_no=number, content=text.body.encode() or b" ")
    elif mark_address(desk, case, Channel.SMS, text.sender, Learned.OPTED_IN, TOOK_IT_BACK) is None:
        desk.record("start_noted", case=case, incoming=number)
    else:
        record_text_consent(desk, desk.debtor(case.debtor_id), text.sender, given=True, source=TOOK_IT_BACK)
