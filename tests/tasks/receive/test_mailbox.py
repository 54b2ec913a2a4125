"""One mail that cannot be taken in holds up no other."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from maatpak.kernel.errors import OutsideError, UsageError
from maatpak.kernel.settings import ImapSecurity
from maatpak.ledger.failures import FAILURES
from tasks.desk import desk
from tasks.engine import Engine
from tasks.receive import ReceivedSummary, read_mailbox
from tasks.receive.assigning import assign_incoming, drop_incoming, list_incoming
from tests.flows.conftest import free_port
from tests.tasks.outbox_world import DAY, NOW, House
from tests.tasks.receive.mails import OURS, arrives, writes
from tests.tasks.send.sending import run_sql, wait_until

STRANGER = "somebody@elsewhere.example"
TRIPS_OVER_ANSWERS = """
CREATE FUNCTION trip() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.kind = 'answer' THEN RAISE EXCEPTION 'over %', NEW.kind USING ERRCODE = '{state}'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER trip BEFORE INSERT ON incoming FOR EACH ROW EXECUTE FUNCTION trip()
"""
WAITS = """
CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$;
CREATE TRIGGER wait AFTER INSERT ON incoming FOR EACH ROW EXECUTE FUNCTION wait()
"""
"""One who keeps a mail waits before it is committed; another, for the one to commit."""
WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
BAD_VALUE, SHUT_DOWN = "22021", "57P01"


@pytest.fixture
def house(engine: Engine) -> House:
    """A house to which a stranger wrote, then a machine of somebody else's."""
    house = House(engine)
    writes(house, STRANGER)
    writes(house, "away@elsewhere.example", Auto_Submitted="auto-replied")
    return house


def taken_in(house: House) -> list[str]:
    return [row["kind"] for row in house.rows("SELECT kind FROM incoming ORDER BY id")]


def lying(house: House) -> list[Path]:
    return list((house.engine.workspace.sinks / "incoming" / "new").iterdir())


def test_a_mail_that_cannot_be_taken_in_is_left_and_tried_again(house: House) -> None:
    run_sql(house, TRIPS_OVER_ANSWERS.format(state=BAD_VALUE))
    summary = read_mailbox(house.engine, NOW)
    assert (summary.left, summary.failures, summary.counts) == (1, {"DataError": 1}, {"auto_reply": 1})
    assert taken_in(house) == ["auto_reply"]
    assert len(lying(house)) == 1
    (kept,) = (house.engine.workspace.root / FAILURES).iterdir()
    assert "over answer" in kept.read_text()
    run_sql(house, "DROP TRIGGER trip ON incoming")
    summary = read_mailbox(house.engine, NOW)
    assert (summary.left, summary.failures, summary.unassigned) == (0, {}, 1)
    assert taken_in(house) == ["auto_reply", "answer"]
    assert lying(house) == []


@pytest.mark.parametrize(
    "make",
    [Path.mkdir, lambda path: path.symlink_to(path.name), lambda path: path.symlink_to("/nothing"), os.mkfifo],
    ids=["folder", "loop", "link to nothing", "pipe"],
)
def test_what_is_no_mail_holds_up_none(house: House, make: Callable[[Path], None]) -> None:
    odd = house.engine.workspace.sinks / "incoming" / "new" / "0"
    make(odd)
    summary = read_mailbox(house.engine, NOW)
    assert (summary.left, summary.failures) == (0, {})
    assert taken_in(house) == ["answer", "auto_reply"]
    assert lying(house) == [odd]


def test_a_mail_that_cannot_be_filed_is_taken_in_once_and_told_of(house: House) -> None:
    """Its name is too long for the mark of a read mail."""
    long = house.engine.workspace.sinks / "incoming" / "new" / ("0" * 254)
    long.write_bytes(b"From: somebody@elsewhere.example\r\nMessage-ID: <long@elsewhere.example>\r\n\r\nWe pay.")
    for _ in range(2):
        summary = read_mailbox(house.engine, NOW)
        assert (summary.left, summary.failures) == (1, {"incomplete": 1})
        assert taken_in(house) == ["answer", "answer", "auto_reply"]
        assert lying(house) == [long]
    (kept,) = (house.engine.workspace.root / FAILURES).iterdir()
    assert "cannot be filed, and stays where it is: File name too long" in kept.read_text()


def test_a_database_that_is_away_ends_the_reading(house: House) -> None:
    run_sql(house, TRIPS_OVER_ANSWERS.format(state=SHUT_DOWN))
    with pytest.raises(OperationalError):
        read_mailbox(house.engine, NOW)
    assert taken_in(house) == []
    assert len(lying(house)) == 2


def test_a_mailbox_that_is_not_reached_ends_the_reading(house: House) -> None:
    nobody = {"imap_host": "127.0.0.1", "imap_port": free_port(), "imap_security": ImapSecurity.NONE}
    house.engine.settings = house.engine.settings.model_copy(update=nobody)
    with pytest.raises(OutsideError):
        read_mailbox(house.engine, NOW)


def test_a_message_id_that_is_used_again_with_other_words_hides_no_mail(house: House) -> None:
    read_mailbox(house.engine, NOW)
    head = f"From: {STRANGER}\r\nSubject: 4711\r\nMessage-ID: <same@elsewhere.example>\r\n"
    for words in ("We pay on Friday.", "We dispute it all.", "We pay on Friday."):
        arrives(house, STRANGER, OURS, f"{head}\r\n{words}\r\n".encode())
    traced = f"Received: from mx.example by ours.example; Wed, 11 Mar 2026 10:00:00 GMT\r\n{head}\r\nWe pay on Friday."
    arrives(house, STRANGER, OURS, traced.replace("\r\n", "\n").encode())
    read_mailbox(house.engine, NOW)
    texts = [each["text"] for each in list_incoming(house.engine)]
    assert texts == ["We pay on Friday.", "We pay on Friday.", "We dispute it all."], "the first is of another mail"
    assert lying(house) == []


def test_two_readers_who_keep_the_same_mail_at_once_keep_it_once(house: House) -> None:
    run_sql(house, WAITS)
    found: list[ReceivedSummary] = []
    readers = [threading.Thread(target=lambda: found.append(read_mailbox(house.engine, NOW))) for _ in range(2)]
    with house.engine.database.session() as holding:
        holding.execute(text("SELECT pg_advisory_xact_lock(1)"))
        for reader in readers:
            reader.start()
        wait_until(lambda: len(house.rows(WAITING)) == 2)
    for reader in readers:
        reader.join()
    assert [(each.left, each.counts) for each in found] == [(0, {"answer": 1, "auto_reply": 1})] * 2
    assert taken_in(house) == ["answer", "auto_reply"]
    assert lying(house) == []


def test_nothing_waits_under_a_number_that_none_has(house: House) -> None:
    account = house.customer()
    read_mailbox(house.engine, NOW)
    for number in ("I99999999999999999999", "9" * 5000, "I-1", "II1", "I1.0", "", "²"):
        with pytest.raises(UsageError, match="Nothing waits under"):
            drop_incoming(house.engine, number, "maritNL1", DAY, NOW)
        with (
            desk(house.engine, house.creditor_id, "maritNL1", DAY, NOW) as at,
            pytest.raises(UsageError, match="Nothing waits under"),
        ):
            assign_incoming(at, number, account.case_id)
    (waiting,) = list_incoming(house.engine)
    drop_incoming(house.engine, f" {waiting['incoming_no'].lower()} ", "maritNL1", DAY, NOW)
    assert list_incoming(house.engine) == []
