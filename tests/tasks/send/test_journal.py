"""What the next delivery makes of one that was broken off: by its journal where that can be believed, else by doubt."""

import fcntl
import json
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from connectors.faults import Fault
from connectors.outcome import Blame, Failed, Held, NoService, Outcome, Sent, Unknown
from maatpak.kernel.errors import WorkspaceError
from maatpak.kernel.words import ReachState
from tasks.send.journal import Journal, LeftBehind, journal_of, left_behind
from tests.tasks.outbox_world import DAY, House
from tests.tasks.send.sending import (
    PATIENCE,
    faulty,
    in_sink,
    let_leases_expire,
    messages,
    run_sql,
    send,
    states,
    wait_until,
)

YESTERDAY = DAY - timedelta(days=1)


def broken_off(house: House) -> Journal:
    """A delivery that has marked all messages and began two of three, one of which the service took."""
    house.customers(3)
    house.written()
    first, second, _ = messages(house)
    journal = Journal(house.engine.workspace.deliveries, house.creditor_id, YESTERDAY, "killed")
    until = "clock_timestamp() + interval '5 minutes'"
    run_sql(
        house,
        f"UPDATE message SET state = 'sending', leased_by = '{journal.writer}', leased_until = {until}, tries = 1",
    )
    journal.begin(first["id"])
    journal.end(first["id"], Sent("250 taken"))
    journal.begin(second["id"])
    return journal


def path_of(house: House) -> Path:
    (path,) = house.engine.workspace.deliveries.iterdir()
    return path


def test_only_what_was_under_way_is_in_doubt(house: House) -> None:
    broken_off(house).close(settled=False)
    assert send(house).plain() == {"email": {"sent": 2, "unknown": 1}}
    first, second, third = messages(house)
    assert (first["state"], first["service_ref"], first["sent_on"]) == ("sent", "250 taken", YESTERDAY)
    assert second["state"] == "unknown"
    assert (third["state"], third["sent_on"], third["tries"]) == ("sent", DAY, 1)
    assert in_sink(house) == [third["message_ref"]], "the first was taken by another server"
    accepted = house.rows("SELECT message_id, observed_on FROM evidence ORDER BY message_id")
    assert accepted == [
        {"message_id": first["id"], "observed_on": YESTERDAY},
        {"message_id": third["id"], "observed_on": DAY},
    ]
    assert not list(house.engine.workspace.deliveries.iterdir())


def test_what_was_taken_before_says_nothing_of_the_service_now(house: House) -> None:
    broken_off(house).close(settled=False)
    run_sql(
        house,
        "INSERT INTO breaker (channel, service, failures, openings, word, mend, open_until)"
        " VALUES ('email', 'another', 3, 1, '421', '', clock_timestamp() + interval '1 minute')",
    )
    assert send(house, limit=0).plain() == {"email": {"sent": 1, "unknown": 1}}
    assert house.rows("SELECT failures FROM breaker") == [{"failures": 3}]


def copied(path: Path) -> None:
    shutil.copy(path, path.with_suffix(".kept"))
    path.unlink()
    path.with_suffix(".kept").rename(path)


def before_the_machine_was_started_again(path: Path) -> None:
    head, *rest = path.read_text().splitlines(keepends=True)
    known = json.loads(head)
    known["file"][0] = "another start"
    with path.open("r+") as file:  # the same file
        file.write("".join([json.dumps(known) + "\n", *rest]))


@pytest.mark.parametrize("mishap", [copied, before_the_machine_was_started_again, Path.unlink])
def test_what_a_journal_says_nothing_of_is_in_doubt_where_it_may_have_lost_it(
    house: House, mishap: Callable[[Path], None]
) -> None:
    broken_off(house).close(settled=False)
    mishap(path_of(house))
    let_leases_expire(house)
    known = mishap is not Path.unlink
    assert send(house).plain() == {"email": {"unknown": 2, "sent": 1} if known else {"unknown": 3}}
    assert in_sink(house) == []


def test_a_worker_that_is_only_slow_is_not_taken_for_dead(house: House) -> None:
    journal = broken_off(house)
    assert send(house).counts == {}
    let_leases_expire(house)
    assert send(house).plain() == {"email": {"unknown": 3}}, "it may still hand the third one over"
    assert in_sink(house) == []
    journal.close(settled=False)


def test_a_journal_serves_its_own_creditor_and_stays_until_all_of_it_is_recorded(house: House) -> None:
    broken_off(house).close(settled=False)
    folder = house.engine.workspace.deliveries
    with left_behind(folder, house.creditor_id + 1) as others:
        assert others == []
    with left_behind(folder, house.creditor_id) as found, left_behind(folder, house.creditor_id) as again:
        assert [each.as_of for each in found] == [YESTERDAY]
        assert again == [], "one delivery at a time finds out"
    send(house, channel="post")
    assert states(house) == {"sending": 3}
    assert path_of(house).exists()


def test_a_line_that_was_broken_off_says_nothing(house: House) -> None:
    broken_off(house).close(settled=False)
    with path_of(house).open("ab") as file:
        file.write(b'{"begun": 12')
    assert send(house).plain() == {"email": {"sent": 2, "unknown": 1}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"creditor": 1, "as_o',
        b'"cred\n{"begun": 1}\n',
        b"7\n",
        b'{"begun": 1}\n',
        b'{"creditor": 1, "as_of": "2026-02-30"}\n',
        b'{"creditor": 1, "as_of": 5}\n',
        b'{"creditor": 1}\n',
        b'{"creditor": [1], "as_of": "2026-03-11"}\n',
        b"[" * 200_000 + b"\n",
        b"\xff\x00\n",
    ],
    ids=range(11),
)
def test_a_journal_without_a_beginning_is_forgotten(house: House, content: bytes) -> None:
    house.engine.workspace.deliveries.mkdir()
    (house.engine.workspace.deliveries / "killed.0.journal").write_bytes(content)
    house.customers(1)
    house.written()
    assert send(house).plain() == {"email": {"sent": 1}}
    assert not list(house.engine.workspace.deliveries.iterdir())


@pytest.mark.parametrize(
    "make",
    [
        Path.mkdir,
        lambda path: path.symlink_to(path.name),
        lambda path: path.symlink_to(path.parent),
        lambda path: path.symlink_to(path.parent / "nothing"),
        os.mkfifo,
    ],
    ids=["folder", "loop", "link to a folder", "link to nothing", "pipe"],
)
def test_what_is_no_file_of_ours_stops_no_delivery(house: House, make: Callable[[Path], None]) -> None:
    broken_off(house).close(settled=False)
    odd = house.engine.workspace.deliveries / "0.0.journal"
    make(odd)
    assert send(house).plain() == {"email": {"sent": 2, "unknown": 1}}
    assert list(house.engine.workspace.deliveries.iterdir()) == [odd]


@pytest.mark.parametrize(
    "line",
    [
        b'{"ended": 12}',
        b'{"ended": 12, "Vanished": {}}',
        b'{"ended": 12, "Sent": {"service_ref": 1}}',
        b'{"ended": [12], "Sent": {}}',
        b'{"begun": [12]}',
        b'["begun", 12]',
        b'{"begun": ' + b"9" * 5000 + b"}",
        b'{"begun": ' + b"[" * 200_000,
    ],
    ids=range(8),
)
def test_a_line_that_cannot_be_understood_leaves_its_own_messages_in_doubt_and_no_other(
    house: House, line: bytes
) -> None:
    broken_off(house).close(settled=False)
    with path_of(house).open("ab") as file:
        file.write(line + b"\n")
    house.customer()
    house.written()
    assert send(house).plain() == {"email": {"sent": 2, "unknown": 2}}, (
        "the first one's outcome is known; a new one goes"
    )
    assert len(in_sink(house)) == 1
    assert not list(house.engine.workspace.deliveries.iterdir())


def test_a_journal_that_is_just_being_made_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another delivery comes between the making of the file and its lock."""
    locked = fcntl.flock

    def lock(file: int, how: int) -> None:
        if how == fcntl.LOCK_EX:
            monkeypatch.setattr(fcntl, "flock", locked)
            with left_behind(tmp_path, 1) as found:
                assert found == []
        locked(file, how)

    monkeypatch.setattr(fcntl, "flock", lock)
    with journal_of(tmp_path, 1, DAY, "worker") as journal:
        journal.begin(7)
        (path,) = tmp_path.iterdir()
        assert path.name == f"{journal.writer}.journal"
        assert b'"begun": 7' in path.read_bytes()


@pytest.mark.parametrize(
    "outcome",
    [
        Sent("SM1"),
        Sent(),
        Failed("550 5.1.1 no such user", True, ReachState.DEAD),
        Failed("451 busy", False, blame=Blame.SERVICE),
        Unknown("the connection ended"),
        NoService("535 no", "Correct the password."),
        Held(),
    ],
    ids=repr,
)
def test_an_outcome_is_read_as_it_was_written(tmp_path: Path, outcome: Outcome) -> None:
    journal = Journal(tmp_path, 1, DAY, "killed worker/7")
    journal.begin(7)
    journal.end(7, outcome)
    journal.close(settled=False)
    (path,) = tmp_path.iterdir()
    file = os.open(path, os.O_RDONLY)
    try:
        read = LeftBehind(path, file)
    finally:
        os.close(file)
    assert read.tells(7) == outcome
    assert read.writer == journal.writer


def test_without_a_journal_nothing_is_sent(house: House) -> None:
    house.customers(1)
    house.written()
    house.engine.workspace.deliveries.touch()
    with pytest.raises(WorkspaceError, match=r"journal of deliveries cannot be written in .*: File exists"):
        send(house)
    assert states(house) == {"queued": 1}


def test_a_delivery_that_cannot_write_down_what_it_begins_hands_nothing_over(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.customers(3)
    house.written()
    written = os.write
    full = len('{"begun": 1}\n')

    def disk_is_full(file: int, content: bytes) -> int:
        return written(file, content[: full // 2] if b"begun" in content else content)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", disk_is_full)
        with pytest.raises(WorkspaceError, match="No space left on device"):
            send(house)
    assert in_sink(house) == []
    assert send(house).plain() == {"email": {"sent": 3}}
    assert len(in_sink(house)) == 3
    assert not list(house.engine.workspace.deliveries.iterdir()), "what failed tries left is not needed any more"


def test_a_delivery_that_is_broken_off_keeps_its_journal(tmp_path: Path) -> None:
    with journal_of(tmp_path, 1, DAY, "worker"):
        assert len(list(tmp_path.iterdir())) == 1
    assert not list(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt), journal_of(tmp_path, 1, DAY, "worker"):
        raise KeyboardInterrupt
    assert len(list(tmp_path.iterdir())) == 1


def test_outcomes_of_two_days_keep_their_days(house: House) -> None:
    house.customers(2)
    house.written()
    days = (YESTERDAY, DAY)
    for day, row in zip(days, messages(house), strict=True):
        journal = Journal(house.engine.workspace.deliveries, house.creditor_id, day, "killed")
        mine = (
            f"state = 'sending', leased_by = '{journal.writer}', leased_until = now() + interval '5 minutes', tries = 1"
        )
        run_sql(house, f"UPDATE message SET {mine} WHERE id = {row['id']}")
        journal.begin(row["id"])
        journal.end(row["id"], Sent("250 taken"))
        journal.close(settled=False)
    assert send(house).plain() == {"email": {"sent": 2}}
    assert tuple(row["sent_on"] for row in messages(house)) == days


def test_a_piece_of_a_line_amid_others_means_that_lines_are_lost(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 1, DAY, "killed")
    journal.begin(7)
    journal.close(settled=False)
    (path,) = tmp_path.iterdir()
    with path.open("ab") as file:
        file.write(b'{"ended": 7, "Se{"begun": 8}\n{"begun": 9}\n')
    with left_behind(tmp_path, 1) as (read,):
        assert read.tells(8) is None


def test_a_database_that_breaks_off_loses_no_outcome(house: House) -> None:
    house.customers(12)
    house.written()
    faulty(house, Fault(at="after", delay=0.2))
    broken: list[Exception] = []

    def deliver_until_it_breaks() -> None:
        try:
            send(house)
        except psycopg.OperationalError as error:
            broken.append(error)

    sending = Thread(target=deliver_until_it_breaks)
    sending.start()
    wait_until(lambda: len(in_sink(house)) >= 3)
    run_sql(
        house,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND query LIKE '%SET state = ''sending''%' AND pid <> pg_backend_pid()",
    )
    sending.join(PATIENCE)
    assert len(broken) == 1
    faulty(house)
    send(house)
    assert states(house) == {"sent": 12}
    assert sorted(in_sink(house)) == sorted(row["message_ref"] for row in messages(house))
