"""Recording what must be known before a placement, from the page on which it is missed (rule 20)."""

from datetime import date

from pydantic import BaseModel, Field

from maatpak.console.frame.asking import Acting, Asking
from maatpak.console.frame.declared import Act, Choice, Done
from maatpak.console.frame.fields import Line, as_words, named
from maatpak.console.rooms.approvals.listings import ONE
from maatpak.kernel.checks import CUSTOMER_CHECKS, CheckKind, CheckResult
from maatpak.kernel.words import Role
from maatpak.ledger.tables import Action
from tasks.checking import record_check, record_licence
from tasks.rights import DESK, MANAGERS

SOURCE = "What was looked at: the register, and the number of its extract."


class Looked(BaseModel):
    """What somebody looked up of a customer."""

    kind: CheckKind = Field(title="What was checked")
    result: CheckResult = Field(CheckResult.CLEAR, description="Insolvent stops all contact at once.")
    source: Line = Field(min_length=1, description=SOURCE)
    until: date | None = Field(
        None,
        title="Can be claimed until",
        description="Of a limitation only; how long the others count, the pack says.",
    )
    document: Line | None = Field(None, description="Of a limitation only: whose; the oldest item if none is named.")


class Licence(BaseModel):
    """What somebody saw of the agency's licence in the customer's country."""

    result: CheckResult = CheckResult.CLEAR
    source: Line = Field(min_length=1, description=SOURCE)
    until: date | None = Field(None, title="Valid until")


def _record(acting: Acting, form: Looked, action_id: int) -> Done:
    with acting.desk("action_id", action_id) as desk:
        case = desk.case(desk.session.get_one(Action, action_id).case_id)
        check = record_check(
            desk,
            desk.debtor(case.debtor_id),
            form.kind,
            form.result,
            form.source,
            until=form.until,
            document=form.document,
            case=case if form.kind is CheckKind.LIMITATION else None,
        )
        data = {"check_id": check.id, "until": check.until_on.isoformat()}
    return Done(f"Recorded: {as_words(form.kind).lower()} is {form.result}.", ONE.format(action_id=action_id), data)


def _record_licence(acting: Acting, form: Licence, action_id: int) -> Done:
    with acting.desk("action_id", action_id) as desk:
        case = desk.case(desk.session.get_one(Action, action_id).case_id)
        country = desk.country(case.debtor_id)
        check = record_licence(desk, country, form.result, form.source, form.until)
        data = {"check_id": check.id, "country": country}
    return Done(f"Recorded: the agency's licence for {country}.", ONE.format(action_id=action_id), data)


def _kinds(asking: Asking, action_id: int) -> dict[str, list[Choice]]:
    del asking, action_id
    return {"kind": named(CUSTOMER_CHECKS)}


def _results(asking: Asking, action_id: int) -> dict[str, list[Choice]]:
    del asking, action_id
    return {"result": named((CheckResult.CLEAR, CheckResult.FAILED))}


CHECKS = (
    Act(
        ONE + "/check",
        "Record a check",
        "Who looked, at what, and what they found. To record one takes nobody's word on the placement away.",
        Looked,
        _record,
        DESK,
        choices=_kinds,
    ),
    Act(
        ONE + "/licence",
        "Record the agency's licence",
        "For the customer's country; it counts for every placement there until its last day.",
        Licence,
        _record_licence,
        (Role.ADMINISTRATOR, *MANAGERS),
        choices=_results,
    ),
)
