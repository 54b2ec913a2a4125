"""`maatpak demo`, as a newcomer starts it: two processes play, one sums up, and nothing stays behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import own_cluster
from tests.flows.conftest import free_port
from tests.flows.patience import PATIENCE, until
from tests.flows.test_up import relatives, stranger

pytestmark = pytest.mark.chaos
BESIDE = "maatpak.demo.beside"


@contextmanager
def demo(tmp_path: Path, *options: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The command, and what marks its processes."""
    with own_cluster(tmp_path) as folder, stranger(tmp_path / "home", tmp_path / "somebody-elses") as environment:
        command = [sys.executable, "-m", "maatpak", "demo", "--folder", str(folder), "--port", str(free_port())]
        mark = f"HOME={environment['HOME']}"
        with subprocess.Popen(
            [*command, *options],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield process, mark
            finally:
                process.kill()
        until(lambda: relatives(mark) == [], "the end of all its processes")


def part(process: "subprocess.Popen[str]", number: int) -> str:
    """Wait until so many parts of the play are done; all that was said."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith(f"Days {number}/"):
            return said
    raise AssertionError(f"the demo ended: {said}")


def test_it_sums_up_and_ends(tmp_path: Path) -> None:
    with demo(tmp_path, "--exit", "--days", "3") as (process, _):
        assert process.stdout is not None
        said = process.stdout.read()
        assert process.wait(PATIENCE) == 0, said
    assert "Days 8/8" in said
    assert all(f"04 Feb · {houses}" in said for houses in ("NL01", "BE01, UK01"))
    assert "Fingerprint of these figures" in said
    assert all(house in said for house in ("NL01", "BE01", "UK01"))


def test_ctrl_c_stops_both_plays(tmp_path: Path) -> None:
    with demo(tmp_path) as (process, _):
        part(process, 4)
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert "Stopped." in process.stdout.read()
        assert process.wait(PATIENCE) == 0


def test_a_play_that_ends_by_itself_is_said_clearly(tmp_path: Path) -> None:
    with demo(tmp_path) as (process, mark):
        part(process, 2)
        (other,) = [int(pid.name) for pid in Path("/proc").iterdir() if pid.name.isdigit() and _is_beside(pid, mark)]
        os.kill(other, signal.SIGKILL)
        assert process.stdout is not None
        said = process.stdout.read()
        assert process.wait(PATIENCE) == 5, said
    assert "The play of the other houses ended by itself" in said


def _is_beside(process: Path, mark: str) -> bool:
    try:
        return BESIDE in (process / "cmdline").read_text() and mark in (process / "environ").read_text()
    except OSError:
        return False
