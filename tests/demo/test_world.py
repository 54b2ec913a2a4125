"""The made-up world is the same for the same seed, its sums are right, and its files say what is true in it."""

import csv
from collections import Counter, defaultdict
from datetime import date, timedelta
from pathlib import Path

import pytest

from connectors.ledgers.canonical import map_files, type_columns
from connectors.ledgers.readers import read_table
from connectors.ledgers.source_file import load_source
from maatpak.demo.blemishes import Blemish
from maatpak.demo.export import Books
from maatpak.demo.generate import HOUSES, WorldPlan, apportion, build_world, smaller
from maatpak.demo.world import World
from tasks.repairs import ANY, NO_PHONE, REPAIRS

PLAN = smaller(WorldPlan(), customers=300, documents=1_500)
BUSIER = smaller(WorldPlan(), customers=300, documents=12_000)


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(PLAN)


def picture(world: World) -> list[tuple[object, ...]]:
    return [
        (each.customer.key, each.no, each.due_on, each.amount, each.open_amount, each.settled_on, each.settled_by)
        for each in world.documents.values()
    ]


def test_the_same_seed_gives_the_same_world(world: World) -> None:
    assert picture(build_world(PLAN)) == picture(world)


def test_another_seed_gives_another_world(world: World) -> None:
    other = build_world(WorldPlan(seed=1, customers=300, documents=1_500))
    assert picture(other) != picture(world)


@pytest.mark.parametrize(
    ("asked", "mended"),
    [
        (REPAIRS["email"], "email"),
        (REPAIRS["phone"], "phone"),
        (REPAIRS["post"], "street"),
        (NO_PHONE, "phone"),
        (ANY, "street"),
    ],
)
def test_what_a_repair_asks_for_in_words_is_what_the_staff_finds(asked: str, mended: str) -> None:
    assert asked[0].isupper()
    assert asked.endswith(".")
    world = build_world(PLAN)
    customer = next(iter(world.customers.values()))
    before = {name: getattr(customer, name) for name in ("email", "phone", "street")}
    world.mend(customer, asked)
    assert [name for name, was in before.items() if getattr(customer, name) != was] == [mended]


def test_the_demo_has_the_size_that_it_promises() -> None:
    plan = WorldPlan()
    world = build_world(plan)
    world.live(plan.horizon)
    assert len(world.customers) == 5_000
    assert sum(each.kind == "invoice" for each in world.documents.values()) == 25_000
    assert {customer.house for customer in world.customers.values()} == {"NL01", "BE01", "UK01"}


def test_there_is_something_of_everything(world: World) -> None:
    world = build_world(smaller(WorldPlan(), customers=2_000, documents=10_000))
    customers = list(world.customers.values())
    assert {each.character for each in customers} == {
        "prompt", "forgetful", "habitual", "strained", "key", "new", "silent",
    }  # fmt: skip
    assert {each.kind for each in customers} == {"consumer", "business", "public"}
    assert any(not each.email for each in customers)
    assert any(not each.street for each in customers)
    assert any(each.parent for each in customers)
    assert any(each.contacts for each in customers)
    refs = Counter(each.party_ref for each in customers if each.party_ref)
    assert max(refs.values()) == 2
    documents = list(world.documents.values())
    assert {each.kind for each in documents} >= {"invoice", "credit_note"}
    assert any(each.disputed_on for each in documents)
    assert any(0 < each.open_amount < each.amount for each in documents)
    assert world.tickets


def test_every_cent_of_an_invoice_is_accounted_for(world: World) -> None:
    received: dict[str, int] = defaultdict(int)
    for receipt in world.receipts:
        if receipt.document_no:
            received[f"{receipt.customer.house}/{receipt.document_no}"] += receipt.amount
    for document in world.documents.values():
        if document.kind != "invoice":
            continue
        assert 0 <= document.open_amount <= document.amount
        assert (document.open_amount == 0) == (document.settled_on is not None)
        assert received[f"{document.customer.house}/{document.no}"] <= document.amount - document.open_amount


def test_nothing_is_known_before_it_happens(world: World) -> None:
    eve = PLAN.starts_on - timedelta(days=1)
    assert world.lived_until == eve
    assert all(each.issued_on <= eve for each in world.documents.values())
    assert all(each.paid_on <= eve for each in world.receipts)


def test_what_never_left_the_house_waits_until_somebody_shows_it() -> None:
    world = build_world(BUSIER)
    world.live(PLAN.horizon)
    unsent = [each for each in world.documents.values() if each.kind == "invoice" and each.sent_on is None]
    assert unsent
    assert all(each.open_amount == each.amount and each.due_on >= PLAN.starts_on for each in unsent)
    for each in unsent:
        world.show(each.customer, each.no, PLAN.horizon)
    world.live(PLAN.horizon + timedelta(days=90))
    assert any(each.open_amount == 0 for each in unsent)


def test_a_house_that_tells_how_it_sends_tells_it_of_every_invoice(tmp_path: Path) -> None:
    world = build_world(BUSIER)
    world.live(PLAN.horizon)
    house = next(house for house in HOUSES if house.tells_sending)
    delivery = Books(world, house, tmp_path, daily=True).morning(PLAN.horizon + timedelta(days=1))
    assert delivery is not None
    with delivery.files[0].open(encoding=house.encoding, newline="") as file:
        rows = list(csv.DictReader(file, delimiter=house.delimiter))
    told = {row["Document No"]: row["Invoice Sent On"] for row in rows if row["Document Type"] == "INV"}
    true = {number: world.documents[house.code, number].sent_on for number in told}
    assert told == {number: day.strftime(house.date_format) if day else "" for number, day in true.items()}
    assert None in true.values()


@pytest.mark.parametrize("house", HOUSES, ids=lambda house: house.code)
def test_the_files_say_what_is_true(world: World, tmp_path: Path, house: object) -> None:
    code = str(getattr(house, "code"))  # noqa: B009 - parametrize hands over an object
    delivery = Books(world, world.houses[code], tmp_path, daily=True).morning(PLAN.starts_on)
    assert delivery is not None
    source = load_source(delivery.source)
    tables = [read_table(delivery.files[0], source.files.items)] if source.files.items else []
    assert not tables[0].faults
    frame = type_columns(source, map_files(source, "items", tables), world.houses[code].currency)
    read = {row["document_no"]: (row["amount"], row["open_amount"], row["due_on"]) for row in frame.to_dicts()}
    true = {
        each.no: (each.amount, each.open_amount, each.due_on)
        for (owner, _), each in world.documents.items()
        if owner == code and each.open_amount
    }
    assert {number: read[number] for number in true} == true


def test_a_blemish_strikes_one_row_that_the_next_file_mends(world: World, tmp_path: Path) -> None:
    books = Books(world, world.houses["UK01"], tmp_path, daily=True)
    blemish = Blemish("due_on", "", 0.5)
    days = (PLAN.starts_on, PLAN.starts_on + timedelta(days=1))
    first, second = books.morning(days[0], [blemish]), books.morning(days[1])
    assert first is not None
    assert second is not None
    with first.files[0].open(encoding="utf-8-sig") as file:
        (struck,) = [row["Document No"] for row in csv.DictReader(file) if not row["Due On"]]
    with second.files[0].open(encoding="utf-8-sig") as file:
        mended = {row["Document No"]: row["Due On"] for row in csv.DictReader(file)}
    assert list(mended) == [struck]
    assert mended[struck]


@pytest.mark.parametrize(
    ("weights", "total", "expected"),
    [([1, 1, 1], 10, [4, 3, 3]), ([0.5, 0.3, 0.2], 10, [5, 3, 2]), ([3, 1], 0, [0, 0])],
)
def test_apportioning_adds_up(weights: list[float], total: int, expected: list[int]) -> None:
    assert apportion(weights, total) == expected


def test_the_first_day_is_a_monday() -> None:
    assert WorldPlan().starts_on == date(2026, 2, 2)
    assert WorldPlan().starts_on.weekday() == 0
