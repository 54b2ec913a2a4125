"""Stages of a case's life, each played once a session and copied for every test that begins there."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from uuid import uuid4

from maatpak.kernel.settings import Settings
from tasks.engine import Engine, open_engine
from tests.conftest import _created, _lent
from tests.tasks.act.house import House, build_house
from tests.tasks.act.script import Script

MONDAY = date(2026, 3, 2)
"""Far from any holiday."""


@dataclass(frozen=True)
class Stage:
    """A played database and workspace that nobody is connected to."""

    database: str
    workspace: Path
    house: House


def _calling(house: House) -> None:
    Script(house, calling=False).until("call", "in_progress")


def _demanding(house: House) -> None:
    Script(house, approving=False).until("final_demand", "awaiting_approval")


def _placing(house: House) -> None:
    script = Script(house)
    script.until("final_demand")
    script.approving = False
    script.until("handoff", "awaiting_approval")


def _consulting(house: House) -> None:
    Script(house, consulting=False).until("consult", "in_progress")


def _reminded(house: House) -> None:
    Script(house, calling=False).until("reminder")


PLAYS: dict[str, Callable[[House], None]] = {
    "start": lambda _: None,
    "reminded": _reminded,
    "calling": _calling,
    "consulting": _consulting,
    "demanding": _demanding,
    "placing": _placing,
}
"""From a customer with two overdue invoices (1,000.00 and 500.00) to …"""


class Stages:
    """Plays stages when they are first asked for."""

    def __init__(self, server_url: str, template: str, folder: Path, kept: ExitStack) -> None:
        self._server_url = server_url
        self._template = template
        self._folder = folder
        self._kept = kept
        self._played: dict[str, Stage] = {}

    @contextlib.contextmanager
    def at(self, name: str, workspace: Path) -> Iterator[House]:
        """A house of one's own at a stage."""
        stage = self._played.get(name) or self._play(name)
        shutil.copytree(stage.workspace, workspace, dirs_exist_ok=True)
        with _lent(self._server_url, "maatpak_act", stage.database) as url:
            engine = open_engine(Settings(workspace=workspace, database_url=url))
            try:
                yield replace(stage.house, engine=engine, items=dict(stage.house.items))
            finally:
                engine.close()

    def _play(self, name: str) -> Stage:
        workspace = self._folder / name
        workspace.mkdir()
        database = f"maatpak_stage_{name}_{uuid4().hex[:8]}"
        url = self._kept.enter_context(_created(self._server_url, database, self._template))
        engine: Engine = open_engine(Settings(workspace=workspace, database_url=url))
        try:
            house = build_house(engine, MONDAY)
            case_id = house.debtor("C1")
            house.item(case_id, "F1", 100_000, date(2026, 1, 30))
            house.item(case_id, "F2", 50_000, date(2026, 2, 6))
            PLAYS[name](house)
        finally:
            engine.close()
        self._played[name] = Stage(database, workspace, house)
        return self._played[name]
