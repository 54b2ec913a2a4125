"""What the tests of texts share: npm packages that check us, and a webhook that Twilio calls."""

import fcntl
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from connectors.sms.hooks import verified

PACKAGES = ("@stoplight/prism-cli@5", "sms-segments-calculator@1")
WANTED = " ".join(PACKAGES)
INSTALL = 300.0
"""Seconds that installing them may take."""
TOKEN = "local-simulator"
PATIENCE = 20.0
"""Seconds after which a call that does not come is a failure."""


@pytest.fixture(scope="session")
def npm() -> Path:
    """A folder of packages from npm, installed once for all sessions of this user."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    folder = Path.home() / ".cache" / "maatpak-tests" / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / "whole"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Several workers may want it at once.
        if not whole.exists() or whole.read_text() != WANTED:
            command = ["npm", "install", "--prefix", str(folder), "--no-fund", "--no-audit", "--silent", *PACKAGES]
            try:
                subprocess.run(command, capture_output=True, timeout=INSTALL, check=True)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
                pytest.skip(f"npm could not install {WANTED}: {error}")
            whole.write_text(WANTED)
    return folder


@dataclass
class Call:
    """One call of a webhook."""

    path: str
    params: dict[str, str]
    signed: bool
    signature: str


@dataclass
class Hook:
    """A webhook on loopback that checks signatures as the product does."""

    url: str = ""
    calls: queue.Queue[Call] = field(default_factory=queue.Queue)

    def next(self) -> Call:
        return self.calls.get(timeout=PATIENCE)

    def states(self, count: int) -> list[str]:
        """The states that the next calls tell."""
        return [self.next().params["MessageStatus"] for _ in range(count)]


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            params = dict(parse_qsl(body, keep_blank_values=True))
            signature = self.headers["X-Twilio-Signature"]
            signed = verified(f"{made.url}{self.path}", params, signature, TOKEN)
            made.calls.put(Call(self.path, params, signed, signature))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
            """Calls are told by the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
