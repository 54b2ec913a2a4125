"""Reasons for not paying, and what each one starts: the pack says whose turn it is, what rests and who works on it.

What the customer says is recorded as it is. A dispute, a claim of payment or a legal stop is a record of its own; work
for us blocks notices while the ball is with us; items rest while a department works (rule 27).
"""

from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import HoldReason, NonPaymentReason
from maatpak.ledger.tables import Case, Debtor, StatedReason
from policies.schema import ReasonLine, Turn
from tasks.claims import claim_payment, claimed_items
from tasks.desk import Desk, OpenItem
from tasks.disputes import open_dispute
from tasks.holds import set_hold
from tasks.preferences import set_preference
from tasks.rights import TALKERS
from tasks.worklist import hold_source, open_work

LEGAL_STOP_DAYS = 260
"""Working days that a legal stop lasts unless it is lifted; then a review wakes."""


def state_reason(
    desk: Desk,
    case: Case,
    reason: NonPaymentReason,
    *,
    documents: list[str] | None = None,
    amount: int | None = None,
    pay_run: str | None = None,
    source: str = "debtor",
    with_work: bool = True,
    by_engine_rule: bool = False,
) -> StatedReason:
    """Record why the customer does not pay, and start what that reason starts.

    `documents` are the items it is about (all overdue ones, if none is named); an amount narrows the dispute of one.
    `with_work=False` is for a call result that opens work of its own. `by_engine_rule` is for a reason that follows
    from another act (the insolvency register says so): that act's right suffices.

    Raises:
        UsageError: the reason is none, or the documents are not open.
    """
    if not by_engine_rule:
        desk.require("record a reason", *TALKERS)
    line = desk.pack.reasons.get(reason)
    if line is None:
        raise UsageError(f"{reason!r} is no reason.", advice=f"One of: {', '.join(desk.pack.reasons)}.")
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
    desk.record("reason_stated", case=case, reason=reason)
    if reason == NonPaymentReason.PAID_ALREADY:
        claimed = claimed_items(desk, case)
        items = [item for item in items if item.item_id not in claimed]
        if items:
            claim_payment(desk, case, documents=[item.document_no for item in items])
    else:
        _start(desk, case, reason, line, items, amount, with_work=with_work)
    if pay_run is not None:
        debtor = desk.session.get(Debtor, case.debtor_id)
        assert debtor is not None
        set_preference(desk, debtor, "pay_run", pay_run, source=source)
    return stated


def _start(
    desk: Desk,
    case: Case,
    reason: NonPaymentReason,
    line: ReasonLine,
    items: list[OpenItem],
    amount: int | None,
    *,
    with_work: bool,
) -> None:
    if line.legal_stop is not None:
        set_hold(
            desk,
            case,
            HoldReason.LEGAL_STOP,
            desk.in_working_days(case.debtor_id, LEGAL_STOP_DAYS),
            reason,
            scope="party",
            source=line.legal_stop,
            by_engine_rule=True,
        )
    if line.dispute:
        for item in items:
            part = amount if len(items) == 1 else None
            open_dispute(desk, case, item.document_no, reason, amount=part, source="reason", owner=line.owner)
    source = "reason"
    if line.work is not None and with_work:
        task = open_work(
            desk,
            case,
            line.work.kind,
            line.work.about,
            line.work.role,
            working_days=line.work.within,
            blocks=line.turn is Turn.OURS and not line.dispute and line.legal_stop is None,
        )
        source = hold_source(task)
    if line.hold is not None:
        until = desk.in_working_days(case.debtor_id, line.hold.for_)
        for item in items:
            set_hold(
                desk,
                case,
                line.hold.reason,
                until,
                reason,
                scope="item",
                item_id=item.item_id,
                source=source,
                by_engine_rule=True,
            )
