"""What a delivery did, counted."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tasks.send.volume import Unusual


@dataclass
class DeliverySummary:
    """Counts of one delivery, by channel and outcome."""

    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    """(channel, outcome) → messages; outcomes are sent, failed, unknown, cancelled, postponed."""
    stopped: dict[str, str] = field(default_factory=dict)
    """Channels that were given up because their service did not answer, with its last word."""
    mend: dict[str, str] = field(default_factory=dict)
    """Of these, what to mend, or how it goes on by itself, in words for anybody."""

    alarms: Sequence[Unusual] = ()
    """What is unusual about the day's messages."""

    def add(self, channel: str, outcome: str, count: int = 1) -> None:
        """Count messages."""
        if count:
            self.counts[channel, outcome] = self.counts.get((channel, outcome), 0) + count

    def total(self, outcome: str) -> int:
        """Messages of an outcome over all channels."""
        return sum(count for (_, each), count in self.counts.items() if each == outcome)

    @property
    def whole(self) -> bool:
        """Whether every message that was begun has a known outcome, and no service was given up."""
        return not self.stopped and not self.total("unknown")

    def plain(self) -> dict[str, dict[str, int]]:
        """Channel → outcome → count."""
        made: dict[str, dict[str, int]] = {}
        for (channel, outcome), count in sorted(self.counts.items()):
            made.setdefault(channel, {})[outcome] = count
        return made
