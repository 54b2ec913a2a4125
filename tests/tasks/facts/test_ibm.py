"""Two years of a real ledger: the share of each segment, from the facts alone."""

from collections import Counter
from csv import DictReader
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from maatpak.ledger.database import Database
from tasks.facts import build_facts
from tests.tasks.facts.world import World, morning

NO_HOLIDAYS = "ZZ"
"""The figures know weekends only."""


def segment(row: dict[str, Any]) -> str:
    """The standard pack's segments, as far as a ledger alone can tell."""
    if row["share_paid_late_6m"] >= 0.5 and row["delay_trend_days"] >= 10:
        return "strained"
    if row["relation_days"] < 365 and row["settled_items_24m"] < 3:
        return "new"
    if row["settled_items_24m"] >= 4 and row["share_paid_late_12m"] >= 0.5 and row["median_delay_days"] >= 5:
        return "habitual"
    return "forgetful" if row["share_paid_late_12m"] > 0.10 or row["settled_items_24m"] < 3 else "prompt"


def load(database: Database, file: Path) -> World:
    """The invoices as a history source leaves them: known when issued, settled and disputed when settled."""
    world = World(date(2013, 12, 31), morning(date(2014, 1, 31)))
    debtors: dict[str, Any] = {}
    with file.open(newline="", encoding="utf-8") as lines:
        for line in DictReader(lines):
            issued, due, settled = (
                datetime.strptime(line[name], "%m/%d/%Y").date()  # noqa: DTZ007 - a date
                for name in ("InvoiceDate", "DueDate", "SettledDate")
            )
            customer = line["customerID"]
            if customer not in debtors:
                valid = {"valid_from": date(2000, 1, 1), "country": NO_HOLIDAYS}
                debtors[customer] = world.debtor(profile=valid)
            amount = round(float(line["InvoiceAmount"]) * 100)
            version = world.item(debtors[customer], due, amount, issued_on=issued, document_no=line["invoiceNumber"])
            disputed = amount if line["Disputed"] == "Yes" else 0
            world.paid(version, settled, disputed_amount=disputed)
    world.save(database)
    return world


# One customer paid exactly one of ten late by June 2013: prompt, for forgetful is *more* than one of ten.
FIGURES = {
    date(2012, 6, 30): {"new": 26, "habitual": 15, "forgetful": 14, "prompt": 45},
    date(2013, 6, 30): {"strained": 1, "habitual": 12, "forgetful": 24, "prompt": 63},
}


def test_segments_of_the_ibm_ledger(database: Database, shared_data: Path) -> None:
    file = shared_data / "ledgers" / "ibm_late_payments.csv"
    if not file.exists():
        pytest.skip("the IBM ledger is not beside this checkout")
    world = load(database, file)
    with database.frames(read_only=True) as frames:
        for day, expected in FIGURES.items():
            facts = build_facts(frames, world.creditor_id, day, morning(day)).cases
            assert Counter(map(segment, facts.to_dicts())) == expected
        last = date(2013, 12, 31)
        facts = build_facts(frames, world.creditor_id, last, morning(last)).cases
        assert Counter(map(segment, facts.to_dicts()))["prompt"] == 64
        assert facts["data_age_wd"].min() == 10_000, "no ledger came in, so nothing may be done"
        at_night = morning(last) - timedelta(days=30)
        assert build_facts(frames, world.creditor_id, last, at_night).items["open_amount"].sum() > 0
