"""The cover of a dossier as PDF, in the language of the creditor."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from functools import cache
from importlib import resources
from typing import Any

import typst
from babel import Locale
from babel.dates import format_date

from connectors.agency.port import Dossier
from connectors.agency.words import LABELS, in_words
from maatpak.kernel.money import format_money


def cover_pdf(dossier: Dossier) -> bytes:
    """The cover: creditor, customer, items with their total, history, checks, approvals."""
    language = dossier.language if dossier.language in LABELS else "en"
    words = LABELS[language]

    def money(minor: int) -> str:
        return format_money(minor, dossier.currency, language, dossier.country)

    def day(value: Any) -> str:
        on = date.fromisoformat(value) if isinstance(value, str) else value
        return format_date(on, "medium", locale=language) if on else ""

    def said(code: str | None) -> str:
        return in_words(code or "", language)

    sheet = {
        "title": words["title"],
        "words": words,
        "language": language,
        "placed_on": dossier.placed_on.isoformat(),
        "placement_ref": dossier.placement_ref,
        "creditor": list(dossier.creditor),
        "customer": _address(dossier.customer, language),
        "customer_particulars": _particulars(dossier.customer, language),
        "particulars": [
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
                *(said(each.get(name)) for name in ("kind", "channel")),
                " · ".join(said(each[name]) for name in ("what", "result") if each.get(name)),
                each.get("evidence") or "",
            ]
            for each in dossier.history
        ],
        "check_columns": [words[name] for name in ("date", "check", "until", "who", "source")],
        "check_rows": [
            [
                day(each["on"]),
                f"{said(each['check'])}: {said(each['result'])}",
                day(each["until"]),
                each["actor"],
                each["source"],
            ]
            for each in dossier.checks
        ],
        "approval_columns": [words[name] for name in ("date", "who", "role", "reason")],
        "approval_rows": [
            [day(each["on"]), each["actor"], said(each["role"]), each["reason"]] for each in dossier.approvals
        ],
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


def _address(customer: Mapping[str, str], language: str) -> list[str]:
    """The customer as on an envelope: name, street, postal code and town, country."""
    place = " ".join(customer[part] for part in ("postal_code", "city") if customer.get(part))
    country = customer.get("country", "")
    lines = (customer.get("name"), customer.get("street"), place, Locale(language).territories.get(country, country))
    return [line for line in lines if line]


def _particulars(customer: Mapping[str, str], language: str) -> list[list[str]]:
    """What else is known of the customer, each with its label."""
    known = {**customer, "party_kind": in_words(customer.get("kind", ""), language)}
    names = ("number", "party_kind", "contact", "phone", "email")
    return [[LABELS[language][name], known[name]] for name in names if known.get(name)]


def _compiler() -> typst.Compiler:
    return typst.Compiler(ignore_system_fonts=True)


@cache
def _source() -> bytes:
    return (resources.files("connectors.agency") / "cover.typ").read_bytes()
