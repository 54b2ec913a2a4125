"""The dictionary of facts: everything that a rule may ask of a case as of a date.

Money is integer minor units of the case's currency; a share lies between 0 and 1; `d` are calendar days, `WD` working
days of the debtor's country. Enum facts are never null: 'none' says that there is none.
"""

import polars as pl

from maatpak.kernel.words import (
    ConsultAnswer,
    EvidenceLevel,
    HoldReason,
    LegalStop,
    NonPaymentReason,
    PartyKind,
    PlanState,
    ReachState,
)
from policies.fact import Fact, group

_DICTIONARY: list[Fact] = [
    *group(
        "who",
        ("party_kind", PartyKind, "What the debtor is before the law."),
        ("country", pl.String, "ISO 3166", "Country of the debtor."),
        ("relation_days", pl.Int64, "d", "Days since customer_since, else since the first document; 0 when unknown."),
        ("key_account", pl.Boolean, "bool", "A named key account, itself or through its group."),
        (
            "revenue_12m",
            pl.Int64,
            "minor",
            "Invoiced net of credit notes over 12 months; the master data's figure if given.",
        ),
        ("risk_class", ("A", "B", "C", "D", "E", "none"), "Dated risk class of the debtor."),
        ("credit_limit_used", pl.Float64, "share", "Open balance over credit limit; null without a limit."),
        ("group_overdue", pl.Int64, "minor", "Overdue of the whole group (parent and its children) in this currency."),
        (
            "hardship",
            pl.Boolean,
            "bool",
            "A live hardship flag (hardship_until on or after as_of, or a hardship hold).",
        ),
        ("legal_stop", LegalStop, "Law forbids contact, with the debtor or with who is written to for it."),
    ),
    *group(
        "amounts",
        (
            "round_open",
            pl.Int64,
            "minor",
            "Open of the items the round was opened for or has named; without a round: overdue_open.",
        ),
        ("not_due_open", pl.Int64, "minor", "Open of invoices and debit notes not yet overdue."),
        ("overdue_open", pl.Int64, "minor", "Open of invoices and debit notes past D, before netting."),
        ("credit_notes_open", pl.Int64, "minor", "Unused credit notes."),
        ("cash_unallocated", pl.Int64, "minor", "Payments not yet allocated."),
        (
            "disputed_open",
            pl.Int64,
            "minor",
            "Disputed part of overdue items: the larger of our records and the ledger's flag; all of an item on hold.",
        ),
        ("in_plan_open", pl.Int64, "minor", "Overdue open that an offered or active plan covers."),
        ("debits_in_flight", pl.Int64, "minor", "Overdue open being collected by direct debit."),
        ("promised_open", pl.Int64, "minor", "Overdue open that an open promise covers."),
        (
            "claimed_paid_open",
            pl.Int64,
            "minor",
            "Overdue open that the customer says is paid, or that cash found and the ledger does not show yet.",
        ),
        ("asked_amount", pl.Int64, "minor", "What may be asked now (law 7; rule 5); never below 0."),
        ("largest_item", pl.Int64, "minor", "Largest open invoice or debit note, overdue or not."),
        ("overdue_over_60", pl.Int64, "minor", "Overdue open more than 60 calendar days past the contractual date."),
        ("items_overdue", pl.Int64, "count", "Overdue invoices and debit notes with anything open."),
    ),
    *group(
        "driver",
        (
            "driver_document",
            pl.String,
            "text",
            "Document number of the driver: the oldest overdue item still asked for.",
        ),
        ("driver_due_on", pl.Date, "date", "Contractual due date of the driver; null without one."),
        ("days_past_due", pl.Int64, "d", "Calendar days the driver is past its contractual date; 0 without one."),
        ("working_days_past_due", pl.Int64, "WD", "Working days the driver is past D; 0 without one."),
        ("days_beyond_usual", pl.Int64, "d", "Driver's days past due beyond the customer's own 90th-percentile delay."),
        ("min_notices", pl.Int64, "count", "Fewest notices with evidence over the items asked."),
        ("debit_returned", pl.Boolean, "bool", "The driver's last direct debit came back."),
    ),
    *group(
        "history",
        ("settled_items_24m", pl.Int64, "count", "Items cleared by payment or debit in 24 months, undisputed."),
        (
            "share_paid_late_12m",
            pl.Float64,
            "share",
            "Share of items settled in 12 months more than 3 WD after D; 0 without any.",
        ),
        ("share_paid_late_6m", pl.Float64, "share", "The same over 6 months."),
        (
            "mean_delay_days",
            pl.Float64,
            "d",
            "Amount-weighted mean delay against the contractual date, 12 months; 0 without any.",
        ),
        ("median_delay_days", pl.Float64, "d", "Median delay, 12 months; 0 without any."),
        ("delay_spread_days", pl.Float64, "d", "Interquartile range of the delay, 12 months; 0 without any."),
        (
            "delay_trend_days",
            pl.Float64,
            "d",
            "Mean late days of the last 90 days less that of the 275 before; 0 without both.",
        ),
        ("days_since_payment", pl.Int64, "d", "Days since money last came in; null if none is known of."),
        (
            "part_payments_6m",
            pl.Int64,
            "count",
            "Payments in 6 months that left part of their item open, told of or seen in its open amount.",
        ),
        ("debit_returns_6m", pl.Int64, "count", "Direct debits returned for lack of funds in 6 months."),
        ("rounds_12m", pl.Int64, "count", "Rounds opened in the 12 months before, the present one included."),
        (
            "next_pay_run_on",
            pl.Date,
            "date",
            "Next pay run, declared or inferred from at least four payment days of the year; null without a rhythm.",
        ),
    ),
    *group(
        "conversation",
        (
            "contacts_20wd",
            pl.Int64,
            "count",
            "Written contacts in the last 20 WD of the whole party that is written to, those under way included.",
        ),
        ("call_attempts", pl.Int64, "count", "Call attempts in this round."),
        ("spoken", pl.Boolean, "bool", "The right person was spoken in this round."),
        ("reason", NonPaymentReason, "Last stated reason of at most 90 days ago."),
        ("unread_reply", pl.Boolean, "bool", "An answer of the party, or of who is written to, that nobody has read."),
        ("promises_broken_6m", pl.Int64, "count", "Promises broken in 6 months."),
        ("plan_state", PlanState, "State of the newest plan of the case."),
        ("plans_breached_12m", pl.Int64, "count", "Plans breached in 12 months."),
        (
            "our_turn_wd",
            pl.Int64,
            "WD",
            "Working days the ball has been with us (dispute, copy, ticket); 0 when it is not.",
        ),
        ("consult_answer", ConsultAnswer, "How the round's last consultation ended; open while it runs."),
        ("hold_reason", HoldReason, "Reason of the strictest live hold of party, debtor or case."),
    ),
    *group(
        "reach",
        ("email_state", ReachState, "State of the e-mail address of who is written to; dead when there is none."),
        ("phone_state", ReachState, "State of the phone number of who is written to; dead when there is none."),
        (
            "notice_evidence",
            (EvidenceLevel.NONE, EvidenceLevel.WEAK, EvidenceLevel.STRONG),
            "Worst over the items asked of the best evidence of notices that named them; weak means one weak.",
        ),
        ("experience_balance", pl.Int64, "count", "Balance of rated touches of the party, −36 to +12."),
        ("data_age_wd", pl.Int64, "WD", "Working days since the older of the newest ledger and cash data."),
        ("quarantined_rows", pl.Int64, "count", "Rows of the debtor that wait in quarantine."),
    ),
]

FACTS: dict[str, Fact] = {fact.name: fact for fact in _DICTIONARY}
"""The facts that rules may name, in the order of the documentation."""
