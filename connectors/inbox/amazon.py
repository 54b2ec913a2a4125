"""Notifications of Amazon SES, which come as JSON in a mail."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.inbox.incoming import MOST_RECIPIENTS, Action, Result
from connectors.inbox.parts import Mail
from connectors.inbox.refusals import judged

FOLDED = re.compile(r"!\n ")
"""How old mail systems break a line that is too long."""
ACTIONS = {"bounce": Action.FAILED, "delivery": Action.DELIVERED, "deliverydelay": Action.DELAYED}
WHO = {"bounce": "bouncedRecipients", "complaint": "complainedRecipients", "deliverydelay": "delayedRecipients"}


@dataclass(frozen=True, slots=True)
class Notification:
    """What a notification says."""

    complaint: bool
    about: tuple[str, ...]
    results: tuple[Result, ...]


def notification(mail: Mail) -> Notification | None:
    """The notification in a mail, if it is one."""
    text = FOLDED.sub("", mail.text.lstrip())
    if not text.startswith("{"):
        return None
    try:
        data, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    kind = _text(data, "notificationType") or _text(data, "eventType")
    name = kind.lower()
    if name not in (*ACTIONS, "complaint"):
        return None
    told = _inner(data, kind[:1].lower() + kind[1:])
    recipients = told.get(WHO.get(name, "recipients"))
    listed = recipients if isinstance(recipients, list) else []
    results = (
        () if name == "complaint" else tuple(_result(ACTIONS[name], each, told) for each in listed[:MOST_RECIPIENTS])
    )
    return Notification(name == "complaint", _about(_inner(data, "mail")), results)


def _result(action: Action, recipient: object, told: Mapping[str, Any]) -> Result:
    address = recipient if isinstance(recipient, str) else _text(recipient, "emailAddress")
    said = _text(recipient, "diagnosticCode") or _text(told, "smtpResponse")
    said = said.partition(";")[2].strip() if said.lower().startswith("smtp;") else said
    kinds = f"{_text(told, 'bounceType')} {_text(told, 'bounceSubType')} {_text(told, 'delayType')}"
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kinds).strip()
    return judged(action, address.lower(), said, _text(recipient, "status"), words)


def _about(mail: Mapping[str, Any]) -> tuple[str, ...]:
    headers = mail.get("headers")
    ours = [
        _text(each, "value").strip("<> ")
        for each in (headers if isinstance(headers, list) else [])
        if _text(each, "name").lower() == "message-id"
    ]
    return tuple(each for each in (*ours, _text(mail, "messageId")) if each)


def _inner(data: object, key: str) -> Mapping[str, Any]:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, dict) else {}


def _text(data: object, key: str) -> str:
    value = data.get(key) if isinstance(data, dict) else None
    # JSON can spell NULs and lone surrogates.
    return value.encode("utf-8", "replace").decode().replace("\0", "") if isinstance(value, str) else ""
