"""What mail systems write of a refusal, in any layout: which status, which SMTP reply, to which command."""

import re
from collections.abc import Sequence

from connectors.inbox.incoming import Action, Reason, Result
from connectors.inbox.parts import addresses
from connectors.inbox.verdicts import Signs, judge

LONGEST_DETAIL = 500
LONGEST_SHARED = 2_000
"""Characters of a text that names none of its recipients."""
STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
MARKED_STATUS = re.compile(
    r"(?:(?<![\d.])[245]\d\d[ -]#?|[#(\[]|status(?: code)?[:= ]+|^[ \t]*|[:;>] ?)([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)",
    re.I | re.M,
)
"""In free text, where versions and addresses look alike: behind a reply, a mark, or at the head of a line."""
REPLY = re.compile(r"(?<![\d.:/@#-])([2-5][0-5]\d)(?=[ ,;:-]|$)")
MARKED_REPLY = re.compile(
    r"(?:^|<<<|[:;,>(\[]|\bsaid|\bwas|\bwith|\berror|\bcode|responsecode|"
    r"\breply)\s{0,3}#?([45][0-5]\d)(?=[ ,;:)\]-]|$)",
    re.I | re.M,
)
COMMAND = re.compile(
    r"(?:in (?:reply|response) to|\bafter|\bfor|>>>|did not like our|to our|command:?|sending|\bsent:?|while)\s{1,3}"
    r"[\"'<]?(?:the |an? |end of )?(?-i:(RCPT|DATA|TEXT|BODY|EOM|EHLO|HELO|LHLO|STARTTLS|AUTH|MAIL(?= From| FROM)))\b|"
    r"(?<!\d)[45]\d\d (RCPT|MAIL)(?= (?:TO|FROM)\b)|\[(RCPT|DATA|BODY|MAIL|HELO|EHLO)(?:_TO|_FROM)?\]|"
    r"(?:after|in reply to) (end of data|initial connection)|"
    r"(does not like recipient|rejected recipient|recipient(?: was)? rejected)|(sender (?:was )?rejected)|"
    r"\(state (\d+)\)",
    re.I,
)
"""How postfix, sendmail, exim, qmail, courier, Yahoo, Google and others name the command that was refused."""
GOOGLE_STATES = {"13": "MAIL", "14": "RCPT"}
"""Google's `(state 14)`; later ones are those of the content."""
ORIGINAL = re.compile(
    r"^[ \t]*(?:[-_=*>#]{2,}.{0,20}\b(?:original|returned|unsent|undelivered|copy of|header (?:of|and)|"
    r"headers? follow|below this line)\b.*|"
    r"(?:original )?message headers? follows?[^\w\n]*|original message headers?:?|original (?:mail|"
    r"message)(?: as)? follows?:?|"
    r"(?:the )?(?:headers? of )?(?:the |your )?(?:original|returned|unsent) (?:message|"
    r"mail)(?: headers?)?(?: follows?| is (?:below|attached|as follows))?[^\w\n]*|"
    r"(?:received|return-path|x-received|delivered-to|dkim-signature):\s.*)$",
    re.I | re.M,
)
"""Where the message that came back begins.

No pattern over a whole text looks for blanks across lines: on blank lines alone, that is quadratic work.
"""


def above_original(text: str) -> str:
    """The part of a report's text that is the reporter's own."""
    found = ORIGINAL.search(text)
    return text[: found.start()] if found else text


def below_original(text: str) -> str:
    """What a report quotes of the message."""
    found = ORIGINAL.search(text)
    return text[found.start() :] if found else ""


def by_recipient(text: str, recipients: Sequence[str]) -> dict[str, str]:
    """The lines about each of several recipients: from where it is named to where another is; all if it never is."""
    if len(set(recipients)) < 2:
        return dict.fromkeys(recipients, text)
    lines: dict[str, list[str]] = {each: [] for each in recipients}
    about: list[str] = []
    for line in text.split("\n"):
        about = [each for each in addresses(line) if each in lines] or about
        for each in about:
            lines[each].append(line)
    return {each: "\n".join(kept) or text[:LONGEST_SHARED] for each, kept in lines.items()}


def judged(action: Action, recipient: str, said: str, status: str, seen: str) -> Result:
    """The result for a recipient, from what the server said to our mail system, the status of the report, and its text.

    Args:
        action: what was done.
        recipient: the address.
        said: the server's words, where they are told apart from the rest; or nothing.
        status: what the report gives as its status, or nothing.
        seen: the text about this recipient.
    """
    own = _first(STATUS, status)
    first = Signs(said, _status(_first(STATUS, said), own), _reply(REPLY, said), _command(said) or _command(seen))
    if action not in (Action.FAILED, Action.DELAYED):
        return untroubled(recipient, action, said or seen, status=first.status, reply_code=first.reply_code)
    verdict = judge(first)
    signs = first
    if not said or not verdict.clear:
        found = _status(_first(MARKED_STATUS, seen), "")
        signs = Signs(
            f"{said}\n{seen}",
            _status(first.status, found),
            first.reply_code or _reply(MARKED_REPLY, seen),
            first.command,
        )
        further = judge(signs)
        verdict = further if further.clear or not said else verdict
    hard = verdict.hard and action is Action.FAILED
    return Result(recipient, action, hard, signs.status, signs.reply_code, verdict.reason, _line(said or seen))


def untroubled(recipient: str, action: Action, said: str, *, status: str = "", reply_code: int | None = None) -> Result:
    """The result for a recipient with whom nothing is wrong."""
    return Result(
        recipient=recipient,
        action=action,
        hard=False,
        status=status,
        reply_code=reply_code,
        reason=Reason.NONE,
        detail=_line(said),
    )


def _status(first: str, second: str) -> str:
    """The more telling of two codes: X.0.0 says nothing but its class."""
    return (
        second if (not first or first.endswith(".0.0")) and second and not second.endswith(".0.0") else first or second
    )


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return str(found[1]) if found else ""


def _reply(pattern: re.Pattern[str], text: str) -> int | None:
    """The first refusal in a text."""
    codes = [int(found) for found in pattern.findall(text[:8_000])]
    return next((code for code in codes if code >= 400), next(iter(codes), None))


def _command(text: str) -> str:
    """The command that was refused: the last one that is named, as transcripts end with it."""
    command = ""
    for found in COMMAND.finditer(text[:8_000]):
        plain, behind, bracketed, later, recipient, sender, state = found.groups()
        if plain or behind or bracketed:
            command = (plain or behind or bracketed).upper()
        elif later:
            command = "CONNECT" if later.lower().startswith("initial") else "DATA"
        elif recipient or sender:
            command = "RCPT" if recipient else "MAIL"
        else:
            command = GOOGLE_STATES.get(state, "DATA")
    return command


def _line(text: str) -> str:
    return " ".join(text.split())[:LONGEST_DETAIL]
