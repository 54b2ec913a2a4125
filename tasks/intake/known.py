"""What the database knows before an import: the last snapshot, open items, debtors, and what people decided on rows."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from connectors.ledgers.source import CreditorDefinition
from maatpak.ledger.database import Frames
from maatpak.ledger.literals import quoted
from tasks.quality.item_measures import KnownItems

ITEMS = {
    "version_id": pl.Int64,
    "item_id": pl.Int64,
    "debtor_no": pl.String,
    "document_type": pl.String,
    "document_no": pl.String,
    "issued_on": pl.Date,
    "currency": pl.String,
    "amount": pl.Int64,
    "open_amount": pl.Int64,
    "disputed_amount": pl.Int64,
    "disputed_on": pl.Date,
    "source": pl.String,
}


@dataclass(frozen=True)
class LastSnapshot:
    """The newest snapshot of a source."""

    snapshot_id: int
    kind: str
    as_of: date
    row_count: int
    balances: dict[str, int]


@dataclass(frozen=True)
class Known:
    """The state of a creditor that an import starts from."""

    creditor_id: int | None
    """None: the creditor is new."""
    code: str
    currency: str
    country: str
    language: str
    definition: CreditorDefinition | None
    differs: tuple[str, ...]
    """Columns in which the source defines the creditor otherwise than it is known."""
    last: LastSnapshot | None
    items: KnownItems
    debtors: pl.Series
    """Numbers of the debtors."""
    resolutions: pl.DataFrame
    """Rows of this source that a person released or discarded: `table_name`, `raw`, `state`, `correction`, `rules`."""
    last_full: LastSnapshot | None = None
    """The newest full file of the source: released rows come as small deltas in between."""
    history_until: date | None = None
    """The last day that a history of the creditor speaks for."""


def lock_intake(frames: Frames, code: str) -> None:
    """One import a creditor at a time, however long its gate takes; ticks may go on until it writes."""
    frames.execute(f"SELECT pg_advisory_xact_lock(hashtext({quoted('maatpak:intake:' + code)}))")


def load_known(frames: Frames, creditor: CreditorDefinition | str, source: str) -> Known | None:
    """What is known of a creditor; None when it is only named, and there is none of that name."""
    code = creditor if isinstance(creditor, str) else creditor.code
    found = frames.read(f"SELECT * FROM creditor WHERE code = {quoted(code)}")  # noqa: S608 - quoted
    definition = None if isinstance(creditor, str) else creditor
    if found.is_empty():
        if definition is None:
            return None
        return Known(
            creditor_id=None,
            code=code,
            currency=definition.currency,
            country=definition.country,
            language=definition.language,
            definition=definition,
            differs=(),
            last=None,
            items=KnownItems(pl.DataFrame(schema=ITEMS)),
            debtors=pl.Series("debtor_no", [], dtype=pl.String),
            resolutions=pl.DataFrame(schema=dict.fromkeys(_RESOLUTION, pl.String)),
        )
    row = found.row(0, named=True)
    creditor_id = int(row["id"])
    return Known(
        creditor_id=creditor_id,
        code=code,
        currency=row["currency"],
        country=row["country"],
        language=row["language"],
        definition=definition,
        differs=_differences(definition, row),
        last=_last_snapshot(frames, creditor_id, source),
        items=KnownItems(_open_items(frames, creditor_id)),
        debtors=frames.read(f"SELECT debtor_no FROM debtor WHERE creditor_id = {creditor_id}")["debtor_no"],  # noqa: S608
        resolutions=_resolutions(frames, creditor_id, source),
        last_full=_last_snapshot(frames, creditor_id, source, "'full'"),
        history_until=frames.read(
            f"SELECT max(as_of) FROM snapshot WHERE creditor_id = {creditor_id} AND kind = 'history'"  # noqa: S608
        ).item(),
    )


def same_import(frames: Frames, creditor_id: int, source: str, content: str, as_of: date) -> int | None:
    """The snapshot of the same content for the same day, if it is the last of its source: after another, it is news.

    A history speaks for all of its days, whatever came after it.
    """
    own = f"creditor_id = {creditor_id} AND source = {quoted(source)}"
    found = frames.read(
        f"SELECT id FROM snapshot WHERE {own} AND content_hash = {quoted(content)} AND (kind = 'history'"  # noqa: S608 - quoted
        f" OR (as_of = DATE '{as_of}' AND id = (SELECT max(id) FROM snapshot WHERE {own})))"
    )
    return None if found.is_empty() else int(found.item())


def _differences(definition: CreditorDefinition | None, row: dict[str, Any]) -> tuple[str, ...]:
    """A known creditor is never changed by a source: its IBAN and identity take four eyes (rule 10)."""
    if definition is None:
        return ()
    return tuple(name for name, value in definition.model_dump().items() if value is not None and row[name] != value)


def _last_snapshot(frames: Frames, creditor_id: int, source: str, kinds: str = "kind") -> LastSnapshot | None:
    found = frames.read(
        "SELECT id, kind, as_of, row_count, balances::text AS balances FROM snapshot"  # noqa: S608 - quoted
        f" WHERE creditor_id = {creditor_id} AND source = {quoted(source)} AND kind = {kinds}"
        " ORDER BY as_of DESC, id DESC LIMIT 1"
    )
    if found.is_empty():
        return None
    snapshot_id, kind, as_of, row_count, balances = found.row(0)
    return LastSnapshot(int(snapshot_id), kind, as_of, int(row_count), json.loads(balances))


def _open_items(frames: Frames, creditor_id: int) -> pl.DataFrame:
    return frames.read(
        f"""
        SELECT v.id AS version_id, v.item_id, d.debtor_no, v.item_type AS document_type, v.document_no, v.issued_on,
               v.currency, v.amount, v.open_amount, v.disputed_amount, v.disputed_on, s.source
        FROM item_version v JOIN debtor d ON d.id = v.debtor_id LEFT JOIN snapshot s ON s.id = v.snapshot_id
        WHERE v.creditor_id = {creditor_id} AND v.replaced_at IS NULL AND v.open_amount > 0
        """  # noqa: S608 - an integer
    ).cast(pl.Schema(ITEMS))


_RESOLUTION = ("table_name", "raw", "state", "correction", "rules")


def _resolutions(frames: Frames, creditor_id: int, source: str) -> pl.DataFrame:
    """Only the newest decision on equal rows counts."""
    return frames.read(
        f"""
        SELECT DISTINCT ON (q.table_name, q.raw) q.table_name, q.raw::text AS raw, q.state,
               q.correction::text AS correction, q.rules
        FROM quarantined_row q JOIN snapshot s ON s.id = q.snapshot_id
        WHERE q.creditor_id = {creditor_id} AND s.source = {quoted(source)} AND q.state IN ('released', 'discarded')
        ORDER BY q.table_name, q.raw, q.id DESC
        """  # noqa: S608 - quoted
    ).cast(dict.fromkeys(_RESOLUTION, pl.String))


def known_payments(frames: Frames, creditor_id: int | None, payments: pl.DataFrame) -> pl.DataFrame:
    """Payments of these numbers that are known already: `payment_no`, `known_amount`, `known_on`."""
    if creditor_id is None or payments.is_empty():
        return pl.DataFrame(schema={"payment_no": pl.String, "known_amount": pl.Int64, "known_on": pl.Date})
    frames.stage("intake_payment_numbers", payments.select(pl.col("payment_no").unique()))
    return frames.read(
        "SELECT p.payment_no, p.amount AS known_amount, p.paid_on AS known_on FROM payment p"  # noqa: S608 - an integer
        f" JOIN pg_temp.intake_payment_numbers n USING (payment_no) WHERE p.creditor_id = {creditor_id}"
    )


def paid_before(frames: Frames, creditor_id: int | None) -> pl.DataFrame:
    """What was paid on each open item by now: `item_id`, `applied`."""
    if creditor_id is None:
        return pl.DataFrame(schema={"item_id": pl.Int64, "applied": pl.Int64})
    return frames.read(
        f"""
        SELECT p.item_id, sum(p.applied)::bigint AS applied
        FROM payment p JOIN item_version v ON v.item_id = p.item_id AND v.replaced_at IS NULL AND v.open_amount > 0
        WHERE p.creditor_id = {creditor_id} GROUP BY p.item_id
        """  # noqa: S608 - an integer
    )
