"""Two creditors with customers in common, services that are watched, and what is known of every message handed over."""

import asyncio
import copy
import json
import mailbox
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
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
from tasks.execute import execute_all
from tasks.preferences import consent_to_texts
from tasks.send import deliver
from tasks.send.pace import Unthrottled
from tests.conftest import _created, _lent
from tests.tasks.outbox_world import DAY, NOW, Account, House
from tests.tasks.send.sending import open_day

RETURN_PATH = "bounces@maatpak.example"
CURRENCIES = ("EUR", "GBP", "USD", "SEK", "CHF", "PLN")
CAPS_OF = {Channel.EMAIL: "mails_per_day", Channel.SMS: "texts_per_day", Channel.POST: "letters_per_day"}


@dataclass(frozen=True)
class Person:
    """A customer of the world, with accounts at one creditor or both: one party."""

    number: int
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
        return f"p{self.number}@klant{self.number % 3}.example"

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
    text: str
    day: date
    """The business date."""
    asked_at: float
    begun_at: float | None
    """Seconds of the technical clock: before its turn was asked for, and when it was noted as being sent."""

    @property
    def may_have_left(self) -> bool:
        """Unless the service said no, or was not there."""
        return type(self.outcome).__name__ in ("Sent", "Unknown")


class Sinks:
    """What arrived, as the services have it."""

    def __init__(self, mails: Path, texts: Path, letters: Path) -> None:
        self._mails, self._texts, self._letters = mails, texts, letters
        self._seen = {each.name for each in mails.glob("new/*")}
        self._seen |= set(texts.read_text().splitlines()) if texts.exists() else set()

    def new(self, texts: Mapping[tuple[str, str], str]) -> list[str]:
        """Message references of what came since this was last asked; of a text by its number and words."""
        mails = [each.read_bytes() for each in self._mails.glob("new/*") if self._is_new(each.name)]
        letters = [json.loads(each.read_text()) for each in self._letters.glob("*.json") if self._is_new(each.name)]
        lines = self._texts.read_text().splitlines() if self._texts.exists() else []
        told = [json.loads(each) for each in lines if self._is_new(each)]
        return [
            *(mailbox.MaildirMessage(each)["Message-ID"].strip("<>") for each in mails),
            *(each["reference"] for each in letters),
            *(texts[each["to"], each["body"]] for each in told),
        ]

    def _is_new(self, name: str) -> bool:
        known = name in self._seen
        self._seen.add(name)
        return not known


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
        asked_at, begun_at = world.asked_at.get(asyncio.current_task(), 0.0), None

        async def noted() -> bool:
            nonlocal begun_at
            going = await begun()
            begun_at = time.time() if going else None
            return going

        outcome = await self.port.send(outgoing, enclosures, valid_for, noted)
        handed = Handed(
            at=began,
            ref=outgoing.message_ref,
            channel=outgoing.channel,
            address=address,
            outcome=outcome,
            closed=closed,
            valid_for=valid_for,
            text=outgoing.text,
            day=world.day,
            asked_at=asked_at,
            begun_at=begun_at,
        )
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
        self.world.asked_at[asyncio.current_task()] = time.time()


@dataclass
class World:
    """Everything of one example."""

    engines: Sequence[Engine]
    """One of each worker."""
    houses: Sequence[House]
    now: datetime
    sinks: "Sinks"
    people: list[Person] = field(default_factory=list)
    accounts: dict[tuple[int, int], Account] = field(default_factory=dict)
    """By house and number of the person."""
    owed: Counter[tuple[int, int]] = field(default_factory=Counter)
    """How many letters, by house and number of the person."""
    people_of: dict[int, Person] = field(default_factory=dict)
    """Who is written to, by action."""
    day: date = DAY
    """The business date of both creditors."""
    passed: timedelta = timedelta()
    """Since `now`, in the delivery that goes on."""
    handed: list[Handed] = field(default_factory=list)
    asked_at: dict[object, float] = field(default_factory=dict)
    """When a lane last asked for a turn, in seconds of the technical clock."""
    arrived: list[tuple[date, str]] = field(default_factory=list)
    """(business date, reference) of what was found in the sinks."""
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

    def owes(self, person: Person, at: int, step: tuple[str, str], waited: int = 0) -> None:
        """Something is to be sent to a customer: about another currency, where that creditor has them already.

        It was approved as many days ago as it `waited`.
        """
        house, known = self.houses[at], self.accounts.get((at, person.number))
        if self.owed[at, person.number] == len(CURRENCIES):
            return
        house.day = self.day - timedelta(days=waited)
        account = house.customer(
            *step,
            amounts=(9_900,) if person.kind == "consumer" else (125_000,),
            currency=CURRENCIES[self.owed[at, person.number]],
            account=known,
            party_id=next((each.party_id for (_, who), each in self.accounts.items() if who == person.number), None),
            kind=person.kind,
            country=person.country,
            time_zone=person.time_zone,
            email=person.email,
            phone=person.phone,
            preferred_channel=person.prefers,
        )
        self.people_of[account.action_id] = person
        self.owed[at, person.number] += 1
        if known is None:
            self.accounts[at, person.number] = account
        if known is None and person.agrees:
            with self.desk(at) as desk:
                consent_to_texts(desk, desk.debtor(account.debtor_id), person.phone, given=True, source="call")

    def act(self) -> None:
        """What is approved is written, where the party has room for it."""
        for house in self.houses:
            execute_all(house.engine, house.creditor_id, self.day, self.now)

    def deliver(self, every: timedelta, workers: int) -> None:
        """All outboxes, by so many workers at once; the clock stands where the last one ended."""
        slow = Slow(self, every)

        def work(number: int) -> None:
            for house in self.houses:
                given = (self.engines[number], house.creditor_id, self.day, self.now, f"worker-{number}")
                deliver(*given, throttle=slow, elapsed=lambda: self.passed)

        if self.now.date() > self.day:
            self.day = self.now.date()
            for house in self.houses:
                open_day(house, self.day)
            self.act()
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(work, range(workers)))
        texts = {(each.address, each.text): each.ref for each in self.handed if each.channel is Channel.SMS}
        self.arrived += [(self.day, ref) for ref in self.sinks.new(texts)]
        self.now, self.passed = self.present, timedelta()

    def desk(self, at: int) -> AbstractContextManager[Desk]:
        house = self.houses[at]
        return desk(house.engine, house.creditor_id, f"maritNL{at}", self.day, self.now)

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
    def world(self, limits: Mapping[str, int]) -> Iterator[World]:
        """A world of an example's own, with the engines of two workers; `limits`: caps and rates, as settings."""
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
            ).model_copy(update=dict(limits))
            engines = [open_engine(given) for _ in range(2)]
            houses = [copy.copy(each) for each in self._houses]
            for house in houses:
                house.engine, house.accounts, house.begun = engines[0], [], False
            sinks = Sinks(self._mail.maildir, self._sms.messages, engines[0].workspace.sinks / "post")
            world = World(engines, houses, NOW, sinks)
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
