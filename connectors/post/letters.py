"""Letters as PDF, set by typst after DIN 5008 form B. The same letter always gives the same bytes.

Compilers are kept and used again: the first page of a new one costs more than all the pages of a day. Only the fonts
inside typst are used, so a letter looks the same on every machine.
"""

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import segno
import typst

from connectors.message import Outgoing
from maatpak.kernel.banks import bic_holds, iban_holds
from maatpak.kernel.money import to_decimal
from maatpak.kernel.references import rf_holds

SHEET = Path(__file__).with_name("letter.typ")
"""What letters are set with. By its path, a compiler knows it again; bytes it would read anew for each letter."""

_LONGEST_PAYEE = 70
_LONGEST_REMITTANCE = 140
_HIGHEST_AMOUNT = Decimal("999999999.99")
_LONGEST_CODE = 331
"""Bytes: the largest code that the European Payments Council allows holds no more."""
_MASK = 2
"""One of the eight patterns of a code. The standard has all of them tried for the evenest, which takes five times as
long, and is read no better from blurred and noisy pictures."""
_QUIET = 4
"""Modules: the white around a code."""
_DARK = re.compile(rb"\x01+")

_SIGN = b'#set text(font: "Libertinus Serif")\n#sys.inputs.sign'
_NO_SIGN = "\U0010ffff"
"""Unicode keeps it free for good, so it is drawn as what no font has."""

_idle: deque[typst.Compiler] = deque()
"""As many as ever set letters at once."""


def letter_pdf(outgoing: Outgoing, *, sender_line: bool = True) -> bytes:
    """The letter as PDF; without the sender's line in the window where a service puts its postage there."""
    given = compiled_with(outgoing, sender_line=sender_line)
    with _compiler() as compiler:
        pdf = compiler.compile(**given)
    if not isinstance(pdf, bytes):
        raise TypeError("typst gave no single PDF")
    return pdf


def compiled_with(outgoing: Outgoing, *, sender_line: bool = True) -> dict[str, Any]:
    """What typst's compiler of the sheet is given."""
    sheet = _sheet(outgoing)
    if not sender_line:
        sheet["sender_line"] = ""
    sheet["qr"] = payment_qr(sheet["pay"])
    inputs = {"letter": json.dumps(sheet, ensure_ascii=False)}
    dated = outgoing.written_at.replace(microsecond=0)
    return {"input": SHEET, "format": "pdf", "sys_inputs": inputs, "timestamp": dated}


def signs_without_a_font(outgoing: Outgoing) -> str:
    """The letter's signs that none of typst's fonts has: they would stand there as empty boxes."""
    signs = set(json.dumps(_sheet(outgoing), ensure_ascii=False))
    return "".join(sorted(sign for sign in signs if ord(sign) > 0xFF and _drawn(sign) == _drawn(_NO_SIGN)))


@lru_cache(maxsize=4096)
def _drawn(sign: str) -> str:
    """How typst draws a sign."""
    with _compiler() as compiler:
        svg = compiler.compile(_SIGN, format="svg", sys_inputs={"sign": sign})
    return str(svg).partition("<defs")[2]


def payment_qr(pay: Mapping[str, Any]) -> str:
    """The payment as an EPC QR code (SVG), else the payment page; empty where there is neither.

    The code knows euros only, and not a billion of them, and no more words than it has room for.
    """
    iban = str(pay.get("iban") or "").replace(" ", "")
    amount = Decimal(0) if pay.get("minor") is None else to_decimal(pay["minor"], pay["currency"])
    payable = pay.get("currency") == "EUR" and 0 < amount <= _HIGHEST_AMOUNT and iban_holds(iban)
    said = _epc(pay, iban, amount) if payable else b""
    if 0 < len(said) <= _LONGEST_CODE:
        # No better level of correction than M, says the standard, even where there is room for it.
        code = segno.make_qr(said, mode="byte", error="m", boost_error=False, mask=_MASK)
    elif pay.get("link"):
        code = segno.make_qr(str(pay["link"]), error="m", mask=_MASK)
    else:
        return ""
    return _svg(code)


def _epc(pay: Mapping[str, Any], iban: str, amount: Decimal) -> bytes:
    """What the European Payments Council has a code say (EPC069-12), in UTF-8."""
    bic = str(pay.get("bic") or "")
    reference = str(pay["reference"])
    # The code has a place of its own for an RF, and for no other reference; it is never filled together with words.
    rf = reference.replace(" ", "")
    structured, words = (rf, "") if rf_holds(rf) else ("", reference[:_LONGEST_REMITTANCE])
    lines = (
        *("BCD", "002", "1", "SCT", bic if bic_holds(bic) else ""),
        *(str(pay["payee"])[:_LONGEST_PAYEE].strip(), iban),
        f"EUR{amount:.2f}".rstrip("0").rstrip("."),
        *("", structured, words),
    )
    return "\n".join(lines).rstrip().encode()


def _svg(code: segno.QRCode) -> str:
    """The code drawn; segno's own writer takes almost three times as long."""
    size = len(code.matrix) + 2 * _QUIET
    dark = "".join(
        f"M{run.start() + _QUIET} {y}.5h{len(run[0])}"
        for y, row in enumerate(code.matrix, _QUIET)
        for run in _DARK.finditer(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}">'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/><path stroke="#000" d="{dark}"/></svg>'
    )


def _sheet(outgoing: Outgoing) -> dict[str, Any]:
    """What the typst sheet reads but for the code to pay by: the letter's data, and what follows from it."""
    letter = outgoing.letter or {}
    blocks = letter["blocks"]
    closing = next((at for at, block in enumerate(blocks) if block["kind"] == "sign"), len(blocks))
    return {
        **letter,
        "language": outgoing.language,
        "dated": outgoing.dated,
        "sender_name": outgoing.sender.name,
        "sender_line": " · ".join(outgoing.sender.lines),
        "address": list(outgoing.recipient.lines),
        "closing": max(closing - 1, 0),
    }


@contextmanager
def _compiler() -> Iterator[typst.Compiler]:
    try:
        compiler = _idle.pop()
    except IndexError:
        compiler = typst.Compiler(SHEET, ignore_system_fonts=True)
    yield compiler
    _idle.append(compiler)  # one that failed is not used again
