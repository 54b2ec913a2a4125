"""Publishing a policy pack, and giving it to creditors: whose rounds to come follow it, and whose limits always hold.

A published pack never changes. A creditor's first pack holds since ever, so that a history can be run with it; a later
one from the creditor's business date on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlmodel import Session, col, select

from maatpak.kernel.calendars import FIRST
from maatpak.kernel.errors import RefusedError
from maatpak.kernel.words import Role
from maatpak.ledger.audit import append_events
from maatpak.ledger.locks import lock_creditor
from maatpak.ledger.packs import publish_pack
from maatpak.ledger.tables import CreditorPack, ItemVersion, PolicyPack, Snapshot
from maatpak.ledger.versions import succeed
from policies.pack import CompiledPack, load_pack
from policies.schema import OptionalColumn
from tasks.desk import Desk, acting_person, desk_in
from tasks.finding import acting_date
from tasks.waking import ask_for_a_look

if TYPE_CHECKING:
    from tasks.engine import Engine

PUBLISHERS = (Role.ADMINISTRATOR, Role.CREDIT_MANAGER)
"""Who publishes packs and gives them to creditors; they approve nothing that follows from them (law 9)."""

ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('maatpak:publish'))"
SINCE_EVER = datetime.combine(FIRST, time(), UTC)


@dataclass(frozen=True)
class Published:
    """A pack in the database."""

    pack_id: int
    name: str
    version: int
    content_hash: str
    is_new: bool
    """False: these very files were published before."""
    creditors: tuple[str, ...]
    """Whose pack it became."""


def publish(
    engine: "Engine",
    files: Mapping[str, str],
    note: str,
    actor: str,
    now: datetime,
    creditors: Sequence[str] = (),
) -> Published:
    """Publish the files as the next version of their pack, and give it to creditors that have none: all, or nothing.

    What a creditor has is replaced by two people's word only: `tasks.drafts`.

    Raises:
        PolicyError: the pack does not hold.
        RefusedError: the person may not publish, a creditor has another pack, or its ledger lacks a column that this
            one needs.
        UsageError: there is no such creditor.
    """
    ids = {engine.creditor_id(code): code for code in creditors}
    days = {creditor_id: acting_date(engine, code, now) for creditor_id, code in ids.items()}
    with engine.database.session() as session:
        session.execute(text(ONE_AT_A_TIME))
        # Exclusively: the events' head is locked by the first event, and nothing may be waited for after it.
        for creditor_id in sorted(ids):
            lock_creditor(session, creditor_id)
        acting_person(session, actor, "publish a pack", *PUBLISHERS)
        compiled = load_pack(files)
        known = session.exec(select(PolicyPack.id).where(PolicyPack.content_hash == compiled.content_hash)).first()
        for creditor_id, code in ids.items():
            if given_pack(session, creditor_id) not in (None, known):
                raise RefusedError(
                    f"{code} has a pack, which one person does not replace.",
                    advice="`maatpak policy submit` asks a second one to publish it.",
                )
        made = publish_and_give(session, engine, files, note, actor, now, days, creditors)
    engine.anchor()
    return made


def publish_and_give(
    session: Session,
    engine: "Engine",
    files: Mapping[str, str],
    note: str,
    actor: str,
    now: datetime,
    days: Mapping[int, date],
    creditors: Sequence[str],
) -> Published:
    """Publish, and give to creditors (`days`: id → business date) that the caller has locked, who checked the person.

    Raises:
        PolicyError: the pack does not hold.
        RefusedError: a creditor's ledger lacks a column that the pack needs.
    """
    compiled = load_pack(files)
    known = select(PolicyPack.id).where(PolicyPack.content_hash == compiled.content_hash)
    is_new = session.exec(known).first() is None
    pack = publish_pack(session, compiled.name, files, note, actor, now.date(), now)
    assert pack.id is not None
    made = Published(pack.id, pack.name, pack.version, pack.content_hash, is_new, tuple(creditors))
    for creditor_id in sorted(days):
        at = desk_in(session, engine, creditor_id, actor, days[creditor_id], now)
        _give(at, made.pack_id, compiled)
        session.flush()
        ask_for_a_look(session, at.drafts, at.now)
        append_events(session, at.drafts, at.now)
    return made


def given_pack(session: Session, creditor_id: int) -> int | None:
    """The pack that a creditor has; None before its first."""
    present = select(CreditorPack.pack_id).where(
        CreditorPack.creditor_id == creditor_id, col(CreditorPack.replaced_at).is_(None)
    )
    return session.exec(present).first()


def require_columns(session: Session, creditor_id: int, code: str, pack: CompiledPack) -> None:
    """Refuse a pack that needs what the creditor's ledger does not tell.

    Raises:
        RefusedError: it lacks a column.
    """
    missing = _absent(session, creditor_id, pack.needs)
    if missing:
        raise RefusedError(
            f"The ledger of {code} has no {', '.join(missing)}, which pack {pack.name!r} needs.",
            advice="Map the columns in the source, or leave them out of `needs` in pack.yaml.",
        )


def _give(at: Desk, pack_id: int, pack: CompiledPack) -> None:
    """Make a published pack the creditor's; rounds that run keep theirs."""
    creditor_id = at.creditor.id
    assert creditor_id is not None
    require_columns(at.session, creditor_id, at.creditor.code, pack)
    present = at.session.exec(
        select(CreditorPack).where(CreditorPack.creditor_id == creditor_id, col(CreditorPack.replaced_at).is_(None))
    ).first()
    if present is None:
        begun = at.creditor.business_date is not None
        first = CreditorPack(
            creditor_id=creditor_id,
            pack_id=pack_id,
            actor=at.person.login,
            valid_from=at.as_of if begun else FIRST,
            recorded_at=at.now if begun else SINCE_EVER,
        )
        at.session.add(first)
    elif present.pack_id == pack_id:
        return
    else:
        succeed(at.session, present, at.as_of, at.now, pack_id=pack_id, actor=at.person.login)
    before = present.pack_id if present else None
    at.record("policy_given", pack_id=pack_id, before=before, policy=pack.content_hash)


_GIVEN: dict[OptionalColumn, str] = {
    OptionalColumn.KEY_ACCOUNT: "key_account",
    OptionalColumn.RISK_CLASS: "risk_class <> 'none'",
    OptionalColumn.LEGAL_STOP: "legal_stop <> 'none'",
    OptionalColumn.DISPUTED_AMOUNT: "disputed_amount > 0",
}
"""Columns whose emptiness is no null."""


def _absent(session: Session, creditor_id: int, needed: Sequence[OptionalColumn]) -> list[str]:
    """Which of the columns no row of the creditor's ledger has; none while it has no ledger."""
    ledger = session.exec(select(Snapshot.id).where(Snapshot.creditor_id == creditor_id)).first()
    return [str(column) for column in needed if ledger is not None and not _is_given(session, creditor_id, column)]


def _is_given(session: Session, creditor_id: int, column: OptionalColumn) -> bool:
    table = "item_version" if column in ItemVersion.model_fields else "debtor_profile"
    condition = _GIVEN.get(column, f"{column} IS NOT NULL")
    query = f"SELECT EXISTS (SELECT 1 FROM {table} WHERE creditor_id = :creditor AND {condition})"  # noqa: S608
    return bool(session.execute(text(query), {"creditor": creditor_id}).scalar_one())
