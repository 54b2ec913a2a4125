"""The post port."""

from typing import Protocol

from connectors.message import MessagePort


class PostPort(MessagePort, Protocol):
    """Prints and posts letters."""
