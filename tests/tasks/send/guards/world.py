"""Two creditors with customers in common, services that are watched, and what is known of every message handed over."""

import copy
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from pydantic import SecretStr

from connectors.faults import Fault
from connectors.mail.sink import MailSink
from connectors.message import Begun, Enclosure, MessagePort, Outgoing, at_once
from connectors.outcome import Failed, Held, Outcome
from connectors.sms.simulator import SmsSimulator
from maatpak.kernel.settings import Settings
from maatpak.kernel.words import Channel, ReachState
from tasks.desk import Desk, desk
from tasks.engine import Engine, open_engine
from tasks.preferences import consent_to_texts
from tasks.send import deliver
from tasks.send.pace import Unthrottled
from tests.conftest import _created, _lent
from tests.tasks.outbox_world import DAY, NOW, Account, House

RETURN_PATH = "bounces@maatpak.example"
CAPS = {Channel.EMAIL: "mails_per_day", Channel.SMS: "texts_per_day", Channel.POST: "letters_per_day"}


@dataclass(frozen=True)
class Person:
    """A customer of the world, with accounts at one creditor or both."""

    number: int
    step: tuple[str, str]
    """What is sent, and the segment whose journey has it."""
    kind: str
    country: str
    time_zone: str | None
    prefers: Channel

    @property
    def agrees(self) -> bool:
        """Whether they agreed to be texted, which only some countries ask for."""
        return self.number % 2 == 1

    @property
    def email(self) -> str:
        return f"p{self.number}@klant.example"

    @property
    def phone(self) -> str:
        return f"+316123456{self.number:02}"


@dataclass(frozen=True)
class Handed:
    """One handing over of a message to a service."""

    at: datetime
    ref: str
    channel: Channel
    address: str
    outcome: Outcome
    closed: bool
    """Whether the address was known to be dead or opted out when it began."""
    valid_for: timedelta | None

    @property
    def may_have_left(self) -> bool:
        """Unless the service said no, or was not there."""
        return type(self.outcome).__name__ in ("Sent", "Unknown")


class Watched:
    """A real port, watched."""

    def __init__(self, port: MessagePort, world: "World") -> None:
        self.port = port
        self.world = world
        self.lanes = port.lanes
        self.repeatable = port.repeatable

    async def send(
        self,
        outgoing: Outgoing,
        enclosures: Sequence[Enclosure],
        valid_for: timedelta | None = None,
        begun: Begun = at_once,
    ) -> Outcome:
        world, to = self.world, outgoing.recipient
        address = {Channel.EMAIL: to.email, Channel.SMS: to.phone}.get(outgoing.channel) or ""
        began, closed = world.present, world.closed(outgoing.message_ref, address)
        outcome = await self.port.send(outgoing, enclosures, valid_for, begun)
        handed = Handed(began, outgoing.message_ref, outgoing.channel, address, outcome, closed, valid_for)
        if not isinstance(outcome, Held):
            world.handed.append(handed)
        if isinstance(outcome, Failed) and outcome.address in (ReachState.DEAD, ReachState.OPTED_OUT):
            world.dead.add((outgoing.message_ref.partition("@")[2], address))
        return outcome

    async def ask(self, outgoing: Outgoing) -> Outcome:
        return await self.port.ask(outgoing)

    async def close(self) -> None:
        await self.port.close()

    def shut(self) -> None:
        self.port.shut()


class Slow(Unthrottled):
    """So long passes before each message."""

    def __init__(self, world: "World", every: timedelta) -> None:
        self.world = world
        self.every = every

    async def turn(self, channel: Channel) -> None:
        del channel
        self.world.passed += self.every


@dataclass
class World:
    """Everything of one example."""

    engines: Sequence[Engine]
    """One of each worker."""
    houses: Sequence[House]
    now: datetime
    people: list[Person] = field(default_factory=list)
    accounts: dict[tuple[int, int], Account] = field(default_factory=dict)
    """By house and number of the person."""
    passed: timedelta = timedelta()
    """Since `now`, in the delivery that goes on."""
    handed: list[Handed] = field(default_factory=list)
    dead: set[tuple[str, str]] = field(default_factory=set)
    """(mail domain of the creditor, address): what that creditor knows to be dead, or was asked to leave alone."""
    stopped: set[str] = field(default_factory=set)
    """Numbers whose owner texted STOP: nobody texts them."""

    @property
    def engine(self) -> Engine:
        return self.engines[0]

    @property
    def present(self) -> datetime:
        return self.now + self.passed

    def closed(self, ref: str, address: str) -> bool:
        return address in self.stopped or (ref.partition("@")[2], address) in self.dead

    def joins(self, person: Person, houses: Sequence[int]) -> None:
        """A customer to whom something is to be sent."""
        self.people.append(person)
        for at in houses:
            self.accounts[at, person.number] = self.houses[at].customer(
                *person.step,
                amounts=(9_900,) if person.kind == "consumer" else (125_000,),
                kind=person.kind,
                country=person.country,
                time_zone=person.time_zone,
                email=person.email,
                phone=person.phone,
                preferred_channel=person.prefers,
            )
            if person.agrees:
                with self.desk(at) as desk:
                    debtor = desk.debtor(self.accounts[at, person.number].debtor_id)
                    consent_to_texts(desk, debtor, person.phone, given=True, source="call")

    def write(self) -> None:
        for house in self.houses:
            house.written(self.now)

    def deliver(self, every: timedelta, workers: int) -> None:
        """All outboxes, by so many workers at once; the clock stands where the last one ended."""
        slow = Slow(self, every)

        def work(number: int) -> None:
            for house in self.houses:
                given = (self.engines[number], house.creditor_id, DAY, self.now, f"worker-{number}")
                deliver(*given, throttle=slow, elapsed=lambda: self.passed)

        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(work, range(workers)))
        self.now, self.passed = self.present, timedelta()

    def desk(self, at: int) -> AbstractContextManager[Desk]:
        house = self.houses[at]
        return desk(house.engine, house.creditor_id, f"maritNL{at}", DAY, self.now)

    def domain(self, at: int) -> str:
        return f"house{at}.example"


class Founded:
    """Two creditors, made once, and local services; each example has a copy of the former, and uses the latter."""

    def __init__(self, server_url: str, template: str, folder: Path) -> None:
        self._server_url = server_url
        self._template = template
        given = Settings(workspace=folder)
        self._mail = MailSink(folder / "mail")
        self._sms = SmsSimulator(folder / "sms", given.sms_account, given.sms_token.get_secret_value())

    @contextmanager
    def once(self) -> Iterator[None]:
        """While the services and the template of the database last."""
        name = f"maatpak_guards_{uuid4().hex[:12]}"
        with _created(self._server_url, name, self._template) as url, tempfile.TemporaryDirectory() as folder:
            engine = open_engine(Settings(workspace=Path(folder), database_url=url))
            self._houses = [House(engine, f"NL{at}", email=f"credit@house{at}.example") for at in range(2)]
            engine.pack(self._houses[0].pack_id)
            self._packs = engine._packs
            engine.close()
            self._name = name
            try:
                yield
            finally:
                self._mail.stop()
                self._sms.stop()

    @contextmanager
    def world(self, caps: Mapping[Channel, int]) -> Iterator[World]:
        """A world of an example's own, with the engines of two workers."""
        with ExitStack() as opened:
            folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
            url = opened.enter_context(_lent(self._server_url, "maatpak_guards", self._name))
            (folder / "link.key").write_text("for tests only")
            given = Settings(
                workspace=folder,
                database_url=SecretStr(url),
                smtp_host="127.0.0.1",
                smtp_port=self._mail.port(),
                return_path=RETURN_PATH,
                sms_url=self._sms.url(),
            ).model_copy(update={CAPS[channel]: cap for channel, cap in caps.items()})
            engines = [open_engine(given) for _ in range(2)]
            houses = [copy.copy(each) for each in self._houses]
            for house in houses:
                house.engine, house.accounts = engines[0], []
            world = World(engines, houses, NOW)
            for engine in engines:
                opened.callback(engine.close)
                engine._packs.update(self._packs)
                for name in ("mail", "sms", "post"):
                    engine.__dict__[name] = Watched(getattr(engine, name), world)
            yield world

    def plan_faults(self, mails: Sequence[Fault], texts: Sequence[Fault]) -> None:
        """What the services do wrong from now on."""
        self._mail.plan_faults(mails)
        self._sms.plan_faults(texts)
