"""What the post tells of letters: printed, handed over, delivered, returned; each counts from the day it happened."""

import asyncio
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session, col, func, select

from connectors.post.port import LetterReport, LetterState
from maatpak.kernel.errors import UsageError
from maatpak.kernel.ids import content_hash
from maatpak.kernel.words import Channel, EvidenceKind, ReachState
from maatpak.ledger.tables import Creditor, Incoming, Message
from tasks.receive.arriving import Arrival, recorded
from tasks.receive.matching import owner_of_message
from tasks.receive.observing import Observation, observe
from tasks.receive.summary import ReceivedSummary

if TYPE_CHECKING:
    from tasks.engine import Engine

NEWS = "news of letters"
"""As what they are counted."""
LONGEST_WAY = timedelta(days=60)
"""After that nothing more is expected of a letter."""
LATE_NEWS = timedelta(days=3)
"""So much later a report may reach us than the day that it tells of."""

MEANING: dict[LetterState, tuple[EvidenceKind, ReachState | None]] = {
    LetterState.PRINTED: (EvidenceKind.PRINTED, None),
    LetterState.HANDED_OVER: (EvidenceKind.HANDED_OVER, None),
    LetterState.DELIVERED: (EvidenceKind.DELIVERED, None),
    LetterState.UNDELIVERABLE: (EvidenceKind.RETURNED, ReachState.DEAD),
    LetterState.RETURNED: (EvidenceKind.RETURNED, ReachState.DEAD),
    LetterState.FAILED: (EvidenceKind.BOUNCED, None),
}
"""What it is evidence of, and what it says of the address where it did not arrive."""


def read_letter_reports(engine: "Engine", now: datetime, flow_run: str | None = None) -> ReceivedSummary:
    """Ask the post what became of letters, and count the reports that were news.

    One that cannot be taken in holds up no other, and is told again the next time.

    Raises:
        TransientError: the service cannot be asked now.
    """
    summary = ReceivedSummary()
    with engine.database.reading() as session:
        sent = select(Message).where(Message.channel == Channel.POST, col(Message.sent_on).is_not(None))
        if session.exec(sent.limit(1)).first() is None:
            return summary
        since = max(now.date() - LONGEST_WAY, _heard_until(session, now) - LATE_NEWS)
    told = asyncio.run(_reports(engine, since))
    for error in (each for each in told if isinstance(each, UsageError)):
        with summary.leaving_failures(engine):
            raise error
    reports = {_key(each): each for each in told if isinstance(each, LetterReport)}
    with engine.database.reading() as session:
        known = session.exec(select(Incoming.incoming_key).where(col(Incoming.incoming_key).in_(reports))).all()
    for report in (each for key, each in reports.items() if key not in set(known)):
        with summary.leaving_failures(engine):
            summary.counts[NEWS] += record_letter_report(engine, report, now, flow_run)
    return summary


def record_letter_report(engine: "Engine", report: LetterReport, now: datetime, flow_run: str | None = None) -> bool:
    """What became of a letter, by the service's number; whether it was news. It is never older than the letter.

    Raises:
        UsageError: somebody wrote down a day before the letter was sent.
    """
    with engine.database.reading() as session:
        owner = owner_of_message(session, None, report.service_ref)
        message = None if owner is None else session.get_one(Message, owner.message_id)
    if owner is None or message is None:
        return False  # Perhaps not yet: our own record of sending may come after it, and the next look is told again.
    sent_on = message.sent_on or date.min
    if report.by_hand and report.on < sent_on:
        raise UsageError(
            f"{report.code} says {report.state} on {report.on}; letter {message.message_ref} was sent on {sent_on}.",
            advice="Correct the day; nothing is noted of that letter before.",
        )
    arrival = Arrival(
        key=_key(report),
        channel=Channel.POST,
        kind="report",
        content=f"{report.state} {report.on.isoformat()} {report.code}".encode(),
        received_at=now,
    )
    with recorded(engine, arrival, owner, now, flow_run) as taken:
        if taken is None:
            return False
        kind, address = MEANING[report.state]
        words = report.code if report.code == report.state else f"{report.code} {report.state}"
        message = taken.desk.session.get_one(Message, taken.owner.message_id)
        on = max(min(report.on, taken.desk.as_of), sent_on)  # A service's clock may be in another time zone.
        observe(taken.desk, taken.case, message, Observation(kind, address, words, on), taken.number)
    return True


def _key(report: LetterReport) -> str:
    return content_hash(["letter report", report.service_ref, report.state, report.on.isoformat()])


def _heard_until(session: Session, now: datetime) -> date:
    """The day up to which we surely heard everything: a creditor that is caught up waits for what was told long ago."""
    told = select(func.max(Incoming.received_at)).where(Incoming.channel == Channel.POST, Incoming.kind == "report")
    last = session.execute(told).scalar_one()
    behind = session.execute(select(func.min(Creditor.business_date))).scalar_one()
    return now.date() - LONGEST_WAY if last is None else min(last.date(), behind or last.date())


async def _reports(engine: "Engine", since: date) -> list[LetterReport | UsageError]:
    try:
        return list(await engine.post.reports(since))
    finally:
        await engine.post.close()
