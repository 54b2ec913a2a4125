"""The listing of cases, by where the newest run left each of them."""

from collections.abc import Sequence

from maatpak.console.frame.asking import Asking
from maatpak.console.frame.declared import Choice, Column, Filter, Listing, Order, Shape, one_of
from maatpak.console.frame.fields import named
from maatpak.kernel.reasons import NoActionReason
from maatpak.kernel.words import NonPaymentReason
from maatpak.ledger.tables.standing import NO_DATE
from policies.pack import CompiledPack
from tasks.standing import word_search

PATH = "/cases"
DAYS = f"CASE WHEN s.oldest_due_on < {NO_DATE} THEN c.business_date - s.oldest_due_on END"
SAYS = "s.non_payment_reason = ANY(string_to_array(:value, ','))"
"""One reason, or several with commas between them: those that one department must mend."""
ON_JOURNEY = f"(s.round_opened_on < {NO_DATE} OR (s.outcome = 'act' AND s.stage <> 'prepare'))"
"""A round runs, or the step of today opens one."""
PACKS = """
SELECT DISTINCT pack_id FROM creditor_pack WHERE replaced_at IS NULL AND creditor_id = ANY(CAST(:creditors AS bigint[]))
"""
ACCOUNT_MANAGERS = "SELECT login, name FROM person WHERE role = 'account_manager' AND active ORDER BY name, login"
OVERDUE = {"yes": ("Overdue", "s.overdue_open > 0"), "no": ("Not overdue", "s.overdue_open = 0")}
AGES = {
    "30": ("1 to 30 days", "s.oldest_due_on < c.business_date AND s.oldest_due_on >= c.business_date - 30"),
    "60": ("31 to 60 days", "s.oldest_due_on < c.business_date - 30 AND s.oldest_due_on >= c.business_date - 60"),
    "90": ("61 to 90 days", "s.oldest_due_on < c.business_date - 60 AND s.oldest_due_on >= c.business_date - 90"),
    "over": ("More than 90 days", "s.oldest_due_on < c.business_date - 90"),
}
"""Days past the contractual due date of the oldest overdue item."""
FEELINGS = {
    "good": ("Zero or better", "s.experience_balance >= 0"),
    "worn": ("Below zero", "s.experience_balance < 0"),
    "poor": ("-6 or worse: no notice by itself", "s.experience_balance <= -6"),
    "bad": ("-12 or worse: agree first", "s.experience_balance <= -12"),
}
"""By what a balance means for the next step (practice, section 6)."""


def _packs(asking: Asking) -> list[CompiledPack]:
    rows = asking.rows(PACKS, creditors=asking.creditors)
    return [asking.engine.pack(row["pack_id"]) for row in rows]


def _segments(asking: Asking) -> Sequence[Choice]:
    return named(dict.fromkeys(each.name for pack in _packs(asking) for each in pack.segments))


def _steps(asking: Asking) -> Sequence[Choice]:
    journeys = (journey for pack in _packs(asking) for journey in pack.journeys.values())
    return named(dict.fromkeys(name for journey in journeys for name in journey.steps))


def _account_managers(asking: Asking) -> Sequence[Choice]:
    return [Choice(row["login"], row["name"] or row["login"]) for row in asking.rows(ACCOUNT_MANAGERS)]


CASES = Listing(
    path=PATH,
    title="Customers",
    help="Every customer account with something open or a round running, one line a currency, as the last run left it.",
    source="case_standing s JOIN creditor c ON c.id = s.creditor_id",
    columns=(
        Column("name", "Customer", "COALESCE(NULLIF(s.name, ''), s.debtor_no)", link=PATH + "/{case_id}", sorts=True,
               by=Order("s.name", Shape.TEXT)),
        Column("debtor_no", "Number", "s.debtor_no"),
        Column("creditor", "Creditor", "c.code"),
        Column("segment", "Segment", "s.segment", Shape.CODE),
        Column("overdue_open", "Overdue", "s.overdue_open", Shape.MONEY, sorts=True),
        Column("asked_amount", "To ask", "s.asked_amount", Shape.MONEY, sorts=True,
               help="Overdue less credits, disputed, planned, promised, claimed and in flight."),
        Column("days", "Days", DAYS, Shape.NUMBER, sorts=True, by=Order("s.oldest_due_on", Shape.DATE, turned=True),
               help="Of the oldest overdue item, past its due date."),
        Column("next_step", "Next", "s.next_step", Shape.CODE),
        Column("next_on", "From", f"NULLIF(s.next_on, {NO_DATE})", Shape.DATE, sorts=True,
               by=Order("s.next_on", Shape.DATE)),
        Column("reason", "Why nothing", "s.reason", Shape.CODE),
        Column("experience_balance", "Experience", "s.experience_balance", Shape.NUMBER, sorts=True,
               help="Sum of the ratings of every touch, from +12 to -36."),
        Column("account_manager", "Account manager", "s.account_manager"),
        Column("key_account", "Key", "s.key_account", Shape.FLAG),
        Column("currency", "Currency", "s.currency", shown=False),
        Column("stage", "Stage", "s.stage", Shape.CODE, shown=False),
        Column("oldest_due_on", "Oldest due", f"NULLIF(s.oldest_due_on, {NO_DATE})", Shape.DATE, shown=False),
        Column("last_step", "Last step", "s.last_step", Shape.CODE, shown=False),
        Column("last_step_on", "Taken on", f"NULLIF(s.last_step_on, {NO_DATE})", Shape.DATE, shown=False),
        Column("value_at_risk", "At risk", "s.value_at_risk", Shape.MONEY, sorts=True, shown=False),
        Column("non_payment_reason", "Says", "s.non_payment_reason", Shape.CODE, shown=False),
        Column("debtor_id", "Account", "s.debtor_id", Shape.NUMBER, shown=False),
        Column("case_id", "Case", "s.case_id", Shape.NUMBER, shown=False),
    ),
    key="s.case_id",
    order="-overdue_open",
    creditor="s.creditor_id",
    filters=(
        Filter("segment", "Segment", "s.segment = :value", choices=_segments),
        one_of("overdue", "Overdue", OVERDUE),
        one_of("round", "Round", {"yes": ("On a journey", ON_JOURNEY), "no": ("Not on one", f"NOT {ON_JOURNEY}")}),
        one_of("age", "Oldest overdue", AGES),
        Filter("step", "Next step", "s.next_step = :value", choices=_steps),
        Filter("reason", "Why nothing", "s.reason = :value", choices=named(NoActionReason)),
        Filter("account_manager", "Account manager", "s.account_manager = :value", choices=_account_managers),
        one_of("key", "Key account", {"yes": ("Key accounts", "s.key_account"), "no": ("Others", "NOT s.key_account")}),
        Filter("at_least", "Overdue at least", "s.overdue_open >= :value", Shape.MONEY),
        Filter("says", "Says", SAYS, choices=named(NonPaymentReason)),
        one_of("disputed", "Disputed",
               {"yes": ("Disputed", "s.disputed_open > 0"), "no": ("Not disputed", "s.disputed_open = 0")}),
        Filter("currency", "Currency", "s.currency = :value"),
        one_of("experience", "Experience", FEELINGS),
    ),
    search="s.words @@ to_tsquery('simple', CAST(:words AS text))",
    searched=word_search,
    totals=("overdue_open", "asked_amount"),
    empty="No customer fits. Accounts with nothing open and no round for 24 months are not listed.",
)  # fmt: skip
