"""Facts as they would be if rounds were moved to another version of their pack, for whoever asks before they are."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from maatpak.kernel.reasons import SkipReason
from maatpak.kernel.words import ActionState
from tasks.facts.reading import Change


@dataclass(frozen=True)
class Supposed:
    """Rounds on another course, and what would be taken back for it."""

    courses: pl.DataFrame
    """round_id, pack_id, entry_stage, entered_on."""
    taken_back: pl.Series
    """Ids of actions that would be cancelled."""

    def changes(self) -> Mapping[str, Change]:
        """By query, what its rows are taken to be."""
        return {"rounds": self._on_course, "actions": self._cancelled, "written_elsewhere": self._cancelled}

    def _on_course(self, rounds: pl.DataFrame) -> pl.DataFrame:
        renamed = {"pack_id": "round_pack_id", "entry_stage": "round_entry_stage", "entered_on": "rerouted_on"}
        told = {f"new_{there}": pl.col(here) for here, there in renamed.items()}
        new = self.courses.select("round_id", moved=pl.lit(value=True), **told)
        joined = rounds.join(new, on="round_id", how="left", maintain_order="left")
        return joined.with_columns(
            pl.when("moved").then(f"new_{name}").otherwise(name).alias(name) for name in renamed.values()
        ).select(rounds.columns)

    def _cancelled(self, actions: pl.DataFrame) -> pl.DataFrame:
        gone = pl.col("action_id").is_in(self.taken_back.implode())
        told = {"state": pl.lit(str(ActionState.CANCELLED)), "reason": pl.lit(str(SkipReason.REROUTED))}
        told["known"] = pl.lit(value=True)
        return actions.with_columns(
            pl.when(gone).then(value).otherwise(name).alias(name)
            for name, value in told.items()
            if name in actions.columns
        )
