"""Who waits for whom: one order of locks for everything that changes cases.

1. The creditor, exclusively where the whole of it is looked at or moved (begin a day, settle), shared by single acts.
2. Its parties, in ascending order of id. The lock is the party's row, not an advisory one: a cohort of 20,000 parties
   would not fit into PostgreSQL's table of locks, and rows cost nothing there. Foreign keys to the party still pass.
3. The head of the events, last (maatpak.ledger.audit).
"""

from collections.abc import Iterable

from sqlalchemy import text
from sqlmodel import Session

from maatpak.ledger.database import Frames

Transaction = Session | Frames


def _run(tx: Transaction, statement: str) -> None:
    if isinstance(tx, Session):
        tx.execute(text(statement.replace(":", "\\:")))
    else:
        tx.execute(statement)


def lock_creditor(tx: Transaction, creditor_id: int, *, shared: bool = False) -> None:
    """Wait for the creditor until the transaction ends; `shared` holders wait for the exclusive ones only."""
    _run(tx, creditor_lock(creditor_id, shared=shared))


def try_creditor(session: Session, creditor_id: int) -> bool:
    """Have the creditor exclusively at once, as who may hold it shared already; false if others are at work on it.

    Two that waited for each other to let go of their share would wait for ever, so nobody waits.
    """
    statement = f"SELECT pg_try_advisory_xact_lock(hashtext('maatpak:creditor:{int(creditor_id)}'))"
    return bool(session.execute(text(statement.replace(":", "\\:"))).scalar_one())


def creditor_lock(creditor_id: int, *, shared: bool = False) -> str:
    """The statement of `lock_creditor`, for whoever sends several in one round trip."""
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    return f"SELECT {function}(hashtext('maatpak:creditor:{int(creditor_id)}'))"


def lock_shard(tx: Transaction, creditor_id: int, shard: int, shards: int) -> None:
    """Wait for one shard of the creditor, beside others that tick its other shards."""
    lock_creditor(tx, creditor_id, shared=True)
    _run(
        tx, f"SELECT pg_advisory_xact_lock(hashtext('maatpak:creditor:{int(creditor_id)}:{int(shard)}/{int(shards)}'))"
    )


def lock_parties(tx: Transaction, party_ids: Iterable[int]) -> None:
    """Wait for the parties in ascending order and hold them until the transaction ends."""
    chosen = sorted({int(party_id) for party_id in party_ids})
    if chosen:
        listed = ",".join(map(str, chosen))
        # The count makes it one row of answer however many parties there are.
        _run(
            tx,
            "SELECT count(*) FROM (SELECT id FROM party"  # noqa: S608 - integers only
            f" WHERE id = ANY(ARRAY[{listed}]::bigint[]) ORDER BY id FOR NO KEY UPDATE) locked",
        )
