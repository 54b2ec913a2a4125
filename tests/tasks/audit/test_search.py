"""Events are found by what people know of them, page by page, by an index, and told in sentences without ids."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from string import Formatter

import pytest
from sqlalchemy import text
from sqlmodel import Session

from maatpak.kernel.errors import RefusedError
from maatpak.ledger.tables import Case, Event, Message, Touch
from tasks.audit.dossier import export_dossier
from tasks.audit.search import EventFilter, _query, search_events
from tasks.audit.telling import UNTOLD
from tasks.audit.words import EVENT_WORDS
from tests.ledger.test_export import proven
from tests.tasks.act.house import House, at
from tests.tasks.act.stages import MONDAY
from tests.tasks.audit.event_kinds import recorded_kinds

EVERY = EventFilter()


def marks(kind: str) -> set[str]:
    return {mark for _, mark, _, _ in Formatter().parse(EVENT_WORDS[kind]) if mark}


def test_every_kind_that_the_code_records_has_words_for_what_it_holds() -> None:
    found = recorded_kinds()
    assert len(found) > 50
    assert {each.kind: each.where for each in found if each.kind not in EVENT_WORDS} == {}
    assert set(EVENT_WORDS) == {each.kind for each in found}, "and no words for what nobody records"
    amiss = {each.where: marks(each.kind) - each.keys - {"step"} for each in found if each.keys is not None}
    assert {where: keys for where, keys in amiss.items() if keys} == {}


def test_all_events_page_by_page_newest_first(placed: House, session: Session) -> None:
    seqs, before = [], None
    while True:
        page = search_events(session, [placed.creditor_id], EVERY, before, limit=40)
        seqs += [each.seq for each in page.events]
        if page.before is None:
            break
        before = page.before
    assert seqs == [event.seq for event in reversed(placed.rows_of_events())]
    assert [each.kind for each in search_events(session, [], EVERY).events] == ["policy_published"]


def test_each_filter(placed: House, session: Session) -> None:
    events, ours = placed.rows_of_events(), [placed.creditor_id]
    case, policy = placed.row(Case), next(each.policy_hash for each in events if each.kind == "tick_decided")
    until, since = placed.day - timedelta(days=1), placed.day - timedelta(days=7)
    tries: dict[EventFilter, Callable[[Event], object]] = {
        EventFilter(debtor_no="C1"): lambda each: each.debtor_id == case.debtor_id,
        EventFilter(case_id=case.id): lambda each: each.case_id == case.id,
        EventFilter(actor="carla"): lambda each: each.actor == "carla",
        EventFilter(actor="carla", kind="call_recorded"): lambda each: each.kind == "call_recorded",
        EventFilter(policy_hash=policy, kind="tick_decided"): lambda each: each.kind == "tick_decided",
        EventFilter(since=since, until=until): lambda each: each.business_date and since <= each.business_date <= until,
        EventFilter(creditor_id=placed.creditor_id): lambda each: each.creditor_id == placed.creditor_id,
        EventFilter(flow_run="none"): lambda _: False,
    }
    for wanted, fits in tries.items():
        found = [each.seq for each in search_events(session, ours, wanted, limit=200).events]
        expected = [each.seq for each in reversed(events) if fits(each)][:200]
        assert found == expected, wanted
        if len(expected) > 2:
            page = search_events(session, ours, wanted, before=expected[1], limit=200)
            assert [each.seq for each in page.events] == expected[2:], wanted
        assert search_events(session, [], wanted).events == () or wanted.policy_hash is not None


def test_sentences_name_what_people_know(placed: House, session: Session) -> None:
    found = search_events(session, [placed.creditor_id], EventFilter(debtor_no="C1"), limit=200).events
    words = {each.kind: each.words for each in found}
    first = placed.rows(Message)[0]
    day = f"{first.business_date.day} {first.business_date:%B %Y}"
    assert words["evidence_noted"] == f"Evidence of the e-mail of {day} was noted: answered."
    assert "of €500.00 of F3 was opened: price; we answer by" in words["dispute_opened"]
    wrongful = {
        f"Contact {each.record_no} should not have been made: paid." for each in placed.rows(Touch, cause="paid")
    }
    assert wrongful
    assert wrongful <= {each.words for each in found}
    assert words["placement_executed"].startswith("The case was handed to agency as placement ")
    assert {each.debtor_no for each in found} == {"C1"}
    everything = search_events(session, [placed.creditor_id], EVERY, limit=200).events
    assert [each.words for each in everything if UNTOLD in each.words] == []


@pytest.mark.parametrize(
    "wanted",
    [
        EVERY,
        EventFilter(debtor_no="D7"),
        EventFilter(case_id=7),
        EventFilter(actor="mo"),
        EventFilter(kind="hold_set"),
        EventFilter(flow_run="r7"),
        EventFilter(policy_hash="p7"),
        EventFilter(creditor_id=2),
        EventFilter(since=MONDAY, until=MONDAY),
    ],
)
def test_no_search_reads_the_whole_chain(placed: House, wanted: EventFilter) -> None:
    """With so few events PostgreSQL would rather read them all; asked not to, it must have another way."""
    query, values = _query([1, 2, 3], wanted, 10**9)
    with placed.engine.database.session() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = session.connection().execute(text(f"EXPLAIN {query}"), {**values, "most": 50}).scalars().all()
    assert not [line for line in plan if "Seq Scan on event" in line], plan


def test_a_dossier_leaves_its_seal_in_the_chain(placed: House, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="may not export a dossier"):
        export_dossier(placed.engine, "ACME", "C1", tmp_path / "out", "carla", at(placed.day))
    done = export_dossier(placed.engine, "ACME", "C1", tmp_path / "out", "audrey", at(placed.day))
    event = placed.rows_of_events("dossier_exported")[-1]
    assert (event.actor, event.debtor_id, event.body["seal"]) == ("audrey", done.debtor_id, done.seal)
    assert placed.engine.anchors.last() is not None
    code, said = proven(tmp_path / "out", done.seal)
    assert code == 0, said
    assert f"{done.rows} rows" in said
