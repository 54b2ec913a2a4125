"""The text message port."""

from typing import Protocol

from connectors.message import MessagePort


class SmsPort(MessagePort, Protocol):
    """Sends texts to numbers in E.164 form."""
