"""Claims of payment: the customer says it is paid, so we look for the money before we ask again."""

from sqlmodel import and_, col, or_, select

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.money import format_money
from maatpak.kernel.words import Role, WorkKind
from maatpak.ledger.tables import Case, ClaimedPayment
from maatpak.ledger.versions import succeed
from tasks.desk import Desk
from tasks.placements import require_ours
from tasks.rights import DESK
from tasks.worklist import close_work_about, open_work

SILENCE = 5
"""Working days that a claim silences what it covers."""
BOOK_WITHIN = 10
"""Working days in which what cash has found must show in the ledger; so long it is not asked."""
LOOK_WITHIN = 2
"""Working days in which cash looks for the money."""
FIND_CASH = "Find the payment that the customer says was made."
ASK_FOR_PROOF = "Ask kindly for a proof of the payment."


def claim_payment(
    desk: Desk, case: Case, *, documents: list[str] | None = None, amount: int | None = None
) -> ClaimedPayment:
    """Record that the customer says documents, or an amount, are paid. Without either: everything overdue.

    Raises:
        RefusedError: an agency speaks about all of it, or it is claimed as paid already.
        UsageError: it does not fit what is open.
    """
    desk.require("record a claimed payment", *DESK)
    claimed_in = claimed_items(desk, case)
    named = desk.items_named(case, documents)
    twice = [item for item in named if item.item_id in claimed_in]
    if documents is None and len(twice) < len(named):
        named = [item for item in named if item.item_id not in claimed_in]
    elif twice and amount is None:
        told = ", ".join(f"{item.document_no} in {claimed_in[item.item_id]}" for item in twice)
        raise RefusedError(f"Claimed as paid already: {told}.", advice="End that claim first, or name other documents.")
    meant = named if documents is not None else desk.open_items(case)
    require_ours(desk, case, named if amount is None else meant, "note a claim of payment for it")
    open_total = sum(item.open_amount for item in meant)
    claimed = amount if amount is not None else sum(item.open_amount for item in named)
    if not 0 < claimed <= open_total:
        raise UsageError(
            f"{format_money(claimed, case.currency)} cannot be claimed as paid:"
            f" {format_money(open_total, case.currency)} is open.",
            advice="Name documents that are open, or an amount within what is open.",
        )
    claim = ClaimedPayment(
        claim_no=desk.number("claimed_payment", "C"),
        case_id=int(case.id or 0),
        amount=claimed,
        items={str(item.item_id): item.open_amount for item in named} if amount is None else None,
        claimed_on=desk.as_of,
        until_on=desk.in_working_days(case.debtor_id, SILENCE),
        actor=desk.person.login,
        valid_from=desk.as_of,
        recorded_at=desk.now,
    )
    desk.session.add(claim)
    desk.session.flush()
    open_work(desk, case, WorkKind.CASH, FIND_CASH, Role.OPERATOR, working_days=LOOK_WITHIN, record_no=claim.claim_no)
    desk.record("payment_claimed", case=case, claim=claim.claim_no, amount=claimed, until=claim.until_on.isoformat())
    return claim


def claimed_items(desk: Desk, case: Case) -> dict[int, str]:
    """The items of a case that a claim silences → that claim's number."""
    live = desk.session.exec(
        select(ClaimedPayment)
        .where(
            ClaimedPayment.case_id == case.id,
            col(ClaimedPayment.replaced_at).is_(None),
            or_(
                col(ClaimedPayment.state) == "open",
                and_(col(ClaimedPayment.state) == "found", col(ClaimedPayment.until_on) >= desk.as_of),
            ),
        )
        .order_by(col(ClaimedPayment.id))
    )
    return {int(item): claim.claim_no for claim in live for item in claim.items or {}}


def resolve_claim(desk: Desk, claim_no: str, *, found: bool) -> ClaimedPayment:
    """Cash found the money, or did not: then the customer is kindly asked for a proof.

    What was found is ours to book: it is not asked while the ledger does not show it (tasks.settle_money).
    """
    desk.require("resolve a claimed payment", *DESK)
    claim = desk.session.exec(
        select(ClaimedPayment).where(
            ClaimedPayment.claim_no == claim_no,
            col(ClaimedPayment.replaced_at).is_(None),
            ClaimedPayment.state == "open",
        )
    ).first()
    if claim is None:
        raise UsageError(f"There is no open claim {claim_no!r}.", advice="`maatpak claim list` shows them.")
    case = desk.case(claim.case_id)
    state = "found" if found else "not_found"
    until_on = desk.in_working_days(case.debtor_id, BOOK_WITHIN) if found else claim.until_on
    resolved = succeed(
        desk.session, claim, desk.as_of, desk.now, state=state, until_on=until_on, actor=desk.person.login
    )
    close_work_about(desk, claim_no, state)
    if not found:
        open_work(
            desk, case, WorkKind.REPLY, ASK_FOR_PROOF, Role.COLLECTOR, working_days=1, record_no=claim_no, blocks=True
        )
    desk.record("claim_resolved", case=case, claim=claim_no, state=state)
    return resolved
