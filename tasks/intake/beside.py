"""Writes what stands beside the items: contact persons, tickets, rows that are set apart, and findings."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from maatpak.ledger.database import Frames
from maatpak.ledger.literals import quoted
from tasks.intake.writing import FINDINGS_KEPT, Origin
from tasks.quality.gate import FINDING


def write_contacts(frames: Frames, contacts: pl.DataFrame, origin: Origin) -> int:
    """Contact persons that are new or changed; in a full file, those of its debtors that are gone end."""
    if contacts.width < 2:
        return 0
    columns = ("email", "phone", "language")
    missing = [pl.lit(None, dtype=pl.String).alias(name) for name in columns if name not in contacts.columns]
    frames.stage("intake_contacts", contacts.with_columns(missing))
    found = _debtors("intake_contacts", origin)
    new, old = (", ".join(f"{row}.{name}" for name in columns) for row in ("n", "c"))
    same_key = "c.debtor_id = d.id AND c.role = n.role AND c.name = n.name"
    frames.execute(
        f"""
        UPDATE contact_person c SET replaced_from = {origin.day}, replaced_at = {origin.moment}
        FROM {found} WHERE {same_key} AND c.replaced_at IS NULL AND ROW({new}) IS DISTINCT FROM ROW({old})
        """  # noqa: S608 - our own names, typed dates
    )
    if origin.is_full:
        frames.execute(
            f"""
            UPDATE contact_person c SET replaced_from = {origin.day}, replaced_at = {origin.moment}
            WHERE c.replaced_at IS NULL AND c.debtor_id IN (SELECT id FROM debtor
                                                            WHERE creditor_id = {origin.creditor_id})
              AND NOT EXISTS (SELECT 1 FROM {found} WHERE {same_key})
            """  # noqa: S608 - our own names, typed dates
        )
    since = "d.recorded_at::date" if origin.is_history else origin.day
    return frames.execute(
        f"""
        INSERT INTO contact_person (debtor_id, name, role, {", ".join(columns)}, valid_from, recorded_at)
        SELECT d.id, n.name, n.role, {new}, {since}, {origin.recorded(since)} FROM {found}
        WHERE NOT EXISTS (SELECT 1 FROM contact_person c WHERE {same_key} AND c.replaced_at IS NULL)
        """  # noqa: S608 - our own names, typed dates
    )


def write_tickets(frames: Frames, tickets: pl.DataFrame, origin: Origin) -> int:
    """Tickets that are new or changed. A history's are known from the day they were opened, and closed from theirs."""
    if tickets.width < 2:
        return 0
    missing = [] if "closed_on" in tickets.columns else [pl.lit(None, dtype=pl.Date).alias("closed_on")]
    staged = tickets.with_columns(missing).with_columns(
        pl.lit(origin.as_of).alias("valid_from"), pl.lit(None, dtype=pl.Date).alias("replaced_from")
    )
    if origin.is_history:
        closed = staged.filter(pl.col("closed_on").is_not_null())
        staged = pl.concat(
            [
                staged.with_columns(
                    pl.col("opened_on").alias("valid_from"),
                    pl.col("closed_on").alias("replaced_from"),
                    pl.lit(None, dtype=pl.Date).alias("closed_on"),
                ).filter(pl.col("replaced_from").is_null() | (pl.col("replaced_from") > pl.col("valid_from"))),
                closed.with_columns(pl.col("closed_on").alias("valid_from")),
            ]
        )
    frames.stage("intake_tickets", staged)
    found = _debtors("intake_tickets", origin)
    same_key = "t.debtor_id = d.id AND t.ticket_no = n.ticket_no"
    frames.execute(
        f"""
        UPDATE ticket t SET replaced_from = {origin.day}, replaced_at = {origin.moment}
        FROM {found} WHERE {same_key} AND t.replaced_at IS NULL AND NOT {"true" if origin.is_history else "false"}
          AND ROW(n.kind, n.opened_on, n.closed_on) IS DISTINCT FROM ROW(t.kind, t.opened_on, t.closed_on)
        """  # noqa: S608 - our own names, typed dates
    )
    return frames.execute(
        f"""
        INSERT INTO ticket (debtor_id, ticket_no, kind, opened_on, closed_on, actor, valid_from, recorded_at,
                            replaced_from, replaced_at)
        SELECT d.id, n.ticket_no, n.kind, n.opened_on, n.closed_on, {quoted(origin.actor)}, n.valid_from,
               {origin.recorded("n.valid_from")}, n.replaced_from, {origin.recorded("n.replaced_from")}
        FROM {found} WHERE NOT EXISTS (SELECT 1 FROM ticket t WHERE {same_key} AND t.replaced_at IS NULL)
        """  # noqa: S608 - our own names, typed dates, a quoted login
    )


def supersede_rows(frames: Frames, rows: pl.DataFrame, numbers: Mapping[str, str], origin: Origin) -> int:
    """Open rows of earlier files of the source that this one states anew: all of a full one, the same ones of a delta.

    `rows` (`table_name`, `debtor_no`, `number`) are the rows of a delta; `numbers` says which column a number is.
    """
    again = ""
    if not origin.is_full:
        frames.stage("intake_restated", rows.filter(pl.col("number").is_not_null()).unique())
        number = " ".join(f"WHEN {quoted(table)} THEN q.raw->>{quoted(name)}" for table, name in numbers.items())
        again = f"""
          AND EXISTS (SELECT 1 FROM pg_temp.intake_restated r WHERE r.table_name = q.table_name
                      AND r.number = CASE q.table_name {number} END
                      AND (q.debtor_no IS NULL OR r.debtor_no IS NULL OR r.debtor_no = q.debtor_no))
        """  # noqa: S608 - our own names, quoted
    return frames.execute(
        f"""
        UPDATE quarantined_row q SET state = 'superseded', resolved_by = {quoted(origin.actor)},
               resolved_reason = 'stated anew by a later file', resolved_on = {origin.day},
               resolved_at = {origin.moment}
        FROM snapshot s WHERE s.id = q.snapshot_id AND s.creditor_id = {origin.creditor_id}
          AND s.source = {quoted(origin.source)} AND s.id <> {origin.snapshot_id} AND q.state = 'open' {again}
        """  # noqa: S608 - typed dates, quoted words
    )


def write_quarantine(frames: Frames, rows: pl.DataFrame, origin: Origin, first: date) -> int:
    """Rows that are set apart. A history's are known from their own date, else from its first day."""
    if rows.is_empty():
        return 0
    day = pl.col("dated_on").fill_null(first) if origin.is_history else pl.lit(origin.as_of)
    moment = day.cast(pl.Datetime("us")).dt.replace_time_zone("UTC") if origin.is_backdated else pl.lit(origin.at)
    frames.stage(
        "intake_quarantine",
        rows.select("table_name", "file", "row_no", "debtor_no", "rules", "raw", day.alias("day"), moment.alias("at")),
    )
    return frames.execute(
        f"""
        INSERT INTO quarantined_row (snapshot_id, creditor_id, debtor_no, file, row_no, table_name, raw, rules, state,
                                     business_date, recorded_at)
        SELECT {origin.snapshot_id}, {origin.creditor_id}, debtor_no, file, row_no, table_name, raw::jsonb, rules,
               'open', day, at
        FROM pg_temp.intake_quarantine
        """  # noqa: S608 - integers
    )


def write_findings(frames: Frames, findings: pl.DataFrame, origin: Origin) -> int:
    """The first findings of each rule and file; the rest stay in the evidence."""
    if findings.is_empty():
        return 0
    row, run = pl.int_range(pl.len()), pl.col("rule", "file", "column_name")  # they stand together: `Gate.found`
    first = pl.when(pl.any_horizontal(run.ne_missing(run.shift()))).then(row).forward_fill()
    frames.stage("intake_findings", findings.filter(row - first < FINDINGS_KEPT).select(*FINDING))
    columns = "severity, rule, file, row_no, column_name, value, message, advice"
    return frames.execute(
        f"INSERT INTO finding (snapshot_id, {columns}) SELECT {origin.snapshot_id}, {columns}"  # noqa: S608 - integers
        " FROM pg_temp.intake_findings"
    )


def _debtors(staged: str, origin: Origin) -> str:
    return f"pg_temp.{staged} n JOIN debtor d ON d.creditor_id = {origin.creditor_id} AND d.debtor_no = n.debtor_no"
