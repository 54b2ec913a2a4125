"""The customer's hours hold at the moment of sending, however long a delivery takes, and at the service behind it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from connectors.mail.smtp import SmtpMail
from connectors.message import Begun, Enclosure, Outgoing, at_once
from connectors.outcome import Held, Outcome
from connectors.sms.twilio_client import TwilioSms
from maatpak.kernel.words import Channel
from tasks.send.pace import Unthrottled
from tests.tasks.outbox_world import NOW, House
from tests.tasks.send.sending import in_sink, messages, send, states

EVENING = NOW.replace(hour=17, minute=50)
"""Ten minutes to seven in Utrecht."""


class Slow(Unthrottled):
    """A rate of operations: so long passes before each message."""

    def __init__(self, every: timedelta) -> None:
        self.every = every
        self.passed = timedelta()

    async def turn(self, channel: Channel) -> None:
        del channel
        self.passed += self.every

    def elapsed(self) -> timedelta:
        return self.passed


def test_a_delivery_that_takes_long_ends_with_the_customers_hours(house: House) -> None:
    house.customers(9)
    house.written()
    assert isinstance(house.engine.mail, SmtpMail)
    assert house.engine.mail.sink is not None
    house.engine.mail = SmtpMail(house.engine.mail.sink, connections=1)
    slow = Slow(timedelta(minutes=2))
    summary = send(house, now=EVENING, throttle=slow, elapsed=slow.elapsed)
    sent = summary.total("sent")
    assert sent in (3, 4), "the turn of the fifth may have passed while the fourth waited for the connection"
    assert summary.plain() == {"email": {"sent": sent, "postponed": 9 - sent}}
    assert len(in_sink(house)) == sent
    waiting = [row["send_after"] for row in messages(house) if row["state"] == "queued"]
    assert waiting == [NOW.replace(day=12, hour=7)] * (9 - sent)
    assert not any(row["leased_by"] for row in messages(house))


def test_a_run_whose_other_parts_took_long_sends_nothing_at_night(house: House) -> None:
    house.customer()
    house.written()
    assert send(house, now=EVENING, elapsed=lambda: timedelta(hours=2)).plain() == {"email": {"postponed": 1}}
    assert states(house) == {"queued": 1}


class Noting(TwilioSms):
    """The port, which notes how long each text may wait."""

    waits: list[timedelta | None]

    async def send(
        self,
        outgoing: Outgoing,
        enclosures: Sequence[Enclosure],
        valid_for: timedelta | None = None,
        begun: Begun = at_once,
    ) -> Outcome:
        outcome = await super().send(outgoing, enclosures, valid_for, begun)
        if not isinstance(outcome, Held):
            self.waits.append(valid_for)
        return outcome


@pytest.mark.parametrize(
    ("at", "wait"),
    [("08:00:00", 36_000), ("17:50:00", 600), ("17:59:29", 31), ("17:59:30", None)],
    ids=["the whole day", "ten minutes", "just so", "no time to hand it over"],
)
def test_a_text_waits_at_the_service_no_longer_than_the_hours_last(house: House, at: str, wait: int | None) -> None:
    house.customer("second_text", kind="consumer", amounts=(9900,))
    house.written()
    sms = house.engine.sms
    sms.__class__ = Noting
    assert isinstance(sms, Noting)
    sms.waits = []
    send(house, now=datetime.fromisoformat(f"{NOW:%Y-%m-%d}T{at}Z"), elapsed=timedelta)
    assert sms.waits == ([timedelta(seconds=wait)] if wait else [])
    assert states(house) == {"sent" if wait else "queued": 1}
