"""How messages spell amounts, dates and lists, and in whose hours they leave."""

from datetime import UTC, date, datetime

import pytest

from maatpak.kernel.money import format_money
from policies.guardrails import Hours
from tasks.compose.spelling import joined, long_date, money
from tasks.compose.windows import is_open, next_opening, zones_of

HOURS = Hours(business="08:00-19:00", consumer="09:00-19:00")


@pytest.mark.parametrize("language", ["nl", "en", "de", "fr", "es", "pl"])
@pytest.mark.parametrize("country", ["NL", "BE", "GB", "DE", "IN", None])
def test_amounts_are_spelled_as_the_language_does(language: str, country: str | None) -> None:
    for currency in ("EUR", "GBP", "JPY", "TND"):
        for minor in (0, 5, 99, 100, 99999, 100000, 123456, 999999, 1000000, 12345678, 10**11 + 7, -4000):
            assert money(minor, currency, language, country) == format_money(minor, currency, language, country)


def test_dates_and_lists_in_words() -> None:
    assert long_date(date(2026, 3, 3), "nl", "NL") == "3 maart 2026"
    assert long_date(date(2026, 3, 3), "en", "GB") == "3 March 2026"
    assert [joined(parts, "en") for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a en b",
        "a, b en c",
    ]


def at(hour: int, day: int = 11) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def test_customers_are_written_to_in_their_own_hours() -> None:
    amsterdam = zones_of(None, "NL")
    assert amsterdam == ("Europe/Amsterdam",)
    assert is_open(at(10), amsterdam, HOURS, "business", "NL")
    assert not is_open(at(6), amsterdam, HOURS, "business", "NL")
    assert not is_open(at(7), amsterdam, HOURS, "consumer", "NL")
    assert is_open(at(7), amsterdam, HOURS, "business", "NL")
    assert next_opening(at(6), amsterdam, HOURS, "consumer", "NL") == at(8)
    assert next_opening(at(10), amsterdam, HOURS, "consumer", "NL") == at(10)
    # Friday evening: the next is Monday morning.
    assert next_opening(at(20, 13), amsterdam, HOURS, "business", "NL") == at(7, 16)
    easter_saturday = datetime(2026, 4, 4, 10, tzinfo=UTC)
    tuesday = datetime(2026, 4, 7, 6, tzinfo=UTC)
    assert next_opening(easter_saturday, amsterdam, HOURS, "business", "NL") == tuesday


def test_a_wide_country_is_written_to_when_all_of_it_is_awake() -> None:
    spain = zones_of(None, "ES")
    assert len(spain) > 1
    assert next_opening(at(7), spain, HOURS, "business", "ES") == at(8)
    assert zones_of("Europe/Madrid", "ES") == ("Europe/Madrid",)
    assert zones_of("Mars/Base", "NL") == ("Europe/Amsterdam",)
    russia = zones_of(None, "RU")
    assert next_opening(at(7), russia, HOURS, "business", "RU") > at(7)
