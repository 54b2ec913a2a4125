"""Drafts: packs that one person asks to publish, and what another says to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from maatpak.console.frame.asking import Acting, Asking
from maatpak.console.frame.declared import EVERYBODY, Act, Choice, Column, Done, Filter, Listing, Shape
from maatpak.console.frame.fields import Line, Reason, Source, Words, named
from maatpak.console.frame.problems import missing
from maatpak.console.rooms.journeys.packs import PATH as PACKS
from maatpak.console.rooms.journeys.packs import files_of, followers, rules_first
from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import DraftState
from maatpak.ledger.tables import PackDraft
from policies.comparison import PackChange, compare
from policies.pack import load_pack
from tasks.access.visitor import Visitor
from tasks.drafts import CONFIRMERS, confirm_pack, refuse_pack, submit_pack, withdraw_pack
from tasks.finding import acting_date
from tasks.publishing import PUBLISHERS
from tasks.version_move import MOVERS, move_running

PATH = PACKS + "/drafts"
ONE = PATH + "/{draft_id}"
TEMPLATES = "templates/"
ASKED_FOR = """
SELECT string_agg(c.code, ', ' ORDER BY c.code) AS codes FROM creditor c
WHERE jsonb_exists(d.bases, c.code) AND c.id = ANY(CAST(:creditors AS bigint[]))"""
PRESENT = """
SELECT c.code, g.pack_id, p.version, p.name FROM creditor c
LEFT JOIN creditor_pack g ON g.creditor_id = c.id AND g.replaced_at IS NULL LEFT JOIN policy_pack p ON p.id = g.pack_id
WHERE c.id = ANY(CAST(:creditors AS bigint[])) ORDER BY c.code
"""


class Change(BaseModel):
    """Another version of a pack: the files that differ, what is new in it, and whose it is to become."""

    note: Words = Field(min_length=1, title="What is new in it", description="A second person reads it.")
    creditors: list[str] = Field(min_length=1, title="Whose pack it becomes")
    move_running: bool = Field(
        default=False, title="Also move the rounds that run", description="Else only new rounds follow it."
    )
    files: dict[Line, Source] = Field(
        default_factory=dict,
        title="Files",
        description="Only what you change counts. A file that you empty is left out of the pack.",
    )
    new_file: Line | None = Field(None, title="A new file", description="Its path, as templates/en/apology.j2.")
    new_text: Source | None = Field(None, title="Its text")


class WithReason(BaseModel):
    """A word on it, in one's own words."""

    reason: Reason


@dataclass(frozen=True)
class Wanted:
    """A creditor whose pack the draft is to become."""

    code: str
    base_pack_id: int | None
    """That it had when the draft was submitted; None: none."""
    base: str
    """In words, as `standard 3`."""
    replaced: bool
    """Whether it has another one by now: then the draft can only be refused or withdrawn."""


@dataclass(frozen=True)
class Against:
    """What changes for the creditors that had one pack."""

    pack_id: int
    creditors: list[str]
    changes: list[PackChange]


@dataclass(frozen=True)
class DraftSheet:
    """A pack that somebody asks to publish."""

    draft_id: int
    name: str
    content_hash: str
    state: str
    note: str
    move_running: bool
    submitted_by: str
    submitted_at: datetime
    ended_by: str | None
    ended_at: datetime | None
    reason: str | None
    pack_id: int | None
    """What it became."""
    creditors: list[Wanted]
    """Of those that the visitor may see."""
    others: int
    """More creditors, that the visitor may not see."""
    yours: bool
    """Whether the visitor submitted it: then somebody else decides."""
    decided_by: list[str]
    """Roles that may confirm or refuse it."""
    against: list[Against]


DRAFTS_LIST = Listing(
    path=PATH,
    title="Drafts",
    help="Packs that somebody asks to publish. Another person looks at the impact, and confirms or refuses.",
    source=f"pack_draft d CROSS JOIN LATERAL ({ASKED_FOR}) a",
    where="a.codes IS NOT NULL",
    columns=(
        Column("draft_id", "Draft", "d.id", Shape.NUMBER, sorts=True, link=ONE),
        Column("name", "Pack", "d.name", sorts=True),
        Column("note", "What is new", "d.note", link=ONE),
        Column("creditors", "For", "a.codes"),
        Column("move_running", "Moves rounds", "d.move_running", Shape.FLAG),
        Column("state", "State", "d.state", Shape.CODE, sorts=True),
        Column("submitted_by", "Submitted by", "d.submitted_by", sorts=True),
        Column("submitted_at", "On", "d.submitted_at", Shape.INSTANT, sorts=True),
        Column("ended_by", "Ended by", "d.ended_by"),
        Column("reason", "Reason", "d.reason"),
    ),
    key="d.id",
    order="-draft_id",
    filters=(
        Filter(
            "state",
            "State",
            "d.state = :value",
            choices=named(DraftState),
            default=DraftState.SUBMITTED,
        ),
        Filter("submitted_by", "Submitted by", "d.submitted_by = :value"),
    ),
    roles=EVERYBODY,
    empty="No draft waits. Open a pack to submit a change of it.",
)
WAIT = """pack_draft d WHERE d.state = 'submitted' AND d.submitted_by <> :login
  AND EXISTS (SELECT FROM creditor c WHERE c.id = ANY(:creditors) AND jsonb_exists(d.bases, c.code))"""
"""Those that somebody else submitted, for a creditor that the visitor may see."""
WAITING = f"SELECT count(*) FROM {WAIT} AND :role = ANY(ARRAY{[str(role) for role in CONFIRMERS]})"  # noqa: S608


def seen_draft(asking: Asking, draft_id: int) -> PackDraft:
    """A draft for a creditor that the visitor may see.

    Raises:
        MissingError: there is none, or it is for others only: nobody learns which.
    """
    draft = asking.session.get(PackDraft, draft_id)
    if draft is None or not _seen(draft, asking.visitor):
        raise missing("draft", draft_id)
    return draft


def read_draft(asking: Asking, draft_id: int) -> DraftSheet:
    """A draft and what it changes, without its impact: that is a page of its own."""
    draft = seen_draft(asking, draft_id)
    seen = _seen(draft, asking.visitor)
    present = {row["code"]: row["pack_id"] for row in asking.rows(PRESENT, creditors=list(asking.visitor.creditor_ids))}
    waits = draft.state == DraftState.SUBMITTED
    bases = {code: draft.bases[code] for code in seen}
    names = _names(asking, [base for base in bases.values() if base is not None])
    compiled = load_pack(draft.files)
    against = [
        Against(base, [code for code, own in bases.items() if own == base], compare(asking.engine.pack(base), compiled))
        for base in names
    ]
    return DraftSheet(
        draft_id=draft_id,
        creditors=[
            Wanted(code, base, names[base] if base else "none", waits and present[code] != base)
            for code, base in bases.items()
        ],
        others=len(draft.bases) - len(seen),
        yours=draft.submitted_by == asking.visitor.login,
        decided_by=[str(role) for role in CONFIRMERS],
        against=against,
        **draft.model_dump(
            include={
                *("name", "content_hash", "state", "note", "move_running", "submitted_by", "submitted_at"),
                *("ended_by", "ended_at", "reason", "pack_id"),
            }
        ),
    )


def _names(asking: Asking, bases: list[int]) -> dict[int, str]:
    rows = asking.rows("SELECT id, name, version FROM policy_pack WHERE id = ANY(:ids) ORDER BY id", ids=bases)
    return {row["id"]: f"{row['name']} {row['version']}" for row in rows}


def _seen(draft: PackDraft, visitor: Visitor) -> list[str]:
    return [each.code for each in visitor.creditors if each.code in draft.bases]


def _creditors(asking: Asking, pack_id: int) -> Mapping[str, list[Choice]]:
    del pack_id
    return {"creditors": [Choice(each.code, f"{each.name} ({each.code})") for each in asking.visitor.creditors]}


def _begin(asking: Asking, pack_id: int) -> Mapping[str, Any]:
    """The pack's rules, and of its templates those of the language that is asked for."""
    files, wanted = files_of(asking.session, pack_id), asking.query.get("templates", "")
    shown = {
        path: text
        for path, text in sorted(files.items(), key=rules_first)
        if not path.startswith(TEMPLATES) or path.startswith(f"{TEMPLATES}{wanted}/")
    }
    return {"files": shown, "creditors": followers(asking, pack_id)}


def _submit(acting: Acting, form: Change, pack_id: int) -> Done:
    with acting.engine.database.reading() as session:
        files = files_of(session, pack_id)
    unseen = set(form.creditors) - {each.code for each in acting.visitor.creditors}
    if unseen:
        raise missing("creditor", min(unseen))
    if (form.new_file is None) != (form.new_text is None):
        raise UsageError("A new file needs its path and its text.", advice="Fill in both, or neither.")
    files |= form.files | ({form.new_file: form.new_text or ""} if form.new_file else {})
    files = {path: text for path, text in files.items() if text.strip()}
    draft = submit_pack(
        acting.engine,
        files,
        form.note,
        acting.visitor.login,
        acting.now,
        form.creditors,
        move_running=form.move_running,
    )
    told = f"Draft {draft.id} waits for a second person. Look at its impact before they do."
    return Done(told, ONE.format(draft_id=draft.id), {"draft_id": draft.id, "content_hash": draft.content_hash})


def _confirm(acting: Acting, form: WithReason, draft_id: int) -> Done:
    _require_seen(acting, draft_id)
    done = confirm_pack(acting.engine, draft_id, acting.visitor.login, form.reason, acting.now)
    made = done.published
    moved = sum(each.rounds for each in done.moved.values())
    told = f"{made.name} version {made.version} is published: new rounds of {', '.join(made.creditors)} follow it."
    told += f" {moved} rounds that run were moved to it." if done.moved else ""
    data = {"pack_id": made.pack_id, "moved": {code: vars(each) for code, each in done.moved.items()}}
    return Done(told, ONE.format(draft_id=draft_id), data)


def _refuse(acting: Acting, form: WithReason, draft_id: int) -> Done:
    _require_seen(acting, draft_id)
    refuse_pack(acting.engine, draft_id, acting.visitor.login, form.reason, acting.now)
    return Done(f"Draft {draft_id} is refused.", ONE.format(draft_id=draft_id))


def _withdraw(acting: Acting, form: WithReason, draft_id: int) -> Done:
    _require_seen(acting, draft_id)
    withdraw_pack(acting.engine, draft_id, acting.visitor.login, form.reason, acting.now)
    return Done(f"Draft {draft_id} is taken back.", ONE.format(draft_id=draft_id))


def _move(acting: Acting, form: WithReason, creditor: str) -> Done:
    as_of = acting_date(acting.engine, creditor, acting.now)
    creditor_id = acting.engine.creditor_id(creditor)
    moved = move_running(acting.engine, creditor_id, acting.visitor.login, form.reason, as_of, acting.now)
    told = f"{moved.rounds} rounds were moved, {moved.kept} keep their version."
    told += f" {moved.taken_back} proposals were taken back."
    return Done(told, "/journeys", {"rounds": moved.rounds, "kept": moved.kept, "taken_back": moved.taken_back})


def _require_seen(acting: Acting, draft_id: int) -> None:
    with acting.engine.database.reading() as session:
        seen_draft(Asking(acting.engine, acting.visitor, session, acting.now), draft_id)


ACTS = (
    Act(
        PACKS + "/{pack_id}/change",
        "Submit a change",
        "All of it is checked, down to the words; then a second person publishes it or not. Nothing changes before.",
        Change,
        _submit,
        PUBLISHERS,
        choices=_creditors,
        first=_begin,
    ),
    Act(
        ONE + "/confirm",
        "Confirm",
        "It is published for good, as it was shown; neither of the two who did it approves what follows from it.",
        WithReason,
        _confirm,
        CONFIRMERS,
        grave=True,
    ),
    Act(ONE + "/refuse", "Refuse", "It is not published.", WithReason, _refuse, CONFIRMERS),
    Act(ONE + "/withdraw", "Take back", "Your own draft ends here.", WithReason, _withdraw, PUBLISHERS),
    Act(
        "/journeys/{creditor}/move",
        "Move rounds that run",
        "Rounds on earlier versions go on in the one in force, where they stood; what is proposed and not begun is"
        " taken back and decided afresh.",
        WithReason,
        _move,
        MOVERS,
        grave=True,
    ),
)
