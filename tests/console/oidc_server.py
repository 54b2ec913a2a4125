"""An OpenID Connect issuer on loopback, which knows one client and lies on demand."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "console", "a secret of the console's"


@dataclass
class OidcServer:
    """What it is asked and what it says."""

    port: int = 0
    claims: dict[str, Any] = field(default_factory=dict)
    """Of whoever logs in: put over what is right."""
    told: dict[str, Any] = field(default_factory=dict)
    """Put over what it says of itself."""
    algorithm: str = "RS256"
    at: int = 0
    """Its clock."""
    authorized: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The issuer."""
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def key(self) -> RSAKey:
        """Its own."""
        return RSAKey.generate_key(2048, {"kid": "one"})

    @cached_property
    def signing(self) -> RSAKey:
        """What it signs with: its own key, unless a test says otherwise."""
        return self.key

    def log_in(self, url: str, **claims: Any) -> dict[str, str]:
        """Somebody logs in on the page of that URL; the query that they come back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == (CLIENT, "code", "S256")
        self.claims.update(claims)
        code = f"code-{len(self.authorized)}"
        self.authorized[code] = asked
        return {"code": code, "state": asked["state"]}

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        """Status and body."""
        if path == "/.well-known/openid-configuration":
            ends = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
            return 200, {"issuer": self.url, **{name: self.url + end for name, end in ends.items()}, **self.told}
        if path == "/keys":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        if path != "/token":
            return 404, {}
        if authorization != "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode():
            return 401, {"error": "invalid_client"}
        asked = self.authorized.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        if asked is None or challenge != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        right = {"iss": self.url, "sub": "7", "aud": CLIENT, "iat": self.at, "exp": self.at + 300}
        claims = {**right, "nonce": asked["nonce"], **self.claims}
        signed = jwt.encode({"alg": self.algorithm, "kid": "one"}, claims, self.signing, [self.algorithm])
        return 200, {"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": signed}


@contextmanager
def oidc_server() -> Iterator[OidcServer]:
    """A server that runs."""
    state = OidcServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._say({name: values[0] for name, values in parse_qs(body).items()})

        def _say(self, form: dict[str, str]) -> None:
            status, told = state.answer(urlsplit(self.path).path, form, self.headers.get("Authorization", ""))
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
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
