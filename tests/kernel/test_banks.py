import pytest

from maatpak.kernel.banks import bic_holds, iban_holds


@pytest.mark.parametrize(
    ("iban", "holds"),
    [
        ("NL91ABNA0417164300", True),
        ("BE68539007547034", True),
        ("NL19ABNA0417164300", False),
        ("NL91 ABNA 0417 1643 00", False),
        ("NL91-ABNA-0417", False),
        ("91", False),
        ("", False),
    ],
)
def test_shape_and_check_digits_of_an_iban(iban: str, holds: bool) -> None:
    assert iban_holds(iban) is holds


@pytest.mark.parametrize(
    ("bic", "holds"),
    [
        ("ABNANL2A", True),
        ("DEUTDEFF500", True),
        ("ABNANL2", False),
        ("ABNANL2AXX", False),
        ("ABNA1L2A", False),
        ("", False),
    ],
)
def test_shape_of_a_bic(bic: str, holds: bool) -> None:
    assert bic_holds(bic) is holds
