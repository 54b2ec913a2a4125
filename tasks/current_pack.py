"""Which pack a creditor's new rounds use, and whose guardrails always apply."""

from sqlalchemy import text
from sqlmodel import Session

from maatpak.kernel.errors import UsageError
from maatpak.ledger.database import Frames

PACK_THEN = "SELECT pack_id FROM creditor_pack v WHERE creditor_id = {creditor} AND {visible}"
"""Which pack it was as of a date, with what was known at an instant."""
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
