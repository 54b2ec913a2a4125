"""How the credit managers of the made-up houses answer what waits for their yes."""

from collections.abc import Iterator
from datetime import date, timedelta

from maatpak.demo.people import MANAGERS, Act, Office
from maatpak.demo.worklist import APPROVALS, Paper, Papers
from maatpak.demo.world import World
from maatpak.kernel.calendars import add_working_days, working_days_between
from tasks.approvals import approve, reject

APPROVERS = (*MANAGERS, "director")
NO = 0.08
"""The chance of a rejection."""
LEFT_LYING = 0.06
"""The chance that nobody comes to it before it lapses."""


class Approvers:
    """Plans the verdicts of one house's day."""

    def __init__(self, office: Office, world: World, papers: Papers) -> None:
        self.office = office
        self.world = world
        self.papers = papers

    def work(self) -> list[Act]:
        """A yes, a no, or nothing yet, for each action that waits."""
        acts: list[Act] = []
        for paper in self.papers.read(APPROVALS):
            acts += self._verdicts(paper)
        return acts

    def _verdicts(self, paper: Paper) -> Iterator[Act]:
        row = paper.row
        random = self.world.chance("approval", paper.about, row.step, row.attempt, row.business_date)
        fate, wait = random.random(), random.randint(0, 2)
        if fate < LEFT_LYING or self._age(paper) < wait:
            return
        action_id, shown = row.id, row.content_hash
        first = random.randrange(len(MANAGERS))
        if fate < LEFT_LYING + NO:
            again = add_working_days(self._today + timedelta(days=1), 6, paper.customer.country)
            yield Act(
                MANAGERS[first],
                f"{row.step} rejected",
                lambda desk: reject(desk, action_id, "not with this customer now", row.step, again),
            )
            return
        for who in APPROVERS:
            # Whoever had a hand in the case is refused, and then it is up to the next; so is who comes too late.
            yield Act(
                who,
                f"{row.step} approved",
                lambda desk: approve(desk, [action_id], "looked at the case and agree", shown={action_id: str(shown)}),
            )

    @property
    def _today(self) -> date:
        return self.office.as_of

    def _age(self, paper: Paper) -> int:
        return working_days_between(paper.row.business_date, self._today, paper.customer.country)
