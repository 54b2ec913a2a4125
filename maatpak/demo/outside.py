"""The outside of the made-up houses: a mail provider, a telephone company and a print room, all simulators.

What customers write and what becomes of messages comes in as it would from outside: mails into a Maildir, texts over
the webhooks, letters by receipts. It is told in the evening, by an instant of the played day. Each process that plays
has an outside of its own, so that none reads what is meant for the other's houses.
"""

import socket
import threading
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime

import uvicorn

from connectors.faults import Fault
from connectors.inbox import build_mailbox
from connectors.mail import build_mail
from connectors.mail.sink import HOST
from connectors.mail.smtp import SmtpMail
from connectors.post.port import LetterState
from connectors.post.print_room import acknowledge, merge_run
from connectors.post.spool import PostSpool
from connectors.sms import build_sms
from connectors.sms.twilio_client import TwilioSms
from maatpak.console.app import create_app
from maatpak.demo.sayings import away_note
from maatpak.demo.world import Customer, World
from maatpak.kernel.clock import FixedClock
from maatpak.kernel.ids import reference_token
from tasks.engine import Engine

NO_SUCH_USER, FULL = "550 5.1.1 no such user", "552 5.2.2 mailbox full"
SILENT = ("@postvak.example", "@mailbox.example", "0@", "2@", "4@", "6@", "8@")
"""The providers at which persons have their mailboxes, and the servers of half of the firms: they tell when a mail does
not arrive, and never when it does."""
AWAY = 0.02
"""The part of the customers who are away in a week."""
REPORTS_TWICE = "7@"
"""Some mail servers tell everything twice."""


class Outside:
    """Everything out there that a play's engine talks to, in place of the services that its settings would name."""

    def __init__(self, engine: Engine, world: World, houses: Collection[str]) -> None:
        self._world = world
        self._houses = houses
        self._clock = FixedClock(datetime.min.replace(tzinfo=UTC))
        self._socket = socket.create_server((HOST, 0))
        url = f"http://{HOST}:{self._socket.getsockname()[1]}"
        engine.settings = settings = engine.settings.model_copy(update={"public_url": url})
        folder = engine.workspace.sinks / "-".join(houses)
        mail, sms = build_mail(settings, folder, engine.link_key), build_sms(settings, folder)
        assert isinstance(mail, SmtpMail)
        assert mail.sink is not None
        assert isinstance(sms, TwilioSms)
        assert sms.simulator is not None
        self._mail, self._phones = mail.sink, sms.simulator
        self._post = folder / "post"
        self._printed: list[str] = []
        engine.mail, engine.sms, engine.post = mail, sms, PostSpool(self._post)
        engine.mailbox = build_mailbox(settings, folder)
        self._phones.plan_faults([Fault(at="callback", drop=True)])  # Its reports come in the evening.
        config = uvicorn.Config(create_app(engine, self._clock), log_level="warning", access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self._thread.start()

    def begin(self, day: date, evening: datetime, also: Sequence[Fault] = ()) -> None:
        """Who is to be reached on this day, and who is not; `also` goes wrong besides."""
        self._clock.at = evening
        self._mail.plan_faults([*also, *self._fates(day)])

    def write(self, sender: str, to: str, subject: str, words: str, about: str | None = None) -> None:
        """A customer writes a mail, perhaps in answer to a message of ours."""
        self._mail.mail_in(sender, to, subject, words, self._clock.at, about)

    def text(self, number: str, words: str) -> None:
        """A customer writes a text."""
        self._phones.text_in(number, words)

    def report_text(self, sid: str, state: str, code: int | None, times: int) -> None:
        """The telephone company tells what became of a text."""
        for _ in range(times):
            self._phones.happen(sid, state, code)

    def return_letter(self, message_ref: str, day: date) -> None:
        """A letter comes back."""
        acknowledge(self._post, reference_token(message_ref), LetterState.RETURNED, day)

    def print_letters(self, day: date) -> None:
        """The print room takes yesterday's run to the post, and prints what was spooled since."""
        for run in self._printed:
            acknowledge(self._post, run, LetterState.HANDED_OVER, day)
        merged = merge_run(self._post, day)
        self._printed = [] if merged is None else [merged.stem]
        for run in self._printed:
            acknowledge(self._post, run, LetterState.PRINTED, day)

    def close(self) -> None:
        """Nobody is at home any more."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        self._mail.stop()
        self._phones.stop()

    def _fates(self, day: date) -> Iterator[Fault]:
        """What becomes of mails: the first that fits counts."""
        for customer in self._world.customers.values():
            if customer.house not in self._houses:
                continue
            for address in _addresses(customer):
                if customer.mailbox_dead or customer.mailbox_full:
                    reply = NO_SUCH_USER if customer.mailbox_dead else FULL
                    yield Fault(match=address, at="delivery", reply=reply)
                elif self._world.chance(address, "away", *day.isocalendar()[:2]).random() < AWAY:
                    yield Fault(match=address, at="answer", reply=away_note(customer.language))
        yield from (Fault(match=server, at="delivery", drop=True) for server in SILENT)
        yield Fault(match=REPORTS_TWICE, at="callback", reply="twice")


def _addresses(customer: Customer) -> list[str]:
    return [each for each in (customer.email, *(contact.email for contact in customer.contacts)) if each]
