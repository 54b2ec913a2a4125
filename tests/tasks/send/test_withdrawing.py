"""A person takes a message back: what waits is cancelled, a letter is not printed; or it is too late."""

from datetime import timedelta
from typing import Any

import pytest

from connectors.faults import Fault
from connectors.post.pingen import PingenPost
from connectors.post.port import LetterState
from connectors.post.print_room import acknowledge, merge_run
from maatpak.kernel.errors import RefusedError
from maatpak.kernel.words import Role
from maatpak.ledger.tables import Message, Person
from tasks.facts import build_facts
from tasks.receive.letters import read_letter_reports
from tasks.revalidate import EVERYTHING_RECORDED
from tasks.send.withdrawing import cancel_message
from tests.tasks.outbox_world import DAY, EARLIER, NOW, House, add
from tests.tasks.send.sending import faulty, in_sink, lease, messages, run_sql, send, spooled, states


def cancel(house: House, who: str = "maritNL1") -> Message:
    (row,) = messages(house)
    return cancel_message(house.engine, house.creditor_id, row["message_ref"], who, DAY, NOW)


def events(house: House) -> list[dict[str, Any]]:
    return house.rows("SELECT actor, case_id FROM event WHERE kind = 'message_cancelled'")


def evidence(house: House) -> list[tuple[str, str | None]]:
    return [(row["kind"], row["said"]) for row in house.rows("SELECT kind, said FROM evidence ORDER BY id")]


@pytest.fixture
def letter(house: House) -> House:
    """A house with one letter that waits."""
    house.customer(preferred_channel="post")
    house.written()
    return house


@pytest.mark.parametrize("channel", ["email", "post"])
def test_a_message_that_waits_is_cancelled_with_its_step(house: House, channel: str) -> None:
    account = house.customer(preferred_channel=channel)
    house.written()
    cancel(house)
    assert states(house) == {"cancelled": 1}
    assert house.rows("SELECT state, reason FROM action") == [{"state": "cancelled", "reason": "by_hand"}]
    assert events(house) == [{"actor": "maritNL1", "case_id": account.case_id}]
    assert send(house).counts == {}
    assert (in_sink(house), spooled(house)) == ([], [])
    with pytest.raises(RefusedError, match="is cancelled"):
        cancel(house)


def test_a_spooled_letter_is_left_out_of_the_next_print_run(letter: House) -> None:
    send(letter)
    cancel(letter)
    assert merge_run(letter.engine.workspace.sinks / "post", DAY + timedelta(days=1)) is None
    assert evidence(letter) == [("accepted", None), ("bounced", "cancelled")]
    assert (states(letter), states(letter, "action")) == ({"sent": 1}, {"executed": 1})
    read_letter_reports(letter.engine, NOW)
    assert len(evidence(letter)) == 2, "its receipt tells nothing new"
    with pytest.raises(RefusedError, match="did not arrive"):
        cancel(letter)
    assert len(events(letter)) == 1


def test_a_letter_that_is_taken_back_is_no_notice(letter: House) -> None:
    send(letter)
    cancel(letter)
    later = DAY + timedelta(days=30)
    run_sql(letter, f"UPDATE creditor SET business_date = DATE '{later}'")
    with letter.engine.database.frames(read_only=True) as frames:
        facts = build_facts(frames, letter.creditor_id, later, EVERYTHING_RECORDED)
    assert facts.cases["notice_evidence"].item() == "none"


@pytest.mark.parametrize("happened", ["merged", "printed"])
def test_a_letter_that_a_print_run_took_is_not_taken_back(letter: House, happened: str) -> None:
    send(letter)
    folder = letter.engine.workspace.sinks / "post"
    (name,) = spooled(letter)
    if happened == "merged":
        assert merge_run(folder, DAY) is not None
    else:
        acknowledge(folder, name, LetterState.PRINTED, DAY)
    with pytest.raises(RefusedError, match="is printed or on its way"):
        cancel(letter)
    assert (evidence(letter), events(letter)) == ([("accepted", None)], [])


@pytest.mark.parametrize("early", [True, False])
def test_pingen_takes_a_letter_back_until_the_printers_have_it(letter: House, early: bool) -> None:
    letter.engine.settings = letter.engine.settings.model_copy(update={"pingen_url": "simulator"})
    assert isinstance(letter.engine.post, PingenPost)
    simulator = letter.engine.post.simulator
    assert simulator is not None
    simulator.plan_faults([Fault(at="letterbox")] if early else [])
    send(letter)
    if not early:
        with pytest.raises(RefusedError, match="is printed or on its way"):
            cancel(letter)
        assert events(letter) == []
        return
    cancel(letter)
    told = [each["attributes"]["code"] for each in simulator.letters()[0]["events"]]
    assert told[-1] == "cancellation_completed"
    read_letter_reports(letter.engine, NOW)
    assert evidence(letter) == [("accepted", None), ("bounced", "cancelled")]
    assert letter.rows("SELECT 1 AS one FROM address_state") == [], "the address is none the worse"


def test_only_what_waits_and_letters_are_taken_back(house: House) -> None:
    house.customer()
    house.written()
    lease(house, "sending")
    with pytest.raises(RefusedError, match="is sending"):
        cancel(house)
    run_sql(house, "UPDATE message SET state = 'queued', leased_by = NULL, leased_until = NULL")
    faulty(house)
    send(house)
    with pytest.raises(RefusedError, match="is sent"):
        cancel(house)


def test_who_only_reads_takes_nothing_back(letter: House) -> None:
    with letter.engine.database.session() as session:
        add(session, Person(login="audrey", name="Audrey", role=Role.AUDITOR, recorded_at=EARLIER))
    for state in ("queued", "sent"):
        with pytest.raises(RefusedError, match="may not cancel a message"):
            cancel(letter, "audrey")
        send(letter)
        assert states(letter) == {"sent": 1}, state
    assert merge_run(letter.engine.workspace.sinks / "post", DAY) is not None
