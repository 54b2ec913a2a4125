"""What the engine itself reads of a case beside the facts, in the units of policies.facts. Rules may not name these."""

import polars as pl

from maatpak.kernel.banks import ReturnCause
from maatpak.kernel.words import Reaction
from policies.fact import Fact, group

CONTEXT: dict[str, Fact] = {
    fact.name: fact
    for fact in [
        *group(
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
        *group(
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
        *group(
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
        *group(
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
        *group(
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
