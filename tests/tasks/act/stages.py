"""Stages of a case's life, each played once a session and copied for every test that begins there."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from uuid import uuid4

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.settings import Settings
from maatpak.ledger.tables import Action
from tasks.day import run_day
from tasks.engine import Engine, open_engine
from tasks.tick import tick
from tests.conftest import _created, _lent
from tests.tasks.act.house import House, at, build_house
from tests.tasks.act.script import Script

MONDAY = date(2026, 3, 2)
"""Far from any holiday."""


@dataclass(frozen=True)
class Stage:
    """A played database and workspace that nobody is connected to."""

    database: str
    workspace: Path
    house: House

    def house_on(self, engine: Engine) -> House:
        """The house of a copy."""
        return replace(self.house, engine=engine, items=dict(self.house.items))


def _owing(house: House) -> None:
    case_id = house.debtor("C1")
    house.item(case_id, "F1", 100_000, date(2026, 1, 30))
    house.item(case_id, "F2", 50_000, date(2026, 2, 6))


def _reminded(house: House) -> None:
    Script(house, calling=False).until("reminder")


def _calling(house: House) -> None:
    Script(house, calling=False).until("call", "in_progress")


def _call_approved(house: House) -> None:
    """A tick has just approved it, and nothing is done yet."""
    while not house.rows(Action, step="call", state="approved"):
        house.go_to(add_working_days(house.day, 1, "NL"))
        tick(house.engine, house.creditor_id, house.day, at(house.day, 6))
        if not house.rows(Action, step="call"):
            run_day(house.engine, house.creditor_id, house.day, at(house.day, 7))
            Script(house, calling=False).people()


def _consulting(house: House) -> None:
    script = Script(house, consulting=False)
    script.people()
    script.until("consult", "in_progress")


def _demanding(house: House) -> None:
    script = Script(house, approving=False)
    script.people()
    script.until("final_demand", "awaiting_approval")


def _placing(house: House) -> None:
    script = Script(house)
    script.people()
    script.until("final_demand")
    script.approving = False
    script.until("handoff", "awaiting_approval")


def _three_demanding(house: House) -> None:
    for number in (2, 3):
        house.item(house.debtor(f"C{number}"), f"G{number}", 50_000, date(2026, 1, 30))
    Script(house, approving=False).until("final_demand", "awaiting_approval")


PLAYS: dict[str, tuple[str | None, Callable[[House], None]]] = {
    "start": (None, _owing),
    "reminded": ("start", _reminded),
    "call approved": ("reminded", _call_approved),
    "calling": ("reminded", _calling),
    "consulting": ("calling", _consulting),
    "demanding": ("consulting", _demanding),
    "placing": ("demanding", _placing),
    "three demanding": ("start", _three_demanding),
}
"""From a customer with two overdue invoices (1,000.00 and 500.00) on: after which stage, and how."""


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
        stage = self._stage(name)
        shutil.copytree(stage.workspace, workspace, dirs_exist_ok=True)
        with _lent(self._server_url, "maatpak_act", stage.database) as url:
            engine = open_engine(Settings(workspace=workspace, database_url=url, password_memory=8))
            try:
                yield stage.house_on(engine)
            finally:
                engine.close()

    def _stage(self, name: str) -> Stage:
        if name not in self._played:
            self._played[name] = self._play(name)
        return self._played[name]

    def _play(self, name: str) -> Stage:
        before, play = PLAYS[name]
        base = self._stage(before) if before else None
        workspace = self._folder / name
        if base:
            shutil.copytree(base.workspace, workspace)
        else:
            workspace.mkdir()
        database = f"maatpak_stage_{uuid4().hex[:12]}"
        url = self._kept.enter_context(_created(self._server_url, database, base.database if base else self._template))
        engine: Engine = open_engine(Settings(workspace=workspace, database_url=url, password_memory=8))
        try:
            house = base.house_on(engine) if base else build_house(engine, MONDAY)
            play(house)
        finally:
            engine.close()
        return Stage(database, workspace, house)
