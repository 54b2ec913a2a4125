"""The command line: lazy, one shape for errors, documented exit statuses, JSON for programs."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import psycopg
import pytest
import typer
from sqlalchemy import text

from maatpak import __version__
from maatpak.cli import app
from maatpak.cli.faults import of_the_database, translated
from maatpak.kernel.errors import InputRejectedError, TransientError, UsageError, WorkspaceError
from maatpak.ledger.database import Database
from tests.cli.acting import Command

HEAVY = ("prefect", "great_expectations", "typst", "twilio", "aiosmtplib")
LOOK = """
import sys
from maatpak.cli import main
try:
    main({arguments!r})
except SystemExit as ended:
    assert not ended.code, ended.code
print(*sorted(set({absent!r}) & sys.modules.keys()), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [(["--help"], [*HEAVY, "sqlalchemy", "polars", "pandas"]), (["cases", "--json"], list(HEAVY))],
)
def test_commands_import_only_what_they_need(command: Command, arguments: list[str], absent: list[str]) -> None:
    code = LOOK.format(arguments=arguments, absent=absent)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""


def test_every_command_of_the_table_can_be_called(command: Command) -> None:
    for name in app.COMMANDS:
        answer = command(name, "--help")
        assert (answer.status, answer.err) == (0, ""), name
        assert "Usage: maatpak" in answer.out


def test_the_help_lists_every_command(command: Command) -> None:
    listed = command("--help").out
    assert [name for name in app.COMMANDS if f" {name} " not in listed] == []


def test_the_help_names_what_each_command_can_do() -> None:
    for name, entry in app.COMMANDS.items():
        command = typer.main.get_command(import_module(entry.module).app)
        for part in getattr(command, "commands", ()):
            assert re.search(rf"\b{part}\b", entry.summary), (name, part)


def test_the_version(command: Command) -> None:
    assert command("--version").out == f"maatpak {__version__}\n"


def test_a_mistyped_command_is_a_usage_error_with_a_hint(command: Command) -> None:
    answer = command("ini")
    assert answer.status == 2
    assert "Did you mean 'init'" in answer.err


def test_our_errors_are_a_sentence_and_advice(command: Command) -> None:
    answer = command("cases", "--creditor", "nobody")
    assert answer == type(answer)(2, "", "There is no creditor 'nobody'. There are: none yet.\n")


def test_with_json_an_error_is_an_object(command: Command) -> None:
    answer = command("cases", "--creditor", "nobody", "--json")
    error = json.loads(answer.err)["error"]
    assert (answer.status, answer.out) == (2, "")
    assert error == {"code": "usage", "message": "There is no creditor 'nobody'.", "advice": "There are: none yet."}


@pytest.mark.parametrize(
    ("raised", "status"),
    [(InputRejectedError("File refused."), 4), (TransientError("Later."), 5), (ZeroDivisionError("oops"), 1)],
)
def test_exit_statuses_and_no_traceback(
    command: Command, monkeypatch: pytest.MonkeyPatch, raised: Exception, status: int
) -> None:
    def fail() -> None:
        raise raised

    monkeypatch.setattr("maatpak.cli.doctor.settings", fail)
    answer = command("doctor")
    assert answer.status == status
    assert str(raised) in answer.err
    assert "Traceback" not in answer.err
    assert "Traceback" in command("--debug", "doctor").err


def test_a_database_that_does_not_answer_is_told(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAATPAK_DATABASE_URL", "postgresql://nobody:x@127.0.0.1:1/none")
    answer = command("cases")
    assert answer.status == 5
    assert answer.err.startswith("The database does not answer: ")
    doctor = command("doctor", "--json")
    assert (doctor.status, json.loads(doctor.err)["error"]["message"]) == (5, "Not well: database.")
    finding = json.loads(doctor.out)[-1]
    assert (finding["what"], finding["well"]) == ("database", False)
    assert "Connection refused" in finding["detail"] or "connection failed" in finding["detail"]


def through_sqlalchemy(url: str) -> None:
    with Database(url).session() as session:
        session.connection()


def through_psycopg(url: str) -> None:
    psycopg.connect(url)


def through_adbc(url: str) -> None:
    with Database(url).frames():
        pass


@pytest.mark.parametrize("connect", [through_sqlalchemy, through_psycopg, through_adbc])
def test_every_driver_is_understood(connect: Callable[[str], None]) -> None:
    with pytest.raises(Exception, match=r".") as failed:
        connect("postgresql://nobody:x@127.0.0.1:1/none")
    assert isinstance(translated(failed.value), WorkspaceError)
    assert "does not answer" in str(translated(failed.value))


def test_a_collision_is_not_a_database_that_is_away(database: Database) -> None:
    raising = "DO $$ BEGIN RAISE SQLSTATE '40P01' USING MESSAGE = 'deadlock detected'; END $$"
    with pytest.raises(Exception, match="deadlock") as sqlalchemy, database.session() as session:
        session.connection().execute(text(raising))
    with pytest.raises(Exception, match="deadlock") as adbc, database.frames() as frames:
        frames.execute(raising)
    with pytest.raises(psycopg.errors.DeadlockDetected) as plain, psycopg.connect(database.url) as connection:
        connection.execute(raising)
    for failed in (sqlalchemy, adbc, plain):
        told = translated(failed.value)
        assert isinstance(told, TransientError)
        assert "Run it again" in str(told)


def test_a_value_that_no_column_holds_is_the_callers(database: Database) -> None:
    with pytest.raises(Exception, match="out of range") as failed, database.session() as session:
        session.connection().execute(text("SELECT 99999999999999999999::bigint"))
    told = translated(failed.value)
    assert isinstance(told, UsageError)
    assert "out of range" in str(told)


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError) as failed:
        (tmp_path / "file" / "under").mkdir()
    told = translated(failed.value)
    assert isinstance(told, UsageError)
    assert str(told).startswith(f"{tmp_path / 'file' / 'under'}: Not a directory.")


def test_another_error_is_not_the_databases() -> None:
    assert of_the_database(ValueError("x")) is None
    assert "failed where it should not" in str(translated(ValueError("x")))


@pytest.mark.parametrize("url", ["mysql://x", "postgres://x"])
def test_another_database_is_refused(command: Command, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("MAATPAK_DATABASE_URL", url)
    answer = command("cases")
    assert answer.status == 2
    assert "postgresql://" in answer.err


def test_an_unknown_setting_is_named(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAATPAK_SHARD", "2")
    answer = command("cases")
    assert answer.status == 2
    assert "MAATPAK_SHARD" in answer.err
