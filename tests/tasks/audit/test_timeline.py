"""Everything of a case stands in one timeline, each thing once, page by page, as of any date."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

from sqlmodel import Session

from maatpak.kernel.words import OPEN_ACTION_STATES, HoldReason
from maatpak.ledger.tables import Action, Approval, Case, ContactResult, Creditor, Message, WorkTask
from tasks.approvals import reject
from tasks.audit.timeline import Entry, timeline_of, timeline_of_debtor
from tasks.audit.timeline_sources import SOURCES
from tasks.audit.timeline_words import LINES
from tasks.desk import desk
from tasks.holds import set_hold
from tests.tasks.act.house import House, at
from tests.tasks.act.stages import Stages


def whole(placed: House, session: Session, limit: int = 500) -> list[Entry]:
    case_id, entries = int(placed.row(Case).id), list[Entry]()
    while page := timeline_of(session, case_id, placed.day, entries[-1].place if entries else None, limit):
        entries += page
    return entries


def test_everything_is_there_once_and_newest_first(placed: House, session: Session) -> None:
    entries = whole(placed, session)
    counts = Counter(entry.kind for entry in entries)
    assert set(SOURCES) == set(LINES)
    assert set(SOURCES) - set(counts) == {"payment", "plan", "note", "ticket", "round_closed"}, (
        "which this case does not have"
    )
    assert counts["item_issued"] == counts["item_due"] == 4
    assert counts["message"] == placed.count(Message)
    assert counts["call"] == placed.count(ContactResult)
    assert counts["approval"] == placed.count(Approval)
    actions = placed.rows(Action)
    asked = [each for each in actions if each.approvals_needed or each.state in OPEN_ACTION_STATES]
    assert counts["step_proposed"] == sum(each.state != "skipped" for each in asked)
    assert not any(entry.words.startswith("Reminder counts") for entry in entries), "its message tells that it was done"
    assert counts["work_done"] == sum(each.state == "done" and each.kind != "call" for each in placed.rows(WorkTask))
    assert [entry.place[:2] for entry in entries] == sorted((entry.place[:2] for entry in entries), reverse=True)
    assert whole(placed, session, limit=7) == entries


def test_each_line_says_what_happened_who_did_it_and_where_to_look(placed: House, session: Session) -> None:
    entries = whole(placed, session)
    first = placed.rows(Message)[0]
    (written,) = [each for each in entries if (each.link, each.target) == ("message", str(first.id))]
    assert written.words.startswith("Reminder sent by e-mail. Then ")
    assert "answered" in written.words
    said = {each.words: each for each in entries}
    assert said["The hold on this case was lifted (complaint): Solved."].who_name == "Mo"
    assert said["Invoice F1 was paid."].amount == 100_000
    assert said["Invoice F1 was paid."].currency == "EUR"
    assert {each.who for each in entries if each.words.startswith("The promise to pay by ")} >= {"carla"}
    assert said["The customer answered by e-mail."].who == "customer"
    assert said["Handed to agency for collection."].link == said["Still with agency: part paid."].link == "placement"
    assert {each.target for each in entries if each.words == "A contact should not have been made: paid."} <= {
        f"M{each.id}" for each in placed.rows(Message)
    } | {f"A{each.id}" for each in placed.rows(Action)}
    assert any(each.words.startswith("Final demand approved by a credit manager: ") for each in entries)
    assert any(each.words == "Call in the morning: no answer." for each in entries)


def test_of_a_past_day_and_of_the_customer(placed: House, session: Session) -> None:
    first, case = placed.rows(Message)[0], placed.row(Case)
    then = timeline_of(session, case.id, first.sent_on, limit=500)
    assert max(entry.day for entry in then) == first.sent_on
    assert "Invoice F1 was paid." not in {entry.words for entry in then}
    assert timeline_of_debtor(session, case.debtor_id, placed.day, limit=500) == whole(placed, session)


def test_what_is_said_in_the_evening_is_of_the_creditors_day(stages: Stages, tmp_path: Path) -> None:
    """Where it is the next day by UTC already, or the creditor's days are run late."""
    with stages.at("demanding", tmp_path / "house") as house:
        with house.engine.database.session() as session:
            session.get_one(Creditor, house.creditor_id).time_zone = "America/New_York"
        demand, evening = house.row(Action, state="awaiting_approval"), at(house.day + timedelta(days=1), 1)
        with desk(house.engine, house.creditor_id, "mo", house.day, evening) as made:
            reject(made, int(demand.id), "too hard", "call", house.day + timedelta(days=9))
        with house.engine.database.reading() as session:
            told = timeline_of(session, demand.case_id, house.day)
        (ended,) = [each for each in told if (each.kind, each.target) == ("step_ended", str(demand.id))]
        assert ended.day == house.day


def test_a_hold_of_the_customer_stands_at_each_of_its_accounts(stages: Stages, tmp_path: Path) -> None:
    with stages.at("start", tmp_path / "house") as house:
        mine = house.row(Case)
        other = house.debtor("C1-2", party=f"{house.creditor_id}:C1")
        with house.desk("mo") as made:
            set_hold(made, made.case(other), HoldReason.DATA, house.day, "moved", scope="party")
            set_hold(made, made.case(other), HoldReason.DATA, house.day, "theirs alone")
        with house.engine.database.reading() as session:
            told = [each for each in timeline_of(session, int(mine.id), house.day) if each.kind == "hold"]
        assert [("moved" in each.words, "theirs" in each.words) for each in told] == [(True, False)]
