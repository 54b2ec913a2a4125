"""What the print room and the post tell of letters."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from connectors.post.port import LetterReport, LetterState
from connectors.post.print_room import acknowledge
from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.errors import IncompleteError
from maatpak.ledger.failures import FAILURES
from tasks.engine import Engine
from tasks.facts import build_facts
from tasks.receive.letters import read_letter_reports, record_letter_report
from tasks.revalidate import EVERYTHING_RECORDED
from tests.tasks.outbox_world import DAY, NOW, House
from tests.tasks.send.sending import messages, run_sql, send, spooled


@pytest.fixture
def house(engine: Engine) -> House:
    """A house that sent one letter."""
    house = House(engine)
    house.customer(preferred_channel="post")
    house.written()
    send(house)
    return house


def receipt(house: House, state: LetterState, on: date) -> None:
    """The print room says what happened."""
    (name,) = (each for each in spooled(house) if not each.endswith(".receipt"))
    acknowledge(house.engine.workspace.sinks / "post", name, state, on)


def news(engine: Engine) -> int:
    """How many reports of the post are news."""
    return read_letter_reports(engine, NOW).counts["news of letters"]


def noted(house: House) -> list[tuple[str, date]]:
    rows = house.rows("SELECT kind, observed_on FROM evidence WHERE kind <> 'accepted' ORDER BY kind")
    return [(row["kind"], row["observed_on"]) for row in rows]


def evidence(house: House, day: date) -> str:
    """What the notice counts for on a day."""
    run_sql(house, f"UPDATE creditor SET business_date = DATE '{day}'")
    with house.engine.database.frames(read_only=True) as frames:
        facts = build_facts(frames, house.creditor_id, day, EVERYTHING_RECORDED)
    return str(facts.cases["notice_evidence"].item())


def test_each_report_is_dated_and_counts_once(house: House) -> None:
    run_sql(house, f"UPDATE creditor SET business_date = DATE '{DAY + timedelta(days=1)}'")
    receipt(house, LetterState.PRINTED, DAY)
    receipt(house, LetterState.HANDED_OVER, DAY + timedelta(days=1))
    assert news(house.engine) == 2
    assert noted(house) == [("handed_over", DAY + timedelta(days=1)), ("printed", DAY)]
    assert news(house.engine) == 0
    assert len(noted(house)) == 2


def test_a_letter_that_came_back_is_told_of_twice_and_came_back_once(house: House) -> None:
    returned = DAY + timedelta(days=2)
    run_sql(house, f"UPDATE creditor SET business_date = DATE '{returned}'")
    receipt(house, LetterState.FAILED, DAY)
    assert news(house.engine) == 1
    assert house.rows("SELECT 1 AS one FROM address_state") == [], "the address was not why"
    for state, on in ((LetterState.UNDELIVERABLE, DAY + timedelta(days=1)), (LetterState.RETURNED, returned)):
        receipt(house, state, on)
        assert news(house.engine) == 1
    assert noted(house) == [("bounced", DAY), ("returned", DAY + timedelta(days=1))]
    assert house.rows("SELECT state FROM address_state") == [{"state": "dead"}]
    assert len(house.rows("SELECT 1 AS one FROM event WHERE kind = 'evidence_noted'")) == 2


def test_a_report_that_cannot_be_taken_in_holds_up_no_other_and_is_told_again(house: House) -> None:
    house.customer(preferred_channel="post")
    house.written()
    send(house)
    first, second = (each for each in spooled(house) if not each.endswith(".receipt"))
    run_sql(house, "ALTER TABLE evidence ADD CONSTRAINT trip CHECK (kind <> 'returned')")
    for name, state in ((first, LetterState.RETURNED), (second, LetterState.PRINTED)):
        acknowledge(house.engine.workspace.sinks / "post", name, state, DAY)
    done = read_letter_reports(house.engine, NOW)
    assert (done.left, done.failures, done.counts) == (1, {"IntegrityError": 1}, {"news of letters": 1})
    with pytest.raises(IncompleteError, match="1 of what came in"):
        done.require_whole()
    assert noted(house) == [("printed", DAY)]
    run_sql(house, "ALTER TABLE evidence DROP CONSTRAINT trip")
    assert news(house.engine) == 1
    assert noted(house) == [("printed", DAY), ("returned", DAY)]


def test_a_day_before_the_letter_was_sent_is_noted_only_when_it_is_corrected(house: House) -> None:
    quiet = add_working_days(DAY, 7, "NL")
    receipt(house, LetterState.HANDED_OVER, DAY - timedelta(days=45))
    done = read_letter_reports(house.engine, NOW)
    assert (done.left, done.failures, done.counts["news of letters"]) == (1, {"usage": 1}, 0)
    assert noted(house) == []
    (kept,) = (house.engine.workspace.root / FAILURES).iterdir()
    assert f"says handed_over on {DAY - timedelta(days=45)}; letter" in kept.read_text()
    receipt(house, LetterState.HANDED_OVER, DAY)
    assert news(house.engine) == 1
    assert noted(house) == [("handed_over", DAY)]
    assert evidence(house, quiet) == "weak"


def test_a_service_whose_clock_is_behind_makes_no_evidence_older_than_the_letter(house: House) -> None:
    (sent,) = messages(house)
    report = LetterReport(DAY - timedelta(days=1), sent["service_ref"], LetterState.HANDED_OVER, "transferred")
    assert record_letter_report(house.engine, report, NOW)
    assert noted(house) == [("handed_over", DAY)]


def test_a_file_that_cannot_be_understood_is_told_of_and_the_others_are_heard(house: House) -> None:
    receipt(house, LetterState.PRINTED, DAY)
    folder = house.engine.workspace.sinks / "post"
    (folder / "notes.json").write_text("{}")
    (folder / "unknown.receipt.json").write_text("{}")
    for heard in (1, 0):
        done = read_letter_reports(house.engine, NOW)
        assert (done.left, done.failures, done.counts["news of letters"]) == (2, {"usage": 2}, heard)
    assert noted(house) == [("printed", DAY)]


def test_a_report_that_comes_before_our_own_record_of_sending_is_told_again(house: House) -> None:
    (sent,) = messages(house)
    run_sql(house, "UPDATE message SET service_ref = NULL")
    receipt(house, LetterState.UNDELIVERABLE, DAY)
    assert news(house.engine) == 0
    run_sql(house, f"UPDATE message SET service_ref = '{sent['service_ref']}'")
    assert news(house.engine) == 1
    assert noted(house) == [("returned", DAY)]


def test_a_creditor_that_is_caught_up_hears_what_was_told_long_ago(house: House) -> None:
    receipt(house, LetterState.PRINTED, DAY)
    assert news(house.engine) == 1
    long_ago = DAY - timedelta(days=20)
    run_sql(house, f"UPDATE creditor SET business_date = DATE '{long_ago}'; UPDATE message SET sent_on = '{long_ago}'")
    receipt(house, LetterState.HANDED_OVER, long_ago)
    assert news(house.engine) == 1


def test_the_days_of_a_letter_count_from_the_post(house: House) -> None:
    quiet = add_working_days(DAY, 7, "NL")
    assert evidence(house, quiet) == "weak"
    run_sql(house, f"UPDATE creditor SET business_date = DATE '{DAY}'")
    receipt(house, LetterState.PRINTED, DAY)
    read_letter_reports(house.engine, NOW)
    assert evidence(house, quiet) == "none", "printed, and nobody took it to the post"
    posted = add_working_days(DAY, 2, "NL")
    run_sql(house, f"UPDATE creditor SET business_date = DATE '{posted}'")
    receipt(house, LetterState.HANDED_OVER, posted)
    read_letter_reports(house.engine, NOW + timedelta(days=2))
    assert evidence(house, quiet) == "none"
    assert evidence(house, add_working_days(posted, 7, "NL")) == "weak"


@pytest.mark.parametrize("state", [LetterState.RETURNED, LetterState.UNDELIVERABLE])
def test_a_letter_that_comes_back_is_no_evidence_and_its_address_is_mended(house: House, state: LetterState) -> None:
    receipt(house, LetterState.HANDED_OVER, DAY)
    receipt(house, state, DAY)
    read_letter_reports(house.engine, NOW)
    assert [kind for kind, _ in noted(house)] == ["handed_over", "returned"]
    (address,) = house.rows("SELECT address, state FROM address_state")
    assert (address["address"], address["state"]) == (messages(house)[0]["recipient"], "dead")
    assert house.rows("SELECT kind FROM work_task") == [{"kind": "repair"}]
    assert evidence(house, add_working_days(DAY, 10, "NL")) == "none"


def test_without_letters_nobody_is_asked(engine: Engine) -> None:
    assert news(engine) == 0
    assert not (Path(engine.workspace.sinks) / "post").exists()
