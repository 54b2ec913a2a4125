"""Two years of a real ledger, every business day in sequence, and the proof of what was done.

The invoices are real, the people are played: collectors, account managers and credit managers by a seeded script.
"""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from connectors.ledgers.source_file import load_source
from maatpak.demo.generate import HOUSES
from maatpak.demo.people import Office, staff_of
from maatpak.demo.world import House
from maatpak.kernel.calendars import is_working_day
from maatpak.ledger.packs import publish_pack
from maatpak.ledger.tables import Case, Creditor, CreditorPack, Debtor
from policies.pack import standard_pack_files
from tasks.day import catch_up_instant, run_day
from tasks.engine import Engine
from tasks.intake import ingest_ledger
from tests.lives.ledger import Account, person
from tests.lives.life import Life
from tests.lives.world import acts_of
from tests.proofs.reader import prove

FIRST, LAST = date(2012, 1, 2), date(2013, 12, 31)
SOURCE = Path(__file__).parents[1] / "sources" / "ibm_late_payments.yaml"
IBM = House(**{**vars(HOUSES[0]), "code": "IBM"})


def business_days() -> Iterator[date]:
    day = FIRST
    while day <= LAST:
        if is_working_day(day, "NL"):
            yield day
        day += timedelta(days=1)


def load(engine: Engine, ledger: Path) -> int:
    """The ledger as a history source, a pack and people; the creditor's id."""
    start = datetime(2012, 1, 1, 12, tzinfo=UTC)
    with engine.database.session() as session:
        session.add_all([person("admin", "administrator"), *staff_of(IBM)])
        session.flush()
        pack = publish_pack(session, "standard", standard_pack_files(), "two years", "admin", FIRST, start)
        pack_id = pack.id
    ingest_ledger(engine, load_source(SOURCE), [ledger], as_of=LAST, now=start, actor=None)
    with engine.database.session() as session:
        creditor = session.exec(select(Creditor).where(Creditor.code == "IBM")).one()
        assert creditor.id is not None
        assert pack_id is not None
        session.add(
            CreditorPack(creditor_id=creditor.id, pack_id=pack_id, actor="admin", valid_from=FIRST, recorded_at=start)
        )
        return creditor.id


def lives_of(engine: Engine, creditor_id: int) -> list[Life]:
    """Somebody at work for every case; the customers themselves only pay, as the file says."""
    with engine.database.reading() as session:
        rows = session.exec(
            select(Case, Debtor).join(Debtor, col(Debtor.id) == Case.debtor_id).where(Case.creditor_id == creditor_id)
        ).all()
    return [
        Life(
            f"ibm:{debtor.debtor_no}", Account(debtor.debtor_no, case.debtor_id, case.party_id, case.id or 0), 0, 0, 0.8
        )
        for case, debtor in rows
    ]


@pytest.mark.chaos
def test_every_business_day_of_two_years(engine: Engine, shared_data: Path) -> None:
    engine.workspace.create()
    started = time.perf_counter()
    creditor_id = load(engine, shared_data / "ledgers" / "ibm_late_payments.csv")
    lives = lives_of(engine, creditor_id)
    assert len(lives) == 100
    done: Counter[str] = Counter()
    days = list(business_days())
    for day in days:
        run_day(engine, creditor_id, day, catch_up_instant(day), "engine").require_whole()
        Office(engine, IBM, creditor_id, day, done).perform(acts_of(engine, lives, day))
    taken = time.perf_counter() - started
    proof = prove(engine.database.url, Path(engine.store.url))
    print(f"{len(days)} days in {taken:.0f} s\n{proof.table()}")  # noqa: T201
    assert not proof.breaches, "\n".join(map(str, proof.breaches))
    assert proof.checked["tick"] == len(days)
    assert proof.checked["proof_sent"] > 500
