"""Access tokens (OAuth 2.0, RFC 6749) for mail servers that no longer take passwords, such as Microsoft's and Google's.

A program gets one by its own credentials (section 4.4) or, where a person once allowed it, by a refresh token
(section 6). A token is used until shortly before it ends, by every connection; a new one is asked for then.
"""

import threading
import time
from typing import TYPE_CHECKING, Any

from maatpak.kernel.errors import OutsideError, TransientError, UsageError

if TYPE_CHECKING:
    from maatpak.kernel.settings import Settings

TIMEOUT = 30.0
SPARE = 120.0
"""Seconds before its end from which a token is not used any more."""
POSTED = "client_secret_post"
MEND = "Correct MAATPAK_OAUTH_CLIENT, _SECRET, _SCOPE or _REFRESH_TOKEN, or allow the client to send and read mail."


class AccessTokens:
    """The tokens of one client. Any number of threads may ask."""

    def __init__(self, url: str, client: str, secret: str, scope: str | None, refresh_token: str | None) -> None:
        self._url = url
        self._client = (client, secret)
        self._scope = scope
        self._refresh_token = refresh_token
        self._asking = threading.Lock()
        self._token = ""
        self._ends = 0.0

    def token(self) -> str:
        """A token that is good for a while yet.

        Raises:
            OutsideError: the service refuses the client; a TransientError where it only cannot be asked now.
        """
        with self._asking:
            if time.monotonic() >= self._ends:
                told = self._asked()
                self._token = str(told["access_token"])
                self._ends = time.monotonic() + float(told.get("expires_in") or SPARE) - SPARE
                self._refresh_token = told.get("refresh_token") or self._refresh_token
            return self._token

    def _asked(self) -> dict[str, Any]:
        from authlib.integrations.base_client import OAuthError
        from authlib.integrations.requests_client import OAuth2Session
        from requests import RequestException

        client, secret = self._client
        try:
            with OAuth2Session(client, secret, scope=self._scope, token_endpoint_auth_method=POSTED) as session:
                if self._refresh_token is not None:
                    return dict(session.refresh_token(self._url, refresh_token=self._refresh_token, timeout=TIMEOUT))
                return dict(session.fetch_token(self._url, grant_type="client_credentials", timeout=TIMEOUT))
        except OAuthError as error:
            raise OutsideError(f"{self._url} gives no access to mail: {error.error}"[:300], advice=MEND) from None
        except (RequestException, ValueError, KeyError) as error:
            raise TransientError(
                f"{self._url} cannot be asked for access to mail: {type(error).__name__}.",
                advice="See that MAATPAK_OAUTH_URL is its token endpoint and is reached from here.",
            ) from None


def access_tokens(settings: "Settings") -> AccessTokens | None:
    """The tokens of the settings; None where passwords do.

    Raises:
        UsageError: the settings are not complete.
    """
    if settings.oauth_url is None:
        return None
    if settings.oauth_client is None or settings.oauth_secret is None:
        raise UsageError(
            "Access to mail by OAuth needs MAATPAK_OAUTH_CLIENT and MAATPAK_OAUTH_SECRET, too.",
            advice="Set both, or leave MAATPAK_OAUTH_URL empty and set passwords.",
        )
    refresh_token = settings.oauth_refresh_token
    return AccessTokens(
        settings.oauth_url,
        settings.oauth_client,
        settings.oauth_secret.get_secret_value(),
        settings.oauth_scope,
        refresh_token.get_secret_value() if refresh_token is not None else None,
    )
