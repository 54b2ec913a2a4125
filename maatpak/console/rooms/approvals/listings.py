"""What waits for a verdict, and what was said: as tables to filter, page and export."""

from collections.abc import Callable, Sequence

from maatpak.console.frame.asking import Asking
from maatpak.console.frame.declared import Choice, Column, Filter, Listing, Shape
from maatpak.console.frame.fields import named
from maatpak.console.rooms.whose import asked_of, customer_of, named_by
from maatpak.kernel.words import Verdict
from maatpak.ledger.tables.standing import NO_DATE
from tasks.four_eyes import MAY_APPROVE

PATH = "/approvals"
ONE = PATH + "/{action_id}"
OF_ACTION = f"""action a JOIN "case" k ON k.id = a.case_id {" ".join(customer_of("k.debtor_id", "a.creditor_id"))}
LEFT JOIN case_standing s ON s.case_id = a.case_id"""
WAITS = "a.state = 'awaiting_approval'"
USED = f"""
SELECT DISTINCT a.{{0}} AS word FROM action a WHERE a.creditor_id = ANY(:creditors) AND {WAITS} ORDER BY 1
"""  # noqa: S608 - our own words


def _words_of(query: str) -> Callable[[Asking], Sequence[Choice]]:
    def choices(asking: Asking) -> Sequence[Choice]:
        return named(row["word"] for row in asking.rows(query, creditors=list(asking.visitor.creditor_ids)))

    return choices


WAITING = Listing(
    path=PATH + "/list",
    title="What waits for a verdict",
    help="Every proposed step that needs a person's yes, as a table.",
    source=OF_ACTION,
    columns=(
        *named_by(ONE),
        Column("step", "Step", "a.step", Shape.CODE),
        Column("segment", "Segment", "a.segment", Shape.CODE),
        Column("amount", "Asked", "a.amount", Shape.MONEY, sorts=True),
        Column("overdue_amount", "Overdue", "a.overdue_amount", Shape.MONEY),
        Column("oldest_due_on", "Oldest due", f"NULLIF(s.oldest_due_on, {NO_DATE})", Shape.DATE),
        Column("non_payment_reason", "Reason", "NULLIF(s.non_payment_reason, 'none')", Shape.CODE),
        Column("experience_balance", "Experience", "s.experience_balance", Shape.NUMBER),
        Column("proposed_on", "Since", "a.business_date", Shape.DATE, sorts=True),
        Column("role", "Decided by", "a.approval_role", Shape.CODE),
        Column(
            "given",
            "Yeses",
            "(SELECT count(*) FROM approval v WHERE v.action_id = a.id AND v.content_hash = a.content_hash"
            " AND v.verdict = 'approved')",
            Shape.NUMBER,
        ),
        Column("needed", "Needed", "a.approvals_needed", Shape.NUMBER),
        Column("currency", "Currency", "k.currency", shown=False),
        Column("kind", "Kind", "a.kind", Shape.CODE, shown=False),
        Column("escalating", "Escalates", "a.escalating", Shape.FLAG, shown=False),
        Column("content_hash", "Content", "a.content_hash", shown=False),
        Column("case_id", "Case", "a.case_id", Shape.NUMBER, shown=False),
        Column("action_id", "Action", "a.id", Shape.NUMBER, shown=False),
    ),
    key="a.id",
    order="-amount",
    creditor="a.creditor_id",
    where=WAITS,
    filters=(
        Filter("step", "Step", "a.step = :value", choices=_words_of(USED.format("step"))),
        Filter("segment", "Segment", "a.segment = :value", choices=_words_of(USED.format("segment"))),
        Filter(
            "role",
            "Decided by",
            "a.approval_role = :value",
            choices=named(MAY_APPROVE),
        ),
    ),
    totals=("amount",),
    empty="Nothing waits for a verdict.",
)

VERDICTS = Listing(
    path=PATH + "/verdicts",
    title="Verdicts",
    help="Every yes, no and not yet that somebody said, the newest first.",
    source=f"approval v JOIN {OF_ACTION.replace('action a', 'action a ON a.id = v.action_id', 1)}",
    columns=(
        Column("decided_on", "Date", "v.decided_on", Shape.DATE, sorts=True),
        *named_by(ONE),
        Column("step", "Step", "a.step", Shape.CODE),
        Column("amount", "Asked", "a.amount", Shape.MONEY),
        Column("verdict", "Verdict", "v.verdict", Shape.CODE),
        Column("actor", "By", "v.actor"),
        Column("reason", "Reason", "v.reason"),
        Column("next_step", "Next", "v.next_step", Shape.CODE),
        Column("next_on", "From", "v.next_on", Shape.DATE),
        Column("currency", "Currency", "k.currency", shown=False),
        Column("action_id", "Action", "a.id", Shape.NUMBER, shown=False),
    ),
    key="v.id",
    order="-decided_on",
    creditor="a.creditor_id",
    filters=(
        Filter("verdict", "Verdict", "v.verdict = :value", choices=named(Verdict)),
        Filter("actor", "By (login)", "v.actor = :value"),
        Filter("step", "Step", "a.step = :value"),
        Filter("since", "From", "v.decided_on >= :value", Shape.DATE),
    ),
    empty="Nobody has said anything yet.",
)


MINE = f"""
a.approval_role = ANY({asked_of(MAY_APPROVE)})
AND NOT EXISTS (SELECT FROM approval v WHERE v.action_id = a.id AND v.actor = :login)
"""
"""What waits for somebody of a role, and has not got their word yet."""
COUNT = f"SELECT count(*) FROM action a WHERE a.creditor_id = ANY(:creditors) AND {WAITS} AND {MINE}"  # noqa: S608
NEXT = f"""
SELECT a.id FROM action a WHERE a.creditor_id = ANY(:creditors) AND {WAITS} AND {MINE} AND a.id <> :action
ORDER BY (a.amount, a.id) > (CAST(:amount AS bigint), CAST(:action AS bigint)), a.amount DESC, a.id DESC LIMIT :most
"""  # noqa: S608 - our own words
"""What comes after an action in the inbox: the next smaller amounts, then from the top again."""
