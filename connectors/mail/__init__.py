"""E-mail: an adapter over aiosmtplib, and a local SMTP simulator that keeps a Maildir and reports."""

from pathlib import Path
from typing import TYPE_CHECKING

from maatpak.kernel.errors import UsageError

if TYPE_CHECKING:
    from connectors.mail.envelope import ReturnPath
    from connectors.mail.signing import Signer
    from connectors.message import MessagePort
    from maatpak.kernel.settings import Settings

LOCAL_RETURN_PATH = "bounces@maatpak.local"
"""Of a workspace without a mail server: its sink shows what a real one would get."""


def build_mail(settings: "Settings", workspace: Path, key: str) -> "MessagePort":
    """The mail server of the settings, or the workspace's own sink; `key` signs. Nothing is started or connected yet.

    Raises:
        UsageError: the key for DKIM cannot be read, or what OAuth needs is missing.
    """
    from connectors.access import access_tokens
    from connectors.mail.sink import MailSink
    from connectors.mail.smtp import MailServer, SmtpMail

    server: MailServer | MailSink = MailSink(workspace / "mail")
    if settings.smtp_host is not None:
        password = settings.smtp_password
        server = MailServer(
            host=settings.smtp_host,
            port=settings.smtp_port,
            user=settings.smtp_user,
            password=password.get_secret_value() if password else None,
            tokens=access_tokens(settings) if settings.smtp_user and not password else None,
            security=settings.smtp_security,
        )
    return SmtpMail(
        server,
        connections=settings.smtp_connections,
        return_path=return_path(settings, key),
        signer=_signer(settings),
    )


def return_path(settings: "Settings", key: str) -> "ReturnPath | None":
    """The mailbox to which reports come back; None where they go to the creditor."""
    from connectors.mail.envelope import ReturnPath

    address = settings.return_path or (LOCAL_RETURN_PATH if settings.smtp_host is None else None)
    return None if address is None else ReturnPath(address, key)


def _signer(settings: "Settings") -> "Signer | None":
    if settings.dkim_domain is None and settings.dkim_key is None:
        return None
    if settings.dkim_domain is None or settings.dkim_key is None:
        raise UsageError("DKIM needs both MAATPAK_DKIM_DOMAIN and MAATPAK_DKIM_KEY.", advice="Set both, or neither.")
    from connectors.mail.signing import Signer

    return Signer(settings.dkim_domain, settings.dkim_selector, settings.dkim_key)
