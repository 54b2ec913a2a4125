"""Taking a case back from the agency: a person's act (rule 20). What money or law recalls is settled."""

from collections.abc import Sequence

from sqlmodel import col, select

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import Role, WorkKind
from maatpak.ledger.tables import Case, Placement
from maatpak.ledger.versions import succeed
from tasks.desk import Desk, OpenItem
from tasks.rights import HEARD
from tasks.settle_placements import TELL_AGENCY
from tasks.worklist import open_work

CAUSES = ("paid", "disputed", "error", "insolvency", "account_manager")


def recall_placement(desk: Desk, placement_no: str, cause: str) -> Placement:
    """Take a case back; its items are ours to speak about again."""
    desk.require("recall a placement", *HEARD)
    if cause not in CAUSES:
        raise UsageError(f"{cause!r} recalls nothing.", advice=f"One of: {', '.join(CAUSES)}.")
    placement = desk.session.exec(
        select(Placement).where(
            Placement.placement_no == placement_no, col(Placement.replaced_at).is_(None), Placement.state == "placed"
        )
    ).first()
    if placement is None:
        raise UsageError(
            f"There is no placement {placement_no!r} at an agency.", advice="`maatpak case placements` shows them."
        )
    case = desk.case(placement.case_id)
    recalled = succeed(
        desk.session, placement, desk.as_of, desk.now, state="recalled", cause=cause, actor=desk.person.login
    )
    open_work(
        desk,
        case,
        WorkKind.NOTICE,
        TELL_AGENCY["recalled"],
        Role.COLLECTOR,
        working_days=1,
        record_no=placement_no,
    )
    desk.record("placement_recalled", case=case, placement=placement_no, cause=cause)
    return recalled


def require_ours(desk: Desk, case: Case, items: Sequence[OpenItem], act: str) -> None:
    """Refuse an agreement that is only about items with an agency: it speaks with the customer, and we are silent.

    Raises:
        RefusedError: every one of the items is placed.
    """
    placements = desk.session.exec(
        select(Placement).where(
            Placement.case_id == case.id, col(Placement.replaced_at).is_(None), Placement.state == "placed"
        )
    ).all()
    placed = {int(item_id): each for each in placements for item_id in each.items}
    if items and all(item.item_id in placed for item in items):
        numbers = sorted({placed[item.item_id].placement_no for item in items})
        raise RefusedError(
            f"What is open is with an agency (placement {', '.join(numbers)}): we do not {act}.",
            advice=f"Tell the agency, or take it back first: `maatpak case recall {numbers[0]} CAUSE`.",
        )
