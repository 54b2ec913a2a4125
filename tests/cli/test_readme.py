"""What README tells to type does what it says, on a fresh workspace."""

import getpass
import re
import shlex
from pathlib import Path

import pytest

from maatpak.kernel.clock import FixedClock
from tests.cli.acting import Command

README = Path(__file__).parents[2] / "README.md"
LINE = re.compile(r"cat > (?P<path>\S+) <<'END'\n(?P<content>.*?)END\n|(?P<call>[^\n]*)\n", re.DOTALL)
"""What the block is made of: files written out, and calls."""


def own_ledger() -> list[re.Match[str]]:
    """The first block of commands of the part on one's own ledger."""
    part = README.read_text(encoding="utf-8").partition("## Your own ledger")[2]
    return list(LINE.finditer(part.partition("```sh\n")[2].partition("```")[0]))


def test_ones_own_ledger_runs_as_written(
    command: Command, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MAATPAK_WORKSPACE", "MAATPAK_ACTOR"):
        monkeypatch.delenv(name)
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    today, said = clock.now().date(), []  # a morning of a business day: nobody is written to outside of hours
    for line in own_ledger():
        if line["path"]:
            Path(line["path"]).write_text(line["content"], encoding="utf-8")
            continue
        called = line["call"].replace("$(id -un)", getpass.getuser()).replace("$(date +%F)", str(today))
        if words := shlex.split(called, comments=True):
            assert words.pop(0) == "maatpak"
            answer = command(*words)
            assert answer.status == 0, (words, answer)
            said.append(answer.out)
    assert "New rounds of ACME follow it" in "".join(said)
    *_, cases, explained, shown = said
    assert "Jansen Bouw B.V." in cases
    assert "De Vries & Zn." in cases
    assert "D-10042" in explained
    assert "Jansen Bouw B.V." in shown
    written = list((folder / "workspace" / "sinks").rglob("*"))
    assert written or "Messages still queued" in "".join(said), "somebody was written to, or will be in the morning"
