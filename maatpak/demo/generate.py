"""Builds the made-up world from a seed: houses, customers of every nature, and their documents over the years."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from maatpak.demo.characters import CHARACTERS, choose
from maatpak.demo.names import LANDS, Land
from maatpak.demo.world import Contact, Customer, Document, House, Ticket, World

HISTORY_DAYS = 730
UNSENT = 0.03
"""The part of the invoices that never leave the house."""

HOUSES: tuple[House, ...] = (
    House(
        code="NL01", name="Zuiderzee Groothandel B.V.", country="NL", currency="EUR", language="nl",
        time_zone="Europe/Amsterdam", iban="NL91ABNA0417164300", bic="ABNANL2A", email="debiteuren@zuiderzee.example",
        phone="+31970000001", street="Havenkade 12", postal_code="3812 AB", city="Amersfoort",
        registration_no="90000001", vat_no="NL900000001B01",
        delimiter=";", date_format="%d-%m-%Y", decimal=",", thousands="", encoding="utf-8",
    ),
    House(
        code="BE01", name="Scheldeland Techniek NV", country="BE", currency="EUR", language="nl",
        time_zone="Europe/Brussels", iban="BE68539007547034", bic="GKCCBEBB", email="boekhouding@scheldeland.example",
        phone="+32440000001", street="Industrielaan 44", postal_code="9000", city="Gent",
        registration_no="0999.000.001", vat_no="BE0999000001",
        delimiter=";", date_format="%d/%m/%Y", decimal=",", thousands=".", encoding="cp1252",
    ),
    House(
        code="UK01", name="Severn Vale Supplies Ltd", country="GB", currency="GBP", language="en",
        time_zone="Europe/London", iban="GB29NWBK60161331926819", bic="NWBKGB2L", email="accounts@severnvale.example",
        phone="+447700900001", street="8 Mill Road", postal_code="BS1 4QA", city="Bristol",
        registration_no="09990001", vat_no="GB999000001",
        delimiter=",", date_format="%d/%m/%Y", decimal=".", thousands="", encoding="utf-8-sig", tells_sending=True,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class WorldPlan:
    """How large the world is and over which days it lives."""

    seed: int = 20260202
    starts_on: date = date(2026, 2, 2)
    horizon: date = date(2026, 3, 31)
    """No document is issued after this day."""
    customers: int = 5_000
    documents: int = 25_000
    shares: tuple[float, ...] = (0.5, 0.3, 0.2)
    """How the customers are spread over the houses; a house without any is left out."""
    natures: tuple[tuple[str, float], ...] = tuple((name, each.share) for name, each in CHARACTERS.items())
    """How they are spread over the characters."""

    @property
    def houses(self) -> tuple[House, ...]:
        """The houses that have customers."""
        return tuple(house for house, share in zip(HOUSES, self.shares, strict=True) if share)


def build_world(plan: WorldPlan) -> World:
    """The world as it stands the evening before its first day, with two years behind it."""
    world = World(plan.seed, plan.houses, plan.starts_on)
    for customer in _customers(world, plan):
        world.add_customer(customer)
    _relate(world)
    _plan_documents(world, plan)
    world.live(plan.starts_on - timedelta(days=1))
    return world


def _customers(world: World, plan: WorldPlan) -> list[Customer]:
    counts = apportion([share for share in plan.shares if share], plan.customers)
    natures = dict(plan.natures)
    made = []
    for house, count in zip(plan.houses, counts, strict=True):
        for index in range(count):
            random = world.chance(house.code, index, "customer")
            made.append(_customer(house, index, choose(random, natures), random, plan))
    return made


def _customer(house: House, index: int, character: str, random: Random, plan: WorldPlan) -> Customer:
    nature, land = CHARACTERS[character], LANDS[house.country]
    number = f"{house.code[:2]}{10_000 + index}"
    consumer = random.random() < nature.consumer
    public = not consumer and character in ("prompt", "habitual", "forgetful") and random.random() < 0.05
    kind = "consumer" if consumer else "public" if public else "business"
    person = land.person(random)
    name = person if consumer else land.public_body(random) if public else land.company(random)
    street, postal_code, city = land.address(random)
    new = character == "new"
    age = random.randint(20, 260) if new else random.randint(400, 5_500)
    return Customer(
        house=house.code,
        no=number,
        party_ref=None if consumer else f"{land.code}{9_000_000 + index:08d}",
        name=name,
        kind=kind,
        country=land.code,
        language="en" if land.language != "en" and random.random() < 0.05 else land.language,
        email=""
        if random.random() < 0.03
        else f"{number.lower()}@{_provider(land) if consumer else _domain(name)}.example",
        phone="" if random.random() < 0.04 else land.phone(random),
        street="" if random.random() < 0.02 else street,
        postal_code=postal_code,
        city=city,
        contact_name="" if consumer else person,
        preferred_channel=choose(random, {"email": 0.84, "post": 0.1, "sms": 0.06 if consumer else 0.0}),
        account_manager=_account_manager(house, random),
        parent=None,
        payer_no=None,
        customer_since=plan.starts_on - timedelta(days=age),
        key_account=character == "key",
        terms=choose_terms(random, consumer=consumer),
        credit_limit=round(nature.median_amount * random.choice((4, 8, 12))) * 100,
        risk_class=choose(random, _RISK[character]),
        debits=character not in ("key", "silent") and random.random() < (0.25 if consumer else 0.06),
        character=character,
        hardship_until=plan.starts_on + timedelta(days=random.randint(20, 150))
        if consumer and character == "strained" and random.random() < 0.1
        else None,
        legal_stop=choose(random, {"insolvent": 0.5, "represented": 0.2, "breathing_space": 0.3})
        if character == "strained" and random.random() < 0.02
        else "none",
        mailbox_dead=random.random() < 0.03,
        phone_dead=random.random() < 0.04,
        post_returns=random.random() < 0.02,
        contacts=_contacts(character, kind, land, number, name, random),
        mailbox_full=random.random() < 0.015,
    )


_RISK: dict[str, dict[str, float]] = {
    "prompt": {"A": 0.6, "B": 0.3, "none": 0.1},
    "forgetful": {"A": 0.2, "B": 0.5, "C": 0.2, "none": 0.1},
    "habitual": {"B": 0.4, "C": 0.5, "none": 0.1},
    "strained": {"C": 0.3, "D": 0.5, "E": 0.1, "none": 0.1},
    "key": {"A": 0.7, "B": 0.3},
    "new": {"none": 0.7, "B": 0.2, "C": 0.1},
    "silent": {"C": 0.4, "D": 0.3, "none": 0.3},
}


def choose_terms(random: Random, *, consumer: bool) -> int:
    """Days to pay."""
    return int(choose(random, {"14": 0.8, "30": 0.2} if consumer else {"14": 0.15, "30": 0.65, "45": 0.1, "60": 0.1}))


def _account_manager(house: House, random: Random) -> str:
    if random.random() < 0.05:
        return ""
    return f"{house.code.lower()}.account{random.randint(1, 3)}"


def _provider(land: Land) -> str:
    """Where persons have their mailboxes."""
    return "mailbox" if land.language == "en" else "postvak"


def _domain(name: str) -> str:
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower())
    return "-".join(part for part in letters.split("-") if part)


def _contacts(character: str, kind: str, land: Land, number: str, name: str, random: Random) -> list[Contact]:
    if kind != "business" or (character != "key" and random.random() < 0.6):
        return []
    roles = ["payables", "decision_maker", "escalation"] if character == "key" else ["payables"]
    if character == "habitual":
        roles.append("decision_maker")
    domain = _domain(name)
    return [
        Contact(
            land.person(random), role, f"{role}.{number.lower()}@{domain}.example", land.phone(random), land.language
        )
        for role in roles
    ]


def _relate(world: World) -> None:
    """Tie customers together: parents, payers, and parties that buy from two houses."""
    businesses = [customer for customer in world.customers.values() if customer.kind == "business"]
    by_house = {code: [c for c in businesses if c.house == code] for code in world.houses}
    for code, members in by_house.items():
        random = world.chance(code, "relations")
        for child in random.sample(members, k=len(members) // 40):
            parent = random.choice(members)
            if parent is not child and parent.parent is None and child.character != "key":
                child.parent = parent.no
    first, second = list(by_house.values())[-2:]
    random = world.chance("shared")
    for here, there in zip(
        random.sample(first, k=len(first) // 30), random.sample(second, k=len(first) // 30), strict=False
    ):
        there.party_ref = here.party_ref


def _plan_documents(world: World, plan: WorldPlan) -> None:
    customers = list(world.customers.values())
    weights = [customer.nature.weight * world.chance(customer.key, "many").uniform(0.5, 1.5) for customer in customers]
    for customer, count in zip(customers, apportion(weights, plan.documents), strict=True):
        random = world.chance(customer.key, "documents")
        first = max(customer.customer_since, plan.starts_on - timedelta(days=HISTORY_DAYS))
        span = (plan.horizon - first).days
        for index in range(count):
            issued_on = first + timedelta(days=int(span * (index + random.random()) / count))
            for document in _documents(world, customer, index, issued_on, random):
                world.plan_document(document)
        _plan_ticket(world, customer, plan)


def _documents(world: World, customer: Customer, index: int, issued_on: date, random: Random) -> list[Document]:
    amount = max(1_500, round(random.lognormvariate(0, 0.8) * customer.nature.median_amount * 100))
    currency = world.houses[customer.house].currency
    if customer.kind == "business" and customer.house == "UK01" and customer.no.endswith("7"):
        currency = "EUR"
    number = f"{customer.no[2:]}-{index + 1:03d}"
    terms = timedelta(days=customer.terms)
    invoice = Document(customer, f"F{number}", "invoice", issued_on, issued_on + terms, currency, amount, amount)
    surely = customer.debits or invoice.due_on < world.starts_on
    if surely or world.chance(customer.key, invoice.no, "sent").random() > UNSENT:
        invoice.sent_on, invoice.sent_by = issued_on, customer.invoiced_by
    if random.random() < 0.015 and customer.character != "silent" and invoice.sent_on:
        invoice.disputed_amount = round(amount * random.choice((0.2, 0.5, 1.0)))
        invoice.disputed_on = issued_on + timedelta(days=random.randint(3, 25))
    made = [invoice]
    if random.random() < 0.03:
        credited = round(amount * random.choice((0.1, 0.25, 0.5)))
        on = issued_on + timedelta(days=random.randint(5, 20))
        reference = invoice.no if random.random() < 0.8 else None
        made.append(
            Document(customer, f"C{number}", "credit_note", on, on, currency, credited, credited, reference=reference)
        )
    return made


def _plan_ticket(world: World, customer: Customer, plan: WorldPlan) -> None:
    random = world.chance(customer.key, "ticket")
    if random.random() < 0.02:
        opened_on = plan.starts_on + timedelta(days=random.randint(-20, (plan.horizon - plan.starts_on).days))
        kind = random.choice(("complaint", "undelivered_order"))
        closed_on = opened_on + timedelta(days=random.randint(4, 30))
        world.tickets.append(Ticket(customer, f"T{customer.no[2:]}", kind, opened_on, closed_on))


def apportion(weights: Sequence[float], total: int) -> list[int]:
    """Whole numbers in proportion to weights that add up to `total`: largest remainders get what is left."""
    scale = total / sum(weights)
    shares = [weight * scale for weight in weights]
    counts = [int(share) for share in shares]
    byremainder = sorted(range(len(weights)), key=lambda index: (counts[index] - shares[index], index))
    for index in byremainder[: total - sum(counts)]:
        counts[index] += 1
    return counts


def smaller(plan: WorldPlan, customers: int, documents: int) -> WorldPlan:
    """The same world with fewer people, for tests."""
    return replace(plan, customers=customers, documents=documents)
