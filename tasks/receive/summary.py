"""What a look into the mailbox found, counted."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class ReceivedSummary:
    """Counts of what came in, by what it was taken for."""

    counts: Counter[str] = field(default_factory=Counter)
    unassigned: int = 0
    """Of these, those of whom nobody knows yet from whom they are."""
    left: int = 0
    """Mails that could not be recorded now, and come again."""
    failures: Counter[str] = field(default_factory=Counter)
    """Of these, those that failed where they should not, by the name of the error; the workspace has the details."""
