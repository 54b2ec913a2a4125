"""What the staff of the made-up houses look up before a case goes to an agency, and what they find."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random

from maatpak.demo.people import MANAGERS, Act
from maatpak.demo.worklist import Paper
from maatpak.kernel.checks import CUSTOMER_CHECKS, CheckKind, CheckResult
from maatpak.ledger.tables import Action
from tasks.checking import action_of_placement, placement_checks, record_check, record_licence
from tasks.desk import Desk
from tasks.placement_checks import Check

INSOLVENT, SOMEBODY_ELSE = 0.03, 0.02
"""The chance that the register knows the customer, and that another legal entity owes."""
CLAIMABLE_DAYS = 4 * 365
LICENCE_DAYS = 365
SOURCES = {
    CheckKind.IDENTITY: "trade register, extract {number}",
    CheckKind.ADDRESS: "rang their reception, note {number}",
    CheckKind.LIMITATION: "lawyer's note {number}",
    CheckKind.INSOLVENCY_REGISTER: "insolvency register, extract {number}",
}


def look_up(paper: Paper, random: Random) -> Iterator[Act]:
    """The operator looks the customer up; a manager asks the agency for its licence when none is known."""
    found = {
        CheckKind.INSOLVENCY_REGISTER: CheckResult.INSOLVENT if random.random() < INSOLVENT else CheckResult.CLEAR,
        CheckKind.IDENTITY: CheckResult.FAILED if random.random() < SOMEBODY_ELSE else CheckResult.CLEAR,
    }
    number = random.randint(100_000, 999_999)

    def customer(desk: Desk) -> None:
        for check in _waiting(desk, paper, lambda check: check.kind in CUSTOMER_CHECKS):
            kind = CheckKind(check.kind)
            until = desk.as_of + timedelta(days=CLAIMABLE_DAYS) if kind is CheckKind.LIMITATION else None
            case = desk.case(paper.row.case_id)
            result, source = found.get(kind, CheckResult.CLEAR), SOURCES[kind].format(number=number)
            record_check(desk, desk.debtor(case.debtor_id), kind, result, source, until=until, case=case)

    def licence(desk: Desk) -> None:
        for _ in _waiting(desk, paper, lambda check: check.kind == CheckKind.AGENCY_LICENCE):
            until = desk.as_of + timedelta(days=LICENCE_DAYS)
            record_licence(desk, paper.customer.country, CheckResult.CLEAR, "the agency's own copy", until)

    yield Act("operator", "checks before a placement", customer)
    yield Act(MANAGERS[0], "licence of the agency", licence)


def _waiting(desk: Desk, paper: Paper, wanted: Callable[[Check], bool]) -> list[Check]:
    action = desk.session.get_one(Action, action_of_placement(paper.row.record_no))
    return [check for check in placement_checks(desk, action) if check.to_record and wanted(check)]
