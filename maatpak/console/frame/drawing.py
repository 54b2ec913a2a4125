"""Drawing pages: Jinja, with filters that show money, dates and codes the same way everywhere."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal, format_percent
from jinja2 import Environment, PackageLoader, StrictUndefined

from maatpak.console.frame.declared import Column, Shape
from maatpak.console.frame.fields import as_words
from maatpak.console.frame.graph import LARGE, SMALL
from maatpak.console.frame.graph import drawing as graph_of
from maatpak.console.frame.problems import Problem
from maatpak.kernel.money import format_money

LANGUAGE = "en_GB"
"""The console is in English; customers' texts are in theirs."""
ASSETS = {"console.css": "text/css", "console.js": "text/javascript", "icon.svg": "image/svg+xml"}
NOTHING = "–"
LONGEST = 160
"""Characters of a text in a line."""


def draw(template: str, **data: Any) -> str:
    """The page of a template."""
    return environment().get_template(template).render(**data)


def draw_problem(told: Problem) -> str:
    """The page of what went wrong; it asks nothing of the database, which may be what is wrong."""
    return draw("problem.html", told=told)


@cache
def environment() -> Environment:
    """Templates and what they may call; every value is escaped."""
    made = Environment(
        loader=PackageLoader("maatpak.console", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    made.filters |= {
        "money": money,
        "day": day,
        "moment": moment,
        "number": number,
        "share": share,
        "words": as_words,
        "some": some,
        "weekday": weekday,
        "short_day": short_day,
        "clock": clock,
        "brief": brief,
        "dialled": dialled,
    }
    made.globals |= {"asset": asset, "cell": cell, "linked": linked, "address": address, "NOTHING": NOTHING}
    made.globals |= {"graph_of": graph_of, "box": (SMALL.width, SMALL.height), "LARGE": LARGE}
    return made


def money(minor: int | None, currency: str) -> str:
    """An amount with its currency: `€1,250.00`."""
    return NOTHING if minor is None else format_money(int(minor), currency, "en", "GB")


def day(value: date | None) -> str:
    """A date: `12 Mar 2026`."""
    return NOTHING if value is None else format_date(value, "d MMM y", locale=LANGUAGE)


def weekday(value: date) -> str:
    """A date with its day: `Thursday 12 Mar 2026`."""
    return format_date(value, "EEEE d MMM y", locale=LANGUAGE)


def short_day(value: date) -> str:
    """A date of these days: `Thu 12 Mar`."""
    return format_date(value, "EEE d MMM", locale=LANGUAGE)


def clock(value: datetime, zone: str) -> str:
    """The time of an instant, where the creditor is: `14:05`."""
    return format_datetime(value.astimezone(ZoneInfo(zone)), "HH:mm", locale=LANGUAGE)


def moment(value: datetime | None, zone: str = "UTC") -> str:
    """An instant, where the creditor is: `12 Mar 2026, 14:05`."""
    if value is None:
        return NOTHING
    return format_datetime(value.astimezone(ZoneInfo(zone)), "d MMM y, HH:mm", locale=LANGUAGE)


def number(value: float | Decimal | None) -> str:
    """A number with separators."""
    return NOTHING if value is None else format_decimal(value, locale=LANGUAGE)


def share(value: float | None) -> str:
    """A share from 0 to 1 as a percentage."""
    return NOTHING if value is None else format_percent(value, "#,##0.#%", locale=LANGUAGE)


def some(value: Any) -> Any:
    """A value, or a dash where there is none."""
    return NOTHING if value is None or value == "" else value


def dialled(phone: str) -> str:
    """A telephone number as a link has it: digits, and a plus in front."""
    return "tel:" + re.sub(r"[^0-9+]", "", phone.replace("(0)", ""))


def brief(value: Any, most: int = LONGEST) -> str:
    """A text in at most so many characters, for a line of a page: names may have ten thousand."""
    told = str(value)
    return told if len(told) <= most else f"{told[: most - 1]}…"


def since(value: datetime, now: datetime) -> str:
    """How long ago: `3 hours ago`."""
    return format_timedelta(value - now, add_direction=True, locale=LANGUAGE)


def cell(column: Column, row: Mapping[str, Any], zone: str) -> str:
    """What a listing shows of a row in a column; instants in a time zone."""
    value = row[column.key]
    if value is None or value == "":
        return NOTHING
    match column.shape:
        case Shape.MONEY:
            return money(value, row["currency"])
        case Shape.DATE:
            return day(value)
        case Shape.INSTANT:
            return moment(value, zone)
        case Shape.NUMBER:
            return number(value)
        case Shape.SHARE:
            return share(value)
        case Shape.FLAG:
            return "yes" if value else NOTHING
        case Shape.CODE:
            return as_words(str(value))
        case _:
            return brief(value)


def linked(path: str, row: Mapping[str, Any]) -> str | None:
    """A path with a row's values in it; none where one of them is not there."""
    values = {key: None if value is None else quote(str(value), safe="") for key, value in row.items()}
    try:
        return None if any(values[name] is None for name in _names(path)) else path.format(**values)
    except KeyError as error:
        raise KeyError(f"{path} needs {error} in the row") from error


def address(path: str, query: Mapping[str, Any], **changes: Any) -> str:
    """A path with the query as it is, but for some changes; what is empty is left out."""
    merged = {key: value for key, value in {**query, **changes}.items() if value not in (None, "")}
    return f"{path}?{urlencode(merged)}" if merged else path


def asset(name: str) -> str:
    """The path of a file of ours, which changes with its content."""
    return f"/static/{_digest(name)}/{name}"


@cache
def asset_content(name: str) -> bytes:
    """The bytes of a file of ours."""
    return (resources.files("maatpak.console") / "static" / name).read_bytes()


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(asset_content(name)).hexdigest()[:12]


@cache
def _names(path: str) -> Sequence[str]:
    return [part.partition("}")[0] for part in path.split("{")[1:]]
