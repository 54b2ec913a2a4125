"""Checks that are recorded of a proposed placement, and how they stand."""

from datetime import date, timedelta

from sqlmodel import col, select

from maatpak.kernel.checks import CheckKind, CheckResult
from maatpak.kernel.words import EvidenceKind
from maatpak.ledger.tables import (
    Action,
    Case,
    Message,
    PlacementCheck,
)
from tasks.approvals import approve
from tasks.checking import record_check, record_licence
from tasks.evidence import note_evidence
from tasks.execute import execute_all
from tasks.pending import pending
from tests.tasks.act.house import House, at


def say_yes(house: House, action: Action, who: str) -> Action:
    with house.desk(who, 15) as desk:
        approve(desk, [int(action.id or 0)], "looked at it")
    found: Action = house.row(Action, id=action.id)
    return found


def execute(house: House) -> None:
    execute_all(house.engine, house.creditor_id, house.day, at(house.day, 16))


def record(house: House, kind: CheckKind, result: CheckResult, who: str = "olga", source: str = "extract 12") -> None:
    with house.desk(who, 11) as desk:
        if kind is CheckKind.AGENCY_LICENCE:
            record_licence(desk, "NL", result, source, desk.as_of + timedelta(days=9))
            return
        case = desk.case(house.row(Case).id)
        until = desk.as_of + timedelta(days=500) if kind is CheckKind.LIMITATION else None
        record_check(desk, desk.debtor(case.debtor_id), kind, result, source, until=until, case=case)


def age(house: House, kind: CheckKind, until: date) -> None:
    """Another record of the kind, which counts until that date only."""
    with house.engine.database.session() as session:
        query = select(PlacementCheck).where(PlacementCheck.kind == kind).order_by(col(PlacementCheck.id))
        known = session.exec(query).all()[-1]
        session.add(PlacementCheck(**known.model_dump(exclude={"id", "salt", "until_on"}), until_on=until))


def states(house: House) -> dict[str, str]:
    with house.desk("mo") as desk:
        (row,) = pending(desk)
    return {check.kind: check.state for check in row.checks}


def returned(house: House) -> None:
    """The letter of the demand came back."""
    letter = next(each for each in house.rows(Message, channel="post", state="sent"))
    with house.desk("olga", 12) as desk:
        note_evidence(desk, letter.message_ref, EvidenceKind.RETURNED, "post")
