"""The mailbox: each mail is read, put where it belongs in one transaction, and only then filed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from connectors.inbox.incoming import Action, IncomingKind, Result, said_of_address
from connectors.inbox.incoming import Incoming as Mail
from connectors.inbox.port import Arrived
from connectors.inbox.reading import read_mail
from connectors.mail import return_path
from maatpak.kernel.ids import bytes_hash, content_hash
from maatpak.kernel.words import Channel, EvidenceKind, ReachState, Role, WorkKind
from maatpak.ledger.tables import Case, Message
from tasks.answers import record_answer
from tasks.desk import Desk
from tasks.preferences import opt_out_address
from tasks.receive.arriving import Arrival, recorded
from tasks.receive.matching import Owner, owner_of_mail
from tasks.receive.observing import Observation, observe, settle_unknown
from tasks.receive.senders import is_of_customer
from tasks.receive.summary import ReceivedSummary
from tasks.worklist import open_work

if TYPE_CHECKING:
    from tasks.engine import Engine

SPAM = "Our mail was called spam: is the customer to be reached in another way?"
COMPLAINT_WITHIN = 2
WAITS_FOR_A_PERSON = frozenset({IncomingKind.ANSWER, IncomingKind.COMPLAINT})


def read_mailbox(engine: "Engine", now: datetime, flow_run: str | None = None) -> ReceivedSummary:
    """Take in what lies in the mailbox. Read again, or by two at once, each mail has its effect once.

    One that cannot be taken in or filed is left where it lies, and tried again the next time.

    Raises:
        OutsideError, WorkspaceError: the mailbox cannot be read.
    """
    summary = ReceivedSummary()
    try:
        for arrived in engine.mailbox.arrived():
            with summary.leaving_failures(engine):
                if arrived.error is not None:
                    raise arrived.error
                _take(engine, arrived, now, flow_run, summary)
                engine.mailbox.file(arrived)
    finally:
        engine.mailbox.close()
    return summary


def _take(engine: "Engine", arrived: Arrived, now: datetime, flow_run: str | None, summary: ReceivedSummary) -> None:
    mail = read_mail(arrived.content)
    with engine.database.reading() as session:
        owner = owner_of_mail(session, return_path(engine.settings, engine.link_key), mail)
    if owner is not None and owner.by_return_path and mail.kind is IncomingKind.ANSWER:
        mail = replace(mail, kind=IncomingKind.AUTO_REPLY)  # People answer to the address that they see.
    arrival = Arrival(
        key=_key(mail, arrived.content),
        channel=Channel.EMAIL,
        kind=mail.kind,
        content=arrived.content,
        received_at=mail.received_at or now,
        waits_for_a_person=mail.kind in WAITS_FOR_A_PERSON,
    )
    with recorded(engine, arrival, owner, now, flow_run) as taken:
        if taken is not None:
            _put(taken.desk, taken.case, taken.owner, mail, taken.number)
    summary.counts[str(mail.kind)] += 1
    summary.unassigned += owner is None and arrival.waits_for_a_person


def _key(mail: Mail, content: bytes) -> str:
    """The same for a mail that is fetched again, by another way with other traces of servers, and for no other mail:
    Message-IDs can be used again, with other words.
    """
    body = content.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")[2].strip()
    said = [mail.message_id, mail.sender, mail.subject, bytes_hash(body)] if mail.message_id else [bytes_hash(content)]
    return content_hash(["mail", said, sorted(mail.envelope_to)])


def _put(desk: Desk, case: Case, owner: Owner, mail: Mail, number: str) -> None:
    """What a mail means for its case; `number` is ours for it."""
    message = desk.session.get(Message, owner.message_id) if owner.message_id is not None else None
    believed = message is not None and (owner.by_return_path or is_of_customer(desk, message, mail.sender))
    if message is not None and believed:
        settle_unknown(desk, message, mail.kind, number)
    match mail.kind:
        case IncomingKind.REPORT:
            if message is not None:
                for seen in _observations(mail.results, message.recipient.lower()):
                    observe(desk, case, message, seen, number)
        case IncomingKind.COMPLAINT:
            # Who only names a message may be anybody, so that somebody is to decide about the address, too.
            if message is not None and owner.by_return_path:
                opt_out_address(desk, case, Channel.EMAIL, message.recipient, "called it spam")
            open_work(desk, case, WorkKind.REPLY, SPAM, Role.COLLECTOR, working_days=COMPLAINT_WITHIN, record_no=number)
        case IncomingKind.ANSWER:
            # Of anybody else a person is to say what it proves.
            record_answer(
                desk,
                case,
                Channel.EMAIL,
                answer_no=number,
                message_ref=message.message_ref if message is not None and believed else None,
                content=mail.text.encode() or b" ",
            )
        case IncomingKind.AUTO_REPLY:
            desk.record("automatic_reply", case=case, incoming=number, message=owner.message_id)


def _observations(results: Sequence[Result], recipient: str) -> list[Observation]:
    """What a report says of the message to a recipient: by what it says of them, or of nobody by name.

    If it names others only, the message was sent on, perhaps by the customer: it did not arrive, but theirs is the
    address that is gone, so that ours is doubtful at most; and what arrived did not arrive at ours.
    """
    ours = [_observed(each) for each in results if each.recipient in ("", recipient)]
    if ours:
        return ours
    others = [_observed(each) for each in results if each.action is Action.FAILED]
    return [replace(each, address=each.address and ReachState.DOUBTFUL) for each in others]


def _observed(result: Result) -> Observation:
    """What a report on one recipient says of the message and of the address."""
    words = " ".join(filter(None, (str(result.reply_code or ""), result.status, str(result.reason))))
    match result.action:
        case Action.DELIVERED:
            return Observation(EvidenceKind.DELIVERED, None, words)
        case Action.FAILED:
            return Observation(EvidenceKind.BOUNCED, said_of_address(result.reason, hard=result.hard), words)
        case Action.RELAYED | Action.EXPANDED | Action.DELAYED:
            return Observation(None, None, words)
