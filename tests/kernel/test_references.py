import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maatpak.kernel.references import (
    ReferenceKind,
    betalingskenmerk_holds,
    ogm_holds,
    payment_reference,
    reference_kind,
    rf_holds,
    usual_reference,
)

CHECKED = [ReferenceKind.RF, ReferenceKind.OGM, ReferenceKind.BETALINGSKENMERK]
NUMBERS = st.text(string.ascii_letters + string.digits + "-/. ", min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("kind", "number", "reference"),
    [
        # As published for each of them.
        (ReferenceKind.RF, "539007547034", "RF18 5390 0754 7034"),
        (ReferenceKind.RF, "1234512345", "RF45 1234 5123 45"),
        (ReferenceKind.RF, "tu06fx", "RF96 TU06 FX"),
        (ReferenceKind.OGM, "0108068171", "+++010/8068/17183+++"),
        (ReferenceKind.OGM, "0909337554", "+++090/9337/55493+++"),
        (ReferenceKind.BETALINGSKENMERK, "56789012345", "5000 0567 8901 2345"),
        # A number that 97 divides has the check digits 97.
        (ReferenceKind.OGM, "97", "+++000/0000/09797+++"),
        # A letter is two digits.
        (ReferenceKind.OGM, "K-1001", "+++000/0201/00117+++"),
    ],
)
def test_known_references(kind: ReferenceKind, number: str, reference: str) -> None:
    assert payment_reference(kind, number) == reference
    assert reference_kind(reference) is kind


@pytest.mark.parametrize(
    ("reference", "holds"),
    [
        ("12234534622567", True),
        ("5000056789012345", True),
        ("1234567", True),
        ("22234534622567", False),
        ("11234534622567", False),
        ("4000056789012345", False),
        ("12345678", False),
        ("500005678901234", False),
        ("", False),
    ],
)
def test_lengths_of_a_betalingskenmerk(reference: str, holds: bool) -> None:
    assert betalingskenmerk_holds(reference) is holds


@pytest.mark.parametrize(
    ("reference", "holds"),
    [
        ("+++010/8068/17183+++", True),
        ("***010/8068/17183***", True),
        ("010806817183", True),
        ("+++010/8068/17182+++", False),
        ("000000000000", False),
        ("000000000097", True),
        ("+++010/8068/1718+++", False),
    ],
)
def test_shapes_of_an_ogm(reference: str, holds: bool) -> None:
    assert ogm_holds(reference) is holds


@given(NUMBERS, st.sampled_from(CHECKED))
def test_a_reference_that_is_made_holds_and_says_its_number(number: str, kind: ReferenceKind) -> None:
    made = payment_reference(kind, number)
    signs = "".join(sign for sign in number.upper() if sign.isalnum())
    if made is None:
        digits = "".join(str(int(sign, 36)) for sign in signs)
        longest = {ReferenceKind.RF: 21, ReferenceKind.OGM: 10, ReferenceKind.BETALINGSKENMERK: 15}[kind]
        assert not signs or len(signs if kind is ReferenceKind.RF else digits) > longest
        return
    assert made == payment_reference(kind, signs.lower())
    assert reference_kind(made) is kind
    assert reference_kind(made.lower().replace(" ", "")) is kind
    if kind is ReferenceKind.RF:
        assert made.replace(" ", "")[4:] == signs


@given(st.text(string.digits, min_size=1, max_size=10), st.integers(0, 11), st.integers(1, 9))
def test_a_mistyped_digit_of_an_ogm_or_an_rf_shows(number: str, place: int, more: int) -> None:
    def mistyped(reference: str, at: int) -> str:
        return reference[:at] + str((int(reference[at]) + more) % 10) + reference[at + 1 :]

    ogm = (payment_reference(ReferenceKind.OGM, number) or "").strip("+").replace("/", "")
    assert not ogm_holds(mistyped(ogm, place))
    rf = (payment_reference(ReferenceKind.RF, number) or "").replace(" ", "")
    assert not rf_holds(mistyped(rf, 2 + place % (len(rf) - 2)))


@given(st.integers(0, 10**15 - 1), st.integers(1, 9))
def test_one_check_digit_of_a_betalingskenmerk_holds(number: int, more: int) -> None:
    kenmerk = (payment_reference(ReferenceKind.BETALINGSKENMERK, str(number)) or "").replace(" ", "")
    assert kenmerk[1:] == f"{number:015d}"
    assert not betalingskenmerk_holds(str((int(kenmerk[0]) + more) % 10) + kenmerk[1:])


@given(st.sets(st.integers(0, 10**9), min_size=2, max_size=50), st.sampled_from(CHECKED))
def test_two_numbers_never_share_a_reference(numbers: set[int], kind: ReferenceKind) -> None:
    assert len({payment_reference(kind, str(number)) for number in numbers}) == len(numbers)


@pytest.mark.parametrize("number", ["", "--", "Ż-12", "١٢", "K" * 22])
def test_what_no_reference_can_say_is_stated_in_words(number: str) -> None:
    assert [payment_reference(kind, number) for kind in ReferenceKind] == [None] * 4
    assert payment_reference(ReferenceKind.WORDS, "K-1001") is None


@pytest.mark.parametrize(
    "text", ["K-1001 F-2041", "1234567", "RF19 5390 0754 7034", "RF18", "5000 0567 8901 2344", "", "RF18 5390-0754"]
)
def test_words_are_no_reference(text: str) -> None:
    assert reference_kind(text) is ReferenceKind.WORDS


@pytest.mark.parametrize(
    ("country", "kind"),
    [("BE", "ogm"), ("NL", "betalingskenmerk"), ("DE", "rf"), ("FI", "rf"), ("GB", "words"), ("US", "words")],
)
def test_a_country_has_its_usual_reference(country: str, kind: str) -> None:
    assert usual_reference(country) == kind
