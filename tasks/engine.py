"""The composition root: settings in, everything else from here. Nothing connects at import (law 13)."""

from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import text

from maatpak.kernel.clock import Clock
from maatpak.kernel.settings import Settings
from maatpak.ledger import schema
from maatpak.ledger.anchors import Anchors
from maatpak.ledger.database import Database
from maatpak.ledger.embedded import EmbeddedPostgres
from maatpak.ledger.store import EvidenceStore
from maatpak.ledger.workspace import Workspace

if TYPE_CHECKING:
    from connectors.agency import AgencyPort
    from connectors.inbox.port import Mailbox
    from connectors.message import MessagePort
    from connectors.post.port import PostPort
    from policies.pack import CompiledPack


class Engine:
    """One process's hold on one installation. Its parts are made when first asked for; `close` gives them up."""

    def __init__(
        self, settings: Settings, database: Database, server: EmbeddedPostgres | None = None, clock: Clock | None = None
    ) -> None:
        self.settings = settings
        self.database = database
        self.workspace = Workspace(settings.workspace)
        self.store = EvidenceStore(settings.evidence_url or str(self.workspace.evidence))
        self.anchors = Anchors(self.workspace.anchors)
        self._server = server
        self.clock: Clock = clock or settings.clock
        self._packs: dict[int, CompiledPack] = {}
        self._creditors: dict[str, int] = {}

    def pack(self, pack_id: int) -> "CompiledPack":
        """A published pack, compiled. It is immutable, so it is read and compiled once."""
        if pack_id not in self._packs:
            from maatpak.ledger.packs import load_pack_files
            from policies.pack import load_pack

            with self.database.reading() as session:
                files = load_pack_files(session, pack_id)
            self._packs[pack_id] = load_pack(files)
        return self._packs[pack_id]

    def creditor_id(self, code: str) -> int:
        """The id of a creditor by its code; it is the same for ever, so it is read once.

        Raises:
            UsageError: there is none.
        """
        if code not in self._creditors:
            from tasks.register import creditor_by_code

            with self.database.reading() as session:
                creditor = creditor_by_code(session, code)
                assert creditor.id is not None
                self._creditors[code] = creditor.id
        return self._creditors[code]

    @cached_property
    def mail(self) -> "MessagePort":
        """The way out for e-mail."""
        from connectors.mail import build_mail

        return build_mail(self.settings, self.workspace.sinks, self.link_key)

    @cached_property
    def mailbox(self) -> "Mailbox":
        """Where mails come in."""
        from connectors.inbox import build_mailbox

        return build_mailbox(self.settings, self.workspace.sinks)

    @cached_property
    def sms(self) -> "MessagePort":
        """The way out for texts."""
        from connectors.sms import build_sms

        return build_sms(self.settings, self.workspace.sinks)

    @cached_property
    def post(self) -> "PostPort":
        """The way out for letters."""
        from connectors.post import build_post

        return build_post(self.settings, self.workspace.sinks)

    @cached_property
    def agency(self) -> "AgencyPort":
        """The way to the collection agency."""
        from connectors.agency import build_agency

        return build_agency(self.settings, self.workspace.sinks)

    @cached_property
    def link_key(self) -> str:
        """The key that signs references in messages."""
        return self.workspace.link_key(self.settings)

    def anchor(self) -> None:
        """Write the head of the event chain down outside the database; to be called after a commit."""
        with self.database.session() as session:
            seq, hash_ = session.connection().execute(text("SELECT seq, hash FROM event_head")).one()
        if seq:
            self.anchors.record(seq, hash_, self.clock.now())

    def close(self) -> None:
        """End local simulators, give connections back, and stop the embedded database if we are its last user."""
        for name in ("mail", "sms", "post"):
            port = self.__dict__.pop(name, None)
            if port is not None:
                port.shut()
        self.database.close()
        if self._server is not None:
            self._server.leave()
            self._server = None


def open_engine(settings: Settings, clock: Clock | None = None) -> Engine:
    """The engine of an installation that `initialise` has made.

    Raises:
        WorkspaceError: there is no workspace, its database does not start, or has another schema than ours.
    """
    if settings.database_url is None:
        Workspace(settings.workspace).require()
    engine = _attach(settings, clock)
    try:
        schema.require_current(engine.database)
    except BaseException:
        engine.close()
        raise
    return engine


def initialise(settings: Settings) -> None:
    """Make the workspace and its database, or bring them up; what is there stays."""
    Workspace(settings.workspace).create()
    engine = _attach(settings, None)
    try:
        schema.upgrade(engine.database)
    finally:
        engine.close()


def _attach(settings: Settings, clock: Clock | None) -> Engine:
    if settings.database_url is not None:
        return Engine(settings, Database(settings.database_url.get_secret_value()), clock=clock)
    server = EmbeddedPostgres.of_workspace(settings.workspace)
    server.start()
    return Engine(settings, Database(server.url), server, clock)
