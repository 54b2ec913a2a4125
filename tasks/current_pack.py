"""Which pack a creditor's new rounds use, and whose guardrails always apply."""

from collections.abc import Collection

from sqlalchemy import text
from sqlmodel import Session

from maatpak.kernel.errors import UsageError
from maatpak.ledger.database import Frames

PACK_THEN = "SELECT pack_id FROM creditor_pack v WHERE creditor_id = {creditor} AND {visible}"
"""Which pack it was as of a date, with what was known at an instant."""
CURRENT_OF_ALL = "SELECT creditor_id, pack_id FROM creditor_pack WHERE creditor_id = ANY(:ids) AND replaced_at IS NULL"
CURRENT = "SELECT pack_id FROM creditor_pack WHERE creditor_id = {creditor} AND replaced_at IS NULL"


def current_pack(tx: Session | Frames, creditor_id: int) -> int:
    """The creditor's pack.

    Raises:
        UsageError: it has none.
    """
    query = CURRENT.format(creditor=int(creditor_id))
    if isinstance(tx, Session):
        found = tx.execute(text(query)).scalar_one_or_none()
    else:
        rows = tx.read(query)
        found = None if rows.is_empty() else rows.item()
    if found is None:
        raise UsageError(f"Creditor {creditor_id} has no policy pack.", advice="`maatpak policy publish` gives it one.")
    return int(found)


def current_packs(session: Session, creditor_ids: Collection[int]) -> dict[int, int]:
    """The packs of creditors, by the creditor's id; of those that have one."""
    rows = session.connection().execute(text(CURRENT_OF_ALL), {"ids": list(creditor_ids)})
    return {row.creditor_id: row.pack_id for row in rows}
