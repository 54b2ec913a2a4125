"""What stands where on a letter's pages, read from the PDF by others than its maker."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pypdfium2
import typst
import zxingcpp
from numpy.typing import NDArray
from pdfminer.high_level import extract_pages
from pdfminer.layout import LTChar, LTComponent, LTContainer, LTLine

MILLIMETRE = 72 / 25.4
A4_HEIGHT = 297.0
DOTS = 200
"""Dots an inch of a picture that a phone takes."""
SHEET = b'#set page(width: auto, height: auto)\n#image(bytes(sys.inputs.svg), format: "svg", width: 24mm)'

Picture = NDArray[np.uint8]
"""Rows of dots."""


@dataclass(frozen=True, slots=True)
class Box:
    """A character or a line, in mm from the left and the top of its page."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    def within(self, left: float, top: float, right: float, bottom: float) -> bool:
        """Whether all of it lies inside."""
        return left <= self.left and self.right <= right and top <= self.top and self.bottom <= bottom

    def touches(self, left: float, top: float, right: float, bottom: float) -> bool:
        """Whether some of it lies inside."""
        return self.left < right and self.right > left and self.top < bottom and self.bottom > top


def characters(pdf: bytes, page: int = 0) -> list[Box]:
    """The characters of a page, spaces left out."""
    return [
        _box(each, each.get_text())
        for each in _parts(pdf, page)
        if isinstance(each, LTChar) and each.get_text().strip()
    ]


def lines(pdf: bytes, page: int = 0) -> list[Box]:
    """The straight lines of a page."""
    return [_box(each, "") for each in _parts(pdf, page) if isinstance(each, LTLine)]


def codes(pdf: bytes, page: int = 0) -> list[str]:
    """What the QR codes of a page say, read from its picture."""
    return [each.text for each in zxingcpp.read_barcodes(_picture(pdf, page))]


def code_of(svg: str) -> zxingcpp.Barcode:
    """The one code of a drawing, read from its picture."""
    (read,) = zxingcpp.read_barcodes(picture(svg))
    return read


def picture(svg: str) -> Picture:
    """A drawing as large as a letter has it."""
    return _picture(typst.compile(SHEET, sys_inputs={"svg": svg}, ignore_system_fonts=True), 0)


def _picture(pdf: bytes, page: int) -> Picture:
    taken: Picture = pypdfium2.PdfDocument(pdf)[page].render(scale=DOTS / 72).to_numpy()
    return taken


def _parts(pdf: bytes, page: int) -> Iterator[LTComponent]:
    def flat(part: object) -> Iterator[LTComponent]:
        if isinstance(part, LTContainer):
            for each in part:
                yield from flat(each)
        elif isinstance(part, LTComponent):
            yield part

    (found,) = extract_pages(BytesIO(pdf), page_numbers=[page])
    yield from flat(found)


def _box(part: LTComponent, text: str) -> Box:
    return Box(
        text,
        part.x0 / MILLIMETRE,
        A4_HEIGHT - part.y1 / MILLIMETRE,
        part.x1 / MILLIMETRE,
        A4_HEIGHT - part.y0 / MILLIMETRE,
    )
