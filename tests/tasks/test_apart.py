"""One customer who fails is told apart from the others, and from a fault that is nobody's."""

from collections.abc import Callable, Sequence

import pytest

from maatpak.kernel.errors import RefusedError, TransientError
from tasks.apart import MOST_FAILING, apart, of_the_world

MANY = list(range(1, 101))


class DatabaseError(Exception):
    """As a driver raises it."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__("as the server said")
        self.sqlstate = sqlstate


class OperationalError(DatabaseError):
    """As a driver raises it that has lost its server."""


def work_that_fails_for(unlucky: set[int], calls: list[int]) -> Callable[[Sequence[int] | None], list[int]]:
    def work(debtors: Sequence[int] | None) -> list[int]:
        chosen = MANY if debtors is None else list(debtors)
        calls.append(len(chosen))
        if unlucky & set(chosen):
            raise ValueError("one of them cannot be written to")
        return chosen

    return work


def test_without_a_fault_it_is_one_piece_of_work() -> None:
    done, failures = apart(lambda debtors: debtors, lambda: pytest.fail("nobody asks who they are"))
    assert (done, failures) == ([None], [])


@pytest.mark.parametrize("unlucky", [{1}, {100}, {50, 51}, {1, 2, 3}, {7, 33, 60, 99}], ids=str)
def test_everybody_else_is_served_once(unlucky: set[int]) -> None:
    calls: list[int] = []
    done, failures = apart(work_that_fails_for(unlucky, calls), lambda: MANY)
    assert sorted(debtor for part in done for debtor in part) == sorted(set(MANY) - unlucky)
    assert {failure.debtor_id for failure in failures} == unlucky
    assert len(calls) <= 2 * len(unlucky) * 7 + 1


def test_a_fault_with_nobody_to_blame_is_raised() -> None:
    with pytest.raises(ValueError, match="one of them"):
        apart(work_that_fails_for(set(MANY), []), list)


def test_where_too_many_fail_the_step_fails() -> None:
    calls: list[int] = []
    with pytest.raises(ValueError, match="one of them"):
        apart(work_that_fails_for(set(MANY), calls), lambda: MANY)
    assert len(calls) <= 4 * MOST_FAILING


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RefusedError("another date"), True),
        (TransientError("busy"), True),
        (ConnectionResetError(), True),
        (DatabaseError("40P01"), True),
        (DatabaseError("57P01"), True),
        (OperationalError(None), True),
        (OperationalError("P0001"), False),
        (DatabaseError("23505"), False),
        (DatabaseError("22P02"), False),
        (KeyError("name"), False),
    ],
    ids=repr,
)
def test_what_is_of_the_world(error: Exception, expected: bool) -> None:
    assert of_the_world(error) is expected


def test_a_fault_of_the_world_is_raised_even_while_halving() -> None:
    def work(debtors: Sequence[int] | None) -> None:
        raise ValueError("somebody") if debtors is None else ConnectionResetError

    with pytest.raises(ConnectionResetError):
        apart(work, lambda: MANY)
