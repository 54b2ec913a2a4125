"""Errors survive pickling between processes, and carry a code, an exit status and advice."""

import pickle

import pytest

from maatpak.kernel import errors
from maatpak.kernel.errors import MaatpakError, PolicyError


def everyone(kind: type[MaatpakError] = MaatpakError) -> list[type[MaatpakError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in everyone(child))]


@pytest.mark.parametrize("kind", everyone(), ids=lambda kind: kind.__name__)
def test_errors_are_picklable(kind: type[MaatpakError]) -> None:
    context = {"problems": ("a.yaml:1: bad",)} if issubclass(kind, PolicyError) else {"file": "a.csv", "row": 3}
    error = kind("What was wrong.", advice="What to do.", **context)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (str(again), again.message, again.advice) == (str(error), "What was wrong.", "What to do.")
    assert again.context == error.context
    assert again.__dict__ == error.__dict__


def test_exit_statuses_are_those_of_the_documented_interface() -> None:
    assert {kind.exit_status for kind in everyone()} <= {1, 2, 3, 4, 5}
    assert len({kind.code for kind in everyone()}) == len(everyone())


def test_the_tree_in_the_docstring_is_complete() -> None:
    for kind in everyone():
        if kind.__module__ == errors.__name__:
            assert kind.__name__ in (errors.__doc__ or "")


def test_a_policy_error_shows_every_problem() -> None:
    error = PolicyError("Two problems.", problems=["a.yaml:1: x", "b.yaml:2: y"])
    assert str(error) == "Two problems.\n  a.yaml:1: x\n  b.yaml:2: y"
