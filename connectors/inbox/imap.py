"""An IMAP account as mailbox (RFC 3501, 9051), over imap-tools.

Without a folder for what is done, a filed mail is flagged as seen, so people had better not read in the same folder;
with one, everything in the folder has arrived until it is moved. A mail is known by its UID and the folder's
UIDVALIDITY: where the server numbers its mails anew, an old number is not taken for another mail.
"""

import imaplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, MailboxLoginError

from connectors.inbox.port import Arrived
from maatpak.kernel.errors import MaatpakError, OutsideError, TransientError
from maatpak.kernel.settings import ImapSecurity

if TYPE_CHECKING:
    from connectors.access import AccessTokens

TIMEOUT = 30.0
MEND_LOGIN = (
    "Correct MAATPAK_IMAP_USER and MAATPAK_IMAP_PASSWORD; some services want a password for programs of its own, or"
    " MAATPAK_OAUTH_… instead."
)
MEND_SERVER = (
    "See that the server of MAATPAK_IMAP_HOST, MAATPAK_IMAP_PORT and MAATPAK_IMAP_SECURITY is reached from here."
)
MEND_FOLDER = "Correct MAATPAK_IMAP_FOLDER, or make the folder."

T = TypeVar("T")


class ImapMailbox:
    """A folder of an account. Connects when first used, and again when the server has hung up."""

    def __init__(
        self,
        *,
        host: str,
        port: int | None,
        security: ImapSecurity,
        user: str,
        password: str = "",
        tokens: "AccessTokens | None" = None,
        folder: str,
        done_folder: str | None,
    ) -> None:
        self._host = host
        self._port = port or (993 if security is ImapSecurity.TLS else 143)
        self._security = security
        self._user = user
        self._password = password
        self._tokens = tokens
        self._folder = folder
        self._done_folder = done_folder
        self._open: BaseMailBox | None = None
        self._validity = ""

    def arrived(self) -> Iterator[Arrived]:
        """The mails that were not filed, in the order in which they came."""
        criteria = "UNDELETED" if self._done_folder else "UNDELETED UNSEEN"
        for uid in self._asked(lambda box: box.uids(criteria, charset=None)):
            validity = self._validity
            content = self._asked(partial(_content, uid=uid))
            if self._validity != validity:
                raise TransientError(
                    "The mail server numbered its mails anew while they were read.", advice="Read again."
                )
            if content is not None:
                yield Arrived(f"{validity}.{uid}", content)

    def file(self, arrived: Arrived) -> None:
        """Move it to the folder for what is done, or flag it as seen. If it is gone, that is done too."""
        validity, _, uid = arrived.uid.partition(".")
        self._asked(lambda box: self._put_away(box, validity, uid))

    def close(self) -> None:
        """Say goodbye, if connected."""
        if self._open is not None:
            # The server may have hung up first.
            with suppress(ImapToolsError, imaplib.IMAP4.error, OSError):
                self._open.logout()
            self._hang_up()

    def _put_away(self, box: BaseMailBox, validity: str, uid: str) -> None:
        if validity != self._validity:
            raise TransientError(
                f"The mail server numbered the mails of {self._folder} anew.",
                advice="Read again: this mail comes again.",
            )
        if self._done_folder is None:
            _store(box, uid, "\\Seen")
        elif "MOVE" in box.client.capabilities:
            box.move([uid], self._done_folder)
        else:
            box.copy([uid], self._done_folder)
            _store(box, uid, "\\Deleted")
            if "UIDPLUS" in box.client.capabilities:
                # A plain EXPUNGE would also remove what people have marked.
                _checked(box.client.uid("EXPUNGE", uid))

    def _asked(self, question: Callable[[BaseMailBox], T]) -> T:
        """The answer of the server; where it has hung up since the last question, a new connection asks once more."""
        fresh = self._open is None
        try:
            try:
                return question(self._open or self._connected())
            except (imaplib.IMAP4.abort, OSError):
                self._hang_up()
                if fresh:
                    raise
                return question(self._connected())
        except (ImapToolsError, imaplib.IMAP4.error, OSError) as error:
            self._hang_up()
            raise self._told(error) from error

    def _connected(self) -> BaseMailBox:
        token = None if self._tokens is None else self._tokens.token()
        box = self._open = self._reached()
        try:
            self._log_in(box, token)
        except (MailboxLoginError, imaplib.IMAP4.error) as error:
            if isinstance(error, imaplib.IMAP4.abort):
                raise
            self._hang_up()
            raise OutsideError(f"The mail server {self._host} refuses the login.", advice=MEND_LOGIN) from error
        # What a server can do it may tell only who is logged in; imap-tools asks here whether it can move.
        told = _checked(box.client.capability())
        box.client.capabilities = tuple(_ascii(told[-1]).upper().split())
        if self._done_folder and not box.folder.exists(self._done_folder):
            box.folder.create(self._done_folder)
        box.folder.set(self._folder)
        validity = box.client.untagged_responses.get("UIDVALIDITY") or [b"0"]
        self._validity = _ascii(validity[-1])
        return box

    def _log_in(self, box: BaseMailBox, token: str | None) -> None:
        if token is not None:
            box.xoauth2(self._user, token, initial_folder=None)
            return
        login = box.login if (self._user + self._password).isascii() else box.login_utf8
        login(self._user, self._password, initial_folder=None)

    def _hang_up(self) -> None:
        box, self._open = self._open, None
        if box is not None:
            with suppress(OSError):
                box.client.shutdown()

    def _reached(self) -> BaseMailBox:
        if self._security is ImapSecurity.NONE:
            return MailBoxUnencrypted(self._host, self._port, TIMEOUT)
        trusted = ssl.create_default_context()
        if self._security is ImapSecurity.STARTTLS:
            return MailBoxStartTls(self._host, self._port, TIMEOUT, ssl_context=trusted)
        return MailBox(self._host, self._port, TIMEOUT, ssl_context=trusted)

    def _told(self, error: Exception) -> MaatpakError:
        place = f"{self._host}:{self._port}"
        if isinstance(error, ssl.SSLCertVerificationError):
            return OutsideError(
                f"The certificate of {place} does not hold: {error.verify_message}.", advice=MEND_SERVER
            )
        if isinstance(error, MailboxFolderSelectError):
            return OutsideError(f"The mailbox at {place} has no folder {self._folder!r}.", advice=MEND_FOLDER)
        if isinstance(error, OSError):
            return TransientError(f"The mail server {place} is not reached: {error}.", advice=MEND_SERVER)
        return TransientError(
            f"The mail server {place} does not do what it is asked: {error}"[:500], advice=MEND_SERVER
        )


def _content(box: BaseMailBox, uid: str) -> bytes | None:
    """The mail, not flagged as seen by this; None if another program took it away."""
    for line in _checked(box.client.uid("FETCH", uid, "(BODY.PEEK[])")):
        if isinstance(line, tuple):
            return bytes(line[1])
    return None


def _store(box: BaseMailBox, uid: str, flag: str) -> None:
    # imap-tools' own `flag` also removes whatever people have marked as deleted.
    _checked(box.client.uid("STORE", uid, "+FLAGS.SILENT", f"({flag})"))


def _ascii(told: object) -> str:
    return told.decode("ascii", "replace") if isinstance(told, bytes) else ""


def _checked(answer: tuple[str, list[object]]) -> list[object]:
    state, data = answer
    if state != "OK":
        raise imaplib.IMAP4.error(f"{state} {data!r}"[:300])
    return data
