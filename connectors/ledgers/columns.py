"""The canonical ledger: which columns the files of a source may give, and what each of them holds.

These names are a stable interface: source files, quarantined rows and evidence are spelled with them.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from babel import Locale

from maatpak.kernel.words import Channel, DisputeState, ItemType, LegalStop, PartyKind, SettledBy


class Kind(StrEnum):
    """How the text of a cell becomes a value."""

    TEXT = "text"
    DATE = "date"
    MONEY = "money"
    FLAG = "flag"
    WORD = "word"


@dataclass(frozen=True)
class Column:
    """One canonical column."""

    name: str
    kind: Kind
    meaning: str
    words: tuple[str, ...] = ()
    """For a word: all that it may be."""
    required: bool = False
    """The source must map it or give it a default."""


def _words(words: type[StrEnum]) -> tuple[str, ...]:
    return tuple(str(word) for word in words)


@cache
def countries() -> tuple[str, ...]:
    """ISO 3166 codes of countries and territories."""
    groups = {"AC", "EU", "EZ", "IC", "QO", "UN", "XA", "XB", "ZZ"}
    known = map(str, Locale("en").territories)
    return tuple(sorted(code for code in known if len(code) == 2 and code.isalpha() and code not in groups))


@cache
def languages() -> tuple[str, ...]:
    """ISO 639 codes of two letters."""
    return tuple(sorted(code for code in map(str, Locale("en").languages) if len(code) == 2))


def _text(name: str, meaning: str, *, required: bool = False) -> Column:
    return Column(name, Kind.TEXT, meaning, required=required)


def _date(name: str, meaning: str, *, required: bool = False) -> Column:
    return Column(name, Kind.DATE, meaning, required=required)


def _money(name: str, meaning: str, *, required: bool = False) -> Column:
    return Column(name, Kind.MONEY, meaning, required=required)


def _word(name: str, words: tuple[str, ...], meaning: str, *, required: bool = False) -> Column:
    return Column(name, Kind.WORD, meaning, words, required=required)


CREDITOR = _text("creditor", "Code of the creditor, when one file holds several.")
DEBTOR_NO = _text("debtor_no", "Number of the customer account.", required=True)
CURRENCY = _text("currency", "ISO 4217 code.", required=True)

ITEM_COLUMNS: tuple[Column, ...] = (
    CREDITOR,
    DEBTOR_NO,
    _text("document_no", "Number of the invoice, credit note or payment.", required=True),
    _word("document_type", _words(ItemType), "What the item is.", required=True),
    _date("issued_on", "Date of the document.", required=True),
    _date("due_on", "Contractual due date.", required=True),
    CURRENCY,
    _money("amount", "Original amount.", required=True),
    _money("open_amount", "What is still open; without it: the amount less payments, nothing once settled."),
    _date("settled_on", "When nothing was open any more."),
    _word("settled_by", _words(SettledBy), "How it was settled."),
    Column("disputed", Kind.FLAG, "The item is disputed; without an amount, all of it."),
    _money("disputed_amount", "Disputed part."),
    _date("disputed_on", "Since when it is disputed."),
    _word("dispute_outcome", _words(DisputeState), "How the dispute stands or ended."),
    _text("reference", "Document that a credit note or payment is for."),
    _text("payment_method", "How it is to be paid."),
    _date("collect_on", "Collection date of a direct debit."),
    _date("returned_on", "When the direct debit came back."),
    _text("return_code", "Why it came back."),
    _text("po_number", "The customer's order number."),
    _date("ordered_on", "When the customer ordered."),
    _date("delivered_on", "When goods or work were delivered."),
    _date("invoice_sent_on", "When the invoice was sent."),
    _text("invoice_channel", "How it was sent: email, post, portal or another word."),
    _date("approved_on", "When the customer approved the invoice."),
    _text("document_path", "Where its copy lies."),
)

DEBTOR_COLUMNS: tuple[Column, ...] = (
    CREDITOR,
    DEBTOR_NO,
    _text("party_ref", "Registration or VAT number: the same party elsewhere."),
    _text("name", "Name of the customer.", required=True),
    _word("kind", _words(PartyKind), "What it is before the law.", required=True),
    _word("country", countries(), "ISO 3166 code.", required=True),
    _word("language", languages(), "ISO 639 code.", required=True),
    _text("email", "Mail address."),
    _text("phone", "Phone number."),
    _text("street", "Street and number."),
    _text("postal_code", "Postal code."),
    _text("city", "Town."),
    _text("contact_name", "Whom to ask for."),
    _text("time_zone", "IANA time zone."),
    _word("preferred_channel", _words(Channel), "How messages travel."),
    _text("account_manager", "Login of the account manager."),
    _text("parent", "Debtor number of the group's head."),
    _text("payer_no", "Debtor number of who pays."),
    _date("customer_since", "First day as a customer."),
    Column("key_account", Kind.FLAG, "A named key account."),
    _money("revenue_12m", "Revenue of 12 months, in the creditor's currency."),
    _text("payment_terms", "Agreed terms."),
    _money("credit_limit", "Credit limit, in the creditor's currency."),
    _word("risk_class", ("A", "B", "C", "D", "E", "none"), "Risk class."),
    _money("insured_amount", "Insured amount, in the creditor's currency."),
    _date("insurer_notify_by", "By when the insurer must know."),
    _date("hardship_until", "Until when hardship counts."),
    _word("legal_stop", _words(LegalStop), "Law forbids contact."),
)

PAYMENT_COLUMNS: tuple[Column, ...] = (
    CREDITOR,
    _text("payment_no", "Number of the payment; without it, made from its content."),
    _text("debtor_no", "Who paid; without it, whose document it is."),
    _text("document_no", "Document that it pays; without it, unallocated."),
    _date("paid_on", "Value date.", required=True),
    CURRENCY,
    _money("amount", "Amount received.", required=True),
)

CONTACT_COLUMNS: tuple[Column, ...] = (
    CREDITOR,
    DEBTOR_NO,
    _text("name", "Name of the contact person.", required=True),
    _word("role", ("payables", "decision_maker", "invoice", "escalation"), "What for.", required=True),
    _text("email", "Mail address."),
    _text("phone", "Phone number."),
    _word("language", languages(), "ISO 639 code."),
)

TICKET_COLUMNS: tuple[Column, ...] = (
    CREDITOR,
    DEBTOR_NO,
    _text("ticket_no", "Number of the ticket.", required=True),
    _text("kind", "Complaint, undelivered order, …", required=True),
    _date("opened_on", "When it was opened.", required=True),
    _date("closed_on", "When it was closed."),
)

NUMBERS = frozenset(
    {"debtor_no", "document_no", "reference", "payment_no", "po_number", "parent", "payer_no", "ticket_no"}
)
"""Columns of numbers that somebody gave. `1930438491.0`, as programs write one in a column with gaps, is 1930438491."""

TABLES: dict[str, dict[str, Column]] = {
    "items": {column.name: column for column in ITEM_COLUMNS},
    "debtors": {column.name: column for column in DEBTOR_COLUMNS},
    "payments": {column.name: column for column in PAYMENT_COLUMNS},
    "contacts": {column.name: column for column in CONTACT_COLUMNS},
    "tickets": {column.name: column for column in TICKET_COLUMNS},
}
"""The canonical tables, in the order in which they build on each other: items, debtors, payments, contacts, tickets."""

FILE_COLUMNS: dict[str, dict[str, Column]] = {**TABLES, "items": {**TABLES["debtors"], **TABLES["items"]}}
"""What a file of each kind may give: a file of items may carry the debtors' columns too."""

OF_DEBTORS: frozenset[str] = frozenset(TABLES["debtors"]) - frozenset(TABLES["items"])
"""Columns by which a file of items says something of the debtors."""
