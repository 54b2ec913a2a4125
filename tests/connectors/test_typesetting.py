"""Letters set in processes of their own, some of which are killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import typst

from connectors.outcome import Failed
from connectors.post.letters import letter_pdf
from connectors.post.typesetting import Typesetters
from maatpak.kernel.errors import TransientError
from tests.connectors.letters import letter

PATIENCE = 60.0
OWNER = """
import sys
from connectors.post.typesetting import Typesetters
from tests.connectors.letters import letter
typesetters = Typesetters(1)
typesetters.letter(letter())
if sys.argv[1] == "setting":
    typesetters._idle[0]._letters.send((letter(rows=300), True))
print("ready", flush=True)
sys.stdin.read()
"""
"""Has a child that is idle, or sets a letter that takes a while."""


@pytest.fixture
def typesetters() -> Iterator[Typesetters]:
    made = Typesetters(2)
    yield made
    made.stop()


def child_of(typesetters: Typesetters) -> int:
    """The process that set the last letter."""
    return typesetters._idle[-1].process.pid


def test_letters_set_beside_each_other_have_the_bytes_of_those_set_here(typesetters: Typesetters) -> None:
    made = [letter(number, rows=3 * number, minor=100 * number) for number in range(1, 9)]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(typesetters.letter, made)) == [letter_pdf(each) for each in made]
    assert len(typesetters._idle) == 2, "as many as there may be, and used again"


def test_a_letter_that_cannot_be_set_fails_alone(typesetters: Typesetters) -> None:
    plain = letter()
    assert isinstance(typesetters.letter(plain), bytes)
    child = child_of(typesetters)
    with pytest.raises(typst.TypstError, match="SVG") as caught:
        typesetters.letter(replace(plain, letter={**(plain.letter or {}), "logo": "<svg"}))
    assert "in letter_pdf" in "".join(caught.value.__notes__), "where it happened is told, too"
    missing = typesetters.letter(letter(lines=("Łódź 株式会社", "Dam 1", "1012 AB Amsterdam")))
    assert missing == Failed("the letter's fonts have no 会式株社", permanent=True)
    assert typesetters.letter(plain) == letter_pdf(plain)
    assert child_of(typesetters) == child


def test_a_child_that_dies_takes_its_letter_along_and_no_other(typesetters: Typesetters) -> None:
    typesetters.letter(letter())
    child = child_of(typesetters)
    os.kill(child, signal.SIGSTOP)  # so that it dies while it has a letter
    with ThreadPoolExecutor(1) as threads:
        lost = threads.submit(typesetters.letter, letter(1))
        while typesetters._idle:
            time.sleep(0.005)
        assert isinstance(typesetters.letter(letter(2)), bytes)
        os.kill(child, signal.SIGKILL)
        with pytest.raises(TransientError, match="ended"):
            lost.result(PATIENCE)
    assert isinstance(typesetters.letter(letter(1)), bytes)


def test_a_child_that_died_idle_costs_no_letter(typesetters: Typesetters) -> None:
    typesetters.letter(letter())
    child = child_of(typesetters)
    os.kill(child, signal.SIGKILL)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert isinstance(typesetters.letter(letter()), bytes)


def test_what_stops_leaves_no_child(typesetters: Typesetters) -> None:
    typesetters.letter(letter())
    child = child_of(typesetters)
    typesetters.stop()
    with pytest.raises(ChildProcessError):
        os.waitpid(child, os.WNOHANG)


@pytest.mark.parametrize("doing", ["idle", "setting"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_owner_that_is_killed_leaves_no_child(how: signal.Signals, doing: str) -> None:
    command = [sys.executable, "-c", OWNER, doing]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"ready\n"
        if how is signal.SIGINT:
            os.killpg(owner.pid, how)  # as a terminal does: the child gets it, too
        else:
            owner.send_signal(how)
        # The child writes to the same standard error, so that this ends when both are gone.
        _, told = owner.communicate(timeout=PATIENCE)
    assert told.count(b"Traceback") == (1 if how is signal.SIGINT else 0), "the child has nothing to tell"
