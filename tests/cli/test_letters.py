"""A print room by the command line: print what waits, say what became of it, find it on the case."""

from pathlib import Path

import pytest
from pypdf import PdfReader

from maatpak.kernel.clock import FixedClock
from tasks.engine import Engine
from tests.cli.acting import Command, told
from tests.tasks.outbox_world import DAY, NOW, House


@pytest.fixture
def spool(engine: Engine, clock: FixedClock, command: Command) -> House:
    """A house with two letters in the spool folder."""
    clock.at = NOW
    house = House(engine)
    for _ in range(2):
        house.customer(preferred_channel="post")
    house.written()
    assert command("deliver").status == 0
    return house


def test_letters_are_printed_and_what_became_of_them_is_noted(spool: House, command: Command) -> None:
    assert [row["letters"] for row in told(command, "letters", "list")] == [1, 1]
    run = told(command, "letters", "print", "--on", DAY.isoformat())
    assert len(PdfReader(Path(run["file"])).pages) >= 2
    assert "No letter waits" in command("letters", "print", "--on", DAY.isoformat()).out
    answer = command("letters", "note", run["run"], "handed_over", "--on", DAY.isoformat())
    assert (answer.status, "News of letters on their cases: 2." in answer.out) == (0, True), answer
    (row,) = told(command, "letters", "list")
    assert (row["name"], row["letters"], row["known"]) == (run["run"], 2, {"handed_over": DAY.isoformat()})
    assert f"handed_over {DAY}" in command("letters", "list").out
    rows = spool.rows("SELECT kind, observed_on FROM evidence WHERE kind = 'handed_over'")
    assert [row["observed_on"] for row in rows] == [DAY, DAY]


def test_what_cannot_be_noted_is_said(spool: House, command: Command) -> None:
    (first, _) = (row["name"] for row in told(command, "letters", "list"))
    assert "is no state of a letter" in command("letters", "note", first, "eaten").err
    assert "There is no letter or run" in command("letters", "note", "run-1", "printed").err


def test_a_house_that_posts_by_pingen_prints_nothing(
    spool: House, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAATPAK_PINGEN_URL", "simulator")
    answer = command("letters", "print")
    assert (answer.status, "Pingen" in answer.err) == (2, True)
