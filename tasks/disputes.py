"""Disputes: an objection to an item is ours to answer, with an owner and a date (rule 17)."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import text
from sqlmodel import col, select

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.money import format_money
from maatpak.kernel.words import DisputeState, NonPaymentReason, Role, WorkKind
from maatpak.ledger.tables import VISIBLE, Case, Dispute
from maatpak.ledger.versions import succeed
from tasks.desk import Desk, OpenItem
from tasks.rights import TALKERS
from tasks.worklist import close_work_about, open_work

DISPUTE_REASONS = frozenset(
    {
        NonPaymentReason.WRONG_INVOICE,
        NonPaymentReason.WRONG_ENTITY,
        NonPaymentReason.PRICE,
        NonPaymentReason.QUANTITY,
        NonPaymentReason.NOT_DELIVERED,
        NonPaymentReason.OUR_FAILURE,
        NonPaymentReason.SET_OFF,
        NonPaymentReason.PAYMENT_FAILED,
    }
)
"""Reasons that object to an item; the last one for a debit that the customer had refunded."""
ANSWER_WITHIN = 10
"""Working days in which we answer."""
DECIDERS = (Role.ACCOUNT_MANAGER, Role.COLLECTOR, Role.CREDIT_MANAGER, Role.FINANCE_DIRECTOR)
DECISIONS = frozenset(DisputeState) - {DisputeState.OPEN}
"""What a decision makes of a dispute."""


def open_dispute(
    desk: Desk,
    case: Case,
    document: str,
    reason: NonPaymentReason,
    *,
    amount: int | None = None,
    owner: str | None = None,
    source: str = "debtor",
) -> Dispute:
    """Record an objection to an open item; without an amount the whole item is disputed."""
    desk.require("record a dispute", *TALKERS)
    if reason not in DISPUTE_REASONS:
        raise UsageError(f"{str(reason)!r} is no objection.", advice=f"One of: {', '.join(sorted(DISPUTE_REASONS))}.")
    (item, *_) = desk.items_named(case, [document])
    disputed = item.open_amount if amount is None else amount
    already = sum(each.amount for each in _live_of_item(desk, item.item_id))
    if not 0 < disputed <= item.open_amount - already:
        raise UsageError(
            f"{format_money(disputed, case.currency)} cannot be disputed on {document}:"
            f" {format_money(item.open_amount - already, case.currency)} of it is open and undisputed.",
            advice="Give an amount within that.",
        )
    profile = desk.profile(case.debtor_id)
    dispute = Dispute(
        dispute_no=desk.number("dispute", "D"),
        case_id=int(case.id or 0),
        item_id=item.item_id,
        amount=disputed,
        reason=reason,
        owner=owner or (profile.account_manager if profile and profile.account_manager else desk.person.login),
        opened_on=desk.as_of,
        answer_by=desk.in_working_days(case.debtor_id, ANSWER_WITHIN),
        source=source,
        actor=desk.person.login,
        valid_from=desk.as_of,
        recorded_at=desk.now,
    )
    desk.session.add(dispute)
    desk.session.flush()
    desk.record(
        "dispute_opened",
        case=case,
        dispute=dispute.dispute_no,
        item=item.item_id,
        amount=disputed,
        reason=reason,
        answer_by=dispute.answer_by.isoformat(),
    )
    return dispute


def decide_dispute(
    desk: Desk, dispute_no: str, state: DisputeState, note: str, *, accepted_amount: int | None = None
) -> Dispute:
    """Our answer, or the customer's withdrawal. A rejection is told to the customer, with its reason.

    Raises:
        RefusedError: who recorded the dispute does not reject it alone when a threat is to follow; that is asked at
            the approval, so here only the role counts.
    """
    desk.require("decide a dispute", *DECIDERS)
    dispute = desk.session.exec(
        select(Dispute).where(
            Dispute.dispute_no == dispute_no, col(Dispute.replaced_at).is_(None), Dispute.state == DisputeState.OPEN
        )
    ).first()
    if dispute is None:
        raise UsageError(f"There is no open dispute {dispute_no!r}.", advice="`maatpak dispute list` shows them.")
    if state == DisputeState.OPEN:
        raise UsageError("A decision does not leave a dispute open.", advice="Accept, reject, or withdraw it.")
    if not note.strip():
        raise RefusedError("A decision on a dispute needs its reason in words.", advice="Give a note.")
    case = desk.case(dispute.case_id)
    accepted = _accepted(dispute, state, accepted_amount, case.currency)
    decided = succeed(
        desk.session,
        dispute,
        desk.as_of,
        desk.now,
        state=state,
        accepted_amount=accepted,
        decided_on=desk.as_of,
        actor=desk.person.login,
    )
    close_work_about(desk, dispute_no, str(state))
    if state in (DisputeState.REJECTED, DisputeState.PART_ACCEPTED):
        open_work(
            desk,
            case,
            WorkKind.REPLY,
            "Tell the customer how the dispute was decided, and why.",
            Role.COLLECTOR,
            working_days=1,
            record_no=dispute_no,
            blocks=True,
        )
    desk.record("dispute_decided", case=case, dispute=dispute_no, state=state, accepted=accepted)
    return decided


def disputed_parts(desk: Desk, items: Sequence[OpenItem]) -> dict[int, int]:
    """Item → what of it is disputed: the larger of our records and the ledger's flag, as the facts have it."""
    rows = desk.session.execute(
        text(
            "SELECT item_id, disputed_amount FROM item_version v WHERE item_id = ANY(:items) AND disputed_amount > 0"  # noqa: S608
            " AND (disputed_on IS NULL OR disputed_on <= :as_of)"
            " AND (dispute_outcome IS NULL OR dispute_outcome NOT IN ('rejected', 'withdrawn'))"
            f" AND {VISIBLE.format(t='v', as_of=':as_of', known_at=':known_at')}"
        ),
        {"items": [item.item_id for item in items], "as_of": desk.as_of, "known_at": desk.latest},
    )
    flagged = {int(row.item_id): int(row.disputed_amount) for row in rows}
    parts: dict[int, int] = {}
    for item in items:
        recorded = sum(_disputed_now(each) for each in _live_of_item(desk, item.item_id))
        part = min(item.open_amount, max(flagged.get(item.item_id, 0), recorded))
        if part:
            parts[item.item_id] = part
    return parts


def undisputed(desk: Desk, case: Case, items: list[OpenItem], act: str, *, named: bool) -> list[OpenItem]:
    """The items with what is not disputed of each. Where somebody named a disputed one, that is no oversight to mend.

    Raises:
        RefusedError: a named item is disputed, or nothing is left.
    """
    disputed = disputed_parts(desk, items)
    left = [replace(item, open_amount=item.open_amount - disputed.get(item.item_id, 0)) for item in items]
    left = [item for item in left if item.open_amount > 0]
    if disputed and (named or not left):
        told = ", ".join(
            f"{item.document_no} for {format_money(disputed[item.item_id], case.currency)}"
            for item in items
            if item.item_id in disputed
        )
        raise RefusedError(
            f"Disputed is {told}: until that is answered we do not {act}.",
            advice="Decide it first (`maatpak dispute decide`), or name other documents.",
        )
    return left


def _disputed_now(dispute: Dispute) -> int:
    return dispute.accepted_amount if dispute.state == DisputeState.PART_ACCEPTED else dispute.amount


def _accepted(dispute: Dispute, state: DisputeState, amount: int | None, currency: str) -> int:
    if amount is not None and state != DisputeState.PART_ACCEPTED:
        raise UsageError(
            f"{str(state)!r} takes no amount, but {format_money(amount, currency)} was given.",
            advice=f"To accept a part of {format_money(dispute.amount, currency)}: {DisputeState.PART_ACCEPTED}.",
        )
    if state == DisputeState.ACCEPTED:
        return dispute.amount
    if state != DisputeState.PART_ACCEPTED:
        return 0
    if amount is None or not 0 < amount < dispute.amount:
        raise UsageError(
            f"Accepted in part means more than nothing and less than {format_money(dispute.amount, currency)}.",
            advice="Give the amount that we credit.",
        )
    return amount


def _live_of_item(desk: Desk, item_id: int) -> list[Dispute]:
    return list(
        desk.session.exec(
            select(Dispute).where(
                Dispute.item_id == item_id,
                col(Dispute.replaced_at).is_(None),
                col(Dispute.state).in_([DisputeState.OPEN, DisputeState.ACCEPTED, DisputeState.PART_ACCEPTED]),
            )
        )
    )
