"""E-mail: the port, an adapter over aiosmtplib, and a local SMTP sink that keeps a Maildir."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.mail.port import MailPort
    from maatpak.kernel.settings import Settings


def build_mail(settings: "Settings", workspace: Path) -> "MailPort":
    """The mail server of the settings, or the workspace's own sink. Nothing is started or connected yet."""
    from connectors.mail.sink import MailSink
    from connectors.mail.smtp import SmtpMail

    if settings.smtp_host is None:
        return SmtpMail(sink=MailSink(workspace / "mail"), connections=settings.smtp_connections)
    return SmtpMail(
        host=settings.smtp_host,
        port=settings.smtp_port,
        user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        connections=settings.smtp_connections,
    )
