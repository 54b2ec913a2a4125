"""From actions to messages: who is written to, on which channel, in which language, with which words.

Composing is a function of what is recorded as of a date; its only effect is that the words are kept as evidence. The
messages become rows by `queue_messages`, in the transaction of whoever executes the actions.
"""

from tasks.compose.composed import Composed, Drafts, Wanted
from tasks.compose.drafter import ASKING
from tasks.compose.drafting import WRITERS, action_hashes, compose, content_hashes, drafts_of, preview
from tasks.compose.queueing import queue_messages
from tasks.compose.supposing import suppose

__all__ = [
    "ASKING",
    "WRITERS",
    "Composed",
    "Drafts",
    "Wanted",
    "action_hashes",
    "compose",
    "content_hashes",
    "drafts_of",
    "preview",
    "queue_messages",
    "suppose",
]
