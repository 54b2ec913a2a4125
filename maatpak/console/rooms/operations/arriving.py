"""What came in or may have gone out, and needs a person: unknown messages, nobody's mail, answers, lost addresses."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, Field

from connectors.inbox.reading import read_mail
from maatpak.console.frame.asking import Acting, Asking
from maatpak.console.frame.declared import Act, Choice, Column, Done, Filter, Listing, Shape, Sheet
from maatpak.console.frame.fields import Line, NoFields, Reason, named
from maatpak.console.frame.problems import missing
from maatpak.console.rooms.whose import customer_of, named_by
from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import Channel
from maatpak.ledger.tables import Message
from tasks.finding import find_case
from tasks.receive.assigning import assign_incoming, drop_incoming
from tasks.rights import DESK
from tasks.send import report_outcomes
from tasks.send.resolving import Resolution, resolve_message
from tasks.send.withdrawing import cancel_message

ANSWERS, ADDRESSES, INCOMING = "/answers", "/addresses", "/incoming"
UNKNOWN = "/messages/unknown"
MESSAGE = "/messages/{message_id}"
ONE = INCOMING + "/{incoming_id}"
LOST = ("dead", "doubtful")
REPAIR = """(SELECT min(w.id) FROM work_task w
  WHERE w.debtor_id = s.debtor_id AND w.kind = 'repair' AND w.state = 'open'
    AND (w.channel IS NULL OR w.channel = CASE s.channel WHEN 'sms' THEN 'phone' ELSE s.channel END))"""
"""The open work of whoever looks for another address."""
CHANNELS = named(Channel)
ARRIVED = "SELECT id, channel, kind, sender, content, received_at FROM incoming WHERE id = :id AND state = 'unassigned'"


class Found(BaseModel):
    """What somebody found out about a message."""

    outcome: Resolution = Field(title="It was", description="Sent: it left, or arrived. Failed: it did not leave.")
    reason: Reason


class Whose(BaseModel):
    """The customer who wrote."""

    debtor_no: Line = Field(title="Customer number", min_length=1)
    creditor: Line | None = Field(None, title="Of", description="Needed where you work for several creditors.")
    currency: Line | None = Field(None, description="Needed where the customer has cases in several, such as EUR.")


@dataclass(frozen=True)
class IncomingSheet:
    """A mail or text that nobody knows the owner of."""

    incoming_id: int
    number: str
    """Ours for it, such as I7."""
    channel: str
    kind: str
    """What it was taken for."""
    sender: str
    subject: str
    text: str | None
    """None: it is no longer kept."""
    received_at: datetime


def read_incoming(asking: Asking, incoming_id: int) -> IncomingSheet:
    """One of them, with its words."""
    found = asking.rows(ARRIVED, id=incoming_id)
    if not found:
        raise missing("incoming_id", incoming_id)
    row = found[0]
    sender, subject, text = row["sender"] or "", "", None
    content = asking.kept(row["content"])
    if content is not None and row["channel"] == Channel.EMAIL:
        mail = read_mail(content)
        sender, subject, text = mail.sender, mail.subject, mail.text
    elif content is not None:
        text = content.decode(errors="replace")
    told = {name: row[name] for name in ("channel", "kind", "received_at")}
    return IncomingSheet(incoming_id, f"I{incoming_id}", sender=sender, subject=subject, text=text, **told)


def _creditors(asking: Asking, **ids: int) -> dict[str, list[Choice]]:
    del ids
    return {"creditor": [Choice(each.code, each.name) for each in asking.visitor.creditors]}


def _assign(acting: Acting, form: Whose, incoming_id: int) -> Done:
    codes = [each.code for each in acting.visitor.creditors]
    code = form.creditor or (codes[0] if len(codes) == 1 else None)
    if code not in codes:
        raise UsageError("Whose customer is it?", advice=f"Choose one of {', '.join(codes)}.")
    account = find_case(acting.engine, form.debtor_no, code, form.currency)
    with acting.desk("case_id", account.the_case) as desk:
        answer = assign_incoming(desk, f"I{incoming_id}", account.the_case)
        told = f"It is answer {answer.answer_no} of {form.debtor_no} and waits to be read."
        return Done(told, ANSWERS, {"answer_no": answer.answer_no, "case_id": account.case_id})


def _drop(acting: Acting, form: NoFields, incoming_id: int) -> Done:
    del form
    drop_incoming(acting.engine, f"I{incoming_id}", acting.visitor.login, acting.now.date(), acting.now)
    return Done("It is nobody's.", INCOMING)


def _resolve(acting: Acting, form: Found, message_id: int) -> Done:
    with acting.desk("message_id", message_id) as desk:
        message = desk.session.get_one(Message, message_id)
        creditor_id = message.creditor_id
        resolve_message(desk, message.message_ref, form.outcome, form.reason)
    report_outcomes(acting.engine, creditor_id, desk.as_of, desk.now, acting.visitor.login)
    return Done(f"The message counts as {form.outcome}.", f"/messages/{message_id}", {"state": str(form.outcome)})


def _cancel(acting: Acting, form: NoFields, message_id: int) -> Done:
    del form
    with acting.desk("message_id", message_id) as desk:
        message = desk.session.get_one(Message, message_id)
        reference, creditor_id, as_of = message.message_ref, message.creditor_id, desk.as_of
    message = cancel_message(acting.engine, creditor_id, reference, acting.visitor.login, as_of, acting.now)
    became = "does not go" if message.state == "cancelled" else "is not printed"
    told = f"The message {became}. The next run looks at the case again: a hold keeps it from writing."
    return Done(told, f"/messages/{message_id}", {"state": message.state})


LISTINGS = (
    Listing(
        path=UNKNOWN,
        title="Unknown messages",
        help="Nobody knows whether these left: find out at the service or the customer, and say so on their page.",
        source="message m",
        beside=customer_of("m.debtor_id"),
        columns=(
            Column("template", "Message", "m.template", Shape.CODE, link="/messages/{message_id}"),
            *named_by(),
            Column("channel", "Channel", "m.channel", Shape.CODE),
            Column("recipient", "To", "m.recipient"),
            Column("business_date", "Date", "m.business_date", Shape.DATE),
            Column("ended_at", "Broke off", "m.ended_at", Shape.INSTANT),
            Column("failure", "What is known", "m.failure"),
            Column("service_ref", "Number at the service", "m.service_ref", shown=False),
            Column("message_id", "Message number", "m.id", Shape.NUMBER, sorts=True, shown=False),
            Column("case_id", "Case", "m.case_id", Shape.NUMBER, shown=False),
        ),
        key="m.id",
        order="message_id",
        creditor="m.creditor_id",
        where="m.state = 'unknown'",
        filters=(Filter("channel", "Channel", "m.channel = :value", choices=CHANNELS),),
        empty="Of every message it is known whether it left.",
    ),
    Listing(
        path=INCOMING,
        title="Unassigned",
        help="Mails and texts of which nobody knows whose they are, the oldest first.",
        source="incoming i",
        columns=(
            Column("number", "Number", "'I' || i.id", link=ONE),
            Column("channel", "Channel", "i.channel", Shape.CODE),
            Column("kind", "What it looks like", "i.kind", Shape.CODE),
            Column("sender", "From", "i.sender", help="Of a mail, its page says."),
            Column("received_at", "Came", "i.received_at", Shape.INSTANT),
            Column("incoming_id", "Row", "i.id", Shape.NUMBER, sorts=True, shown=False),
        ),
        key="i.id",
        order="incoming_id",
        where="i.state = 'unassigned'",
        filters=(Filter("channel", "Channel", "i.channel = :value", choices=CHANNELS),),
        empty="Nothing waits: of all that came in it is known whose it is.",
    ),
    Listing(
        path=ANSWERS,
        title="Unread answers",
        help="What customers wrote and nobody has read yet, the oldest first: until then nobody writes to them.",
        source="answer a",
        beside=(
            *customer_of("a.debtor_id"),
            "LEFT JOIN work_task w ON w.case_id = a.case_id AND w.record_no = a.answer_no AND w.kind = 'reply'"
            " AND w.state = 'open'",
        ),
        columns=(
            Column("answer_no", "Answer", "a.answer_no", link="/work/{task_id}"),
            *named_by(),
            Column("channel", "Channel", "a.channel", Shape.CODE),
            Column("received_on", "Came", "a.received_on", Shape.DATE, sorts=True),
            Column("due_on", "To be read by", "w.due_on", Shape.DATE),
            Column("assignee", "Who", "w.assignee"),
            Column("message_id", "Answers", "a.message_id", Shape.NUMBER, link="/messages/{message_id}"),
            Column("task_id", "Work", "w.id", Shape.NUMBER, shown=False),
            Column("case_id", "Case", "a.case_id", Shape.NUMBER, shown=False),
        ),
        key="a.id",
        order="received_on",
        creditor="a.creditor_id",
        where="a.read_on IS NULL AND a.replaced_at IS NULL",
        filters=(Filter("channel", "Channel", "a.channel = :value", choices=CHANNELS),),
        empty="Every answer was read.",
    ),
    Listing(
        path=ADDRESSES,
        title="Lost addresses",
        help="Addresses at which customers are not reached, the newest first; new ones are entered on their accounts.",
        source="address_state s",
        beside=customer_of("s.debtor_id"),
        columns=(
            *named_by("/debtors/{debtor_id}"),
            Column("channel", "Channel", "s.channel", Shape.CODE),
            Column("address", "Address", "s.address"),
            Column("state", "State", "s.state", Shape.CODE),
            Column("cause", "Why", "s.cause", Shape.CODE),
            Column("since", "Since", "s.valid_from", Shape.DATE, sorts=True),
            Column("actor", "By", "s.actor"),
            Column("task_id", "Work to find it", REPAIR, Shape.NUMBER, link="/work/{task_id}", help="The open work."),
            Column("debtor_id", "Account", "s.debtor_id", Shape.NUMBER, shown=False),
        ),
        key="s.id",
        order="-since",
        creditor="d.creditor_id",
        where="s.state IN ('dead', 'doubtful') AND s.replaced_at IS NULL",
        filters=(
            Filter("state", "State", "s.state = :value", choices=named(LOST)),
            Filter("channel", "Channel", "s.channel = :value", choices=[*CHANNELS, Choice("phone", "Phone")]),
        ),
        search="d.debtor_no = :words OR s.address = :words",
        empty="No address is known to be lost.",
    ),
)
SHEETS = (
    Sheet(ONE, "Unassigned mail or text", "What it says, to find out whose it is.", IncomingSheet, read_incoming,
          "incoming.html"),
)  # fmt: skip
ACTS = (
    Act(MESSAGE + "/resolve", "Say whether it left", "Its steps follow: what was sent counts as said, what failed may"
        " be written again.", Found, _resolve, DESK),
    Act(MESSAGE + "/cancel", "Take it back", "What waits does not go; a letter that is not printed yet is not printed.",
        NoFields, _cancel, DESK, outside=True, grave=True),
    Act(ONE + "/assign", "It is this customer's", "It is put on the case as an answer and waits to be read.", Whose,
        _assign, DESK, choices=_creditors),
    Act(ONE + "/drop", "It is nobody's", "Such as an advertisement; it is kept, and nothing follows.", NoFields, _drop,
        DESK, grave=True),
)  # fmt: skip
