"""The cover of a dossier as PDF, in the language of the creditor."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from functools import cache
from importlib import resources
from typing import Any

import typst
from babel.dates import format_date

from connectors.agency.port import Dossier
from maatpak.kernel.money import format_money

_WORDS = {
    "en": {
        "title": "Placement of a claim",
        "dossier": "Dossier",
        "page": "Page",
        "creditor": "Creditor",
        "customer": "Customer",
        "agency": "Agency",
        "placed_on": "Placed on",
        "items": "Items placed",
        "total": "Total placed:",
        "history": "What was done before",
        "approvals": "Who approved it",
        "document": "Document",
        "issued": "Dated",
        "due": "Due",
        "amount": "Amount",
        "placed": "Placed",
        "date": "Date",
        "kind": "Kind",
        "channel": "Channel",
        "what": "What",
        "evidence": "Evidence",
        "who": "Who",
        "role": "Role",
        "reason": "Reason",
        "number": "Customer number",
    },
    "nl": {
        "title": "Overdracht van een vordering",
        "dossier": "Dossier",
        "page": "Pagina",
        "creditor": "Schuldeiser",
        "customer": "Klant",
        "agency": "Bureau",
        "placed_on": "Overgedragen op",
        "items": "Overgedragen posten",
        "total": "Totaal overgedragen:",
        "history": "Wat eerder is gedaan",
        "approvals": "Wie heeft goedgekeurd",
        "document": "Document",
        "issued": "Datum",
        "due": "Vervaldatum",
        "amount": "Bedrag",
        "placed": "Overgedragen",
        "date": "Datum",
        "kind": "Soort",
        "channel": "Kanaal",
        "what": "Wat",
        "evidence": "Bewijs",
        "who": "Wie",
        "role": "Rol",
        "reason": "Reden",
        "number": "Klantnummer",
    },
}


def cover_pdf(dossier: Dossier) -> bytes:
    """The cover: creditor, customer, items with their total, history, approvals."""
    language = dossier.language if dossier.language in _WORDS else "en"
    words = _WORDS[language]

    def money(minor: int) -> str:
        return format_money(minor, dossier.currency, language, dossier.country)

    def day(value: Any) -> str:
        on = date.fromisoformat(value) if isinstance(value, str) else value
        return format_date(on, "medium", locale=language) if on else ""

    customer: Mapping[str, str] = dossier.customer
    sheet = {
        "title": words["title"],
        "words": words,
        "language": language,
        "placed_on": dossier.placed_on.isoformat(),
        "placement_ref": dossier.placement_ref,
        "creditor": list(dossier.creditor),
        "customer": [line for name, line in customer.items() if name != "number" and line],
        "particulars": [
            [words["number"], customer.get("number", "")],
            [words["agency"], dossier.agency],
            [words["placed_on"], day(dossier.placed_on)],
        ],
        "item_columns": [words[name] for name in ("document", "issued", "due", "amount", "placed")],
        "item_rows": [
            [
                item["document_no"],
                day(item["issued_on"]),
                day(item["due_on"]),
                money(item["amount"]),
                money(item["placed_amount"]),
            ]
            for item in dossier.items
        ],
        "total": money(sum(item["placed_amount"] for item in dossier.items)),
        "history_columns": [words[name] for name in ("date", "kind", "channel", "what", "evidence")],
        "history_rows": [
            [
                day(each["on"]),
                *(str(each.get(name) or "") for name in ("kind", "channel")),
                " · ".join(str(each[name]) for name in ("what", "result") if each.get(name)),
                str(each.get("evidence") or ""),
            ]
            for each in dossier.history
        ],
        "approval_columns": [words[name] for name in ("date", "who", "role", "reason")],
        "approval_rows": [[day(each["on"]), each["actor"], each["role"], each["reason"]] for each in dossier.approvals],
    }
    pdf = _compiler().compile(
        _source(),
        format="pdf",
        sys_inputs={"dossier": json.dumps(sheet, ensure_ascii=False)},
        timestamp=datetime.combine(dossier.placed_on, time(), UTC),
    )
    if not isinstance(pdf, bytes):
        raise TypeError("typst gave no single PDF")
    return pdf


def _compiler() -> typst.Compiler:
    return typst.Compiler(ignore_system_fonts=True)


@cache
def _source() -> bytes:
    return (resources.files("connectors.agency") / "cover.typ").read_bytes()
