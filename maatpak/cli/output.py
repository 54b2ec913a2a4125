"""How commands speak: tables for people, JSON for programs, bars on a terminal and plain lines elsewhere.

Whatever comes from a ledger or a person is shown as text and nothing else: no markup, no control characters.
"""

import json
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from maatpak.kernel.money import format_money

if TYPE_CHECKING:
    from sqlmodel import SQLModel

    from tasks.finding import Found

PLAIN_WIDTH = 180
"""Columns where there is no terminal to ask."""


@dataclass(frozen=True)
class Column:
    """A column of a table: the row's key and its heading. Money is in minor units of the row's `currency`."""

    key: str
    heading: str
    money: bool = False
    number: bool = False
    whole: bool = False
    """Never cut or broken, if it is the first: people copy it from the table."""


def console(*, stderr: bool = False) -> Console:
    """Where people read."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else PLAIN_WIDTH, highlight=False)


def show(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[Column],
    *,
    as_json: bool,
    title: str = "",
    empty: str = "There are none.",
) -> None:
    """A list: every key of every row as JSON, or the columns as a table."""
    if as_json:
        show_json([dict(row) for row in rows])
        return
    out = console()
    if not rows:
        out.print(empty)
        return
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        right = column.money or column.number
        least = max(len(_cell(row, column)) for row in rows) if column.whole else None
        table.add_column(
            column.heading, justify="right" if right else "left", no_wrap=right or column.whole, min_width=least
        )
    for row in rows:
        table.add_row(*(Text(_cell(row, column)) for column in columns))
    out.print(table)


def show_json(value: Any) -> None:
    """Anything plain as JSON; dates in ISO form."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=_plain) + "\n")


def say(message: str) -> None:
    """One line for people."""
    console().print(Text(clean(message)), soft_wrap=True)


def tell(message: str, row: Mapping[str, Any], *, as_json: bool) -> None:
    """What an act came to: a line for people, or all of it as JSON."""
    if as_json:
        show_json(dict(row))
    else:
        say(message)


def fields_of(record: "SQLModel", found: "Found") -> dict[str, Any]:
    """A record's columns with the account that it is on."""
    account = {"creditor": found.creditor, "debtor_no": found.debtor_no, "currency": found.currency}
    return {**account, **record.model_dump(exclude=UNTOLD)}


UNTOLD = {"salt", "recorded_at", "replaced_from", "replaced_at"}
"""Columns of a record's versions that say nothing to whoever just made one."""


def clean(text: str) -> str:
    """The text without characters that would steer a terminal."""
    return "".join("�" if unicodedata.category(each) == "Cc" and each not in "\n\t" else each for each in text)


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[str], None]]:
    """Shows how far a long command is; call what it gives after each part, with a word on it."""
    out = console(stderr=True)
    if not out.is_terminal:
        done = 0

        def line(note: str = "") -> None:
            nonlocal done
            done += 1
            out.print(Text(clean(f"{label} {done}/{total} {note}".rstrip())), soft_wrap=True)

        yield line
        return
    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*parts, TextColumn("{task.fields[note]}", markup=False), console=out) as bar:
        task = bar.add_task(label, total=total, note="")

        def advance(note: str = "") -> None:
            bar.update(task, advance=1, note=clean(note))

        yield advance


def _cell(row: Mapping[str, Any], column: Column) -> str:
    value = row.get(column.key)
    if value is None:
        return ""
    if column.money:
        return format_money(int(value), str(row["currency"]))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, list):
        return clean(", ".join(map(str, value)))
    return clean(str(value))


def _plain(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
