"""Reports that follow a standard: delivery (RFC 3464, 6533) and disposition (RFC 8098), also quoted in plain text."""

import re
from collections.abc import Iterator

from connectors.inbox.bounces import is_of_mail_system
from connectors.inbox.incoming import MOST_RECIPIENTS, Action, Result
from connectors.inbox.parts import Mail, address, addresses
from connectors.inbox.refusals import above_original, by_recipient, judged, untroubled

DELIVERY = ("message/delivery-status", "message/global-delivery-status")
DISPOSITION = ("message/disposition-notification", "message/global-disposition-notification")
FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]{1,60})\s*:[ \t]*(.*)$")
XTEXT = re.compile(r"\+([0-9A-F]{2})")
QUOTED_REPORT = re.compile(r"^[ \t]*(?:Final|Original)-Recipient[ \t]*:", re.I | re.M)

Fields = dict[str, str]


def delivery_results(mail: Mail) -> tuple[Result, ...]:
    """What the delivery reports in a mail say, recipient by recipient; nothing where there is none."""
    reports = [part.text for part in mail.of_kind(*DELIVERY)]
    seen = above_original(mail.text)
    if not reports and QUOTED_REPORT.search(seen) and is_of_mail_system(mail, seen):
        reports = [seen]
    told = [tuple(block.items()) for text in reports for block in _blocks(text) if _is_of_recipient(block)]
    blocks = [dict(each) for each in list(dict.fromkeys(told))[:MOST_RECIPIENTS]]
    failed = addresses(mail.first("x-failed-recipients"))
    recipients = [_recipient(block) or (failed[0] if len(failed) == 1 else "") for block in blocks]
    texts = by_recipient(seen, recipients)
    return tuple(_result(block, each, texts[each]) for block, each in zip(blocks, recipients, strict=True))


def disposition_results(mail: Mail) -> tuple[Result, ...]:
    """A receipt that the recipient's mail program sent: whatever it did with the message, the message was there."""
    blocks = [block for part in mail.of_kind(*DISPOSITION) for block in _blocks(part.text)]
    return tuple(
        untroubled(_recipient(block), Action.DELIVERED, block["disposition"])
        for block in blocks
        if "disposition" in block
    )


def originals(mail: Mail) -> list[str]:
    """Message-IDs that a receipt names."""
    blocks = [block for part in mail.of_kind(*DISPOSITION) for block in _blocks(part.text)]
    return [block["original-message-id"].strip("<> ") for block in blocks if block.get("original-message-id")]


def _blocks(text: str) -> Iterator[Fields]:
    """Groups of fields, by lower-case name; the first of a name counts, and lines that are no field are passed over."""
    for block in re.split(r"\n[ \t]*\n", text.strip()):
        fields: Fields = {}
        last = ""
        for line in block.split("\n"):
            found = FIELD.match(line)
            if found:
                last = found[1].lower()
                fields.setdefault(last, found[2].strip())
            elif line[:1] in (" ", "\t") and last:
                fields[last] = f"{fields[last]} {line.strip()}"
        yield fields


def _is_of_recipient(block: Fields) -> bool:
    return "final-recipient" in block or "original-recipient" in block or ("action" in block and "status" in block)


def _recipient(block: Fields) -> str:
    """The address as we wrote it, where the report kept it, else the one that it came to, else that it ended at."""
    for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
        kind, parted, value = block.get(name, "").partition(";")
        if name == "original-recipient" and kind.strip().lower() in ("rfc822", "utf-8"):
            value = XTEXT.sub(lambda sign: chr(int(sign[1], 16)), value)
        # A source route (@host:user@host) or a pipe is no address to us.
        found = address((value if parted else kind).rpartition(":")[2])
        if found and "|" not in value:
            return found
    return ""


def _result(block: Fields, recipient: str, seen: str) -> Result:
    status = block.get("status", "")
    diagnostic = block.get("diagnostic-code", "")
    return judged(_action(block), recipient, _said(diagnostic), status, seen)


def _said(diagnostic: str) -> str:
    kind, parted, said = diagnostic.partition(";")
    return said.strip() if parted and len(kind) < 30 else diagnostic


def _action(block: Fields) -> Action:
    """What was done; reports without the field, or with another word in it, are told by their status."""
    told = re.sub(r"[^a-z].*", "", block.get("action", "").lower())
    if told in list(Action):
        return Action(told)
    return Action.DELIVERED if block.get("status", "").startswith("2.") else Action.FAILED
