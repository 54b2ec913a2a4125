"""Reads one page of a listing: conditions from the URL, the order, the place where it goes on, and how many there are.

Rows of several creditors are read creditor by creditor, each up to a page by its own index, and merged: so the first
page of a million rows costs as little as that of a thousand.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from maatpak.console.frame.asking import Asking
from maatpak.console.frame.declared import Choice, Column, Filter, Listing, Shape
from maatpak.kernel.errors import UsageError
from maatpak.kernel.money import parse_amount

PAGE = 50
MOST_A_PAGE = 200
MOST_COUNTED = 10_000
"""Rows that are counted and summed; what is more is told as more."""
RESERVED = frozenset({"sort", "after", "q", "creditor", "size"})
CASTS = {
    Shape.TEXT: "text",
    Shape.CODE: "text",
    Shape.MONEY: "bigint",
    Shape.NUMBER: "bigint",
    Shape.SHARE: "double precision",
    Shape.DATE: "date",
    Shape.INSTANT: "timestamptz",
    Shape.FLAG: "boolean",
}


@dataclass(frozen=True)
class Wanted:
    """What a URL asks of a listing, checked."""

    sort: Column
    descending: bool
    values: Mapping[str, str] = field(default_factory=dict)
    """Filter → its value, as it stands in the URL."""
    words: str = ""
    after: tuple[Any, int] | None = None
    size: int = PAGE


@dataclass(frozen=True)
class Listed:
    """A page of a listing."""

    rows: list[dict[str, Any]]
    count: int
    """How many fit, up to `MOST_COUNTED` and one."""
    totals: list[dict[str, Any]]
    """A row a currency with the sums of the listing's totals; empty where there are too many rows to sum."""
    after: str | None
    """Where the next page begins; none: this is the last."""

    @property
    def uncounted(self) -> bool:
        """Whether there are more than were counted."""
        return self.count > MOST_COUNTED


def read_wanted(listing: Listing, query: Mapping[str, str]) -> Wanted:
    """What a URL asks for.

    Raises:
        UsageError: it names a column that does not sort, a value that does not fit, or a page that is not ours.
    """
    known = {each.key for each in listing.filters} | RESERVED
    unknown = sorted(set(query) - known)
    if unknown:
        raise UsageError(
            f"{unknown[0]!r} is no filter of {listing.title}.", advice=f"There are: {', '.join(sorted(known))}."
        )
    asked = query.get("sort") or listing.order
    name, descending = asked.removeprefix("-"), asked.startswith("-")
    sorting = {column.key: column for column in listing.columns if column.sorts}
    if name not in sorting:
        raise UsageError(f"{listing.title} cannot be sorted by {name!r}.", advice=f"By: {', '.join(sorting)}.")
    values = {each.key: query[each.key] for each in listing.filters if query.get(each.key)}
    values |= {each.key: each.default for each in listing.filters if each.default and each.key not in query}
    return Wanted(
        sorting[name],
        descending,
        {key: value for key, value in values.items() if value != "any"},
        query.get("q", "").strip(),
        _place(query["after"], sorting[name]) if query.get("after") else None,
        _size(query.get("size")),
    )


def read_page(asking: Asking, listing: Listing, wanted: Wanted) -> Listed:
    """One page of rows, and how many there are."""
    rows = _rows(asking, listing, wanted, wanted.size + 1)
    more = len(rows) > wanted.size
    rows = rows[: wanted.size]
    after = _cursor(rows[-1]) if more else None
    count, totals = _counted(asking, listing, wanted, rows, more=more)
    return Listed([_plain(row) for row in rows], count, totals, after)


def read_all(asking: Asking, listing: Listing, wanted: Wanted, most: int) -> list[dict[str, Any]]:
    """Every row that fits, for an export.

    Raises:
        UsageError: there are more than `most`: a file that ends early looks like a whole one.
    """
    rows = _rows(asking, listing, wanted, most + 1)
    if len(rows) > most:
        raise UsageError(f"More than {most:,} rows fit.", advice="Filter the list, then export it.")
    return [_plain(row) for row in rows]


def choices_of(asking: Asking, each: Filter) -> Sequence[Choice]:
    """The values that a filter offers."""
    return each.choices(asking) if callable(each.choices) else each.choices


def _rows(asking: Asking, listing: Listing, wanted: Wanted, most: int) -> list[dict[str, Any]]:
    query, values = _query(asking, listing, wanted, most)
    return asking.rows(query, **values)


def _query(asking: Asking, listing: Listing, wanted: Wanted, limit: int) -> tuple[str, dict[str, Any]]:
    """The query of a page and its values: first which rows, by as few tables as that takes; then what they say."""
    order = wanted.sort.order
    falling = wanted.descending != order.turned
    way = "DESC" if falling else "ASC"
    conditions, values = _conditions(asking, listing, wanted)
    values["most"] = limit
    if wanted.after is not None:
        values |= {"place": wanted.after[0], "place_key": wanted.after[1]}
        cast, beyond = CASTS[order.shape], "<" if falling else ">"
        conditions.append(f"({order.sql}, {listing.key}) {beyond} (CAST(:place AS {cast}), :place_key)")
    if listing.creditor is not None:
        conditions.append(f"{listing.creditor} = owner.creditor_id")
    found = (
        f"SELECT {order.sql} AS _sort, {listing.key} AS _key FROM {_tables(listing, order.sql, *conditions)}"  # noqa: S608 - declared
        f" WHERE {' AND '.join(conditions)} ORDER BY _sort {way}, _key {way} LIMIT :most"
    )
    if listing.creditor is not None:
        found = (
            "SELECT page.* FROM unnest(CAST(:creditors AS bigint[])) owner(creditor_id)"  # noqa: S608 - declared
            f" CROSS JOIN LATERAL ({found}) page ORDER BY page._sort {way}, page._key {way} LIMIT :most"
        )
    columns = [f'{column.sql} AS "{column.key}"' for column in listing.columns]
    return (
        f"SELECT {', '.join(columns)}, found._sort, found._key FROM ({found}) found"  # noqa: S608 - declared
        f" CROSS JOIN {_tables(listing, *columns)} WHERE {listing.key} = found._key AND ({listing.where})"
        f" ORDER BY found._sort {way}, found._key {way}",
        values,
    )


def _tables(listing: Listing, *parts: str) -> str:
    """The source, and of what stands beside it as much as parts of a query name."""
    named, joins = list(parts), list[str]()
    for join in reversed(listing.beside):
        alias = join.partition(" ON ")[0].split()[-1]
        if any(re.search(rf"\b{alias}\.", part) for part in named):
            named.append(join)
            joins.insert(0, join)
    return " ".join((listing.source, *joins))


def _conditions(asking: Asking, listing: Listing, wanted: Wanted) -> tuple[list[str], dict[str, Any]]:
    """What rows must fit, without the place in the list."""
    conditions: list[str] = [listing.where]
    values: dict[str, Any] = {"login": asking.visitor.login, "creditors": asking.creditors}
    for each in listing.filters:
        value = wanted.values.get(each.key)
        if value is None:
            continue
        if each.conditions:
            if value not in each.conditions:
                raise UsageError(f"{each.title} cannot be {value!r}.", advice=f"One of: {', '.join(each.conditions)}.")
            conditions.append(each.conditions[value])
            continue
        name = f"by_{each.key}"
        conditions.append(each.sql.replace(":value", f"CAST(:{name} AS {CASTS[each.shape]})"))
        values[name] = _value(asking, each, value)
    if wanted.words and listing.search is not None:
        conditions.append(listing.search)
        values["words"] = listing.searched(wanted.words)
    return [f"({condition})" for condition in conditions], values


def _counted(
    asking: Asking, listing: Listing, wanted: Wanted, rows: Sequence[Mapping[str, Any]], *, more: bool
) -> tuple[int, list[dict[str, Any]]]:
    """How many rows fit, and their sums by currency."""
    first = wanted.after is None
    if first and (not rows or not (more or listing.totals)):
        return len(rows), []
    conditions, values = _conditions(asking, listing, wanted)
    if listing.creditor is not None:
        conditions.append(f"{listing.creditor} = ANY(CAST(:creditors AS bigint[]))")
    fit, count = " AND ".join(conditions), len(rows)
    if more or not first:
        counting = f"SELECT FROM {_tables(listing, fit)} WHERE {fit} LIMIT {MOST_COUNTED + 1}"
        count = asking.rows(f"SELECT count(*) AS rows FROM ({counting}) fitting", **values)[0]["rows"]  # noqa: S608
    if not listing.totals or count > MOST_COUNTED:
        return count, []
    sql = {column.key: column.sql for column in listing.columns}
    sums = ", ".join(f'sum({sql[key]}) AS "{key}"' for key in listing.totals)
    totals = asking.rows(
        f"SELECT count(*) AS rows, {sql['currency']} AS currency, {sums}"  # noqa: S608 - declared
        f" FROM {_tables(listing, fit, sql['currency'], sums)} WHERE {fit} GROUP BY 2 ORDER BY 1 DESC",
        **values,
    )
    return count, [_plain(row) for row in totals]


def _value(asking: Asking, each: Filter, value: str) -> Any:
    try:
        match each.shape:
            case Shape.MONEY:
                return parse_amount(value, asking.visitor.limit_currency)
            case Shape.NUMBER:
                return _typed(int(value), Shape.NUMBER)
            case Shape.DATE:
                return date.fromisoformat(value)
            case _:
                return value
    except ValueError as error:
        advice = "Write it as YYYY-MM-DD." if each.shape is Shape.DATE else "Write a whole number."
        raise UsageError(f"{value[:40]!r} does not fit {each.title}.", advice=advice) from error


def _cursor(row: Mapping[str, Any]) -> str:
    place = row["_sort"]
    told = place.isoformat() if isinstance(place, date | datetime) else _number(place)
    return base64.urlsafe_b64encode(json.dumps([told, row["_key"]]).encode()).decode().rstrip("=")


def _number(value: Any) -> Any:
    """What the database adds up comes as a decimal; money and counts are whole, and stay so."""
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)


def _place(cursor: str, sort: Column) -> tuple[Any, int]:
    try:
        place, key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return _typed(place, sort.order.shape), _typed(key, Shape.NUMBER)
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise UsageError(
            f"{cursor[:40]!r} is no place in this list.", advice="Begin at the first page; links go on from there."
        ) from error


def _typed(place: Any, shape: Shape) -> Any:
    """A place of the column's own type; anything else was not made here."""
    kinds: dict[Shape, tuple[type, ...]] = {
        Shape.MONEY: (int,),
        Shape.NUMBER: (int,),
        Shape.SHARE: (int, float),
        Shape.FLAG: (bool,),
    }
    if not isinstance(place, kinds.get(shape, (str,))) or (shape is not Shape.FLAG and isinstance(place, bool)):
        raise TypeError(place)
    if isinstance(place, int) and abs(place) >= 2**63:
        raise ValueError(place)
    if isinstance(place, str) and b"\0" in place.encode():  # half a sign cannot be encoded, which is a ValueError
        raise ValueError(place)
    if shape is Shape.DATE:
        return date.fromisoformat(str(place))
    return datetime.fromisoformat(str(place)) if shape is Shape.INSTANT else place


def _size(text: str | None) -> int:
    if not text:
        return PAGE
    if not text.isascii() or not text.isdigit() or len(text) > 3 or not 1 <= int(text) <= MOST_A_PAGE:
        raise UsageError(f"A page cannot have {text!r} rows.", advice=f"From 1 to {MOST_A_PAGE}.")
    return int(text)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as it is shown: without its place in the order."""
    return {key: _number(value) for key, value in row.items() if not key.startswith("_")}
