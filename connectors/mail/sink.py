"""The mail service of a workspace without one: a simulator (connectors/mail/simulator.py), seen from who sends."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from connectors.companion import Companion
from connectors.faults import Fault, plan_faults
from connectors.inbox.maildir import drop_mail
from connectors.mail.returning import answer

HOST = "127.0.0.1"
MAILDIR, INCOMING = "maildir", "incoming"


class MailSink:
    """The simulator of a folder, seen from the process that sends."""

    def __init__(self, folder: Path) -> None:
        """What comes back goes into the Maildir `incoming` beside the folder."""
        self.folder = folder
        self.incoming = folder.with_name(INCOMING)
        self._companion = Companion("connectors.mail.simulator", folder)

    @property
    def maildir(self) -> Path:
        """Where the mails lie; any reader of Maildirs can open it."""
        return self.folder / MAILDIR

    def port(self) -> int:
        """The port it listens on; starts it at first use."""
        return self._companion.port()

    def plan_faults(self, faults: Sequence[Fault]) -> None:
        """What goes wrong from now on; none heals it."""
        plan_faults(self.folder, faults)

    def mail_in(self, sender: str, to: str, subject: str, words: str, at: datetime, about: str | None = None) -> None:
        """Let a customer write to us, perhaps in answer to a message of ours, by its Message-ID without brackets."""
        drop_mail(self.incoming, sender, to, answer(sender, to, subject, words, at, about))

    def stop(self) -> None:
        """End it."""
        self._companion.stop()
