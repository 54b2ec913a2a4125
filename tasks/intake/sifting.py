"""One creditor's part of a ledger through the gate: what is accepted, what is set apart, and why.

The order is that of meaning: debtors first, for an item needs one; items next, for a payment may wait for one; then
what stands beside them. Where the file of items tells of the debtors too, its accepted rows do.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import polars as pl

from connectors.ledgers.broken import meant
from connectors.ledgers.canonical import AMBIGUOUS, FILE, SWAPPED, Mapped, fault_of, text_of, type_columns
from connectors.ledgers.columns import FILE_COLUMNS, OF_DEBTORS, Kind
from connectors.ledgers.raw import ROW, ROW_BROKEN, ROW_CUT_OFF
from connectors.ledgers.source import Role
from maatpak.kernel.money import to_decimal, to_minor
from maatpak.kernel.words import ItemType, Severity
from tasks.intake.resolutions import TEXT, as_read
from tasks.quality.checks import Holds, Rule
from tasks.quality.common_rules import SHEET_FAULT, Import
from tasks.quality.debtor_rules import (
    NAMES_VARY,
    beside_rules,
    debtor_cells_rules,
    debtor_rules,
    measure_beside,
    measure_debtors,
    reach_rules,
)
from tasks.quality.file_rules import FileMeasures
from tasks.quality.gate import Gate
from tasks.quality.item_measures import REPEAT, ZEROS_LOST, KnownItems, measure_items
from tasks.quality.item_rules import item_rules
from tasks.quality.payment_rules import TARGET_DEBTOR, TARGETS, measure_payments, number_payments, payment_rules

QUARANTINED = {
    "table_name": pl.String,
    "file": pl.String,
    "row_no": pl.Int64,
    "debtor_no": pl.String,
    "document_no": pl.String,
    "dated_on": pl.Date,
    "rules": pl.String,
    "raw": pl.String,
}
"""Columns of a frame of rows that are set apart."""

A_FEW = 3
"""So many bad cells say nothing yet about a whole file."""


@dataclass
class Sifted:
    """What the gate made of a creditor's part of a ledger."""

    accepted: dict[str, pl.DataFrame] = field(default_factory=dict)
    """Typed rows by table."""
    quarantined: list[pl.DataFrame] = field(default_factory=list)
    row_counts: dict[str, int] = field(default_factory=dict)
    repeats: int = 0
    payments_before: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"payment_no": pl.String}))
    """Payments of the file that are known already."""

    def set_apart(self) -> pl.DataFrame:
        """All rows that are set apart."""
        return pl.concat(self.quarantined) if self.quarantined else pl.DataFrame(schema=QUARANTINED)


@dataclass
class Sieve:
    """Takes the tables of one creditor through the gate, in order."""

    gate: Gate
    about: Import
    measures: FileMeasures
    known_items: KnownItems
    known_debtors: pl.Series
    known_payments: Callable[[pl.DataFrame], pl.DataFrame]
    sifted: Sifted = field(default_factory=Sifted)

    def sift(self, tables: dict[Role, Mapped]) -> Sifted:
        """Sift every table that the source has; `tables` is emptied on the way, a million rows weigh."""
        for role, mapped in tables.items():
            self._lines(role, mapped)
            self.sifted.row_counts[role] = mapped.row_count
        broken = {role: mapped.broken for role, mapped in tables.items()}
        for role, sift in (("debtors", self._debtors), ("items", self._items), ("payments", self._payments)):
            if role in tables:
                sift(mapped := tables.pop(role), self._typed(mapped))
        for role in ("contacts", "tickets"):
            if role in tables:
                self._beside(mapped := tables.pop(role), self._typed(mapped))
        for role, lines in broken.items():
            self._set_lines_apart(role, lines)
        return self.sifted

    def _typed(self, mapped: Mapped) -> pl.DataFrame:
        frame = type_columns(self.about.source, mapped, self.about.currency)
        if mapped.suspect.height:
            worst = mapped.suspect.sort("fault", descending=True).group_by(FILE, ROW, maintain_order=True).first()
            worst = worst.select(FILE, ROW, pl.col("fault").alias(SHEET_FAULT))
            frame = frame.join(worst, on=[FILE, ROW], how="left", maintain_order="left")
        self._measure_dates(mapped.role, frame)
        return frame

    def _measure_dates(self, role: Role, frame: pl.DataFrame) -> None:
        """The worst column of dates: how much of it is unreadable, and whether day and month change places in it."""
        unreadable, doubtful = (0.0, "No date is unreadable."), (0.0, "Day and month keep their places.")
        for name in [name for name in frame.columns if name in FILE_COLUMNS[role] and fault_of(name) in frame.columns]:
            if FILE_COLUMNS[role][name].kind is not Kind.DATE:
                continue
            fault, filled = frame[fault_of(name)], frame.height - frame[text_of(name)].null_count()
            bad, mixed = int((fault != 0).sum()), int((fault == SWAPPED).sum())
            share = bad / filled if bad >= A_FEW else 0.0
            told = f"{bad} of {filled} cells in {name} of the {role} are no dates in a format of the source."
            unreadable = max(unreadable, (share, told))
            doubt = int((fault == AMBIGUOUS).sum()) + (mixed if mixed >= max(A_FEW, filled / 100) else 0)
            told = f"{doubt} cells in {name} of the {role} show that day and month are not always in the same place."
            doubtful = max(doubtful, (float(doubt), told))
        advice, limit = "Correct `dates` in the source, or export them again.", self.about.source.bounds
        share, told = unreadable
        bound = "max_unreadable_dates"
        self.measures.at_most("dates_unreadable", role, share, limit.max_unreadable_dates, told, advice, bound)
        self.measures.at_most("dates_ambiguous", role, doubtful[0], 0, doubtful[1], advice)

    def _lines(self, role: Role, mapped: Mapped) -> None:
        """Every row must have the header's cells, and the last one its end."""
        whole = mapped.cells.select(FILE, ROW, *(pl.lit(None, dtype=pl.String).alias(name) for name in ("fault", TEXT)))
        lines = pl.concat([whole, mapped.broken.select(whole.columns)])
        fault = pl.col("fault")
        rules = [
            Rule(code, role, TEXT, Severity.QUARANTINE, Holds(fault.is_null() | (fault != code)), meaning, advice)
            for code, meaning, advice in (
                (
                    ROW_BROKEN,
                    "The row does not have the header's cells, or its quotes do not match.",
                    "Write the row out in full, or discard it; and mend the export.",
                ),
                (
                    ROW_CUT_OFF,
                    "The file ends in this row without a line break: it may have lost its end.",
                    "Check the row and that nothing follows; `final_line_break: false` if the export never writes one.",
                ),
            )
        ]
        self.gate.pass_table(role, lines, rules)

    def _set_lines_apart(self, role: Role, broken: pl.DataFrame) -> None:
        """Lines that are no rows, with whom they speak of: by now all debtors are known."""
        lines = broken.select(
            pl.lit(role).alias("table_name"),
            FILE,
            ROW,
            meant(broken, "debtor_no", self.known_debtors),
            *(pl.lit(None).alias(name) for name in ("document_no", "dated_on")),
            pl.col("fault").alias("rules"),
            pl.struct(TEXT).struct.json_encode().alias("raw"),
        )
        self.sifted.quarantined.append(lines.cast(pl.Schema(QUARANTINED)))

    def _debtors(self, mapped: Mapped, frame: pl.DataFrame) -> None:
        frame = measure_debtors(_restored(frame, "debtor_no", self.known_debtors))
        self._keep("debtors", mapped.cells, frame, self.gate.pass_table("debtors", frame, debtor_rules(frame)))
        numbers = self.sifted.accepted["debtors"]["debtor_no"]
        self.known_debtors = pl.concat([self.known_debtors, numbers]).unique()

    def _items(self, mapped: Mapped, frame: pl.DataFrame) -> None:
        source = self.about.source
        if source.negative_amounts == "credit_note":
            turned = (pl.col("document_type") == ItemType.INVOICE) & (pl.col("amount") < 0)
            word = pl.when(turned).then(pl.lit(str(ItemType.CREDIT_NOTE))).otherwise("document_type")
            frame = frame.with_columns(word.alias("document_type"))
        frame = measure_items(_restored(frame, "debtor_no", self.known_debtors), self.about, self.known_items)
        tells_of_debtors = source.has_debtors and source.files.debtors is None
        if tells_of_debtors:
            self.known_debtors = pl.concat([self.known_debtors, frame["debtor_no"].drop_nulls()]).unique()
        rules = item_rules(frame, self.about, self.known_debtors)
        rules += debtor_cells_rules("items") if tells_of_debtors else []
        self._keep("items", mapped.cells, frame, self.gate.pass_table("items", frame, rules))
        if tells_of_debtors:
            debtors = _debtors_of_items(self.sifted.accepted["items"], by_date=self.about.is_history)
            self.gate.pass_table("debtors", debtors, reach_rules(debtors))
            self.sifted.accepted["debtors"] = debtors
        self._measure_totals(mapped, frame)
        other = int((~frame["currency"].is_in(self.about.currencies)).sum())
        share = other / frame.height if other >= A_FEW else 0.0
        told = f"{other} of {frame.height} rows are in a currency that the source does not list."
        limit = source.bounds.max_other_currency
        self.measures.at_most(
            "other_currency", "items.currency", share, limit, told, "List it in `currencies`.", "max_other_currency"
        )

    def _measure_totals(self, mapped: Mapped, frame: pl.DataFrame) -> None:
        """Control totals: those of the source, and those of a total row in the file itself."""
        source, advice = self.about.source, "Find out what is missing or doubled; export it again."
        against = pl.col("document_type").is_in([str(ItemType.CREDIT_NOTE), str(ItemType.PAYMENT)])
        signed = pl.when(against).then(-pl.col("amount").abs()).otherwise("amount")
        for currency, total in source.bounds.control_total.items():
            found = int(frame.filter(pl.col("currency") == currency).select(signed.sum()).item() or 0)
            expected = to_minor(total, currency)
            told = f"The amounts in {currency} sum up to {to_decimal(found, currency)}, not to {total}."
            off = abs(found - expected)
            self.measures.at_most("control_total", f"items.{currency}", off, 0, told, advice, "control_total")
        if source.files.items is None or source.files.items.total_row is None:
            return
        totals = type_columns(source, replace(mapped, cells=mapped.totals), self.about.currency)
        columns = [name for name in ("amount", "open_amount") if text_of(name) in totals.columns]
        stated = [name for name in columns if totals[text_of(name)].count()]  # a list may total one of its columns
        told = "There is no total row with an amount."
        self.measures.at_most("control_total", "items.total_row", int(not stated), 0, told, advice, "control_total")
        for name in stated:
            found, expected = int(frame[name].sum() or 0), int(totals[name].sum() or 0)
            unreadable = totals[text_of(name)].count() - totals[name].count()
            said = "something that is no amount" if unreadable else str(expected)
            told = f"The total row says {said} for {name}, the rows sum up to {found} (in minor units)."
            off = unreadable or abs(found - expected)
            self.measures.at_most("control_total", f"items.{name}", off, 0, told, advice, "control_total")

    def _payments(self, mapped: Mapped, frame: pl.DataFrame) -> None:
        frame = number_payments(frame)
        apart = self.sifted.set_apart()
        waiting = apart.filter((pl.col("table_name") == "items") & pl.col("document_no").is_not_null())["document_no"]
        key = ["debtor_no", "document_no", "currency"]
        demands = [str(ItemType.INVOICE), str(ItemType.DEBIT_NOTE)]
        tables = [self.known_items.frame, *([self.sifted.accepted["items"]] if "items" in self.sifted.accepted else [])]
        targets = pl.concat([each.filter(pl.col("document_type").is_in(demands)).select(key) for each in tables])
        known_payments = self.known_payments(frame)
        self.sifted.payments_before = known_payments.select("payment_no")
        frame = measure_payments(frame, targets.unique(), waiting, known_payments)
        rules = payment_rules(frame, self.about, self.known_debtors)
        self._keep("payments", mapped.cells, frame, self.gate.pass_table("payments", frame, rules))

    def _beside(self, mapped: Mapped, frame: pl.DataFrame) -> None:
        role = mapped.role
        frame = measure_beside(role, frame, self.known_debtors)
        self._keep(role, mapped.cells, frame, self.gate.pass_table(role, frame, beside_rules(role, frame)))

    def _keep(self, table: str, cells: pl.DataFrame, frame: pl.DataFrame, flags: pl.DataFrame) -> None:
        """Keep what passed, set apart what did not; of identical repeats the first is kept.

        `cells` and `frame` are the same rows in the same order, as text and with their values.
        """
        apart = flags.select(name for name in flags.columns if _apart(self.gate, table, name))
        held = apart.select(pl.any_horizontal(pl.all()).alias("held"))["held"] if apart.width else _no(frame)
        self.sifted.accepted[table] = frame.filter(~held & ~frame[REPEAT])
        self.sifted.repeats += int((frame[REPEAT] & ~held).sum())
        if not held.any():
            return
        codes = [pl.when(pl.col(name)).then(pl.lit(name.rsplit(" ", 1)[1])) for name in apart.columns]
        told = apart.filter(held).select(pl.concat_str(codes, separator=",", ignore_nulls=True).alias("rules"))
        rows = frame.filter(held)
        raw = cells.filter(held).select(pl.struct(as_read(cells)).struct.json_encode().alias("raw"))
        dated = next((pl.col(name) for name in ("issued_on", "paid_on", "opened_on") if name in rows.columns), None)
        document = pl.col("document_no") if "document_no" in rows.columns else pl.lit(None)
        whose = pl.col("debtor_no")
        if TARGET_DEBTOR in rows.columns:  # a payment that names its document only
            whose = pl.coalesce(whose, pl.when(pl.col(TARGETS) == 1).then(TARGET_DEBTOR))
        numbered = rows.select(
            pl.lit(table).alias("table_name"),
            FILE,
            ROW,
            whose.alias("debtor_no"),
            document.alias("document_no"),
            (pl.lit(None) if dated is None else dated).alias("dated_on"),
        )
        self.sifted.quarantined.append(pl.concat([numbered, told, raw], how="horizontal").cast(pl.Schema(QUARANTINED)))


def _apart(gate: Gate, table: str, key: str) -> bool:
    return gate.severities[f"{table} {key}"] is Severity.QUARANTINE


def _no(frame: pl.DataFrame) -> pl.Series:
    return pl.repeat(value=False, n=frame.height, eager=True)


def _restored(frame: pl.DataFrame, column: str, known: pl.Series) -> pl.DataFrame:
    """Numbers that lost their leading zeros, put back where exactly one known number is meant; and told.

    Where nearly all numbers have one length, a shorter one may mean another of the same file, too; if it means none, it
    is only told.
    """
    number = frame[column]
    digits = number.str.contains("^[0-9]+$").fill_null(value=False)
    lost = _no(frame)
    if digits.any():
        length = number.filter(digits).str.len_bytes()
        usual = length.mode().max()
        fixed = isinstance(usual, int) and usual >= 5 and float((length == usual).mean() or 0) >= 0.9  # type: ignore[arg-type]
        short = known.filter(known.str.contains("^0[0-9]+$"))
        if fixed:
            beside = number.filter(digits & number.str.starts_with("0") & (number.str.len_bytes() == usual))
            short = pl.concat([short, beside]).unique()
        full = pl.DataFrame({"full": short, "bare": short.str.strip_chars_start("0")})
        full = full.filter(pl.col("bare").is_unique() & ~pl.col("bare").is_in(known.implode()))
        rows = frame.select(pl.col(column).alias("bare")).join(full, on="bare", how="left", maintain_order="left")
        lost = rows["full"].is_not_null()
        frame = frame.with_columns(pl.coalesce(rows["full"], number).alias(column))
        if fixed:
            lost = lost | (digits & (number.str.len_bytes() < usual)).fill_null(value=False)
    return frame.with_columns(lost.alias(ZEROS_LOST))


def _debtors_of_items(items: pl.DataFrame, *, by_date: bool) -> pl.DataFrame:
    """Debtors as the file of items tells of them: by its newest document, or by each that tells something new."""
    own = [name for name in items.columns if name.split("__", maxsplit=1)[0] in OF_DEBTORS]
    frame = items.select(FILE, ROW, "debtor_no", "issued_on", *own)
    frame = frame.with_columns((pl.col("name").n_unique().over("debtor_no") > 1).alias(NAMES_VARY))
    if not by_date:
        frame = frame.sort("issued_on", descending=True, maintain_order=True)
        return frame.unique("debtor_no", keep="first", maintain_order=True)
    frame = frame.sort("issued_on", maintain_order=True)
    told = [name for name in own if name in OF_DEBTORS]
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1).over("debtor_no")) for name in told)
    return frame.filter((pl.int_range(pl.len()).over("debtor_no") == 0) | ~same)
