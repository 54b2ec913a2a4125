"""A simulator of Twilio's API on loopback: what the official client uses to create, fetch and list messages.

Texts stay in `messages.jsonl` of its folder, one line each, with the SID that the client was told; a fetch in any
process finds them. What it does wrong on demand stands in `faults.json` (connectors/faults.py): a reply is an HTTP
status and an error code of Twilio's, such as `400 21211`. Run alone: `python -m connectors.sms.simulator FOLDER ACCOUNT
TOKEN`.
"""

import asyncio
import json
import re
import secrets
import signal
import sys
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import date
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from connectors.companion import Companion
from connectors.faults import Fault, Faults, plan_faults
from maatpak.kernel.clock import SystemClock

HOST = "127.0.0.1"
VERSION = "2010-04-01"
E164 = re.compile(r"\+[1-9]\d{6,14}")
SEGMENT = 153
"""Characters of one part of a long text."""


class SmsSimulator:
    """The simulator of a folder, seen from the process that sends."""

    def __init__(self, folder: Path, account: str, token: str) -> None:
        self.folder = folder
        self._companion = Companion("connectors.sms.simulator", folder, account, token)

    @property
    def messages(self) -> Path:
        """What it got, one JSON document a line."""
        return self.folder / "messages.jsonl"

    def url(self) -> str:
        """Where it listens; starts it at first use."""
        return f"http://{HOST}:{self._companion.port()}"

    def plan_faults(self, faults: Sequence[Fault]) -> None:
        """What goes wrong from now on; none heals it."""
        plan_faults(self.folder, faults)

    def stop(self) -> None:
        """End it."""
        self._companion.stop()


class _Api:
    def __init__(self, folder: Path, account: str, token: str) -> None:
        self._file = folder / "messages.jsonl"
        self._account = account
        self._credentials = "Basic " + b64encode(f"{account}:{token}".encode()).decode()
        self._faults = Faults(folder)
        self._clock = SystemClock()

    def application(self) -> web.Application:
        base = f"/{VERSION}/Accounts/{self._account}/Messages"
        application = web.Application()
        application.add_routes(
            [
                web.post(f"{base}.json", self.create),
                web.get(f"{base}.json", self.listing),
                web.get(base + "/{sid}.json", self.fetch),
            ]
        )
        return application

    async def create(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != self._credentials:
            return _error(401, 20003, "Authentication Error - invalid username")
        form = {name: str(value) for name, value in (await request.post()).items()}
        recipient = form.get("To", "")
        refusal = _refusal(form) or await self._strike(request, recipient, "recipient")
        if refusal is not None:
            return refusal
        made = self._message(form)
        with self._file.open("a") as file:
            file.write(json.dumps(made) + "\n")
        refusal = await self._strike(request, recipient, "after")
        return refusal or web.json_response(made, status=201)

    async def fetch(self, request: web.Request) -> web.Response:
        for message in self._stored():
            if message["sid"] == request.match_info["sid"]:
                return web.json_response(_delivered(message))
        return _error(404, 20404, f"The requested resource {request.path} was not found")

    async def listing(self, request: web.Request) -> web.Response:
        query = request.query
        found = [_delivered(message) for message in self._stored() if _matches(message, query)]
        return web.json_response(
            {
                "messages": found[::-1],
                "page": 0,
                "page_size": len(found),
                "start": 0,
                "end": len(found),
                "uri": str(request.rel_url),
                "first_page_uri": str(request.rel_url),
                "next_page_uri": None,
                "previous_page_uri": None,
            }
        )

    def _message(self, form: Mapping[str, str]) -> dict[str, Any]:
        sid = "SM" + secrets.token_hex(16)
        at = format_datetime(self._clock.now())
        uri = f"/{VERSION}/Accounts/{self._account}/Messages/{sid}"
        return {
            "account_sid": self._account,
            "api_version": VERSION,
            "body": form["Body"],
            "date_created": at,
            "date_sent": None,
            "date_updated": at,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": form.get("From"),
            "messaging_service_sid": form.get("MessagingServiceSid"),
            "num_media": "0",
            "num_segments": str(-(-len(form["Body"]) // SEGMENT)),
            "price": None,
            "price_unit": "USD",
            "sid": sid,
            "status": "queued",
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": form["To"],
            "uri": f"{uri}.json",
        }

    def _stored(self) -> list[dict[str, Any]]:
        if not self._file.exists():
            return []
        return [json.loads(line) for line in self._file.read_text().splitlines() if line.endswith("}")]

    async def _strike(self, request: web.Request, recipient: str, at: str) -> web.Response | None:
        fault = self._faults.take(recipient, at)
        if fault is None:
            return None
        await asyncio.sleep(fault.delay)
        if fault.drop and request.transport is not None:
            request.transport.abort()
        if not fault.reply:
            return _error(500, 20500, "nobody hears this") if fault.drop else None
        status, _, code = fault.reply.partition(" ")
        return _error(int(status), int(code or 20500), "failed on demand")


def _refusal(form: Mapping[str, str]) -> web.Response | None:
    if not E164.fullmatch(form.get("To", "")):
        return _error(400, 21211, f"Invalid 'To' Phone Number: {form.get('To', '')}")
    if not form.get("From") and not form.get("MessagingServiceSid"):
        return _error(400, 21603, "A 'From' phone number is required.")
    if not form.get("Body"):
        return _error(400, 21602, "Message body is required.")
    return None


def _delivered(message: dict[str, Any]) -> dict[str, Any]:
    return {**message, "status": "delivered", "date_sent": message["date_created"]}


def _matches(message: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    since = query.get("DateSent>", "")[:10]
    sent_on = parsedate_to_datetime(message["date_created"]).date()
    return (
        query.get("To", message["to"]) == message["to"]
        and query.get("From", message["from"]) == message["from"]
        and (not since or sent_on >= date.fromisoformat(since))
    )


def _error(status: int, code: int, words: str) -> web.Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return web.json_response({"code": code, "message": words, "more_info": more, "status": status}, status=status)


async def _serve(folder: Path, account: str, token: str) -> None:
    runner = web.AppRunner(_Api(folder, account, token).application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


def main() -> None:
    """Serve the folder named on the command line until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    folder, account, token = sys.argv[1:4]
    asyncio.run(_serve(Path(folder), account, token))


if __name__ == "__main__":
    main()
