"""Money: integer minor units and an ISO 4217 code inside, `Decimal` at the edges, never a float (law 11)."""

from decimal import Decimal, InvalidOperation
from functools import cache

from babel.core import Locale, UnknownLocaleError
from babel.numbers import format_currency, get_currency_precision, is_currency

from maatpak.kernel.errors import UsageError

MOST_DIGITS = 15
"""Digits before the point; what is more does not fit a ledger of 64-bit minor units."""
MOST_MINOR_DIGITS = 18
"""Digits of minor units in all: of a currency with four decimals, that leaves one less before the point."""


@cache
def decimals(currency: str) -> int:
    """How many decimals a currency has (ISO 4217 as CLDR tells it): 2 for EUR, 0 for JPY, 3 for TND."""
    if not is_currency(currency):
        raise UsageError(f"{currency!r} is not an ISO 4217 currency code.", advice="Use a code such as EUR or GBP.")
    return int(get_currency_precision(currency))


def to_minor(amount: Decimal, currency: str) -> int:
    """Minor units of an amount; an amount finer than the currency allows is an error, not rounded."""
    if amount.adjusted() >= min(MOST_DIGITS, MOST_MINOR_DIGITS - decimals(currency)):
        raise UsageError(f"{amount} is more money than there is.", advice="Is the amount right?")
    scaled = amount.scaleb(decimals(currency))
    if scaled != scaled.to_integral_value():
        raise UsageError(
            f"{amount} has more decimals than {currency} has.", advice="Give a whole number of minor units."
        )
    return int(scaled)


def to_decimal(minor: int, currency: str) -> Decimal:
    """The amount of minor units, with the currency's decimals."""
    return Decimal(minor).scaleb(-decimals(currency))


def parse_amount(text: str, currency: str) -> int:
    """Minor units of a plain amount such as `1250.00`; no thousand separators, no signs but a leading minus."""
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        raise UsageError(f"{text!r} is not an amount.", advice="Write it as 1250.00, without separators.") from None
    if not amount.is_finite():
        raise UsageError(f"{text!r} is not an amount.", advice="Write it as 1250.00.")
    return to_minor(amount, currency)


@cache
def _locale(language: str, country: str | None) -> Locale:
    for name in (f"{language}_{country}" if country else language, language, "en"):
        try:
            return Locale.parse(name)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


def format_money(minor: int, currency: str, language: str = "en", country: str | None = None) -> str:
    """The amount as people of that language write it: `€ 1.250,00` in Dutch, `€1,250.00` in English."""
    return format_currency(to_decimal(minor, currency), currency, locale=_locale(language, country))
