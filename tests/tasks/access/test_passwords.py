"""What holds as a password, and that what is kept of it tells nothing."""

import pytest

from maatpak.kernel.errors import UsageError
from tasks.access.passwords import LONGEST, fits, hashed, is_outdated, made_password, require_password

CHEAP = 8
"""KiB."""


@pytest.mark.parametrize(
    ("password", "said"),
    [
        pytest.param("four grey herons dancing", None, id="words"),
        pytest.param("x7!kQ2#pLm9$", None, id="twelve signs"),
        pytest.param("été à Zürich 1987", None, id="accents"),
        pytest.param("carla likes four grey herons", None, id="a name among others"),
        pytest.param("x7!kQ2#pLm9", "at least 12", id="eleven signs"),
        pytest.param("", "at least 12", id="nothing"),
        pytest.param("ab c" * 65, "at most 256", id="too long"),
        pytest.param("carla.janssen", "your name", id="the name"),
        pytest.param("Carla-Janssen-1987", "your name", id="the name and a year"),
        pytest.param("nl01.carla!!!!", "your name", id="the login"),
        pytest.param("Password123456", "everybody tries", id="common"),
        pytest.param("Welkom-2026-2026", "everybody tries", id="common in Dutch, with digits"),
        pytest.param("aaaaaaaaaaaaa", "everybody tries", id="one sign"),
        pytest.param("123412341234", "everybody tries", id="few signs"),
        pytest.param("1234567890123", "everybody tries", id="digits in a row"),
    ],
)
def test_what_holds_as_a_password(password: str, said: str | None) -> None:
    if said is None:
        require_password(password, "nl01.carla", "Carla Janssen")
    else:
        with pytest.raises(UsageError, match=said):
            require_password(password, "nl01.carla", "Carla Janssen")


@pytest.mark.parametrize(
    ("given", "right"),
    [
        pytest.param("Zürich am See 7", True, id="the same"),
        pytest.param("Zu\u0308rich am See 7", True, id="composed otherwise"),
        pytest.param("zürich am see 7", False, id="in small letters"),
        pytest.param("Zürich am See 7 ", False, id="a blank more"),
        pytest.param("", False, id="nothing"),
        pytest.param("\ud800", False, id="no character"),
        pytest.param("Zürich am See 7\0", False, id="a zero byte"),
    ],
)
def test_only_the_same_password_fits(given: str, right: bool) -> None:
    assert fits(given, hashed("Zürich am See 7", CHEAP), CHEAP) is right


def test_what_is_longer_than_may_be_fits_nothing() -> None:
    longest = "x" * LONGEST
    assert not fits(longest + "y", hashed(longest, CHEAP), CHEAP)


def test_nobody_has_no_password() -> None:
    assert not fits("", None, CHEAP)
    assert not fits(made_password(), None, CHEAP)


def test_hashes_are_argon2id_salted_and_known_to_be_outdated() -> None:
    one, other = hashed("four grey herons", CHEAP), hashed("four grey herons", CHEAP)
    assert one != other
    assert one.startswith("$argon2id$v=19$m=8,t=2,p=1$")
    assert (is_outdated(one, CHEAP), is_outdated(one, 16)) == (False, True)


def test_made_passwords_hold() -> None:
    for _ in range(50):
        require_password(made_password(), "nl01.carla", "Carla Janssen")
