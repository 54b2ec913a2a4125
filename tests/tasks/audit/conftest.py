"""A case from its first overdue invoice to the agency, with everything that people can put on it meanwhile."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import Session

from maatpak.kernel.words import Channel, EvidenceKind, HoldReason, NonPaymentReason
from maatpak.ledger.tables import Case, Message
from tasks.answers import record_answer
from tasks.claims import claim_payment
from tasks.disputes import open_dispute
from tasks.evidence import note_evidence
from tasks.holds import lift_hold, set_hold
from tasks.promises import cancel_promise, make_promise
from tasks.reasons import state_reason
from tests.tasks.act.house import House
from tests.tasks.act.script import Script
from tests.tasks.act.stages import Stages


@pytest.fixture(scope="package")
def placed(stages: Stages, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The whole life; what tests add stays for the others."""
    with stages.at("placing", tmp_path_factory.mktemp("placed") / "workspace") as house:
        live(house)
        yield house


@pytest.fixture
def session(placed: House) -> Iterator[Session]:
    """A look at it."""
    with placed.engine.database.reading() as session:
        yield session


def live(house: House) -> None:
    """Place the case, and put the rest on it; the first message turns out to have been wrong."""
    script = Script(house)
    script.people()
    script.until("handoff")
    case_id, first = int(house.row(Case).id), house.rows(Message)[0]
    house.item(case_id, "F3", 50_000, house.day - timedelta(days=10), known_from=house.day)
    house.item(case_id, "F4", 20_000, house.day - timedelta(days=5), known_from=house.day)
    with house.desk("carla") as desk:
        case = desk.case(case_id)
        note_evidence(desk, first.message_ref, EvidenceKind.ANSWERED, "mail")
        record_answer(desk, case, Channel.EMAIL, message_ref=first.message_ref, content=b"We will pay.")
        promise = make_promise(desk, case, house.day + timedelta(days=7), documents=["F3"], source="call")
        cancel_promise(desk, promise.promise_no)
        state_reason(desk, case, NonPaymentReason.FORGOT, source="call")
    with house.desk("mo") as desk:
        case = desk.case(case_id)
        hold = set_hold(desk, case, HoldReason.COMPLAINT, house.day + timedelta(days=5), "Bad tone.")
        lift_hold(desk, hold.hold_no, "Solved.")
        open_dispute(desk, case, "F3", NonPaymentReason.PRICE)
        claim_payment(desk, case, documents=["F4"])
    house.pay("F1", first.sent_on - timedelta(days=1), known_on=house.day)
    script.day()
