"""A ledger through the quality gate."""

from datetime import date, datetime

from prefect import flow

from flows import steps
from flows.workplace import instant


@flow(name="ingest", flow_run_name="{source} {as_of}", persist_result=False)
def ingest(source: str, files: list[str], as_of: date, at: datetime | None = None) -> None:
    """Take the files of one export in, as one snapshot. The same content for the same date changes nothing.

    Args:
        source: Name of the source: a YAML file in the workspace's `sources`.
        files: Paths of the files.
        as_of: Business date that the files speak for.
        at: Instant that the run speaks for; empty: now.
    """
    steps.take_in(source, files, as_of, instant(at))
