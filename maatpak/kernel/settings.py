"""Settings: one root, from the environment (`MAATPAK_…`) and the workspace's `maatpak.env`. Unknown keys fail."""

import os
import re
from collections.abc import Sequence
from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from maatpak.kernel.clock import SystemClock
from maatpak.kernel.errors import UsageError

LOCAL_TOKEN = "local-simulator"  # noqa: S105 - that it is no secret is the point
"""The token of the local simulator of texts. Everybody can read it here, so nobody is believed by it from outside."""
FORGEABLE = "Anybody could sign calls to the webhooks: MAATPAK_SMS_TOKEN is the one that all installations begin with."
MEND_FORGEABLE = "Set MAATPAK_SMS_TOKEN to the service's own token, or leave MAATPAK_PUBLIC_URL empty."


class MailSecurity(StrEnum):
    """How a connection to a mail server is kept private; certificates are always checked."""

    AUTO = "auto"
    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class ImapSecurity(StrEnum):
    """How the connection to the mailbox is kept private."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class Settings(BaseSettings):
    """Everything that differs between one installation and the next."""

    model_config = SettingsConfigDict(env_prefix="MAATPAK_", extra="forbid", frozen=True)

    workspace: Path = Field(
        default=Path("workspace"), description="Folder of the workspace: evidence, anchors, sinks, packs."
    )
    database_url: SecretStr | None = Field(
        default=None, description="PostgreSQL URL; empty: an embedded PostgreSQL that belongs to the workspace."
    )
    evidence_url: str | None = Field(
        default=None, description="fsspec URL for evidence files; empty: the workspace's `evidence` folder."
    )
    shards: int = Field(default=1, ge=1, le=64, description="Into how many shards a creditor's parties are spread.")
    smtp_host: str | None = Field(default=None, description="Mail server; empty: the local sink of the workspace.")
    smtp_port: int = Field(default=25, ge=1, le=65535, description="Port of the mail server.")
    smtp_user: str | None = Field(default=None, description="Login at the mail server.")
    smtp_password: SecretStr | None = Field(default=None, description="Password at the mail server.")
    smtp_security: MailSecurity = Field(
        default=MailSecurity.AUTO,
        description="TLS where the server offers it (auto), always after the greeting (starttls) or from the start"
        " (tls), or never (none).",
    )
    smtp_connections: int = Field(default=4, ge=1, le=32, description="Mail connections at once.")
    smtp_per_minute: int | None = Field(
        default=None, ge=1, description="At most so many mails a minute; empty: no limit."
    )
    smtp_domain_per_minute: int | None = Field(
        default=None, ge=1, description="At most so many mails a minute to one domain; empty: no limit."
    )
    return_path: str | None = Field(
        default=None,
        pattern=r"^[\w.\-]{1,18}@[\w.\-]+\.\w+$",
        description="Mailbox for what comes back, such as bounces@ours.example; its server must hand it mails to"
        " bounces+anything@ours.example, too. Empty: what comes back goes to the creditor's address.",
    )
    dkim_domain: str | None = Field(
        default=None, description="Domain that signs mails (DKIM); empty: the server signs."
    )
    dkim_selector: str = Field(default="maatpak", description="Name of the DKIM key in the domain's DNS.")
    dkim_key: Path | None = Field(default=None, description="File of the DKIM key: RSA, PEM.")
    oauth_url: str | None = Field(
        default=None,
        description="Token endpoint (OAuth 2.0) of a mail service that takes no passwords, such as"
        " https://login.microsoftonline.com/TENANT/oauth2/v2.0/token; counts where no password is set.",
    )
    oauth_client: str | None = Field(default=None, description="Client that the service knows us as.")
    oauth_secret: SecretStr | None = Field(default=None, description="Its secret.")
    oauth_scope: str | None = Field(
        default=None, description="What we ask for, such as https://outlook.office365.com/.default."
    )
    oauth_refresh_token: SecretStr | None = Field(
        default=None, description="Refresh token of the account; empty: the client has access of its own."
    )
    imap_host: str | None = Field(
        default=None, description="Server of the mailbox; empty: the Maildir `incoming` of the workspace."
    )
    imap_port: int | None = Field(
        default=None, ge=1, le=65535, description="Port of the mailbox; empty: 993 for TLS, else 143."
    )
    imap_security: ImapSecurity = Field(
        default=ImapSecurity.TLS, description="tls, starttls, or none, which is for a server on this machine only."
    )
    imap_user: str | None = Field(default=None, description="Login at the mailbox.")
    imap_password: SecretStr | None = Field(default=None, description="Password at the mailbox.")
    imap_folder: str = Field(default="INBOX", description="Folder of the mailbox in which mails arrive.")
    imap_done_folder: str | None = Field(
        default=None, description="Folder that mails which were read are moved to; empty: they are flagged as seen."
    )
    sms_url: str | None = Field(
        default=None, description="Base URL of a service that speaks Twilio's API; empty: the local simulator."
    )
    sms_account: str = Field(
        default="AC00000000000000000000000000000000", description="Account SID at the SMS service."
    )
    sms_token: SecretStr = Field(default=SecretStr(LOCAL_TOKEN), description="Token at the SMS service.")
    sms_sender: str = Field(
        default="+31970000000",
        description="Where texts come from: a number such as +31970000000, or the SID of a messaging service (MG…).",
    )
    sms_segments: int = Field(
        default=3, ge=1, le=10, description="Segments that a text may have at most; a longer one is not sent."
    )
    public_url: str | None = Field(
        default=None,
        description="Base URL under which services call back and customers open their page; empty: neither does.",
    )
    sms_per_minute: int | None = Field(
        default=None, ge=1, description="At most so many texts a minute; empty: no limit."
    )
    mails_per_day: int | None = Field(
        default=None, ge=0, description="At most so many mails a day, of all creditors; empty: no cap."
    )
    texts_per_day: int | None = Field(
        default=None, ge=0, description="At most so many texts a day, of all creditors; empty: no cap."
    )
    letters_per_day: int | None = Field(
        default=None, ge=0, description="At most so many letters a day, of all creditors; empty: no cap."
    )
    pingen_url: str | None = Field(
        default=None,
        description="Pingen, which prints and posts letters: https://api.pingen.com, "
        "https://api-staging.pingen.com, or `simulator`; empty: the spool folder.",
    )
    pingen_organisation: str | None = Field(default=None, description="Id of the organisation at Pingen.")
    pingen_client: str | None = Field(default=None, description="Client id at Pingen.")
    pingen_secret: SecretStr | None = Field(default=None, description="Client secret at Pingen.")
    pingen_hook_secret: SecretStr | None = Field(
        default=None, max_length=32, description="Signing key of Pingen's webhooks; empty: none is believed."
    )
    pingen_product: str = Field(
        default="cheap", description="Delivery product: cheap, fast, bulk, premium, registered, or a post's own."
    )
    pingen_print_mode: Literal["simplex", "duplex"] = Field(default="simplex", description="Sides printed on.")
    pingen_print_spectrum: Literal["color", "grayscale"] = Field(default="color", description="Colours printed in.")
    console_host: str = Field(
        default="127.0.0.1",
        description="Address at which the console is served: this machine only; 0.0.0.0 or :: for all who reach it,"
        " which belongs behind a proxy that speaks HTTPS.",
    )
    console_port: int = Field(
        default=4243,
        ge=1,
        le=65535,
        description="Port on which `up` serves the console, and the webhooks that services call.",
    )
    session_minutes: int = Field(
        default=30, ge=1, le=720, description="Minutes without a click after which the console asks to log in again."
    )
    password_memory: int = Field(
        default=19_456, ge=8, description="KiB of memory that checking a password takes (Argon2id): more is safer."
    )
    oidc_issuer: str | None = Field(
        default=None,
        description="OpenID Connect issuer at which only your own people log in, such as"
        " https://login.microsoftonline.com/TENANT/v2.0; empty: people log in with passwords only.",
    )
    oidc_client: str | None = Field(default=None, description="Client that the issuer knows the console as.")
    oidc_secret: SecretStr | None = Field(default=None, description="Its secret.")
    prefect_port: int = Field(default=4242, ge=1, le=65535, description="Port of the Prefect server that `up` starts.")
    prefect_api_url: str | None = Field(
        default=None, description="A Prefect server of your own; empty: `up` starts one inside the workspace."
    )
    clock_ahead: int = Field(
        default=0,
        description="Seconds by which this installation's time is ahead of the machine's: for demonstrations only.",
    )
    actor: str | None = Field(
        default=None, description="Login of the person who acts on the command line; empty: the operating system's."
    )
    link_secret: SecretStr | None = Field(
        default=None, description="Key that signs references in messages; empty: made once and kept in the workspace."
    )

    @property
    def in_the_clear(self) -> bool:
        """Whether others reach the console, and nobody said that they do so by HTTPS: passwords could be read."""
        return not is_loopback(self.console_host) and not (self.public_url or "").startswith("https://")

    @property
    def clock(self) -> SystemClock:
        """The clock of this installation."""
        return SystemClock(timedelta(seconds=self.clock_ahead))

    @property
    def forgeable(self) -> bool:
        """Whether others can reach webhooks that would believe a token which everybody knows."""
        host = urlsplit(self.public_url or "").hostname
        return host is not None and not is_loopback(host) and self.sms_token.get_secret_value() == LOCAL_TOKEN

    @field_validator("sms_sender")
    @classmethod
    def _sends_texts(cls, value: str) -> str:
        if not re.fullmatch(r"\+[1-9]\d{6,14}|MG[0-9a-fA-F]{32}", value):
            raise ValueError(
                "it is a number such as +31970000000, or the SID of a messaging service (MG and 32 hex digits)"
            )
        return value

    @field_validator("console_host")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        try:
            return str(ip_address(value))
        except ValueError:
            raise ValueError("it is an IP address such as 127.0.0.1 or 0.0.0.0") from None

    @field_validator("public_url")
    @classmethod
    def _can_be_called(cls, value: str | None) -> str | None:
        if not value:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("it is a URL such as https://maatpak.example.com, without a query")
        return value.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine and no other can reach it by that name."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def load_settings(workspace: Path | None = None) -> Settings:
    """Settings for a workspace: its `maatpak.env`, overruled by the environment, overruled by the argument.

    Raises:
        UsageError: a key is unknown or a value does not fit; the message names it.
    """
    folder = Path(workspace or os.environ.get("MAATPAK_WORKSPACE", "workspace")).expanduser().resolve()
    unknown = sorted(
        key
        for key in os.environ
        if key.startswith("MAATPAK_") and key.removeprefix("MAATPAK_").lower() not in Settings.model_fields
    )
    if unknown:
        raise UsageError(f"Unknown setting in the environment: {', '.join(unknown)}.", advice=_meant(unknown))
    file = folder / "maatpak.env"
    try:
        return Settings(workspace=folder, _env_file=file)
    except ValidationError as error:
        # Reason and key, never the value, and not the original as a cause: it may be a password.
        wrong = {_name(str(each["loc"][0])): each for each in error.errors(include_input=False, include_url=False)}
    except ValueError as error:
        raise UsageError(
            f"{file} cannot be read: {type(error).__name__}.", advice="It is lines of MAATPAK_NAME=value, in UTF-8."
        ) from None
    unknown = [name for name, each in wrong.items() if each["type"] == "extra_forbidden"]
    told = "; ".join(
        f"{name}: {'there is no such setting' if name in unknown else each['msg']}" for name, each in wrong.items()
    )
    raise UsageError(f"The settings of {file} or the environment do not hold: {told}.", advice=_meant(unknown))


def _name(key: str) -> str:
    return f"MAATPAK_{key.upper().removeprefix('MAATPAK_')}"


def _meant(unknown: Sequence[str]) -> str:
    """What may have been meant by these names, and where all are listed."""
    names = [_name(field) for field in Settings.model_fields]
    nearest = [close for name in unknown for close in get_close_matches(name, names, n=1)]
    question = f"Did you mean {', '.join(nearest)}? " if nearest else ""
    return f"{question}`maatpak doctor --settings` lists the settings there are."
