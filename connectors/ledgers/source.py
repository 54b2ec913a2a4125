"""A source: how somebody's export becomes the canonical ledger, as its YAML file says it; no code."""

from collections.abc import Iterator
from decimal import Decimal
from fnmatch import fnmatch
from functools import cached_property
from string import Formatter
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from babel.numbers import is_currency
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from connectors.ledgers.columns import FILE_COLUMNS, OF_DEBTORS, countries, languages
from connectors.ledgers.dates import ISO, DateFormat, date_format
from maatpak.kernel.banks import bic_holds, iban_holds
from maatpak.kernel.errors import UsageError
from maatpak.kernel.ids import content_hash

ROLES = tuple(FILE_COLUMNS)
Role = Literal["items", "debtors", "payments", "contacts", "tickets"]


def _date_format(text: str) -> str:
    date_format(text)
    return text


def _currency(code: str) -> str:
    if not is_currency(code):
        raise ValueError(f"{code!r} is no ISO 4217 currency code")
    return code


def _country(code: str) -> str:
    if code not in countries():
        raise ValueError(f"{code!r} is no ISO 3166 country code")
    return code


def _language(code: str) -> str:
    if code not in languages():
        raise ValueError(f"{code!r} is no ISO 639 language code")
    return code


def _iban(number: str) -> str:
    plain = number.replace(" ", "").upper()
    if not iban_holds(plain):
        raise ValueError(f"{number!r} is no IBAN, or has a wrong check number")
    return plain


def _bic(code: str) -> str:
    plain = code.replace(" ", "").upper()
    if not bic_holds(plain):
        raise ValueError(f"{code!r} is no BIC of 8 or 11 signs")
    return plain


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no IANA time zone")
    return name


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Format = Annotated[str, AfterValidator(_date_format)]
Formats = Annotated[tuple[Format, ...], BeforeValidator(_listed), Field(min_length=1)]
Currency = Annotated[str, AfterValidator(_currency)]
Share = Annotated[float, Field(ge=0, le=1000)]


class Strict(BaseModel):
    """Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class CreditorDefinition(Strict):
    """The legal entity that is owed. Only a creditor that is not known yet is made from it."""

    code: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    name: str = Field(min_length=1)
    country: Annotated[str, AfterValidator(_country)]
    language: Annotated[str, AfterValidator(_language)]
    currency: Currency
    time_zone: Annotated[str, AfterValidator(_time_zone)]
    iban: Annotated[str, AfterValidator(_iban)] | None = None
    bic: Annotated[str, AfterValidator(_bic)] | None = None
    email: str | None = None
    phone: str | None = None
    street: str | None = None
    postal_code: str | None = None
    city: str | None = None
    registration_no: str | None = None
    vat_no: str | None = None
    payment_url: str | None = None


class NumberFormat(Strict):
    """How amounts are written."""

    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'", ""] = ""
    currency_sign: str = Field(default="", max_length=4, pattern=r"^[^0-9.,'()\s-]*$")
    """Written beside every amount, or beside some."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands may not be the same sign")
        return self


class TotalRow(Strict):
    """A row at the end of the items that is no item but holds the totals of the amounts above it."""

    column: str
    value: str


class FileSpec(Strict):
    """One kind of file of a source."""

    match: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    """Name patterns; a source with one kind of file needs none."""
    format: Literal["auto", "csv", "excel", "parquet"] = "auto"
    encoding: Literal["auto", "utf-8", "cp1252", "utf-16"] = "auto"
    delimiter: Literal["auto", ",", ";", "\t", "|"] = "auto"
    sheet: str | None = None
    """Name of the sheet; without it, the first."""
    header_row: int = Field(default=1, ge=1)
    final_line_break: bool = True
    """The export ends its last line; a file that does not was cut off."""
    columns: dict[str, str] = Field(default_factory=dict)
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    defaults: dict[str, str] = Field(default_factory=dict)
    dates: Formats | dict[str, Formats] | None = None
    numbers: NumberFormat | None = None
    empty: tuple[str, ...] = ()
    """Texts that stand for nothing, such as `-` or `NULL`."""
    fill_down: tuple[str, ...] = ()
    """Canonical columns that are written in the first row of a group only."""
    skip: dict[str, Annotated[tuple[str, ...], BeforeValidator(_listed)]] = Field(default_factory=dict)
    """Header → cells by which a row is none of the table's: a heading or a subtotal."""
    total_row: TotalRow | None = None

    @property
    def given(self) -> frozenset[str]:
        """Canonical columns that the file gives, mapped or by default."""
        return frozenset(self.columns) | frozenset(self.defaults)


class Files(Strict):
    """The files of a source, by what they hold."""

    items: FileSpec | None = None
    debtors: FileSpec | None = None
    payments: FileSpec | None = None
    contacts: FileSpec | None = None
    tickets: FileSpec | None = None

    def __iter__(self) -> Iterator[tuple[Role, FileSpec]]:  # type: ignore[override]
        for role in ROLES:
            spec = getattr(self, role)
            if spec is not None:
                yield role, spec  # type: ignore[misc]


class Bounds(Strict):
    """What makes a whole file unbelievable. A person with the role may accept one once, for one file, with a reason."""

    control_total: dict[Currency, Decimal] = Field(default_factory=dict)
    """Sum of the amounts by currency, credit notes and payments negative, that the file must have."""
    max_row_drop: Share = 0.3
    """Share of rows by which a full file may be shorter than the last one."""
    max_balance_jump: Share = 0.5
    """Share by which the open balance of a currency may differ from the last full file."""
    compare_from_rows: int = Field(default=10, ge=1)
    """Smaller ledgers than this change too much to be compared."""
    max_other_currency: Share = 0.1
    """Share of rows in a currency that the source does not list."""
    max_unreadable_dates: Share = 0.3
    """Share of unreadable cells in a column of dates."""
    max_quarantined: Share = 0.5
    """Share of rows set apart."""
    max_days_ahead: int = Field(default=31, ge=0)
    """How far a document may be dated after the instant the file speaks for."""


ACCEPTABLE = frozenset(
    {"control_total", "max_row_drop", "max_balance_jump", "max_other_currency", "max_unreadable_dates"}
    | {"max_quarantined"}
)
"""Bounds that a person may accept once for one file."""


class LedgerSource(Strict):
    """Everything needed to read one ledger export."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    mode: Literal["full", "delta", "history"]
    creditor: CreditorDefinition | str | None = None
    creditors: tuple[CreditorDefinition | str, ...] = ()
    """For a file of several creditors, whose column `creditor` tells them apart."""
    files: Files
    dates: Formats = (ISO,)
    numbers: NumberFormat = NumberFormat()
    currencies: tuple[Currency, ...] = ()
    """Currencies that items may have; without them, those of the creditors defined here."""
    negative_amounts: Literal["refuse", "credit_note"] = "refuse"
    """What an invoice below zero is."""
    bounds: Bounds = Bounds()

    @cached_property
    def content_hash(self) -> str:
        """Hash of the definition: another mapping makes another content of the same file."""
        return content_hash(self.model_dump(mode="json"))

    @property
    def allowed_currencies(self) -> tuple[str, ...]:
        """Currencies that items may have; empty: the creditor's own, to be looked up."""
        defined = [each.currency for each in self.all_creditors if isinstance(each, CreditorDefinition)]
        return self.currencies or tuple(dict.fromkeys(defined))

    @property
    def all_creditors(self) -> tuple[CreditorDefinition | str, ...]:
        """Whose ledger it is, one or several."""
        return self.creditors or ((self.creditor,) if self.creditor is not None else ())

    def date_formats(self, role: Role, column: str) -> tuple[DateFormat, ...]:
        """How a column of a file writes its dates."""
        spec = getattr(self.files, role)
        chosen = spec.dates.get(column, self.dates) if isinstance(spec.dates, dict) else spec.dates or self.dates
        return tuple(date_format(text) for text in chosen)

    def number_format(self, role: Role) -> NumberFormat:
        """How a file writes its amounts."""
        return getattr(self.files, role).numbers or self.numbers

    def gives(self, table: str, column: str) -> bool:
        """Whether any file of the source gives a canonical column."""
        for role, spec in self.files:
            if (role == table or (role == "items" and table == "debtors")) and column in spec.given:
                return True
        return False

    @property
    def has_debtors(self) -> bool:
        """Whether the source says anything of its debtors but their numbers."""
        return self.files.debtors is not None or (
            self.files.items is not None and bool(self.files.items.given & OF_DEBTORS)
        )

    def role_of(self, file_name: str) -> Role:
        """What a file of that name holds.

        Raises:
            UsageError: no pattern of the source matches it, or several do.
        """
        kinds = list(self.files)
        if len(kinds) == 1 and not kinds[0][1].match:
            return kinds[0][0]
        fitting = [role for role, spec in kinds if any(fnmatch(file_name, pattern) for pattern in spec.match)]
        if len(fitting) == 1:
            return fitting[0]
        patterns = "; ".join(f"{role}: {', '.join(spec.match) or 'no pattern'}" for role, spec in kinds)
        raise UsageError(
            f"{file_name!r} matches {'several kinds' if fitting else 'no kind'} of file of source {self.name!r}.",
            advice=f"The patterns are {patterns}.",
        )


def template_fields(template: str) -> tuple[str, ...]:
    """Names of the columns that a default is built from.

    Raises:
        ValueError: braces do not pair, or hold something else than a name.
    """
    fields = []
    for _, field, spec, conversion in Formatter().parse(template):
        if field is None:
            continue
        if spec or conversion or not field.isidentifier():
            raise ValueError("braces hold the name of a column and nothing else")
        fields.append(field)
    return tuple(fields)
