"""A conversation with a mail server on a connection that aiosmtplib has made: opened, secured and logged in.

Where the server offers it (RFC 2920), a mail's sender, its recipient and the wish to hand it over are said at once, so
a mail takes two round trips and not four. The content is only ever sent after the server has asked for it.
"""

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, cast

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPReadTimeoutError,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)
from aiosmtplib.email import quote_address

TAKING = 240.0
"""Seconds for a content and the server's yes; it may look for viruses before it answers. A lease lasts longer."""
LONGEST_REPLY = 32_768
"""Bytes; a server that goes on and on is no mail server."""
DONE = (250, 251)
ASKS_FOR_CONTENT = 354
BARE = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]+@[A-Za-z0-9.-]+")
"""An address as most are, which needs no reading before it is written in angle brackets."""
QUIT = b"QUIT\r\n"
RESET = b"RSET\r\n"
DATA = b"DATA\r\n"


class Reply(NamedTuple):
    """What the server said."""

    code: int
    message: str


class Conversation(asyncio.Protocol):
    """One connection, for one mail after the other. Errors are aiosmtplib's own."""

    def __init__(self, client: SMTP, timeout: float) -> None:
        """Take over the connection of a client that has just connected."""
        if client.transport is None:
            raise SMTPServerDisconnected("Connection lost")
        self._transport = cast(asyncio.Transport, client.transport)
        self._timeout = timeout
        self._pipelining = client.supports_extension("pipelining")
        self.reports = client.supports_extension("dsn")
        """Whether the server sends reports on demand (RFC 3461)."""
        self._received = bytearray()
        self._lines: list[bytes] = []
        self._replies: deque[Reply] = deque()
        self._expected = 0
        self._answered: asyncio.Future[None] | None = None
        self._lost: Exception | None = None
        self._transport.set_protocol(self)

    async def offer(self, sender: str, recipient: str, options: Sequence[str], notify: Sequence[str]) -> None:
        """Say who a mail is from and for; the server asks for its content.

        Raises:
            SMTPSenderRefused: it wants nothing from that sender, or nothing at all.
            SMTPRecipientRefused: it does not want it for this recipient.
            SMTPDataError: it does not want it after all.
            SMTPServerDisconnected: the connection is lost.
            SMTPReadTimeoutError: it does not answer.
        """
        mail = _command("MAIL", f"FROM:{_path(sender)}", *options)
        rcpt = _command("RCPT", f"TO:{_path(recipient)}", *notify)
        if self._pipelining:
            mailed, told, asked = await self._say(mail + rcpt + DATA, 3)
            if asked.code == ASKS_FOR_CONTENT and (mailed.code not in DONE or told.code not in DONE):
                self.close()  # It awaits the content of a mail for nobody.
        else:
            (mailed,) = await self._say(mail)
        if mailed.code not in DONE:
            raise SMTPSenderRefused(*mailed, sender)
        if not self._pipelining:
            (told,) = await self._say(rcpt)
        if told.code not in DONE:
            raise SMTPRecipientRefused(*told, recipient)
        if not self._pipelining:
            (asked,) = await self._say(DATA)
        if asked.code != ASKS_FOR_CONTENT:
            raise SMTPDataError(*asked)

    async def hand_over(self, content: bytes) -> Reply:
        """Send the content that the server asked for, lines ending in CRLF; its yes.

        Raises:
            SMTPDataError: it does not take it.
        """
        stuffed = content.replace(b"\r\n.", b"\r\n..")
        if stuffed.startswith(b"."):
            stuffed = b"." + stuffed
        end = b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n"
        (taken,) = await self._say(stuffed + end, timeout=TAKING)
        if taken.code != DONE[0]:
            raise SMTPDataError(*taken)
        return taken

    async def reset(self) -> None:
        """Forget the mail that was begun."""
        (reset,) = await self._say(RESET)
        if reset.code != DONE[0]:
            raise SMTPResponseException(*reset)

    async def quit(self, timeout: float) -> None:
        """Say goodbye."""
        self._timeout = timeout
        await self._say(QUIT)
        self.close()

    def close(self) -> None:
        """Close the connection, whatever is under way."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Collect the server's replies; what nobody waits for is not kept."""
        if self._answered is None or self._answered.done():
            return
        self._received += data
        if len(self._received) > LONGEST_REPLY:
            self._give_up(SMTPResponseException(-1, "Response too long"))
            return
        *lines, rest = self._received.split(b"\n")
        self._received = rest
        for line in lines:
            self._lines.append(bytes(line))
            if line[3:4] != b"-":
                self._reply()
        if len(self._replies) >= self._expected and not self._answered.done():
            self._answered.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        lost = SMTPServerDisconnected("Connection lost")
        lost.__cause__ = exc
        self._give_up(lost)

    async def _say(self, words: bytes, replies: int = 1, timeout: float | None = None) -> Sequence[Reply]:
        """Send commands at once; as many replies."""
        if self._lost is not None or self._transport.is_closing():
            raise SMTPServerDisconnected("Connection lost")
        self._answered = asyncio.get_running_loop().create_future()
        self._expected = replies
        self._transport.write(words)
        late = SMTPReadTimeoutError("Timed out waiting for server response")
        patience = asyncio.get_running_loop().call_later(timeout or self._timeout, self._give_up, late)
        try:
            await self._answered
        finally:
            patience.cancel()
            self._answered = None
        given = [self._replies.popleft() for _ in range(replies)]
        self._replies.clear()
        return given

    def _reply(self) -> None:
        lines, self._lines = self._lines, []
        try:
            code = int(lines[-1][:3])
        except ValueError:
            said = lines[-1].decode("utf-8", "replace")
            self._give_up(SMTPResponseException(-1, f"Malformed SMTP response line: {said}"))
            return
        said = "\n".join(line[4:].strip().decode("utf-8", "replace") for line in lines)
        self._replies.append(Reply(code, said))

    def _give_up(self, error: Exception) -> None:
        self._lost = error
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(error)
        self.close()


def _path(address: str) -> str:
    return f"<{address}>" if BARE.fullmatch(address) else quote_address(address)


def _command(*words: str) -> bytes:
    return f"{' '.join(words)}\r\n".encode("ascii")
