"""Reasons for not paying, and what each one starts: whose turn it is, and how we answer (practice, section 5)."""

from dataclasses import dataclass

from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import HoldReason, LegalStop, NonPaymentReason, Role, WorkKind
from maatpak.ledger.tables import Case, Debtor, StatedReason
from tasks.claims import claim_payment
from tasks.desk import Desk, OpenItem
from tasks.disputes import open_dispute
from tasks.holds import set_hold
from tasks.preferences import set_preference
from tasks.rights import TALKERS
from tasks.worklist import open_work

R = NonPaymentReason


@dataclass(frozen=True)
class Course:
    """What a stated reason starts."""

    work: tuple[WorkKind, str, Role, int] | None = None
    """Work for us: kind, subject, role, working days. The ball is then with us: no notice meanwhile."""
    holds_items: HoldReason | None = None
    """The items rest while a department works."""
    disputes: bool = False
    """The items named are disputed."""
    stops: LegalStop | None = None
    """All contact of the party stops at once."""


DEPARTMENT_DAYS = 5
"""Working days that an owning department has (practice, rule 27)."""

COURSES: dict[NonPaymentReason, Course] = {
    R.LOST_INVOICE: Course((WorkKind.DEPARTMENT, "send_copy", Role.OPERATOR, 1), HoldReason.DATA),
    R.FORGOT: Course(),
    R.APPROVAL_PENDING: Course(),
    R.PO_MISSING: Course((WorkKind.DEPARTMENT, "get_purchase_order", Role.OPERATOR, 2), HoldReason.DATA),
    R.WRONG_INVOICE: Course((WorkKind.DEPARTMENT, "correct_invoice", Role.OPERATOR, 5), disputes=True),
    R.WRONG_ENTITY: Course((WorkKind.DEPARTMENT, "correct_invoice", Role.OPERATOR, 5), disputes=True),
    R.PRICE: Course(disputes=True),
    R.QUANTITY: Course(disputes=True),
    R.NOT_DELIVERED: Course((WorkKind.DEPARTMENT, "deliver", Role.ACCOUNT_MANAGER, 5), HoldReason.COMPLAINT),
    R.OUR_FAILURE: Course((WorkKind.DEPARTMENT, "mend_our_failure", Role.ACCOUNT_MANAGER, 5), HoldReason.COMPLAINT),
    R.CASH_FLOW: Course(),
    R.WAITS_FOR_CUSTOMER: Course(),
    R.POLICY: Course(),
    R.PAY_RUN: Course(),
    R.PAID_ALREADY: Course(),
    R.PAYMENT_FAILED: Course(),
    R.SET_OFF: Course((WorkKind.REVIEW, "check_set_off", Role.CREDIT_MANAGER, 5), disputes=True),
    R.VERIFYING_IBAN: Course((WorkKind.REPLY, "confirm_iban_on_known_channel", Role.COLLECTOR, 1)),
    R.UNWILLING: Course((WorkKind.REVIEW, "customer_unwilling", Role.CREDIT_MANAGER, 3)),
    R.INSOLVENT: Course((WorkKind.REVIEW, "file_claim", Role.CREDIT_MANAGER, 1), stops=LegalStop.INSOLVENT),
    R.DECEASED: Course((WorkKind.REVIEW, "specialist", Role.CREDIT_MANAGER, 1), stops=LegalStop.DECEASED),
    R.REPRESENTED: Course((WorkKind.REVIEW, "specialist", Role.CREDIT_MANAGER, 1), stops=LegalStop.REPRESENTED),
}
"""Every reason but `none`; a test holds the two lists together."""

REASON_HOLD = "reason"
"""Source of the holds that a reason sets; the department's outcome lifts them."""


def state_reason(
    desk: Desk,
    case: Case,
    reason: NonPaymentReason,
    *,
    documents: list[str] | None = None,
    amount: int | None = None,
    pay_run: str | None = None,
    source: str = "debtor",
) -> StatedReason:
    """Record why the customer does not pay, and start what that reason starts.

    `documents` are the items it is about (all overdue ones, if none is named); an amount narrows the dispute of one.

    Raises:
        UsageError: the reason is none, or the documents are not open.
    """
    desk.require("record a reason", *TALKERS)
    course = COURSES.get(reason)
    if course is None:
        raise UsageError(f"{reason!r} is no reason.", advice=f"One of: {', '.join(COURSES)}.")
    items = desk.items_named(case, documents)
    stated = StatedReason(
        case_id=int(case.id or 0),
        reason=reason,
        stated_on=desk.as_of,
        source=source,
        actor=desk.person.login,
        valid_from=desk.as_of,
        recorded_at=desk.now,
    )
    desk.session.add(stated)
    desk.session.flush()
    desk.record("reason_stated", case=case, reason=reason, source=source)
    _start(desk, case, reason, course, items, amount)
    if pay_run is not None:
        debtor = desk.session.get(Debtor, case.debtor_id)
        assert debtor is not None
        set_preference(desk, debtor, "pay_run", pay_run, source=source)
    return stated


def _start(
    desk: Desk,
    case: Case,
    reason: NonPaymentReason,
    course: Course,
    items: list[OpenItem],
    amount: int | None,
) -> None:
    if reason == R.PAID_ALREADY and items:
        claim_payment(desk, case, documents=[item.document_no for item in items])
    if course.stops is not None:
        set_hold(
            desk,
            case,
            HoldReason.LEGAL_STOP,
            desk.in_working_days(case.debtor_id, 260),
            reason,
            scope="party",
            source=course.stops,
            by_engine_rule=True,
        )
    if course.disputes:
        for item in items:
            part = amount if len(items) == 1 else None
            open_dispute(desk, case, item.document_no, reason, amount=part, source="reason")
    if course.holds_items is not None:
        until = desk.in_working_days(case.debtor_id, DEPARTMENT_DAYS)
        for item in items:
            set_hold(
                desk,
                case,
                course.holds_items,
                until,
                reason,
                scope="item",
                item_id=item.item_id,
                source=REASON_HOLD,
                by_engine_rule=True,
            )
    if course.work is not None:
        kind, subject, role, days = course.work
        open_work(
            desk, case, kind, subject, role, working_days=days, blocks=course.stops is None and not course.disputes
        )
