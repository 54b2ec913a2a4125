"""What came in, counted, and what could not be taken in: one thing that fails holds up no other."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from maatpak.kernel.errors import IncompleteError, OutsideError, RefusedError, WorkspaceError
from maatpak.ledger.failures import DETAILS, keep_failure
from tasks.apart import of_the_world

if TYPE_CHECKING:
    from tasks.engine import Engine


@dataclass
class ReceivedSummary:
    """Counts of what came in, by what it was taken for."""

    counts: Counter[str] = field(default_factory=Counter)
    unassigned: int = 0
    """Of these, those of whom nobody knows yet from whom they are."""
    left: int = 0
    """What could not be recorded now, and comes again."""
    failures: Counter[str] = field(default_factory=Counter)
    """Of these, what failed where it should not, by the name of the error; the workspace has the details."""

    @contextmanager
    def leaving_failures(self, engine: "Engine") -> Iterator[None]:
        """Take one thing in; if it cannot be, it is counted, and the others go on.

        Raises:
            Exception: what is wrong with the world (a service, the workspace, the database) and not with this one.
        """
        try:
            yield
        except RefusedError:
            self.left += 1  # The creditor began another day just now: it comes again.
        except Exception as error:
            if isinstance(error, OutsideError | WorkspaceError) or of_the_world(error):
                raise
            self.left += 1
            self.failures[keep_failure(engine.workspace, error)] += 1

    def add(self, other: "ReceivedSummary") -> None:
        """Count what came in elsewhere, too."""
        self.counts.update(other.counts)
        self.unassigned += other.unassigned
        self.left += other.left
        self.failures.update(other.failures)

    def require_whole(self) -> None:
        """Tell of what failed where it should not.

        Raises:
            IncompleteError: something did; all the rest is taken in.
        """
        if self.failures:
            errors = ", ".join(sorted(self.failures))
            raise IncompleteError(
                f"{self.failures.total()} of what came in could not be taken in, and comes again: {errors}.",
                advice=DETAILS,
            )
