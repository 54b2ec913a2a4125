"""The table that lists of cases read follows each run: what facts and decisions tell, and changes only."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from maatpak.ledger.tables import CaseStanding
from maatpak.ledger.tables.standing import NEVER
from tasks.day import begin_day, run_day
from tasks.standing import refresh_standing, standing_of, word_search
from tasks.tick import tick_and_see
from tests.tasks.act.house import House, at
from tests.tasks.act.script import Script


def standing(house: House) -> dict[int, CaseStanding]:
    return {row.case_id: row for row in house.rows_of(CaseStanding)}


def found(house: House, typed: str) -> list[int]:
    query = text("SELECT case_id FROM case_standing WHERE words @@ to_tsquery('simple', :typed) ORDER BY case_id")
    with house.engine.database.session() as session:
        return list(session.execute(query, {"typed": word_search(typed)}).scalars())


def test_it_follows_the_runs(house: House, case_id: int) -> None:
    quiet = house.debtor("K-2", name="Stil & Zonen B.V.", account_manager=None)
    later = house.debtor("C3", name="MÜLLER/Söhne GmbH", customer_since=None)
    house.item(later, "N1", 700, house.day + timedelta(days=60), issued_on=house.day)
    run_day(house.engine, house.creditor_id, house.day, at(house.day, 6)).require_whole()
    rows = standing(house)
    assert set(rows) == {case_id, later}, "a case without anything has no row"
    mine, other = rows[case_id], rows[later]
    assert (mine.debtor_no, mine.name, mine.account_manager, mine.segment) == ("C1", "C1 B.V.", "anna", "forgetful")
    assert (mine.overdue_open, mine.asked_amount, mine.items_overdue, mine.largest_item) == (
        150_000,
        150_000,
        2,
        100_000,
    )
    assert (mine.outcome, mine.step, mine.next_step, mine.next_on) == ("act", "reminder", "reminder", house.day)
    assert (mine.oldest_due_on, mine.stage, mine.last_step) == (date(2026, 1, 30), "remind", "")
    # 31 days late: 36 ‰ of 1,000.00; 24 days: 16 ‰ of 500.00.
    assert mine.value_at_risk == 3_600 + 800
    assert (other.overdue_open, other.not_due_open, other.oldest_due_on, other.round_opened_on) == (
        0,
        700,
        NEVER,
        NEVER,
    )
    assert (other.last_step_on, other.value_at_risk) == (NEVER, 0)
    assert found(house, "müll söh") == found(house, "c3 gmbh") == [later]
    assert found(house, "B.V.") == found(house, "c1") == [case_id]
    assert not found(house, "üller")
    assert quiet not in rows


def test_it_writes_changes_only_and_takes_away_what_went_quiet(house: House, case_id: int) -> None:
    first = Script(house).day()
    first.require_whole()
    settled = house.debtor("C2")
    house.item(settled, "G1", 100, date(2022, 1, 1))
    house.go_to(house.day + timedelta(days=1))
    _, seen = tick_and_see(house.engine, house.creditor_id, house.day, at(house.day, 6))
    # C1 changes (its last step is known now), and C2 is new.
    assert refresh_standing(house.engine, house.creditor_id, house.day, seen) == 2
    assert refresh_standing(house.engine, house.creditor_id, house.day, seen) == 0
    before = standing(house)[case_id]
    assert (before.last_step, before.last_step_on, before.round_no) == ("reminder", first.as_of, 1)
    cases, items = seen.facts.cases, seen.facts.items
    gone = replace(seen, facts=replace(seen.facts, cases=cases.filter(cases["case_id"] != settled), items=items))
    assert refresh_standing(house.engine, house.creditor_id, house.day, gone) == 1
    assert standing(house) == {case_id: before}
    other_half = next(shard for shard in (0, 1) if shard != _shard(house, case_id))
    nobody = replace(seen, facts=replace(seen.facts, cases=cases.clear(), items=items.clear()))
    assert refresh_standing(house.engine, house.creditor_id, house.day, nobody, other_half, 2) == 0
    assert refresh_standing(house.engine, house.creditor_id, house.day, nobody, 1 - other_half, 2) == 1


def test_a_late_look_does_not_undo_a_later_one(house: House, case_id: int) -> None:
    Script(house).day()
    house.go_to(house.day + timedelta(days=1))
    _, earlier = tick_and_see(house.engine, house.creditor_id, house.day, at(house.day, 6))
    house.item(case_id, "F9", 7_000, house.day - timedelta(days=9))
    begin_day(house.engine, house.creditor_id, house.day, at(house.day, 8))
    _, later = tick_and_see(house.engine, house.creditor_id, house.day, at(house.day, 8))
    refresh_standing(house.engine, house.creditor_id, house.day, later)
    assert refresh_standing(house.engine, house.creditor_id, house.day, earlier) == 0
    assert standing(house)[case_id].overdue_open == 157_000


def _shard(house: House, case_id: int) -> int:
    with house.engine.database.session() as session:
        return int(
            session.execute(text('SELECT shard_key % 2 FROM "case" WHERE id = :id'), {"id": case_id}).scalar_one()
        )


@pytest.mark.stage("calling")
def test_every_column_is_what_the_facts_say(house: House, case_id: int) -> None:
    day = Script(house).day()
    day.require_whole()
    _, seen = tick_and_see(house.engine, house.creditor_id, house.day, at(house.day, 7))
    refresh_standing(house.engine, house.creditor_id, house.day, seen)
    again: dict[str, Any] = standing(house)[case_id].model_dump()
    (told,) = standing_of(seen, house.day).to_dicts()
    assert {name: again[name] for name in told} == told
    facts = seen.facts.cases.row(0, named=True)
    same = [name for name in told if name in facts and name not in ("reason", "round_opened_on")]
    assert {name: told[name] for name in same} == {name: facts[name] for name in same}
    assert told["non_payment_reason"] == facts["reason"]
    assert (again["last_step"], again["stage"], again["outcome"]) == ("second_notice", "remind", "none")


def test_a_failure_of_it_fails_nothing_else(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.day.refresh_standing", lambda *_: 1 / 0)
    summary = run_day(house.engine, house.creditor_id, house.day, at(house.day, 6))
    assert summary.delivered.total("sent") == 1
    with pytest.raises(ExceptionGroup) as raised:
        summary.require_whole()
    assert isinstance(raised.value.exceptions[0], ZeroDivisionError)


@pytest.mark.parametrize(("typed", "query"), [("", None), ("- &", None), ("O'Neil:* & |x", "O:* & Neil:* & x:*")])
def test_what_is_typed_is_never_syntax(typed: str, query: str | None) -> None:
    assert word_search(typed) == query
