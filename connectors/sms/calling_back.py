"""The simulator's calls to our webhooks, signed as Twilio signs them.

What came of each stands in `callbacks.jsonl` of the simulator's folder. Twilio calls once; so does this.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
from twilio.request_validator import RequestValidator
from yarl import URL

from connectors.sms.simulated import VERSION, keyword

TIMEOUT = aiohttp.ClientTimeout(total=10)
LAST_CALLS = 3.0
"""Seconds that calls under way have when the simulator is told to end; its owner waits no longer than five."""


class Callbacks:
    """Calls one account's webhooks, each text's in their order, while the simulator goes on."""

    def __init__(self, folder: Path, token: str) -> None:
        self._file = folder / "callbacks.jsonl"
        self._validator = RequestValidator(token)
        self._under_way: set[asyncio.Task[None]] = set()

    def report(self, url: str, text: Mapping[str, Any], states: Sequence[tuple[str, int | None]], delay: float) -> None:
        """Begin to tell a webhook the states of a text, one after the other."""
        calls = [of_status(text, state, code) for state, code in states]
        task = asyncio.create_task(self._tell(url, calls, delay))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def call(self, url: str, params: Mapping[str, str]) -> int | None:
        """Call a webhook once; the status that it answered, nothing where it did not."""
        headers = {"X-Twilio-Signature": self._validator.compute_signature(url, params)}
        answer = None
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT) as session,
                session.post(URL(url, encoded=True), data=params, headers=headers) as response,
            ):
                answer = response.status
        except (aiohttp.ClientError, TimeoutError):
            pass
        with self._file.open("a") as file:
            file.write(json.dumps({"url": url, "params": dict(params), "answer": answer}) + "\n")
        return answer

    async def finish(self) -> None:
        """Let calls under way come to their end, if that is soon."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=LAST_CALLS)

    async def _tell(self, url: str, calls: Sequence[Mapping[str, str]], delay: float) -> None:
        await asyncio.sleep(delay)
        for params in calls:
            await self.call(url, params)


def of_text(text: Mapping[str, Any]) -> dict[str, str]:
    """What Twilio posts of a text that came in.

    A messaging service says what a word asks for.
    """
    params = _of(text) | {
        "SmsMessageSid": text["sid"],
        "SmsStatus": "received",
        "Body": text["body"],
        "NumMedia": "0",
        "NumSegments": text["num_segments"],
    }
    word = keyword(text["body"])
    return params | ({"OptOutType": word} if word and text["messaging_service_sid"] else {})


def of_status(text: Mapping[str, Any], state: str, code: int | None) -> dict[str, str]:
    """What Twilio posts of a text of ours that has come to a state."""
    params = _of(text) | {"MessageStatus": state, "SmsStatus": state}
    return params | ({"ErrorCode": str(code)} if code else {})


def _of(text: Mapping[str, Any]) -> dict[str, str]:
    service = text["messaging_service_sid"]
    return {
        "AccountSid": text["account_sid"],
        "ApiVersion": VERSION,
        "MessageSid": text["sid"],
        "SmsSid": text["sid"],
        "From": text["from"],
        "To": text["to"],
        **({"MessagingServiceSid": service} if service else {}),
    }
