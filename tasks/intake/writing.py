"""Writes a planned import into the ledger's tables, inside the caller's transaction.

Only what changed gets a new version; the old one is stamped, never rewritten. A history's versions carry the days on
which each thing became known, so that a later day's ledger is a view of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from maatpak.kernel.ids import canonical_json
from maatpak.ledger.database import Frames
from maatpak.ledger.literals import quoted
from maatpak.ledger.tables import DebtorProfile, ItemVersion
from maatpak.ledger.versions import succeed_all
from tasks.intake.known import Known
from tasks.intake.plan import PROFILE, Plan
from tasks.intake.states import STATE

FINDINGS_KEPT = 1_000
"""Findings a rule and file that the database keeps; all of them are in the evidence."""

_DEFAULTS = {
    "preferred_channel": "'email'",
    "key_account": "false",
    "risk_class": "'none'",
    "legal_stop": "'none'",
}
"""What a profile has where nobody ever told."""


@dataclass(frozen=True)
class Origin:
    """Where an import's rows come from, and when they are recorded."""

    creditor_id: int
    snapshot_id: int
    source: str
    as_of: date
    at: datetime
    actor: str
    is_history: bool
    is_full: bool
    is_backdated: bool
    """Recorded as of the day on which each thing became known, at midnight UTC: nobody has looked at it before."""

    @property
    def day(self) -> str:
        """The business date as SQL."""
        return f"DATE '{self.as_of.isoformat()}'"

    @property
    def moment(self) -> str:
        """The instant of recording as SQL."""
        return f"TIMESTAMPTZ '{self.at.isoformat()}'"

    def recorded(self, valid_from: str) -> str:
        """When something valid from a day is recorded, as SQL."""
        return f"({valid_from}::timestamp AT TIME ZONE 'UTC')" if self.is_backdated else self._when(valid_from)

    def _when(self, valid_from: str) -> str:
        """The instant of recording, where there is a day at all."""
        return f"(CASE WHEN {valid_from} IS NOT NULL THEN {self.moment} END)"


def write_creditor(frames: Frames, known: Known, at: datetime) -> int:
    """The creditor's id; a new one is made from its definition, a known one is left as it is."""
    if known.creditor_id is not None:
        return known.creditor_id
    assert known.definition is not None
    given = {name: value for name, value in known.definition.model_dump().items() if value is not None}
    values = ", ".join(quoted(value) for value in given.values())
    made = frames.read(
        f"INSERT INTO creditor ({', '.join(given)}, recorded_at) VALUES ({values}, TIMESTAMPTZ '{at.isoformat()}')"  # noqa: S608
        " RETURNING id"
    )
    return int(made.item())


def write_snapshot(frames: Frames, row: dict[str, Any]) -> int:
    """The id of a new snapshot row; dictionaries and lists become JSON."""
    spelled = []
    for value in row.values():
        match value:
            case dict() | list():
                spelled.append(f"{quoted(canonical_json(value))}::jsonb")
            case datetime():
                spelled.append(f"TIMESTAMPTZ '{value.isoformat()}'")
            case date():
                spelled.append(f"DATE '{value.isoformat()}'")
            case int():
                spelled.append(str(value))
            case _:
                spelled.append(quoted(value))
    made = frames.read(f"INSERT INTO snapshot ({', '.join(row)}) VALUES ({', '.join(spelled)}) RETURNING id")  # noqa: S608
    return int(made.item())


MANY = 1_000
"""Rows after which the tables' statistics are taken anew: the day that follows reads them before the server would."""
WRITTEN = ("party", "debtor", "debtor_profile", "item", "item_version", "payment", '"case"')


def write_plan(frames: Frames, plan: Plan, origin: Origin) -> dict[str, int]:
    """Write everything of a plan; how many rows of each kind there were."""
    # What was just inserted has no statistics yet, and a plan with nested loops over it would take hours.
    frames.execute("SET LOCAL enable_nestloop = off")
    frames.execute("SET LOCAL work_mem = '128MB'")
    counts = {}
    if plan.debtors.width > 1:
        frames.stage("intake_debtors", plan.debtors)
        frames.execute("ANALYZE pg_temp.intake_debtors")
        counts["debtors"] = _write_debtors(frames, origin)
        counts["profiles"] = _write_profiles(frames, plan.debtors.columns, origin)
    frames.stage("intake_items", plan.items)
    frames.execute("ANALYZE pg_temp.intake_items")
    counts["items"] = _write_items(frames, origin)
    counts["versions"] = _write_versions(frames, origin)
    if plan.left.height:
        changed = plan.left.with_columns(pl.lit(origin.snapshot_id).alias("snapshot_id"))
        counts["left"] = succeed_all(frames, ItemVersion, changed, origin.as_of, origin.at)
    if plan.payments.height:
        frames.stage("intake_payments", plan.payments)
        counts["payments"] = _write_payments(frames, origin)
    if plan.cases.height:
        frames.stage("intake_cases", plan.cases)
        counts["cases"] = _write_cases(frames, origin)
    if sum(counts.values()) >= MANY:
        frames.execute(f"ANALYZE {', '.join(WRITTEN)}")
    return {name: max(count, 0) for name, count in counts.items()}


def _write_debtors(frames: Frames, origin: Origin) -> int:
    frames.execute(
        f"""
        INSERT INTO party (party_ref, shard_key, recorded_at)
        SELECT DISTINCT ON (party_ref) party_ref, shard_key, {origin.recorded("valid_from")}
        FROM pg_temp.intake_debtors ORDER BY party_ref, valid_from ON CONFLICT (party_ref) DO NOTHING
        """  # noqa: S608 - typed dates
    )
    return frames.execute(
        f"""
        INSERT INTO debtor (creditor_id, party_id, debtor_no, recorded_at)
        SELECT DISTINCT ON (n.debtor_no) {origin.creditor_id}, COALESCE(p.merged_into, p.id), n.debtor_no,
          {origin.recorded("n.valid_from")}
        FROM pg_temp.intake_debtors n JOIN party p USING (party_ref)
        ORDER BY n.debtor_no, n.valid_from ON CONFLICT (creditor_id, debtor_no) DO NOTHING
        """  # noqa: S608 - typed dates
    )


def _write_profiles(frames: Frames, staged: Sequence[str], origin: Origin) -> int:
    """New versions of the profiles that changed, and the first ones; what the source does not give stays."""
    given = {("parent_no" if name == "parent" else name): f'n."{name}"' for name in PROFILE if name in staged}
    told = {
        name: f"COALESCE({value}, {_DEFAULTS[name]})" if name in _DEFAULTS else value for name, value in given.items()
    }
    stamps = {
        "id",
        "debtor_id",
        "creditor_id",
        "snapshot_id",
        "valid_from",
        "recorded_at",
        "replaced_from",
        "replaced_at",
    }
    columns = [name for name in DebtorProfile.model_fields if name not in stamps]
    values = [told.get(name, f"COALESCE(o.{name}, {_DEFAULTS.get(name, 'NULL')})") for name in columns]
    debtors = (
        f"pg_temp.intake_debtors n JOIN debtor d ON d.creditor_id = {origin.creditor_id} AND d.debtor_no = n.debtor_no"
    )
    listed = f"debtor_id, creditor_id, snapshot_id, {', '.join(columns)}, valid_from, recorded_at"
    head = f"INSERT INTO debtor_profile ({listed}"
    row = f"d.id, {origin.creditor_id}, {origin.snapshot_id}, {', '.join(values)}"
    if origin.is_history:
        return frames.execute(
            f"""
            {head}, replaced_from, replaced_at)
            SELECT {row}, n.valid_from, {origin.recorded("n.valid_from")}, n.replaced_from,
                   {origin.recorded("n.replaced_from")}
            FROM {debtors} LEFT JOIN debtor_profile o ON false
            WHERE NOT EXISTS (SELECT 1 FROM debtor_profile p WHERE p.debtor_id = d.id)
            """  # noqa: S608 - our own names, typed dates
        )
    new = ", ".join(told[name] for name in told)
    old = ", ".join(f"o.{name}" for name in told)
    frames.execute("DROP TABLE IF EXISTS pg_temp.intake_replaced")
    frames.execute("CREATE TEMP TABLE intake_replaced (LIKE debtor_profile) ON COMMIT DROP")
    frames.execute(
        f"""
        WITH replaced AS (
            UPDATE debtor_profile o SET replaced_from = {origin.day}, replaced_at = {origin.moment}
            FROM {debtors}
            WHERE o.debtor_id = d.id AND o.replaced_at IS NULL AND ROW({new}) IS DISTINCT FROM ROW({old})
            RETURNING o.*
        )
        INSERT INTO intake_replaced SELECT * FROM replaced
        """  # noqa: S608 - our own names, typed dates
    )
    return frames.execute(
        f"""
        {head})
        SELECT {row}, {origin.day}, {origin.moment}
        FROM {debtors} LEFT JOIN pg_temp.intake_replaced o ON o.debtor_id = d.id
        WHERE NOT EXISTS (SELECT 1 FROM debtor_profile p WHERE p.debtor_id = d.id AND p.replaced_at IS NULL)
        """  # noqa: S608 - our own names, typed dates
    )


_FOUND = """pg_temp.intake_items n
        JOIN debtor d ON d.creditor_id = {creditor} AND d.debtor_no = n.debtor_no
        JOIN item i ON i.creditor_id = {creditor} AND i.debtor_id = d.id AND i.item_type = n.item_type
          AND i.document_no = n.document_no AND i.issued_on = n.issued_on"""


def _write_items(frames: Frames, origin: Origin) -> int:
    return frames.execute(
        f"""
        INSERT INTO item (creditor_id, debtor_id, item_type, document_no, issued_on, currency, recorded_at)
        SELECT {origin.creditor_id}, d.id, n.item_type, n.document_no, n.issued_on, n.currency,
               {origin.recorded("n.valid_from")}
        FROM pg_temp.intake_items n
        JOIN debtor d ON d.creditor_id = {origin.creditor_id} AND d.debtor_no = n.debtor_no
        WHERE n.is_first
        ON CONFLICT (creditor_id, debtor_id, item_type, document_no, issued_on) DO NOTHING
        """  # noqa: S608 - typed dates
    )


def _write_versions(frames: Frames, origin: Origin) -> int:
    """Stamp the current versions that the file changes, then give every item without a current one its new state.

    An item that is closed without a date stays closed as of the day when that was first seen.
    """
    found = _FOUND.format(creditor=origin.creditor_id)
    new, old = (", ".join(f"{row}.{name}" for name in STATE) for row in ("n", "v"))
    if not origin.is_history:
        frames.execute(
            f"""
            UPDATE item_version v SET replaced_from = {origin.day}, replaced_at = {origin.moment}
            FROM {found}
            WHERE v.item_id = i.id AND v.replaced_at IS NULL AND ROW({new}) IS DISTINCT FROM ROW({old})
              AND NOT (n.settled_estimated AND v.open_amount = 0)
            """  # noqa: S608 - our own names, typed dates
        )
    end = (
        "n.replaced_from, " + origin.recorded("n.replaced_from")
        if origin.is_history
        else "NULL::date, NULL::timestamptz"
    )
    current = "" if origin.is_history else "AND v.replaced_at IS NULL"
    return frames.execute(
        f"""
        INSERT INTO item_version (item_id, creditor_id, debtor_id, snapshot_id, item_type, document_no, currency,
                                  issued_on, {", ".join(STATE)}, valid_from, recorded_at, replaced_from, replaced_at)
        SELECT i.id, i.creditor_id, i.debtor_id, {origin.snapshot_id}, i.item_type, i.document_no, i.currency,
               i.issued_on, {new}, n.valid_from, {origin.recorded("n.valid_from")}, {end}
        FROM {found}
        WHERE NOT EXISTS (SELECT 1 FROM item_version v WHERE v.item_id = i.id {current})
        """  # noqa: S608 - our own names, typed dates
    )


def _write_payments(frames: Frames, origin: Origin) -> int:
    return frames.execute(
        f"""
        INSERT INTO payment (creditor_id, debtor_id, item_id, snapshot_id, payment_no, document_no, paid_on, currency,
                             amount, applied, valid_from, recorded_at)
        SELECT {origin.creditor_id}, COALESCE(d.id, i.debtor_id), COALESCE(n.item_id, i.id), {origin.snapshot_id},
               n.payment_no, n.document_no, n.paid_on, n.currency, n.amount, n.applied, n.valid_from,
               {origin.recorded("n.valid_from")}
        FROM pg_temp.intake_payments n
        LEFT JOIN debtor f ON f.creditor_id = {origin.creditor_id} AND f.debtor_no = n.for_debtor_no
        LEFT JOIN item i ON i.creditor_id = {origin.creditor_id} AND i.debtor_id = f.id
          AND i.item_type = n.for_item_type AND i.document_no = n.for_document_no AND i.issued_on = n.for_issued_on
        LEFT JOIN debtor d ON d.creditor_id = {origin.creditor_id} AND d.debtor_no = n.debtor_no
        ON CONFLICT (creditor_id, payment_no) DO NOTHING
        """  # noqa: S608 - typed dates
    )


def _write_cases(frames: Frames, origin: Origin) -> int:
    return frames.execute(
        f"""
        INSERT INTO "case" (creditor_id, debtor_id, party_id, currency, shard_key, recorded_at)
        SELECT {origin.creditor_id}, d.id, d.party_id, n.currency, p.shard_key, {origin.recorded("n.since")}
        FROM pg_temp.intake_cases n
        JOIN debtor d ON d.creditor_id = {origin.creditor_id} AND d.debtor_no = n.debtor_no
        JOIN party p ON p.id = d.party_id
        ON CONFLICT (debtor_id, currency) DO NOTHING
        """  # noqa: S608 - typed dates
    )
