"""Who asks, with what at hand: a visitor's look at the data, and a visitor's act."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlmodel import Session

from maatpak.console.frame.problems import missing
from maatpak.kernel.errors import UsageError, WorkspaceError
from tasks.dates import date_at
from tasks.desk import Desk, desk

if TYPE_CHECKING:
    from tasks.access.visitor import SeenCreditor, Visitor
    from tasks.engine import Engine

RECORDS_OF_CASES = {
    "promise": "promise",
    "dispute": "dispute",
    "plan": "plan",
    "claim": "claimed_payment",
    "placement": "placement",
}
"""What has a number of its own and hangs on a case → its table."""
OWNERS = {
    "case_id": 'SELECT creditor_id FROM "case" WHERE id = :id',
    "debtor_id": "SELECT creditor_id FROM debtor WHERE id = :id",
    "action_id": "SELECT creditor_id FROM action WHERE id = :id",
    "task_id": "SELECT creditor_id FROM work_task WHERE id = :id",
    "message_id": "SELECT creditor_id FROM message WHERE id = :id",
    "item_id": "SELECT creditor_id FROM item WHERE id = :id",
    "row_id": "SELECT creditor_id FROM quarantined_row WHERE id = :id",
    "snapshot_id": "SELECT creditor_id FROM snapshot WHERE id = :id",
    **{
        f"{name}_no": f'SELECT k.creditor_id FROM {table} r JOIN "case" k ON k.id = r.case_id'  # noqa: S608 - our own words
        f" WHERE r.{name}_no = :id AND r.replaced_at IS NULL"
        for name, table in RECORDS_OF_CASES.items()
    },
    "hold_no": "SELECT d.creditor_id FROM hold r JOIN debtor d ON d.id = r.debtor_id"
    " WHERE r.hold_no = :id AND r.replaced_at IS NULL",
    "rejection_id": "SELECT creditor_id FROM event WHERE seq = :id AND kind = 'ledger_rejected'",
    "creditor": "SELECT id FROM creditor WHERE code = :id",
}
"""Name in a path → whose the thing is. What belongs to no creditor, such as a person, is not in it."""
MOST_DIGITS = 18
"""Of a number in a path; it fits 64 bits."""
NUMBERED = frozenset(
    {
        *(name for name in OWNERS if name.endswith("_id")),
        "change_id",
        "pack_id",
        "draft_id",
        "token_id",
        "hook_id",
        "delivery_id",
        "incoming_id",
        "seq",
    }
)
"""Names in paths that are numbers."""


@dataclass
class Asking:
    """A visitor's look: one read-only snapshot of the database for the whole page."""

    engine: "Engine"
    visitor: "Visitor"
    session: Session
    now: datetime
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def seen(self) -> "tuple[SeenCreditor, ...]":
        """The creditors that count here: the one chosen, else all that the visitor may see.

        Raises:
            UsageError: one is chosen that they do not see.
        """
        return seen_of(self.visitor, self.query.get("creditor"))

    @property
    def creditors(self) -> list[int]:
        """Ids of `seen`."""
        return [each.id for each in self.seen]

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """The rows of a query."""
        return [dict(row) for row in self.session.connection().execute(text(query), values).mappings()]

    def kept(self, key: str | None) -> bytes | None:
        """What lies in the evidence under a key; None where it is not kept any more."""
        try:
            return self.engine.store.get(key) if key else None
        except WorkspaceError:
            return None

    def zone_of(self, code: str | None) -> str:
        """The time zone of the creditor of a code; of what is no creditor's, that of the first one of the visitor."""
        zones = {each.code: each.time_zone for each in self.visitor.creditors}
        return zones.get(code or "") or next(iter(zones.values()), "UTC")

    def creditor_of(self, name: str, value: Any) -> "SeenCreditor":
        """The creditor that a thing in the path is of; what a visitor may not see is not there."""
        return owner(self.session, self.visitor, name, value)


def seen_of(visitor: "Visitor", code: str | None) -> "tuple[SeenCreditor, ...]":
    """The creditor of a code, or all that the visitor may see.

    Raises:
        UsageError: there is none of this code, or the visitor may not see it.
    """
    seen = tuple(each for each in visitor.creditors if code in (None, "", each.code))
    if code and not seen:
        known = ", ".join(each.code for each in visitor.creditors) or "none yet"
        raise UsageError(f"You see no creditor {code[:40]!r}.", advice=f"You see: {known}.")
    return seen


def require_seen(engine: "Engine", visitor: "Visitor", ids: Mapping[str, Any]) -> None:
    """Refuse a path that names what is not there, or what the visitor may not see.

    Raises:
        MissingError: it does.
    """
    owned = {name: value for name, value in ids.items() if name in OWNERS}
    if owned:
        with engine.database.reading() as session:
            for name, value in owned.items():
                owner(session, visitor, name, value)


def ids_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The names in a path, numbers as numbers.

    Raises:
        MissingError: a number is none, or a name has what no name has.
    """
    ids: dict[str, Any] = {}
    for name, value in given.items():
        if name not in NUMBERED:
            if "\0" in value:
                raise missing(name, repr(value))
            ids[name] = value
            continue
        if not value.isascii() or not value.isdigit() or len(value) > MOST_DIGITS:
            raise missing(name, value)
        ids[name] = int(value)
    return ids


@dataclass
class Acting:
    """A visitor's act: a desk for what concerns one creditor, the engine for the rest."""

    engine: "Engine"
    visitor: "Visitor"
    now: datetime

    @contextmanager
    def desk(self, name: str, value: Any) -> Iterator[Desk]:
        """The visitor's desk at the creditor of a thing in the path, on its business date."""
        with self.engine.database.reading() as session:
            creditor = owner(session, self.visitor, name, value)
        as_of = creditor.business_date or date_at(self.engine, creditor.code, self.now)
        with desk(self.engine, creditor.id, self.visitor.login, as_of, self.now) as made:
            yield made


def owner(session: Session, visitor: "Visitor", name: str, value: Any) -> "SeenCreditor":
    """The creditor of a thing, if the visitor may see it.

    Raises:
        MissingError: there is no such thing, or it is somebody else's: nobody learns which.
    """
    found = session.connection().execute(text(OWNERS[name]), {"id": value}).scalar_one_or_none()
    seen = next((each for each in visitor.creditors if each.id == found), None)
    if seen is None:
        raise missing(name, value)
    return seen
