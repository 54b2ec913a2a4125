import asyncio
import json
import re
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import segno
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from segno import helpers

from connectors.message import Enclosure, Outgoing
from connectors.outcome import Failed, Sent, Unknown
from connectors.post.letters import letter_pdf, payment_qr
from connectors.post.spool import PostSpool
from maatpak.kernel.ids import bytes_hash
from tests.connectors.letters import letter
from tests.connectors.paper import code_of, picture

POINT = 25.4 / 72
"""Millimetres."""
A4_HEIGHT = 297
SIGNS = st.sampled_from("abcdef XYZ&.-,'/+0123456789äëß€")
"""Of names and of references."""
LONGEST = (
    "Vereniging van Eigenaren Appartementencomplex De Zuidermeerse",
    "Mevrouw drs. A.M.E. van Bergen Henegouwen-de Jonge",
    "Afdeling Crediteurenadministratie, gebouw C",
    "Burgemeester van Heemstrakwartier 1234-hs",
    "1234 AB 's-Gravenhage-Scheveningen",
    "VEREINIGTES KÖNIGREICH",
)


def pages(outgoing: Outgoing, folder: Path) -> PdfReader:
    path = folder / "letter.pdf"
    path.write_bytes(letter_pdf(outgoing))
    return PdfReader(path)


def positions(reader: PdfReader, page: int = 0) -> list[tuple[str, float, float]]:
    """(text, mm from the left, mm from the top) of every piece of text."""
    found: list[tuple[str, float, float]] = []

    def visit(text: str, cm: list[float], tm: list[float], font: object, size: float) -> None:
        if text.strip():
            x = tm[4] * cm[0] + cm[4]
            y = tm[5] * cm[3] + cm[5]
            found.append((text.strip(), x * POINT, A4_HEIGHT - y * POINT))

    reader.pages[page].extract_text(visitor_text=visit)
    return found


def test_the_address_stands_in_the_window_of_form_b(tmp_path: Path) -> None:
    reader = pages(letter(lines=LONGEST), tmp_path)
    placed = positions(reader)
    for line in LONGEST:
        start = line.split()[0]
        x, y = next((x, y) for text, x, y in placed if text.startswith(start) and 45 <= y <= 90 and x < 105)
        assert 20 <= x <= 30
        assert 62 <= y <= 88, line
    inside = [(text, x, y) for text, x, y in placed if 52 < y < 90 and x < 105]
    assert {text.split()[0] for text, _, _ in inside} <= {line.split()[0] for line in LONGEST} | {"-"}


@pytest.mark.parametrize(
    "address",
    [
        "debiteurenadministratie@zuidermeertechniek.nl",
        f"{'d' * 40}@zuidermeer.example",
        f"{'debiteuren.' * 5}nl@{'zuidermeer.' * 4}example",
    ],
)
def test_a_long_address_in_the_information_block_holds_the_right_margin(tmp_path: Path, address: str) -> None:
    plain = letter()
    words = {**(plain.letter or {}), "particulars": [["Uw klantnummer", "K-1001"], ["E-mail", address]]}
    pieces: list[tuple[str, float, float]] = []

    def visit(text: str, cm: list[float], tm: list[float], font: object, size: float) -> None:
        pieces.extend(
            (line.strip(), (tm[4] * cm[0] + cm[4]) * POINT, size * abs(tm[0] * cm[0]) * POINT)
            for line in text.splitlines()
            if line.strip() and line.strip() in address
        )

    pages(replace(plain, letter=words), tmp_path).pages[0].extract_text(visitor_text=visit)
    assert "".join(line for line, _, _ in pieces) == address
    for line, start, size in pieces:
        width = 0.38 * size  # of a letter, on average: less than in truth
        assert 125 <= start < start + width * len(line) <= 190, (line, start, size)


def test_pages_are_numbered_and_a_long_table_keeps_its_head_and_total(tmp_path: Path) -> None:
    reader = pages(letter(rows=120), tmp_path)
    assert len(reader.pages) == 3
    texts = [page.extract_text() for page in reader.pages]
    for number, words in enumerate(texts, start=1):
        assert f"Pagina {number} van 3" in words
    assert all("Te betalen" in words for words in texts[:2])
    assert "Totaal te betalen" in "".join(texts)
    assert "0123456789" in texts[1]
    together = "".join(texts)
    assert all(f"F-{2041 + at}" in together for at in range(120))


def test_a_signature_never_stands_alone_on_a_page() -> None:
    lengths = set()
    for rows in range(18, 26):
        pages = [page.extract_text() for page in PdfReader(BytesIO(letter_pdf(letter(rows=rows)))).pages]
        lengths.add(len(pages))
        assert "Met vriendelijke groet" in pages[-1]
        assert "Betaal, met de gegevens hierboven" in pages[-1]
    assert lengths == {1, 2}


def test_the_same_letter_has_the_same_bytes() -> None:
    assert letter_pdf(letter()) == letter_pdf(letter())


@given(
    payee=st.text(SIGNS, min_size=1, max_size=70).map(str.strip).filter(bool),
    words=st.text(SIGNS, min_size=1, max_size=140).filter(str.strip),
    minor=st.integers(1, 99_999_999_999),
    bic=st.sampled_from(["", "ABNANL2A", "ABNANL2AXXX"]),
)
@example(payee="Zuidermeer Techniek B.V.", words="K-1001 F-2041", minor=125000, bic="ABNANL2A")
@example(payee="Zoë", words="K-1001 ", minor=100, bic="")
@settings(max_examples=25, deadline=None)
def test_the_code_says_what_the_standard_has_it_say(payee: str, words: str, minor: int, bic: str) -> None:
    pay = letter(payee=payee, reference=words, minor=minor, bic=bic).letter["pay"]  # type: ignore[index]
    amount = Decimal(minor) / 100
    iban = str(pay["iban"]).replace(" ", "")
    expected = helpers.make_epc_qr(payee, iban, amount, text=words, bic=bic or None, encoding="utf-8")
    shown = code_of(payment_qr(pay))
    assert shown.bytes == code_of(drawn(expected)).bytes
    assert shown.ec_level == expected.error == "M"


def test_a_code_has_a_place_of_its_own_for_an_rf() -> None:
    pay = letter(reference="RF30 K100 1").letter["pay"]  # type: ignore[index]
    expected = helpers.make_epc_qr(
        pay["payee"], "NL91ABNA0417164300", 1250, reference="RF30K1001", bic="ABNANL2A", encoding="utf-8"
    )
    assert code_of(payment_qr(pay)).bytes == code_of(drawn(expected)).bytes


@pytest.mark.parametrize(
    "changes",
    [
        *({"currency": "GBP"}, {"iban": "NL92 ABNA 0417 1643 00"}, {"iban": "NL91 ABNA-417"}, {"iban": ""}),
        *({"minor": None}, {"minor": 0}, {"minor": 1_000_000_000_00}),
        {"payee": "Ζ" * 70, "reference": "Ω" * 140},
    ],
)
def test_what_a_payment_code_cannot_say_is_left_to_payment_page(changes: dict[str, object]) -> None:
    pay = {**letter().letter["pay"], **changes}  # type: ignore[index]
    assert code_of(payment_qr(pay)).text == "https://betalen.zuidermeer.example/?m=1"
    assert payment_qr({**pay, "link": ""}) == ""


def test_a_code_is_drawn_module_for_module() -> None:
    pay = letter(currency="GBP").letter["pay"]  # type: ignore[index]
    code = segno.make_qr(pay["link"], error="m", mask=2)
    assert np.array_equal(picture(payment_qr(pay)), picture(drawn(code)))


def drawn(code: segno.QRCode) -> str:
    """A code as segno draws it."""
    written = BytesIO()
    code.save(written, kind="svg", border=4, light="white")
    return written.getvalue().decode()


@pytest.mark.parametrize("bic", ["ABN", "ABNANL2A?", "ABNA1L2A", "ABNANL2AXXXX", "x" * 200])
def test_a_bank_code_that_is_none_is_left_out_of_the_code(bic: str) -> None:
    pay = letter().letter["pay"]  # type: ignore[index]
    assert payment_qr({**pay, "bic": bic}) == payment_qr({**pay, "bic": ""}) != payment_qr(pay)


def test_a_letter_bears_the_creditors_date_also_where_that_is_not_utcs(tmp_path: Path) -> None:
    outgoing = replace(letter(), letter={**(letter().letter or {}), "dated": "2026-03-12"})
    assert outgoing.written_at.date().isoformat() != "2026-03-12"
    assert isinstance(asyncio.run(PostSpool(tmp_path).send(outgoing, [])), Sent)
    (manifest,) = tmp_path.glob("*.json")
    assert json.loads(manifest.read_text())["dated"] == "2026-03-12"


def test_a_letter_is_spooled_once_with_its_manifest(tmp_path: Path) -> None:
    spool = PostSpool(tmp_path / "post")
    enclosure = Enclosure("F-2041.pdf", "application/pdf", b"%PDF copy")
    first = asyncio.run(spool.send(letter(), [enclosure]))
    again = asyncio.run(spool.send(letter(), [enclosure]))
    assert isinstance(first, Sent)
    assert first == again == asyncio.run(spool.ask(letter()))
    (manifest,) = (tmp_path / "post").glob("*.json")
    described = json.loads(manifest.read_text())
    assert described["reference"] == letter().message_ref
    assert described["sha256"] == bytes_hash((tmp_path / "post" / described["file"]).read_bytes()) == first.service_ref
    (listed,) = described["enclosures"]
    assert (tmp_path / "post" / listed["file"]).read_bytes() == b"%PDF copy"
    assert not [path for path in (tmp_path / "post").iterdir() if path.name.startswith(".")]


def test_a_broken_off_attempt_is_simply_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "post"
    spool = PostSpool(folder)
    assert isinstance(asyncio.run(spool.ask(letter())), Unknown)
    folder.mkdir()
    stem = letter().message_ref.partition("@")[0]
    (folder / f"{stem}.pdf").write_bytes(b"half a let")
    assert isinstance(asyncio.run(spool.send(letter(), [])), Sent)
    assert (folder / f"{stem}.pdf").read_bytes().startswith(b"%PDF")
    assert spool.repeatable


def test_what_cannot_be_posted_is_a_failure(tmp_path: Path) -> None:
    from dataclasses import replace

    from connectors.message import Correspondent

    spool = PostSpool(tmp_path / "post")
    boxes = asyncio.run(spool.send(letter(lines=("Łódź 株式会社 🍕", "Dam 1", "1012 AB Amsterdam")), []))
    assert boxes == Failed("the letter's fonts have no 会式株社🍕", permanent=True)
    assert not (tmp_path / "post").exists()
    nowhere = replace(letter(), recipient=Correspondent("Nobody"))
    assert isinstance(asyncio.run(spool.send(nowhere, [])), Failed)
    (tmp_path / "file").write_text("")
    outcome = asyncio.run(PostSpool(tmp_path / "file").send(letter(), []))
    assert isinstance(outcome, Failed)
    assert not outcome.permanent


def test_names_cannot_run_code_in_a_letter(tmp_path: Path) -> None:
    evil = ("#panic() $x$ *bold* [x]", "@ref <label> _under_", "= Heading", "1234 AB Dorp")
    words = pages(letter(lines=evil), tmp_path).pages[0].extract_text()
    assert re.search(r"#panic\(\) \$x\$ \*bold\*", words)


@pytest.mark.parametrize(
    ("language", "syllables"),
    [
        ("nl", "ver-ant-woor-de-lijk-heids-ge-voel"),
        ("de", "Rech-nungs-ver-wal-tungs-ab-tei-lung"),
        ("fr", "an-ti-cons-ti-tu-tion-nel-le-ment"),
        ("en", "in-com-pre-hen-si-bil-i-ties"),
    ],
)
def test_words_break_between_the_syllables_of_their_language(language: str, syllables: str, tmp_path: Path) -> None:
    word = syllables.replace("-", "")
    # Paragraphs that begin ever further on the line, so that words end at it in every place.
    words = [{"kind": "paragraph", "lines": [[["n" * at + f" {word}" * 6, False]]]} for at in range(1, 40, 3)]
    made = letter()
    made = replace(made, language=language, letter={**(made.letter or {}), "blocks": words})
    lines = pages(made, tmp_path).pages[0].extract_text().splitlines()
    broken = {line.rsplit(" ", 1)[-1].rstrip("-\u00ad") for line in lines if line.endswith(("-", "\u00ad"))}
    fitting = {syllables[:at].replace("-", "") for at, sign in enumerate(syllables) if sign == "-"}
    assert broken, "nothing was broken"
    assert broken <= fitting
