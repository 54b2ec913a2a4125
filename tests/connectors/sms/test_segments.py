"""Segments against the standard as we read it, and against the calculator that Twilio publishes."""

import json
import subprocess
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maatpak.kernel.segments import fitting, is_gsm, segments, simplified

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = "\f^{}\\[~]|€"
"""3GPP TS 23.038, 6.2.1 and 6.2.1.1, less the escape, which is no character."""

GSM = st.text(st.sampled_from(BASIC + EXTENDED), max_size=500)
OTHER = st.text(st.sampled_from("abc €Żółć中文😀𝄞"), max_size=240)


def cut(text: str) -> list[str]:
    """The text as its parts, each as full as can be."""
    plain = set(text) <= set(BASIC + EXTENDED)

    def size(part: str) -> int:
        return len(part) + sum(sign in EXTENDED for sign in part) if plain else len(part.encode("utf-16-be")) // 2

    if size(text) <= (160 if plain else 70):
        return [text]
    parts = [""]
    for sign in text:
        if size(parts[-1] + sign) > (153 if plain else 67):
            parts.append("")
        parts[-1] += sign
    return parts


def test_the_alphabet_is_the_standards() -> None:
    assert (len(BASIC), len(EXTENDED)) == (127, 10)
    assert {chr(code) for code in range(0x3000) if is_gsm(chr(code))} == set(BASIC + EXTENDED)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 151, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("Ż" * 70, 1),
        ("Ż" * 71, 2),
        ("Ż" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("a" * 66 + "😀" + "a" * 3, 2),
        ("a" * 66 + "😀" + "a" * 66, 3),
        ("a\x1b", 1),
    ],
)
def test_parts_are_counted_as_operators_do(text: str, expected: int) -> None:
    assert segments(text) == expected


@given(GSM | OTHER)
@example("a" * 152 + "€" * 60)
def test_the_count_is_that_of_the_standard(text: str) -> None:
    assert segments(text) == len(cut(text))


@given(GSM, GSM)
def test_more_words_never_cost_less(text: str, more: str) -> None:
    assert segments(text) <= segments(text + more)


def test_the_count_is_that_of_twilios_calculator(npm: Path) -> None:
    random = Random(3)
    alphabets = ("aé€[", BASIC.replace("\r", ""), BASIC.replace("\r", "") + EXTENDED, "aŻ中", "aŻ😀𝄞")
    texts = ["".join(random.choices(random.choice(alphabets), k=random.randrange(480))) for _ in range(2000)]
    script = (
        f"const {{SegmentedMessage}} = require({json.dumps(str(npm / 'node_modules' / 'sms-segments-calculator'))});"
        "const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        "console.log(JSON.stringify(texts.map(text => new SegmentedMessage(text).segmentsCount)));"
    )
    run = subprocess.run(["node", "-e", script], input=json.dumps(texts), text=True, capture_output=True, check=True)
    assert [segments(text) for text in texts] == json.loads(run.stdout)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Beste ‘Zoé’ – uw factuur…", "Beste 'Zoé' - uw factuur..."),
        ("€\u00a01.250,00", "€ 1.250,00"),
        ("cafe\u0301", "café"),
        ("plain", "plain"),
        ("„Guten Tag“", '"Guten Tag"'),
    ],
)
def test_plain_signs_stand_for_typographic_ones(text: str, sent: str) -> None:
    assert simplified(text) == sent


def test_what_needs_ucs2_anyway_stays_as_it_was_written() -> None:
    assert simplified("Panie “Żółć” – 中") == "Panie “Żółć” – 中"


def test_a_curly_quote_costs_nothing() -> None:
    text = "a" * 140 + " we’re"
    assert (segments(text), segments(simplified(text))) == (3, 1)


@given(st.text(max_size=60))
def test_simple_is_simple_enough(text: str) -> None:
    assert simplified(simplified(text)) == simplified(text)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Daniëlle Œuvrard", "Daniëlle Œuvrard"),
        ("ë" + "a" * 460, "ë" + "a" * 460),
        ("Daniëlle, le 1er août, " + "a" * 400, "Danielle, le 1er aout, " + "a" * 400),
        ("Œuvrard & Łukasz, çà et là, " + "a" * 400, "OEuvrard & Lukasz, cà et là, " + "a" * 400),
        ("Zoë 中 " + "a" * 300, "Zoë 中 " + "a" * 300),
    ],
    ids=["there is room", "it fits neither way", "accents", "letters", "another script"],
)
def test_accents_go_where_only_that_makes_a_text_fit(text: str, sent: str) -> None:
    assert fitting(text, 3) == sent
