"""An import against its bounds: the order of days, the last full file, and how much of it would be set apart."""

from datetime import date

import polars as pl

from connectors.ledgers.raw import ROW_CUT_OFF
from connectors.ledgers.source import LedgerSource
from tasks.intake.known import Known
from tasks.intake.plan import Plan
from tasks.intake.sifting import Sifted
from tasks.quality.file_rules import FileMeasures


def measure_time(measures: FileMeasures, source: LedgerSource, as_of: date, known: Known) -> None:
    """Days come in their order, and a history once."""
    last, history = known.last, source.mode == "history"
    behind = (last.as_of - as_of).days if last is not None and last.kind != "history" else 0
    told = f"The file speaks for {as_of}, an earlier import of this source for {last.as_of if last else None}."
    measures.at_most("older_than_last", "files", behind, 0, told, "Import days in their order.")
    until = known.history_until
    within = (until - as_of).days if until is not None and not history else 0
    told = f"The file speaks for {as_of}, and the creditor's history tells of all days up to {until}."
    measures.at_most("within_history", "files", within, 0, told, "Import the ledger of a later day.")
    again = history and last is not None
    told = "A history is loaded once, and this source was loaded before."
    measures.at_most("history_loaded", "files", float(again), 0, told, "Load later days with a full or delta source.")


def measure_quarantine(measures: FileMeasures, source: LedgerSource, sifted: Sifted) -> None:
    """Too many rows set apart say that the file, or the source, is wrong."""
    apart = sifted.set_apart().group_by("table_name").len()
    counts = dict(apart.iter_rows())
    bounds = source.bounds
    for role, rows in sifted.row_counts.items():
        count = counts.get(role, 0)
        share = count / rows if rows >= bounds.compare_from_rows else 0.0
        told = f"{count} of {rows} rows of the {role} would be set apart."
        measures.at_most(
            "quarantined_share", role, share, bounds.max_quarantined, told, "Look at the findings of the rows first.",
            "max_quarantined",
        )  # fmt: skip


def measure_change(measures: FileMeasures, source: LedgerSource, known: Known, rows: int, plan: Plan) -> None:
    """Against the last full file: far fewer rows, or a balance that jumped."""
    last, bounds = known.last_full, source.bounds
    if source.mode != "full" or last is None or last.row_count < bounds.compare_from_rows:
        return
    drop = (last.row_count - rows) / last.row_count
    told = f"The file has {rows} rows, the last one had {last.row_count}."
    advice = "Is it cut off? If it is right, have a credit manager accept the bound for this file."
    measures.at_most("row_drop", "items", drop, bounds.max_row_drop, told, advice, "max_row_drop")
    for currency in sorted(set(plan.balances) | set(last.balances)):
        before, after = last.balances.get(currency, 0), plan.balances.get(currency, 0)
        jump = abs(after - before) / abs(before) if before else float(currency in last.balances and after != 0)
        told = f"The open balance in {currency} goes from {before} to {after} (minor units)."
        measures.at_most(
            "balance_jump", f"items.{currency}", jump, bounds.max_balance_jump, told, advice, "max_balance_jump"
        )


def measure_end(measures: FileMeasures, sifted: Sifted, plan: Plan) -> None:
    """A file that ends in the middle of a line, and lacks what was open before, has lost its end."""
    apart = sifted.set_apart()
    cut_off = apart.filter((pl.col("table_name") == "items") & (pl.col("rules") == ROW_CUT_OFF)).height
    gone = int(plan.left["settled_estimated"].sum()) if cut_off else 0
    told = f"The file ends without a line break, and {gone} items that were open are not in it: it seems to be cut off."
    advice = "Export it again; `final_line_break: false` in the source if the export never writes one."
    measures.at_most("file_cut_off", "items", gone, 0, told, advice)
