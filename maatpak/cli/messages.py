"""`maatpak messages`."""

from pathlib import Path
from textwrap import shorten
from typing import Annotated

import typer

from maatpak.cli.output import Column, fields_of, show, tell
from maatpak.cli.records import ACCOUNT, show_records
from maatpak.cli.session import (
    ActorOption,
    CreditorOption,
    CurrencyOption,
    DebtorArgument,
    DebtorOption,
    EndedOption,
    JsonOption,
    MostOption,
    acting,
    at_desk,
    at_most,
    chosen,
    now,
    opened,
)
from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import Channel, EvidenceKind, MessageState

app = typer.Typer(no_args_is_help=True, help="Mails, texts and letters.")


@app.callback()
def _group() -> None:
    """Mails, texts and letters."""


COLUMNS = (
    Column("message_ref", "reference", whole=True),
    Column("business_date", "date"),
    Column("creditor", "creditor"),
    Column("debtor_no", "debtor"),
    Column("way", "how, and why so"),
    Column("recipient", "to"),
    Column("template", "template"),
    Column("subject", "subject"),
    Column("state", "state"),
    Column("sent_on", "sent"),
    Column("evidence", "evidence"),
    Column("failure", "failure"),
)
ANSWERS = (
    Column("answer_no", "answer"),
    Column("channel", "channel"),
    Column("received_on", "received"),
    Column("text", "words"),
    Column("read_on", "read"),
    Column("read_by", "read by"),
)

ADDRESSES = (
    Column("channel", "channel"),
    Column("address", "address"),
    Column("state", "state"),
    Column("cause", "why"),
    Column("since", "since"),
    Column("actor", "by"),
)
INCOMING = (
    Column("incoming_no", "number"),
    Column("channel", "channel"),
    Column("kind", "what"),
    Column("received_at", "received"),
    Column("sender", "from"),
    Column("subject", "subject"),
    Column("text", "words"),
)

ReferenceArgument = Annotated[
    str, typer.Argument(metavar="REFERENCE", help="Reference of the message, or its beginning.")
]

WORDS_SHOWN = 400
"""Characters of an answer in a table."""
REFERENCE_SHOWN = 12
"""Characters of a reference in a table: the beginning is enough to name a message, and leaves room for the rest."""
UNKNOWN = tuple(column for column in COLUMNS if column.key not in ("state", "sent_on"))


@app.command("list")
def list_(
    creditor: CreditorOption = None,
    debtor: DebtorOption = None,
    state: Annotated[str | None, typer.Option(help="queued, sending, sent, failed, unknown or cancelled.")] = None,
    channel: Annotated[str | None, typer.Option(help="email, sms or post.")] = None,
    most: MostOption = None,
    *,
    unknown: Annotated[bool, typer.Option("--unknown", help="Only those that a person has to resolve.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The messages, newest first."""
    from tasks.outbox import MessageFilter, list_messages

    wanted = MessageState.UNKNOWN if unknown else state
    with opened() as engine:
        rows = list_messages(engine, MessageFilter(creditor, debtor, wanted, channel, at_most(most, as_json=as_json)))
    if not as_json:
        rows = [{**row, "message_ref": row["message_ref"][:REFERENCE_SHOWN]} for row in rows]
    show(rows, UNKNOWN if unknown else COLUMNS, as_json=as_json, empty="No message fits.")


@app.command()
def note(
    reference: ReferenceArgument,
    kind: Annotated[
        str, typer.Argument(help="What came back: delivered, receipt, link_used, answered, bounced or returned.")
    ],
    source: Annotated[str | None, typer.Option(help="Where it was seen (default: who records it).")] = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Record what came back of a message: it is evidence, and it says whether the address is good."""
    from tasks.evidence import TOLD_BY_PEOPLE, note_evidence
    from tasks.send.resolving import find_message

    observed = chosen(EvidenceKind, kind, "kind of evidence", TOLD_BY_PEOPLE)
    with opened() as engine:
        account, message_ref = find_message(engine, reference)
        with at_desk(engine, account, actor) as desk:
            evidence = note_evidence(desk, message_ref, observed, source or desk.person.login)
    row = {"message_ref": message_ref, "kind": kind, "source": evidence.source, "observed_on": evidence.observed_on}
    tell(f"Message {message_ref}: {kind}, seen on {evidence.observed_on}.", row, as_json=as_json)


@app.command()
def answer(
    debtor: DebtorArgument,
    channel: Annotated[str, typer.Option(help="How it came: email, sms or post.")],
    to: Annotated[str | None, typer.Option(metavar="REFERENCE", help="The message that it answers.")] = None,
    file: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="What it says, as a file.")] = None,
    number: Annotated[str | None, typer.Option(help="Its number elsewhere (default: one of ours).")] = None,
    creditor: CreditorOption = None,
    currency: CurrencyOption = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Record what a customer wrote to us; until somebody has read it, nobody writes to them."""
    from tasks.answers import record_answer
    from tasks.finding import find_case
    from tasks.send.resolving import find_message

    by = chosen(Channel, channel, "channel")
    with opened() as engine:
        found = find_case(engine, debtor, creditor, currency)
        message_ref = None if to is None else find_message(engine, to)[1]
        content = None if file is None else file.read_bytes()
        with at_desk(engine, found, actor) as desk:
            case = desk.case(found.the_case)
            kept = record_answer(desk, case, by, answer_no=number, message_ref=message_ref, content=content)
    tell(f"Answer {kept.answer_no} of {debtor} waits to be read.", fields_of(kept, found), as_json=as_json)


@app.command()
def answers(
    creditor: CreditorOption = None,
    debtor: DebtorOption = None,
    most: MostOption = None,
    *,
    ended: EndedOption = False,
    as_json: JsonOption = False,
) -> None:
    """The answers that nobody has read yet, oldest first, with their words (`--json`: whole).

    `maatpak tasks done` tells that one was read.
    """
    from tasks.listing import RecordFilter, list_answers

    with opened() as engine:
        rows = list_answers(engine, RecordFilter(creditor, debtor, ended, at_most(most, as_json=as_json)))
    if not as_json:
        rows = [{**row, "text": row["text"] and shorten(row["text"], WORDS_SHOWN, placeholder=" …")} for row in rows]
    show(rows, (*ACCOUNT, *ANSWERS), as_json=as_json, empty="There is no answer." if ended else "No answer is unread.")


@app.command()
def addresses(
    creditor: CreditorOption = None,
    debtor: DebtorOption = None,
    most: MostOption = None,
    *,
    ended: Annotated[bool, typer.Option("--all", help="Also those that are proven.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Customers' addresses that are dead, doubtful or opted out, with the reason, newest first."""
    show_records("address", ADDRESSES, creditor, debtor, most, ended=ended, as_json=as_json)


@app.command()
def incoming(most: MostOption = None, *, as_json: JsonOption = False) -> None:
    """What came in and nobody knows whose it is, oldest first; `assign` says it."""
    from tasks.receive.assigning import list_incoming

    with opened() as engine:
        rows = list_incoming(engine, at_most(most, as_json=as_json))
    show(rows, INCOMING, as_json=as_json, empty="Nothing waits.")


@app.command()
def assign(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Its number, such as I12.")],
    debtor: DebtorOption = None,
    creditor: CreditorOption = None,
    currency: CurrencyOption = None,
    actor: ActorOption = None,
    *,
    nobody: Annotated[bool, typer.Option("--nobody", help="It is nobody's, such as an advertisement.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Say who wrote what came in: it then waits on that customer's case to be read."""
    from tasks.finding import find_case
    from tasks.receive.assigning import assign_incoming, drop_incoming

    if nobody == (debtor is not None):
        raise UsageError("Whose is it?", advice="Give --debtor, or --nobody.")
    with opened() as engine:
        if debtor is None:
            drop_incoming(engine, number, acting(actor), now().date(), now())
            tell(f"{number} is nobody's.", {"incoming_no": number, "state": "dropped"}, as_json=as_json)
            return
        found = find_case(engine, debtor, creditor, currency)
        with at_desk(engine, found, actor) as desk:
            kept = assign_incoming(desk, number, found.the_case)
    tell(f"Answer {kept.answer_no} of {debtor} waits to be read.", fields_of(kept, found), as_json=as_json)


@app.command()
def resolve(
    reference: ReferenceArgument,
    outcome: Annotated[str, typer.Option("--as", metavar="sent|failed", help="What you found out.")],
    reason: Annotated[str, typer.Option(help="How you know.")],
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Settle a message of which nobody knows whether it left: what you found out at the service or the customer."""
    from tasks.send import report_outcomes
    from tasks.send.resolving import Resolution, find_message, resolve_message

    found = chosen(Resolution, outcome, "outcome")
    with opened() as engine:
        account, message_ref = find_message(engine, reference)
        with at_desk(engine, account, actor) as desk:
            message = resolve_message(desk, message_ref, found, reason)
        report_outcomes(engine, account.creditor_id, desk.as_of, desk.now, desk.person.login)
    row = {"message_ref": message_ref, "state": message.state, "resolved_by": message.resolved_by}
    tell(f"Message {message_ref} to {message.recipient} counts as {message.state}.", row, as_json=as_json)


@app.command()
def cancel(reference: ReferenceArgument, actor: ActorOption = None, *, as_json: JsonOption = False) -> None:
    """Take a message back that waits, or a letter that is not printed yet."""
    from tasks.finding import acting_date
    from tasks.send.resolving import find_message
    from tasks.send.withdrawing import cancel_message

    with opened() as engine:
        account, message_ref = find_message(engine, reference)
        at = now()
        as_of = acting_date(engine, account.creditor, at)
        message = cancel_message(engine, account.creditor_id, message_ref, acting(actor), as_of, at)
    became = "does not go" if message.state == MessageState.CANCELLED else "is not printed"
    row = {"message_ref": message_ref, "channel": message.channel, "state": message.state}
    tell(
        f"Message {message_ref} {became}. The next run looks at the case again: a hold keeps it from writing.",
        row,
        as_json=as_json,
    )


@app.command()
def watch(*, as_json: JsonOption = False) -> None:
    """Have the service that posts letters call back at MAATPAK_PUBLIC_URL; asked again, it calls no more often."""
    from maatpak.cli.watching import watch_letters

    with opened() as engine:
        url = watch_letters(engine)
    tell(f"What becomes of letters is told at {url}.", {"url": url}, as_json=as_json)
