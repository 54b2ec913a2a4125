"""A token endpoint on loopback, which knows one client, and tells mail servers whose a token is."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

CLIENT, SECRET, REFRESH = "maatpak", "a secret of the client", "a refresh token"
USER = "jan"


@dataclass
class TokenServer:
    """What it hands out, and what it was asked."""

    port: int = 0
    lifetime: int = 3600
    granted: list[str] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The token endpoint."""
        return f"http://127.0.0.1:{self.port}/token"

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        """Status and body."""
        if path == "/introspect":
            known = form.get("token") in self.granted
            return 200, {"active": known, "username": USER} if known else {"active": False}
        self.asked.append(form)
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client"}
        if form["grant_type"] == "refresh_token" and form["refresh_token"] != REFRESH:
            return 400, {"error": "invalid_grant"}
        self.granted.append(f"token-{len(self.granted)}")
        return 200, {"access_token": self.granted[-1], "token_type": "Bearer", "expires_in": self.lifetime}


@contextmanager
def token_server() -> Iterator[TokenServer]:
    """A server that runs."""
    state = TokenServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, told = state.answer(
                urlsplit(self.path).path, {name: values[0] for name, values in parse_qs(body).items()}
            )
            content = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing is logged."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.port = server.server_address[1]
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
