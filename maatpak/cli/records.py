"""What the commands for people's records share: their lists, and amounts as people type them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maatpak.cli.output import Column, show
from maatpak.cli.session import at_most, opened
from maatpak.kernel.money import parse_amount

if TYPE_CHECKING:
    from tasks.finding import Found

ACCOUNT = (Column("creditor", "creditor"), Column("debtor_no", "debtor"), Column("name", "name"))
"""The columns with which every list begins."""


def amount_in(found: "Found", text: str | None) -> int | None:
    """Minor units of an amount in the case's currency."""
    return None if text is None else parse_amount(text, found.currency)


def show_records(
    word: str,
    columns: Sequence[Column],
    creditor: str | None,
    debtor: str | None,
    most: int | None,
    *,
    ended: bool,
    as_json: bool,
) -> None:
    """The records of a kind as a list."""
    from tasks.listing import RecordFilter, list_records

    with opened() as engine:
        rows = list_records(engine, word, RecordFilter(creditor, debtor, ended, at_most(most, as_json=as_json)))
    show(rows, (*ACCOUNT, *columns), as_json=as_json, empty=f"There is no {word}." if ended else f"No {word} is live.")
