"""Hand-made frames, and a small life: decisions fed back as executed steps, day by day."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

import polars as pl
from polars.datatypes import DataTypeClass

from maatpak.kernel.calendars import add_working_days, next_bank_day
from policies.context_facts import CONTEXT
from policies.decide import Decisions, decide
from policies.fact_frames import COLUMNS, STEP_COLUMNS
from policies.facts import FACTS
from policies.pack import CompiledPack, load_pack, standard_pack_files

PACK = 1

_USUAL: dict[str, Any] = {
    "party_kind": "business",
    "country": "NL",
    "creditor_country": "NL",
    "risk_class": "none",
    "legal_stop": "none",
    "reason": "none",
    "plan_state": "none",
    "consult_answer": "none",
    "hold_reason": "none",
    "debit_return_cause": "none",
    "email_state": "proven",
    "phone_state": "proven",
    "notice_evidence": "none",
    "preferred_channel": "email",
    "currency": "EUR",
    "language": "nl",
    "debtor_no": "D1",
    "email_known": True,
    "phone_known": True,
    "post_known": True,
    "own_post_known": True,
    "relation_days": 400,
    "settled_items_24m": 10,
    "share_paid_late_12m": 0.2,
    "rounds_12m": 1,
    "first_invoice_on": date(2020, 3, 2),
    "invoice_count": 20,
    "days_since_payment": 30,
}
"""A forgetful business customer in the Netherlands of whom nothing is due."""

_BLANK: dict[DataTypeClass, Any] = {pl.Boolean: False, pl.Int64: 0, pl.Float64: 0.0, pl.String: ""}

_UNKNOWN = frozenset({"credit_limit_used", "driver_document", "round_segment", "round_entry_stage"})


@cache
def standard() -> CompiledPack:
    return load_pack(standard_pack_files())


def fact_row(**given: Any) -> dict[str, Any]:
    """A row of a facts frame: the usual customer, changed as given."""
    unknown = given.keys() - COLUMNS.keys()
    assert not unknown, f"no such column: {unknown}"
    row: dict[str, Any] = {}
    for name, fact in {**CONTEXT, **FACTS}.items():
        if name in given:
            row[name] = given[name]
        elif name in _USUAL:
            row[name] = _USUAL[name]
        elif fact.dtype is pl.Date or name in _UNKNOWN or name.endswith("_id"):
            row[name] = None
        else:
            row[name] = _BLANK[fact.dtype]
    for name in ("case_id", "creditor_id", "debtor_id", "party_id"):
        row[name] = given.get(name, 1)
    row["payer_party_id"] = given.get("payer_party_id", row["party_id"])
    return row


def overdue(due_on: date, as_of: date, amount: Any = 50_000, **given: Any) -> dict[str, Any]:
    """A row of a customer with one overdue item."""
    facts: dict[str, Any] = {
        "overdue_open": amount,
        "asked_amount": amount,
        "round_open": amount,
        "largest_item": amount,
        "items_overdue": 1,
        "driver_item_id": 10,
        "driver_document": "F-1",
        "driver_due_on": due_on,
        "driver_bank_due_on": next_bank_day(due_on),
        "days_past_due": (as_of - due_on).days,
    }
    return fact_row(**{**facts, **given})


def in_round(segment: str, pack: int = PACK, **given: Any) -> dict[str, Any]:
    """What a row of a case with an open round has more."""
    return {
        "round_id": 7,
        "round_no": 1,
        "round_opened_on": date(2026, 3, 3),
        "round_segment": segment,
        "round_pack_id": pack,
        "round_entry_stage": "prepare",
        **given,
    }


def facts_frame(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=COLUMNS, orient="row")


def step_row(step: str, stage: str, kind: str, **given: Any) -> dict[str, Any]:
    """A row of a steps frame: executed in the round, for the driver."""
    unknown = given.keys() - STEP_COLUMNS.keys()
    assert not unknown, f"no such column: {unknown}"
    usual = {
        "case_id": 1,
        "round_id": 7,
        "stage": stage,
        "step": step,
        "kind": kind,
        "attempt": 1,
        "state": "executed",
        "for_driver": True,
    }
    return {**dict.fromkeys(STEP_COLUMNS), **usual, **given}


def steps_frame(rows: Iterable[Mapping[str, Any]] = ()) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=STEP_COLUMNS, orient="row")


def decided(
    row: Mapping[str, Any], as_of: date, *steps: Mapping[str, Any], pack: CompiledPack | None = None
) -> Decisions:
    return decide(facts_frame([row]), steps_frame(steps), {PACK: pack or standard()}, PACK, as_of)


def case_of(decisions: Decisions) -> dict[str, Any]:
    return decisions.cases.row(0, named=True)


def actions_of(decisions: Decisions) -> list[dict[str, Any]]:
    return decisions.actions.to_dicts()


@dataclass
class Life:
    """A case that lives from day to day: what is proposed is done the same day, with results as scripted."""

    segment: str
    due_on: date
    facts: dict[str, Any] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    """How a step comes out; a call `spoke_no_commitment`, a consultation `agree` where nothing is said."""
    days_to_do: dict[str, int] = field(default_factory=dict)
    """Working days from the proposal of a step to its execution; 0 where nothing is said."""
    on_step: Callable[["Life", dict[str, Any], date], None] | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)
    told: list[tuple[date, str]] = field(default_factory=list)
    skipped: list[tuple[date, str, str]] = field(default_factory=list)
    reasons: list[tuple[date, str]] = field(default_factory=list)

    def run(self, first: date, last: date, *, without: frozenset[date] = frozenset()) -> "Life":
        """Every working day from the first to the last, but those left out."""
        day = add_working_days(first, 0, "NL")
        while day <= last:
            if day not in without:
                self.day(day)
            day = add_working_days(day, 1, "NL")
        return self

    def row(self, as_of: date) -> dict[str, Any]:
        """The facts of the day."""
        open_round = in_round(self.segment, round_opened_on=self.due_on) if self.facts.get("round_id") else {}
        row = overdue(self.due_on, as_of, **{**open_round, **self._told_facts(as_of), **self.facts})
        if as_of <= row["driver_bank_due_on"]:
            nothing = {"overdue_open": 0, "asked_amount": 0, "driver_bank_due_on": None, "driver_item_id": None}
            row |= {**nothing, "not_due_open": 50_000, "upcoming_bank_due_on": row["driver_bank_due_on"]}
        return row

    def _told_facts(self, as_of: date) -> dict[str, Any]:
        """What follows from the steps done: contacts, talks, the account manager's word, evidence."""
        done = [step for step in self.steps if step["state"] == "executed" and step["executed_on"] <= as_of]
        notices = [step for step in done if step["kind"] in {"message", "plan_offer"}]
        calls = [step for step in done if step["kind"] == "call"]
        consults = [step for step in done if step["kind"] == "consult"]
        since = add_working_days(as_of, -20, "NL")
        old = [each for each in notices if add_working_days(each["executed_on"], 10, "NL") <= as_of]
        told: dict[str, Any] = {
            "last_written_on": max((each["executed_on"] for each in notices), default=None),
            "contacts_20wd": sum(each["executed_on"] > since for each in notices),
            "tried_call": bool(calls),
            "last_call_on": max((each["executed_on"] for each in calls), default=None),
            "demandable_amount": 50_000 if old else 0,
            "evidence_complete": bool(old),
        }
        if consults:
            told["consult_answer"] = consults[-1]["result"]
            told["manager_heard"] = consults[-1]["result"] in {"agree", "not_heard"}
        spoken = [each for each in calls if each["result"] != "tried"]
        if spoken:
            told |= {"spoken": True, "last_spoken_on": spoken[-1]["executed_on"]}
        return told

    def day(self, as_of: date) -> Decisions:
        """Decide, and do what is proposed."""
        for step in self.steps:
            if step["state"] == "in_progress" and step["executed_on"] <= as_of:
                step["state"] = "executed"
        shown = [
            {**step, "executed_on": None} if step["state"] == "in_progress" else self._evidenced(step, as_of)
            for step in self.steps
        ]
        decisions = decided(self.row(as_of), as_of, *shown)
        case = case_of(decisions)
        if case["opens_round"]:
            self.facts["round_id"] = 7
            self.segment = case["segment"]
        for action in actions_of(decisions):
            self._do(action, as_of)
        if case["outcome"] == "none":
            self.reasons.append((as_of, case["reason"]))
        return decisions

    def _evidenced(self, step: dict[str, Any], as_of: date) -> dict[str, Any]:
        if step["state"] != "executed" or step["kind"] not in {"message", "plan_offer"}:
            return step
        evidence = add_working_days(step["executed_on"], 3, "NL")
        return {**step, "evidence_on": evidence if evidence <= as_of else None}

    def _do(self, action: dict[str, Any], as_of: date) -> None:
        skipped = action["state"] == "skipped"
        usual = {"call": "spoke_no_commitment", "consult": "agree", "decide": "hold"}.get(action["kind"])
        wait = self.days_to_do.get(action["step"], 0)
        step = step_row(
            action["step"],
            action["stage"],
            action["kind"],
            round_id=7 if action["round_id"] or action["opens_round"] else None,
            attempt=action["attempt"],
            occurrence=action["occurrence"],
            state="skipped" if skipped else "in_progress" if wait else "executed",
            reason=action["reason"],
            proposed_on=as_of,
            executed_on=None if skipped else add_working_days(as_of, wait, "NL") if wait else as_of,
            result=None if skipped else self.results.get(action["step"], usual),
        )
        self.steps.append(step)
        if skipped:
            self.skipped.append((as_of, action["step"], action["reason"]))
        else:
            self.told.append((as_of, action["step"]))
        if self.on_step is not None:
            self.on_step(self, step, as_of)

    def order(self) -> list[str]:
        """The steps taken, in order."""
        return [name for _, name in self.told]

    def on(self, name: str) -> date:
        """The day on which a step was first taken."""
        return next(day for day, each in self.told if each == name)
