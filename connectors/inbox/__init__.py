"""Mails that arrive: the port, an IMAP account or a Maildir folder, and what a mail says."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.inbox.port import Mailbox
    from maatpak.kernel.settings import Settings


def build_mailbox(settings: "Settings", workspace: Path) -> "Mailbox":
    """The IMAP account of the settings, or the workspace's own Maildir. Nothing is made or connected yet.

    Raises:
        UsageError: what OAuth needs is missing.
    """
    from connectors.inbox.maildir import MaildirMailbox

    if settings.imap_host is None:
        return MaildirMailbox(workspace / "incoming")
    from connectors.access import access_tokens
    from connectors.inbox.imap import ImapMailbox

    password = settings.imap_password.get_secret_value() if settings.imap_password else ""
    return ImapMailbox(
        host=settings.imap_host,
        port=settings.imap_port,
        security=settings.imap_security,
        user=settings.imap_user or "",
        password=password,
        tokens=None if password else access_tokens(settings),
        folder=settings.imap_folder,
        done_folder=settings.imap_done_folder,
    )
