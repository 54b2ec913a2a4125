"""Which part of an item an action names: one rule for proposing and for asking again (rule 5).

Inside a round it is what is asked, of a threat only what an earlier notice named. A step that goes on through a plan or
a promise speaks of what these cover, too. Before the due date it is what nothing else will settle.
"""

import polars as pl

from policies.schema import Through
from tasks.facts.covers import COVERS

_PASSED = {Through.PLAN: "in_plan", Through.PROMISE: "promised"}
"""What a step may go on through, and the cover that it then speaks of."""


def named_amount() -> pl.Expr:
    """Of rows with the columns of the items frame and `escalating`, `outside_round` and `passes` of their action."""
    asked = pl.col("asked").fill_null(0)
    for state, cover in _PASSED.items():
        passes = pl.col("passes").list.contains(str(state)).fill_null(value=False)
        asked = asked + pl.when(passes).then(pl.col(cover).fill_null(0)).otherwise(0)
    threat = pl.col("escalating") & ~pl.col("demandable").fill_null(value=False)
    free = pl.col("open_amount").fill_null(0) - pl.sum_horizontal(pl.col(COVERS).fill_null(0))
    return (
        pl.when(pl.col("outside_round").fill_null(value=False)).then(free.clip(0)).when(threat).then(0).otherwise(asked)
    )
