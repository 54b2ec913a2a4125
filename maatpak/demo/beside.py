"""Plays some of the demo's houses in a process of its own, so that a machine's second core has something to do."""

import json
import os
import signal
import sys
import time
from contextlib import closing
from datetime import date
from pathlib import Path

from deployments.children import Child, end_with_parent
from deployments.environment import own_api_url
from deployments.stack import LOOK_EVERY, answers, log_file
from maatpak.demo.days import BESIDE, next_morning, play_days
from maatpak.demo.generate import WorldPlan
from maatpak.demo.play import Play, Rejected
from maatpak.kernel.settings import Settings, load_settings
from tasks.engine import open_engine

GOODBYE = 10.0


class Beside:
    """That process, as the one that started it sees it."""

    def __init__(self, settings: Settings, days: int) -> None:
        self._diary = _diary(settings)
        self._read = 0
        self._child = Child(
            "The play of the other houses",
            "maatpak.demo.beside",
            [str(days)],
            environment={
                **os.environ,
                "MAATPAK_WORKSPACE": str(settings.workspace),
                "MAATPAK_PREFECT_PORT": str(settings.prefect_port),
            },
            cwd=settings.workspace,
            log=log_file(settings, "beside"),
        )

    def news(self) -> list[tuple[str, list[Rejected]]]:
        """The parts of the play that were done since it was asked last: what to call each, and the files refused in it.

        Raises:
            WorkspaceError: the process ended; the message has its last words.
        """
        self._child.require_alive()
        lines = self._diary.read_text().split("\n")[:-1] if self._diary.exists() else []
        new, self._read = lines[self._read :], len(lines)
        return [
            (name, [(house, date.fromisoformat(day), why) for house, day, why in refused])
            for name, refused in map(json.loads, new)
        ]

    def go_on(self) -> None:
        """Let it play the next morning, too; it tells of that as of another part."""
        _asked(self._diary).touch()

    def close(self) -> None:
        """End it, wherever it is."""
        self._child.stop(GOODBYE)


def _diary(settings: Settings) -> Path:
    """A line a part that is done."""
    return settings.workspace / "logs" / "beside.jsonl"


def _asked(diary: Path) -> Path:
    """Is there once the next morning is wanted."""
    return diary.with_name("morning")


def _server(settings: Settings) -> str:
    """Where the parent's server answers, once it does; where it never does, the parent ends us."""
    url = own_api_url(settings)
    while not answers(url):
        time.sleep(LOOK_EVERY)
    return url


def main() -> None:
    """Play, and tell of each part; then wait until the parent ends us or is gone."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # in good order: the database's server counts who is there
    end_with_parent()
    settings = load_settings()
    with (
        closing(open_engine(settings)) as engine,
        closing(Play(engine, WorldPlan(), houses=BESIDE)) as play,
        _diary(settings).open("a") as diary,
    ):
        told, days = 0, int(sys.argv[1])
        for name in play_days(play, days, lambda: _server(settings)):
            rejected = [(house, day.isoformat(), why) for house, day, why in play.rejected[told:]]
            told = len(play.rejected)
            diary.write(f"{json.dumps([name, rejected])}\n")
            diary.flush()
        while not _asked(_diary(settings)).exists():
            time.sleep(LOOK_EVERY)
        morning = next_morning(play, days)
        diary.write(f"{json.dumps([f'{morning:%a %d %b}', []])}\n")
        diary.flush()
        signal.pause()


if __name__ == "__main__":
    main()
