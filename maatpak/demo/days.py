"""The days of the demo: most by direct calls, the last ones through Prefect's flows, so that there are runs to look at.

They are played by two processes on one database, each for houses that share no customer with those of the other: what
comes of it is the same as if one had played them all.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime

from deployments.environment import speaking_with
from maatpak.demo.play import Play
from tasks.engine import Engine

HERE = ("NL01",)
BESIDE = ("BE01", "UK01")
"""They share customers, and who of the two writes to one first depends on the order of their days."""
THROUGH_FLOWS = 2
"""So many of the last days run through Prefect."""


def play_days(play: Play, days: int, server: Callable[[], str]) -> Iterator[str]:
    """Load the past and play so many days; yields after each of these parts, what to call it.

    `server` gives the URL of Prefect's API once it is needed.
    """
    houses = ", ".join(play.houses)
    play.load_past()
    yield f"the past · {houses}"
    for number, day in enumerate(play.business_days(days)):
        if number < days - THROUGH_FLOWS:
            play.play_day(day, number)
        else:
            with speaking_with(play.engine.settings, server()):
                play.play_day(day, number, _ThroughFlows(play.engine))
        yield f"{day:%a %d %b} · {houses}"


def next_morning(play: Play, days: int) -> date:
    """The morning after so many days, as staff find it when they come in; which day it is."""
    *_, day = play.business_days(days + 1)
    play.morning(day, days)
    return day


class _ThroughFlows:
    """As Prefect runs them, in this process, on the engine that is open already."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def run(self, house: str, day: date, now: datetime) -> None:
        from flows.daily import daily
        from flows.workplace import lent, one_heart

        with lent(self.engine), one_heart():
            daily(house, as_of=day, at=now)

    def receive(self, now: datetime) -> None:
        from flows.receive import receive
        from flows.workplace import lent, one_heart

        with lent(self.engine), one_heart():
            receive(at=now)
