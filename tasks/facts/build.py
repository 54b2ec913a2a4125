"""Puts the facts together: read, divide, count, join, in the order in which one needs the other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import LegalStop, Reaction
from maatpak.ledger.database import Frames
from policies.facts import COLUMNS, ITEM_COLUMNS
from tasks.facts import agreements, amounts, cash, conversation, driver, evidence, history, people, reach, reactions
from tasks.facts.reading import Reader
from tasks.facts.rhythm import FEWEST, next_runs, pay_runs
from tasks.facts.rounds import case_rounds, round_amounts, running
from tasks.facts.scope import Scope
from tasks.facts.steps import actions_then, step_history
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
) -> FactFrames:
    """The facts of one shard of a creditor's cases, as of a date, from what was recorded by an instant.

    `case_ids` narrows them to some cases, where not all are asked for.

    Raises:
        UsageError: there is no such creditor or shard.
    """
    if not 0 <= shard < shards:
        raise UsageError(f"There is no shard {shard} of {shards}.", advice="Shards are numbered from 0.")
    chosen = None if case_ids is None else tuple(case_ids)
    with Reader(frames, Scope(creditor_id, as_of, known_at, shard, shards, chosen)) as reader:
        creditor = reader.creditor()
        if not creditor:
            raise UsageError(f"There is no creditor {creditor_id}.", advice="See `maatpak doctor`.")
        return _Building(reader, creditor).frames()


class _Building:
    """One view under construction: what several facts are made of is computed once and kept here."""

    def __init__(self, reader: Reader, creditor: Mapping[str, Any]) -> None:
        self.reader, self.scope, self.creditor = reader, reader.scope, creditor
        reader.ahead("cases", "rounds", "actions")
        self.cases = people.people(reader, creditor)
        self.rounds = case_rounds(reader)
        self.actions = actions_then(reader)
        in_scope = self.actions.filter("in_scope")["action_id"]
        self.running = running(self.rounds)
        round_items = reader.of_ids("round_items", self.running["round_id"])
        action_items = reader.of_ids("action_items", in_scope)
        served = reader.of_ids("message_actions", in_scope)
        reader.ahead("placements", "plans", "promises", "claims", "disputes", "holds", "calls", "open_items")
        reader.ahead("settled", "payments", "older_items", "last_payments", "touches")

        self.named = round_items().join(self.running, on="round_id").drop("round_id")
        self.named_by = action_items().join(in_scope.to_frame(), on="action_id", how="semi")
        self.messages = evidence.observed(reader, self.actions, served())
        self.evidenced = evidence.notices(reader, self.messages, self.cases)
        told = evidence.told_items(reader, self.actions, self.named_by, self.evidenced, self.cases)
        self.owed = amounts.owed(reader, self.cases)
        self.debts = driver.with_notices(self.owed.debts, told)
        self.amounts = amounts.case_amounts(self.owed, self.scope)
        self.drivers = driver.case_driver(self.debts, self.owed.debits, self.cases, self.scope)
        self.settled = history.settled_items(reader, self.cases)
        self.history = history.case_history(self.settled, self.scope)
        self.parts = cash.part_payments(reader, self.debts, self.settled)
        self.returns = history.debit_returns(self.scope, self.owed.debits, self.settled)
        payers = self.history.filter(pl.col("settled_in_year") >= FEWEST)["case_id"]
        self.runs = pay_runs(reader, self.cases, self.settled, payers)
        self.calls = conversation.called(reader, self.rounds, self.cases)
        self.reasons = conversation.last_reason(reader)
        self.experience = reach.experience(reader)
        self.holds = agreements.holds_of_cases(reader, self.cases)

    def frames(self) -> FactFrames:
        """All three, with exactly the columns of the dictionaries."""
        kept = self._kept()
        # How to reach the customer comes later, with what they asked for.
        cases = self.cases.drop("language", "preferred_channel").join(kept, on="case_id", how="semi").sort("case_id")
        parts = (*self._owing(), *self._past(), *self._talk(), *self._agreed())
        cases = self._derived(_beside(cases, parts))
        filled = [
            pl.col(name).fill_null(NOTHING[str(kind)]) for name, kind in COLUMNS.items() if name not in MAY_BE_NULL
        ]
        return FactFrames(
            cases.select(list(COLUMNS)).cast(pl.Schema(COLUMNS)).with_columns(filled),
            self.debts.join(kept, on="case_id", how="semi", maintain_order="left")
            .select(list(ITEM_COLUMNS))
            .cast(pl.Schema(ITEM_COLUMNS)),
            self._steps().join(kept, on="case_id", how="semi", maintain_order="left"),
        )

    def _kept(self) -> pl.DataFrame:
        """The cases that have a row."""
        dated = self.settled.filter(pl.col("settled_on").is_not_null())
        known = [self.amounts["case_id"], self.running["case_id"], dated["case_id"]]
        kept = pl.concat(known).unique().to_frame()
        chosen = self.scope.case_ids
        return kept if chosen is None else kept.filter(pl.col("case_id").is_in(chosen))

    def _steps(self) -> pl.DataFrame:
        joined = self.named.select("item_id", "joined_on")
        drivers = self.drivers.select("case_id", item_id="driver_item_id").join(joined, on="item_id", how="left")
        return step_history(self.actions, self.named_by, evidence.first_evidence(self.evidenced), drivers)

    def _owing(self) -> Iterable[pl.DataFrame]:
        """Amounts, driver, round."""
        yield self.amounts
        yield self.drivers
        yield driver.upcoming(self.debts)
        yield self.rounds
        yield round_amounts(self.named, self.debts, self.settled)

    def _past(self) -> Iterable[pl.DataFrame]:
        """How the customer paid."""
        yield self.history
        yield history.relation(self.reader, self.cases, self.amounts, self.history)
        yield cash.told_money(self.reader, self.cases)
        yield self.parts.group_by("case_id").agg(part_payments_6m=pl.len())
        yield self.returns.filter("for_funds").group_by("case_id").agg(debit_returns_6m=pl.len())
        yield next_runs(self.runs, self.cases, self.scope.as_of).rename({"run_on": "next_pay_run_on"})

    def _talk(self) -> Iterable[pl.DataFrame]:
        """What was said, and where."""
        shared = self.creditor["shares_parties"]
        yield conversation.written(self.reader, self.actions, self.cases, shared=shared)
        yield self.calls
        yield self.reasons
        yield conversation.unread(self.reader, self.cases)
        yield conversation.consulted(self.actions)
        yield self.experience
        yield reach.reached(self.reader, self.cases)
        yield self.reader.rows("quarantine")

    def _agreed(self) -> Iterable[pl.DataFrame]:
        """What was agreed, what lies with us, and what happened in the round."""
        promised, planned = agreements.promised(self.reader), agreements.planned(self.reader)
        received = reactions.received_in_round(self.settled, self.parts, self.named)
        yield promised
        yield planned
        yield agreements.held(self.holds)
        yield agreements.our_turn(self.reader, self.cases, self.owed.flagged)
        yield agreements.wake_dates(self.reader, self.holds, self.owed.in_flight)
        yield reactions.pauses(
            self.reader,
            self.cases,
            asked=self.amounts.select("case_id", "asked_amount"),
            received=received,
            callbacks=self.calls,
            reasons=self.reasons,
            runs=self.runs,
            wrongful=self.experience,
        )
        yield reactions.reactions(
            self.scope,
            self.running,
            {
                Reaction.PAID: received.filter("whole"),
                Reaction.PART_PAID: received.filter(~pl.col("whole")),
                Reaction.PROMISE_BROKEN: promised.select("case_id", on="broken_on"),
                Reaction.BOUNCED: self.messages.select("case_id", on="lost_on").drop_nulls("on"),
                Reaction.DEBIT_RETURNED: self.returns.select("case_id", "on"),
                Reaction.ANSWERED: conversation.answered(self.reader, self.cases),
                Reaction.PLAN_BREACHED: planned.select("case_id", on="breached_on"),
            },
        )

    def _derived(self, cases: pl.DataFrame) -> pl.DataFrame:
        """Facts that follow from others of the same row."""
        as_of = pl.lit(self.scope.as_of)
        sums = ("overdue_open", "not_due_open", "credit_notes_open", "cash_unallocated")
        cases = cases.with_columns(
            pl.col(*sums, "open_issued", "credit_issued", "settled_issued").fill_null(0),
            data_on=pl.lit(self.creditor["data_on"], pl.Date),
        )
        family = people.groups(self.reader, self.creditor["has_groups"])
        in_group = people.group_overdue(self.reader, cases, family)
        cases = _beside(cases, [in_group])
        balance = pl.sum_horizontal("overdue_open", "not_due_open") - pl.sum_horizontal(sums[2:])
        since = pl.coalesce("customer_since", "first_invoice_on")
        money_on = pl.max_horizontal("told_money_on", "settled_money_on", "credit_money_on")
        issued = pl.col("open_issued") + pl.col("settled_issued") - pl.col("credit_issued")
        stops = pl.when(pl.col("legal_stop") == LegalStop.NONE.value).then(pl.coalesce("held_stop", "legal_stop"))
        return cases.with_columns(
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
    for part in parts:
        (key,) = keys.keys() & set(part.columns)
        if part.is_empty():
            aligned = part.clear(cases.height)
        else:
            aligned = keys[key].join(part, on=key, how="left", maintain_order="left")
        columns += [aligned[name] for name in part.columns if name != key]
    return cases.hstack(columns)
