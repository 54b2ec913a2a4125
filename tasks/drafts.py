"""Publishing by four eyes: one person submits a pack for creditors that have one, another publishes it or refuses.

Neither of the two approves what follows from the pack (law 9, tasks.approvals). A draft is published as it was shown:
its files, its creditors, and whether rounds that run are moved are fixed when it is submitted. It is published
only while the creditors still have the pack that it was compared with.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlmodel import Session, col, select

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import DraftState
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.locks import lock_creditor
from maatpak.ledger.tables import PackDraft
from policies.templates import checked_pack
from tasks.access.sight import require_sight
from tasks.desk import acting_person
from tasks.finding import acting_date
from tasks.publishing import ONE_AT_A_TIME, PUBLISHERS, Published, given_pack, publish_and_give, require_columns
from tasks.version_move import MOVERS, Moved, move_running

if TYPE_CHECKING:
    from tasks.engine import Engine

CONFIRMERS = MOVERS
"""Who confirms or refuses what another has submitted: who may move the rounds that run, as a draft may ask for."""


@dataclass(frozen=True)
class Confirmed:
    """A draft that became a pack, and what was moved to it: a creditor's code → its batch."""

    draft_id: int
    published: Published
    moved: dict[str, Moved]


def submit_pack(
    engine: "Engine",
    files: Mapping[str, str],
    note: str,
    actor: str,
    now: datetime,
    creditors: Sequence[str],
    *,
    move_running: bool = False,
) -> PackDraft:
    """Ask to publish a pack and to make it the creditors'.

    Raises:
        PolicyError: the pack does not hold.
        RefusedError: the person may not submit one, or a creditor's ledger lacks a column that the pack needs.
        UsageError: no creditor is named, there is no such one, all of them have this very pack, or the note is missing.
    """
    if not creditors:
        raise UsageError("Nobody is to get the pack.", advice="Name whose it is to become with --creditor.")
    if not note.strip():
        raise UsageError("Nobody knows what is new in it.", advice="Say so in a note: a second person reads it.")
    ids = {code: engine.creditor_id(code) for code in creditors}
    with engine.database.session() as session:
        person = acting_person(session, actor, "submit a pack", *PUBLISHERS)
        require_sight(session, actor, *ids)
        compiled = checked_pack(files)
        for code, creditor_id in ids.items():
            require_columns(session, creditor_id, code, compiled)
        present = {code: given_pack(session, creditor_id) for code, creditor_id in ids.items()}
        hashes = {engine.pack(pack_id).content_hash for pack_id in present.values() if pack_id is not None}
        if None not in present.values() and hashes == {compiled.content_hash}:
            raise UsageError("They have this very pack.", advice="`maatpak policy diff` compares two.")
        draft = PackDraft(
            name=compiled.name,
            content_hash=compiled.content_hash,
            files=dict(files),
            note=note,
            bases=present,
            move_running=move_running,
            submitted_by=person.login,
            submitted_on=now.date(),
            submitted_at=now,
        )
        session.add(draft)
        session.flush()
        _record(session, draft, "policy_submitted", actor, now)
    engine.anchor()
    return draft


def confirm_pack(engine: "Engine", draft_id: int, actor: str, reason: str, now: datetime) -> Confirmed:
    """Publish what another person submitted; rounds that run are moved, if it says so.

    Raises:
        PolicyError: the pack does not hold any more.
        RefusedError: it is not waiting, the person submitted it or may not publish, a creditor has another pack by now,
            or lacks a column.
        UsageError: there is no such draft, or the reason is missing.
    """
    if not reason.strip():
        raise UsageError("A publication needs its reason in words.", advice="Give a reason.")
    with engine.database.reading() as session:
        ids = {code: engine.creditor_id(code) for code in _draft(session, draft_id).bases}
    days = {creditor_id: acting_date(engine, code, now) for code, creditor_id in ids.items()}
    with engine.database.session() as session:
        session.execute(text(ONE_AT_A_TIME))
        # Exclusively: the events' head is locked by the first event, and nothing may be waited for after it.
        for creditor_id in sorted(ids.values()):
            lock_creditor(session, creditor_id)
        draft = _waiting(session, draft_id)
        person = acting_person(session, actor, "publish a pack that another submitted", *CONFIRMERS)
        if person.login == draft.submitted_by:
            raise RefusedError(
                f"{person.login} submitted draft {draft_id} and does not publish it.",
                advice="Four eyes: somebody else looks at it.",
            )
        _require_bases(session, draft, ids)
        published = publish_and_give(session, engine, draft.files, draft.note, actor, now, days, list(ids))
        _end(session, draft, DraftState.PUBLISHED, person.login, reason, now, published.pack_id)
    engine.anchor()
    moved = {}
    if draft.move_running:
        for code, creditor_id in ids.items():
            moved[code] = move_running(engine, creditor_id, actor, reason, days[creditor_id], now)
    return Confirmed(draft_id, published, moved)


def refuse_pack(engine: "Engine", draft_id: int, actor: str, reason: str, now: datetime) -> PackDraft:
    """Another person's no to a draft.

    Raises:
        RefusedError: it is not waiting, or the person may not refuse it.
        UsageError: there is no such draft, or the reason is missing.
    """
    with _ending(engine, draft_id, reason) as (session, draft):
        person = acting_person(session, actor, "refuse a pack", *CONFIRMERS)
        require_sight(session, actor, *draft.bases)
        if person.login == draft.submitted_by:
            raise RefusedError(
                f"{person.login} submitted draft {draft_id}.", advice="`maatpak policy withdraw` takes it back."
            )
        _end(session, draft, DraftState.REFUSED, person.login, reason, now)
    return draft


def withdraw_pack(engine: "Engine", draft_id: int, actor: str, reason: str, now: datetime) -> PackDraft:
    """Take one's own draft back.

    Raises:
        RefusedError: it is not waiting, or somebody else submitted it.
        UsageError: there is no such draft, or the reason is missing.
    """
    with _ending(engine, draft_id, reason) as (session, draft):
        person = acting_person(session, actor, "withdraw a pack", *PUBLISHERS)
        if person.login != draft.submitted_by:
            raise RefusedError(
                f"{draft.submitted_by} submitted draft {draft_id}.", advice="`maatpak policy refuse` says no to it."
            )
        _end(session, draft, DraftState.WITHDRAWN, person.login, reason, now)
    return draft


def drafts(session: Session, creditors: Sequence[str] | None = None, *, ended: bool = False) -> list[PackDraft]:
    """Drafts for some creditors' codes or all, the newest first; those that wait, or also those that have ended."""
    query = select(PackDraft).order_by(col(PackDraft.id).desc())
    if not ended:
        query = query.where(PackDraft.state == DraftState.SUBMITTED)
    found = session.exec(query).all()
    return [each for each in found if creditors is None or set(each.bases) & set(creditors)]


def _draft(session: Session, draft_id: int) -> PackDraft:
    draft = session.exec(select(PackDraft).where(PackDraft.id == draft_id)).first()
    if draft is None:
        raise UsageError(f"There is no draft {draft_id}.", advice="`maatpak policy drafts` shows them.")
    return draft


def _waiting(session: Session, draft_id: int) -> PackDraft:
    draft = _draft(session, draft_id)
    session.refresh(draft, with_for_update=True)
    if draft.state != DraftState.SUBMITTED:
        raise RefusedError(f"Draft {draft_id} is {draft.state}.", advice="`maatpak policy drafts` shows what waits.")
    return draft


@contextmanager
def _ending(engine: "Engine", draft_id: int, reason: str) -> Iterator[tuple[Session, PackDraft]]:
    if not reason.strip():
        raise UsageError("It needs its reason in words.", advice="Give a reason.")
    with engine.database.session() as session:
        yield session, _waiting(session, draft_id)
    engine.anchor()


def _require_bases(session: Session, draft: PackDraft, ids: Mapping[str, int]) -> None:
    """The creditors still have the packs that the draft was compared with."""
    changed = [code for code, creditor_id in ids.items() if given_pack(session, creditor_id) != draft.bases[code]]
    if changed:
        raise RefusedError(
            f"{', '.join(changed)} has another pack than when draft {draft.id} was submitted.",
            advice="Refuse it, put the changes into the present pack, look at the impact again and submit that.",
        )


def _end(
    session: Session,
    draft: PackDraft,
    state: DraftState,
    login: str,
    reason: str,
    now: datetime,
    pack_id: int | None = None,
) -> None:
    draft.state, draft.ended_by, draft.ended_at, draft.reason, draft.pack_id = state, login, now, reason, pack_id
    session.flush()
    _record(session, draft, f"policy_{'confirmed' if pack_id else state}", login, now)


def _record(session: Session, draft: PackDraft, kind: str, actor: str, now: datetime) -> None:
    body = {"draft": draft.id, "pack": draft.name, "pack_id": draft.pack_id, "move_running": draft.move_running}
    event = EventDraft(kind, actor, business_date=now.date(), policy_hash=draft.content_hash, body=body)
    append_events(session, [event], now)
