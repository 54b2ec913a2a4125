"""Every open call as a list to sort, filter and export, also those of the days to come."""

from maatpak.console.frame.declared import Column, Filter, Listing, Shape, one_of
from maatpak.console.frame.fields import named
from maatpak.console.rooms.calls.sheets import ONE, PATH
from maatpak.console.rooms.whose import CASE, OF_TASK
from maatpak.kernel.words import NonPaymentReason
from tasks.calls import CALLBACK

OPEN_CALLS = Listing(
    path=PATH + "/all",
    title="Open calls",
    help="All calls that are not done, also those of the days to come. The worklist tells which to make now.",
    source="work_task t",
    beside=OF_TASK,
    columns=(
        Column("name", "Customer", "COALESCE(p.name, d.debtor_no)", link=ONE),
        Column("debtor_no", "Number", "d.debtor_no", link=CASE),
        Column("creditor", "Creditor", "c.code"),
        Column("due_on", "Due", "t.due_on", Shape.DATE, sorts=True),
        Column("value_at_risk", "At risk", "COALESCE(s.value_at_risk, 0)", Shape.MONEY, sorts=True),
        Column("overdue_open", "Overdue", "COALESCE(s.overdue_open, 0)", Shape.MONEY, sorts=True),
        Column("reason", "Reason", "NULLIF(s.non_payment_reason, 'none')", Shape.CODE),
        Column("segment", "Segment", "s.segment", Shape.CODE),
        Column("assignee", "Whose", "t.assignee"),
        Column("agreed", "Callback", f"t.subject = '{CALLBACK}'", Shape.FLAG, help="One that was agreed."),
        Column("subject", "What", "t.subject", shown=False),
        Column("opened_on", "Since", "t.opened_on", Shape.DATE, shown=False),
        Column("currency", "Currency", "COALESCE(k.currency, c.currency)", shown=False),
        Column("case_id", "Case", "t.case_id", Shape.NUMBER, shown=False),
        Column("task_id", "Call", "t.id", Shape.NUMBER, shown=False),
    ),
    key="t.id",
    order="due_on",
    creditor="t.creditor_id",
    where="t.kind = 'call' AND t.state = 'open'",
    filters=(
        one_of(
            "when",
            "When",
            {
                "due": ("Due", "t.due_on <= c.business_date"),
                "later": ("Later", "t.due_on > c.business_date"),
                "agreed": ("Callbacks agreed", f"t.subject = '{CALLBACK}'"),
            },
        ),
        one_of(
            "whose", "Whose", {"me": ("Mine", "t.assignee = :login"), "nobody": ("Nobody's yet", "t.assignee IS NULL")}
        ),
        Filter(
            "reason",
            "Reason",
            "s.non_payment_reason = :value",
            choices=named(each for each in NonPaymentReason if each is not NonPaymentReason.NONE),
        ),
        Filter("at_least", "At risk at least", "s.value_at_risk >= :value", Shape.MONEY),
    ),
    search="d.debtor_no ILIKE :words OR p.name ILIKE :words",
    searched=lambda words: f"%{words}%",
    totals=("value_at_risk", "overdue_open"),
    empty="No call is open.",
)
