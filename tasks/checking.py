"""Recording what was checked before a placement, and the work that asks for it (rule 20).

A record says who looked, when, at what, what they found, and until when that counts. It is written once: a check that
is made again is another record. To record one takes nobody's word on the placement away (rule 10): that a register is
clear is no act on the case. Whoever changes the address, or states a reason, is barred as ever.
"""

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
from sqlalchemy import text
from sqlmodel import Session, col, select

from maatpak.kernel.calendars import shift_working_days
from maatpak.kernel.checks import CUSTOMER_CHECKS, CheckKind, CheckResult, CheckState
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.ids import salted_hash
from maatpak.kernel.words import (
    ActionState,
    Channel,
    HoldReason,
    LegalStop,
    NonPaymentReason,
    Role,
    StepKind,
    WorkKind,
    WorkState,
)
from maatpak.ledger.database import Frames
from maatpak.ledger.tables import Action, Case, Debtor, Hold, PlacementCheck, WorkTask
from policies.guardrails import PlacementLimits
from tasks.desk import Desk
from tasks.placement_checks import AGENCY, Check, checks_of, reading, standing
from tasks.reasons import state_reason
from tasks.register import require_country
from tasks.repairs import open_repair
from tasks.revalidate import EVERYTHING_RECORDED
from tasks.rights import DESK, MANAGERS
from tasks.worklist import CHECK_FIRST, close_work, open_many

if TYPE_CHECKING:
    from tasks.engine import Engine

PLACEMENT = "G-"
"""Numbers of placements begin with it."""
RECORD_WITHIN = 2
"""Working days in which what is unchecked is looked up: well before the proposal lapses."""

RESULTS: dict[CheckKind, tuple[CheckResult, ...]] = {
    CheckKind.IDENTITY: (CheckResult.CLEAR, CheckResult.FAILED),
    CheckKind.ADDRESS: (CheckResult.CLEAR, CheckResult.FAILED),
    CheckKind.LIMITATION: (CheckResult.CLEAR, CheckResult.FAILED),
    CheckKind.INSOLVENCY_REGISTER: (CheckResult.CLEAR, CheckResult.FAILED, CheckResult.INSOLVENT),
    CheckKind.AGENCY_LICENCE: (CheckResult.CLEAR, CheckResult.FAILED),
}
"""What a person may have found, by what they looked at."""

OPEN_PLACEMENTS = f"""
SELECT a.id AS action_id, a.case_id, k.debtor_id, COALESCE(p.country, c.country) AS country
FROM action a JOIN "case" k ON k.id = a.case_id JOIN creditor c ON c.id = a.creditor_id
LEFT JOIN debtor_profile p ON p.debtor_id = k.debtor_id AND p.replaced_at IS NULL
WHERE a.creditor_id = {{creditor}} AND a.state IN ('{ActionState.AWAITING_APPROVAL}', '{ActionState.APPROVED}')
  AND a.kind = '{StepKind.HANDOFF}' AND k.shard_key % {{shards}} = {{shard}}
ORDER BY a.id
"""  # noqa: S608 - words of our own

END_CHECKING = f"""
UPDATE work_task t SET state = 'cancelled', outcome = 'ended', done_at = {{at}} FROM "case" k
WHERE k.id = t.case_id AND k.shard_key % {{shards}} = {{shard}} AND t.creditor_id = {{creditor}} AND t.state = 'open'
  AND t.kind = '{WorkKind.REVIEW}' AND t.subject = '{CHECK_FIRST}' AND t.record_no <> ALL ('{{{{{{wanted}}}}}}')
"""  # noqa: S608 - words of our own


def placement_no(action_id: int) -> str:
    """The number that the placement of an action has, or would have."""
    return f"{PLACEMENT}{action_id}"


def action_of_placement(number: str) -> int:
    """The action that a placement is, or would be, of."""
    return int(number.removeprefix(PLACEMENT))


def record_check(
    desk: Desk,
    debtor: Debtor,
    kind: CheckKind,
    result: CheckResult,
    source: str,
    *,
    until: date | None = None,
    document: str | None = None,
    case: Case | None = None,
) -> PlacementCheck:
    """What a person found today of a customer.

    `until`, `document` and `case` are for a limitation: the last day on which that open item (the oldest, if none is
    named) can be claimed. How long the others count, the pack's guardrails say. Whoever stands in the insolvency
    register is not contacted from now on; an address that is wrong is to be mended.

    Raises:
        UsageError: the words, the dates or the document do not fit the kind of check.
    """
    desk.require("record a check", *DESK)
    if kind not in CUSTOMER_CHECKS:
        raise UsageError(f"{kind!r} is not checked of a customer.", advice=f"One of: {', '.join(CUSTOMER_CHECKS)}.")
    _require_words(kind, result, source)
    item_id = None
    if kind is CheckKind.LIMITATION:
        item_id, until = _claimable(desk, case, document, until, result)
    elif until is not None or document is not None:
        raise UsageError(
            f"How long a check of kind {kind} counts, the pack says; it names no document.",
            advice="--until and --document are for --kind limitation.",
        )
    else:
        until = _counts_until(desk.pack.guardrails.placement, kind, desk.as_of)
    check = PlacementCheck(
        creditor_id=debtor.creditor_id,
        debtor_id=debtor.id,
        item_id=item_id,
        **_found(desk, kind, result, source, until),
    )
    _keep(desk, check, debtor)
    _follow_up(desk, debtor, check)
    _end_work(desk, debtor)
    return check


def record_licence(
    desk: Desk, country: str, result: CheckResult, source: str, until: date | None = None
) -> PlacementCheck:
    """What a person saw of the agency's licence to collect in a country, and its last day.

    Raises:
        UsageError: the country, the words or the date do not fit.
    """
    desk.require("record the agency's licence", Role.ADMINISTRATOR, *MANAGERS)
    require_country(country)
    _require_words(CheckKind.AGENCY_LICENCE, result, source)
    if until is None and result is CheckResult.CLEAR:
        raise UsageError("A licence is recorded with its last day.", advice="Give the last day on which it is valid.")
    until = _not_past(desk, until) if until is not None else desk.as_of
    kind = CheckKind.AGENCY_LICENCE
    check = PlacementCheck(
        creditor_id=int(desk.creditor.id or 0),
        agency=AGENCY,
        country=country,
        **_found(desk, kind, result, source, until),
    )
    _keep(desk, check, None)
    return check


def licences(engine: "Engine") -> list[dict[str, Any]]:
    """What is on record of the agency's licences, the newest of each creditor and country first."""
    with engine.database.reading() as session:
        rows = session.connection().execute(
            text(
                "SELECT c.code AS creditor, k.country, k.agency, k.result, k.source, k.checked_on, k.until_on, k.actor"
                " FROM placement_check k JOIN creditor c ON c.id = k.creditor_id WHERE k.debtor_id IS NULL"
                " ORDER BY c.code, k.country, k.id DESC"
            )
        )
        return [dict(row) for row in rows.mappings()]


def placement_checks(desk: Desk, action: Action) -> list[Check]:
    """Where the checks of a placement stand at this moment."""
    limits = desk.pack.guardrails.placement
    return checks_of(reading(desk.session), [int(action.id or 0)], limits, desk.as_of, EVERYTHING_RECORDED)


def require_checked(desk: Desk, action: Action) -> None:
    """Refuse the word that would let a placement go while a check is missing, failed or expired.

    Raises:
        RefusedError: one is; all of them are named.
    """
    unfit = [check for check in placement_checks(desk, action) if not check.fine]
    if unfit:
        raise RefusedError(
            f"Action {action.id} cannot go to the agency yet. " + " ".join(f"{check.told}." for check in unfit),
            advice=" ".join(f"{check.kind}: {check.mend}." for check in unfit),
        )


def require_looked_up(desk: Desk, task: WorkTask) -> None:
    """The work of checking ends when everything was looked up, whatever was found.

    Raises:
        RefusedError: something still waits for a record.
    """
    waiting = _waiting(desk, task)
    if waiting:
        raise RefusedError(
            f"Work {task.id} is not done. " + " ".join(f"{check.told}." for check in waiting),
            advice=" ".join(f"{check.kind}: {check.mend}." for check in waiting),
        )


def unchecked(frames: Frames, action_ids: list[int], limits: PlacementLimits, as_of: date) -> pl.Series:
    """Those of these placements that a check forbids at this moment."""
    judged = standing(frames.read, action_ids, limits, as_of, EVERYTHING_RECORDED)
    return judged.filter(pl.col("state") != CheckState.FINE)["action_id"].unique().sort()


def tend_checks(
    frames: Frames, creditor_id: int, limits: PlacementLimits, as_of: date, at: datetime, shard: int, shards: int
) -> int:
    """Ask somebody to look up what the proposed placements of a shard still need, once a proposal; take back what
    nobody needs any more. How much is new."""
    where = {"creditor": int(creditor_id), "shard": int(shard), "shards": int(shards)}
    proposed = frames.read(OPEN_PLACEMENTS.format(**where))
    forbidden = unchecked(frames, proposed["action_id"].to_list(), limits, as_of)
    wanted = proposed.filter(pl.col("action_id").is_in(forbidden.implode()))
    numbers = [placement_no(action_id) for action_id in wanted["action_id"]]
    frames.execute(END_CHECKING.format(**where, wanted=",".join(numbers), at=f"TIMESTAMPTZ '{at.isoformat()}'"))
    if wanted.is_empty():
        return 0
    today = pl.Series("due_on", [as_of]).new_from_index(0, len(wanted))
    work = wanted.select(
        *("case_id", "debtor_id"),
        kind=pl.lit(str(WorkKind.REVIEW)),
        subject=pl.lit(CHECK_FIRST),
        role=pl.lit(str(Role.OPERATOR)),
        record_no=pl.Series(numbers),
        due_on=shift_working_days(today, RECORD_WITHIN, wanted["country"]),
    )
    return open_many(frames, creditor_id, work, as_of, at).height


def _found(desk: Desk, kind: CheckKind, result: CheckResult, source: str, until: date) -> dict[str, Any]:
    return {
        "kind": kind,
        "result": result,
        "source": source.strip(),
        "checked_on": desk.as_of,
        "until_on": until,
        "actor": desk.person.login,
        "recorded_at": desk.now,
    }


def _keep(desk: Desk, check: PlacementCheck, debtor: Debtor | None) -> None:
    desk.session.add(check)
    desk.session.flush()
    desk.session.refresh(check)
    desk.record(
        "check_recorded",
        debtor_id=debtor.id if debtor else None,
        check=check.id,
        check_kind=check.kind,
        result=check.result,
        until=check.until_on.isoformat(),
        source=salted_hash(check.source, check.salt),
    )


def _require_words(kind: CheckKind, result: CheckResult, source: str) -> None:
    if result not in RESULTS[kind]:
        raise UsageError(
            f"{result!r} is no result of a check of kind {kind}.", advice=f"One of: {', '.join(RESULTS[kind])}."
        )
    if not source.strip():
        raise UsageError(
            "A check is recorded with what was looked at.", advice="Name the register and the number of its extract."
        )


def _counts_until(limits: PlacementLimits, kind: CheckKind, checked_on: date) -> date:
    span = {
        CheckKind.IDENTITY: f"{limits.identity_months}mo",
        CheckKind.ADDRESS: f"{limits.address_months}mo",
        CheckKind.INSOLVENCY_REGISTER: f"{limits.register_days}d",
    }[kind]
    until: date = pl.select(pl.lit(checked_on).dt.offset_by(span)).item()
    return until


def _claimable(
    desk: Desk, case: Case | None, document: str | None, until: date | None, result: CheckResult
) -> tuple[int, date]:
    """(item, last day) of a limitation."""
    if case is None:
        raise UsageError("A limitation is of an item of a case.", advice="The customer has no case, or several.")
    items = desk.open_items(case) if document is None else desk.items_named(case, [document])
    if not items:
        raise UsageError(f"Nothing is open on case {case.id}.", advice="There is nothing whose limitation counts.")
    if result is CheckResult.FAILED:
        return items[0].item_id, until or desk.as_of
    if until is None:
        raise UsageError(f"Until when can {items[0].document_no} be claimed?", advice="Give the last day with --until.")
    return items[0].item_id, _not_past(desk, until)


def _not_past(desk: Desk, until: date) -> date:
    if until < desk.as_of:
        raise UsageError(
            f"{until} is past ({desk.as_of} is today).", advice="Record it with --result failed, or mend the date."
        )
    return until


def _follow_up(desk: Desk, debtor: Debtor, check: PlacementCheck) -> None:
    """What a bad result starts at once."""
    case = desk.session.exec(select(Case).where(Case.debtor_id == debtor.id).order_by(col(Case.id))).first()
    if case is None:
        return
    if check.result == CheckResult.INSOLVENT and not _stopped(desk.session, debtor):
        state_reason(desk, case, NonPaymentReason.INSOLVENT, source="register", by_engine_rule=True)
    elif check.kind == CheckKind.ADDRESS and check.result == CheckResult.FAILED:
        open_repair(desk, case, Channel.POST, owner=debtor)


def _stopped(session: Session, debtor: Debtor) -> bool:
    """Whether the party stands still as insolvent already."""
    return (
        session.exec(
            select(Hold.id).where(
                Hold.party_id == debtor.party_id,
                Hold.reason == HoldReason.LEGAL_STOP,
                Hold.source == LegalStop.INSOLVENT,
                Hold.state == "active",
                col(Hold.replaced_at).is_(None),
            )
        ).first()
        is not None
    )


def _end_work(desk: Desk, debtor: Debtor) -> None:
    """With the last record that was waited for, the work of checking is done."""
    for task in desk.session.exec(
        select(WorkTask).where(
            WorkTask.debtor_id == debtor.id, WorkTask.subject == CHECK_FIRST, WorkTask.state == WorkState.OPEN
        )
    ).all():
        if not _waiting(desk, task):
            close_work(desk, task, "done")


def _waiting(desk: Desk, task: WorkTask) -> list[Check]:
    """What still waits for a record of the placement that the work is about."""
    action = desk.session.get(Action, action_of_placement(str(task.record_no)))
    return [] if action is None else [check for check in placement_checks(desk, action) if check.to_record]
