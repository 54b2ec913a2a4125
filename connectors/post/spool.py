"""A print room's folder: one PDF and one JSON manifest a letter, named by the letter's reference.

The manifest is put in place last and in one stroke, and it carries the PDF's hash. So a letter is spooled when its
manifest is there and not before, and spooling it again leaves what is there: an attempt that was broken off is simply
made again, and no letter is ever unknown.
"""

import asyncio
import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from connectors.message import Begun, Enclosure, Outgoing, at_once
from connectors.outcome import Blame, Failed, Held, Outcome, Sent, Unknown
from connectors.post.port import LetterReport
from connectors.post.print_room import receipts, withdraw
from connectors.post.typesetting import Typesetters, fitting
from maatpak.kernel.errors import UsageError
from maatpak.kernel.files import sync_folder, write_whole
from maatpak.kernel.ids import bytes_hash, reference_token


class PostSpool:
    """A folder that a print room empties."""

    repeatable = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._typesetters = Typesetters(fitting())
        self.lanes = fitting() + 1
        """While one letter is spooled, the next one is set: no core waits for the disk."""

    async def send(
        self,
        outgoing: Outgoing,
        enclosures: Sequence[Enclosure],
        valid_for: timedelta | None = None,
        begun: Begun = at_once,
    ) -> Outcome:
        """Set the letter and spool it with its enclosures."""
        del valid_for
        if not outgoing.recipient.lines:
            return Failed("the letter has no address", permanent=True)
        try:
            made = await asyncio.to_thread(self._made, outgoing)
            if not await begun():
                return Held()
            return await asyncio.to_thread(self._spool, outgoing, enclosures, made) if isinstance(made, bytes) else made
        except OSError as error:
            return Failed(f"the spool folder cannot be written: {error}", permanent=False, blame=Blame.SERVICE)

    async def ask(self, outgoing: Outgoing) -> Outcome:
        """Whether the letter is spooled."""
        manifest = self._path(outgoing, ".json")
        if not manifest.exists():
            return Unknown("the letter is not in the spool folder")
        return Sent(json.loads(manifest.read_text())["sha256"])

    async def reports(self, since: date) -> Sequence[LetterReport | UsageError]:
        """What the print room's receipts say of that day or later, oldest first; then what cannot be understood."""
        told = await asyncio.to_thread(lambda: list(receipts(self.folder)))
        reports = sorted(each for each in told if isinstance(each, LetterReport) and each.on >= since)
        return [*reports, *(each for each in told if isinstance(each, UsageError))]

    async def cancel(self, service_ref: str, on: date) -> bool:
        """Have no print run take a letter; whether none has it yet."""
        return await asyncio.to_thread(withdraw, self.folder, service_ref, on)

    async def watch(self, url: str, secret: str) -> bool:
        """A print room calls nobody back: it leaves receipts."""
        del url, secret
        return False

    async def close(self) -> None:
        """Nothing is held open."""

    def shut(self) -> None:
        """End the processes that set letters."""
        self._typesetters.stop()

    def _made(self, outgoing: Outgoing) -> bytes | Outcome:
        """The letter set; or that it is spooled already, or cannot be set."""
        manifest = self._path(outgoing, ".json")
        if manifest.exists():
            return Sent(json.loads(manifest.read_text())["sha256"])
        return self._typesetters.letter(outgoing)

    def _spool(self, outgoing: Outgoing, enclosures: Sequence[Enclosure], pdf: bytes) -> Outcome:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._path(outgoing, ".pdf"), pdf)
        listed = []
        for number, enclosure in enumerate(enclosures, start=1):
            path = self._path(outgoing, f".{number}{Path(enclosure.name).suffix}")
            write_whole(path, enclosure.content)
            listed.append({"file": path.name, "name": enclosure.name, "sha256": bytes_hash(enclosure.content)})
        described = {
            "reference": outgoing.message_ref,
            "file": self._path(outgoing, ".pdf").name,
            "sha256": bytes_hash(pdf),
            "address": list(outgoing.recipient.lines),
            "language": outgoing.language,
            "subject": outgoing.subject,
            "dated": outgoing.dated,
            "enclosures": listed,
        }
        write_whole(self._path(outgoing, ".json"), json.dumps(described, ensure_ascii=False, indent=1).encode())
        sync_folder(self.folder)
        return Sent(str(described["sha256"]))

    def _path(self, outgoing: Outgoing, suffix: str) -> Path:
        return self.folder / f"{reference_token(outgoing.message_ref)}{suffix}"
