"""The ledger files of the made-up houses: what their bookkeeping programs would write, each in its own dialect.

Every house has three sources: its past, loaded once; the full list of open items of every Monday; and what has changed
on other days. The two smaller houses hand over on Mondays, Wednesdays and Fridays only.
"""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from maatpak.demo.blemishes import Blemish
from maatpak.demo.world import Customer, Document, House, World
from maatpak.kernel.money import to_decimal

SETTLED_SHOWN = 8
"""Calendar days that a settled item stays on the list."""
MODES = {"past": "delta", "weekly": "full", "daily": "delta"}
MONDAY = 0
RARE_DAYS = (0, 2, 4)
"""Weekdays on which the smaller houses hand over."""

DUTCH = {
    "debtor_no": "Debiteur", "document_no": "Boekstuk", "document_type": "Soort", "issued_on": "Datum",
    "due_on": "Vervaldatum", "currency": "Valuta", "amount": "Bedrag", "open_amount": "Openstaand",
    "settled_on": "Voldaan op", "settled_by": "Voldaan door", "disputed_amount": "Betwist bedrag",
    "disputed_on": "Betwist op", "dispute_outcome": "Uitkomst geschil", "reference": "Referentie",
    "payment_method": "Betaalwijze", "collect_on": "Incassodatum", "returned_on": "Storno op",
    "return_code": "Stornocode", "party_ref": "KvK of btw", "name": "Naam", "kind": "Rechtsvorm", "country": "Land",
    "language": "Taal", "email": "E-mail", "phone": "Telefoon", "street": "Straat", "postal_code": "Postcode",
    "city": "Plaats", "contact_name": "Contact", "preferred_channel": "Voorkeur", "account_manager": "Accountmanager",
    "parent": "Moeder", "customer_since": "Klant sinds", "key_account": "Sleutelklant", "credit_limit": "Limiet",
    "risk_class": "Risico", "hardship_until": "Coulance tot", "legal_stop": "Juridische stop", "payment_no": "Betaling",
    "paid_on": "Valutadatum", "role": "Rol", "invoice_sent_on": "Verzonden op",
    "invoice_channel": "Verzonden per", "ticket_no": "Melding", "opened_on": "Geopend", "closed_on": "Gesloten",
}  # fmt: skip
ENGLISH = {name: name.replace("_", " ").title() for name in DUTCH}

WORDS: dict[str, dict[str, dict[str, str]]] = {
    "nl": {
        "document_type": {"Factuur": "invoice", "Creditnota": "credit_note", "Ontvangst": "payment"},
        "kind": {"particulier": "consumer", "zakelijk": "business", "overheid": "public"},
        "key_account": {"ja": "yes", "nee": "no"},
        "preferred_channel": {"mail": "email", "sms": "sms", "post": "post"},
    },
    "en": {
        "document_type": {"INV": "invoice", "CRN": "credit_note", "RCPT": "payment"},
        "kind": {"Individual": "consumer", "Company": "business", "Public body": "public"},
    },
}
"""How the houses spell the words, by their language."""

COLUMNS: dict[str, tuple[str, ...]] = {
    "items": ("debtor_no", "document_no", "document_type", "issued_on", "due_on", "currency", "amount", "open_amount",
              "settled_on", "settled_by", "disputed_amount", "disputed_on", "dispute_outcome", "reference",
              "payment_method", "collect_on", "returned_on", "return_code"),
    "debtors": ("debtor_no", "party_ref", "name", "kind", "country", "language", "email", "phone", "street",
                "postal_code", "city", "contact_name", "preferred_channel", "account_manager", "parent",
                "customer_since", "key_account", "credit_limit", "risk_class", "hardship_until", "legal_stop"),
    "payments": ("payment_no", "debtor_no", "document_no", "paid_on", "currency", "amount"),
    "contacts": ("debtor_no", "name", "role", "email", "phone", "language"),
    "tickets": ("debtor_no", "ticket_no", "kind", "opened_on", "closed_on"),
}  # fmt: skip

TELLS_SENDING = ("invoice_sent_on", "invoice_channel")
"""What some houses' lists of items have besides."""
MAY_LACK = ("contacts", "tickets")
"""Files that are not written when they would be empty."""

Row = Mapping[str, str]


@dataclass(frozen=True)
class Delivery:
    """Files of one source for one day."""

    source: Path
    files: tuple[Path, ...]


class Books:
    """Writes what one house hands over."""

    def __init__(self, world: World, house: House, folder: Path, *, daily: bool) -> None:
        self.world = world
        self.daily = daily
        self.house = house
        self.folder = folder / house.code
        self.folder.mkdir(parents=True, exist_ok=True)
        self._told: dict[str, tuple[str, ...]] = {}
        """Customer → the master data as last handed over."""
        self._shown: dict[str, tuple[str, ...]] = {}
        """Document → its line as last handed over."""
        self._receipts = 0
        for name in MODES:
            self._write_source(name)

    def past(self, day: date) -> Delivery:
        """Two years of settled items, everybody's master data, and the payments; as of the morning of a day."""
        settled = [document for document in self._documents() if document.open_amount == 0]
        rows: dict[str, list[Row]] = {
            "items": [self._item(document, day) for document in settled],
            "debtors": self._changed_masters(),
            "payments": self._new_receipts(),
            "contacts": [self._contact(customer, each) for customer in self._customers() for each in customer.contacts],
        }
        return self._deliver("past", day, rows)

    def morning(self, day: date, blemishes: Sequence[Blemish] = ()) -> Delivery | None:
        """All open items on a Monday, else what changed, with changes of master data; None when no item changed."""
        full = day.weekday() == MONDAY
        since = day - timedelta(days=SETTLED_SHOWN)
        shown = [
            self._item(document, day)
            for document in self._documents()
            if document.open_amount > 0 or (document.settled_on or day) >= since
        ]
        items = [line for line in shown if full or self._shown.get(line["document_no"]) != tuple(line.values())]
        if not full and not items:
            return None
        self._shown |= {line["document_no"]: tuple(line.values()) for line in items}
        for blemish in blemishes:
            struck = blemish.strikes(items)
            if struck is not None:
                del self._shown[items[struck]["document_no"]]  # the right line comes with the next file
            items = blemish.apply(items)
        rows: dict[str, list[Row]] = {"items": list(items), "payments": self._new_receipts()}
        masters = self._changed_masters()
        if full or masters:
            rows["debtors"] = masters
        if full or self._tickets(day) != self._tickets(day - timedelta(days=1)):
            rows["tickets"] = self._tickets(day)
        return self._deliver("weekly" if full else "daily", day, rows)

    def hands_over(self, day: date) -> bool:
        """Whether a file comes on a working day."""
        return self.daily or day.weekday() in RARE_DAYS

    def _customers(self) -> list[Customer]:
        return [customer for customer in self.world.customers.values() if customer.house == self.house.code]

    def _documents(self) -> list[Document]:
        return [document for (house, _), document in self.world.documents.items() if house == self.house.code]

    def _item(self, document: Document, day: date) -> dict[str, str]:
        disputed = document.disputed_on is not None and document.disputed_on < day
        money = self._money(document.currency)
        return {
            "debtor_no": document.customer.no,
            "document_no": document.no,
            "document_type": self._word("document_type", document.kind),
            "issued_on": self._date(document.issued_on),
            "due_on": self._date(document.due_on),
            "currency": document.currency,
            "amount": money(document.amount),
            "open_amount": money(document.open_amount),
            "settled_on": self._date(document.settled_on),
            "settled_by": document.settled_by or "",
            "disputed_amount": money(document.disputed_amount) if disputed and document.disputed_amount else "",
            "disputed_on": self._date(document.disputed_on if disputed else None),
            "dispute_outcome": (document.dispute_outcome or "") if disputed else "",
            "reference": document.reference or "",
            "payment_method": document.method,
            "collect_on": self._date(document.collect_on),
            "returned_on": self._date(document.returned_on),
            "return_code": document.return_code or "",
            "invoice_sent_on": self._date(document.sent_on if document.sent_on and document.sent_on < day else None),
            "invoice_channel": document.sent_by,
        }

    def _master(self, customer: Customer) -> dict[str, str]:
        return {
            "debtor_no": customer.no,
            "party_ref": customer.party_ref or "",
            "name": customer.name,
            "kind": self._word("kind", customer.kind),
            "country": customer.country,
            "language": customer.language,
            "email": customer.email,
            "phone": customer.phone,
            "street": customer.street,
            "postal_code": customer.postal_code,
            "city": customer.city,
            "contact_name": customer.contact_name,
            "preferred_channel": self._word("preferred_channel", customer.preferred_channel),
            "account_manager": customer.account_manager,
            "parent": customer.parent or "",
            "customer_since": self._date(customer.customer_since),
            "key_account": self._word("key_account", "yes" if customer.key_account else "no"),
            "credit_limit": self._money(self.house.currency)(customer.credit_limit),
            "risk_class": customer.risk_class,
            "hardship_until": self._date(customer.hardship_until),
            "legal_stop": customer.legal_stop,
        }

    def _changed_masters(self) -> list[Row]:
        changed: list[Row] = []
        for customer in self._customers():
            master = self._master(customer)
            if self._told.get(customer.no) != tuple(master.values()):
                self._told[customer.no] = tuple(master.values())
                changed.append(master)
        return changed

    def _contact(self, customer: Customer, contact: Any) -> Row:
        return {
            "debtor_no": customer.no,
            "name": contact.name,
            "role": contact.role,
            "email": contact.email,
            "phone": contact.phone,
            "language": contact.language,
        }

    def _new_receipts(self) -> list[Row]:
        """Money since the last file, as far as it settled a document; the rest stands as an item of its own."""
        new, self._receipts = self.world.receipts[self._receipts :], len(self.world.receipts)
        return [
            {
                "payment_no": receipt.no,
                "debtor_no": receipt.customer.no,
                "document_no": receipt.document_no,
                "paid_on": self._date(receipt.paid_on),
                "currency": receipt.currency,
                "amount": self._money(receipt.currency)(receipt.amount),
            }
            for receipt in new
            if receipt.document_no is not None and receipt.customer.house == self.house.code
        ]

    def _tickets(self, day: date) -> list[Row]:
        return [
            {
                "debtor_no": ticket.customer.no,
                "ticket_no": ticket.no,
                "kind": ticket.kind,
                "opened_on": self._date(ticket.opened_on),
                "closed_on": self._date(ticket.closed_on if ticket.closed_on and ticket.closed_on < day else None),
            }
            for ticket in self.world.tickets
            if ticket.customer.house == self.house.code
            and ticket.opened_on < day
            and (ticket.closed_on is None or ticket.closed_on >= day - timedelta(days=SETTLED_SHOWN))
        ]

    def _deliver(self, name: str, day: date, rows: Mapping[str, Iterable[Row]]) -> Delivery:
        files = []
        for role, lines in rows.items():
            listed = list(lines)
            if not listed and role in MAY_LACK:
                continue
            path = self.folder / f"{role}-{name}-{day.isoformat()}.csv"
            names = self._names(role)
            with path.open("w", encoding=self.house.encoding, newline="") as file:
                writer = csv.writer(file, delimiter=self.house.delimiter)
                columns = self._columns(role)
                writer.writerow([names[column] for column in columns])
                writer.writerows([line[column] for column in columns] for line in listed)
            files.append(path)
        return Delivery(self.folder / f"{name}.yaml", tuple(files))

    def _write_source(self, name: str) -> None:
        house = self.house
        roles = [role for role in COLUMNS if role != ("tickets" if name == "past" else "contacts")]
        definition = {
            "name": f"{house.code.lower()}-{name}",
            "mode": MODES[name],
            "creditor": {
                field: getattr(house, field)
                for field in ("code", "name", "country", "language", "currency", "time_zone", "iban", "bic", "email",
                              "phone", "street", "postal_code", "city", "registration_no", "vat_no")
            },
            "currencies": ["EUR"] if house.currency == "EUR" else [house.currency, "EUR"],
            "dates": [_spoken(house.date_format)],
            "numbers": {"decimal": house.decimal, "thousands": house.thousands},
            "files": {role: self._file_spec(role) for role in roles},
            "bounds": {"max_row_drop": 0.4, "max_balance_jump": 3, "compare_from_rows": 50},
        }  # fmt: skip
        text = yaml.safe_dump(definition, sort_keys=False, allow_unicode=True)
        (self.folder / f"{name}.yaml").write_text(text, encoding="utf-8")

    def _file_spec(self, role: str) -> dict[str, Any]:
        names, words = self._names(role), WORDS[self.house.language]
        spec: dict[str, Any] = {
            "match": f"{role}-*.csv",
            "delimiter": self.house.delimiter,
            "encoding": "cp1252" if self.house.encoding == "cp1252" else "utf-8",
            "columns": {column: names[column] for column in self._columns(role)},
        }
        values = {column: words[column] for column in COLUMNS[role] if column in words}
        if role == "tickets":
            values = {}
        return spec | ({"values": values} if values else {})

    def _columns(self, role: str) -> tuple[str, ...]:
        return COLUMNS[role] + (TELLS_SENDING if role == "items" and self.house.tells_sending else ())

    def _names(self, role: str) -> dict[str, str]:
        names = DUTCH if self.house.language == "nl" else ENGLISH
        return {**names, "kind": "Aard"} if role == "tickets" else names

    def _word(self, column: str, word: str) -> str:
        spelled = {ours: theirs for theirs, ours in WORDS[self.house.language].get(column, {}).items()}
        return spelled.get(word, word)

    def _date(self, day: date | None) -> str:
        return "" if day is None else day.strftime(self.house.date_format)

    def _money(self, currency: str) -> Callable[[int], str]:
        return lambda minor: _spelled(to_decimal(minor, currency), self.house)


def _spoken(date_format: str) -> str:
    return date_format.replace("%d", "DD").replace("%m", "MM").replace("%Y", "YYYY")


def _spelled(amount: Decimal, house: House) -> str:
    text = f"{amount:,.2f}"
    return text.replace(",", "\0").replace(".", house.decimal).replace("\0", house.thousands)
