"""Mail servers that take access tokens instead of passwords."""

import asyncio
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from connectors.access import AccessTokens, access_tokens
from connectors.mail import build_mail
from connectors.outcome import Failed, NoService, Outcome, Sent
from maatpak.kernel.errors import OutsideError, TransientError, UsageError
from maatpak.kernel.settings import MailSecurity, Settings
from tests.connectors.letters import mail
from tests.connectors.token_server import CLIENT, REFRESH, SECRET, TokenServer, token_server


@pytest.fixture
def server() -> Iterator[TokenServer]:
    """A token endpoint."""
    with token_server() as running:
        yield running


def tokens(server: TokenServer, secret: str = SECRET, refresh_token: str | None = None) -> AccessTokens:
    return AccessTokens(server.url, CLIENT, secret, "mail", refresh_token)


def test_one_token_serves_many_and_is_renewed_before_it_ends(server: TokenServer) -> None:
    lasting = tokens(server)
    with ThreadPoolExecutor(8) as pool:
        assert {each.result() for each in [pool.submit(lasting.token) for _ in range(20)]} == {"token-0"}
    assert server.asked == [
        {"grant_type": "client_credentials", "scope": "mail", "client_id": CLIENT, "client_secret": SECRET}
    ]
    server.lifetime = 60
    ending = tokens(server)
    assert [ending.token(), ending.token()] == ["token-1", "token-2"]


def test_a_refresh_token_is_shown_where_there_is_one(server: TokenServer) -> None:
    assert tokens(server, refresh_token=REFRESH).token() == "token-0"
    assert (server.asked[0]["grant_type"], server.asked[0]["refresh_token"]) == ("refresh_token", REFRESH)


def test_no_access_is_said_without_secrets(server: TokenServer) -> None:
    for refused in (tokens(server, secret="wrong"), tokens(server, refresh_token="wrong")):
        with pytest.raises(OutsideError, match="gives no access to mail: invalid_") as told:
            refused.token()
        assert not isinstance(told.value, TransientError)
        assert "MAATPAK_OAUTH" in told.value.advice
    away = AccessTokens("http://127.0.0.1:9/token", CLIENT, SECRET, None, None)
    with pytest.raises(TransientError, match="cannot be asked"):
        away.token()


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    assert access_tokens(Settings(workspace=tmp_path)) is None
    with pytest.raises(UsageError, match="MAATPAK_OAUTH_CLIENT"):
        access_tokens(Settings(workspace=tmp_path, oauth_url="https://login.example/token"))


class Relay:
    """Takes mail from whoever shows a token that was handed out."""

    def __init__(self, known: TokenServer) -> None:
        self._known = known
        self.kept = 0

    async def auth_XOAUTH2(self, server: Any, args: list[str]) -> AuthResult:  # noqa: N802
        del server
        shown = b64decode(args[1])
        given = [f"user=jan@ours.example\1auth=Bearer {each}\1\1".encode() for each in self._known.granted]
        return AuthResult(success=shown in given, auth_data=b"jan")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        del server, envelope
        if not session.authenticated:
            return "530 5.7.0 log in first"
        self.kept += 1
        return "250 2.0.0 ok"


async def sent(folder: Path, server: TokenServer, secret: str, url: str) -> tuple[Outcome, int]:
    relay, loop = Relay(server), asyncio.get_running_loop()
    listening = await loop.create_server(lambda: SMTP(relay, loop=loop, auth_require_tls=False), "127.0.0.1", 0)
    async with listening:
        given = {
            "smtp_host": "127.0.0.1",
            "smtp_port": listening.sockets[0].getsockname()[1],
            "smtp_security": MailSecurity.NONE,
            "smtp_user": "jan@ours.example",
            "oauth_url": url,
            "oauth_client": CLIENT,
            "oauth_secret": secret,
        }
        port = build_mail(Settings(workspace=folder, **given), folder, "key")
        try:
            return await port.send(mail(), []), relay.kept
        finally:
            await port.close()


def test_mail_is_sent_with_a_token(server: TokenServer, tmp_path: Path) -> None:
    outcome, kept = asyncio.run(sent(tmp_path, server, SECRET, server.url))
    assert isinstance(outcome, Sent), outcome
    assert kept == 1


def test_without_access_no_mail_leaves_and_none_is_lost(server: TokenServer, tmp_path: Path) -> None:
    refused, kept = asyncio.run(sent(tmp_path, server, "wrong", server.url))
    assert isinstance(refused, NoService)
    assert "MAATPAK_OAUTH" in refused.mend
    later, _ = asyncio.run(sent(tmp_path, server, SECRET, "http://127.0.0.1:9/token"))
    assert isinstance(later, Failed)
    assert not later.permanent
    assert not kept
