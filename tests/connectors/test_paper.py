"""A letter on paper: what a window shows, what a scanner reads, where it is folded."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.message import Correspondent
from connectors.post.letters import letter_pdf
from maatpak.kernel.references import ReferenceKind, payment_reference
from tests.connectors.letters import letter
from tests.connectors.paper import Box, characters, codes, lines

WINDOW = (20.0, 45.0, 105.0, 90.0)
"""DIN 5008 form B: 85 mm by 45 mm."""
ADDRESS = (20.0, 62.7, 105.0, 90.0)
"""Its lower 27.3 mm: six lines of address."""
SERVICE = (22.0, 60.0, 107.5, 85.5)
"""Where Pingen reads an address at the left."""
POSTAGE = (20.0, 40.0, 109.5, 60.0)
"""What Pingen keeps for its postage."""
LONGEST_TEXT = 250
"""The gate lets no longer name or street in."""
HYPHEN = "\u00ad"
"""What typst says of the hyphen that it draws."""
WORDS = "Stichting tot Behoud van het Industrieel Erfgoed der Noordelijke Nederlanden "
SIX = [
    ("Vereniging van Eigenaren Appartementencomplex De Zuidermeerse", *"Wij", "Kade 1", "VEREINIGTES KÖNIGREICH"),
    ("De Vries & Zn.",),
    tuple((WORDS * 4)[at : at + LONGEST_TEXT].strip() for at in range(6)),
    ("W" * LONGEST_TEXT, "Dam 1", "1012 AB Amsterdam"),
    tuple("WM" * (LONGEST_TEXT // 2) for _ in range(6)),
]


def in_window(pdf: bytes) -> list[Box]:
    return [each for each in characters(pdf) if each.touches(*WINDOW)]


def told(boxes: list[Box]) -> str:
    return "".join(each.text for each in boxes).replace("\u200b", "")


def address_holds(address: tuple[str, ...]) -> None:
    shown = in_window(letter_pdf(letter(lines=address), sender_line=False))
    assert sorted(told(shown)) == sorted("".join(address).replace(" ", ""))
    assert [each for each in shown if not (each.within(*ADDRESS) and each.within(*SERVICE))] == []


@pytest.mark.parametrize("address", SIX, ids=["usual", "one", "longest words", "one word", "widest"])
def test_the_whole_address_lies_in_the_window(address: tuple[str, ...]) -> None:
    address_holds(address)


@given(
    st.lists(
        st.text(st.sampled_from("abcdef WMÄÖÜßéø&-.,'0123456789"), min_size=1, max_size=LONGEST_TEXT)
        .map(lambda line: " ".join(line.split()))
        .filter(bool),
        min_size=1,
        max_size=6,
    ).map(tuple)
)
@settings(max_examples=25, deadline=None)
def test_any_address_lies_in_the_window(address: tuple[str, ...]) -> None:
    address_holds(address)


def test_the_senders_line_is_one_line_above_the_address() -> None:
    long = Correspondent(
        "Z", lines=("Zuidermeer Techniek en Installatie Groep Nederland B.V.", "Oudegracht 12", "3511 AB Utrecht" * 3)
    )
    pdf = letter_pdf(replace(letter(lines=SIX[0]), sender=long))
    above = [each for each in in_window(pdf) if not each.within(*ADDRESS)]
    assert told(above) == " · ".join(long.lines).replace(" ", "")
    assert all(each.within(20, 45, 105, 62.7) for each in above)
    assert len({round(each.bottom, 1) for each in above}) == 1


def test_a_service_that_posts_has_room_for_its_postage() -> None:
    pdf = letter_pdf(letter(lines=SIX[0]), sender_line=False)
    assert [each for each in characters(pdf) if each.touches(*POSTAGE)] == []


@pytest.mark.parametrize("name", ["Zuidermeer B.V.", "Zuidermeer " * 20])
def test_the_letterhead_stays_above_the_window_and_within_the_margins(name: str) -> None:
    pdf = letter_pdf(replace(letter(), sender=Correspondent(name.strip(), lines=("Kade 1",))))
    head = [each for each in characters(pdf) if each.bottom < 40]
    assert told(head) == name.replace(" ", "")
    assert all(each.within(24.9, 8, 190.1, 40) for each in head)


def test_a_wide_logo_stays_within_the_margins() -> None:
    wide = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 20"><path d="M0 10 L900 10" stroke="#000"/></svg>'
    plain = letter()
    pdf = letter_pdf(replace(plain, letter={**(plain.letter or {}), "logo": wide}))
    drawn = [each for each in lines(pdf) if each.top < 40]
    assert drawn
    assert all(each.within(24.9, 10, 190.1, 40) for each in drawn)


def test_the_first_page_has_the_marks_of_form_b() -> None:
    pdf = letter_pdf(letter(rows=60))
    marks = [each for each in lines(pdf) if each.right < 20]
    assert [round(each.top, 1) for each in sorted(marks, key=lambda each: each.top)] == [105.0, 148.5, 210.0]
    assert [each for each in lines(pdf, page=1) if each.right < 20] == []


def test_a_long_number_stays_in_its_column_and_gets_no_hyphen() -> None:
    plain = letter()
    table = (plain.letter or {})["tables"][0]
    number = "FACTUUR" + "7" * 200
    rows = [[number, *table["rows"][0][1:]], *table["rows"][1:]]
    pdf = letter_pdf(replace(plain, letter={**(plain.letter or {}), "tables": [{**table, "rows": rows}]}))
    placed = characters(pdf)
    first, second = [each for each in placed if each.text.startswith("D") and each.top > 108][:2]
    assert first.top == second.top
    column = [each for each in placed if each.within(24.9, first.bottom, second.left, 150)]
    assert number in told(column)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("K-1001 F-2041", {"text": "K-1001 F-2041"}),
        (payment_reference(ReferenceKind.RF, "K-1001"), {"reference": "RF30K1001"}),
        (payment_reference(ReferenceKind.OGM, "K-1001"), {"text": "+++000/0201/00117+++"}),
        (payment_reference(ReferenceKind.BETALINGSKENMERK, "10042"), {"text": "3000 0000 0001 0042"}),
    ],
)
@pytest.mark.parametrize("minor", [1, 125000, 99999999999])
def test_the_printed_code_says_account_amount_and_reference(
    reference: str, expected: Mapping[str, Any], minor: int
) -> None:
    (said,) = codes(letter_pdf(letter(reference=reference, minor=minor)))
    fields = said.split("\n")
    assert fields[:4] == ["BCD", "002", "1", "SCT"]
    assert fields[4:8] == [
        "ABNANL2A",
        "Zuidermeer Techniek B.V.",
        "NL91ABNA0417164300",
        f"EUR{minor / 100:.2f}".rstrip("0").rstrip("."),
    ]
    assert (fields[9], "".join(fields[10:])) == (expected.get("reference", ""), expected.get("text", ""))


def test_the_printed_code_leads_to_the_payment_page_where_no_bank_reads_it() -> None:
    assert codes(letter_pdf(letter(currency="GBP"))) == ["https://betalen.zuidermeer.example/?m=1"]


@pytest.mark.parametrize(
    ("language", "syllables"),
    [
        ("nl", "be-ta-lings-her-in-ne-rin-gen"),
        ("de", "For-de-rungs-ma-nage-ment"),
        ("fr", "re-com-man-da-tions"),
        ("en", "cor-re-spon-dence"),
    ],
)
def test_words_break_where_their_language_does(language: str, syllables: str) -> None:
    word = syllables.replace("-", "")
    plain = letter()
    text = " ".join(f"{'1' * (1 + at * at % 11)} {word}" for at in range(80))
    blocks = [{"kind": "paragraph", "lines": [[[text, False]]]}]
    pdf = letter_pdf(replace(plain, language=language, letter={**(plain.letter or {}), "blocks": blocks}))
    body = [each for each in characters(pdf) if each.top > 100]
    rows: dict[float, str] = {}
    for each in body:
        rows[round(each.top, 1)] = rows.get(round(each.top, 1), "") + each.text
    broken = {row[:-1].rpartition("1")[2] for row in rows.values() if row.endswith(HYPHEN)}
    parts = syllables.split("-")
    allowed = {"".join(parts[:at]) for at in range(1, len(parts))}
    assert broken
    assert broken <= allowed
