"""Law 11: money is integer minor units, exact both ways, and written as people write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maatpak.kernel.errors import UsageError
from maatpak.kernel.money import MOST_DIGITS, decimals, format_money, parse_amount, to_decimal, to_minor

CURRENCIES = st.sampled_from(["EUR", "GBP", "JPY", "TND", "USD"])
MINOR = st.integers(min_value=1 - 10**15, max_value=10**15 - 1)


@pytest.mark.parametrize(("currency", "count"), [("EUR", 2), ("JPY", 0), ("TND", 3)])
def test_decimals(currency: str, count: int) -> None:
    assert decimals(currency) == count


@pytest.mark.parametrize("currency", ["", "EURO", "eur", "XYZ"])
def test_an_unknown_currency_is_refused(currency: str) -> None:
    with pytest.raises(UsageError, match="ISO 4217"):
        decimals(currency)


@given(MINOR, CURRENCIES)
def test_minor_units_and_back(minor: int, currency: str) -> None:
    assert to_minor(to_decimal(minor, currency), currency) == minor
    assert parse_amount(str(to_decimal(minor, currency)), currency) == minor


@pytest.mark.parametrize(("text", "currency"), [("1.005", "EUR"), ("1.5", "JPY"), ("0.0001", "TND")])
def test_too_many_decimals_are_an_error_not_rounded(text: str, currency: str) -> None:
    with pytest.raises(UsageError, match="more decimals"):
        parse_amount(text, currency)


@pytest.mark.parametrize("sign", ["", "-"])
def test_more_than_fifteen_digits_are_more_money_than_there_is(sign: str) -> None:
    most = "9" * MOST_DIGITS
    assert parse_amount(f"{sign}{most}.99", "EUR") == int(f"{sign}{most}99")
    for text in (f"1{'0' * MOST_DIGITS}", f"1{'0' * MOST_DIGITS}.00", "1e15"):
        with pytest.raises(UsageError, match="more money than there is"):
            parse_amount(sign + text, "EUR")
    assert parse_amount(f"{sign}{most[:-1]}.9999", "CLF") == int(f"{sign}{most[:-1]}9999")
    with pytest.raises(UsageError, match="more money than there is"):
        parse_amount(f"{sign}{most}.9999", "CLF")


@pytest.mark.parametrize("text", ["", "1,50", "abc", "NaN", "Infinity", "-Infinity", "1 250.00", "€5"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not an amount"):
        parse_amount(text, "EUR")


@pytest.mark.parametrize(
    ("language", "country", "shown"),
    [
        ("en", "GB", "€1,250.00"),
        ("nl", "NL", "€\xa01.250,00"),
        ("de", "AT", "€\xa01.250,00"),
        ("xx", None, "€1,250.00"),
    ],
)
def test_money_is_written_as_people_write_it(language: str, country: str | None, shown: str) -> None:
    assert format_money(125_000, "EUR", language, country) == shown
