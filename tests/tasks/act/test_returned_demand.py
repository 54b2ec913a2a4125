"""A demand is its letter: one that came back starts no clock, is sent again, and carries no placement (law 5)."""

from typing import Any

import pytest
from sqlmodel import col, select

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.words import EvidenceKind
from maatpak.ledger.tables import Action, Case, DebtorProfile, Evidence, Message, MessageAction, Placement, WorkTask
from maatpak.ledger.versions import succeed
from tasks.compose.subject import ON_THE_WAY
from tasks.day import run_day
from tasks.evidence import note_evidence
from tasks.execute import execute_all
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script


def letters(house: House, channel: str = "post") -> list[Message]:
    """What demands sent by a channel, oldest first."""
    with house.engine.database.session() as session:
        query = (
            select(Message)
            .join(MessageAction, col(MessageAction.message_id) == col(Message.id))
            .join(Action, col(Action.id) == col(MessageAction.action_id))
            .where(col(Action.step) == "final_demand", col(Message.channel) == channel)
            .order_by(col(Message.id))
        )
        return list(session.exec(query))


def note(house: House, message: Message, kind: EvidenceKind) -> None:
    with house.desk("olga", 11) as desk:
        note_evidence(desk, message.message_ref, kind, "print room")


def moves(house: House, case_id: int, **address: Any) -> None:
    """The ledger of tomorrow tells another address."""
    with house.engine.database.session() as session:
        debtor_id = session.get_one(Case, case_id).debtor_id
        present = session.exec(
            select(DebtorProfile).where(DebtorProfile.debtor_id == debtor_id, col(DebtorProfile.replaced_at).is_(None))
        ).one()
        following = add_working_days(house.day, 1, "NL")
        succeed(session, present, following, at(following, 5), **address)


def handed(house: House) -> list[tuple[str, str | None]]:
    return [(action.state, action.reason) for action in house.rows(Action, step="handoff")]


@pytest.fixture
def demanded(house: House) -> Script:
    """A demand was sent by post and by mail."""
    script = Script(house)
    script.people()
    script.until("final_demand")
    assert (len(letters(house)), len(letters(house, "email"))) == (1, 1)
    return script


@pytest.mark.stage("demanding")
def test_a_returned_demand_goes_again_once_the_address_is_mended_and_its_clock_starts_anew(
    house: House, case_id: int, demanded: Script
) -> None:
    first = letters(house)[0]
    demanded.day()
    note(house, first, EvidenceKind.RETURNED)
    returned_on = house.day
    assert house.rows(WorkTask, kind="repair", state="open")
    for _ in range(4):
        demanded.day()
    assert len(letters(house)) == 1, "there is no address to send it to"
    moves(house, case_id, street="Nieuwstraat 9", postal_code="1011 ZZ")
    demanded.day()
    again = house.row(Action, step="final_demand", attempt=2)
    assert again.due_on == returned_on
    demanded.until("final_demand", "executed")
    while len(letters(house)) == 1:
        demanded.day()
    second = letters(house)[1]
    assert "Nieuwstraat 9" in second.recipient
    assert second.sent_on is not None
    payable_by = add_working_days(second.sent_on, 10 + ON_THE_WAY, "NL")
    assert str(second.subject).endswith(f"payable by {payable_by.day} {payable_by:%B %Y}")
    demanded.approving = False
    proposed = demanded.until("handoff", "awaiting_approval")
    arrived = add_working_days(second.sent_on, 7, "NL")
    assert proposed.business_date == add_working_days(arrived, 15, "NL")


@pytest.mark.stage("demanding")
def test_a_demand_nobody_can_be_found_for_ends_in_a_decision(house: House, demanded: Script) -> None:
    note(house, letters(house)[0], EvidenceKind.RETURNED)
    returned_on = house.day
    decision = demanded.until("decide", "in_progress")
    assert decision.business_date == add_working_days(returned_on, 10, "NL")
    assert handed(house) == []


@pytest.mark.stage("demanding")
def test_the_mail_beside_a_letter_neither_starts_nor_stops_its_clock(house: House, demanded: Script) -> None:
    letter, mail = letters(house)[0], letters(house, "email")[0]
    note(house, mail, EvidenceKind.BOUNCED)
    demanded.approving = False
    proposed = demanded.until("handoff", "awaiting_approval")
    assert letter.sent_on is not None
    arrived = add_working_days(letter.sent_on, 7, "NL")
    assert proposed.business_date == add_working_days(arrived, 15, "NL")
    assert [action.step for action in house.rows(Action, step="resend")] == [], "no note makes up for a demand"


@pytest.mark.stage("demanding")
def test_a_letter_that_nobody_took_to_the_post_carries_no_placement(house: House, demanded: Script) -> None:
    letter = letters(house)[0]
    with house.engine.database.session() as session:
        session.add(
            Evidence(
                message_id=int(letter.id or 0),
                kind=EvidenceKind.PRINTED,
                source="I1",
                observed_on=house.day,
                recorded_at=at(house.day, 11),
            )
        )
    demanded.until("decide", "in_progress")
    assert handed(house) == []


@pytest.mark.stage("placing")
class TestAPlacement:
    def test_that_waits_for_its_approval_is_withdrawn(self, house: House) -> None:
        assert handed(house) == [("awaiting_approval", None)]
        note(house, letters(house)[-1], EvidenceKind.RETURNED)
        Script(house, approving=False).day()
        assert handed(house) == [("cancelled", "letter_returned")]

    def test_that_was_approved_and_is_not_carried_out_is_withdrawn(self, house: House, handoff: Action) -> None:
        Script(house).approve(int(handoff.id or 0))
        assert handed(house) == [("approved", None)]
        note(house, letters(house)[-1], EvidenceKind.RETURNED)
        execute_all(house.engine, house.creditor_id, house.day, at(house.day, 16))
        assert handed(house) == [("cancelled", "letter_returned")]
        assert house.rows(Placement) == []

    def test_that_stands_and_has_not_left_is_recalled(
        self, house: House, handoff: Action, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Script(house).approve(int(handoff.id or 0))
        with monkeypatch.context() as killed:
            killed.setattr("tasks.execute.hand_over", lambda *_: 0)
            execute_all(house.engine, house.creditor_id, house.day, at(house.day, 16))
        note(house, letters(house)[-1], EvidenceKind.RETURNED)
        Script(house, approving=False).day()
        assert handed(house) == [("cancelled", "stopped")]
        assert [(each.state, each.cause) for each in house.rows(Placement)] == [("recalled", "letter_returned")]
        assert not house.engine.agency.has("spool", house.row(Placement).placement_no)

    def test_that_was_carried_out_stands(self, house: House, handoff: Action) -> None:
        Script(house).approve(int(handoff.id or 0))
        execute_all(house.engine, house.creditor_id, house.day, at(house.day, 16))
        note(house, letters(house)[-1], EvidenceKind.RETURNED)
        run_day(house.engine, house.creditor_id, house.day, at(house.day, 18))
        assert handed(house) == [("executed", None)]
