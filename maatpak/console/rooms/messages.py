"""Messages: what was written to whom, word for word, and what came back of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from connectors.message import Outgoing
from maatpak.console.frame.asking import Acting, Asking
from maatpak.console.frame.declared import (
    Act,
    Choice,
    Column,
    Content,
    Done,
    Filter,
    Listing,
    Paper,
    Room,
    Shape,
    Sheet,
    one_of,
)
from maatpak.console.frame.fields import Line, as_words, named
from maatpak.console.frame.problems import missing
from maatpak.console.rooms.whose import customer_of, named_by
from maatpak.kernel.words import LOST_EVIDENCE, STRONG_EVIDENCE, Channel, EvidenceKind, MessageState
from maatpak.ledger.tables import Message
from tasks.evidence import TOLD_BY_PEOPLE, note_evidence, weight_of
from tasks.rights import DESK
from tasks.written import way_of

PATH = "/messages"
ONE = PATH + "/{message_id}"
OBSERVED = """(SELECT string_agg(DISTINCT e.kind, ', ' ORDER BY e.kind) FROM evidence e WHERE e.message_id = m.id)"""

OF_MESSAGE = customer_of("m.debtor_id", "m.creditor_id")
MESSAGE = f"""
SELECT m.*, d.debtor_no, COALESCE(p.name, d.debtor_no) AS name, c.code AS creditor, c.time_zone, k.currency
FROM message m {" ".join(OF_MESSAGE)} JOIN "case" k ON k.id = m.case_id WHERE m.id = :id
"""  # noqa: S608 - our own words
EVIDENCE = """
SELECT kind, source, said, observed_on, recorded_at FROM evidence WHERE message_id = :id ORDER BY observed_on, id
"""
SERVES = """
SELECT a.id AS action_id, a.case_id, a.step, a.segment, a.state, a.amount, k.currency
FROM message_action s JOIN action a ON a.id = s.action_id JOIN "case" k ON k.id = a.case_id
WHERE s.message_id = :id ORDER BY a.id
"""
ANSWERS = """
SELECT answer_no, channel, received_on, read_on FROM answer
WHERE message_id = :id AND debtor_id = :debtor AND replaced_at IS NULL ORDER BY received_on, id
"""

SEEN = "EXISTS (SELECT FROM evidence e WHERE e.message_id = m.id AND e.kind IN ({kinds}))"


def _listed(kinds: Iterable[str]) -> str:
    return ", ".join(f"'{kind}'" for kind in sorted(kinds))


LIST = Listing(
    path=PATH,
    title="Messages",
    help="Every mail, text and letter, the newest first: how it went, and what came back of it.",
    source="message m",
    beside=OF_MESSAGE,
    columns=(
        *named_by(),
        Column("business_date", "Date", "m.business_date", Shape.DATE, sorts=True),
        Column("template", "Message", "m.template", Shape.CODE, link=ONE),
        Column("channel", "Channel", "m.channel", Shape.CODE),
        Column("subject", "Subject", "m.subject"),
        Column("state", "State", "m.state", Shape.CODE),
        Column("sent_on", "Sent", "m.sent_on", Shape.DATE),
        Column("evidence", "Came back", OBSERVED, Shape.CODE),
        Column("failure", "Failure", "m.failure", Shape.CODE),
        Column("recipient", "To", "m.recipient", shown=False),
        Column("language", "Language", "m.language", shown=False),
        Column("message_ref", "Reference", "m.message_ref", shown=False),
        Column("case_id", "Case", "m.case_id", Shape.NUMBER, shown=False),
        Column("message_id", "Message number", "m.id", Shape.NUMBER, shown=False),
    ),
    key="m.id",
    order="-business_date",
    creditor="m.creditor_id",
    filters=(
        Filter("state", "State", "m.state = :value", choices=named(MessageState)),
        Filter("channel", "Channel", "m.channel = :value", choices=named(Channel)),
        Filter("template", "Message", "m.template = :value"),
        Filter("since", "From", "m.business_date >= :value", Shape.DATE),
        Filter("until", "To", "m.business_date <= :value", Shape.DATE),
        Filter("case", "Case number", "m.case_id = :value", Shape.NUMBER),
        one_of("lost", "Arrival", {
            "yes": ("Did not arrive", SEEN.format(kinds=_listed(LOST_EVIDENCE))),
            "known": ("Arrived for sure", SEEN.format(kinds=_listed(STRONG_EVIDENCE))),
        }),
    ),
    search="m.message_ref = :words OR m.recipient = :words",
    empty="No message fits.",
)  # fmt: skip


@dataclass(frozen=True)
class Observed:
    """Something that was observed of the message."""

    kind: str
    weight: str
    """`strong`: it was received; `lost`: it was not; `weak`: it may have been."""
    source: str
    said: str | None
    """Codes of the service."""
    observed_on: date
    recorded_at: datetime


@dataclass(frozen=True)
class Served:
    """A step that it was written for. The amount is minor units of `currency`."""

    action_id: int
    case_id: int
    step: str
    segment: str
    state: str
    amount: int
    currency: str


@dataclass(frozen=True)
class Answered:
    """An answer to it."""

    answer_no: str
    channel: str
    received_on: date
    read_on: date | None


@dataclass(frozen=True)
class Asked:
    """An item that it asks for, minor units of `currency`."""

    document_no: str
    asked: int
    currency: str


@dataclass(frozen=True)
class Enclosed:
    """A file that went along."""

    name: str
    media_type: str


@dataclass(frozen=True)
class Letter:
    """The message as it left, word for word."""

    sender: str
    recipient: str
    subject: str
    text: str
    written_at: datetime
    as_mail: bool
    """Whether it has the look of a mail (`/mail`)."""
    as_letter: bool
    """Whether it is set as a letter (`/letter.pdf`)."""
    items: list[Asked]
    enclosed: list[Enclosed]


@dataclass(frozen=True)
class MessageSheet:
    """One message and what became of it."""

    message_id: int
    message_ref: str
    case_id: int
    debtor_id: int
    debtor_no: str
    name: str
    creditor: str
    time_zone: str
    channel: str
    way: str
    """How it went, and why so."""
    recipient: str
    language: str
    template: str
    attempt: int
    state: str
    business_date: date
    queued_at: datetime
    send_after: datetime | None
    sent_at: datetime | None
    reply_by: date | None
    failure: str | None
    service_ref: str | None
    resolved_by: str | None
    content: str
    """Evidence key of its words; the name proves them."""
    evidence: list[Observed]
    serves: list[Served]
    answers: list[Answered]
    letter: Letter | None
    """None: its words are no longer kept."""


class Evidence(BaseModel):
    """What came back of a message."""

    kind: EvidenceKind
    source: Line = Field(min_length=1, description="Where that was seen or heard, such as the envelope or a call.")


def _row(asking: Asking, message_id: int) -> dict[str, Any]:
    asking.creditor_of("message_id", message_id)
    return asking.rows(MESSAGE, id=message_id)[0]


def _read(asking: Asking, message_id: int) -> MessageSheet:
    row = _row(asking, message_id)
    copied = {name: row[name] for name in MessageSheet.__dataclass_fields__ if name in row}
    return MessageSheet(
        **{**copied, "message_id": message_id},
        way=way_of(row),
        evidence=[Observed(**each, weight=weight_of(each["kind"])) for each in asking.rows(EVIDENCE, id=message_id)],
        serves=[Served(**each) for each in asking.rows(SERVES, id=message_id)],
        answers=[Answered(**each) for each in asking.rows(ANSWERS, id=message_id, debtor=row["debtor_id"])],
        letter=_letter(asking, row["content"]),
    )


def _letter(asking: Asking, key: str) -> Letter | None:
    kept = asking.kept(key)
    if kept is None:
        return None
    sent = Outgoing.from_json(kept)
    items = [Asked(each["document_no"], each["asked"], each["currency"]) for each in sent.items]
    to = ", ".join(sent.recipient.lines) or sent.recipient.email or sent.recipient.phone or ""
    return Letter(
        sender=sent.sender.name,
        recipient=f"{sent.recipient.name} · {to}" if not to.startswith(sent.recipient.name) else to,
        subject=sent.subject,
        text=sent.text,
        written_at=sent.written_at,
        as_mail=sent.html is not None,
        as_letter=sent.letter is not None,
        items=items,
        enclosed=[Enclosed(each.name, each.media_type) for each in sent.attachments],
    )


def _sent(asking: Asking, message_id: int) -> Outgoing:
    kept = asking.kept(_row(asking, message_id)["content"])
    if kept is None:
        raise missing("words of message", message_id)
    return Outgoing.from_json(kept)


def _mail(asking: Asking, message_id: int) -> Content:
    sent = _sent(asking, message_id)
    if sent.html is None:
        raise missing("mail of message", message_id)
    return Content(sent.html.encode(), "text/html; charset=utf-8")


def _pdf(asking: Asking, message_id: int) -> Content:
    from connectors.post.letters import letter_pdf

    sent = _sent(asking, message_id)
    if sent.letter is None:
        raise missing("letter of message", message_id)
    return Content(letter_pdf(sent), "application/pdf", f"letter-{message_id}.pdf")


def _enclosure(asking: Asking, message_id: int, number: str) -> Content:
    sent = _sent(asking, message_id)
    if number not in map(str, range(1, len(sent.attachments) + 1)):
        raise missing("enclosure", number)
    chosen = sent.attachments[int(number) - 1]
    kept = asking.kept(chosen.evidence)
    if kept is None:
        raise missing("enclosure", number)
    return Content(kept, chosen.media_type, chosen.name)


def _kinds(asking: Asking, **ids: int) -> dict[str, list[Choice]]:
    del asking, ids
    return {"kind": named(each for each in EvidenceKind if each in TOLD_BY_PEOPLE)}


def _note(acting: Acting, form: Evidence, message_id: int) -> Done:
    with acting.desk("message_id", message_id) as desk:
        reference = desk.session.get_one(Message, message_id).message_ref
        note_evidence(desk, reference, form.kind, form.source)
    return Done(f"Noted: {as_words(form.kind).lower()}.", f"{PATH}/{message_id}")


MESSAGES = Room(
    name="messages",
    title="Messages",
    path=PATH,
    listings=(LIST,),
    sheets=(
        Sheet(
            ONE,
            "Message",
            "A message as it was sent, why it went that way, and what came back of it.",
            MessageSheet,
            _read,
            "message.html",
        ),
    ),
    papers=(
        Paper(ONE + "/mail", "A mail as sent", "The mail's own page.", ("text/html",), _mail),
        Paper(ONE + "/letter.pdf", "A letter as sent", "The letter as PDF.", ("application/pdf",), _pdf),
        Paper(
            ONE + "/enclosures/{number}",
            "An enclosure",
            "A file that went along, by its place from 1 on.",
            ("application/pdf", "application/octet-stream"),
            _enclosure,
        ),
    ),
    acts=(
        Act(
            ONE + "/evidence",
            "Note what came back",
            "A letter that was returned makes its address dead; an answer or a receipt proves that it was received.",
            Evidence,
            _note,
            DESK,
            choices=_kinds,
        ),
    ),
)
