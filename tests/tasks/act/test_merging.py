"""Two accounts that are one customer share budget, experience and holds, by two people's word, whatever files say."""

from datetime import date
from pathlib import Path

import pytest

from connectors.ledgers.source_file import load_source
from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.errors import RefusedError, TransientError, UsageError
from maatpak.kernel.words import HoldReason
from maatpak.ledger.invariants import breaches
from maatpak.ledger.locks import lock_creditor
from maatpak.ledger.tables import Case, CaseNote, ContactSlot, Debtor, Hold, Party, Touch, WorkTask
from tasks.audit.proving import prove_day
from tasks.day import run_day
from tasks.holds import set_hold
from tasks.intake import ingest_ledger
from tasks.merging import ask_merge
from tasks.replay import replay
from tasks.tick import tick_and_see
from tasks.work import Outcome, finish_work
from tests.tasks.act.house import House, at, build_house

SOURCE = """
name: books
mode: delta
creditor: ACME
files:
  debtors:
    match: "debtors*.csv"
    columns: {debtor_no: debtor, name: name, kind: kind, country: country, language: language, party_ref: vat}
"""


def ask(house: House, case_id: int, other: str = "C2", who: str = "carla") -> int:
    with house.desk(who) as desk:
        return int(ask_merge(desk, desk.case(case_id), other, "same VAT number").id or 0)


def confirm(house: House, task_id: int, who: str = "mo") -> None:
    with house.desk(who) as desk:
        finish_work(desk, task_id, Outcome("agreed"))


@pytest.mark.stage("reminded")
def test_one_customer_from_then_on(house: House, case_id: int, tmp_path: Path) -> None:
    other = house.debtor("C2", party="NL2")
    house.item(other, "G1", 30_000, date(2026, 2, 6))
    day = add_working_days(house.day, 2, "NL")
    house.go_to(day)
    run_day(house.engine, house.creditor_id, day, at(day, 6)).require_whole()
    with house.desk("mo") as desk:
        set_hold(desk, desk.case(other), HoldReason.DISASTER, add_working_days(day, 9, "NL"), "flood", scope="party")
    task_id = ask(house, other, "C1")
    assert [note.body for note in house.rows(CaseNote)] == ["One customer with C1: same VAT number"]
    with pytest.raises(RefusedError, match="asked for a second person"):
        confirm(house, task_id, "carla")
    with house.engine.database.session() as session:
        lock_creditor(session, house.creditor_id, shared=True)
        with pytest.raises(TransientError, match="is being worked on"):
            confirm(house, task_id)
    confirm(house, task_id)
    kept = house.rows(Case)[0].party_id
    gone = house.row(Party, party_ref="NL2")
    assert gone.merged_into == kept
    for table in (Case, Debtor, Touch):
        assert {row.party_id for row in house.all_rows(table)} == {kept}
    assert {slot.party_id for slot in house.rows_of(ContactSlot)} == {kept}
    assert house.row(Hold).party_id == kept
    assert len({case.shard_key for case in house.rows(Case)}) == 1
    (event,) = house.rows_of_events("parties_merged")
    assert (event.body["debtors"], event.body["asked_by"]) == ([house.row(Debtor, debtor_no="C2").id], "carla")
    with house.engine.database.session() as session:
        assert breaches(session, at(house.day)) == []
    # The facts of the next day are those of one customer; those of the day before are told to be of two.
    house.go_to(add_working_days(house.day, 1, "NL"))
    facts = tick_and_see(house.engine, house.creditor_id, house.day, at(house.day, 6))[1].facts.cases
    assert facts["party_id"].to_list() == [kept, kept]
    assert (facts["contacts_20wd"].to_list(), facts["hold_reason"].to_list()) == ([2, 2], ["disaster", "disaster"])
    assert facts["experience_balance"].n_unique() == 1
    again = prove_day(house.engine, house.creditor_id, day, at(house.day, 9))
    assert (again.differences, again.merged) == ((), 2)
    assert house.rows_of_events("audit_replayed")[-1].body["merged"] == 2, "the kept proof says what it does not prove"
    assert replay(house.engine, house.creditor_id, house.day).merged == 0
    # A new account of the merged party is the other one's.
    (tmp_path / "books.yaml").write_text(SOURCE)
    file = tmp_path / "debtors.csv"
    file.write_text("debtor,name,kind,country,language,vat\nC9,Nine,business,NL,nl,NL2\n")
    ingest_ledger(house.engine, load_source(tmp_path / "books.yaml"), [file], house.day, at(house.day, 11), "olga")
    assert house.row(Debtor, debtor_no="C9").party_id == kept


def test_who_stays_is_who_others_know(house: House, case_id: int) -> None:
    abroad = build_house(house.engine, house.day, "OTHER")
    house.debtor("C2", party="shared")
    abroad.debtor("X1", party="shared")
    house.debtor("C3", party="known")
    abroad.debtor("X3", party="known")
    confirm(house, ask(house, case_id))
    shared = house.row(Party, party_ref="shared")
    assert house.row(Debtor, debtor_no="C1").party_id == shared.id
    with pytest.raises(RefusedError, match="customers of other creditors"):
        ask(house, case_id, "C3")
    for other, told in (("C2", "one customer already"), ("C8", "has no debtor 'C8'")):
        with pytest.raises(UsageError, match=told):
            ask(house, case_id, other)
    assert {task.outcome for task in house.rows(WorkTask, kind="review")} == {"agreed"}
