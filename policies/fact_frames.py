"""The frames that facts come in: of the cases, of their open items and of the steps taken, with each column's type."""

import polars as pl
from polars.datatypes import DataTypeClass

from policies.context_facts import CONTEXT
from policies.facts import FACTS

COLUMNS: dict[str, DataTypeClass] = {name: fact.dtype for name, fact in {**CONTEXT, **FACTS}.items()}
"""The facts frame: one row a case, with what the engine reads and what rules may name, in order."""

ITEM_COLUMNS: dict[str, DataTypeClass] = {
    "case_id": pl.Int64,
    "item_id": pl.Int64,
    "document_no": pl.String,
    "item_type": pl.String,
    "issued_on": pl.Date,
    "due_on": pl.Date,
    "bank_due_on": pl.Date,
    "amount": pl.Int64,
    "open_amount": pl.Int64,
    "overdue": pl.Boolean,
    "asked": pl.Int64,
    "disputed": pl.Int64,
    "promised": pl.Int64,
    "in_plan": pl.Int64,
    "claimed": pl.Int64,
    "in_flight": pl.Int64,
    "placed": pl.Int64,
    "notices": pl.Int64,
    "evidence_complete": pl.Boolean,
    "demandable": pl.Boolean,
    "is_driver": pl.Boolean,
    "unreceived_wd": pl.Int64,
}
"""The items frame beside the facts: one row an open invoice or debit note of the cases, oldest first in each case."""

STEP_COLUMNS: dict[str, DataTypeClass] = {
    "case_id": pl.Int64,
    "round_id": pl.Int64,
    "stage": pl.String,
    "step": pl.String,
    "kind": pl.String,
    "attempt": pl.Int64,
    "occurrence": pl.Date,
    "state": pl.String,
    "reason": pl.String,
    "template": pl.String,
    "due_on": pl.Date,
    "proposed_on": pl.Date,
    "executed_on": pl.Date,
    "evidence_on": pl.Date,
    "returned_on": pl.Date,
    "result": pl.String,
    "retry_on": pl.Date,
    "retry_step": pl.String,
    "for_driver": pl.Boolean,
}
"""The steps frame beside the facts: the actions of the open round, and those outside rounds of the last 400 days."""
