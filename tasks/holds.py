"""Holds: when contact rests, how long at most, who sets it and who lifts it (rule 25).

A hold is an object with scope, reason, source, from, until and who. Past its end a review wakes (tasks.settle), never a
letter by itself.
"""

from dataclasses import dataclass
from datetime import date

from sqlmodel import col, select

from maatpak.kernel.calendars import working_days_between
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import HoldReason, LegalStop, Role, WorkKind
from maatpak.ledger.tables import Case, Hold
from maatpak.ledger.versions import succeed
from tasks.desk import Desk
from tasks.rights import COLLECTORS, DESK, HEARD, MANAGERS, TALKERS
from tasks.worklist import open_work


@dataclass(frozen=True)
class HoldRule:
    """What a reason allows."""

    longest: int
    """Working days of the debtor's country."""
    sets: tuple[Role, ...]
    lifts: tuple[Role, ...]
    two_lift: bool = False
    """Lifting needs a second person."""


HOLD_RULES: dict[HoldReason, HoldRule] = {
    HoldReason.LEGAL_STOP: HoldRule(260, DESK, MANAGERS, two_lift=True),
    HoldReason.HARDSHIP: HoldRule(22, TALKERS, COLLECTORS),
    HoldReason.DISPUTE: HoldRule(22, TALKERS, COLLECTORS),
    HoldReason.CLAIMED_PAID: HoldRule(5, TALKERS, COLLECTORS),
    HoldReason.COMPLAINT: HoldRule(10, DESK, HEARD),
    HoldReason.PROMISE: HoldRule(10, TALKERS, COLLECTORS),
    HoldReason.PLAN: HoldRule(10, TALKERS, COLLECTORS),
    HoldReason.ACCOUNT_MANAGER_TALKS: HoldRule(5, HEARD, HEARD),
    HoldReason.DATA: HoldRule(22, DESK, (Role.OPERATOR, *COLLECTORS)),
    HoldReason.DISASTER: HoldRule(66, MANAGERS, MANAGERS),
}
"""Every reason but `none`; a test holds the two lists together."""

LIFT_CONFIRM = "Confirm that the hold is lifted."
"""Subject of the work by which a second person lifts a hold."""


def set_hold(
    desk: Desk,
    case: Case,
    reason: HoldReason,
    until: date,
    note: str,
    *,
    scope: str = "case",
    item_id: int | None = None,
    source: str = "person",
    by_engine_rule: bool = False,
) -> Hold:
    """A new hold on the party, the debtor, the case or one item, from today until a date.

    `by_engine_rule` is for holds that follow from another act (a complaint on the phone): that act's right suffices.

    Raises:
        RefusedError: the role may not set it, or it is longer than the reason allows.
        UsageError: the dates or the scope do not fit, or a person gives no words.
    """
    rule = _rule(reason)
    if not by_engine_rule:
        desk.require(f"set a hold for {reason}", *rule.sets)
        _needs_words(note)
    if until < desk.as_of:
        raise UsageError(f"A hold until {until} ends before it begins ({desk.as_of}).", advice="Give a later date.")
    length = working_days_between(desk.as_of, until, desk.country(case.debtor_id))
    if length > rule.longest:
        raise RefusedError(
            f"A hold for {reason} lasts at most {rule.longest} working days, not {length}.",
            advice=f"The latest end is {desk.in_working_days(case.debtor_id, rule.longest)}.",
        )
    if (scope == "item") != (item_id is not None):
        raise UsageError("A hold of scope item names an item, another scope does not.", advice="Name the document.")
    if reason == HoldReason.LEGAL_STOP and source not in LegalStop.__members__.values():
        raise UsageError(
            f"{source!r} is no legal stop.", advice=f"Its source is one of: {', '.join(list(LegalStop)[1:])}."
        )
    hold = Hold(
        hold_no=desk.number("hold", "H"),
        scope=scope,
        party_id=case.party_id if scope == "party" else None,
        debtor_id=case.debtor_id,
        case_id=case.id if scope in ("case", "item") else None,
        item_id=item_id,
        reason=reason,
        source=source,
        from_on=desk.as_of,
        until_on=until,
        note=note,
        actor=desk.person.login,
        valid_from=desk.as_of,
        recorded_at=desk.now,
    )
    desk.session.add(hold)
    desk.session.flush()
    desk.record(
        "hold_set", case=case, hold=hold.hold_no, reason=reason, scope=scope, item=item_id, until=until.isoformat()
    )
    return hold


def lift_hold(desk: Desk, hold_no: str, note: str) -> Hold | None:
    """End a hold today. A legal stop needs a second person: the first asks, and None is returned meanwhile."""
    hold = current_hold(desk, hold_no)
    rule = _rule(HoldReason(hold.reason))
    desk.require(f"lift a hold for {hold.reason}", *rule.lifts)
    _needs_words(note)
    case = _case_of(desk, hold)
    if rule.two_lift:
        task = open_work(
            desk,
            case,
            WorkKind.REVIEW,
            LIFT_CONFIRM,
            Role.CREDIT_MANAGER,
            working_days=2,
            record_no=hold_no,
            asked_by=desk.person.login,
        )
        desk.record("hold_lift_asked", case=case, hold=hold_no, task=task.id)
        return None
    return end_hold(desk, hold, case, note)


def end_hold(desk: Desk, hold: Hold, case: Case, note: str) -> Hold:
    """The hold's last version: lifted today."""
    lifted = succeed(desk.session, hold, desk.as_of, desk.now, state="lifted", note=note, actor=desk.person.login)
    desk.record("hold_lifted", case=case, hold=hold.hold_no, reason=hold.reason)
    return lifted


def current_hold(desk: Desk, hold_no: str) -> Hold:
    """The live hold of that number, its party locked."""
    hold = desk.session.exec(
        select(Hold).where(Hold.hold_no == hold_no, col(Hold.replaced_at).is_(None), Hold.state == "active")
    ).first()
    if hold is None:
        raise UsageError(f"There is no live hold {hold_no!r}.", advice="`maatpak hold list` shows the live ones.")
    desk.debtor(hold.debtor_id)
    return hold


def holds_from(desk: Desk, case: Case, source: str) -> list[Hold]:
    """Live holds on a case or its items that came from that source."""
    return list(
        desk.session.exec(
            select(Hold).where(
                Hold.case_id == case.id,
                Hold.source == source,
                Hold.state == "active",
                col(Hold.replaced_at).is_(None),
            )
        )
    )


def _rule(reason: HoldReason) -> HoldRule:
    rule = HOLD_RULES.get(reason)
    if rule is None:
        raise UsageError(f"{reason!r} is no reason for a hold.", advice=f"One of: {', '.join(HOLD_RULES)}.")
    return rule


def _needs_words(note: str) -> None:
    if not note.strip():
        raise UsageError("A hold is set and lifted with the reason in words.", advice="Give a note.")


def _case_of(desk: Desk, hold: Hold) -> Case:
    query = select(Case).where(Case.id == hold.case_id if hold.case_id else Case.debtor_id == hold.debtor_id)
    case = desk.session.exec(query.order_by(col(Case.id))).first()
    if case is None:
        raise UsageError(f"Hold {hold.hold_no} lies on no case.", advice="See `maatpak hold list`.")
    return case
