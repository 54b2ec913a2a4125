"""All lives at once: one database, one tick a day for all, days missed and run twice, packs that change."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from sqlmodel import col, select

from maatpak.demo.generate import HOUSES
from maatpak.demo.people import Act, Office, staff_of
from maatpak.demo.world import House
from maatpak.kernel.calendars import is_working_day
from maatpak.ledger.packs import publish_pack
from maatpak.ledger.tables import CreditorPack
from maatpak.ledger.versions import succeed
from policies.pack import standard_pack_files
from tasks.day import run_day
from tasks.engine import Engine
from tests.lives.ledger import Ledger, person
from tests.lives.life import Life, born, day_acts, night
from tests.proofs.reader import Breach, prove

LIFE_HOUSE = House(**{**vars(HOUSES[0]), "code": "LIFE"})
STARTS = date(2026, 3, 2)
MISSED, TWICE = 0.06, 0.1
COUNTED = ("action", "action_item", "message", "contact_slot", "round", "work_task", "touch", "promise", "plan", "hold")

LISTS = {
    "work": (
        "SELECT id, kind, subject, assignee, case_id FROM work_task"
        " WHERE state = 'open' AND due_on <= %(day)s ORDER BY id"
    ),
    "approvals": "SELECT id, step, case_id FROM action WHERE state = 'awaiting_approval' ORDER BY id",
    "sent": "SELECT message_ref, case_id FROM message WHERE state = 'sent' AND sent_on = %(day)s ORDER BY id",
    "plans": "SELECT plan_no, case_id FROM plan WHERE state = 'offered' AND replaced_at IS NULL ORDER BY id",
    "disputes": "SELECT dispute_no, case_id FROM dispute WHERE state = 'open' AND replaced_at IS NULL ORDER BY id",
}


def acts_of(engine: Engine, lives: Sequence[Life], day: date) -> list[Act]:
    """What people do for all these lives on a day."""
    rows: dict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    with psycopg.connect(engine.database.url) as connection:
        cursor: psycopg.Cursor[Any] = connection.cursor(row_factory=namedtuple_row)
        for name, query in LISTS.items():
            for row in cursor.execute(query, {"day": day}):
                rows[row.case_id][name].append(row)
    return [act for life in lives for act in day_acts(life, rows[life.account.case_id], day)]


class Lives:
    """So many lives from one seed."""

    def __init__(self, engine: Engine, seed: int, count: int) -> None:
        engine.workspace.create()
        self.engine = engine
        self.seed = seed
        self.random = Random(f"lives:{seed}")
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.ledger = Ledger(engine.database, "LIFE")
        self.pack_id = self._publish(STARTS, standard_pack_files())
        self.ledger.found(STARTS, self.pack_id, staff_of(LIFE_HOUSE))
        self.lives = [born(self.ledger, str(seed), number, STARTS) for number in range(count)]

    def days(self, count: int) -> Iterator[date]:
        """Working days, one after the other."""
        day = STARTS
        while count:
            if is_working_day(day, "NL"):
                yield day
                count -= 1
            day += timedelta(days=1)

    def live(self, day: date) -> bool:
        """One day of all lives; whether the engine ran."""
        for life in self.lives:
            night(life, self.ledger, day)
        self.ledger.close_day(day)
        if self.random.random() < MISSED:
            return False
        self._run(day)
        if self.random.random() < TWICE:
            self._run_again(day)
        if self.random.random() < 0.05:
            self._change_policy(day)
        self._office(day).perform(acts_of(self.engine, self.lives, day))
        return True

    def breaches(self, evidence: Path) -> list[Breach]:
        """What does not hold by now."""
        return prove(self.engine.database.url, evidence).breaches

    def _run(self, day: date) -> None:
        run_day(
            self.engine, self.ledger.creditor_id, day, datetime.combine(day, time(6), UTC), "engine"
        ).require_whole()

    def _run_again(self, day: date) -> None:
        """The same day once more adds nothing."""
        before = self._counted()
        self._run(day)
        assert self._counted() == before, f"a second run of {day} added rows"

    def _counted(self) -> dict[str, int]:
        with psycopg.connect(self.engine.database.url) as connection:
            return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in COUNTED}

    def _office(self, day: date) -> Office:
        return Office(self.engine, LIFE_HOUSE, self.ledger.creditor_id, day, self.done, self.refused)

    def _publish(self, on: date, files: dict[str, str]) -> int:
        at = datetime.combine(on, time(3), UTC)
        with self.engine.database.session() as session:
            if self.ledger.creditor_id == 0:
                session.add(person("admin", "administrator"))
                session.flush()
            pack = publish_pack(session, "standard", files, f"of {on}", "admin", on, at)
        assert pack.id is not None
        return pack.id

    def _change_policy(self, day: date) -> None:
        """A new version for rounds to come: the waits and limits are others."""
        files = standard_pack_files()
        tolerance = self.random.choice((300, 400, 600, 800))
        name = next(name for name in files if name.endswith("guardrails.yaml"))
        files[name] = files[name].replace("tolerance: 500", f"tolerance: {tolerance} # of {day}")
        pack_id = self._publish(day, files)
        with self.engine.database.session() as session:
            present = session.exec(
                select(CreditorPack).where(
                    CreditorPack.creditor_id == self.ledger.creditor_id, col(CreditorPack.replaced_at).is_(None)
                )
            ).one()
            succeed(session, present, day, datetime.combine(day, time(7), UTC), pack_id=pack_id)

    def told_of(self, case_ids: list[int]) -> str:
        """What happened in some lives, to understand a breach."""
        lines: list[str] = []
        for life in self.lives:
            if life.account.case_id in case_ids:
                lines += [f"case {life.account.case_id} ({life.seed})", *(f"  {told}" for told in life.told)]
        return "\n".join(lines)
