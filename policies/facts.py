"""The dictionary of facts: everything that a rule may ask of a case as of a date, and what the engine needs beside it.

A facts frame has one row a case, the columns of `FACTS` (which rules may name) and of `CONTEXT` (which only the engine
reads). Money is integer minor units of the case's currency; a share lies between 0 and 1; `d` are calendar days, `WD`
working days of the debtor's country. Enum facts are never null: 'none' says that there is none.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import polars as pl
from polars.datatypes import DataTypeClass

from maatpak.kernel.banks import ReturnCause
from maatpak.kernel.words import (
    ConsultAnswer,
    EvidenceLevel,
    HoldReason,
    LegalStop,
    NonPaymentReason,
    PartyKind,
    PlanState,
    ReachState,
    Reaction,
)


@dataclass(frozen=True)
class Fact:
    """One named, typed, documented column."""

    name: str
    dtype: DataTypeClass
    unit: str
    meaning: str
    group: str
    values: tuple[str, ...] = ()
    """For an enum: every value it can have."""


def _group(
    group: str, *facts: tuple[str, DataTypeClass, str, str] | tuple[str, Iterable[StrEnum | str], str]
) -> list[Fact]:
    made = []
    for fact in facts:
        if len(fact) == 3:
            name, words, meaning = fact
            made.append(Fact(name, pl.String, "enum", meaning, group, tuple(str(word) for word in words)))
        else:
            name, dtype, unit, meaning = fact
            made.append(Fact(name, dtype, unit, meaning, group))
    return made


_DICTIONARY: list[Fact] = [
    *_group(
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
    *_group(
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
    *_group(
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
    *_group(
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
    *_group(
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
    *_group(
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

CONTEXT: dict[str, Fact] = {
    fact.name: fact
    for fact in [
        *_group(
            "identity",
            ("case_id", pl.Int64, "id", "The case; one row each."),
            ("creditor_id", pl.Int64, "id", "Creditor."),
            ("debtor_id", pl.Int64, "id", "Debtor."),
            ("party_id", pl.Int64, "id", "Party."),
            (
                "payer_party_id",
                pl.Int64,
                "id",
                "Party that is written to: of the account that pays for the debtor, else its own (rule 22).",
            ),
            ("debtor_no", pl.String, "text", "Number of the debtor with the creditor."),
            ("currency", pl.String, "ISO 4217", "Currency of the case."),
            ("creditor_country", pl.String, "ISO 3166", "Country of the creditor: calls need a working day of both."),
            ("language", pl.String, "ISO 639", "Language to write in (preference, contact, else master data)."),
        ),
        *_group(
            "round",
            ("round_id", pl.Int64, "id", "Open round; null without one."),
            ("round_no", pl.Int64, "count", "Number of the open round, else of the last (0: never had one)."),
            ("round_opened_on", pl.Date, "date", "When the open round was opened."),
            ("round_segment", pl.String, "code", "Segment that the open round follows."),
            ("round_pack_id", pl.Int64, "id", "Pack that the open round follows."),
            ("round_entry_stage", pl.String, "stage", "Steps of softer stages are behind the case."),
            ("rerouted_on", pl.Date, "date", "When the round was last rerouted."),
            ("moved_by_hand", pl.Boolean, "bool", "A person set the round's present course; no reroute undoes that."),
            (
                "round_first_due_on",
                pl.Date,
                "date",
                "Earliest contractual due date of the round's items, those settled over 24 months ago aside.",
            ),
            ("last_round_closed_on", pl.Date, "date", "When the previous round closed."),
        ),
        *_group(
            "anchors",
            ("driver_item_id", pl.Int64, "id", "The driver; null without one."),
            ("driver_bank_due_on", pl.Date, "date", "D of the driver: its due date moved to the next bank day."),
            (
                "driver_pay_run_on",
                pl.Date,
                "date",
                "First pay run on or after D of the driver whose cut-off it made; null without a rhythm.",
            ),
            ("upcoming_item_id", pl.Int64, "id", "The next open item to fall due; null without one."),
            ("upcoming_bank_due_on", pl.Date, "date", "D of the next open item to fall due."),
            ("upcoming_amount", pl.Int64, "minor", "Open amount of all items with that due date."),
            (
                "unreceived_bank_due_on",
                pl.Date,
                "date",
                "D of the next invoice to fall due of whose receipt there is no proof, and that we did not send again.",
            ),
            ("first_invoice_on", pl.Date, "date", "Issue date of the first document ever seen."),
            ("invoice_count", pl.Int64, "count", "Invoices ever seen of the debtor."),
            (
                "statement_on",
                pl.Date,
                "date",
                "The debtor's statement day of this month, from its preference; null: the pack's default.",
            ),
        ),
        *_group(
            "gates",
            (
                "email_known",
                pl.Boolean,
                "bool",
                "Who is written to has an e-mail address that is neither dead nor opted out.",
            ),
            (
                "phone_known",
                pl.Boolean,
                "bool",
                "Who is written to has a phone number that is neither dead nor opted out.",
            ),
            ("post_known", pl.Boolean, "bool", "Who is written to has a postal address that is not dead."),
            (
                "own_post_known",
                pl.Boolean,
                "bool",
                "The debtor itself, to which demands go whoever pays, has a postal address that is not dead.",
            ),
            ("preferred_channel", ("email", "sms", "post"), "Preferred channel of who is written to."),
            (
                "last_written_on",
                pl.Date,
                "date",
                "Last written contact of the party that is written to, sent or under way, of the last 60 days.",
            ),
            (
                "own_contacts_20wd",
                pl.Int64,
                "count",
                "The same as contacts_20wd of the debtor's own party, to which demands go.",
            ),
            (
                "own_last_written_on",
                pl.Date,
                "date",
                "The same as last_written_on of the debtor's own party, to which demands go.",
            ),
            (
                "last_spoken_on",
                pl.Date,
                "date",
                "Last time the right person was spoken, of the whole party or of who is written to.",
            ),
            (
                "callback_on",
                pl.Date,
                "date",
                "A callback agreed with the party, or with who is written to, for that day and not yet made.",
            ),
            ("last_call_on", pl.Date, "date", "Last call attempt at the party that is written to."),
            ("calls_5wd", pl.Int64, "count", "Call attempts at the party that is written to in the last 5 WD."),
            ("reason_on", pl.Date, "date", "When the last stated reason was stated; null without one."),
            (
                "reason_answered_on",
                pl.Date,
                "date",
                "Last day since then on which our work for it was done, or the copy asked for arrived; null if none.",
            ),
            (
                "tried_call",
                pl.Boolean,
                "bool",
                "This round: right person spoken, or 3 attempts on 3 WD at 2 times of day.",
            ),
            ("call_waived", pl.Boolean, "bool", "A credit manager waived the call of this round, with a reason."),
            (
                "manager_heard",
                pl.Boolean,
                "bool",
                "The account manager's consultation of this round ended as agree, or by deadline and credit manager as"
                " not_heard.",
            ),
            (
                "evidence_complete",
                pl.Boolean,
                "bool",
                "Every item asked has one strong or two weak evidences on two channels, one of them post (rule 7).",
            ),
            (
                "demandable_amount",
                pl.Int64,
                "minor",
                "Asked amount of items with complete evidence, named by a notice at least 10 WD ago.",
            ),
            ("tickets_open", pl.Int64, "count", "Open complaint or undelivered-order tickets."),
            ("our_turn", pl.Boolean, "bool", "Work that blocks notices is open with us."),
            ("offer_open", pl.Boolean, "bool", "A plan offer waits for the customer's answer."),
            ("dispute_open", pl.Boolean, "bool", "A dispute is open (ours to answer)."),
            ("promise_open", pl.Boolean, "bool", "A promise is open."),
            ("promise_due_on", pl.Date, "date", "Latest date of an open promise."),
            ("placed_open", pl.Int64, "minor", "Open of items placed with an agency."),
            (
                "wake_on",
                pl.Date,
                "date",
                "Earliest date on which a hold, promise, plan, claim or debit in flight ends.",
            ),
            (
                "paused_until",
                pl.Date,
                "date",
                "No notice before it: half paid + 5 WD, dispute rejected + 7, callback, pay run + 1, no funds + 5 …",
            ),
            ("term_until", pl.Date, "date", "Last date by which a message of the round, not lost, asks for an answer."),
            ("manager_letters_12m", pl.Int64, "count", "Manager letters sent to the party in 12 months."),
            ("late_before", pl.Boolean, "bool", "Whether any item was paid late in the 24 months before."),
        ),
        *_group(
            "reactions",
            *[
                (f"{reaction}_on", pl.Date, "date", f"Last `{reaction}` of this round; null if none.")
                for reaction in Reaction
                if reaction is not Reaction.CASH_UNALLOCATED
            ],
            ("cash_unallocated_on", pl.Date, "date", "Date of the newest payment that lies unallocated; null if none."),
            (
                "part_paid_half",
                pl.Boolean,
                "bool",
                "What came in on `part_paid_on` was at least half of what was open before of the round's items named by"
                " then, disputed parts aside.",
            ),
            ("debit_return_cause", ReturnCause, "Why the debit of `debit_returned_on` came back."),
        ),
    ]
}
"""What the engine itself reads of a case. Rules may not name these."""

COLUMNS: dict[str, DataTypeClass] = {name: fact.dtype for name, fact in {**CONTEXT, **FACTS}.items()}
"""Every column of a facts frame with its type, in order."""

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
