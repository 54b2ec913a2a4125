"""What lies ahead of cases: how many messages their round still holds, as the facts stand now."""

import numpy as np
import polars as pl

from maatpak.kernel.words import StepKind
from policies.frontier import Status
from policies.reckoning import Reckoning

MESSAGES = frozenset({StepKind.MESSAGE, StepKind.STATEMENT, StepKind.PLAN_OFFER})


def messages_ahead(reckoning: Reckoning) -> pl.Series:
    """Per case, in the order of the facts: how many messages of its round's course are still to come, today's among
    them, if nothing is paid or said; 0 without a round.

    A step counts unless it is done, was passed over, or has a condition that does not hold now.
    """
    ahead = np.zeros(reckoning.cases.count, dtype=np.int64)
    for walk in reckoning.walks.values():
        for at, step in enumerate(walk.standing.steps):
            if step.on is None and step.kind in MESSAGES:
                behind = np.isin(walk.status[at], [Status.DONE, Status.PASSED_OVER, Status.ENDED])
                behind |= walk.entry > step.stage.rank
                if step.name in walk.holds:
                    behind |= ~walk.holds[step.name]
                ahead[walk.rows] += ~behind
    return pl.Series("messages_ahead", ahead)
