"""A small, good ledger as text, and what the database says of it: for tests that know the truth themselves."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC as ZONE
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import psycopg

HEADER = (
    *("account", "name", "country", "email", "street", "document", "type", "issued", "due", "currency", "amount"),
    *("open", "note"),
)
FIRST_DAY = date(2026, 3, 2)
SECOND_DAY = date(2026, 3, 3)

SOURCE = """
name: books
mode: full
creditor: {code: ACME, name: Acme B.V., country: NL, language: nl, currency: EUR, time_zone: Europe/Amsterdam}
dates: DD-MM-YYYY
numbers: {decimal: ",", thousands: "."}
currencies: [EUR]
files:
  items:
    columns:
      debtor_no: account
      name: name
      country: country
      email: email
      street: street
      document_no: document
      document_type: type
      issued_on: issued
      due_on: due
      currency: currency
      amount: amount
      open_amount: open
    values:
      document_type: {RE: invoice, GS: credit_note}
    defaults: {kind: business, language: nl}
"""


@dataclass(frozen=True)
class Entry:
    """One line of the good ledger, as it is meant."""

    account: str
    name: str
    country: str
    email: str
    street: str
    document: str
    type: str
    issued: date
    due: date
    amount: int
    open: int

    def cells(self) -> list[str]:
        """The line as the bookkeeping writes it."""
        return [
            *(self.account, self.name, self.country, self.email, self.street, self.document, self.type),
            *(day.strftime("%d-%m-%Y") for day in (self.issued, self.due)),
            *("EUR", money(self.amount), money(self.open), "x"),
        ]


def money(minor: int) -> str:
    """An amount as the bookkeeping writes it."""
    whole = f"{minor // 100:,}".replace(",", ".")
    return f"{whole},{minor % 100:02d}"


def first_day() -> list[Entry]:
    """Sixty items of twelve customers, all to be paid within 30 days."""
    entries = []
    for number in range(60):
        customer = number % 12
        issued = date(2025, 12, 1) + timedelta(days=number * 3 % 80)
        amount = 45_000 + number * 13_337
        entries.append(
            Entry(
                account=f"0{4000 + customer}",
                name=f"Café Zuid {customer} B.V." if customer % 2 else f"Müller & Zoon {customer}",
                country="NL" if customer % 3 else "BE",
                email=f"ap{customer}@customer{customer}.example",
                street=f"Dorpsstraat {customer}",
                document=f"F2025{number:04d}",
                type="GS" if number % 20 == 19 else "RE",
                issued=issued,
                due=issued + timedelta(days=30),
                amount=amount,
                open=amount if number % 7 else amount - 10_000,
            )
        )
    return entries


def second_day() -> list[Entry]:
    """The day after: three paid in part, and a new one."""
    entries = first_day()
    for at in (4, 25, 46):
        entries[at] = replace(entries[at], open=entries[at].amount // 2)
    issued = date(2026, 3, 2)
    new = replace(entries[5], document="F20260001", issued=issued, due=issued + timedelta(days=30))
    return [*entries, new]


def written(rows: Sequence[Sequence[str]], delimiter: str = ";", header: Sequence[str] = HEADER) -> str:
    """Rows as the text of a file."""
    return "".join(delimiter.join(row) + "\n" for row in [header, *rows])


def at(day: date) -> datetime:
    """The morning of a day."""
    return datetime.combine(day, time(6), ZONE)


def stored(url: str) -> dict[str, tuple[object, ...]]:
    """Every document as the database has it now, read without the engine's help."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            """
            SELECT v.document_no, d.debtor_no, v.item_type, v.issued_on, v.due_on, v.currency, v.amount, v.open_amount,
                   p.name, p.country, p.email, p.street
            FROM item_version v JOIN debtor d ON d.id = v.debtor_id
            JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL
            WHERE v.replaced_at IS NULL
            """
        ).fetchall()
    found: dict[str, tuple[object, ...]] = {}
    for row in rows:
        assert row[0] not in found, f"document {row[0]} stands there twice"
        found[row[0]] = row[1:]
    return found


def meant(entry: Entry) -> tuple[object, ...]:
    """What the database should say of an entry."""
    kind = "credit_note" if entry.type == "GS" else "invoice"
    return (
        *(entry.account, kind, entry.issued, entry.due, "EUR", entry.amount, entry.open),
        *(entry.name, entry.country, entry.email, entry.street),
    )


def set_apart(url: str) -> set[tuple[str, int]]:
    """File and number of every row that is set apart."""
    with psycopg.connect(url) as connection:
        return set(connection.execute("SELECT file, row_no FROM quarantined_row WHERE state = 'open'").fetchall())


EVENTS = ("event", "event_head")


def fingerprint(url: str, but: Sequence[str] = ()) -> dict[str, tuple[int, str]]:
    """Rows and content of every table but some."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
        ).fetchall()
        prints = {}
        for (table,) in tables:
            if table in but:
                continue
            rows = connection.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1').fetchall()
            prints[table] = (len(rows), hashlib.sha256("\n".join(row for (row,) in rows).encode()).hexdigest())
    return prints


def write(folder: Path, name: str, content: str | bytes) -> Path:
    """A file of a ledger."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def newest_event(url: str) -> tuple[str, dict[str, Any]]:
    """Kind and body of the newest event."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT kind, body FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    assert row is not None
    return row[0], row[1]
