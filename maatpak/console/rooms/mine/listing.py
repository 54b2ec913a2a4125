"""All accounts that name a person as their account manager."""

from maatpak.console.frame.declared import Column, Filter, Listing, Shape, one_of
from maatpak.console.rooms.customers.listing import OVERDUE
from maatpak.console.rooms.mine.page import PATH, WHO
from maatpak.ledger.tables.standing import NO_DATE

ALL = Listing(
    path=PATH + "/customers",
    title="All my customers",
    help="Every account that names you as its account manager and has something open or a round running.",
    source="case_standing s JOIN creditor c ON c.id = s.creditor_id",
    columns=(
        Column("name", "Customer", "COALESCE(NULLIF(s.name, ''), s.debtor_no)", link="/cases/{case_id}"),
        Column("debtor_no", "Number", "s.debtor_no"),
        Column("creditor", "Creditor", "c.code"),
        Column("segment", "Segment", "s.segment", Shape.CODE),
        Column("overdue_open", "Overdue", "s.overdue_open", Shape.MONEY, sorts=True),
        Column("not_due_open", "Not due yet", "s.not_due_open", Shape.MONEY),
        Column("oldest_due_on", "Oldest due", f"NULLIF(s.oldest_due_on, {NO_DATE})", Shape.DATE),
        Column(
            "paid_late_on",
            "Last paid late",
            """(SELECT max(v.settled_on) FROM item_version v WHERE v.debtor_id = s.debtor_id AND v.currency = s.currency
AND v.replaced_at IS NULL AND v.settled_by IN ('payment', 'debit') AND v.settled_on > v.due_on)""",
            Shape.DATE,
            help="When they last paid something after its due date.",
        ),
        Column("next_step", "Next", "s.next_step", Shape.CODE),
        Column("next_on", "From", f"NULLIF(s.next_on, {NO_DATE})", Shape.DATE),
        Column("reason", "They say", "NULLIF(s.non_payment_reason, 'none')", Shape.CODE),
        Column("experience_balance", "Experience", "s.experience_balance", Shape.NUMBER),
        Column("currency", "Currency", "s.currency", shown=False),
        Column("case_id", "Case", "s.case_id", Shape.NUMBER, shown=False),
    ),
    key="s.case_id",
    order="-overdue_open",
    creditor="s.creditor_id",
    where="s.account_manager = :login",
    filters=(
        one_of(
            "overdue",
            "Overdue",
            OVERDUE,
        ),
        Filter("at_least", "Overdue at least", "s.overdue_open >= :value", Shape.MONEY),
    ),
    totals=("overdue_open",),
    roles=WHO,
    empty="No account names you as its account manager.",
)
