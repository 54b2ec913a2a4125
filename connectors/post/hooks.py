"""What Pingen tells of letters: its webhooks, signed over the raw body, and the events that it lists when asked."""

import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.post.port import LetterReport, LetterState
from maatpak.kernel.errors import RefusedError, UsageError

CATEGORIES = ("sent", "delivered", "undeliverable", "issues")
"""Pingen calls back, and lists, by these."""
_PLAIN = re.compile(r"[\w-]{1,100}", re.ASCII)
"""What an id or a code looks like; whatever else is signed is not Pingen's own."""
_EVENTS = frozenset({"letters_events", "deliverables_events"})
_STATES = {
    "transferred_to_distributor": LetterState.HANDED_OVER,
    "receival_confirmed_by_distributor": LetterState.HANDED_OVER,
    "delivered": LetterState.DELIVERED,
    "undeliverable": LetterState.UNDELIVERABLE,
    **dict.fromkeys(
        (
            *("cancellation_completed", "content_failed_inspection", "content_inspection_error"),
            *("file_not_a4_portrait", "file_not_found", "file_not_readable", "file_size_over_limit"),
            *("file_too_many_pages", "invalid_pdf_binary_content", "meta_data_failed_requirements"),
            *("rejected_from_printcenter", "retracted_from_printcenter", "shipping_country_blocked"),
            *("shipping_organization_country_blocked", "unable_to_find_delivery_product"),
            *("waiting_for_funds_expired", "waiting_for_legitimacy_expired"),
        ),
        LetterState.FAILED,
    ),
}
"""By Pingen's code. Others tell of a way that goes on, such as `processing` or `track_and_trace`."""


def signature(body: bytes, secret: str) -> str:
    """Pingen's signature of a body: HMAC-SHA256 with the webhook's secret, as hex."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


def read_pingen_hook(body: bytes, signed: str | None, secret: str) -> LetterReport | None:
    """What a webhook tells; nothing, where it tells of a way that goes on.

    `body` is the request's, untouched, and `signed` its header `Signature`.

    Raises:
        RefusedError: the signature is missing or not ours: the caller is not Pingen.
        UsageError: it is signed, and not what Pingen sends.
    """
    if not hmac.compare_digest((signed or "").lower().encode(), signature(body, secret).encode()):
        raise RefusedError(
            "The webhook's signature does not hold.",
            advice="MAATPAK_PINGEN_HOOK_SECRET is the webhook's signing key at Pingen.",
        )
    try:
        told = json.loads(body)
        data = told["data"]
        related = data["relationships"]
        letter = _plain((related.get("letter") or related["deliverable"])["data"]["id"])
        event_id = related["event"]["data"]["id"]
        event = next(each for each in told["included"] if each["type"] in _EVENTS and each["id"] == event_id)
        _plain(event["attributes"]["code"])
        return report_of(letter, event["attributes"], data["type"].removeprefix("webhook_"))
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError) as error:
        raise UsageError(
            f"The webhook is signed, but does not say what became of a letter: {type(error).__name__}.",
            advice="Is the webhook one for letters?",
        ) from None


def _plain(told: str) -> str:
    if not _PLAIN.fullmatch(told):
        raise ValueError(told)
    return told


def report_of(letter: str, event: Mapping[str, Any], category: str) -> LetterReport | None:
    """What an event of a letter (its attributes) tells; nothing, where the way goes on."""
    code = str(event["code"])
    state = _STATES.get(code)
    if state is None and category == "undeliverable":
        state = LetterState.UNDELIVERABLE
    if state is None:
        return None
    return LetterReport(datetime.fromisoformat(event["emitted_at"]).date(), letter, state, code)
