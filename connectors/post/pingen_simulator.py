"""A simulator of Pingen's API on loopback: what its client uses to upload, create, list and cancel letters.

Each letter is a JSON file in `letters` of its folder, with its PDF beside it, under the id that the client was told. It
looks at a PDF as Pingen does (an address in the window, nothing where the postage goes), hands good letters to the post
at once, and calls registered webhooks back, signed. What comes later is told by `happen`. What it does wrong on demand
stands in `faults.json` (connectors/faults.py), matched against a letter's file name and address:

`login`, `upload`    before there is a letter
`recipient`, `after` before a letter is taken, and after it was
`letterbox`          an event that follows, by its code (`undeliverable`); without one the letter is not printed yet
`hook`               late by `delay`, never by `drop`, twice by the reply `again`

Run alone: `python -m connectors.post.pingen_simulator FOLDER ORGANISATION CLIENT SECRET`.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests
from aiohttp import ClientError, ClientSession, web
from yarl import URL

from connectors.companion import Companion
from connectors.faults import Fault, Faults, plan_faults
from connectors.post.hooks import CATEGORIES, signature
from connectors.post.pingen_resources import (
    HANDED,
    category_of,
    error,
    event_resource,
    hook_body,
    letter_attributes,
    looked_at,
    page_of,
    status_after,
)
from maatpak.kernel.clock import SystemClock
from maatpak.kernel.files import write_whole

HOST = "127.0.0.1"
LETTERS = "letters"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class PingenSimulator:
    """The simulator of a folder, seen from the process that sends."""

    def __init__(self, folder: Path, organisation: str, client: str, secret: str) -> None:
        self.folder = folder
        self._companion = Companion("connectors.post.pingen_simulator", folder, organisation, client, secret)

    def url(self) -> str:
        """Where it listens; starts it at first use."""
        return f"http://{HOST}:{self._companion.port()}"

    def letters(self) -> list[dict[str, Any]]:
        """What it got: id, attributes and events, oldest first."""
        return _kept(self.folder)

    def pdf(self, letter: str) -> bytes:
        """What it was given to print."""
        return (self.folder / LETTERS / f"{letter}.pdf").read_bytes()

    def happen(self, letter: str, code: str, at: datetime) -> None:
        """Let something happen to a letter; comes back when its webhooks were called."""
        event = {"code": code, "emitted_at": at.isoformat()}
        requests.post(f"{self.url()}/simulator/{letter}", json=event, timeout=30).raise_for_status()

    def plan_faults(self, faults: Sequence[Fault]) -> None:
        """What goes wrong from now on; none heals it."""
        plan_faults(self.folder, faults)

    def stop(self) -> None:
        """End it."""
        self._companion.stop()


class _Api:
    def __init__(self, folder: Path, organisation: str, client: str, secret: str) -> None:
        self._folder = folder
        self._organisation = organisation
        self._credentials = (client, secret)
        self._token = sha256(f"{client}:{secret}".encode()).hexdigest()
        self._faults = Faults(folder)
        self._clock = SystemClock()
        (folder / LETTERS).mkdir(exist_ok=True)
        self._letters: dict[str, dict[str, Any]] = {each["id"]: each for each in _kept(folder)}
        hooks = folder / "webhooks.json"
        self._hooks: list[dict[str, Any]] = json.loads(hooks.read_text()) if hooks.exists() else []
        self._calls: set[asyncio.Task[None]] = set()

    def application(self) -> web.Application:
        base = f"/organisations/{self._organisation}"
        letters = f"{base}/deliveries/letters"
        application = web.Application(middlewares=[self.authorised], client_max_size=16 * 2**20)
        application.add_routes(
            [
                web.post("/auth/access-tokens", self.login),
                web.get("/file-upload", self.place),
                web.put("/files/{file}", self.upload),
                web.get(letters, self.listing),
                web.post(letters, self.create),
                web.get(letters + "/events/{category}", self.events),
                web.get(letters + "/{letter}", self.show),
                web.patch(letters + "/{letter}/cancel", self.cancel),
                web.get(f"{base}/webhooks", self.hooks),
                web.post(f"{base}/webhooks", self.add_hook),
                web.post("/simulator/{letter}", self.happen),
            ]
        )
        return application

    @web.middleware
    async def authorised(self, request: web.Request, handler: Any) -> web.StreamResponse:
        needed = request.path.startswith(("/organisations", "/file-upload"))
        if needed and request.headers.get("Authorization") != f"Bearer {self._token}":
            return error(401, "Unauthenticated.")
        answer: web.StreamResponse = await handler(request)
        return answer

    async def login(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        if (refusal := await self._strike(request, "", "login")) is not None:
            return refusal
        if (form.get("client_id"), form.get("client_secret")) != self._credentials:
            return web.json_response({"error": "invalid_client"}, status=401)
        return web.json_response({"token_type": "Bearer", "expires_in": 43200, "access_token": self._token})

    async def place(self, request: web.Request) -> web.StreamResponse:
        file = str(uuid4())
        attributes = {"url": f"{request.url.origin()}/files/{file}", "url_signature": self._signed(file)}
        return web.json_response({"data": {"id": file, "type": "file_uploads", "attributes": attributes}})

    async def upload(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        if (refusal := await self._strike(request, "", "upload")) is not None:
            return refusal
        write_whole(self._folder / f"{Path(request.match_info['file']).name}.upload", content)
        return web.Response()

    async def create(self, request: web.Request) -> web.StreamResponse:
        asked = (await request.json())["data"]["attributes"]
        key = request.headers.get("Idempotency-Key", "")
        if known := next((each for each in self._letters.values() if key and each["key"] == key), None):
            return web.json_response(
                {"data": self._resource(known)}, headers={"Idempotent-Replayed": "true"}, status=201
            )
        file = str(asked["file_url"]).rpartition("/")[2]
        uploaded = self._folder / f"{Path(file).name}.upload"
        if asked["file_url_signature"] != self._signed(file) or not uploaded.exists():
            return error(422, "The file was not uploaded.")
        pdf = uploaded.read_bytes()
        code, pages, address = looked_at(pdf)
        recipient = f"{asked['file_original_name']}\n{address}"
        if (refusal := await self._strike(request, recipient, "recipient")) is not None:
            return refusal
        letter = {
            "id": str(uuid4()),
            "key": key,
            "attributes": letter_attributes(asked, pages, address, self._clock.now()),
            "events": [],
        }
        write_whole(self._folder / LETTERS / f"{letter['id']}.pdf", pdf)
        uploaded.unlink()
        self._letters[str(letter["id"])] = letter
        made = json.dumps({"data": self._resource(letter)})
        self._keep(letter)
        later = [code] if code else ["content_passed_inspection", *(HANDED if asked["auto_send"] else ())]
        if not code and (fault := self._faults.take(recipient, "letterbox")) is not None:
            later = [*later, fault.reply] if fault.reply else later[:2]
        call = asyncio.create_task(self._go_on(letter, later))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        refusal = await self._strike(request, recipient, "after")
        return refusal or web.Response(text=made, content_type="application/vnd.api+json", status=201)

    async def listing(self, request: web.Request) -> web.StreamResponse:
        wanted = json.loads(request.query.get("filter", "{}")).get("and", [])
        found = [
            self._resource(each)
            for each in reversed(self._letters.values())
            if all(each["attributes"].get(name) == value for rule in wanted for name, value in rule.items())
        ]
        return web.json_response(page_of(found, request.query))

    async def show(self, request: web.Request) -> web.StreamResponse:
        letter = self._letters.get(request.match_info["letter"])
        return web.json_response({"data": self._resource(letter)}) if letter else error(404, "Not found.")

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        letter = self._letters.get(request.match_info["letter"])
        if letter is None:
            return error(404, "Not found.")
        if any(each["attributes"]["code"] in (*HANDED[1:], "cancellation_completed") for each in letter["events"]):
            return error(409, "The letter can no longer be cancelled.")
        await self._go_on(letter, ["cancellation_completed"])
        return web.Response(status=202)

    async def events(self, request: web.Request) -> web.StreamResponse:
        category = request.match_info["category"]
        if category not in CATEGORIES:
            return error(404, "Not found.")
        found = [
            event
            for letter in self._letters.values()
            for event in letter["events"]
            if category_of(event["attributes"]["code"]) == category
        ]
        found.sort(key=lambda each: str(each["attributes"]["created_at"]), reverse=True)
        return web.json_response(page_of(found, request.query))

    async def hooks(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(page_of(self._hooks, request.query))

    async def add_hook(self, request: web.Request) -> web.StreamResponse:
        hook = (await request.json())["data"]
        if URL(hook["attributes"]["url"]).host not in LOOPBACK:
            return error(422, "The simulator calls nobody but this machine.")
        hook["id"] = str(uuid4())
        self._hooks.append(hook)
        write_whole(self._folder / "webhooks.json", json.dumps(self._hooks).encode())
        return web.json_response({"data": hook}, status=201)

    async def happen(self, request: web.Request) -> web.StreamResponse:
        letter, told = self._letters.get(request.match_info["letter"]), await request.json()
        if letter is None:
            return error(404, "Not found.")
        await self._go_on(letter, [told["code"]], datetime.fromisoformat(told["emitted_at"]))
        return web.Response(status=204)

    async def _go_on(self, letter: dict[str, Any], codes: Sequence[str], at: datetime | None = None) -> None:
        """These events happen to a letter, and each is told to who asked for its category."""
        for code in codes:
            event = event_resource(letter["id"], code, at or self._clock.now(), self._clock.now())
            letter["events"].append(event)
            letter["attributes"]["status"] = status_after(code, letter["attributes"]["status"])
            self._keep(letter)
            for hook in self._hooks:
                if hook["attributes"]["event_category"] == category_of(code):
                    await self._call(hook["attributes"], letter, event)

    async def _call(self, hook: Mapping[str, Any], letter: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        attributes = letter["attributes"]
        fault = self._faults.take(f"{attributes['file_original_name']}\n{attributes['address']}", "hook") or Fault()
        await asyncio.sleep(fault.delay)
        body = json.dumps(
            hook_body(hook, self._organisation, self._resource(letter), event, self._clock.now())
        ).encode()
        headers = {"Signature": signature(body, hook["signing_key"]), "Content-Type": "application/vnd.api+json"}
        for _ in range(0 if fault.drop else 2 if fault.reply == "again" else 1):
            try:
                async with ClientSession() as session, session.post(hook["url"], data=body, headers=headers) as answer:
                    await answer.read()
            except (ClientError, OSError):
                return  # nobody listens there now

    def _resource(self, letter: Mapping[str, Any]) -> dict[str, Any]:
        return {"type": "letters", "id": letter["id"], "attributes": dict(letter["attributes"])}

    def _keep(self, letter: Mapping[str, Any]) -> None:
        write_whole(self._folder / LETTERS / f"{letter['id']}.json", json.dumps(letter).encode())

    def _signed(self, file: str) -> str:
        return signature(file.encode(), self._token)[:40]

    async def _strike(self, request: web.Request, recipient: str, at: str) -> web.Response | None:
        fault = self._faults.take(recipient, at)
        if fault is None:
            return None
        await asyncio.sleep(fault.delay)
        if fault.drop and request.transport is not None:
            request.transport.abort()
        if not fault.reply:
            return error(500, "nobody hears this") if fault.drop else None
        return error(int(fault.reply.partition(" ")[0]), "failed on demand")


def _kept(folder: Path) -> list[dict[str, Any]]:
    """The letters of a folder, oldest first as far as seconds tell."""
    found = [json.loads(path.read_text()) for path in (folder / LETTERS).glob("[!.]*.json")]
    return sorted(found, key=lambda each: str(each["attributes"]["created_at"]))


async def _serve(folder: Path, organisation: str, client: str, secret: str) -> None:
    runner = web.AppRunner(_Api(folder, organisation, client, secret).application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


def main() -> None:
    """Serve the folder named on the command line until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    folder, organisation, client, secret = sys.argv[1:5]
    asyncio.run(_serve(Path(folder), organisation, client, secret))


if __name__ == "__main__":
    main()
