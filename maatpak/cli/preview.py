"""`maatpak preview`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maatpak.cli.output import say, show_json
from maatpak.cli.session import CreditorOption, CurrencyOption, JsonOption, chosen, now, opened, settings
from maatpak.kernel.errors import UsageError
from maatpak.kernel.segments import segments
from maatpak.kernel.words import Channel

if TYPE_CHECKING:
    from connectors.message import Outgoing
    from tasks.previewing import Previewed

app = typer.Typer()

CHANNEL_OF = {".pdf": Channel.POST, ".html": Channel.EMAIL, ".eml": Channel.EMAIL, ".txt": None, ".json": None}
"""The kinds of file, and the channel that has them where it is one."""


@app.command()
def preview(
    step: Annotated[str, typer.Argument(metavar="STEP", help="Name of the step, as in the journey.")],
    debtor: Annotated[str, typer.Option("--debtor", help="Number of the debtor.")],
    creditor: CreditorOption = None,
    currency: CurrencyOption = None,
    channel: Annotated[
        str | None, typer.Option(help="email, sms or post (default: as the engine would choose).")
    ] = None,
    language: Annotated[str | None, typer.Option(help="Such as nl (default: the customer's).")] = None,
    out: Annotated[
        Path | None, typer.Option(dir_okay=False, help="A file to write: .txt, .html, .eml, .pdf or .json.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """What a step would send to a customer today, as the engine would write it; nothing is recorded or sent."""
    from tasks.finding import find_case
    from tasks.previewing import preview_step

    wanted = _channel(channel, out)
    with opened() as engine:
        found = find_case(engine, debtor, creditor, currency)
        shown = preview_step(engine, found, step, now(), wanted, language)
    if out is not None:
        content = _content(shown.messages, out.suffix.lower())
        try:
            out.write_bytes(content)
        except OSError as error:
            raise UsageError(f"{out} cannot be written: {error.strerror}.", advice="Name a file in a folder.") from None
    if as_json:
        show_json([_told(shown, message) for message in shown.messages])
        return
    for note in shown.notes:
        say(note)
    for message in shown.messages if out is None else ():
        say(f"{message.channel} to {_address(message)}, in {message.language}; template {shown.template}")
        say(_words(message))
        if message.channel is Channel.SMS:
            say(f"({len(message.text)} characters, sent in {segments(message.text)} segments)")
    if out is not None:
        say(f"{shown.step} for {debtor} of {found.creditor} is in {out}.")


def _channel(given: str | None, out: Path | None) -> Channel | None:
    """The channel asked for; a file that only one channel has asks for it too."""
    wanted = None if given is None else chosen(Channel, given, "channel")
    if out is None:
        return wanted
    kind = out.suffix.lower()
    if kind not in CHANNEL_OF:
        raise UsageError(f"{out} is no kind of file that a message has.", advice=f"One of: {', '.join(CHANNEL_OF)}.")
    needed = CHANNEL_OF[kind]
    if None not in (wanted, needed) and wanted is not needed:
        fitting = [each for each, by in CHANNEL_OF.items() if by in (None, wanted)]
        raise UsageError(f"A message by {wanted} has no {kind} file.", advice=f"It has {', '.join(fitting)}.")
    return wanted or needed


def _content(messages: "tuple[Outgoing, ...]", kind: str) -> bytes:
    """The file of messages; of a kind that holds one, of the first."""
    match kind:
        case ".pdf":
            from connectors.post.letters import letter_pdf

            # Where a service posts, its postage stands where the sender's line would be.
            return letter_pdf(messages[0], sender_line=settings().pingen_url is None)
        case ".eml":
            from connectors.mail.mime import mail_bytes

            return mail_bytes(messages[0], ())
        case ".html":
            return str(messages[0].html).encode()
        case ".json":
            return b"[" + b",\n".join(message.to_json() for message in messages) + b"]\n"
        case _:
            return "\n\n".join(_words(message) for message in messages).encode()


def _words(message: "Outgoing") -> str:
    """What the customer reads; a text has no subject."""
    return message.text if message.channel is Channel.SMS else f"{message.subject}\n\n{message.text}"


def _told(shown: "Previewed", message: "Outgoing") -> dict[str, Any]:
    return {
        "step": shown.step,
        "segment": shown.segment,
        "template": shown.template,
        "channel": str(message.channel),
        "to": _address(message),
        "language": message.language,
        "subject": message.subject,
        "text": message.text,
        "segments": segments(message.text) if message.channel is Channel.SMS else None,
        "attachments": [each.name for each in message.attachments],
        "notes": list(shown.notes),
    }


def _address(message: "Outgoing") -> str:
    person = message.recipient
    known = {Channel.EMAIL: person.email, Channel.SMS: person.phone, Channel.POST: ", ".join(person.lines)}
    return known[message.channel] or "(no usable address)"
