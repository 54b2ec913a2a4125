"""Marks made ahead: no lane waits for a commit while the next messages are sure to be sent at once.

As many are marked as the lanes hand over in a moment. A mark is good for a moment only: a message that its lane did not
get to in time is taken back, and looked at again.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from tasks.send.claiming import Claimed
from tasks.send.committing import Commits, Mark

GOOD_FOR = 0.4
"""Seconds: what is recorded of a customer in less time than that crosses with the message."""
MOMENT = 0.2
"""Seconds of sending for which marks are made."""


class MarksAhead:
    """Makes the marks of one channel's waiting messages."""

    def __init__(
        self, commits: Commits, waiting: deque[Claimed], lanes: int, markable: Callable[[Claimed], Mark | None]
    ) -> None:
        """`markable` gives what a message is marked with, and nothing where it has to be looked at again first."""
        self._commits = commits
        self._waiting = waiting
        self._lanes = lanes
        self._markable = markable
        self._marked: dict[int, tuple[Claimed, float]] = {}
        """Message → itself, and when it was marked."""
        self._marking: asyncio.Task[None] | None = None
        self._began = time.monotonic()
        self._taken = 0

    async def take(self, each: Claimed) -> bool:
        """Whether a message that is to be handed over now has a mark that is good; one that is not is taken back."""
        if self._marking is not None and each.message_id not in self._marked:
            await self._marking
        self._taken += 1
        _, at = self._marked.pop(each.message_id, (each, None))
        if at is None:
            return False
        good = time.monotonic() - at <= GOOD_FOR and self._markable(each) is not None
        if not good:
            await self._commits.take_back([each])
        return good

    def look(self) -> None:
        """Begin to mark the next messages, where few are."""
        handed_over = self._taken - self._lanes
        most = int(handed_over / (time.monotonic() - self._began) * MOMENT) if handed_over > 0 else self._lanes
        if self._marking is None and len(self._marked) <= most // 2:
            unmarked = (each for each in islice(self._waiting, most) if each.message_id not in self._marked)
            if marks := [mark for each in unmarked if (mark := self._markable(each)) is not None]:
                self._marking = asyncio.create_task(self._mark(marks))

    async def end(self) -> None:
        """Take the marks back that nobody used."""
        if self._marking is not None:
            await self._marking
        left, self._marked = [each for each, _ in self._marked.values()], {}
        if left:
            await self._commits.take_back(left)

    async def _mark(self, marks: Sequence[Mark]) -> None:
        at = time.monotonic()
        try:
            done = await self._commits.mark(marks)
        except Exception:  # noqa: BLE001 - whoever waits for the next commit hears of it
            done = set()
        finally:
            self._marking = None
        self._marked |= {
            mark.claimed.message_id: (mark.claimed, at) for mark in marks if mark.claimed.message_id in done
        }
