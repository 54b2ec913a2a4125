"""Law 10: a chain of events without gaps whoever writes at once, and every way of tampering found and named."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from maatpak.kernel.errors import WorkspaceError
from maatpak.ledger.anchors import Anchor, Anchors
from maatpak.ledger.audit import GENESIS, HASHED, EventDraft, append_events, event_hash
from maatpak.ledger.database import Database
from maatpak.ledger.store import EvidenceStore
from maatpak.ledger.verify import Verification, verify

NOW = datetime(2024, 3, 1, 6, tzinfo=UTC)
DAY = date(2024, 3, 1)


def draft(number: int) -> EventDraft:
    return EventDraft(
        kind="hold_set",
        actor="anna",
        business_date=DAY,
        creditor_id=1,
        case_id=number,
        policy_hash="p" * 64,
        body={"hold_no": f"H{number}", "amounts": [number, 2], "note": "naïve 'quote' :x %s", "on": DAY},
    )


@pytest.fixture
def anchors(tmp_path: Path) -> Anchors:
    return Anchors(tmp_path / "anchors")


@pytest.fixture
def chain(database: Database, anchors: Anchors) -> Database:
    """Ten events, the ninth and tenth anchored."""
    with database.session() as session:
        append_events(session, [draft(number) for number in range(1, 10)], NOW)
        anchors.record(*head(database, session), NOW)
    with database.frames() as frames:
        anchors.record(*append_events(frames, [draft(10)], NOW), NOW)
    return database


def head(database: Database, session: Any = None) -> tuple[int, str]:
    query = text("SELECT seq, hash FROM event_head")
    if session is not None:
        return tuple(session.connection().execute(query).one())
    with database.session() as own:
        return tuple(own.connection().execute(query).one())


def events(database: Database) -> list[dict[str, Any]]:
    with database.session() as session:
        rows = session.connection().execute(text("SELECT * FROM event ORDER BY seq"))
        return [dict(row) for row in rows.mappings()]


def tamper(database: Database, *statements: str) -> None:
    """As a database owner could: the triggers switched off."""
    with database.session() as session:
        connection = session.connection()
        for table in ("event", "event_head"):
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        for statement in statements:
            connection.exec_driver_sql(statement)


def rehash(database: Database, first: int) -> str:
    """Hash everything from an event on anew, as one who knows how would; the SQL that does it."""
    rows = {row["seq"]: row for row in events(database)}
    statements, previous = [], rows[first]["previous_hash"]
    for seq in range(first, max(rows) + 1):
        row = {**rows[seq], "previous_hash": previous}
        previous = event_hash(row)
        statements.append(
            f"UPDATE event SET previous_hash = '{row['previous_hash']}', hash = '{previous}' WHERE seq = {seq}"
        )
    return ";".join([*statements, f"UPDATE event_head SET hash = '{previous}'"])


def found(database: Database, anchors: Anchors) -> Verification:
    return verify(database, anchors.read(), None)


def test_sessions_and_frames_make_one_chain(chain: Database, anchors: Anchors) -> None:
    rows = events(chain)
    assert [row["seq"] for row in rows] == list(range(1, 11))
    assert rows[0]["previous_hash"] == GENESIS
    assert all(after["previous_hash"] == before["hash"] for before, after in pairwise(rows))
    assert rows[9]["body"] == {"hold_no": "H10", "amounts": [10, 2], "note": "naïve 'quote' :x %s", "on": "2024-03-01"}
    report = found(chain, anchors)
    assert (report.whole, report.events, report.unanchored) == (True, 10, 0)


def test_hash_covers_every_column(chain: Database) -> None:
    columns = set(events(chain)[0])
    assert columns == {*HASHED, "hash"}


def test_no_drafts_tell_the_head(chain: Database) -> None:
    with chain.session() as session:
        assert append_events(session, [], NOW) == head(chain)


def test_a_float_in_a_body_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match=r"0\.5"), database.session() as session:
        append_events(session, [EventDraft("odd", "anna", body={"share": 0.5})], NOW)


def test_an_instant_without_zone_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="no time zone"), database.session() as session:
        append_events(session, [draft(1)], datetime(2024, 3, 1))  # noqa: DTZ001


def test_a_rolled_back_transaction_leaves_no_gap(chain: Database, anchors: Anchors) -> None:
    def fail() -> None:
        with chain.session() as session:
            append_events(session, [draft(11)], NOW)
            session.connection().execute(text("DELETE FROM event WHERE seq = 11"))

    with pytest.raises(IntegrityError):
        fail()
    with chain.session() as session:
        assert append_events(session, [draft(11)], NOW)[0] == 11
    assert found(chain, anchors).whole


def test_many_at_once_make_one_gapless_chain(database: Database, anchors: Anchors) -> None:
    failures: list[BaseException] = []

    def work(worker: int) -> None:
        try:
            for number in range(10):
                if worker % 2:
                    with database.session() as session:
                        seq, hash_ = append_events(session, [draft(number)] * 3, NOW)
                else:
                    with database.frames() as frames:
                        seq, hash_ = append_events(frames, [draft(number)] * 3, NOW)
                anchors.record(seq, hash_, NOW)
        except BaseException as error:  # noqa: BLE001 - told to the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    report = found(database, anchors)
    assert (report.faults, report.events, report.last_seq, report.unanchored) == ([], 180, 180, 0)


def test_a_tail_without_anchor_is_told_and_is_no_fault(chain: Database, anchors: Anchors) -> None:
    with chain.session() as session:
        append_events(session, [draft(11), draft(12)], NOW)
    report = found(chain, anchors)
    assert (report.whole, report.unanchored) == (True, 2)


def test_an_empty_chain_is_whole(database: Database, anchors: Anchors) -> None:
    assert found(database, anchors).whole


TAMPERINGS: dict[str, tuple[str, str, int]] = {
    "text changed": ("""UPDATE event SET body = '{"hold_no": "H99"}' WHERE seq = 4""", "changed", 4),
    "actor changed": ("UPDATE event SET actor = 'bert' WHERE seq = 4", "changed", 4),
    "instant changed": ("UPDATE event SET recorded_at = recorded_at - interval '1 day' WHERE seq = 4", "changed", 4),
    "hash changed": (f"UPDATE event SET hash = '{'f' * 64}' WHERE seq = 4", "changed", 4),
    "first changed": ("UPDATE event SET actor = 'bert' WHERE seq = 1", "changed", 1),
    "removed": ("DELETE FROM event WHERE seq = 5", "removed", 5),
    "two removed": ("DELETE FROM event WHERE seq IN (5, 6)", "removed", 5),
    "removed and closed up": (
        "DELETE FROM event WHERE seq = 5; UPDATE event SET seq = -seq WHERE seq > 5;"
        "UPDATE event SET seq = -seq - 1 WHERE seq < 0",
        "removed",
        5,
    ),
    "swapped neighbours": (
        "UPDATE event SET seq = -4 WHERE seq = 4; UPDATE event SET seq = 4 WHERE seq = 5;"
        "UPDATE event SET seq = 5 WHERE seq = -4",
        "swapped",
        4,
    ),
    "swapped far apart": (
        "UPDATE event SET seq = -2 WHERE seq = 2; UPDATE event SET seq = 2 WHERE seq = 9;"
        "UPDATE event SET seq = 9 WHERE seq = -2",
        "swapped",
        2,
    ),
    "texts swapped": (
        "UPDATE event e SET body = o.body, case_id = o.case_id FROM event o WHERE (e.seq, o.seq) IN ((3, 7), (7, 3))",
        "swapped",
        3,
    ),
    "inserted in the middle": (
        "UPDATE event SET seq = -seq WHERE seq >= 5; UPDATE event SET seq = -seq + 1 WHERE seq < 0;"
        "INSERT INTO event SELECT * FROM jsonb_populate_record(NULL::event, (SELECT to_jsonb(e) || '{\"seq\": 5}'"
        " FROM event e WHERE seq = 4))",
        "inserted",
        5,
    ),
    "inserted before the first": (
        "INSERT INTO event SELECT * FROM jsonb_populate_record(NULL::event, (SELECT to_jsonb(e) || '{\"seq\": 0}'"
        " FROM event e WHERE seq = 4))",
        "inserted",
        0,
    ),
    "inserted behind the head": (
        "INSERT INTO event SELECT * FROM jsonb_populate_record(NULL::event, (SELECT to_jsonb(e) || '{\"seq\": 11}'"
        " FROM event e WHERE seq = 4))",
        "head",
        10,
    ),
    "last cut off": ("DELETE FROM event WHERE seq = 10", "cut_off", 10),
    "last cut off, head set back": (
        "DELETE FROM event WHERE seq = 10;UPDATE event_head SET seq = 9, hash = (SELECT hash FROM event WHERE seq = 9)",
        "cut_off",
        10,
    ),
    "all cut off": (f"DELETE FROM event; UPDATE event_head SET seq = 0, hash = '{GENESIS}'", "cut_off", 1),
    "head's hash changed": (f"UPDATE event_head SET hash = '{'f' * 64}'", "head", 10),
    "head moved on": ("UPDATE event_head SET seq = 12", "head", 12),
}


@pytest.mark.parametrize(("statement", "code", "seq"), TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_tampering_is_found_and_named(chain: Database, anchors: Anchors, statement: str, code: str, seq: int) -> None:
    tamper(chain, statement)
    faults = found(chain, anchors).faults
    assert (code, seq) in {(fault.code, fault.seq) for fault in faults}, faults
    assert all(fault.message.endswith(".") for fault in faults)


@pytest.mark.parametrize("name", ["text changed", "removed", "swapped neighbours", "texts swapped"])
def test_a_single_tampering_is_told_once(chain: Database, anchors: Anchors, name: str) -> None:
    statement, code, seq = TAMPERINGS[name]
    tamper(chain, statement)
    assert [(fault.code, fault.seq) for fault in found(chain, anchors).faults] == [(code, seq)]


def test_an_event_changed_and_hashed_anew_does_not_chain(chain: Database, anchors: Anchors) -> None:
    tamper(chain, "UPDATE event SET actor = 'bert' WHERE seq = 4")
    row = events(chain)[3]
    tamper(chain, f"UPDATE event SET hash = '{event_hash(row)}' WHERE seq = 4")
    (fault,) = found(chain, anchors).faults
    assert (fault.code, fault.seq) == ("changed", 5)
    assert "event 4" in fault.message


def test_a_chain_hashed_anew_to_its_end_fails_its_anchors(chain: Database, anchors: Anchors) -> None:
    tamper(chain, "UPDATE event SET actor = 'bert' WHERE seq = 4")
    tamper(chain, rehash(chain, 4))
    assert found(chain, Anchors(anchors.file.parent / "none")).whole
    assert [(fault.code, fault.seq) for fault in found(chain, anchors).faults] == [("anchor", 9), ("anchor", 10)]


def test_many_events_moved_are_told_as_one(database: Database, anchors: Anchors) -> None:
    with database.session() as session:
        append_events(session, [draft(number) for number in range(1, 501)], NOW)
    tamper(
        database,
        "DELETE FROM event WHERE seq = 100; UPDATE event SET seq = -seq WHERE seq > 100;"
        "UPDATE event SET seq = -seq - 1 WHERE seq < 0",
    )
    faults = found(database, anchors).faults
    assert [(fault.code, fault.seq) for fault in faults] == [("removed", 100), ("head", 500)]


@pytest.mark.parametrize("statement", ["UPDATE event SET actor = 'x'", "DELETE FROM event", "TRUNCATE event"])
def test_events_refuse_to_be_changed(chain: Database, statement: str) -> None:
    with pytest.raises(IntegrityError, match="keeps its history"), chain.session() as session:
        session.connection().execute(text(statement))


def test_missing_and_changed_evidence_is_named(database: Database, anchors: Anchors, tmp_path: Path) -> None:
    store = EvidenceStore(str(tmp_path / "evidence"))
    keys = [store.put_frame("decisions", pl.DataFrame({"case_id": [number]})) for number in range(3)]
    with database.session() as session:
        append_events(session, [EventDraft("tick_decided", "engine", body={"frames": {"all": keys}})], NOW)
    assert verify(database, anchors.read(), store).evidence_files == 3
    missing, spoiled, _ = (store.path(key) for key in keys)
    assert missing is not None
    assert spoiled is not None
    missing.unlink()
    spoiled.write_bytes(b"spoiled")
    messages = {fault.message for fault in verify(database, anchors.read(), store).faults}
    assert messages == {
        f"Evidence {keys[0]}, named by event 1, is missing.",
        f"Evidence {keys[1]}, named by event 1, was changed.",
    }


class TestAnchors:
    def test_only_heads_further_on_are_added(self, anchors: Anchors) -> None:
        for seq in (3, 3, 2, 5):
            anchors.record(seq, f"{seq}" * 64, NOW)
        assert anchors.read() == [Anchor(3, "3" * 64, NOW), Anchor(5, "5" * 64, NOW)]
        assert anchors.last() == Anchor(5, "5" * 64, NOW)
        assert anchors.file.stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("cut", [1, 9, 40])
    def test_a_line_torn_by_a_crash_does_not_spoil_the_next(self, anchors: Anchors, cut: int) -> None:
        anchors.record(3, "3" * 64, NOW)
        line = json.dumps({"seq": 4, "hash": "4" * 64, "at": NOW.isoformat()})
        with anchors.file.open("a") as file:
            file.write(line[:cut])
        anchors.record(5, "5" * 64, NOW)
        assert [anchor.seq for anchor in anchors.read()] == [3, 5]

    @pytest.mark.parametrize("spoil", [lambda line: "x" + line[1:], lambda line: line.replace("3", "three", 1)])
    def test_a_spoiled_line_is_refused(self, anchors: Anchors, spoil: Callable[[str], str]) -> None:
        anchors.record(3, "3" * 64, NOW)
        anchors.record(5, "5" * 64, NOW)
        first, second, _ = anchors.file.read_text().split("\n")
        anchors.file.write_text(f"{spoil(first)}\n{second}\n")
        with pytest.raises(WorkspaceError, match="Line 1"):
            anchors.read()
