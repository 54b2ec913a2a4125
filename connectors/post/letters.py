"""Letters as PDF, set by typst after DIN 5008 form B. The same letter always gives the same bytes.

Compilers are kept and used again: the first page of a new one costs more than all the pages of a day. Only the fonts
inside typst are used, so a letter looks the same on every machine.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from functools import cache, lru_cache
from importlib import resources
from io import BytesIO
from typing import Any

import segno
import typst
from segno.helpers import make_epc_qr

from connectors.message import Outgoing
from maatpak.kernel.banks import bic_holds, iban_holds
from maatpak.kernel.money import to_decimal
from maatpak.kernel.references import rf_holds

_LONGEST_PAYEE = 70
_LONGEST_REMITTANCE = 140
_HIGHEST_AMOUNT = Decimal("999999999.99")

_SIGN = b'#set text(font: "Libertinus Serif")\n#sys.inputs.sign'
_NO_SIGN = "\U0010ffff"
"""Unicode keeps it free for good, so it is drawn as what no font has."""

_idle: deque[typst.Compiler] = deque()
"""As many as ever set letters at once."""


def letter_pdf(outgoing: Outgoing, *, sender_line: bool = True) -> bytes:
    """The letter as PDF; without the sender's line in the window where a service puts its postage there."""
    source, given = compiled_with(outgoing, sender_line=sender_line)
    with _compiler() as compiler:
        pdf = compiler.compile(source, **given)
    if not isinstance(pdf, bytes):
        raise TypeError("typst gave no single PDF")
    return pdf


def compiled_with(outgoing: Outgoing, *, sender_line: bool = True) -> tuple[bytes, dict[str, Any]]:
    """The sheet, and what typst's compiler is given with it."""
    sheet = _sheet(outgoing)
    if not sender_line:
        sheet["sender_line"] = ""
    sheet["qr"] = payment_qr(sheet["pay"])
    inputs = {"letter": json.dumps(sheet, ensure_ascii=False)}
    return _source(), {"format": "pdf", "sys_inputs": inputs, "timestamp": outgoing.written_at.replace(microsecond=0)}


def signs_without_a_font(outgoing: Outgoing) -> str:
    """The letter's signs that none of typst's fonts has: they would stand there as empty boxes."""
    rare = {sign for sign in json.dumps(_sheet(outgoing), ensure_ascii=False) if ord(sign) > 0xFF}
    return "".join(sorted(sign for sign in rare if _drawn(sign) == _drawn(_NO_SIGN)))


@lru_cache(maxsize=4096)
def _drawn(sign: str) -> str:
    """How typst draws a sign."""
    with _compiler() as compiler:
        svg = compiler.compile(_SIGN, format="svg", sys_inputs={"sign": sign})
    return str(svg).partition("<defs")[2]


def payment_qr(pay: Mapping[str, Any]) -> str:
    """The payment as an EPC QR code (SVG), else the payment page; empty where there is neither.

    The code knows euros only, and not a billion of them.
    """
    iban = str(pay.get("iban") or "").replace(" ", "")
    amount = Decimal(0) if pay.get("minor") is None else to_decimal(pay["minor"], pay["currency"])
    payable = pay.get("currency") == "EUR" and 0 < amount <= _HIGHEST_AMOUNT
    if payable and iban_holds(iban):
        bic = str(pay.get("bic") or "")
        reference = str(pay["reference"])
        # The code has a place of its own for an RF, and for no other reference; it is never filled together with words.
        rf = reference.replace(" ", "")
        remittance = {"reference": rf} if rf_holds(rf) else {"text": reference[:_LONGEST_REMITTANCE]}
        code = make_epc_qr(
            str(pay["payee"])[:_LONGEST_PAYEE],
            iban,
            amount,
            **remittance,
            bic=bic if bic_holds(bic) else None,
            encoding="utf-8",
        )
    elif pay.get("link"):
        code = segno.make_qr(str(pay["link"]), error="m")
    else:
        return ""
    drawn = BytesIO()
    code.save(drawn, kind="svg", border=4, light="white", xmldecl=False)
    return drawn.getvalue().decode()


def _sheet(outgoing: Outgoing) -> dict[str, Any]:
    """What the typst sheet reads but for the code to pay by: the letter's data, and what follows from it."""
    letter = outgoing.letter or {}
    blocks = letter["blocks"]
    closing = next((at for at, block in enumerate(blocks) if block["kind"] == "sign"), len(blocks))
    return {
        **letter,
        "language": outgoing.language,
        "dated": outgoing.written_at.date().isoformat(),
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
        compiler = typst.Compiler(ignore_system_fonts=True)
    yield compiler
    _idle.append(compiler)  # one that failed is not used again


@cache
def _source() -> bytes:
    return (resources.files("connectors.post") / "letter.typ").read_bytes()
