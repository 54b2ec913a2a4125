"""What intake costs: a million rows clean, a million rows that all fail three rules, and memory over many imports.

    python -m benchmarks.intake [rows]

Each measure runs in a process of its own, so that its peak memory is its own too.
"""

import gc
import json
import multiprocessing
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from benchmarks.measure import peak_memory, timed
from benchmarks.scratch import scratch
from connectors.ledgers.source import LedgerSource
from connectors.ledgers.source_file import parse_source
from maatpak.ledger.database import Database
from tasks.intake import ingest_ledger

ROWS = 1_000_000
MEMORY_ROWS = 20_000
DEBTORS_SHARE = 5
"""Items a debtor."""
AS_OF = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)

SOURCE = """
name: bench
mode: full
creditor: {code: BENCH, name: Bench B.V., country: NL, language: nl, currency: EUR, time_zone: Europe/Amsterdam}
dates: D-M-YYYY
numbers: {decimal: ","}
currencies: [EUR]
bounds: {max_quarantined: 1, compare_from_rows: 10}
files:
  items:
    match: "items*.csv"
    columns:
      debtor_no: account
      document_no: document
      document_type: type
      issued_on: issued
      due_on: due
      currency: currency
      amount: amount
      open_amount: open
      reference: reference
    values:
      document_type: {RE: invoice, GS: credit_note}
  debtors:
    match: "debtors*.csv"
    columns:
      debtor_no: account
      name: name
      kind: kind
      country: country
      language: language
      email: email
      phone: phone
      street: street
      postal_code: zip
      city: town
"""


def write_ledger(folder: Path, rows: int, fault: str = "none", batch: int = 0) -> list[Path]:
    """A ledger of so many items, written as an accounting package would; `fault` spoils every row in three ways."""
    debtors = max(rows // DEBTORS_SHARE, 1)
    number = pl.int_range(rows, dtype=pl.Int64).alias("n")
    items = pl.select(number).select(
        (pl.lit("C") + (pl.col("n") % debtors).cast(pl.String).str.zfill(7)).alias("account"),
        (pl.lit("F") + pl.col("n").cast(pl.String).str.zfill(9)).alias("document"),
        pl.when(pl.col("n") % 50 == 7).then(pl.lit("GS")).otherwise(pl.lit("RE")).alias("type"),
        _day(AS_OF - timedelta(days=200), pl.col("n") % 150).alias("issued"),
        _day(AS_OF - timedelta(days=170), pl.col("n") % 150).alias("due"),
        pl.lit("EUR").alias("currency"),
        _amount(pl.col("n") * 37 % 500_000 + 1_000).alias("amount"),
        _amount(pl.col("n") * 37 % 500_000 + 900 + batch).alias("open"),
        pl.lit("").alias("reference"),
    )
    match fault:
        case "quarantine":  # no due date, a currency that nobody listed, more open than invoiced
            more = _amount(pl.int_range(pl.len()) + 60_000_000)
            items = items.with_columns(pl.lit("").alias("due"), pl.lit("USD").alias("currency"), more.alias("open"))
        case "warn":  # zero, due before issued, and issued after the day that the file speaks for
            nothing = [pl.lit("0,00").alias(name) for name in ("amount", "open")]
            later = _day(AS_OF + timedelta(days=1), pl.int_range(pl.len()) % 30)
            early = _day(AS_OF - timedelta(days=29), pl.int_range(pl.len()) % 30)
            items = items.with_columns(*nothing, later.alias("issued"), early.alias("due"))
    paths = [folder / f"items{batch}.csv", folder / f"debtors{batch}.csv"]
    items.write_csv(paths[0], separator=";")
    _debtors(debtors).write_csv(paths[1], separator=";")
    return paths


def _debtors(count: int) -> pl.DataFrame:
    number = pl.int_range(count, dtype=pl.Int64).alias("n")
    text = pl.col("n").cast(pl.String)
    return pl.select(number).select(
        (pl.lit("C") + text.str.zfill(7)).alias("account"),
        (pl.lit("Customer ") + text).alias("name"),
        pl.lit("business").alias("kind"),
        pl.lit("NL").alias("country"),
        pl.lit("nl").alias("language"),
        (pl.lit("ap") + text + pl.lit("@customer.example")).alias("email"),
        (pl.lit("+3197") + text.str.zfill(8)).alias("phone"),
        (pl.lit("Dorpsstraat ") + (pl.col("n") % 200).cast(pl.String)).alias("street"),
        pl.lit("1234 AB").alias("zip"),
        pl.lit("Utrecht").alias("town"),
    )


def _day(start: date, offset: pl.Expr) -> pl.Expr:
    return (pl.lit(start) + pl.duration(days=offset)).dt.strftime("%d-%m-%Y")


def _amount(minor: pl.Expr) -> pl.Expr:
    whole, cents = (minor // 100).cast(pl.String), (minor % 100).cast(pl.String).str.zfill(2)
    return whole + pl.lit(",") + cents


def source() -> LedgerSource:
    """The source of the generated ledgers."""
    return parse_source("bench.yaml", SOURCE)


def measure_import(rows: int, fault: str) -> dict[str, float]:
    """One import: seconds, rows set apart, findings, and the process's peak memory."""
    chosen = source()
    if fault == "quarantine":
        chosen = chosen.model_copy(update={"bounds": chosen.bounds.model_copy(update={"max_other_currency": 1.0})})
    with scratch() as server:
        server.prepare("intake", _nothing)
        with server.engine("intake") as engine:
            paths = write_ledger(server.folder, rows, fault)
            seconds: list[float] = []
            with timed(seconds):
                report = ingest_ledger(engine, chosen, paths, AS_OF, NOW, None)
    return {
        "seconds": round(seconds[0], 1),
        "rows": report.rows,
        "quarantined": report.quarantined,
        "findings": report.findings.height,
        "peak_memory": peak_memory(),
    }


def measure_memory(rows: int, imports: int = 30) -> dict[str, float]:
    """Resident memory after 3 imports and after many, each of a day of its own and with every row changed."""
    after = {}
    with scratch() as server:
        server.prepare("intake", _nothing)
        with server.engine("intake") as engine:
            for batch in range(1, imports + 1):
                paths = write_ledger(server.folder, rows, batch=batch)
                on, now = AS_OF + timedelta(days=batch), NOW + timedelta(days=batch)
                ingest_ledger(engine, source(), paths, on, now, None)
                gc.collect()
                after[batch] = resident_mb()
    return {"after_3_mb": round(after[3]), "after_all_mb": round(after[imports]),
            "growth_mb": round(after[imports] - after[3])}  # fmt: skip


def resident_mb() -> float:
    """Memory of this process now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def _nothing(database: Database) -> None:
    """The schema is all that the database needs."""
    del database


def _alone(function: Callable[..., dict[str, float]], *arguments: object) -> dict[str, float]:
    """The result of a measure in a fresh process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def run(rows: int = ROWS) -> dict[str, object]:
    """All measures: `good` and `bad` in seconds, `growth_mb`, the highest `peak_memory`, and what each was."""
    measures = {
        "clean": _alone(measure_import, rows, "none"),
        "all_quarantined": _alone(measure_import, rows, "quarantine"),
        "all_warned": _alone(measure_import, rows, "warn"),
    }
    memory = _alone(measure_memory, min(rows, MEMORY_ROWS))
    return {
        "good": measures["clean"]["seconds"],
        "bad": max(measures["all_quarantined"]["seconds"], measures["all_warned"]["seconds"]),
        "growth_mb": memory["growth_mb"],
        "peak_memory": max(measure["peak_memory"] for measure in measures.values()),
        "measures": {**measures, "memory": memory},
    }


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)))
