"""The workspace: one folder with everything of an installation that is not in the database."""

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from maatpak.kernel.errors import WorkspaceError
from maatpak.kernel.settings import Settings

FOLDERS = ("evidence", "anchors", "sinks", "packs", "sources", "prefect")
SETTINGS_FILE = "maatpak.env"
LINK_KEY_FILE = "link.key"
DATABASE_ID_FILE = "database.id"
"""Which embedded database is the workspace's, where that cannot lie inside it."""


@dataclass(frozen=True)
class Workspace:
    """Where things lie; making one touches nothing."""

    root: Path

    @property
    def evidence(self) -> Path:
        """Snapshots, messages, reports and frames, by content."""
        return self.root / "evidence"

    @property
    def anchors(self) -> Path:
        """Heads of the event chain, written down outside the database."""
        return self.root / "anchors"

    @property
    def sinks(self) -> Path:
        """What the local simulators received: mail, texts, letters, dossiers."""
        return self.root / "sinks"

    @property
    def deliveries(self) -> Path:
        """The journals of deliveries that are under way, or were broken off."""
        return self.root / "deliveries"

    @property
    def sources(self) -> Path:
        """The user's ledger sources."""
        return self.root / "sources"

    @property
    def prefect(self) -> Path:
        """Prefect's own home, so that nobody else's is touched."""
        return self.root / "prefect"

    def create(self) -> None:
        """Make the folders, the explained settings file, the key that signs links and the mark; keep what is there."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            for name in FOLDERS:
                (self.root / name).mkdir(mode=0o700, exist_ok=True)
            _write_new(self.root / SETTINGS_FILE, settings_template())
            _write_new(self.root / LINK_KEY_FILE, secrets.token_urlsafe(32) + "\n")
            _write_new(self.root / DATABASE_ID_FILE, secrets.token_hex(6) + "\n")
        except OSError as error:
            raise WorkspaceError(
                f"The workspace {self.root} cannot be made: {error.strerror} ({error.filename}).",
                advice="Choose another with --workspace or MAATPAK_WORKSPACE.",
            ) from error

    def require(self) -> None:
        """Refuse a folder that is not a workspace.

        Raises:
            WorkspaceError: a part of it is missing.
        """
        missing = [name for name in FOLDERS if not (self.root / name).is_dir()]
        if missing:
            raise WorkspaceError(
                f"{self.root} is not a Maatpak workspace: it has no {', '.join(missing)}.",
                advice="`maatpak init` makes one; --workspace or MAATPAK_WORKSPACE names another.",
            )

    def link_key(self, settings: Settings) -> str:
        """The key that signs references in messages: the setting, or the workspace's own."""
        if settings.link_secret is not None:
            return settings.link_secret.get_secret_value()
        try:
            return (self.root / LINK_KEY_FILE).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise WorkspaceError(
                f"The workspace {self.root} has no {LINK_KEY_FILE}.", advice="`maatpak init` makes a new one."
            ) from None


def settings_template() -> str:
    """A settings file in which every setting stands, explained and switched off."""
    lines = ["# Settings of this Maatpak workspace; the environment overrules them. Take the # away to set one.", ""]
    for name, field in Settings.model_fields.items():
        if name != "workspace":
            # A secret's text is a row of stars, which would be taken for the secret once its # is away.
            shown = field.default is not None and not isinstance(field.default, SecretStr)
            default = str(field.default) if shown else ""
            lines += [f"# {field.description}", f"# MAATPAK_{name.upper()}={default}", ""]
    return "\n".join(lines)


def _write_new(path: Path, text: str) -> None:
    """Whole or not at all, for others may look at once; what is there stays."""
    if path.exists():
        return
    fresh = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    with contextlib.suppress(FileExistsError):
        os.link(fresh, path)
    fresh.unlink()
