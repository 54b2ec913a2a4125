"""Logging in where one's own people log in anyway: OpenID Connect 1.0, authorization code with PKCE, state and nonce.

What is begun is kept by the browser, signed, until it comes back: whoever comes back with another's code has not begun
it. Nobody is entered by it: who comes back must be an active person here, by an e-mail address that the issuer says is
verified, else by their user name there, which is their login here.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlmodel import col, func, select

from maatpak.kernel.errors import OutsideError, RefusedError, TransientError, UsageError
from maatpak.kernel.settings import is_loopback
from maatpak.ledger.tables import Person
from tasks.access.login import let_in
from tasks.access.visitor import Visitor

if TYPE_CHECKING:
    from tasks.engine import Engine

BACK_PATH = "/login/back"
"""Where the issuer sends people back; the client is to be registered with it."""
SCOPE = "openid email profile"
OPEN = timedelta(minutes=10)
"""So long somebody may take to log in there."""
TIMEOUT = 10.0
LEEWAY = 60
"""Seconds that clocks may differ."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key that only the issuer has."""
ADDRESS = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Issuer:
    """Where people log in, and as which client of it we ask."""

    url: str
    client: str
    secret: str
    back: str
    """Our whole URL of `BACK_PATH`."""
    key: str
    """Signs what the browser keeps."""


def issuer_of(engine: "Engine") -> Issuer | None:
    """The issuer of an installation; None where people log in with passwords only.

    Raises:
        UsageError: the settings are not complete, or not safe.
    """
    settings = engine.settings
    if settings.oidc_issuer is None:
        return None
    if settings.oidc_client is None or settings.oidc_secret is None:
        raise UsageError(
            "Logging in by OpenID Connect needs MAATPAK_OIDC_CLIENT and MAATPAK_OIDC_SECRET, too.",
            advice="Set both, or leave MAATPAK_OIDC_ISSUER empty.",
        )
    _require_private(settings.oidc_issuer)
    ours = settings.public_url or f"http://127.0.0.1:{settings.console_port}"
    secret = settings.oidc_secret.get_secret_value()
    return Issuer(settings.oidc_issuer, settings.oidc_client, secret, ours + BACK_PATH, engine.link_key)


def start(issuer: Issuer, now: datetime) -> tuple[str, str]:
    """Where to send somebody to log in, and what their browser is to keep meanwhile, in a cookie for `OPEN`.

    Raises:
        OutsideError: the issuer cannot be asked, or is not who it should be.
    """
    told = _discovered(issuer)
    begun = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
    with _client(issuer) as client:
        url, _ = client.create_authorization_url(
            told["authorization_endpoint"],
            state=begun["state"],
            nonce=begun["nonce"],
            code_verifier=begun["verifier"],
        )
    return str(url), _signer(issuer).dumps({**begun, "at": int(now.timestamp())})


def finish(engine: "Engine", issuer: Issuer, kept: str, query: Mapping[str, str], now: datetime) -> tuple[str, Visitor]:
    """The token of a session for who came back with this query, and whose it is.

    Raises:
        RefusedError: this browser has not begun it, or too long ago; the issuer let nobody in; or they are not known
            here.
        OutsideError: the issuer cannot be asked, or what it says does not hold.
    """
    begun = _begun(issuer, kept, now)
    if not hmac.compare_digest(begun["state"].encode(), query.get("state", "").encode(errors="replace")):
        raise RefusedError("This login was not begun in this browser.", advice="Begin again.")
    if query.get("iss", issuer.url) != issuer.url:
        raise RefusedError("Somebody else than our issuer sent you here.", advice="Begin again.")
    if "code" not in query:
        raise RefusedError("You were not let in where you were sent to log in.", advice="Begin again, or ask there.")
    claims = _claims(issuer, begun, query["code"], now)
    return let_in(engine, _login_of(engine, claims), now, "oidc")


def _begun(issuer: Issuer, kept: str, now: datetime) -> dict[str, Any]:
    from itsdangerous import BadData

    try:
        begun: dict[str, Any] = _signer(issuer).loads(kept)
    except BadData:
        raise RefusedError("This login was not begun in this browser.", advice="Begin again.") from None
    if not 0 <= int(now.timestamp()) - begun["at"] <= OPEN.total_seconds():
        raise RefusedError("This login was begun too long ago.", advice="Begin again.")
    return begun


def _claims(issuer: Issuer, begun: Mapping[str, Any], code: str, now: datetime) -> dict[str, Any]:
    """What the issuer says of who came back, once it is proved that it says so, to us, of this login."""
    from authlib.integrations.base_client import OAuthError
    from authlib.oidc.core import CodeIDToken
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet
    from requests import RequestException

    told = _discovered(issuer)
    try:
        with _client(issuer) as client:
            given = client.fetch_token(
                told["token_endpoint"],
                code=code,
                code_verifier=begun["verifier"],
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        published: Any = _asked(told["jwks_uri"])
        keys = KeySet.import_key_set(published)
        read = jwt.decode(given["id_token"], keys, algorithms=ALGORITHMS)
        proved = CodeIDToken(
            read.claims,
            read.header,
            {"iss": {"essential": True, "value": issuer.url}, "aud": {"essential": True, "value": issuer.client}},
            {"nonce": begun["nonce"], "client_id": issuer.client, "access_token": given.get("access_token")},
        )
        proved.validate(now=int(now.timestamp()), leeway=LEEWAY)
    except OAuthError as error:
        raise OutsideError(
            f"{issuer.url} does not take the login: {error.error}"[:300], advice="Begin again, or see MAATPAK_OIDC_…."
        ) from None
    except RequestException as error:
        raise _away(issuer.url, error) from None
    except (JoseError, KeyError, TypeError, ValueError) as error:
        raise OutsideError(
            f"What {issuer.url} says does not hold: {type(error).__name__}.", advice="Begin again."
        ) from None
    return dict(proved)


def _login_of(engine: "Engine", claims: Mapping[str, Any]) -> str:
    """The login of the one active person whom the claims name, by a verified address.

    By the user name, which people may choose at some issuers, only somebody whose address we do not know.
    """
    email, username = claims.get("email"), claims.get("preferred_username")
    with engine.database.reading() as session:
        if isinstance(email, str) and claims.get("email_verified") is True and "\0" not in email:
            by_email = select(Person.login).where(func.lower(Person.email) == email.lower(), col(Person.active))
            found = session.exec(by_email).all()
            if len(found) == 1:
                return found[0]
        if isinstance(username, str) and "\0" not in username:
            named_so = (Person.login == username, col(Person.email).is_(None), col(Person.active))
            by_name = select(Person.login).where(*named_so)
            named = session.exec(by_name).first()
            if named is not None:
                return named
    raise RefusedError("You are not known here.", advice="An administrator can enter you.")


def _discovered(issuer: Issuer) -> dict[str, str]:
    """Where the issuer is asked what (OpenID Connect Discovery 1.0, section 4)."""
    told = _asked(issuer.url.rstrip("/") + ADDRESS)
    endpoints = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    if told.get("issuer") != issuer.url or not all(isinstance(told.get(name), str) for name in endpoints):
        raise OutsideError(
            f"{issuer.url} does not describe itself as that issuer.",
            advice="Write MAATPAK_OIDC_ISSUER exactly as the issuer does, down to a slash at its end.",
        )
    for name in endpoints:
        _require_private(told[name])
    return told


def _asked(url: str) -> dict[str, Any]:
    import requests

    try:
        answer = requests.get(url, timeout=TIMEOUT, allow_redirects=False)
        answer.raise_for_status()
        told = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise _away(url, error) from None
    if not isinstance(told, dict):
        raise OutsideError(f"{url} answers with something else.", advice="See MAATPAK_OIDC_ISSUER.")
    return told


def _away(url: str, error: Exception) -> TransientError:
    return TransientError(
        f"{url} cannot be asked: {type(error).__name__}.",
        advice="Log in with your password, or see that MAATPAK_OIDC_ISSUER is reached from here.",
    )


def _client(issuer: Issuer) -> Any:
    from authlib.integrations.requests_client import OAuth2Session

    return OAuth2Session(
        issuer.client, issuer.secret, scope=SCOPE, redirect_uri=issuer.back, code_challenge_method="S256"
    )


def _signer(issuer: Issuer) -> Any:
    from itsdangerous import URLSafeSerializer

    return URLSafeSerializer(issuer.key, salt="oidc", signer_kwargs={"digest_method": hashlib.sha256})


def _require_private(url: str) -> None:
    """What is said there must be secret on its way; on this machine it is."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise UsageError(f"{url!r} is no https address.", advice="An issuer is asked by https only.")
