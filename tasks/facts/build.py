"""Puts the facts together: read, divide, count, join, in the order in which one needs the other."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import polars as pl

from maatpak.kernel.banks import ReturnCause
from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import LegalStop, Reaction
from maatpak.ledger.database import Frames
from policies.fact_frames import COLUMNS, ITEM_COLUMNS
from tasks.facts import (
    agreements,
    amounts,
    cash,
    conversation,
    driver,
    evidence,
    history,
    people,
    reach,
    reactions,
    receipt,
)
from tasks.facts.collecting import only
from tasks.facts.reading import Reader
from tasks.facts.rhythm import FEWEST, next_runs, pay_runs, payable_from, runs_after
from tasks.facts.rounds import case_rounds, round_amounts, running
from tasks.facts.scope import Scope
from tasks.facts.steps import actions_then, step_history
from tasks.facts.supposing import Supposed
from tasks.facts.working_days import days_until

NEVER_DELIVERED = 10_000
"""Working days of age of a ledger that never came: older than any guardrail allows."""

MAY_BE_NULL = frozenset(
    {
        *(name for name, kind in COLUMNS.items() if kind == pl.Date),
        *("round_id", "round_segment", "round_pack_id", "round_entry_stage"),
        *("driver_item_id", "driver_document", "upcoming_item_id", "days_since_payment", "credit_limit_used"),
    }
)
"""Where null says that there is no such thing. Any other fact has a value: 0, false or `none` for nothing."""

NOTHING = {"Int64": 0, "Float64": 0.0, "Boolean": False, "String": "none"}


@dataclass(frozen=True)
class FactFrames:
    """The three frames that decisions are made from."""

    cases: pl.DataFrame
    """One row a case with anything open, an open round, or anything settled in 24 months: `policies.facts.COLUMNS`."""
    items: pl.DataFrame
    """Their open invoices and debit notes: `policies.facts.ITEM_COLUMNS`."""
    steps: pl.DataFrame
    """Their steps taken or under way: `policies.facts.STEP_COLUMNS`."""


def build_facts(
    frames: Frames,
    creditor_id: int,
    as_of: date,
    known_at: datetime,
    shard: int = 0,
    shards: int = 1,
    case_ids: Iterable[int] | None = None,
    supposing: Supposed | None = None,
) -> FactFrames:
    """The facts of one shard of a creditor's cases, as of a date, from what was recorded by an instant.

    `case_ids` narrows them to some cases, where not all are asked for; `supposing` says what is taken to be otherwise.

    Raises:
        UsageError: there is no such creditor or shard.
    """
    if not 0 <= shard < shards:
        raise UsageError(f"There is no shard {shard} of {shards}.", advice="Shards are numbered from 0.")
    chosen = None if case_ids is None else tuple(case_ids)
    changes = supposing.changes() if supposing else None
    with Reader(frames, Scope(creditor_id, as_of, known_at, shard, shards, chosen), changes) as reader:
        creditor = reader.creditor()
        if not creditor:
            raise UsageError(f"There is no creditor {creditor_id}.", advice="See `maatpak doctor`.")
        return _Building(reader, creditor).frames()


class _Building:
    """One view under construction. Each stage lays the facts it found into `parts` and lets its own frames go."""

    def __init__(self, reader: Reader, creditor: Mapping[str, Any]) -> None:
        self.reader, self.scope, self.creditor = reader, reader.scope, creditor
        # Who is written to may also hear from other creditors, or about accounts of another shard.
        self.shared = creditor["shares_parties"] or (creditor["has_payers"] and not reader.scope.is_whole)
        reader.ahead("cases", "rounds", "actions")
        self.cases = people.people(reader, creditor)
        rounds = case_rounds(reader)
        self.running = running(rounds)
        self.parts: list[pl.DataFrame] = [rounds]
        self.rounds = rounds
        self.calls: Callable[[], pl.DataFrame] = lambda: conversation.called(reader, rounds)

    def frames(self) -> FactFrames:
        """All three, with exactly the columns of the dictionaries."""
        items, steps = self._present()
        kept = self._past(items)
        self._talk()
        # How to reach the customer is among the parts, with what they asked for.
        cases = self.cases.drop("language", "preferred_channel").join(kept, on="case_id", how="semi").sort("case_id")
        cases = self._derived(_beside(cases, self.parts))
        self.parts.clear()
        filled = [
            pl.col(name).fill_null(NOTHING[str(kind)]) for name, kind in COLUMNS.items() if name not in MAY_BE_NULL
        ]
        return FactFrames(
            cases.select(list(COLUMNS)).cast(pl.Schema(COLUMNS)).with_columns(filled),
            *(only(rows, rows["case_id"].is_in(kept["case_id"].implode())) for rows in (items, steps)),
        )

    def _present(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Items and steps: what is owed, what drives each case, what was done about it and what arrived of that."""
        reader = self.reader
        actions = actions_then(reader)
        in_scope = actions.filter("in_scope")["action_id"]
        round_items = reader.of_ids("round_items", self.running["round_id"])
        action_items = reader.of_ids("action_items", in_scope)
        served = reader.of_ids("message_actions", in_scope)
        reader.ahead("placements", "plans", "promises", "claims", "disputes", "holds", "calls", "open_items")

        self.named = round_items().join(self.running, on="round_id").drop("round_id")
        named_by = action_items().join(in_scope.to_frame(), on="action_id", how="semi")
        messages = evidence.observed(reader, actions, served())
        reader.ahead("settled", "payments", "falls", "older_items", "last_payments", "touches")
        demands = actions.filter("escalating").select("action_id")
        returned = evidence.returned_demands(messages, demands)
        self.bounced = evidence.bounces(messages, demands)
        evidenced = evidence.notices(reader, messages, self.cases)
        told = evidence.told_items(actions, named_by, evidenced, self.cases, self.scope.as_of)
        since = evidence.first_evidence(evidenced, demands)
        self.parts.append(evidence.terms(messages, returned))
        del messages, evidenced

        self.owed = amounts.owed(reader, self.cases)
        self.copied = (actions.filter(pl.col("template") == conversation.INVOICE_COPY), since)
        self.amounts = amounts.case_amounts(self.owed, self.scope)
        debts = driver.with_notices(self.owed.debts, told)
        tells = self.creditor["tells_sending"]
        debts = receipt.with_receipt(reader, debts, actions, named_by, self.cases, told=tells)
        drivers = driver.case_driver(debts, self.owed.debits, self.cases, self.scope)
        self.owed = replace(self.owed, debts=debts.clear())
        joined = self.named.select("item_id", "joined_on")
        position = driver.positions(debts, drivers).join(joined, on="item_id", how="left")
        self.driver_days = payable_from(reader, drivers, self.cases)
        self.parts += [
            self.amounts,
            drivers,
            driver.upcoming(debts),
            receipt.unreceived(debts),
            conversation.written(reader, actions, self.cases, shared=self.shared),
            conversation.consulted(reader, actions, self.running),
        ]
        items = debts.select(list(ITEM_COLUMNS)).cast(pl.Schema(ITEM_COLUMNS))
        return items, step_history(actions, named_by, since, returned, position)

    def _past(self, items: pl.DataFrame) -> pl.DataFrame:
        """How the customer paid, and what came in during the round. Gives the cases that have a row."""
        reader = self.reader
        settled = history.settled_items(reader, self.cases)
        past = history.case_history(settled, self.scope)
        parts = cash.part_payments(reader, items, settled)
        payers = past.filter(pl.col("settled_in_year") >= FEWEST)["case_id"]
        self.runs = pay_runs(reader, self.cases, settled, payers)
        returns = history.debit_returns(self.scope, self.owed.debits, settled)
        self.returned = reactions.returned_debits(returns, self.rounds, self.named, items)
        self.received = reactions.received_in_round(settled, parts, self.named, items)
        self.parts += [
            past,
            history.relation(reader, self.cases, self.amounts, past),
            cash.told_money(reader, self.cases, parts),
            parts.group_by("case_id").agg(part_payments_6m=pl.len()),
            returns.filter(pl.col("cause") == ReturnCause.FUNDS.value)
            .group_by("case_id")
            .agg(debit_returns_6m=pl.len()),
            reactions.last_return(self.returned),
            reactions.last_part(self.received, self.scope.as_of),
            next_runs(self.runs, self.cases, self.scope.as_of).rename({"run_on": "next_pay_run_on"}),
            runs_after(self.runs, self.cases, self.driver_days).rename({"run_on": "driver_pay_run_on"}),
            round_amounts(self.named, items, settled),
        ]
        dated = settled.filter(pl.col("settled_on").is_not_null())["case_id"].unique()
        kept = pl.concat([self.amounts["case_id"], self.running["case_id"], dated]).unique().to_frame()
        chosen = self.scope.case_ids
        return kept if chosen is None else kept.filter(pl.col("case_id").is_in(chosen))

    def _talk(self) -> None:
        """What was said and agreed, what lies with us, and what happened in the round."""
        reader = self.reader
        talks = conversation.spoken_with(reader, self.cases, shared=self.shared)
        reasons, wronged = conversation.last_reason(reader), reach.experience(reader)
        promised, planned = agreements.promised(reader), agreements.planned(reader)
        holds = agreements.holds_of_cases(reader, self.cases)
        self.parts += [
            self.calls(),
            talks,
            reasons,
            conversation.answered_reasons(reader, *self.copied, reasons),
            conversation.unread(reader, self.cases, shared=self.shared or self.creditor["has_payers"]),
            wronged,
            reach.reached(reader, self.cases),
            reader.rows("quarantine"),
            promised,
            planned,
            agreements.held(holds),
            agreements.our_turn(reader, self.cases, self.owed.flagged),
            agreements.wake_dates(reader, holds, self.owed.in_flight),
        ]
        happened = {
            Reaction.PAID: self.received.filter("whole"),
            Reaction.PART_PAID: self.received.filter(~pl.col("whole")),
            Reaction.PROMISE_BROKEN: promised.select("case_id", on="broken_on"),
            Reaction.BOUNCED: self.bounced,
            Reaction.ANSWERED: conversation.answered(reader, self.cases),
            Reaction.PLAN_BREACHED: planned.select("case_id", on="breached_on"),
            Reaction.AGREED: agreements.agreed(reader),
        }
        self.parts += [
            reactions.reactions(self.scope, self.running, happened),
            reactions.pauses(reader, self.cases, self.received, self.returned, talks, reasons, self.runs, wronged),
        ]

    def _derived(self, cases: pl.DataFrame) -> pl.DataFrame:
        """Facts that follow from others of the same row."""
        as_of = pl.lit(self.scope.as_of)
        sums = ("overdue_open", "not_due_open", "credit_notes_open", "cash_unallocated")
        cases = cases.with_columns(
            pl.col(*sums, "open_issued", "credit_issued", "settled_issued").fill_null(0),
            data_on=pl.lit(self.creditor["data_on"], pl.Date),
            creditor_country=pl.lit(self.creditor["country"]),
        )
        family = people.groups(self.reader, self.creditor["has_groups"])
        in_group = people.group_overdue(self.reader, cases, family)
        cases = _beside(cases, [in_group])
        balance = pl.sum_horizontal("overdue_open", "not_due_open") - pl.sum_horizontal(sums[2:])
        since = pl.coalesce("customer_since", "first_invoice_on")
        money_on = pl.max_horizontal("told_money_on", "settled_money_on", "credit_money_on")
        issued = pl.col("open_issued") + pl.col("settled_issued") - pl.col("credit_issued")
        is_free = pl.col("legal_stop") == LegalStop.NONE.value
        stops = pl.when(is_free).then(pl.coalesce("held_stop", "payer_stop", "legal_stop"))
        return cases.with_columns(
            cash_unallocated_on="credit_money_on",
            round_open=pl.when(pl.col("round_id").is_null()).then("overdue_open").otherwise("named_open"),
            credit_limit_used=pl.when(pl.col("credit_limit") > 0).then(balance.clip(0) / pl.col("credit_limit")),
            relation_days=(as_of - since).dt.total_days().clip(0),
            revenue_12m=pl.coalesce("revenue_12m", issued),
            days_since_payment=(as_of - money_on).dt.total_days(),
            days_beyond_usual=(pl.col("days_past_due") - pl.col("usual_delay").fill_null(0)).clip(0),
            group_overdue=pl.coalesce("group_overdue", "overdue_open"),
            key_account=pl.col("key_account") | pl.col("group_key").fill_null(value=False),
            hardship=pl.col("hardship") | pl.col("held_hardship").fill_null(value=False),
            legal_stop=stops.otherwise("legal_stop"),
            data_age_wd=days_until("data_on", self.scope.as_of).fill_null(NEVER_DELIVERED),
        )


def _beside(cases: pl.DataFrame, parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The cases with parts of their facts beside them; a part is keyed by case, debtor or party."""
    keys = {key: cases.select(key) for key in ("case_id", "debtor_id", "debtor_no", "party_id")}
    columns: list[pl.Series] = []
    nulls: list[pl.Expr] = []
    for part in parts:
        (key,) = keys.keys() & set(part.columns)
        found = {name: kind for name, kind in part.schema.items() if name != key}
        if part.is_empty():
            nulls += [pl.lit(None, kind).alias(name) for name, kind in found.items()]
        else:
            aligned = keys[key].join(part, on=key, how="left", maintain_order="left")
            columns += [aligned[name] for name in found]
    return cases.hstack(columns).with_columns(nulls)
