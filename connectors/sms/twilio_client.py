"""Texts over Twilio's official client, its asynchronous one, at any base URL that speaks that API.

Twilio has no idempotency key, so only an answer of the 400 kind is a no. A server error or a lost connection may have
come after the text was taken: `Unknown`. It can be asked afterwards, by number, sender and words.
"""

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import aiohttp
from twilio.auth_strategy.auth_strategy import AuthStrategy
from twilio.auth_strategy.auth_type import AuthType
from twilio.base.exceptions import TwilioRestException
from twilio.credential.credential_provider import CredentialProvider
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from connectors.message import Enclosure, Outgoing
from connectors.outcome import Failed, NoService, Outcome, Sent, Unknown
from connectors.sms.simulator import SmsSimulator
from maatpak.kernel.errors import WorkspaceError
from maatpak.kernel.words import ReachState

TIMEOUT = 30.0
DEAD_NUMBER_CODES = frozenset({21211, 21214, 21217, 21401, 21421, 21614, 21635})
OPTED_OUT_CODE = 21610
NO_LOGIN = 401
PASSING = frozenset({403, 429})
"""Statuses of the account or of too many texts: nothing that this text is to blame for."""
MEND_LOGIN = "Correct MAATPAK_SMS_ACCOUNT and MAATPAK_SMS_TOKEN: the service for texts refuses them."
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
        self, *, account: str, token: str, sender: str, base_url: str | None, simulator: SmsSimulator | None
    ) -> None:
        self.simulator = simulator
        self._account = account
        self._token = token
        self._sender = sender
        self._base_url = base_url
        self._client: Client | None = None
        self._http: AsyncTwilioHttpClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def send(self, outgoing: Outgoing, enclosures: Sequence[Enclosure]) -> Outcome:
        """Hand one text over; a text takes no enclosures."""
        del enclosures
        try:
            client = await self._connected()
        except WorkspaceError as error:
            return NoService(f"no connection: {error}"[:500], error.advice)
        try:
            async with asyncio.timeout(TIMEOUT):
                made = await client.messages.create_async(
                    to=outgoing.recipient.phone or "", from_=self._sender, body=outgoing.text
                )
        except TwilioRestException as error:
            return _refusal(error)
        except aiohttp.ClientConnectorError as error:
            return NoService(f"no connection: {error}"[:500], MEND_SERVICE)
        except Exception as error:  # noqa: BLE001 - whatever it is, the service may have the text (law 3)
            return Unknown(f"the connection ended while the text was handed over: {error}"[:500])
        return Sent(made.sid)

    async def ask(self, outgoing: Outgoing) -> Outcome:
        """Look for a text to that number with those words, since the day it was written."""
        client = await self._connected()
        try:
            async with asyncio.timeout(TIMEOUT):
                found = await client.messages.list_async(
                    to=outgoing.recipient.phone or "",
                    from_=self._sender,
                    date_sent_after=outgoing.written_at,
                    limit=100,
                )
        except (TwilioRestException, aiohttp.ClientError, OSError, TimeoutError) as error:
            return Unknown(f"the service could not be asked: {error}"[:500])
        for each in found:
            if each.body == outgoing.text:
                return Sent(each.sid)
        return Unknown("the service does not know of it")

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


def _refusal(error: TwilioRestException) -> Outcome:
    words = f"{error.status} {error.code or ''} {error.msg}"[:500]
    if error.status >= 500:
        return Unknown(words)
    if error.status == NO_LOGIN:
        return NoService(words, MEND_LOGIN)
    if error.status in PASSING:
        return Failed(words, permanent=False)
    if error.code == OPTED_OUT_CODE:
        return Failed(words, permanent=True, address=ReachState.OPTED_OUT)
    if error.code in DEAD_NUMBER_CODES:
        return Failed(words, permanent=True, address=ReachState.DEAD)
    return Failed(words, permanent=True)
