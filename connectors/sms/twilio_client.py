"""Texts over Twilio's official client, its asynchronous one, at any base URL that speaks that API.

Twilio has no idempotency key, so only an answer of the 400 kind is a no. A server error or a lost connection may have
come after the text was taken: `Unknown`. It can be asked afterwards, by number, sender and words, and where the
service calls back, it names the message. Nothing here sends again: the client is told of no retries, and aiohttp makes
none of a POST.
"""

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import aiohttp
from twilio.auth_strategy.auth_strategy import AuthStrategy
from twilio.auth_strategy.auth_type import AuthType
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.credential.credential_provider import CredentialProvider
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from connectors.message import Begun, Enclosure, Outgoing, at_once
from connectors.outcome import Failed, Held, NoService, Outcome, Sent, Unknown
from connectors.sms.errors import outcome_of
from connectors.sms.hooks import status_url
from connectors.sms.phones import e164
from connectors.sms.simulator import SmsSimulator
from maatpak.kernel.errors import WorkspaceError
from maatpak.kernel.segments import segments, simplified
from maatpak.kernel.words import ReachState

TIMEOUT = 30.0
SERVICE = "MG"
"""How the SID of a messaging service begins."""
SHORTEST_WAIT, LONGEST_WAIT = 5, 36_000
"""Seconds that Twilio may be told to let a text wait: what it recommends at least, and takes at most."""
MOST_ASKED = 100
"""Texts to one number that are looked through, the newest first."""
CLOCKS_DIFFER = timedelta(minutes=5)
"""So much earlier than by ours a text may have been made by the service's clock."""
MEND_SERVICE = "See that the service for texts (MAATPAK_SMS_URL) runs and is reached from here."


class _Basic(CredentialProvider, AuthStrategy):  # type: ignore[misc]
    """Basic authentication as a ready header: the client's own way uses what aiohttp 4 will no longer have."""

    def __init__(self, account: str, token: str) -> None:
        super().__init__(AuthType.BASIC)
        self._header = "Basic " + b64encode(f"{account}:{token}".encode()).decode()

    def to_auth_strategy(self) -> AuthStrategy:
        return self

    def get_auth_string(self) -> str:
        return self._header

    def requires_authentication(self) -> bool:
        return True


class TwilioSms:
    """Twilio, or the workspace's own simulator of it."""

    repeatable = False
    lanes = 4

    def __init__(
        self,
        *,
        account: str,
        token: str,
        sender: str,
        base_url: str | None,
        simulator: SmsSimulator | None,
        most_segments: int = 3,
        public_url: str | None = None,
    ) -> None:
        """`sender` is a number, or the SID of a messaging service, which then picks the number.

        With a `public_url`, each text asks for reports to it (`connectors.sms.hooks`).
        """
        self.simulator = simulator
        self._account = account
        self._token = token
        self._sender = sender
        self._from = {"messaging_service_sid" if sender.startswith(SERVICE) else "from_": sender}
        self._base_url = base_url
        self._most_segments = most_segments
        self._public_url = public_url
        self._client: Client | None = None
        self._http: AsyncTwilioHttpClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def send(
        self,
        outgoing: Outgoing,
        enclosures: Sequence[Enclosure],
        valid_for: timedelta | None = None,
        begun: Begun = at_once,
    ) -> Outcome:
        """Hand one text over; a text takes no enclosures. Twilio drops one that it could not send in time."""
        del enclosures
        words = simplified(outgoing.text)
        number = e164(outgoing.recipient.phone)
        if number is None:
            return Failed("not a telephone number", permanent=True, address=ReachState.DEAD)
        if (parts := segments(words)) > self._most_segments:
            return Failed(f"too long: {parts} segments, at most {self._most_segments} are sent", permanent=True)
        try:
            client = await self._connected()
        except WorkspaceError as error:
            return NoService(f"no connection: {error}"[:500], error.advice)
        more: dict[str, Any] = {}
        if self._public_url:
            more["status_callback"] = status_url(self._public_url, outgoing.message_ref)
        if valid_for is not None:
            more["validity_period"] = min(max(int(valid_for.total_seconds()), SHORTEST_WAIT), LONGEST_WAIT)
        if not await begun():
            return Held()
        try:
            async with asyncio.timeout(TIMEOUT):
                made = await client.messages.create_async(to=number, body=words, **self._from, **more)
        except TwilioRestException as error:
            return outcome_of(error.status, error.code, error.msg)
        except TwilioServiceException as error:
            return outcome_of(error.status, error.code, error.title)
        except aiohttp.ClientConnectorError as error:
            return NoService(f"no connection: {error}"[:500], MEND_SERVICE)
        except Exception as error:  # noqa: BLE001 - whatever it is, the service may have the text (law 3)
            return Unknown(f"the connection ended while the text was handed over: {error}"[:500])
        return Sent(made.sid)

    async def ask(self, outgoing: Outgoing) -> Outcome:
        """Look for a text of ours to that number with those words, made since it was written.

        Made, not sent: a text that still waits at the service has no date of sending.
        """
        client = await self._connected()
        asked = {"to": e164(outgoing.recipient.phone) or "", "limit": MOST_ASKED}
        if not self._sender.startswith(SERVICE):
            asked["from_"] = self._sender
        try:
            async with asyncio.timeout(TIMEOUT):
                found = await client.messages.list_async(**asked)
        except (TwilioException, aiohttp.ClientError, OSError, TimeoutError) as error:
            return Unknown(f"the service could not be asked: {error}"[:500])
        since = outgoing.written_at - CLOCKS_DIFFER
        words = simplified(outgoing.text)
        for each in found:
            if self._is_ours(each) and each.date_created >= since and simplified(each.body) == words:
                return Sent(each.sid)
        return Unknown("the service does not know of it")

    def _is_ours(self, made: Any) -> bool:
        """Whether we may have sent a text; one of a messaging service that sends from our number is not ours."""
        sender = made.messaging_service_sid or made.from_
        return bool(made.account_sid == self._account and sender == self._sender)

    async def close(self) -> None:
        """Close the connections of this event loop."""
        if self._http is not None and self._loop is asyncio.get_running_loop():
            await self._http.close()
        self._client, self._http, self._loop = None, None, None

    def shut(self) -> None:
        """End the simulator, where there is one."""
        if self.simulator is not None:
            self.simulator.stop()

    async def _connected(self) -> Any:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._http = AsyncTwilioHttpClient()
            self._client = Client(
                account_sid=self._account,
                http_client=self._http,
                credential_provider=_Basic(self._account, self._token),
            )
            self._loop = loop
        if self.simulator is not None:
            self._client.api.base_url = await asyncio.to_thread(self.simulator.url)
        elif self._base_url is not None:
            self._client.api.base_url = self._base_url
        return self._client
