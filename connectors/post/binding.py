"""Several PDFs as one: a letter with its enclosures, and a print run of many letters."""

from collections.abc import Iterable
from io import BytesIO

from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError

from connectors.message import Enclosure


def bound(pdfs: Iterable[bytes]) -> bytes:
    """The pages of all, one after the other. The same PDFs always give the same bytes.

    Raises:
        PyPdfError: one of them is no PDF.
    """
    writer = PdfWriter()
    for pdf in pdfs:
        writer.append(BytesIO(pdf), import_outline=False)
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


def pages(pdf: bytes) -> int:
    """How many pages it has.

    Raises:
        PyPdfError: it is no PDF.
    """
    return len(PdfReader(BytesIO(pdf)).pages)


def printable(enclosure: Enclosure) -> bool:
    """Whether an enclosure can go to a printer along with its letter."""
    try:
        return pages(enclosure.content) > 0
    except PyPdfError:
        return False
