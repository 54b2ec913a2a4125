"""A note is kept once, in the person's words, and changes nothing of what the engine does."""

import pytest

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.ids import salted_hash
from maatpak.ledger.tables import CaseNote
from tasks.listing import RecordFilter, list_records
from tasks.notes import LONGEST, write_note
from tests.tasks.act.house import House


def test_a_note_is_listed_and_its_event_holds_only_a_hash(house: House, case_id: int) -> None:
    for who, words in (("carla", " Ask for Jan <b> "), ("anna", "Sees us at the fair.")):
        with house.desk(who) as desk:
            write_note(desk, desk.case(case_id), words)
    listed = list_records(house.engine, "note", RecordFilter("ACME", "C1"))
    assert [(each["body"], each["actor"], each["currency"]) for each in listed] == [
        ("Sees us at the fair.", "anna", "EUR"),
        ("Ask for Jan <b>", "carla", "EUR"),
    ]
    event = house.rows_of_events("note_written")[0]
    kept = house.rows(CaseNote)[0]
    assert event.body == {"note": kept.id, "content": salted_hash("Ask for Jan <b>", kept.salt)}


def test_who_only_reads_writes_none_and_a_note_has_words(house: House, case_id: int) -> None:
    with pytest.raises(RefusedError, match="may not write a note"), house.desk("audrey") as desk:
        write_note(desk, desk.case(case_id), "hm")
    for words in ("  ", "x" * (LONGEST + 1)):
        with pytest.raises(UsageError, match="1 to 4000 characters"), house.desk("carla") as desk:
            write_note(desk, desk.case(case_id), words)
