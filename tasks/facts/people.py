"""Who owes: one row a case with what the master data said of its debtor, and the group it belongs to."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from maatpak.kernel.words import Channel, LegalStop, PartyKind
from tasks.facts.reading import Reader
from tasks.facts.working_days import CALENDAR

DEPTH = 8
"""How many parents up the head of a group is looked for, and how many levels down its members."""


def people(reader: Reader, creditor: Mapping[str, Any]) -> pl.DataFrame:
    """Every case of the scope, with its debtor's master data.

    A debtor without any is taken to be a consumer of the creditor's country: the law's most careful reading.
    """
    taken = _with_payers(reader.take("cases"), reader.rows("payers") if creditor["has_payers"] else None)
    countries = pl.Enum(taken["country"].fill_null(creditor["country"]).unique().sort())
    # Master data counts money in the creditor's currency; a case in another one has no rate to compare by.
    in_own_currency = pl.when(pl.col("currency") == creditor["currency"]).then(pl.col("revenue_12m", "credit_limit"))
    return taken.with_columns(
        pl.col("party_kind").fill_null(PartyKind.CONSUMER.value),
        pl.col("country").fill_null(creditor["country"]),
        pl.col("country").fill_null(creditor["country"]).cast(countries).alias(CALENDAR),
        pl.col("language").fill_null(creditor["language"]),
        pl.col("preferred_channel").fill_null(Channel.EMAIL.value),
        pl.col("key_account", "has_email", "has_phone", "has_post", "own_has_post").fill_null(value=False),
        pl.col("risk_class").fill_null("none"),
        pl.col("legal_stop").fill_null(LegalStop.NONE.value),
        in_own_currency,
        hardship=(pl.col("hardship_until") >= reader.scope.as_of).fill_null(value=False),
        creditor_id=pl.lit(reader.scope.creditor_id, pl.Int64),
    ).drop("hardship_until")


def _with_payers(cases: pl.DataFrame, payers: pl.DataFrame | None) -> pl.DataFrame:
    """Who is written to (rule 22): the account that pays, with its addresses, language and channel, and the
    law's stop on it; else the debtor itself."""
    no_stop = pl.lit(None, pl.String)
    cases = cases.with_columns(
        payer_id="debtor_id", payer_party_id="party_id", own_has_post="has_post", payer_stop=no_stop
    )
    if payers is None or payers.is_empty():
        return cases
    joined = cases.join(payers, on="debtor_id", how="left", maintain_order="left", suffix="_paying")
    paid = pl.col("payer_id_paying").is_not_null()
    told = [name for name in payers.columns if name != "debtor_id"]
    return joined.with_columns(pl.when(paid).then(f"{name}_paying").otherwise(name).alias(name) for name in told).drop(
        f"{name}_paying" for name in told
    )


def groups(reader: Reader, has_groups: bool) -> pl.DataFrame:  # noqa: FBT001 - as the creditor's row tells
    """(debtor_id, head, key_account) of every debtor that has a parent or is one; `head` is a debtor number."""
    if not has_groups:
        return pl.DataFrame(schema={"debtor_id": pl.Int64, "head": pl.String, "key_account": pl.Boolean})
    family = reader.rows("families")
    above = family.select(pl.col("debtor_no").alias("head"), pl.col("parent_no").alias("next"))
    family = family.with_columns(head=pl.coalesce("parent_no", "debtor_no"))
    for _ in range(DEPTH):
        climbed = family.join(above, on="head", how="left").with_columns(head=pl.coalesce("next", "head")).drop("next")
        if climbed["head"].equals(family["head"]):
            break
        family = climbed
    return family.select("debtor_id", "head", pl.col("key_account").any().over("head"))


def group_overdue(reader: Reader, cases: pl.DataFrame, family: pl.DataFrame) -> pl.DataFrame:
    """(case_id, group_overdue, group_key) of the cases of grouped debtors, from cases with their own `overdue_open`.

    A shard holds only part of a group, so then the others' overdue is read as well.
    """
    if reader.scope.is_whole or family.is_empty():
        overdue = cases.select("debtor_id", "currency", overdue="overdue_open")
    else:
        overdue = reader.rows("family_overdue")
    totals = family.join(overdue, on="debtor_id").group_by("head", "currency").agg(group_overdue=pl.sum("overdue"))
    return (
        family.join(cases.select("case_id", "debtor_id", "currency"), on="debtor_id")
        .join(totals, on=["head", "currency"], how="left")
        .select("case_id", "group_overdue", group_key="key_account")
    )
