"""Whom a message reaches: channels by rule, addresses that can be right, and how they are written."""

from typing import Any

import pytest

from maatpak.kernel.words import Channel
from tasks.compose.recipients import customer_of, mail_address, mobile_number


def customer(**changes: Any) -> Any:
    given = {
        "name": "Heuvel",
        "kind": "business",
        "country": "NL",
        "language": "nl",
        "email": "a@b.example",
        "phone": "0612345678",
        "street": "Dam 1",
        "postal_code": "1012 JS",
        "city": "Amsterdam",
        "contact_name": None,
        "time_zone": None,
        "preferred_channel": "email",
        **changes,
    }
    states = given.pop("states", [])
    preferences = given.pop("preferences", {})
    return customer_of("K-1", given, [], states, preferences, "payables", "NL", "nl")


@pytest.mark.parametrize(
    ("written_as", "address"),
    [
        ("jan@klant.example", "jan@klant.example"),
        (" jan@klant.example ", "jan@klant.example"),
        ("jan@büro.example", "jan@xn--bro-hoa.example"),
        ("jan@klant.example\nBcc: all@klant.example", None),
        ("<jan@klant.example>", None),
        ("jan@@klant.example", None),
        ("josé@klant.example", None),
        ("", None),
        (None, None),
    ],
)
def test_only_sound_mail_addresses_are_used(written_as: str | None, address: str | None) -> None:
    assert mail_address(written_as) == address


@pytest.mark.parametrize(
    ("written_as", "country", "number"),
    [
        ("06 1234 5678", "NL", "+31612345678"),
        ("0044 7400 123456", "NL", "+447400123456"),
        ("+32 470 12 34 56", "BE", "+32470123456"),
        ("020 123 4567", "NL", None),
        ("no number", "NL", None),
        (None, "NL", None),
    ],
)
def test_only_mobile_numbers_are_texted(written_as: str | None, country: str, number: str | None) -> None:
    assert mobile_number(written_as, country) == number


def test_addresses_abroad_are_written_as_there() -> None:
    (reach,) = [each for each in customer(country="GB", postal_code="SW1A 1AA", city="London").reaches
                if each.channel is Channel.POST]  # fmt: skip
    assert reach.person.lines == ("Heuvel", "Dam 1", "London", "SW1A 1AA", "VERENIGD KONINKRIJK")
    assert reach.address == "Dam 1, London, SW1A 1AA, VERENIGD KONINKRIJK"


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"street": "Gebouw C\nDam 1"}, ("Heuvel", "Gebouw C", "Dam 1", "1012 JS Amsterdam")),
        ({"street": "Gebouw C\nHal 2\nDam 1"}, ("Heuvel", "Gebouw C", "Hal 2, Dam 1", "1012 JS Amsterdam")),
        (
            {"street": "Unit 3\nDam 1", "country": "GB", "city": "London", "contact_name": "Ann"},
            ("Heuvel", "Ann", "Unit 3, Dam 1", "London", "1012 JS", "VERENIGD KONINKRIJK"),
        ),
    ],
)
def test_an_address_fits_its_window_and_loses_nothing(changes: dict[str, Any], lines: tuple[str, ...]) -> None:
    (reach,) = [each for each in customer(**changes).reaches if each.channel is Channel.POST]
    assert reach.person.lines == lines
