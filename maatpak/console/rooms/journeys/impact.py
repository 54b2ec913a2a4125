"""The impact sheet before publishing: how today's real cases would fare with a draft, worked out when somebody asks.

It takes seconds where there are many cases, so the newest sheets are kept in memory: each is of one draft, one
creditor, one way, and one event, the last one when it was asked for.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from threading import Lock
from typing import Any

import polars as pl

from maatpak.console.frame.asking import Asking
from maatpak.console.frame.declared import READERS
from maatpak.console.frame.drawing import day
from maatpak.console.frame.fields import as_words
from maatpak.console.frame.problems import missing
from maatpak.console.rooms.journeys.drafts import seen_draft
from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import DraftState
from policies.pack import load_pack
from tasks.impact import ImpactCount, ImpactKind, ImpactSheet, impact

PAGE = 50
MOST_KEPT = 4
QUERY = {
    "creditor": "Code of the creditor; the first one of the draft that the visitor may see without one.",
    "way": "`new`: only new rounds follow the draft; `move`: those that run are moved to it, too.",
    "kind": "Only cases that would fare otherwise in this way.",
    "segment": "Only cases of this segment.",
    "from": "How many cases come before the first one shown.",
    "seen": "Number of the event that a sheet was asked for at, to go on in that sheet.",
}
MEANINGS = {
    ImpactKind.SEGMENT: "are put on another segment's journey",
    ImpactKind.OPENS_ROUND: "begin a round",
    ImpactKind.NO_ROUND: "begin no round",
    ImpactKind.ACTS: "get a step today instead of waiting",
    ImpactKind.WAITS: "wait today instead of getting a step",
    ImpactKind.OTHER_STEP: "get another step today",
    ImpactKind.BESIDE: "get other work beside it",
    ImpactKind.CHANNEL: "are reached on another channel",
    ImpactKind.WORDS: "read other words",
    ImpactKind.APPROVAL: "need another approval",
    ImpactKind.OTHERWISE: "get the same step with another date, amount or recipient",
    ImpactKind.SKIPS: "skip a step",
    ImpactKind.SKIPS_NOT: "no longer skip a step",
    ImpactKind.REASON: "wait for another reason or step",
    ImpactKind.SOONER: "come next sooner",
    ImpactKind.LATER: "come next later",
    ImpactKind.MORE_MESSAGES: "get more messages on the way ahead",
    ImpactKind.FEWER_MESSAGES: "get fewer messages on the way ahead",
    ImpactKind.TAKEN_BACK: "have a proposal taken back",
}
"""What cases would do, by kind of change."""
NAMES = """
SELECT k.id, d.debtor_no, COALESCE(p.name, d.debtor_no) AS name FROM "case" k JOIN debtor d ON d.id = k.debtor_id
LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL WHERE k.id = ANY(:ids)
"""


@dataclass(frozen=True)
class CountShown:
    """Cases that would fare otherwise in one way."""

    kind: str
    meaning: str
    segment: str
    currency: str
    cases: int
    overdue: int
    """Minor units."""


@dataclass(frozen=True)
class CaseShown:
    """One case that would fare otherwise."""

    case_id: int
    debtor_no: str
    name: str
    currency: str
    overdue: int
    kinds: list[str]
    before: str
    """As things are."""
    after: str
    """With the draft."""
    messages_before: int
    """On the way ahead of its round, as the facts stand now."""
    messages_after: int


@dataclass(frozen=True)
class ImpactPage:
    """What publishing a draft would change for one creditor's cases today."""

    draft_id: int
    name: str
    note: str
    creditor: str
    creditors: list[str]
    """That it can be looked at for."""
    move_running: bool
    """Whether rounds that run are moved in this sheet."""
    as_asked: bool
    """Whether the draft says so, too."""
    as_of: date
    event: int
    """The last event when it was worked out."""
    seen: int
    """All cases."""
    changed: int
    """Those that would fare otherwise."""
    fits: int
    """Of these the ones of the kind and segment that are chosen."""
    moved: int
    """Rounds that would be moved to the new version."""
    kept: int
    """Rounds that would keep theirs although the others are moved."""
    counts: list[CountShown]
    kind: str
    segment: str
    cases: list[CaseShown]
    """A page of them, the largest amount first; empty for who sees no customers."""
    first: int
    """How many come before them."""
    size: int


class Kept:
    """The newest sheets. One is worked out at a time: each takes as much memory as a day's tick."""

    def __init__(self) -> None:
        self._sheets: OrderedDict[tuple[Any, ...], tuple[ImpactSheet, int]] = OrderedDict()
        self._lock = Lock()

    def holds(self, key: tuple[Any, ...]) -> bool:
        """Whether the sheet of a key is still kept."""
        return key in self._sheets

    def sheet(self, key: tuple[Any, ...], work_out: Callable[[], ImpactSheet]) -> tuple[ImpactSheet, int]:
        """The sheet of a key with the changed cases only, and how many cases there are in all."""
        with self._lock:
            if key not in self._sheets:
                made = work_out()
                self._sheets[key] = replace(made, cases=made.changed), made.cases.height
                if len(self._sheets) > MOST_KEPT:
                    self._sheets.popitem(last=False)
            self._sheets.move_to_end(key)
            return self._sheets[key]


KEPT = Kept()


def read_impact(asking: Asking, draft_id: int) -> ImpactPage:
    """The sheet of a draft that waits, worked out now or kept since the last event."""
    draft = seen_draft(asking, draft_id)
    if draft.state != DraftState.SUBMITTED:
        raise UsageError(
            f"Draft {draft_id} is {draft.state}: its impact is history.", advice="Its own page says what it changed."
        )
    creditors = [each for each in asking.visitor.creditors if each.code in draft.bases]
    asked = asking.query.get("creditor") or creditors[0].code
    creditor = next((each for each in creditors if each.code == asked), None)
    if creditor is None:
        raise missing("creditor", asked)
    if creditor.business_date is None:
        raise UsageError(f"{asked} has no business date yet.", advice="There are cases once its first day was run.")
    way = asking.query.get("way") or ("move" if draft.move_running else "new")
    if way not in ("new", "move"):
        raise missing("way", way)
    move = way == "move"
    as_of = creditor.business_date
    event = _number(asking, "seen")
    key = (asking.engine.settings.workspace, draft.content_hash, creditor.id, move, as_of)
    if event is None or not KEPT.holds((*key, event)):
        event = int(asking.rows("SELECT seq FROM event_head")[0]["seq"])
    pack = load_pack(draft.files)
    sheet, seen = KEPT.sheet(
        (*key, event),
        lambda: impact(asking.engine, creditor.id, pack, as_of, asking.now, move_running=move),
    )
    kind, segment = asking.query.get("kind", ""), asking.query.get("segment", "")
    fitting = _fitting(sheet.cases, kind, segment)
    first = _number(asking, "from") or 0
    rows = fitting.slice(first, PAGE) if asking.visitor.role in READERS else fitting.clear()
    return ImpactPage(
        draft_id=draft_id,
        name=draft.name,
        note=draft.note,
        creditor=creditor.code,
        creditors=[each.code for each in creditors],
        move_running=move,
        as_asked=move == draft.move_running,
        as_of=as_of,
        event=event,
        seen=seen,
        changed=sheet.cases.height,
        fits=fitting.height,
        moved=sheet.moved,
        kept=sheet.kept,
        counts=[_count(each) for each in sheet.counts],
        kind=kind,
        segment=segment,
        cases=_cases(asking, rows),
        first=first,
        size=PAGE,
    )


def _fitting(cases: pl.DataFrame, kind: str, segment: str) -> pl.DataFrame:
    found = cases.filter(pl.col("kinds").list.contains(kind)) if kind else cases
    return found.filter(pl.col("before_segment") == segment) if segment else found


def _count(each: ImpactCount) -> CountShown:
    return CountShown(str(each.kind), MEANINGS[each.kind], each.segment, each.currency, each.cases, each.overdue)


def _cases(asking: Asking, rows: pl.DataFrame) -> list[CaseShown]:
    named = {row["id"]: row for row in asking.rows(NAMES, ids=rows["case_id"].to_list())} if rows.height else {}
    return [
        CaseShown(
            case_id=row["case_id"],
            debtor_no=named[row["case_id"]]["debtor_no"],
            name=named[row["case_id"]]["name"],
            currency=row["currency"],
            overdue=row["overdue_open"],
            kinds=row["kinds"],
            before=_side(row, "before"),
            after=_side(row, "after"),
            messages_before=row["before_messages_ahead"],
            messages_after=row["after_messages_ahead"],
        )
        for row in rows.iter_rows(named=True)
    ]


def _side(row: dict[str, Any], side: str) -> str:
    """What a case gets today, in a line."""
    step, next_step, on = (row[f"{side}_{name}"] for name in ("step", "next_step", "next_on"))
    if step:
        told = f"{as_words(step)} today"
    else:
        follows = f", then {as_words(next_step).lower()}{f' from {day(on)}' if on else ''}" if next_step else ""
        told = f"{as_words(row[f'{side}_reason'] or 'nothing')}{follows}"
    skipped = row[f"{side}_skipped"]
    passed = f"; skips {', '.join(as_words(each).lower() for each in skipped)}" if skipped else ""
    return f"{as_words(row[f'{side}_segment'])}: {told[:1].lower()}{told[1:]}{passed}"


def _number(asking: Asking, name: str) -> int | None:
    given = asking.query.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None
