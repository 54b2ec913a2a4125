"""A simulator of Twilio's API on loopback: it takes, keeps and lists texts, calls back, and lets customers text us.

Texts stay in its folder (`connectors.sms.simulated`), so a fetch in any process finds them. What it does wrong on
demand stands in `faults.json` (connectors/faults.py), by when it does it:

- `recipient`, `after`: before or after the text was taken, it answers with a status and a code of Twilio's
  (`400 21211`), late (`delay`), or hangs up (`drop`);
- `delivery`: the text does not arrive: `undelivered 30003`, `failed 30007`;
- `callback`: reports come late (`delay`), not at all (`drop`), `twice`, or the last one first (`reversed`).

Run alone: `python -m connectors.sms.simulator FOLDER ACCOUNT TOKEN`.
"""

import asyncio
import http.client
import json
import signal
import sys
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import date
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from connectors.companion import Companion
from connectors.faults import Fault, Faults, plan_faults
from connectors.sms.calling_back import Callbacks, of_status, of_text
from connectors.sms.simulated import POOL, SERVICE, VERSION, Refusal, Texts
from maatpak.kernel.clock import SystemClock

HOST = "127.0.0.1"
CUSTOMER = "/customer"
HAPPENS = "/happens"
"""Paths of what Twilio does not have: a customer who texts, and something that becomes of a text."""


class SmsSimulator:
    """The simulator of a folder, seen from the process that sends."""

    def __init__(self, folder: Path, account: str, token: str, sender: str = POOL, incoming_url: str = "") -> None:
        """`sender` is whom customers answer; `incoming_url` is where Twilio was told to hand on what they text."""
        self.folder = folder
        self._sender = sender
        self._incoming_url = incoming_url
        self._authorization = _basic(account, token)
        self._companion = Companion("connectors.sms.simulator", folder, account, token)

    @property
    def messages(self) -> Path:
        """What it got, one JSON document a line."""
        return self.folder / "messages.jsonl"

    @property
    def callbacks(self) -> Path:
        """What it called back, one JSON document a line: `url`, `params`, and the status `answer`, or null."""
        return self.folder / "callbacks.jsonl"

    def url(self) -> str:
        """Where it listens; starts it at first use."""
        return f"http://{HOST}:{self._companion.port()}"

    def plan_faults(self, faults: Sequence[Fault]) -> None:
        """What goes wrong from now on; none heals it."""
        plan_faults(self.folder, faults)

    def text_in(self, customer: str, body: str) -> str:
        """Let a customer text us, and hand it on to the webhook where there is one; the SID of the text.

        It returns when the webhook has answered, so it must not be called in the loop that serves the webhook. What
        that answered stands in `callbacks`.
        """
        form = {"From": customer, "To": self._sender, "Body": body, "Url": self._incoming_url}
        return str(self._post(CUSTOMER, form)["sid"])

    def happen(self, sid: str, state: str, code: int | None = None) -> None:
        """Let something become of a text, such as `undelivered 30005`; comes back when its webhook has answered."""
        self._post(HAPPENS, {"Sid": sid, "State": state, "Code": str(code or "")})

    def stop(self) -> None:
        """End it, after the calls that are under way."""
        self._companion.stop()

    def _post(self, path: str, form: Mapping[str, str]) -> dict[str, Any]:
        headers = {"Authorization": self._authorization, "Content-Type": "application/x-www-form-urlencoded"}
        connection = http.client.HTTPConnection(HOST, self._companion.port())
        try:
            connection.request("POST", path, urlencode(form), headers)
            answer: dict[str, Any] = json.load(connection.getresponse())
            return answer
        finally:
            connection.close()


class _Api:
    def __init__(self, folder: Path, account: str, token: str) -> None:
        self._texts = Texts(folder, account)
        self._credentials = _basic(account, token)
        self._faults = Faults(folder)
        self._clock = SystemClock()
        self.callbacks = Callbacks(folder, token)

    def application(self) -> web.Application:
        base = f"/{VERSION}/Accounts/{self._texts.account}/Messages"
        application = web.Application()
        application.add_routes(
            [
                web.post(f"{base}.json", self.create),
                web.get(f"{base}.json", self.listing),
                web.get(base + "/{sid}.json", self.fetch),
                web.post(CUSTOMER, self.customer),
                web.post(HAPPENS, self.happens),
            ]
        )
        return application

    async def create(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != self._credentials:
            return _error(401, 20003, "Authentication Error - invalid username")
        form = await _form(request)
        recipient = form.get("To", "")
        try:
            self._texts.check(form)
        except Refusal as refusal:
            return _error(refusal.status, refusal.code, str(refusal))
        struck = await self._strike(request, recipient, "recipient")
        if struck is not None:
            return struck
        made = self._texts.take(form, format_datetime(self._clock.now()))
        self._deliver(made, form.get("StatusCallback", ""))
        struck = await self._strike(request, recipient, "after")
        return struck or web.json_response(made, status=201)

    async def fetch(self, request: web.Request) -> web.Response:
        for text in self._texts.all():
            if text["sid"] == request.match_info["sid"]:
                return web.json_response(text)
        return _error(404, 20404, f"The requested resource {request.path} was not found")

    async def listing(self, request: web.Request) -> web.Response:
        found = [text for text in self._texts.all() if _matches(text, request.query)]
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

    async def customer(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != self._credentials:
            return _error(401, 20003, "Authentication Error - invalid username")
        form = await _form(request)
        service = form["To"] if form["To"].startswith(SERVICE) else None
        at = format_datetime(self._clock.now())
        text = self._texts.receive(form["From"], POOL if service else form["To"], service, form["Body"], at)
        if form["Url"]:
            await self.callbacks.call(form["Url"], of_text(text))
        return web.json_response(text, status=201)

    async def happens(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != self._credentials:
            return _error(401, 20003, "Authentication Error - invalid username")
        form = await _form(request)
        code = int(form["Code"]) if form["Code"] else None
        found = self._texts.taken(form["Sid"])
        if found is None:
            return _error(404, 20404, f"There is no text {form['Sid']}")
        text, url = found
        self._texts.report(form["Sid"], form["State"], code)
        answer = await self.callbacks.call(url, of_status(text, form["State"], code)) if url else None
        return web.json_response({"answer": answer})

    def _deliver(self, made: Mapping[str, Any], url: str) -> None:
        """Decide what becomes of a text, and begin to tell who asked for it.

        Twilio does not tell the state in which a text was made.
        """
        status, code = "delivered", None
        lost = self._faults.take(made["to"], "delivery")
        if lost is not None:
            status, _, told = lost.reply.partition(" ")
            code = int(told or 30008)
            self._texts.report(made["sid"], status, code)
        if not url:
            return
        before = ["queued"] if made["messaging_service_sid"] else []
        before += ["sent"] if status != "failed" else []
        states: list[tuple[str, int | None]] = [*((each, None) for each in before), (status, code)]
        fault = self._faults.take(made["to"], "callback") or Fault()
        if fault.drop:
            return
        if fault.reply == "reversed":
            states.reverse()
        if fault.reply == "twice":
            states = [state for state in states for _ in range(2)]
        self.callbacks.report(url, {**made, "from": made["from"] or POOL}, states, fault.delay)

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


def _basic(account: str, token: str) -> str:
    return "Basic " + b64encode(f"{account}:{token}".encode()).decode()


async def _form(request: web.Request) -> dict[str, str]:
    return {name: str(value) for name, value in (await request.post()).items()}


def _matches(text: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    since = query.get("DateSent>", "")[:10]
    sent_on = parsedate_to_datetime(text["date_created"]).date()
    return (
        query.get("To", text["to"]) == text["to"]
        and query.get("From", text["from"]) == text["from"]
        and (not since or sent_on >= date.fromisoformat(since))
    )


def _error(status: int, code: int, words: str) -> web.Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return web.json_response({"code": code, "message": words, "more_info": more, "status": status}, status=status)


async def _serve(folder: Path, account: str, token: str) -> None:
    api = _Api(folder, account, token)
    runner = web.AppRunner(api.application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await api.callbacks.finish()
    await runner.cleanup()


def main() -> None:
    """Serve the folder named on the command line until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    folder, account, token = sys.argv[1:4]
    asyncio.run(_serve(Path(folder), account, token))


if __name__ == "__main__":
    main()
