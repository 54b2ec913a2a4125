"""What a replay found otherwise than it was: by what it is about and column, from two frames that should be alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import polars.selectors as cs

from maatpak.ledger.store import EvidenceStore

MOST_TOLD = 50
"""Differences told of one column."""
NEARLY = 1e-9
"""Shares and means are sums in an order of their own; two that are this near are the same."""


@dataclass(frozen=True)
class Difference:
    """Something that a replay computed otherwise than it was."""

    what: str
    """facts, steps, decisions, items, payments, packs, tick, snapshots or evidence."""
    case_id: int | None
    about: str
    """Of a case: its step, if any; else the document, payment, file or tick."""
    column: str
    then: str
    now: str


def differing_rows(
    what: str, then: pl.DataFrame, now: pl.DataFrame, key: Sequence[str], about: Sequence[str] = ("step",)
) -> list[Difference]:
    """Rows that only one of them has, and columns in which they differ."""
    keys = list(key)
    found: list[Difference] = []

    def note(rows: pl.DataFrame, column: str, was: str, is_: str) -> None:
        for row in rows.head(MOST_TOLD).iter_rows(named=True):
            named = " ".join(str(row[name]) for name in about if name in keys and row[name] is not None)
            found.append(
                Difference(what, row.get("case_id"), named, column, str(row.get(was, was)), str(row.get(is_, is_)))
            )

    note(then.join(now, on=keys, how="anti", nulls_equal=True), "row", "there", "gone")
    note(now.join(then, on=keys, how="anti", nulls_equal=True), "row", "absent", "there")
    shared = [name for name in then.columns if name in now.columns and name not in keys]
    both = then.join(now.select(*keys, *shared), on=keys, how="inner", suffix="__now", nulls_equal=True)
    floats = set(then.select(cs.float()).columns)
    for name in shared:
        differs = pl.col(name).ne_missing(pl.col(f"{name}__now"))
        if name in floats:
            near = (pl.col(name) - pl.col(f"{name}__now")).abs() <= NEARLY * pl.max_horizontal(1.0, pl.col(name).abs())
            differs &= ~near.fill_null(value=False)
        note(both.filter(differs), name, name, f"{name}__now")
    for name in sorted(set(then.columns) ^ set(now.columns)):
        was, is_ = ("a column", "none") if name in then.columns else ("none", "a column")
        found.append(Difference(what, None, "", name, was, is_))
    return found


def read_kept(store: EvidenceStore, key: str) -> tuple[pl.DataFrame | None, str | None]:
    """An evidence frame, and what is wrong with it, if anything; a changed one is read all the same, to say where."""
    problem = store.problem(key)
    if problem is None:
        return store.get_frame(key), None
    path = store.path(key)
    if path is None or not path.exists():
        return None, problem
    try:
        return pl.read_parquet(path), problem
    except (pl.exceptions.PolarsError, OSError):
        return None, f"{problem} and cannot be read"
