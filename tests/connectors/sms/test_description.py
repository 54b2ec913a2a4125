"""The adapter against a server made from Twilio's own description of its API, which refuses what does not fit it."""

import asyncio
import json
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.outcome import Failed, Outcome, Sent, Unknown
from connectors.sms.twilio_client import TwilioSms
from tests.connectors.letters import text
from tests.flows.patience import until

ACCOUNT = "AC" + "0" * 32
NUMBER = "+31970000000"
SID = "SM" + "0" * 32
SERVICE = "MG" + "a" * 32
START = 60.0
"""Seconds that the server may take to read it."""


@dataclass
class Prism:
    """The server, and what it has said."""

    url: str
    log: list[str]

    def violations(self) -> list[str]:
        return [line for line in self.log if "✖" in line or "⚠" in line]

    def received(self) -> list[str]:
        return [line for line in self.log if "Request received" in line]


@pytest.fixture(scope="module")
def description(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twilio's description of messages, less a slip: links between pages are to be URLs, and its examples are paths."""
    api = json.loads((shared_data / "openapi" / "twilio_api_v2010.json").read_text())
    api["paths"] = {path: told for path, told in api["paths"].items() if "/Messages" in path}
    listing = api["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["get"]["responses"]["200"]
    for name, schema in listing["content"]["application/json"]["schema"]["properties"].items():
        if name.endswith("uri"):
            schema.pop("format")
    path = tmp_path_factory.mktemp("twilio") / "description.json"
    path.write_text(json.dumps(api))
    return path


@pytest.fixture
def prism(npm: Path, description: Path) -> Iterator[Prism]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(npm / "node_modules" / ".bin" / "prism"), "mock", "--errors", "--multiprocess", "false"]
    command += ["--host", "127.0.0.1", "--port", str(port), str(description)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    made = Prism(f"http://127.0.0.1:{port}", [])
    listening = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            made.log.append(line)
            if "is listening" in line:
                listening.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert listening.wait(START), made.log
        yield made
    finally:
        process.terminate()
        process.wait()
        reader.join()
        assert process.stdout is not None
        process.stdout.close()


def port(prism: Prism, sender: str, public_url: str | None = "https://maatpak.example.com") -> TwilioSms:
    return TwilioSms(
        account=ACCOUNT, token="t", sender=sender, base_url=prism.url, simulator=None, public_url=public_url
    )


def kinds(prism: Prism) -> Counter[str]:
    """How many requests of each kind it has told of."""
    return Counter("create" if " post " in line else "fetch" if SID in line else "list" for line in prism.received())


def use(port: TwilioSms) -> tuple[Outcome, Outcome, Any]:
    """Create, list and fetch."""

    async def once() -> tuple[Outcome, Outcome, Any]:
        outgoing = text("+31612340001", "Factuur F-2041, € 1.250,00")
        try:
            sent, asked = await port.send(outgoing, [], timedelta(hours=3)), await port.ask(outgoing)
            client = await port._connected()
            return sent, asked, await client.messages(SID).fetch_async()
        finally:
            await port.close()

    return asyncio.run(once())


def test_the_adapter_sends_lists_and_fetches_as_twilio_describes_itself(prism: Prism) -> None:
    for used in (port(prism, NUMBER), port(prism, NUMBER, public_url=None), port(prism, SERVICE)):
        sent, asked, fetched = use(used)
        assert isinstance(sent, Sent)
        assert asked == Unknown("the service does not know of it")
        assert fetched.sid.startswith("SM")
    until(lambda: kinds(prism)["create"] == kinds(prism)["fetch"] == 3, "it told of all")
    assert kinds(prism)["list"] >= 3, "each page of the examples names another one"
    assert prism.violations() == []
    # That the server does look: a sender that is no SID is refused.
    refused, _, _ = use(port(prism, "MG12"))
    assert isinstance(refused, Failed)
    until(lambda: any("MessagingServiceSid must match pattern" in each for each in prism.violations()), "it objected")
