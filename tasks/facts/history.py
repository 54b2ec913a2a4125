"""How a customer pays: settled items only, those paid or debited and not disputed (rules 12 and 14)."""

import numpy as np
import numpy.typing as npt
import polars as pl

from maatpak.kernel.banks import RETURN_CAUSES, ReturnCause
from maatpak.kernel.words import DisputeState, ItemType
from tasks.facts.amounts import DEBTS, of_cases
from tasks.facts.collecting import collected
from tasks.facts.reading import Reader
from tasks.facts.scope import Scope
from tasks.facts.working_days import CALENDAR, bank_day, days_until

LATE_AFTER = 3
"""Working days after D; paid later than that is late."""
SNAPSHOTS_APART = 3
"""Working days between the last snapshot with an item and the first without, for its estimated date to count."""
RECENT, BEFORE = 90, 365
"""Calendar days: delays of the last 90 are compared with those of the 275 before."""
USUAL = (9, 10)
"""Quantile of the delay that counts as usual; a part of a day counts as a day."""
CAUSES = {code: str(cause) for code, cause in RETURN_CAUSES.items()}


def settled_items(reader: Reader, cases: pl.DataFrame) -> pl.DataFrame:
    """Settled items of the scope's cases. `counts`: it says something of payment behaviour; then `delay` and `late`."""
    rows = of_cases(reader.take("settled"), cases, CALENDAR)
    counts = (
        pl.col("paid") & pl.col("item_type").is_in(DEBTS) & ~pl.col("disputed") & pl.col("settled_on").is_not_null()
    )
    records = reader.rows("disputes")
    if not records.is_empty():
        objected = records.filter(pl.col("state") != DisputeState.REJECTED.value)["item_id"].unique()
        counts &= ~pl.col("item_id").is_in(objected.implode())
    if rows["left_after"].null_count() < rows.height:
        # An item that only vanished: its date is known as well as the snapshots were close.
        counts &= (days_until("left_after", "settled_on") <= SNAPSHOTS_APART).fill_null(value=True)
    return rows.with_columns(bank_due_on=bank_day("due_on")).select(
        *("case_id", "item_id", "item_type", "issued_on", "due_on", "amount", "settled_on", "paid"),
        *("returned_on", "return_code"),
        counts=counts,
        late=(days_until("bank_due_on", "settled_on") > LATE_AFTER).fill_null(value=False),
        delay=(pl.col("settled_on") - pl.col("due_on")).dt.total_days(),
    )


def case_history(settled: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    """One row a case with anything settled: shares, delays, trend, and what these documents tell of the relation."""
    counts = pl.col("counts")
    year, half_year = pl.col("settled_on") > scope.months_ago(12), pl.col("settled_on") > scope.months_ago(6)
    recent = pl.col("settled_on") > scope.days_ago(RECENT)
    before = (pl.col("settled_on") > scope.days_ago(BEFORE)) & ~recent
    late, late_days = pl.col("late"), pl.col("delay").clip(0)
    sums = {
        "settled_items_24m": counts,
        "late": counts & late,
        "year": counts & year,
        "late_year": counts & year & late,
        "half": counts & half_year,
        "late_half": counts & half_year & late,
        "weight": pl.when(counts & year).then("amount"),
        "weighted": pl.when(counts & year).then(pl.col("amount") * pl.col("delay")),
        "recent": counts & recent,
        "recent_days": pl.when(counts & recent).then(late_days),
        "before": counts & before,
        "before_days": pl.when(counts & before).then(late_days),
        "settled_invoices": pl.col("item_type") == ItemType.INVOICE.value,
        "settled_issued": pl.when(pl.col("issued_on") > scope.months_ago(12)).then(_signed()),
    }
    summed = (
        settled.lazy()
        .select(
            *("case_id", "issued_on"),
            money_on=pl.when("paid").then("settled_on"),
            **{name: value.cast(pl.Int64) for name, value in sums.items()},
        )
        .group_by("case_id")
        .agg(*(pl.sum(name) for name in sums), settled_since=pl.min("issued_on"), settled_money_on=pl.max("money_on"))
        .pipe(collected)
    )
    delays = _quantiles(settled.filter(counts & year).select("case_id", "delay"))
    has_trend = (pl.col("recent") > 0) & (pl.col("before") > 0)
    trend = pl.col("recent_days") / pl.col("recent") - pl.col("before_days") / pl.col("before")
    return summed.join(delays, on="case_id", how="left").select(
        *("case_id", "settled_items_24m", "settled_invoices", "settled_issued", "settled_since", "settled_money_on"),
        *("median_delay_days", "delay_spread_days", "usual_delay"),
        share_paid_late_12m=_share("late_year", "year"),
        share_paid_late_6m=_share("late_half", "half"),
        mean_delay_days=_share("weighted", "weight"),
        delay_trend_days=pl.when(has_trend).then(trend).otherwise(0.0),
        late_before=pl.col("late") > 0,
        settled_in_year="year",
    )


def _signed() -> pl.Expr:
    """What a document added to the revenue."""
    kind = pl.col("item_type")
    return (
        pl.when(kind == ItemType.CREDIT_NOTE.value)
        .then(-pl.col("amount"))
        .when(kind == ItemType.PAYMENT.value)
        .then(0)
        .otherwise("amount")
    )


def _share(part: str, whole: str) -> pl.Expr:
    return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole)).otherwise(0.0)


def _quantiles(delays: pl.DataFrame) -> pl.DataFrame:
    """(case_id, median, spread, usual) of the delays: sorted once, then looked up at their places in each case."""
    ordered = delays.sort("case_id", "delay")
    cases, values = ordered["case_id"].to_numpy(), ordered["delay"].to_numpy()
    first = np.flatnonzero(np.diff(cases, prepend=-1))
    last = np.diff(first, append=len(cases)) - 1

    def at(part: int, whole: int) -> npt.NDArray[np.int64]:
        """The quantile part/whole times `whole`: whole numbers, so that nothing is rounded."""
        place, beyond = np.divmod(last * part, whole)
        lower, upper = values[first + place], values[first + np.minimum(place + 1, last)]
        quantile: npt.NDArray[np.int64] = lower * whole + (upper - lower) * beyond
        return quantile

    return pl.DataFrame(
        {
            "case_id": cases[first],
            "median_delay_days": at(1, 2) / 2,
            "delay_spread_days": (at(3, 4) - at(1, 4)) / 4,
            "usual_delay": -(-at(*USUAL) // USUAL[1]),
        },
        schema={
            "case_id": pl.Int64,
            "median_delay_days": pl.Float64,
            "delay_spread_days": pl.Float64,
            "usual_delay": pl.Int64,
        },
    )


def debit_returns(scope: Scope, debits: pl.DataFrame, settled: pl.DataFrame) -> pl.DataFrame:
    """(case_id, item_id, on, cause) of every direct debit that came back in the last six months."""
    cause = pl.col("return_code").replace_strict(CAUSES, default=ReturnCause.OTHER.value, return_dtype=pl.String)
    came_back = pl.col("returned_on") > scope.months_ago(6)
    return pl.concat(
        frame.filter(came_back).select("case_id", "item_id", on="returned_on", cause=cause)
        for frame in (debits, settled)
    )


def relation(reader: Reader, cases: pl.DataFrame, owing: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """One row a debtor: its first document in whatever currency, and how many invoices there ever were."""
    seen = (
        cases.lazy()
        .select("case_id", "debtor_id")
        .join(owing.lazy().select("case_id", "open_since", "credit_since", "open_invoices"), on="case_id", how="left")
        .join(history.lazy().select("case_id", "settled_since", "settled_invoices"), on="case_id", how="left")
        .with_columns(first=pl.min_horizontal("open_since", "credit_since", "settled_since"))
        .group_by("debtor_id")
        .agg(pl.min("first"), count=pl.sum("open_invoices") + pl.sum("settled_invoices"))
        .join(reader.rows("older_items").lazy(), on="debtor_id", how="left")
    )
    return seen.select(
        "debtor_id",
        first_invoice_on=pl.min_horizontal("first", "older_on"),
        invoice_count=pl.col("count") + pl.col("older_invoices").fill_null(0),
    ).pipe(collected)
