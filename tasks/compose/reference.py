"""The reference of a message, and what hangs on it: its short form for people, and the way back for who reads it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from maatpak.kernel.ids import canonical_json, signature
from maatpak.kernel.links import PREFERENCES_PATH, preferences_token
from maatpak.kernel.words import Channel
from policies.vocabulary import reach_mail, reach_page
from tasks.compose.reading import Row

SHORT = 10
"""Signs of a reference that people read and write."""
_KEY = ("debtor_no", "currency", "round_no", "stage", "step", "attempt", "occurrence")


def action_key(row: Row) -> list[Any]:
    """What makes an action the same one."""
    return [row[name].isoformat() if isinstance(row[name], date) else row[name] for name in _KEY]


def message_token(key: str, creditor_code: str, actions: Sequence[Row], channel: Channel) -> str:
    """The same actions on the same channel always have the same reference, and nobody can guess it."""
    return signature(key, canonical_json([creditor_code, [action_key(row) for row in actions], channel]))[:32]


def short_reference(token: str) -> str:
    """A message's reference as people read it."""
    return token[:SHORT]


def where_to_say_how(
    key: str, public_url: str | None, creditor_email: str | None, token: str, labels: Mapping[str, str]
) -> dict[str, str]:
    """Where the customer says how we reach them: our page; without a public address, a mail that names the message."""
    if public_url is not None:
        return reach_page(f"{public_url}{PREFERENCES_PATH}/{preferences_token(key, token)}")
    return reach_mail(creditor_email or "", f"{labels['our_reference']} {short_reference(token)}")
