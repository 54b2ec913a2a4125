"""What must be known before a case goes to an agency, and where each check stands (rule 20).

Some of it the ledger and the post tell: whether money of the customer lies unapplied, how old the address is, and,
where the pack says so, until when the oldest item can be claimed. The rest a person looks up and records; it counts for
a while.
"""

from datetime import date

import polars as pl

from maatpak.kernel.checks import CheckKind, CheckResult, CheckState
from policies.guardrails import PlacementLimits

SUBJECTS: dict[str, pl.DataType | type[pl.DataType]] = {
    "action_id": pl.Int64,
    "creditor_id": pl.Int64,
    "debtor_id": pl.Int64,
    "country": pl.String,
    "due_on": pl.Date,
    "credit": pl.Int64,
    "name_at": pl.Int64,
    "has_address": pl.Boolean,
    "address_at": pl.Int64,
    "address_on": pl.Date,
    "address_lost": pl.Boolean,
}
"""What is known of a placement that is proposed: when the oldest item it names was due, what lies open of credit notes
and payments, since when (an instant) the customer has its name and its address, when that address was last heard to be
good, and whether the newest word is that it is not."""

RECORDS: dict[str, pl.DataType | type[pl.DataType]] = {
    "check_id": pl.Int64,
    "creditor_id": pl.Int64,
    "debtor_id": pl.Int64,
    "country": pl.String,
    "kind": pl.String,
    "result": pl.String,
    "source": pl.String,
    "actor": pl.String,
    "checked_on": pl.Date,
    "until_on": pl.Date,
    "recorded_at": pl.Int64,
    "item_due_on": pl.Date,
}
"""What people recorded, in the order in which they did. A licence has no debtor, and a country."""

_KINDS = pl.DataFrame({"kind": [str(kind) for kind in CheckKind]})
_TOLD = ("kind", "result", "source", "actor", "checked_on", "until_on")


def judge(subjects: pl.DataFrame, records: pl.DataFrame, limits: PlacementLimits, as_of: date) -> pl.DataFrame:
    """(action_id, kind, state, result, checked_on, until_on, source, actor): every check of every placement, in order.

    Of the address, `checked_on` is when it was last heard to be good; it has an actor if a person said so. Of a
    limitation, `until_on` is the last day on which the oldest item can be claimed: what a person recorded of it, else
    what the pack says of the country.
    """
    kind, until = pl.col("kind"), pl.col("until_on")
    is_address, is_limitation = kind == CheckKind.ADDRESS, kind == CheckKind.LIMITATION
    months = pl.DataFrame(
        list(limits.limitation_months.items()), schema={"country": pl.String, "months": pl.Int64}, orient="row"
    )
    lapses_on = pl.col("due_on").dt.offset_by(pl.format("{}mo", "months"))
    own_word = ~is_address | (pl.col("checked_on") == pl.col("address_on"))
    last_on = pl.when(is_limitation).then(until.dt.offset_by(f"-{limits.limitation_margin_days}d")).otherwise(until)
    state = (
        pl.when((kind == CheckKind.CREDIT) & (pl.col("credit") > 0))
        .then(pl.lit(str(CheckState.FAILED)))
        .when(kind == CheckKind.CREDIT)
        .then(pl.lit(str(CheckState.FINE)))
        .when(is_address & ~pl.col("has_address"))
        .then(pl.lit(str(CheckState.MISSING)))
        .when(pl.when(is_address).then("address_lost").otherwise(pl.col("result") != CheckResult.CLEAR))
        .then(pl.lit(str(CheckState.FAILED)))
        .when(until.is_null())
        .then(pl.lit(str(CheckState.MISSING)))
        .when(last_on < as_of)
        .then(pl.lit(str(CheckState.EXPIRED)))
        .otherwise(pl.lit(str(CheckState.FINE)))
    )
    return (
        subjects.join(_KINDS, how="cross", maintain_order="left")
        .join(_that_count(subjects, records), on=["action_id", "kind"], how="left", maintain_order="left")
        .join(months, on="country", how="left", maintain_order="left")
        .with_columns(
            pl.when(own_word).then(pl.col("source", "actor")),
            checked_on=pl.when(is_address).then("address_on").otherwise("checked_on"),
            until_on=pl.when(is_address)
            .then(pl.col("address_on").dt.offset_by(f"{limits.address_months}mo"))
            .when(is_limitation)
            .then(pl.coalesce("until_on", lapses_on))
            .otherwise("until_on"),
        )
        .select("action_id", "kind", "result", "checked_on", "until_on", "source", "actor", state=state)
    )


def _that_count(subjects: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """The record that counts of each kind: the newest that is about the customer as it is now.

    One of an identity or an address is about the name or the address that the customer had when it was made. One of a
    limitation holds for its item and for younger ones; of several the one of the youngest item says most.
    """
    kind = pl.col("kind")
    of_customer = subjects.join(records.drop("creditor_id", "country"), on="debtor_id")
    of_creditor = subjects.join(
        records.filter(pl.col("debtor_id").is_null()).drop("debtor_id"), on=["creditor_id", "country"]
    )
    counts = (
        pl.when(kind == CheckKind.IDENTITY)
        .then(pl.col("recorded_at") >= pl.col("name_at"))
        .when(kind == CheckKind.ADDRESS)
        .then(pl.col("recorded_at") >= pl.col("address_at"))
        .when(kind == CheckKind.LIMITATION)
        .then(pl.col("item_due_on") <= pl.col("due_on"))
        .otherwise(pl.lit(value=True))
    )
    columns = ["action_id", *_TOLD, "item_due_on", "check_id"]
    return (
        pl.concat([of_customer.filter(counts).select(columns), of_creditor.select(columns)])
        .sort("item_due_on", "check_id", nulls_last=False)
        .unique(["action_id", "kind"], keep="last", maintain_order=True)
        .select("action_id", *_TOLD)
    )
