"""How fast messages go, over all workers; and services that are asked about messages of which nobody knows."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

from connectors.faults import Fault
from connectors.mail.smtp import SmtpMail
from connectors.sms.twilio_client import TwilioSms
from maatpak.kernel.words import Channel
from tests.tasks.outbox_world import House
from tests.tasks.send.sending import faulty, in_sink, messages, send, states

A_SECOND_EACH = 60
"""A rate that a test can wait for."""


def limited(house: House, **rates: int) -> None:
    house.engine.settings = house.engine.settings.model_copy(update=rates)


def arrivals(house: House) -> list[float]:
    """When each mail arrived, in seconds, in order."""
    new = house.engine.workspace.sinks / "mail" / "maildir" / "new"
    return sorted(path.stat().st_mtime for path in new.iterdir())


def test_two_workers_together_keep_the_rate(house: House) -> None:
    house.customers(4)
    house.written()
    limited(house, smtp_per_minute=2 * A_SECOND_EACH)
    mail = house.engine.mail
    assert isinstance(mail, SmtpMail)
    assert mail.sink is not None
    mail.sink.port()
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: send(house), range(2)))
    assert sum(each.total("sent") for each in done) == 4
    times = arrivals(house)
    assert times[-1] - times[0] > 3 * 0.5 - 0.2, "half a second between two, but for what the last hop takes"


def test_a_domain_that_has_to_wait_holds_nobody_else_up(house: House) -> None:
    for domain in ("slow.example", "slow.example", "other.example", "third.example"):
        house.customer(email=f"ap{len(house.accounts)}@{domain}")
    house.written()
    limited(house, smtp_domain_per_minute=A_SECOND_EACH, smtp_connections=1)
    assert send(house).plain() == {"email": {"sent": 4}}
    to = {row["message_ref"]: row["recipient"].partition("@")[2] for row in messages(house)}
    new = house.engine.workspace.sinks / "mail" / "maildir" / "new"
    heads = [path.read_text().partition("Delivered-To: ")[2] for path in sorted(new.iterdir())]
    order = [each.split()[0].partition("@")[2] for each in heads]
    assert sorted(order) == sorted(to.values())
    assert order[-1] == "slow.example"


class OneAtATime:
    """Operations let one lane of a channel send, and count its turns."""

    def __init__(self) -> None:
        self.turns: list[Channel] = []
        self.together = 0
        self.most = 0
        self._slot = asyncio.Semaphore(1)

    @asynccontextmanager
    async def lane(self, channel: Channel) -> AsyncIterator[None]:
        del channel
        async with self._slot:
            self.together += 1
            self.most = max(self.most, self.together)
            yield
            self.together -= 1

    async def turn(self, channel: Channel) -> None:
        self.turns.append(channel)


def test_operations_have_a_word_in_it(house: House) -> None:
    house.customers(6)
    house.written()
    throttle = OneAtATime()
    assert send(house, throttle=throttle).plain() == {"email": {"sent": 6}}
    assert throttle.most == 1
    assert throttle.turns.count(Channel.EMAIL) >= 6


@pytest.mark.parametrize("taken", [True, False])
def test_a_service_is_asked_about_a_text_of_which_nobody_knows(house: House, taken: bool) -> None:
    house.customer("second_text", kind="consumer", amounts=(9900,))
    house.written()
    sms = house.engine.sms
    assert isinstance(sms, TwilioSms)
    assert sms.simulator is not None
    sms.simulator.plan_faults([Fault(at="after" if taken else "recipient", drop=True)])
    assert send(house).plain() == {"sms": {"unknown": 1}}
    sms.simulator.plan_faults([])
    assert send(house).plain() == ({"sms": {"sent": 1}} if taken else {})
    assert states(house) == {"sent" if taken else "unknown": 1}
    assert states(house, "action") == {"executed" if taken else "unknown": 1}
    assert send(house).plain() == {}, "it was not sent a second time"


def test_a_mail_of_which_nobody_knows_stays_so(house: House) -> None:
    house.customer()
    house.written()
    faulty(house, Fault(at="after", drop=True))
    assert send(house).plain() == {"email": {"unknown": 1}}
    faulty(house)
    assert send(house).plain() == {}
    assert states(house) == {"unknown": 1}
    assert len(in_sink(house)) == 1
