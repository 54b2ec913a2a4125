"""Dossiers: everything on a customer as an archive that proves itself, and which ones have left the house."""

from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from maatpak.console.frame.asking import Acting, Asking, owner
from maatpak.console.frame.declared import Content, Done
from maatpak.console.frame.fields import NoFields
from maatpak.ledger.tables import Debtor
from tasks.audit.dossier import export_dossier

ZIP = "application/zip"
DEBTOR = """
SELECT d.id AS debtor_id, d.debtor_no, COALESCE(p.name, d.debtor_no) AS name,
  (SELECT min(k.id) FROM "case" k WHERE k.debtor_id = d.id) AS case_id
FROM debtor d LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL WHERE d.id = :id
"""
TAKEN = """
SELECT seq, recorded_at AS at, actor, body ->> 'seal' AS seal, CAST(body ->> 'files' AS int) AS files,
  CAST(body ->> 'rows' AS int) AS rows
FROM event WHERE debtor_id = :id AND kind = 'dossier_exported' ORDER BY seq DESC LIMIT 20
"""


@dataclass(frozen=True)
class Taken:
    """A dossier that left."""

    seq: int
    """Its event."""
    at: datetime
    actor: str
    seal: str
    """SHA-256 of its `SHA256SUMS`."""
    files: int
    rows: int


@dataclass(frozen=True)
class DossiersSheet:
    """The dossiers of a customer."""

    debtor_id: int
    debtor_no: str
    name: str
    case_id: int | None
    creditor: str
    time_zone: str
    taken: list[Taken]
    """The newest first, at most 20."""


def read_dossiers(asking: Asking, debtor_id: int) -> DossiersSheet:
    """Who took which."""
    creditor = asking.creditor_of("debtor_id", debtor_id)
    (row,) = asking.rows(DEBTOR, id=debtor_id)
    taken = [Taken(**each) for each in asking.rows(TAKEN, id=debtor_id)]
    return DossiersSheet(**row, creditor=creditor.code, time_zone=creditor.time_zone, taken=taken)


def take_dossier(acting: Acting, form: NoFields, debtor_id: int) -> Done:
    """Make one, in memory: no file of it lies about."""
    del form
    with acting.engine.database.reading() as session:
        creditor = owner(session, acting.visitor, "debtor_id", debtor_id)
        debtor_no = session.get_one(Debtor, debtor_id).debtor_no
    archive = BytesIO()
    done = export_dossier(acting.engine, creditor.code, debtor_no, archive, acting.visitor.login, acting.now)
    name = f"dossier-{creditor.code}-{debtor_id}-{done.seal[:12]}.zip"
    told = f"The dossier was made: {done.files} files. Its seal is {done.seal}."
    data = {"seal": done.seal, "files": done.files, "rows": done.rows}
    return Done(told, data=data, file=Content(archive.getvalue(), ZIP, name))
