"""Ledger intake: files to a snapshot in one transaction, or a refusal that changes nothing.

`files` reads, `known` says what the database has, `resolutions` applies what people decided on rows before, `sifting`
goes through the gate, `states` and `plan` decide what is to be written, `writing` and `beside` write it, `ingest` is
the order.
"""

from tasks.intake.ingest import ingest_ledger
from tasks.intake.report import IntakeReport, SnapshotReport
from tasks.intake.sources import find_source

__all__ = ["IntakeReport", "SnapshotReport", "find_source", "ingest_ledger"]
