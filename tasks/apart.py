"""One customer who fails does not stop the others.

A cohort is one transaction, so whatever goes wrong for one customer (an address that no letter can be made of, a value
that breaks a constraint) undoes it for all. Then the cohort is halved, and halved again, until those who fail stand
alone: everybody else gets their step, and the failing ones are named. What is wrong with the world and not with a
customer (no connection, a law of the engine) is raised as it is, for another try.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from maatpak.kernel.errors import RefusedError, TransientError

R = TypeVar("R")

MOST_FAILING = 20
"""Customers; where more fail, it is the step that fails."""


WORLDLY = frozenset({"08", "25", "40", "53", "55", "57", "58", "XX"})
"""Classes of SQLSTATE: connection, transaction, conflict with others, resources, shut down, system."""


@dataclass(frozen=True)
class Failure:
    """A customer whose step could not be taken, and why. The error may quote personal data."""

    debtor_id: int
    error: Exception
    steps: tuple[str, ...] = ()
    """Which steps, where the work was more than one."""


def apart(
    work: Callable[[Sequence[int] | None], R], debtors: Callable[[], Sequence[int]]
) -> tuple[list[R], list[Failure]]:
    """Do the work for all at once, or, where that fails, for as many as it can be done for.

    Args:
        work: One transaction for these debtors; None: for all.
        debtors: Who they are; asked only after a failure.

    Raises:
        Exception: that of the whole, where the fault is not with single customers.
    """
    try:
        return [work(None)], []
    except Exception as error:
        if of_the_world(error):
            raise
        chosen = list(debtors())
        done: list[R] = []
        failures: list[Failure] = []
        _halve(work, chosen, error, done, failures)
        if not chosen or len(failures) > MOST_FAILING:
            raise
        return done, failures


def _halve(
    work: Callable[[Sequence[int] | None], R],
    debtors: Sequence[int],
    error: Exception,
    done: list[R],
    failures: list[Failure],
) -> None:
    """Split what failed as a whole; stop splitting once too many fail."""
    if len(debtors) <= 1:
        failures.extend(Failure(debtor, error) for debtor in debtors)
        return
    middle = len(debtors) // 2
    for half in (debtors[:middle], debtors[middle:]):
        if len(failures) > MOST_FAILING:
            return
        try:
            done.append(work(half))
        except Exception as inner:
            if of_the_world(inner):
                raise
            _halve(work, half, inner, done, failures)


def of_the_world(error: Exception) -> bool:
    """Whether an error says nothing about a single customer."""
    if isinstance(error, RefusedError | TransientError | OSError):
        return True
    cause = getattr(error, "orig", error)
    state = getattr(cause, "sqlstate", None)
    if state is None:
        return any(each.__name__ == "OperationalError" for each in type(cause).__mro__)
    return state[:2] in WORLDLY
