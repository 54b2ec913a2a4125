"""The days of the demo: most by direct calls, the last ones through Prefect's flows, so that there are runs to look at.

They are played by two processes on one database, each for houses that share no customer with those of the other: what
comes of it is the same as if one had played them all.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime

from deployments.environment import speaking_with
from maatpak.demo.play import Play, Run

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
                play.play_day(day, number, _through_flows(play))
        yield f"{day:%a %d %b} · {houses}"


def _through_flows(play: Play) -> Run:
    """A day as Prefect runs it, in this process, on the engine that is open already."""
    from flows.daily import daily
    from flows.workplace import lent, one_heart

    def run(code: str, day: date, now: datetime) -> None:
        with lent(play.engine), one_heart():
            daily(code, as_of=day, at=now)

    return run
