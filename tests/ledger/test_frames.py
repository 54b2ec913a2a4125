"""Transactions over frames on connections that are kept: nothing of one is seen in the next."""

import os
import signal
from threading import Timer

import polars as pl
import pytest
from sqlalchemy import text

from maatpak.ledger.database import Database, Frames

IDLE = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"


def test_a_kept_connection_serves_the_next_transaction_without_what_was_staged(database: Database) -> None:
    with database.frames() as frames:
        pid = frames.read("SELECT pg_backend_pid()").item()
        frames.stage("rows", pl.DataFrame({"a": [1]}))
    with database.frames() as frames:
        assert frames.read("SELECT pg_backend_pid()").item() == pid
        assert frames.read("SELECT to_regclass('pg_temp.rows') IS NULL").item()
        frames.stage("rows", pl.DataFrame({"b": [1, 2]}))
        frames.stage("rows", pl.DataFrame({"b": [1, 2, 3]}))
        assert frames.read("SELECT count(*) FROM pg_temp.rows").item() == 3


def test_an_error_rolls_back_and_gives_the_connection_up(database: Database) -> None:
    with database.frames() as frames:
        frames.execute("CREATE TABLE kept (a int)")
    with pytest.raises(Exception, match="nowhere"), database.frames() as frames:
        _write_and_fail(frames)
    with database.frames() as frames:
        assert frames.read("SELECT count(*) FROM kept").item() == 0


def test_read_only_on_a_kept_connection(database: Database) -> None:
    with database.frames() as frames:
        pid = frames.read("SELECT pg_backend_pid()").item()
    with database.frames(read_only=True) as frames:
        assert frames.read("SELECT pg_backend_pid()").item() == pid
        assert frames.read("SELECT current_setting('transaction_isolation')").item() == "repeatable read"


def test_read_only_ends_with_its_transaction(database: Database) -> None:
    with database.frames() as frames:
        frames.read("SELECT 1")
    with database.frames(read_only=True) as frames:
        assert frames.read("SELECT current_setting('transaction_read_only')").item() == "on"
    with database.frames() as frames:
        assert frames.read("SELECT current_setting('transaction_read_only')").item() == "off"
        assert frames.read("SELECT current_setting('transaction_isolation')").item() == "read committed"


def test_a_kept_connection_holds_no_transaction_open(database: Database) -> None:
    with database.frames() as frames:
        frames.read("SELECT 1")
    with database.session() as session:
        assert session.execute(text(IDLE)).scalar_one() == 0


def test_several_transactions_at_once(database: Database) -> None:
    with database.frames() as one, database.frames() as two:
        pids = {frames.read("SELECT pg_backend_pid()").item() for frames in (one, two)}
    assert len(pids) == 2


def test_a_connection_whose_server_went_away_is_replaced(database: Database) -> None:
    with database.frames() as frames:
        pid = frames.read("SELECT pg_backend_pid()").item()
    with database.session() as session:
        session.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    with database.frames() as frames:
        assert frames.read("SELECT pg_backend_pid()").item() != pid


def _write_and_fail(frames: Frames) -> None:
    frames.stage("rows", pl.DataFrame({"a": [1]}))
    frames.execute("INSERT INTO kept VALUES (1)")
    frames.execute("INSERT INTO nowhere VALUES (1)")


def test_the_first_error_is_told_when_the_connection_is_lost(database: Database) -> None:
    def lose(frames: Frames) -> None:
        pid = frames.read("SELECT pg_backend_pid()").item()
        with database.session() as session:
            session.execute(text(f"SELECT pg_terminate_backend({pid}, 5000)"))
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"), database.frames() as frames:
        lose(frames)
    with database.frames() as frames:
        assert frames.read("SELECT 1").item() == 1


def test_ctrl_c_while_the_database_works_reaches_whoever_waits_for_it(database: Database) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda signum, _: heard.append(signum))
    try:
        with database.frames() as frames:
            Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
            assert frames.read("SELECT 1 AS one FROM pg_sleep(0.4)").item() == 1
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]
