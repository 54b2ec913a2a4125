"""E-mail over aiosmtplib with connections that stay open.

The one dangerous moment is between the end of the content and the server's answer: whatever breaks there is `Unknown`.
Everything before it cannot have been taken and is `Failed`, to be tried again later. For good it only fails by what the
server says of this recipient or this content: a refused sender or a busy server is its trouble or ours, and passes. A
server that cannot be reached, or refuses our login, is `NoService`: the same for every mail until somebody mends it.
"""

import asyncio
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPHeloError,
    SMTPRecipientRefused,
    SMTPResponseException,
)

from connectors.inbox.incoming import said_of_address
from connectors.inbox.verdicts import Signs, judge
from connectors.mail.conversation import Conversation
from connectors.mail.mime import mail_bytes
from connectors.mail.sink import HOST, MailSink
from connectors.message import Begun, Enclosure, Outgoing, at_once
from connectors.outcome import Blame, Failed, Held, NoService, Outcome, Sent, Unknown
from maatpak.kernel.errors import OutsideError, TransientError, WorkspaceError
from maatpak.kernel.ids import reference_token
from maatpak.kernel.settings import MailSecurity

if TYPE_CHECKING:
    from connectors.access import AccessTokens
    from connectors.mail.envelope import ReturnPath
    from connectors.mail.signing import Signer

TIMEOUT = 30.0
STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
"""An enhanced status code (RFC 3463), with which a reply's words may begin."""
LOGIN_CODES = frozenset({530, 534, 535, 538})
"""Replies by which a server wants a login, or another one, whatever it was told."""
BUSY = range(400, 500)
CLOSING = 421
"""The reply of a server that ends the conversation, whatever it was told."""
OWN_STATUS = "4.3."
"""How enhanced status codes (RFC 3463) begin that are of the mail system itself: full, overloaded, badly set up."""
RETURN = ("RET=HDRS",)
NOTIFY = ("NOTIFY=SUCCESS,FAILURE,DELAY",)
"""What a server that reports (RFC 3461) is asked to: the headers of the mail come back, whatever became of it."""
START_TLS = {
    MailSecurity.AUTO: None,
    MailSecurity.STARTTLS: True,
    MailSecurity.TLS: False,
    MailSecurity.NONE: False,
}
"""None: where the server offers it."""
MEND_LOGIN = "Correct MAATPAK_SMTP_USER and MAATPAK_SMTP_PASSWORD, or MAATPAK_OAUTH_…: the server refuses the login."
MEND_TLS = "Correct MAATPAK_SMTP_SECURITY or the server's certificate; SSL_CERT_FILE names authorities of your own."
MEND_SERVER = "See that the mail server of MAATPAK_SMTP_HOST and MAATPAK_SMTP_PORT runs and is reached from here."


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over, and how we show who we are."""

    host: str = HOST
    port: int = 25
    user: str | None = None
    password: str | None = None
    tokens: "AccessTokens | None" = None
    security: MailSecurity = MailSecurity.AUTO


class SmtpMail:
    """A mail server, or the workspace's own sink. One connection a message under way, kept for the next one."""

    repeatable = False

    def __init__(
        self,
        server: MailServer | MailSink,
        *,
        connections: int = 4,
        return_path: "ReturnPath | None" = None,
        signer: "Signer | None" = None,
    ) -> None:
        self.sink = server if isinstance(server, MailSink) else None
        self._server = MailServer() if isinstance(server, MailSink) else server
        self._connections = connections
        self._return_path = return_path
        self._signer = signer
        self._idle: list[Conversation] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def lanes(self) -> int:
        """One more than connections: while all are busy, the next mail is made."""
        return self._connections + 1

    async def send(
        self,
        outgoing: Outgoing,
        enclosures: Sequence[Enclosure],
        valid_for: timedelta | None = None,
        begun: Begun = at_once,
    ) -> Outcome:
        """Hand one mail over."""
        del valid_for
        content = await self._content(outgoing, enclosures)
        async with self._free():
            outcome = await self._send(outgoing, content, begun)
        await asyncio.sleep(0)  # Whoever waits for the connection goes first; the next mail is made meanwhile.
        return outcome

    async def _send(self, outgoing: Outgoing, content: bytes, begun: Begun) -> Outcome:
        """Hand a mail over that is made."""
        kept = self._take_idle()
        if kept is not None:
            try:
                return await self._tell(kept, outgoing, content, begun)
            except (SMTPException, OSError):
                kept.close()  # Servers close idle connections without a word; this one has no content of ours.
        try:
            client = await self._connected()
        except WorkspaceError as error:
            return NoService(_said(error), error.advice)
        except OutsideError as error:
            return _no_access(error)
        except (SMTPException, OSError) as error:
            return _no_connection(error)
        try:
            return await self._tell(await _greeted(client), outgoing, content, begun)
        except (SMTPException, OSError) as error:
            client.close()
            return _not_ready(error)

    async def ask(self, outgoing: Outgoing) -> Outcome:
        """A mail server does not tell; what it says later comes back as mail."""
        return Unknown(f"a mail server cannot be asked about {outgoing.message_ref}")

    async def close(self) -> None:
        """Say goodbye on every connection that is idle."""
        idle, self._idle = self._idle, []
        if self._loop is not asyncio.get_running_loop():
            return
        for conversation in idle:
            try:
                await conversation.quit(timeout=2)
            except (SMTPException, OSError):
                conversation.close()

    def shut(self) -> None:
        """End the sink, where there is one."""
        if self.sink is not None:
            self.sink.stop()

    async def _tell(self, conversation: Conversation, outgoing: Outgoing, content: bytes, begun: Begun) -> Outcome:
        """Hand the mail over on this connection. Raises only while the server cannot have it."""
        try:
            await self._offer(conversation, outgoing)
        except (SMTPRecipientRefused, SMTPDataError) as error:
            await self._give_back(conversation)
            return _not_taken(error)
        going = False
        try:
            going = await begun()
        finally:
            if not going:
                conversation.close()  # It waits for a content that will not come.
        if not going:
            return Held()
        try:
            taken = await conversation.hand_over(content)
        except SMTPDataError as error:
            await self._give_back(conversation)
            return _not_taken(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the server may have the mail (law 3)
            conversation.close()
            return Unknown(f"the connection ended while the content was handed over: {error}"[:500])
        self._idle.append(conversation)
        return Sent(taken.message.splitlines()[0][:200] if taken.message else None)

    async def _content(self, outgoing: Outgoing, enclosures: Sequence[Enclosure]) -> bytes:
        content = mail_bytes(outgoing, enclosures)
        return content if self._signer is None else await asyncio.to_thread(self._signer.signed, content)

    async def _offer(self, conversation: Conversation, outgoing: Outgoing) -> None:
        """The envelope; where the server reports on mails, it is asked to, by our reference."""
        path = self._return_path
        sender = (outgoing.sender.email or "") if path is None else path.of(outgoing.message_ref)
        options = (*RETURN, f"ENVID={reference_token(outgoing.message_ref)}") if conversation.reports else ()
        await conversation.offer(
            sender, outgoing.recipient.email or "", options, NOTIFY if conversation.reports else ()
        )

    async def _connected(self) -> SMTP:
        client = await self._client()
        try:
            await client.connect()
        except (SMTPException, OSError, OutsideError):
            client.close()
            raise
        return client

    async def _client(self) -> SMTP:
        server = self._server
        port = server.port if self.sink is None else await asyncio.to_thread(self.sink.port)
        return SMTP(
            hostname=server.host,
            port=port,
            username=server.user,
            password=server.password,
            oauth_token_generator=None if server.tokens is None else partial(asyncio.to_thread, server.tokens.token),
            timeout=TIMEOUT,
            use_tls=server.security is MailSecurity.TLS,
            start_tls=START_TLS[server.security],
            local_hostname="localhost" if self.sink is not None else None,
        )

    def _free(self) -> asyncio.Semaphore:
        """Waits until fewer mails are under way than there may be connections."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._idle, self._slots = loop, [], asyncio.Semaphore(self._connections)
        return self._slots

    def _take_idle(self) -> Conversation | None:
        return self._idle.pop() if self._idle else None

    async def _give_back(self, conversation: Conversation) -> None:
        """Keep a connection on which one mail was refused."""
        try:
            await conversation.reset()
        except (SMTPException, OSError):
            conversation.close()
        else:
            self._idle.append(conversation)


async def _greeted(client: SMTP) -> Conversation:
    """The conversation on a new connection; old servers know no EHLO."""
    if client.is_ehlo_or_helo_needed:
        try:
            await client.ehlo()
        except SMTPHeloError:
            await client.helo()
    return Conversation(client, TIMEOUT)


def _said(error: Exception) -> str:
    said = f"{error.code} {error.message}" if isinstance(error, SMTPResponseException) else f"no connection: {error}"
    return said[:500]


def _no_access(error: OutsideError) -> Failed | NoService:
    """Who gives access does not give it, or cannot be asked."""
    if isinstance(error, TransientError):
        return Failed(_said(error), permanent=False, blame=Blame.SERVICE)
    return NoService(_said(error), error.advice)


def _no_connection(error: Exception) -> Failed | NoService:
    """The server was not there for us before it heard of any mail; one that is only busy will be."""
    if isinstance(error, SMTPAuthenticationError):
        return NoService(_said(error), MEND_LOGIN)
    if isinstance(error, SMTPResponseException) and error.code in BUSY:
        return Failed(_said(error), permanent=False, blame=Blame.SERVICE)
    private = isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError) or "STARTTLS" in str(error)
    return NoService(_said(error), MEND_TLS if private else MEND_SERVER)


def _not_ready(error: Exception) -> Failed | NoService:
    """The server took no mail: it cannot have this one, and it says nothing of it."""
    if isinstance(error, SMTPResponseException) and error.code in LOGIN_CODES:
        return NoService(_said(error), MEND_LOGIN)
    sender_refused = isinstance(error, SMTPResponseException) and error.code not in BUSY
    return Failed(_said(error), permanent=False, blame=Blame.OURS if sender_refused else Blame.SERVICE)


def _not_taken(error: SMTPRecipientRefused | SMTPDataError) -> Failed | NoService:
    """What the server says of this mail, unless it first wants a login."""
    if error.code in LOGIN_CODES:
        return _not_ready(error)
    if isinstance(error, SMTPRecipientRefused):
        return _refused(error)
    return Failed(_said(error), permanent=error.code >= 500, blame=_blame(error))


def _refused(error: SMTPRecipientRefused) -> Failed:
    """The server does not want a mail for this recipient, now or ever; one that is in trouble itself says so."""
    permanent = error.code >= 500
    status = STATUS.match(error.message)
    signs = Signs(error.message, status[0] if status else "", error.code, "RCPT")
    verdict = judge(signs)
    address = said_of_address(verdict.reason, hard=permanent and verdict.hard)
    return Failed(_said(error), permanent, address, _blame(error))


def _blame(error: SMTPResponseException) -> Blame:
    """Greylisting and full mailboxes are the recipient's; a server that closes or has trouble of its own says that."""
    own = error.code == CLOSING or (error.code in BUSY and error.message.startswith(OWN_STATUS))
    return Blame.SERVICE if own else Blame.MESSAGE
