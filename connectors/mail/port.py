"""The mail port."""

from typing import Protocol

from connectors.message import MessagePort


class MailPort(MessagePort, Protocol):
    """Sends e-mail. The Message-ID is the message's reference, so whatever happens, it can be found again."""
