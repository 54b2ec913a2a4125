"""The files of an import: which is which, their rows under canonical names, and the hash of it all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from connectors.ledgers.broken import meant
from connectors.ledgers.canonical import Mapped, map_files
from connectors.ledgers.raw import FileFault, RawTable
from connectors.ledgers.readers import read_table
from connectors.ledgers.source import CreditorDefinition, LedgerSource, Role
from maatpak.kernel.errors import UsageError
from maatpak.kernel.ids import content_hash


@dataclass(frozen=True)
class Ledger:
    """The files of one import, read."""

    source: LedgerSource
    tables: dict[Role, Mapped]
    """Emptied once they passed the gate."""
    content_hash: str
    """Of the bytes of all files and of the source's definition; names and order of files do not matter."""
    files: tuple[str, ...]

    def of_creditor(self, code: str) -> "Ledger":
        """The rows of one of several creditors; a line that does not say whose it is stays with the first."""
        codes = pl.Series([code_of(each) for each in self.source.all_creditors])
        first = codes[0]
        tables = {}
        for role, mapped in self.tables.items():
            if not self.source.creditors or "creditor" not in mapped.cells.columns:
                tables[role] = mapped
                continue
            own = mapped.cells.filter(pl.col("creditor") == code)
            broken = mapped.broken.filter(meant(mapped.broken, "creditor", codes).fill_null(first) == code)
            totals = mapped.totals if code == first else mapped.totals.clear()
            tables[role] = replace(
                mapped, cells=own, broken=broken, totals=totals, row_count=own.height + broken.height
            )
        return replace(self, tables=tables)

    def stray_creditors(self) -> list[tuple[str, FileFault]]:
        """Rows of creditors that the source does not list."""
        known = [code_of(each) for each in self.source.creditors]
        found = []
        for mapped in self.tables.values() if known else ():
            if "creditor" not in mapped.cells.columns:
                continue
            stray = mapped.cells.filter(~pl.col("creditor").is_in(known).fill_null(value=False))
            for file, code, row_no in stray.select("file", "creditor", "row_no").unique("creditor").iter_rows():
                told = f"Row {row_no} is of creditor {code!r}; the source lists {', '.join(known)}."
                found.append((file, FileFault("creditor_unknown", told)))
        return found


def code_of(creditor: CreditorDefinition | str) -> str:
    """The code of a creditor that a source defines, or only names."""
    return creditor if isinstance(creditor, str) else creditor.code


def read_ledger(source: LedgerSource, paths: Sequence[Path]) -> Ledger:
    """Read the files of an import.

    Raises:
        UsageError: no file is given, one cannot be opened or assigned to a kind, or a full import lacks its items.
    """
    if not paths:
        raise UsageError("No file is given.", advice="Name the files of the ledger.")
    by_role: dict[Role, list[RawTable]] = {}
    for path in paths:
        role = source.role_of(path.name)
        table = read_table(path, getattr(source.files, role), source.number_format(role).decimal)
        by_role.setdefault(role, []).append(table)
    kinds = {role for role, _ in source.files}
    needed = kinds - {"contacts", "tickets"} if source.mode != "delta" else set()
    if missing := sorted(needed - set(by_role)):
        raise UsageError(
            f"The import lacks its {', '.join(missing)}: source {source.name!r} is {source.mode}.",
            advice="Give every kind of file at once; only a delta may come in parts.",
        )
    tables = {role: map_files(source, role, by_role[role]) for role, _ in source.files if role in by_role}
    hashes = sorted([role, table.bytes_hash] for role, tables_of in by_role.items() for table in tables_of)
    return Ledger(
        source,
        tables,
        content_hash({"source": source.content_hash, "files": hashes}),
        tuple(path.name for path in paths),
    )
