"""A person's desk: one transaction of one person's acts on a creditor's cases, with every event it leaves behind.

The order is that of all changes (maatpak.ledger.locks): the creditor shared, the party of each case that is touched,
the head of the events last. What is recorded at a desk is never older than what a run has already looked at.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import Role
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.locks import lock_creditor, lock_parties
from maatpak.ledger.tables import VISIBLE, Case, Creditor, Debtor, DebtorProfile, Person, Round
from tasks.access.sight import require_sight
from tasks.current_pack import current_pack
from tasks.today import recorded_after
from tasks.waking import ask_for_a_look

if TYPE_CHECKING:
    from policies.pack import CompiledPack
    from tasks.engine import Engine


MACHINE = Person(login="engine", name="", role=Role.OPERATOR, recorded_at=datetime.min.replace(tzinfo=UTC))
"""Who records what comes in by itself; no row, so nobody can sit down at its desk."""

CUSTOMER = Person(login="customer", name="", role=Role.OPERATOR, recorded_at=datetime.min.replace(tzinfo=UTC))
"""Who says for themselves how they want to be reached; no row either."""


@dataclass(frozen=True)
class OpenItem:
    """An item of a case with what the ledger says is open of it."""

    item_id: int
    document_no: str
    item_type: str
    due_on: date
    amount: int
    open_amount: int


@dataclass
class Desk:
    """What a person's act has at hand. Made by `desk`; it neither commits nor reads a clock."""

    engine: "Engine"
    session: Session
    creditor: Creditor
    person: Person
    as_of: date
    now: datetime
    """When it is recorded."""
    flow_run: str | None = None
    drafts: list[EventDraft] = field(default_factory=list)

    def require(self, act: str, *roles: Role) -> None:
        """Refuse the act unless the person has one of the roles."""
        _require(self.person, act, *roles)

    def case(self, case_id: int) -> Case:
        """The case, its party locked."""
        case = self.session.get(Case, case_id)
        if case is None or case.creditor_id != self.creditor.id:
            raise UsageError(
                f"There is no case {case_id} of creditor {self.creditor.code}.", advice="See `maatpak cases`."
            )
        lock_parties(self.session, [case.party_id])
        return case

    def debtor(self, debtor_id: int) -> Debtor:
        """The debtor, its party locked."""
        debtor = self.session.get(Debtor, debtor_id)
        if debtor is None or debtor.creditor_id != self.creditor.id:
            raise UsageError(
                f"There is no debtor {debtor_id} of creditor {self.creditor.code}.", advice="See `maatpak cases`."
            )
        lock_parties(self.session, [debtor.party_id])
        return debtor

    def profile(self, debtor_id: int) -> DebtorProfile | None:
        """What the master data says of a debtor now."""
        return self.session.exec(
            select(DebtorProfile).where(DebtorProfile.debtor_id == debtor_id, col(DebtorProfile.replaced_at).is_(None))
        ).first()

    def payer(self, debtor: Debtor) -> Debtor:
        """The account that is written to and called for this one: who pays for it, if it is known; else itself."""
        profile = self.profile(int(debtor.id or 0))
        if profile is None or profile.payer_no is None:
            return debtor
        found = self.session.exec(
            select(Debtor).where(Debtor.creditor_id == debtor.creditor_id, Debtor.debtor_no == profile.payer_no)
        ).first()
        return found if found is not None and self.profile(int(found.id or 0)) is not None else debtor

    @property
    def latest(self) -> datetime:
        """Known-at that hides nothing of what is recorded."""
        return datetime.max.replace(tzinfo=self.now.tzinfo)

    def country(self, debtor_id: int) -> str:
        """The country whose working days count for a debtor."""
        profile = self.profile(debtor_id)
        return profile.country if profile else self.creditor.country

    def in_working_days(self, debtor_id: int, count: int) -> date:
        """The date that many of the debtor's working days from today."""
        return add_working_days(self.as_of, count, self.country(debtor_id))

    @cached_property
    def pack(self) -> "CompiledPack":
        """The creditor's pack in its newest version: what it says of reasons, calls and limits always applies."""
        return self.engine.pack(current_pack(self.session, int(self.creditor.id or 0)))

    def open_round(self, case_id: int) -> Round | None:
        """The case's open round."""
        return self.session.exec(select(Round).where(Round.case_id == case_id, col(Round.closed_at).is_(None))).first()

    def open_items(self, case: Case) -> list[OpenItem]:
        """Invoices and debit notes of the case that are open as of today, oldest first."""
        rows = self.session.execute(
            text(
                "SELECT item_id, document_no, item_type, due_on, amount, open_amount FROM item_version v"  # noqa: S608
                " WHERE debtor_id = :debtor AND currency = :currency AND item_type IN ('invoice', 'debit_note')"
                f" AND open_amount > 0 AND {VISIBLE.format(t='v', as_of=':as_of', known_at=':known_at')}"
                " ORDER BY due_on, document_no"
            ),
            {
                "debtor": case.debtor_id,
                "currency": case.currency,
                "as_of": self.as_of,
                "known_at": self.latest,
            },
        )
        return [OpenItem(*row) for row in rows]

    def items_named(self, case: Case, documents: "list[str] | None") -> list[OpenItem]:
        """The open items with these document numbers; all overdue ones, if none is named."""
        items = self.open_items(case)
        if documents is None:
            return [item for item in items if item.due_on < self.as_of]
        found = [item for item in items if item.document_no in documents]
        missing = sorted(set(documents) - {item.document_no for item in found})
        if missing:
            raise UsageError(
                f"Not open on case {case.id}: {', '.join(missing)}.",
                advice=f"Open are: {', '.join(item.document_no for item in items) or 'none'}.",
            )
        return found

    def number(self, table: str, prefix: str) -> str:
        """A number for a new record of a table: its prefix and the next in the table's sequence."""
        value = self.session.execute(
            text("SELECT nextval(pg_get_serial_sequence(:table, 'id'))"), {"table": table}
        ).scalar_one()
        return f"{prefix}{value}"

    def require_person(self, login: str, act: str, *roles: Role) -> None:
        """Somebody else's name in a record must be a person's who may see the creditor and do what is put on them.

        Raises:
            RefusedError: it is not.
        """
        _require(_active(self.session, login), act, *roles)
        require_sight(self.session, login, self.creditor.code)

    def record(
        self,
        kind: str,
        *,
        case: Case | None = None,
        debtor_id: int | None = None,
        action_id: int | None = None,
        **body: Any,
    ) -> None:
        """Note an event; it is chained when the transaction ends. The body holds ids, codes and hashes only."""
        self.drafts.append(
            EventDraft(
                kind=kind,
                actor=self.person.login,
                business_date=self.as_of,
                creditor_id=self.creditor.id,
                debtor_id=case.debtor_id if case else debtor_id,
                case_id=case.id if case else None,
                action_id=action_id,
                flow_run=self.flow_run,
                policy_hash=None,
                snapshot_hash=None,
                body=body,
            )
        )


@contextmanager
def desk(
    engine: "Engine",
    creditor_id: int,
    actor: str | Person | None,
    as_of: date,
    now: datetime,
    flow_run: str | None = None,
) -> Iterator[Desk]:
    """A desk for an active person; its acts are committed together, with their events, and ask for a look at
    the creditor, when the block ends.

    Without an actor, the engine itself records what came in, such as a report or a reply. `CUSTOMER` is one who has no
    login and needs none.

    Raises:
        RefusedError: the person is not known or not active, or may not see the creditor; or `as_of` is not the
            creditor's business date.
    """
    with engine.database.session() as session:
        lock_creditor(session, creditor_id, shared=True)
        made = desk_in(session, engine, creditor_id, actor, as_of, now, flow_run)
        yield made
        session.flush()
        if made.drafts:
            ask_for_a_look(session, made.drafts, made.now)
            append_events(session, made.drafts, made.now)
    if made.drafts:
        engine.anchor()


def desk_in(
    session: Session,
    engine: "Engine",
    creditor_id: int,
    actor: str | Person | None,
    as_of: date,
    now: datetime,
    flow_run: str | None = None,
) -> Desk:
    """A desk in a transaction of the caller's, who has locked the creditor and appends the desk's events.

    Raises:
        RefusedError: the person is not known or not active, or may not see the creditor; or `as_of` is not the
            creditor's business date.
    """
    creditor = session.get(Creditor, creditor_id)
    if creditor is None:
        raise UsageError(f"There is no creditor {creditor_id}.", advice="See `maatpak doctor`.")
    if creditor.business_date is not None and as_of != creditor.business_date:
        raise RefusedError(
            f"{creditor.code} is at {creditor.business_date}, not at {as_of}: acts count from the business date.",
            advice="Leave the date out, or run that day first.",
        )
    person = _active(session, actor) if isinstance(actor, str) else actor or MACHINE
    if person.id is not None:
        require_sight(session, person.login, creditor.code)
    return Desk(
        engine=engine,
        session=session,
        creditor=creditor,
        person=person,
        as_of=as_of,
        now=recorded_after(creditor.looked_at, now),
        flow_run=flow_run,
    )


def acting_person(session: Session, actor: str, act: str, *roles: Role) -> Person:
    """The active person who does what concerns no single case.

    Raises:
        RefusedError: the person is not known or not active, or has none of the roles.
    """
    person = _active(session, actor)
    _require(person, act, *roles)
    return person


def _require(person: Person, act: str, *roles: Role) -> None:
    if person.role not in roles:
        raise RefusedError(
            f"{person.login} is {person.role}: that role may not {act}.",
            advice=f"Ask somebody who is {' or '.join(roles)}.",
        )


def _active(session: Session, actor: str) -> Person:
    person = session.exec(select(Person).where(Person.login == actor)).first()
    if person is None or not person.active:
        raise RefusedError(
            f"{actor!r} is nobody who may act here.", advice="`maatpak user add` makes a person; check the spelling."
        )
    return person
