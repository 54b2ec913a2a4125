"""What people decided on quarantined rows holds on: the same row in tomorrow's file is treated the same way.

A released row takes its correction again and is not held up by what the person waived; a discarded one is left out.
Only a row that is equal in every cell is the same row.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl

from connectors.ledgers.canonical import FILE, Mapped
from connectors.ledgers.columns import FILE_COLUMNS, Kind
from connectors.ledgers.raw import ROW
from connectors.ledgers.source import LedgerSource, Role
from tasks.quality.gate import WAIVED

TEXT = "text"
"""Key under which a quarantined row that could not be read keeps its line."""


def as_read(cells: pl.DataFrame) -> list[str]:
    """Canonical columns of a frame of cells."""
    return [name for name in cells.columns if name not in (FILE, ROW, WAIVED)]


def written_as_source(source: LedgerSource, role: Role, correction: Mapping[str, str | None]) -> dict[str, str | None]:
    """A person's correction (ISO dates, plain amounts) as the source would have written it."""
    spelled = dict(correction)
    for name, value in correction.items():
        kind = FILE_COLUMNS[role][name].kind
        if value is None:
            continue
        if kind is Kind.MONEY:
            spelled[name] = value.replace(".", source.number_format(role).decimal)
        elif kind is Kind.DATE:
            spelled[name] = source.date_formats(role, name)[0].write(date.fromisoformat(value))
    return spelled


def apply_resolutions(source: LedgerSource, mapped: Mapped, resolutions: pl.DataFrame) -> tuple[Mapped, pl.DataFrame]:
    """The cells with people's decisions applied, and the rows that were left out by them."""
    decided = resolutions.filter(pl.col("table_name") == mapped.role)
    left_out = mapped.cells.select(FILE, ROW).clear()
    if decided.is_empty():
        return mapped, left_out
    mapped = _resolve_broken(source, mapped, decided)
    columns = as_read(mapped.cells)
    rows = [row for row in map(_unfolded, decided.iter_rows(named=True)) if set(row["raw"]) == set(columns)]
    if not rows:
        return mapped, left_out
    keyed = pl.DataFrame(
        [{**{f"raw {name}": row["raw"][name] for name in columns}, "at": at} for at, row in enumerate(rows)],
        schema={**{f"raw {name}": pl.String for name in columns}, "at": pl.Int64},
    )
    cells = mapped.cells.join(
        keyed, left_on=columns, right_on=[f"raw {name}" for name in columns], how="left", nulls_equal=True,
        maintain_order="left",
    )  # fmt: skip
    discarded = [at for at, row in enumerate(rows) if row["state"] == "discarded"]
    left_out = cells.filter(pl.col("at").is_in(discarded)).select(FILE, ROW)
    cells = cells.filter(pl.col("at").is_null() | ~pl.col("at").is_in(discarded))
    cells = _with_waivers(cells, {at: row["rules"] for at, row in enumerate(rows)})
    for at, row in enumerate(rows):
        for name, value in written_as_source(source, mapped.role, row["correction"]).items():
            cells = cells.with_columns(
                pl.when(pl.col("at") == at).then(pl.lit(value, dtype=pl.String)).otherwise(name).alias(name)
            )
    return replace(mapped, cells=cells.drop("at")), left_out


def _with_waivers(cells: pl.DataFrame, rules: Mapping[int, str]) -> pl.DataFrame:
    waived = pl.col("at").replace_strict(
        {at: f",{listed}," for at, listed in rules.items()}, default=None, return_dtype=pl.String
    )
    own = pl.col(WAIVED) if WAIVED in cells.columns else pl.lit(None, dtype=pl.String)
    return cells.with_columns(pl.coalesce(waived, own).alias(WAIVED))


def _unfolded(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "raw": json.loads(row["raw"]), "correction": json.loads(row["correction"] or "{}")}


def _resolve_broken(source: LedgerSource, mapped: Mapped, decided: pl.DataFrame) -> Mapped:
    """Lines that could not be read: left out, or replaced by the row that a person made of them."""
    by_text = {row["raw"][TEXT]: row for row in map(_unfolded, decided.iter_rows(named=True)) if TEXT in row["raw"]}
    if not by_text or mapped.broken.is_empty():
        return mapped
    cells = mapped.cells
    mended = []
    for row in mapped.broken.filter(pl.col("text").is_in(list(by_text))).iter_rows(named=True):
        decision = by_text[row["text"]]
        if decision["state"] == "released":
            spelled = written_as_source(source, mapped.role, decision["correction"])
            mended.append({FILE: row[FILE], ROW: row[ROW], **spelled})
    if mended:
        cells = pl.concat([cells, pl.DataFrame(mended, schema_overrides=cells.schema)], how="diagonal").select(
            cells.columns
        )
    return replace(mapped, cells=cells, broken=mapped.broken.filter(~pl.col("text").is_in(list(by_text))))
