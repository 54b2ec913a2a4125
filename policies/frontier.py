"""What a walk finds: how each step stands, what is proposed or passed over, and what each case has come to."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from maatpak.kernel.reasons import SkipReason
from policies.history import NONE, Codes
from policies.journey import Step
from policies.workdays import MISSING, Days, Flags, Rows

SKIPS = list(SkipReason)
SKIP = {reason: np.int8(at) for at, reason in enumerate(SkipReason)}


class Status(IntEnum):
    """How a step stands for a case today."""

    NOT_REACHED = 0
    DONE = 1
    PASSED_OVER = 2
    """Skipped now, or behind the case by a person's word or a later notice."""
    OPEN = 3
    ENDED = 4
    """Failed, rejected, or of unknown outcome."""
    WAITING = 5
    STOPPED = 6
    TAKEN = 7


@dataclass
class Chunk:
    """One step proposed or passed over for some cases: rows of the frame, with what differs by row."""

    step: Step
    rows: Rows
    due_on: Days
    attempt: npt.NDArray[np.int64]
    occurrence: Days
    skip: Codes
    """Why it is passed over; NONE where it is proposed."""
    other_channel: Flags


@dataclass
class Frontier:
    """Per case: the first reason among the steps it has come to, and the step and date that belong to it."""

    code: Codes
    until: Days
    step: npt.NDArray[np.int16]
    due_on: Days
    lacks: npt.NDArray[np.int16]

    @classmethod
    def blank(cls, count: int) -> "Frontier":
        """Nothing come to yet."""
        return cls(
            np.full(count, NONE, dtype=np.int8),
            np.full(count, MISSING, dtype=np.int32),
            np.full(count, -1, dtype=np.int16),
            np.full(count, MISSING, dtype=np.int32),
            np.zeros(count, dtype=np.int16),
        )

    def meet(self, at: int, places: Rows, code: Codes, until: Days, due: Days, lacks: npt.NDArray[np.int16]) -> None:
        """A step that some cases have come to; it is kept where it is the first reason, or the same one sooner."""
        sooner = (code == self.code[places]) & (until < self.until[places])
        first = (code < self.code[places]) | sooner
        chosen = places[first]
        self.code[chosen], self.until[chosen] = code[first], until[first]
        self.step[chosen], self.due_on[chosen], self.lacks[chosen] = at, due[first], lacks[first]
