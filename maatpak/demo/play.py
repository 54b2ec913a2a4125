"""Plays the made-up world day by day: files in, the engine's run, staff at their desks, customers at their mail.

A day is the same whether the engine is called directly or through Prefect's flows: the `Way` makes the difference.
Every instant is made from the day's date; nothing here reads a clock.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Protocol

from sqlmodel import select

from connectors.faults import Fault
from connectors.ledgers.source import LedgerSource
from connectors.ledgers.source_file import load_source
from maatpak.demo.approving import Approvers
from maatpak.demo.blemishes import blemishes_of, cut, is_cut_off, stays_away
from maatpak.demo.errands import errands
from maatpak.demo.export import Books, Delivery
from maatpak.demo.generate import WorldPlan, build_world
from maatpak.demo.mailroom import Mailroom
from maatpak.demo.outside import Outside
from maatpak.demo.people import Office, staff_of
from maatpak.demo.staff import Staff
from maatpak.demo.worklist import Papers
from maatpak.demo.world import House
from maatpak.kernel.calendars import is_working_day
from maatpak.kernel.errors import InputRejectedError
from maatpak.ledger.packs import publish_pack
from maatpak.ledger.tables import Creditor, CreditorPack, Person, PolicyPack
from policies.pack import standard_pack_files
from tasks.day import run_day
from tasks.engine import Engine
from tasks.intake import ingest_ledger
from tasks.receive import read_letter_reports, read_mailbox

NIGHT, MORNING, OPENING, EVENING = time(4), time(6), time(8), time(18)
ADMINISTRATOR = "demo.administrator"
ENGINE = "engine"
DAILY = "NL01"
"""The house that hands a file over every day."""

Rejected = tuple[str, date, str]
"""Files that the gate refused whole: of which house, on which day, why."""


class Way(Protocol):
    """How the engine's work is done."""

    def run(self, house: str, day: date, now: datetime) -> object:
        """The day of a house, by its code."""
        ...

    def receive(self, now: datetime) -> object:
        """What came in."""
        ...


class Directly:
    """By the engine's own functions, without Prefect."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def run(self, house: str, day: date, now: datetime) -> None:
        """The day of a house."""
        run_day(self.engine, house, day, now, ENGINE).require_whole()

    def receive(self, now: datetime) -> None:
        """What lies in the mailbox, and what the print room tells."""
        read_mailbox(self.engine, now).require_whole()
        read_letter_reports(self.engine, now).require_whole()


def at(day: date, hour: time) -> datetime:
    """An instant of a day."""
    return datetime.combine(day, hour, UTC)


class Play:
    """The whole of it: world, books, staff, and the outside of one engine. To be closed.

    Where only some `houses` are played, the customers of the others live on and nobody writes to them.
    """

    def __init__(
        self, engine: Engine, plan: WorldPlan, *, gate_faults: bool = True, houses: Collection[str] | None = None
    ) -> None:
        self.engine = engine
        self.plan = plan
        self.world = build_world(plan)
        self.gate_faults = gate_faults
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.last_day: date | None = None
        self.rejected: list[Rejected] = []
        folder = engine.settings.workspace / "ledgers"
        self._books = {
            code: Books(self.world, house, folder, daily=code == DAILY)
            for code, house in self.world.houses.items()
            if houses is None or code in houses
        }
        self._seeing_to: dict[str, str] = {}
        self._outside = Outside(engine, self.world, tuple(self._books))
        self._mail = {code: Mailroom(self.world, self.world.houses[code], self._outside) for code in self._books}
        self._creditors: dict[str, int] = {}
        self._sources: dict[Path, LedgerSource] = {}

    @property
    def houses(self) -> tuple[str, ...]:
        """The houses that are played."""
        return tuple(self._books)

    def open_houses(self) -> None:
        """Publish the pack and hire the staff of every house."""
        eve = self.plan.starts_on - timedelta(days=1)
        now = at(eve, NIGHT)
        people = [person for house in self.world.houses.values() for person in staff_of(house)]
        administrator = Person(login=ADMINISTRATOR, name="Administrator", role="administrator", recorded_at=now)
        with self.engine.database.session() as session:
            session.add_all([administrator, *people])
            session.flush()
            publish_pack(session, "standard", standard_pack_files(), "the demo's pack", ADMINISTRATOR, eve, now)

    def load_past(self) -> None:
        """Load two years of the houses that are played, who follow the published pack from then on."""
        eve = self.plan.starts_on - timedelta(days=1)
        now = at(eve, NIGHT)
        for code, books in self._books.items():
            self._ingest(books.past(self.plan.starts_on), eve, now)
            with self.engine.database.session() as session:
                creditor = session.exec(select(Creditor).where(Creditor.code == code)).one()
                assert creditor.id is not None
                self._creditors[code] = creditor.id
                pack_id = session.exec(select(PolicyPack.id)).one()
                assert pack_id is not None
                session.add(
                    CreditorPack(
                        creditor_id=creditor.id, pack_id=pack_id, actor=ADMINISTRATOR, valid_from=eve, recorded_at=now
                    )
                )

    def business_days(self, count: int) -> Iterator[date]:
        """The first so many days on which at least one house works."""
        day = self.plan.starts_on
        while count:
            if any(is_working_day(day, house.country) for house in self.world.houses.values()):
                yield day
                count -= 1
            day += timedelta(days=1)

    def play_day(self, day: date, number: int, way: Way | None = None, *, breaks: Sequence[Fault] = ()) -> None:
        """One business day of every house that works on it; `number` counts from 0.

        `breaks`: what goes wrong with mails on this day, besides what the customers' mailboxes do.
        """
        way = way or Directly(self.engine)
        evening = at(day, EVENING)
        self.world.live(day - timedelta(days=1))
        self.last_day = day
        self._outside.begin(day, evening, breaks)
        for code in self._books:
            house = self.world.houses[code]
            if is_working_day(day, house.country):
                self._run(code, day, number, way)
                self._live_the_day(house, day)
        self._outside.print_letters(day)
        way.receive(evening)

    def morning(self, day: date, number: int) -> None:
        """What is there when the staff come in: the ledgers of the night, and the runs of the houses that work."""
        self.world.live(day - timedelta(days=1))
        self._outside.begin(day, at(day, EVENING), ())
        for code in self._books:
            if is_working_day(day, self.world.houses[code].country):
                self._run(code, day, number, Directly(self.engine))

    def close(self) -> None:
        """End what was started for the outside."""
        self._outside.close()

    def _run(self, code: str, day: date, number: int, way: Way) -> None:
        comes = number == 0 or self._books[code].hands_over(day)
        if comes and not (self.gate_faults and stays_away(code, number, day)):
            self._receive(code, day, number)
        way.run(code, day, at(day, MORNING))

    def _receive(self, code: str, day: date, number: int) -> None:
        books = self._books[code]
        faults = blemishes_of(code, number) if self.gate_faults else []
        delivery = books.morning(day, faults)
        if delivery is None:
            return
        if self.gate_faults and is_cut_off(code, number):
            items = delivery.files[0]
            whole = items.read_bytes()
            items.write_bytes(cut(whole))
            try:
                self._ingest(delivery, day, at(day, NIGHT))
            except InputRejectedError as error:
                self.rejected.append((code, day, error.message))
            items.write_bytes(whole)
        self._ingest(delivery, day, at(day, NIGHT))
        for path in delivery.files:
            path.unlink()

    def _ingest(self, delivery: Delivery, day: date, now: datetime) -> None:
        source = self._sources.setdefault(delivery.source, load_source(delivery.source))
        ingest_ledger(self.engine, source, list(delivery.files), as_of=day, now=now, actor=None)

    def _live_the_day(self, house: House, day: date) -> None:
        creditor_id = self._creditors[house.code]
        office = Office(self.engine, house, creditor_id, day)
        papers = Papers(self.engine, self.world, house.code, creditor_id)
        mail = self._mail[house.code]
        office.perform(mail.open(papers))
        office.perform(
            [
                *Staff(office, self.world, papers, self._seeing_to).work(),
                *Approvers(office, self.world, papers).work(),
                *errands(office, self.world, papers),
            ]
        )
        mail.read(papers, day)
        mail.come_in(day)
        self.done += office.done
        self.refused += office.refused
