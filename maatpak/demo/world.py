"""The truth of the made-up world: who owes what, and what happens with it. The ledger files are written from here.

Nothing here knows the engine or reads a clock. Chance comes from generators that are seeded by what they decide on
(customer, document, day), so the same seed gives the same world in whatever order it is asked.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from maatpak.demo.characters import CHARACTERS, Character
from maatpak.demo.names import LANDS
from maatpak.kernel.calendars import BANK, add_working_days, next_bank_day


@dataclass(frozen=True)
class House:
    """A creditor of the made-up world, and how its bookkeeping writes its files."""

    code: str
    name: str
    country: str
    currency: str
    language: str
    time_zone: str
    iban: str
    bic: str
    email: str
    phone: str
    street: str
    postal_code: str
    city: str
    registration_no: str
    vat_no: str
    delimiter: str
    date_format: str
    decimal: str
    thousands: str
    encoding: str
    tells_sending: bool = False
    """Its files say when and how each invoice was sent."""


@dataclass(frozen=True)
class Contact:
    """A person at a customer."""

    name: str
    role: str
    email: str
    phone: str
    language: str


@dataclass
class Customer:
    """A customer account with one house. What is below `character` stays unknown to the engine."""

    house: str
    no: str
    party_ref: str | None
    name: str
    kind: str
    country: str
    language: str
    email: str
    phone: str
    street: str
    postal_code: str
    city: str
    contact_name: str
    preferred_channel: str
    account_manager: str
    parent: str | None
    payer_no: str | None
    customer_since: date
    key_account: bool
    terms: int
    credit_limit: int
    risk_class: str
    debits: bool
    character: str
    hardship_until: date | None = None
    legal_stop: str = "none"
    mailbox_dead: bool = False
    mailbox_full: bool = False
    phone_dead: bool = False
    post_returns: bool = False
    contacts: list[Contact] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Names the customer over all houses."""
        return f"{self.house}/{self.no}"

    @property
    def invoiced_by(self) -> str:
        """The way on which invoices go to them."""
        return "post" if self.preferred_channel == "post" or not self.email else "email"

    @property
    def nature(self) -> Character:
        """How they are."""
        return CHARACTERS[self.character]


@dataclass
class Document:
    """An invoice, credit note or unallocated payment; amounts are positive minor units."""

    customer: Customer
    no: str
    kind: str
    issued_on: date
    due_on: date
    currency: str
    amount: int
    open_amount: int
    settled_on: date | None = None
    settled_by: str | None = None
    disputed_amount: int = 0
    disputed_on: date | None = None
    dispute_outcome: str | None = None
    reference: str | None = None
    method: str = "transfer"
    collect_on: date | None = None
    returned_on: date | None = None
    return_code: str | None = None
    sent_on: date | None = None
    """None: it never left the house."""
    sent_by: str = ""
    seen: bool = False
    """Its customer knows of it, and minds paying it."""


@dataclass(frozen=True)
class Receipt:
    """Money that came in for a document, or for none."""

    no: str
    customer: Customer
    document_no: str | None
    paid_on: date
    currency: str
    amount: int


@dataclass(frozen=True)
class Intention:
    """What a customer means to pay on a day; without an amount: all that is open then."""

    document_no: str
    """Empty: the amount goes to the oldest open invoices."""
    amount: int | None = None
    garbled: bool = False
    """The transfer names no document: the money comes in unallocated."""
    settles_dispute: bool = False
    """Nobody pays: bookkeeping rejects the dispute that the ledger shows."""
    pays_back: bool = False
    """We pay: what is left of a credit note is paid out."""


@dataclass(frozen=True)
class Ticket:
    """A complaint or an undelivered order in somebody else's system."""

    customer: Customer
    no: str
    kind: str
    opened_on: date
    closed_on: date | None


class World:
    """Customers, documents and money over time. `live` moves it on; days never go back."""

    def __init__(self, seed: int, houses: Iterable[House], starts_on: date) -> None:
        self.seed = seed
        self.houses = {house.code: house for house in houses}
        self.starts_on = starts_on
        self.customers: dict[str, Customer] = {}
        self.documents: dict[tuple[str, str], Document] = {}
        self.receipts: list[Receipt] = []
        self.tickets: list[Ticket] = []
        self.lived_until: date | None = None
        self._to_issue: dict[date, list[Document]] = defaultdict(list)
        self._agenda: dict[date, list[tuple[Customer, Intention]]] = defaultdict(list)
        self._of_customer: dict[str, list[Document]] = defaultdict(list)

    def chance(self, *about: object) -> Random:
        """A generator for one decision: the same for the same seed and subject, however often it is asked."""
        return Random(":".join(str(part) for part in (self.seed, *about)))  # noqa: S311  a made-up world, no secrets

    def add_customer(self, customer: Customer) -> None:
        """Let somebody become a customer."""
        self.customers[customer.key] = customer

    def plan_document(self, document: Document) -> None:
        """Have a document issued on its day."""
        self._to_issue[document.issued_on].append(document)

    def intend(self, customer: Customer, on: date, intention: Intention) -> None:
        """Have a customer pay on a day; a day that is past becomes the next one to come."""
        earliest = self.lived_until + timedelta(days=1) if self.lived_until else on
        self._agenda[max(on, earliest)].append((customer, intention))

    def documents_of(self, customer: Customer) -> list[Document]:
        """All documents of a customer that were issued by now, oldest first."""
        return self._of_customer[customer.key]

    def open_invoices(self, customer: Customer, due_by: date) -> list[Document]:
        """Invoices with anything open that fell due by a day."""
        return [
            document
            for document in self.documents_of(customer)
            if document.kind == "invoice" and document.open_amount > 0 and document.due_on <= due_by
        ]

    def live(self, until: date) -> None:
        """Let every day up to and including `until` happen, in order."""
        day = (self.lived_until or min(self._to_issue)) + timedelta(days=1 if self.lived_until else 0)
        while day <= until:
            for document in self._to_issue.pop(day, ()):
                self._issue(document)
            for customer, intention in self._agenda.pop(day, ()):
                self._pay(customer, intention, day)
            self.lived_until = day
            day += timedelta(days=1)

    def mend(self, customer: Customer, what: str) -> None:
        """A person found a new number, mailbox or address for a customer: the master data has it tomorrow."""
        random = self.chance(customer.key, "mend", what, self.lived_until)
        land = LANDS[customer.country]
        if "phone" in what or "contact person" in what:
            customer.phone, customer.phone_dead = land.phone(random), False
        elif "mail" in what:
            domain = customer.email.partition("@")[2] or "mail.example"
            customer.email = f"new.{customer.no.lower()}@{domain}"
            customer.mailbox_dead = customer.mailbox_full = False
        else:
            customer.street, customer.postal_code, customer.city = land.address(random)
            customer.post_returns = False

    def issue_now(self, document: Document) -> None:
        """Put a document into the ledger that somebody made out by hand, such as a credit note."""
        self._issue(document)

    def show(self, customer: Customer, number: str, day: date) -> None:
        """An invoice that never left the house reaches its customer after all, who now minds paying it."""
        document = self.documents[customer.house, number]
        if document.kind == "invoice" and not document.seen:
            self._decide_payment(document, day)

    def take_cash(self, customer: Customer, document: Document | None, amount: int, day: date) -> None:
        """Book money: on a document as far as it is open, the rest as unallocated."""
        currency = document.currency if document else self.houses[customer.house].currency
        number = f"R{len(self.receipts) + 1:07d}"
        document_no = document.no if document else None
        applied = min(amount, document.open_amount) if document else 0
        self.receipts.append(Receipt(number, customer, document_no, day, currency, applied or amount))
        if document is not None and applied:
            document.open_amount -= applied
            document.disputed_amount = min(document.disputed_amount, document.open_amount)
            if document.open_amount == 0:
                document.settled_on, document.settled_by = day, "payment"
        if amount > applied:
            rest = amount - applied
            self._issue(Document(customer, f"U{number[1:]}", "payment", day, day, currency, rest, rest))

    def _issue(self, document: Document) -> None:
        customer = document.customer
        self.documents[customer.house, document.no] = document
        self._of_customer[customer.key].append(document)
        if document.kind == "invoice":
            if document.sent_on is not None:
                self._decide_payment(document, document.issued_on)
        elif document.kind == "credit_note":
            random = self.chance(customer.key, document.no, "allocate")
            if document.reference and random.random() < 0.8:
                self.intend(customer, document.issued_on + timedelta(days=5), Intention(document.no))
            if random.random() < 0.85:
                paid_back = document.issued_on + timedelta(days=random.randint(25, 60))
                self.intend(customer, paid_back, Intention(document.no, pays_back=True))

    def _decide_payment(self, document: Document, seen_on: date) -> None:
        document.seen = True
        customer, nature = document.customer, document.customer.nature
        random = self.chance(customer.key, document.no, "pays")
        if customer.debits:
            document.method, document.collect_on = "direct_debit", next_bank_day(document.due_on)
            self._agenda[add_working_days(document.collect_on, 5, BANK)].append((customer, Intention(document.no)))
            return
        if document.disputed_on is not None:
            resolved = document.disputed_on + timedelta(days=random.randint(10, 30))
            self._agenda[resolved].append((customer, Intention(document.no, settles_dispute=True)))
        low, high = nature.delay
        day = document.due_on + timedelta(days=random.randint(low, high))
        if random.random() < nature.forgets:
            if document.due_on >= self.starts_on - timedelta(days=40):
                return  # it waits for us to ask
            day = document.due_on + timedelta(days=random.randint(12, 45))
        day = max(day, seen_on + timedelta(days=1))
        if random.random() < nature.part_pays:
            part = round(document.amount * random.uniform(0.3, 0.7))
            self._agenda[day].append((customer, Intention(document.no, part)))
            day += timedelta(days=random.randint(10, 35))
            if random.random() < 0.3 and day >= self.starts_on:
                return
        self._agenda[day].append((customer, Intention(document.no, garbled=random.random() < 0.01)))

    def _pay(self, customer: Customer, intention: Intention, day: date) -> None:
        if not intention.document_no:
            self._spread(customer, intention.amount or 0, day)
            return
        document = self.documents[customer.house, intention.document_no]
        if document.open_amount == 0:
            return
        if intention.settles_dispute:
            document.disputed_amount, document.dispute_outcome = 0, "rejected"
        elif intention.pays_back:
            document.open_amount, document.settled_on, document.settled_by = 0, day, "transfer"
        elif document.kind == "credit_note":
            self._allocate_credit(document, day)
        elif document.collect_on and not document.returned_on:
            self._collect(document, day)
        elif intention.garbled:
            self.take_cash(customer, None, intention.amount or document.open_amount, day)
            self._agenda[day + timedelta(days=9)].append((customer, Intention(document.no, garbled=False)))
        else:
            unallocated = self._unallocated(customer, document)
            if unallocated is not None:
                self._allocate_cash(unallocated, document, day)
            else:
                self.take_cash(customer, document, intention.amount or document.open_amount, day)

    def _spread(self, customer: Customer, amount: int, day: date) -> None:
        """An instalment: it goes to the oldest open invoices."""
        for document in sorted(self.open_invoices(customer, day), key=lambda each: (each.due_on, each.no)):
            part = min(amount, document.open_amount)
            if part:
                self.take_cash(customer, document, part, day)
                amount -= part

    def _unallocated(self, customer: Customer, document: Document) -> Document | None:
        for other in self.documents_of(customer):
            if other.kind == "payment" and other.open_amount == document.open_amount:
                return other
        return None

    def _allocate_cash(self, cash: Document, document: Document, day: date) -> None:
        cash.open_amount, cash.settled_on, cash.settled_by = 0, day, "transfer"
        document.open_amount, document.settled_on, document.settled_by = 0, day, "payment"

    def _allocate_credit(self, note: Document, day: date) -> None:
        credited = self.documents[note.customer.house, note.reference or ""]
        used = min(note.open_amount, credited.open_amount)
        if not used:
            return
        note.open_amount -= used
        credited.open_amount -= used
        credited.disputed_amount = min(credited.disputed_amount, credited.open_amount)
        for document in (note, credited):
            if document.open_amount == 0:
                document.settled_on, document.settled_by = day, "credit_note"

    def _collect(self, document: Document, day: date) -> None:
        random = self.chance(document.customer.key, document.no, "debit")
        failing = 0.18 if document.customer.character == "strained" else 0.03
        if random.random() < failing:
            document.returned_on = add_working_days(document.collect_on or day, 3, BANK)
            document.return_code = random.choice(("AM04", "AM04", "AM04", "MD01", "AC04", "MD06"))
            document.method = "transfer"
            if random.random() < 0.5:
                self.intend(document.customer, day + timedelta(days=random.randint(3, 30)), Intention(document.no))
        else:
            document.open_amount, document.settled_on, document.settled_by = 0, document.collect_on, "debit"
            number = f"R{len(self.receipts) + 1:07d}"
            collected = document.collect_on or day
            self.receipts.append(
                Receipt(number, document.customer, document.no, collected, document.currency, document.amount)
            )
