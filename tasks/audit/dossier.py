"""A debtor's dossier leaves the house: who took it is an event, and that keeps the dossier's seal."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.export import Exported, export_debtor
from tasks.access.sight import require_sight
from tasks.desk import acting_person
from tasks.rights import AUDITORS

if TYPE_CHECKING:
    from tasks.engine import Engine


def export_dossier(
    engine: "Engine", creditor: str, debtor_no: str, target: Path | BinaryIO, actor: str, now: datetime
) -> Exported:
    """Write the dossier of a debtor into a new folder or archive (`export_debtor`), and its seal into the chain.

    Raises:
        UsageError: there is no such debtor, or the target is there already.
        RefusedError: the person may not, or may not see the creditor.
    """
    with engine.database.reading() as session:
        acting_person(session, actor, "export a dossier", *AUDITORS)
        require_sight(session, actor, creditor)
    done = export_debtor(engine.database, engine.store, engine.anchors.last(), creditor, debtor_no, target, now)
    body = {"seal": done.seal, "files": done.files, "rows": done.rows}
    draft = EventDraft("dossier_exported", actor, creditor_id=done.creditor_id, debtor_id=done.debtor_id, body=body)
    with engine.database.session() as session:
        append_events(session, [draft], now)
    engine.anchor()
    return done
