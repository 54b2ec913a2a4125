"""The tree of errors that people see.

MaatpakError                     code, exit status, advice
├── UsageError            (2)    the call, a setting or a policy file is wrong
│   └── PolicyError       (2)    a pack does not hold; carries every problem at once
├── RefusedError          (2)    the engine's laws or a person's role forbid it
├── InputRejectedError    (4)    a ledger file was refused whole; carries its findings
├── WorkspaceError        (5)    database, folder, port or lock
├── IncompleteError       (5)    the work is done and kept, but not for all: the message says for whom it is not
└── OutsideError          (5)    a service failed; `retryable` tells whether another try makes sense
    └── TransientError    (5)    … it does

A message says what was wrong, where, which value, and what to do next.
"""

from collections.abc import Sequence
from typing import Any


class MaatpakError(Exception):
    """An error with a stable code, for people. Picklable: everything it holds is in `args`."""

    code = "error"
    exit_status = 1

    def __init__(self, message: str, *, advice: str = "", **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.context = context

    def __str__(self) -> str:
        # The last line of a list is no sentence that another could follow.
        between = "\n" if "\n" in self.message else " "
        return f"{self.message}{between}{self.advice}".strip()

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.advice, self.context))


def _rebuild(kind: type[MaatpakError], message: str, advice: str, context: dict[str, Any]) -> MaatpakError:
    return kind(message, advice=advice, **context)


class UsageError(MaatpakError):
    """The call, a setting or a file of the user's is wrong."""

    code = "usage"
    exit_status = 2


class PolicyError(UsageError):
    """A policy pack does not hold; `problems` lists all of them, each with file and line."""

    code = "policy"

    def __init__(self, message: str, *, advice: str = "", problems: Sequence[str] = (), **context: Any) -> None:
        super().__init__(message, advice=advice, problems=tuple(problems), **context)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {problem}" for problem in self.problems)])


class RefusedError(MaatpakError):
    """A law of the engine, a state or a person's role forbids the act."""

    code = "refused"
    exit_status = 2


class InputRejectedError(MaatpakError):
    """A ledger file was refused whole; nothing was changed."""

    code = "input_rejected"
    exit_status = 4


class WorkspaceError(MaatpakError):
    """The workspace, its database, a port or a lock is not as it must be."""

    code = "workspace"
    exit_status = 5


class IncompleteError(MaatpakError):
    """The work was done and is kept, but not for everybody, or not with a known outcome."""

    code = "incomplete"
    exit_status = 5


class OutsideError(MaatpakError):
    """An outside system failed for good: another try would fail the same way."""

    code = "outside"
    exit_status = 5
    retryable = False


class TransientError(OutsideError):
    """An outside system failed and may work later."""

    code = "outside_transient"
    retryable = True
