"""Logging in at an issuer of one's own: who is let in, and what is not believed."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc.jwk import OctKey, RSAKey
from pydantic import SecretStr
from sqlmodel import select

from maatpak.console.frame.visiting import COOKIE
from maatpak.console.oidc import OPEN, Issuer, finish, issuer_of, start
from maatpak.kernel.clock import FixedClock
from maatpak.kernel.errors import OutsideError, RefusedError, TransientError, UsageError
from maatpak.kernel.settings import Settings
from maatpak.ledger.database import Database
from maatpak.ledger.tables import ConsoleSession, Event, Person
from tasks.access.visitor import visitor_of
from tasks.engine import Engine
from tests.console.house import Browser, console_of
from tests.console.oidc_server import CLIENT, SECRET, OidcServer, oidc_server

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
AT = int(NOW.timestamp())
CARLA = {"email": "Carla@acme.example", "email_verified": True}


@pytest.fixture(scope="module")
def running() -> Iterator[OidcServer]:
    with oidc_server() as server:
        yield server


@pytest.fixture
def server(running: OidcServer) -> OidcServer:
    """The issuer, honest again."""
    running.claims, running.told, running.algorithm, running.at = {}, {}, "RS256", AT
    running.signing = running.key
    return running


@pytest.fixture
def staff(engine: Engine) -> Engine:
    """Carla and Mo, who may act; Lena left; and two who share a mailbox."""
    engine.workspace.create()
    people = {"carla": "carla@acme.example", "mo": None, "lena": "lena@acme.example", "a": "us@acme.example"}
    with engine.database.session() as session:
        for login, email in {**people, "b": "us@acme.example"}.items():
            active = login != "lena"
            session.add(Person(login=login, name=login, role="collector", email=email, active=active, recorded_at=NOW))
    return engine


def issuer(server: OidcServer, **otherwise: str) -> Issuer:
    return replace(Issuer(server.url, CLIENT, SECRET, "http://127.0.0.1:4243/login/back", "key"), **otherwise)


@pytest.mark.parametrize(
    ("claims", "login"),
    [
        pytest.param(CARLA, "carla", id="by a verified address"),
        pytest.param({"preferred_username": "mo"}, "mo", id="by the user name"),
        pytest.param({**CARLA, "email": "x@acme.example", "preferred_username": "mo"}, "mo", id="address unknown"),
        pytest.param({**CARLA, "preferred_username": "mo"}, "carla", id="the address first"),
        pytest.param({"preferred_username": "carla"}, None, id="a name that anybody may choose"),
        pytest.param({**CARLA, "email_verified": False}, None, id="an address that is not verified"),
        pytest.param({**CARLA, "email_verified": "true"}, None, id="verified in words only"),
        pytest.param({**CARLA, "email": "lena@acme.example"}, None, id="who left"),
        pytest.param({"preferred_username": "lena"}, None, id="who left, by name"),
        pytest.param({**CARLA, "email": "us@acme.example"}, None, id="two with one address"),
        pytest.param({**CARLA, "email": "carla@acme.example\0"}, None, id="a zero byte"),
        pytest.param({"preferred_username": ["mo"]}, None, id="no text"),
        pytest.param({"preferred_username": "ghost"}, None, id="nobody"),
        pytest.param({}, None, id="nothing said"),
    ],
)
def test_who_is_let_in(staff: Engine, server: OidcServer, claims: dict[str, Any], login: str | None) -> None:
    url, kept = start(issuer(server), NOW)
    query = server.log_in(url, **claims)
    if login is None:
        with pytest.raises(RefusedError, match="not known here"):
            finish(staff, issuer(server), kept, query, NOW)
        assert rows(staff, ConsoleSession) == rows(staff, Event) == []
        assert len(rows(staff, Person)) == 5
    else:
        token, visitor = finish(staff, issuer(server), kept, query, NOW)
        assert (visitor.login, bool(token)) == (login, True)
        (event,) = rows(staff, Event)
        assert (event.kind, event.body["way"], "acme" in str(event.body)) == ("logged_in", "oidc", False)


def rows(engine: Engine, table: Any) -> list[Any]:
    with engine.database.session() as session:
        return list(session.exec(select(table)))


LIES: dict[str, Callable[[OidcServer], None]] = {
    "another issuer": lambda server: server.claims.update(iss="https://evil.example"),
    "for another client": lambda server: server.claims.update(aud="another"),
    "for several, and another party": lambda server: server.claims.update(aud=[CLIENT, "another"], azp="another"),
    "of another login": lambda server: server.claims.update(nonce="another"),
    "over": lambda server: server.claims.update(exp=AT - 61),
    "not yet": lambda server: server.claims.update(nbf=AT + 120),
    "of nobody": lambda server: server.claims.update(sub=None),
    "of another token": lambda server: server.claims.update(at_hash="another"),
    "signed by another": lambda server: vars(server).update(signing=RSAKey.generate_key(2048, {"kid": "one"})),
    "signed with our secret": lambda server: vars(server).update(signing=OctKey.import_key(SECRET), algorithm="HS256"),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_what_is_not_believed(staff: Engine, server: OidcServer, lie: Callable[[OidcServer], None]) -> None:
    url, kept = start(issuer(server), NOW)
    query = server.log_in(url, **CARLA)
    lie(server)
    with pytest.raises(OutsideError, match="does not hold"):
        finish(staff, issuer(server), kept, query, NOW)
    assert rows(staff, ConsoleSession) == []


@pytest.mark.parametrize(
    ("kept", "query", "after", "refusal"),
    [
        pytest.param(None, {"state": "another"}, OPEN, "not begun in this browser", id="another's state"),
        pytest.param(None, {"state": ""}, OPEN, "not begun in this browser", id="no state"),
        pytest.param("", {}, OPEN, "not begun in this browser", id="nothing kept"),
        pytest.param("eyJhdCI6MX0.forged", {}, OPEN, "not begun in this browser", id="forged"),
        pytest.param(None, {}, OPEN + timedelta(seconds=1), "too long ago", id="too late"),
        pytest.param(None, {"iss": "https://evil.example"}, OPEN, "else than our issuer", id="mixed up"),
        pytest.param(None, {"error": "access_denied", "code": None}, OPEN, "not let in", id="denied there"),
    ],
)
def test_what_does_not_come_back_as_it_went(
    staff: Engine, server: OidcServer, kept: str | None, query: dict[str, Any], after: timedelta, refusal: str
) -> None:
    url, given = start(issuer(server), NOW)
    right = server.log_in(url, **CARLA)
    came = {name: value for name, value in {**right, **query}.items() if value is not None}
    with pytest.raises(RefusedError, match=refusal):
        finish(staff, issuer(server), given if kept is None else kept, came, NOW + after)
    assert rows(staff, ConsoleSession) == []


def test_a_code_counts_once_and_only_for_who_began_it(staff: Engine, server: OidcServer) -> None:
    url, kept = start(issuer(server), NOW)
    query = server.log_in(url, **CARLA)
    _, of_another = start(issuer(server), NOW)
    with pytest.raises(RefusedError, match="not begun in this browser"):
        finish(staff, issuer(server), of_another, query, NOW)
    finish(staff, issuer(server), kept, query, NOW)
    with pytest.raises(OutsideError, match="invalid_grant"):
        finish(staff, issuer(server), kept, query, NOW)


def test_a_client_that_the_issuer_does_not_know(staff: Engine, server: OidcServer) -> None:
    url, kept = start(issuer(server), NOW)
    query = server.log_in(url, **CARLA)
    with pytest.raises(OutsideError, match="invalid_client"):
        finish(staff, issuer(server, secret="wrong"), kept, query, NOW)


@pytest.mark.parametrize(
    ("told", "error", "said"),
    [
        pytest.param({"issuer": "https://evil.example"}, OutsideError, "does not describe itself", id="another issuer"),
        pytest.param({"jwks_uri": None}, OutsideError, "does not describe itself", id="no keys"),
        pytest.param({"token_endpoint": "http://evil.example/"}, UsageError, "no https address", id="in the open"),
    ],
)
def test_an_issuer_that_is_not_what_it_should_be(
    server: OidcServer, told: dict[str, Any], error: type[Exception], said: str
) -> None:
    server.told = told
    with pytest.raises(error, match=said):
        start(issuer(server), NOW)


def test_an_issuer_that_is_away() -> None:
    with pytest.raises(TransientError, match="cannot be asked"):
        start(Issuer("http://127.0.0.1:9", CLIENT, SECRET, "", "key"), NOW)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param({}, None, id="passwords only"),
        pytest.param({"oidc_issuer": "https://i.example"}, "needs MAATPAK_OIDC_CLIENT", id="not complete"),
        pytest.param(
            {"oidc_issuer": "http://i.example", "oidc_client": "c", "oidc_secret": SecretStr("s")},
            "no https address",
            id="in the open",
        ),
        pytest.param(
            {
                "oidc_issuer": "https://i.example",
                "oidc_client": "c",
                "oidc_secret": SecretStr("s"),
                "public_url": "https://maatpak.example",
            },
            Issuer("https://i.example", "c", "s", "https://maatpak.example/login/back", "key"),
            id="complete",
        ),
    ],
)
def test_the_settings(given: dict[str, Any], told: str | Issuer | None) -> None:
    settings = Settings(link_secret=SecretStr("key")).model_copy(update=given)
    engine = Engine(settings, Database("postgresql://nowhere"))
    if isinstance(told, str):
        with pytest.raises(UsageError, match=told):
            issuer_of(engine)
    else:
        assert issuer_of(engine) == told


def test_a_browser_goes_there_and_comes_back_logged_in(staff: Engine, server: OidcServer) -> None:
    given = {"oidc_issuer": server.url, "oidc_client": CLIENT, "oidc_secret": SecretStr(SECRET)}
    outside = {"public_url": "https://maatpak.example", "link_secret": SecretStr("key")}
    settings = staff.settings.model_copy(update={**given, **outside})
    console = console_of(Engine(settings, staff.database), FixedClock(NOW))
    browser = console.stranger()
    assert "Log in at 127.0.0.1" in browser.get("/login").text
    sent = browser.get("/login/single")
    kept = Browser(console, {"Cookie": f"maatpak_begun={sent.cookies['maatpak_begun']}"})
    query = server.log_in(sent.headers["location"], **CARLA)
    assert "not begun in this browser" in browser.get("/login/back", **query).text
    back = kept.get("/login/back", **query)
    assert (back.status_code, back.headers["location"]) == (303, "/")
    assert "; Secure" in back.headers["set-cookie"]
    with staff.database.session() as session:
        visitor = visitor_of(session, back.cookies[COOKIE], NOW, 30)
    assert visitor is not None
    assert visitor.login == "carla"
    server.told = {"issuer": "https://evil.example"}
    assert "does not describe itself" in browser.get("/login/single").text
