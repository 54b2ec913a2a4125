"""Pingen's documents as its API and webhooks write them, and how Pingen looks at a PDF: for the simulator."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any
from uuid import uuid4

from aiohttp import web
from pypdf import PdfReader
from pypdf.errors import PyPdfError

HANDED = ("submitted", "transferred_to_printcenter", "transferred_to_distributor")
"""What happens to a good letter, in order."""
ADDRESS = (22.0, 60.0, 107.5, 85.5)
POSTAGE = (20.0, 40.0, 109.5, 60.0)
"""Millimetres from the left and the top: where the address is read, and what is kept for the postage."""
A4_HEIGHT = 297
POINT = 25.4 / 72
_SENT = frozenset({"transferred_to_distributor", "receival_confirmed_by_distributor", "track_and_trace"})
_QUIET = frozenset({"content_passed_inspection", "submitted", "transferred_to_printcenter"})
_STATUS = {
    "content_passed_inspection": "valid",
    "submitted": "submitted",
    "transferred_to_printcenter": "printing",
    "transferred_to_distributor": "sent",
    "delivered": "delivered",
    "undeliverable": "undeliverable",
    "cancellation_completed": "cancelled",
    "rejected_from_printcenter": "unprintable",
    "content_failed_inspection": "invalid",
    "file_not_readable": "invalid",
}


def category_of(code: str) -> str | None:
    """By which category an event is listed and told; some are by none."""
    if code in _SENT:
        return "sent"
    if code in ("delivered", "undeliverable"):
        return code
    return None if code in _QUIET else "issues"


def status_after(code: str, before: str) -> str:
    """A letter's status after an event."""
    return _STATUS.get(code, before)


def looked_at(pdf: bytes) -> tuple[str | None, int, str]:
    """What is wrong with a PDF (the code of an event, or nothing), its pages, and the address that it shows."""
    try:
        reader = PdfReader(BytesIO(pdf))
        pages = len(reader.pages)
        shown: list[str] = []
        postage = False

        def visit(text: str, cm: Sequence[float], tm: Sequence[float], font: object, size: float) -> None:
            nonlocal postage
            del font, size
            at = ((tm[4] * cm[0] + cm[4]) * POINT, A4_HEIGHT - (tm[5] * cm[3] + cm[5]) * POINT)
            if text.strip() and _inside(at, ADDRESS):
                shown.append(text.strip())
            postage = postage or bool(text.strip() and _inside(at, POSTAGE))

        reader.pages[0].extract_text(visitor_text=visit)
    except (PyPdfError, IndexError, ValueError):
        return "file_not_readable", 0, ""
    address = "\n".join(shown).lower()
    return "content_failed_inspection" if postage or not address else None, pages, address


def _inside(at: tuple[float, float], field: tuple[float, float, float, float]) -> bool:
    return field[0] - 0.1 <= at[0] <= field[2] and field[1] <= at[1] <= field[3]


def letter_attributes(asked: Mapping[str, Any], pages: int, address: str, now: datetime) -> dict[str, Any]:
    """A letter that was just made."""
    at = stamp(now)
    taken = ("file_original_name", "address_position", "delivery_product", "print_mode", "print_spectrum")
    return {
        "status": "validating",
        **{name: asked[name] for name in taken},
        "file_pages": pages,
        "address": address,
        "country": "NL",
        "price_currency": "EUR",
        "price_value": 1.2,
        "paper_types": ["normal"],
        "fonts": [],
        "source": "api",
        "tracking_number": None,
        "submitted_at": at if asked["auto_send"] else None,
        "created_at": at,
        "updated_at": at,
    }


def event_resource(letter: str, code: str, at: datetime, now: datetime) -> dict[str, Any]:
    """Something that happened to a letter."""
    return {
        "type": "letters_events",
        "id": str(uuid4()),
        "attributes": {
            "code": code,
            "name": code.replace("_", " ").capitalize(),
            "producer": "Simulator",
            "location": "",
            "has_image": False,
            "data": [],
            "emitted_at": stamp(at),
            "created_at": stamp(now),
            "updated_at": stamp(now),
        },
        "relationships": {"letter": {"data": {"type": "letters", "id": letter}}},
    }


def hook_body(
    hook: Mapping[str, Any], organisation: str, letter: Mapping[str, Any], event: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """What a webhook is told."""
    attributes = {"url": hook["url"], "created_at": stamp(now)}
    if hook["event_category"] in ("issues", "undeliverable"):
        attributes["reason"] = event["attributes"]["name"]
    owner = {"type": "organisations", "id": organisation}
    return {
        "data": {
            "type": f"webhook_{hook['event_category']}",
            "id": str(uuid4()),
            "attributes": attributes,
            "relationships": {
                "organisation": {"data": owner},
                "letter": {"data": {"type": "letters", "id": letter["id"]}},
                "event": {"data": {"type": "letters_events", "id": event["id"]}},
            },
        },
        "included": [
            {**owner, "attributes": {"name": "Simulator", "status": "active"}},
            letter,
            {name: event[name] for name in ("type", "id", "attributes")},
        ],
    }


def page_of(found: Sequence[Mapping[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """One page of a collection."""
    limit, number = int(query.get("page[limit]", 20)), int(query.get("page[number]", 1))
    start = (number - 1) * limit
    meta = {
        "current_page": number,
        "last_page": max(1, -(-len(found) // limit)),
        "per_page": limit,
        "total": len(found),
    }
    return {"data": found[start : start + limit], "links": {}, "meta": meta}


def stamp(at: datetime) -> str:
    """An instant as Pingen writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S%z")


def error(status: int, words: str) -> web.Response:
    """A refusal as Pingen words it."""
    told = [{"code": str(status), "title": words, "detail": words}]
    return web.json_response({"errors": told}, status=status, content_type="application/vnd.api+json")
