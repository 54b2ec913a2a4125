"""Segments: into how many parts an operator cuts a text, which is what it costs.

A text in GSM 03.38 alone travels in 7 bits: 160 characters in one part, 153 in each of several, where a character of
the extension table takes two places and is never cut in half. With one other sign all of it travels in UCS-2: 70 or 67.
The table is that of `gsm0338`.
"""

import unicodedata
from functools import lru_cache

import gsm0338

CODEC = gsm0338.Codec()
ESCAPE = "\x1b"
SEPTETS = (160, 153)
UNITS = (70, 67)

SIGNS = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′´`", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00a0\u2007\u2009\u202f", " "),
        "…": "...",
        "•": "-",
    }
)
"""Typographic signs and what a telephone types for them."""
LETTERS = str.maketrans({"œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i"})
"""Letters that are no other letter with a mark."""


def segments(text: str) -> int:
    """How many parts a text is sent in; an empty one in one."""
    if is_gsm(text):
        return _parts([_septets(sign) for sign in text], *SEPTETS)
    return _parts([len(sign.encode("utf-16-be", "surrogatepass")) // 2 for sign in text], *UNITS)


def is_gsm(text: str) -> bool:
    """Whether a text travels in 7 bits."""
    return ESCAPE not in text and all(_septets(sign) for sign in set(text))


def simplified(text: str) -> str:
    """A text with plain signs for typographic ones, if it then travels in 7 bits; else as it was.

    One curly quote would more than double the price of what is the same to read.
    """
    plain = unicodedata.normalize("NFC", text).translate(SIGNS)
    return plain if is_gsm(plain) else text


def fitting(text: str, most: int) -> str:
    """A text `simplified`, and with bare letters for accented ones, such as `e` for `ë`, where only that makes it fit.

    A name keeps its accents while the text has room for them; what fits neither way stays as it was written.
    """
    text = simplified(text)
    if segments(text) <= most:
        return text
    bare = "".join(sign if is_gsm(sign) else _bare(sign) for sign in text)
    return bare if segments(bare) <= most else text


def _bare(sign: str) -> str:
    split = unicodedata.normalize("NFKD", sign.translate(LETTERS).translate(SIGNS))
    return "".join(each for each in split if not unicodedata.combining(each))


@lru_cache(maxsize=4096)
def _septets(sign: str) -> int:
    """Places that a character takes in 7 bits; 0 for one that does not travel so."""
    try:
        return len(CODEC.encode(sign)[0])
    except UnicodeEncodeError:
        return 0


def _parts(widths: list[int], alone: int, together: int) -> int:
    """Parts that hold characters of these widths, none of them cut in half."""
    if sum(widths) <= alone:
        return 1
    parts, room = 1, together
    for width in widths:
        if width > room:
            parts, room = parts + 1, together
        room -= width
    return parts
