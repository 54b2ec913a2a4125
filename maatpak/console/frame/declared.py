"""What the console is made of, as data: listings, sheets and acts, in rooms.

A *listing* is a table from one SQL source; a *sheet* a page with a typed context; a *paper* a file as it is; an *act* a
form that a person sends. Each is served twice: in HTML, and as JSON under `/api/v1` at the same path. So the API can do
what the console can do, the table of access (docs/access.md) is written from here, and tests try all of it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from maatpak.kernel.words import Role

if TYPE_CHECKING:
    from maatpak.console.frame.asking import Asking

EVERYBODY = tuple(Role)
READERS = tuple(role for role in Role if role is not Role.ADMINISTRATOR)
"""Who sees customers: whoever works with them, and the auditor. Administrators enter people; they need no customers."""


class Shape(StrEnum):
    """What a column holds: how it is shown, aligned, exported and compared."""

    TEXT = "text"
    CODE = "code"
    MONEY = "money"
    NUMBER = "number"
    SHARE = "share"
    DATE = "date"
    INSTANT = "instant"
    FLAG = "flag"


@dataclass(frozen=True)
class Order:
    """What a column is sorted by in place of itself."""

    sql: str
    shape: Shape
    turned: bool = False
    """Whether it falls where the column rises: the days that something is late, by its date."""


@dataclass(frozen=True)
class Column:
    """One column of a listing. Money is in minor units of the row's `currency`."""

    key: str
    title: str
    sql: str
    shape: Shape = Shape.TEXT
    link: str | None = None
    """Path of what the value is about, with the row's keys in braces."""
    sorts: bool = False
    """Only columns that are never null and have an index worth the name."""
    by: Order | None = None
    """What it is sorted by, where what is shown may be null or has no index."""
    shown: bool = True
    """Hidden ones serve links, and the API."""
    help: str = ""

    @property
    def order(self) -> Order:
        """What it is sorted by."""
        return self.by or Order(self.sql, self.shape)


@dataclass(frozen=True)
class Choice:
    """A value that a filter may take, and how people call it."""

    value: str
    title: str


@dataclass(frozen=True)
class Filter:
    """One filter of a listing: a condition with `:value`, or a choice among conditions."""

    key: str
    title: str
    sql: str = ""
    """Holds when the row fits `:value`; its type is the shape's."""
    shape: Shape = Shape.TEXT
    choices: Sequence[Choice] | Callable[["Asking"], Sequence[Choice]] = ()
    conditions: Mapping[str, str] = field(default_factory=dict)
    """Value → condition, where each value has its own."""
    default: str = ""


def one_of(key: str, title: str, kinds: Mapping[str, tuple[str, str]], default: str = "") -> Filter:
    """A filter by one of some conditions: value → how people call it, and its SQL."""
    choices = tuple(Choice(value, called) for value, (called, _) in kinds.items())
    return Filter(
        key, title, choices=choices, conditions={value: sql for value, (_, sql) in kinds.items()}, default=default
    )


@dataclass(frozen=True)
class Listing:
    """A table of rows from one SQL source."""

    path: str
    title: str
    help: str
    source: str
    """FROM and joins, without WHERE; aliases as the columns use them. Here and in conditions `:login` is the visitor's,
    and `:creditors` are those that count."""
    columns: tuple[Column, ...]
    key: str
    """SQL of a number that is unique a row, and indexed: the last word of every order."""
    order: str
    """Key of the column that it is sorted by at first; with a `-` in front, descending."""
    beside: tuple[str, ...] = ()
    """Joins that say more of each row and neither add nor leave out one: `JOIN table alias ON …`."""
    creditor: str | None = None
    """SQL of the creditor's id, where rows are a creditor's: visitors see those of their own only."""
    where: str = "true"
    filters: tuple[Filter, ...] = ()
    search: str | None = None
    """Condition of the search box, with `:words`."""
    searched: Callable[[str], str | None] = str
    """What `:words` is of what people type; None finds nothing."""
    totals: tuple[str, ...] = ()
    """Money columns that are summed by currency below the list."""
    roles: tuple[Role, ...] = READERS
    acts: tuple["Act", ...] = ()
    """Acts offered above the list, such as a new row."""
    empty: str = "Nothing fits."


@dataclass(frozen=True)
class Sheet:
    """A page with a typed context: a frozen dataclass whose fields are documented."""

    path: str
    title: str
    help: str
    context: type
    read: Callable[..., Any]
    """`(asking, **ids)` → the context; raises `MissingError` where there is nothing of these ids."""
    template: str
    roles: tuple[Role, ...] = READERS
    query: Mapping[str, str] = field(default_factory=dict)
    """Name in the URL's query → what it says."""
    outside: bool = False
    """Whether there is none of it where a service does not answer."""


@dataclass(frozen=True)
class Content:
    """A file as a browser gets it."""

    body: bytes
    media_type: str
    name: str | None = None
    """Under which it is kept when it is downloaded; none: it is shown in a frame of a page of ours."""


@dataclass(frozen=True)
class Paper:
    """Something that is shown or downloaded as it is, such as a letter that was sent. It can do nothing in a page."""

    path: str
    title: str
    help: str
    media_types: tuple[str, ...]
    read: Callable[..., Content]
    """`(asking, **ids)`; raises `MissingError` where there is nothing of these ids."""
    roles: tuple[Role, ...] = READERS
    query: Mapping[str, str] = field(default_factory=dict)
    """Name in the URL's query → what it says."""


@dataclass(frozen=True)
class Done:
    """What came of an act: a sentence for people, where to look, and values for programs."""

    told: str
    go: str | None = None
    """Path to show next; none: where the visitor was."""
    data: Mapping[str, Any] = field(default_factory=dict)
    file: Content | None = None
    """What is downloaded, of an act that makes a file; it is kept nowhere."""


@dataclass(frozen=True)
class Act:
    """A form that a person sends, and what it does."""

    path: str
    title: str
    """As on its button."""
    help: str
    """What it does and what follows, in a sentence."""
    form: type[BaseModel]
    do: Callable[..., Done]
    """`(acting, form, **ids)`."""
    roles: tuple[Role, ...]
    outside: bool = False
    """Whether it asks a service, which may not answer."""
    secret: bool = False
    """What comes of it is told once and kept nowhere, so it has no key of repetition."""
    file: str | None = None
    """Media type of the file that it makes, if it makes one; then it has no key of repetition, either."""
    grave: bool = False
    """What cannot simply be undone: its button says so by its colour."""
    choices: Callable[..., Mapping[str, Sequence[Choice]]] | None = None
    """`(asking, **ids)` → field → what it may be, where that depends on what it is about."""
    first: Callable[..., Mapping[str, Any]] | None = None
    """`(asking, **ids)` → field → what it holds before anybody fills it in."""
    wanted: Callable[..., Collection[str]] | None = None
    """`(asking, **ids)` → the fields that make sense, where that depends on what it is about; all of them otherwise."""

    @property
    def name(self) -> str:
        """Its name for programs: `approvals.approve` of `/approvals/{action_id}/approve`."""
        return ".".join(part for part in self.path.strip("/").split("/") if not part.startswith("{"))


@dataclass(frozen=True)
class Room:
    """A part of the console with a place in the menu."""

    name: str
    title: str
    path: str
    listings: tuple[Listing, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    papers: tuple[Paper, ...] = ()
    acts: tuple[Act, ...] = ()
    in_menu: bool = True
    waiting: str | None = None
    """SQL that counts what waits here for a visitor: `:creditors`, `:role`, `:login`."""
    tabs: tuple[str, ...] = ()
    """Paths of its pages among which people move, in order; they stand above each of its pages."""

    @property
    def pages(self) -> "tuple[Listing | Sheet, ...]":
        """What there is to see here."""
        return (*self.listings, *self.sheets)

    @property
    def roles(self) -> tuple[Role, ...]:
        """Who has something to see here."""
        seen = {role for each in self.pages if each.path == self.path for role in each.roles}
        return tuple(role for role in Role if role in seen)
