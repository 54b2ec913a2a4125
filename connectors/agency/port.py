"""The agency port: a case is handed over with everything that supports the claim (rule 20)."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from connectors.message import Enclosure
from connectors.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Dossier:
    """What an agency gets of one placement."""

    placement_ref: str
    """Deterministic: the same placement is handed over once."""
    agency: str
    placed_on: date
    language: str
    country: str
    creditor: tuple[str, ...]
    """Name and address lines of the creditor, its account and contact."""
    customer: dict[str, str]
    """Number, name, kind, address, e-mail, phone, contact person."""
    currency: str
    items: tuple[dict[str, Any], ...]
    """document_no, item_type, issued_on, due_on, amount, open_amount, placed_amount (minor units)."""
    history: tuple[dict[str, Any], ...]
    """Every contact, oldest first: on, kind, channel, what, result, evidence (name of its enclosure, or none)."""
    approvals: tuple[dict[str, Any], ...]
    """Who approved it: actor, role, on, reason."""
    checks: tuple[dict[str, Any], ...] = ()
    """What was checked before it was handed over: on, check, result, until, actor, source."""
    evidence: tuple[Enclosure, ...] = ()
    """Copies of what was sent and of what the customer answered, each under a name of its own."""


class AgencyPort(Protocol):
    """Hands cases to an agency. Repeatable: the same placement_ref leaves one dossier."""

    def place(self, dossier: Dossier) -> Outcome:
        """Hand it over; `Sent.service_ref` says where the dossier is.

        What it raises, it raises while it makes the dossier, before an agency can have it.
        """
        ...

    def has(self, agency: str, placement_ref: str) -> bool:
        """Whether the agency has the dossier of a placement."""
        ...
