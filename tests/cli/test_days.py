"""A day by the command, what it tells, and what is told of it afterwards."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from connectors.faults import Fault, plan_faults
from maatpak.kernel.clock import FixedClock
from maatpak.ledger.tables import (
    Creditor,
    Debtor,
    Message,
)
from tasks.send.lanes import GIVE_UP_AFTER
from tests.cli.acting import MONDAY, TUESDAY, Command, run_on, told
from tests.tasks.act.house import House, at, build_house


def test_a_day_is_run_and_summed_up(house: House, command: Command, clock: FixedClock) -> None:
    row = run_on(house, command, clock, MONDAY)
    assert (row["creditor"], row["as_of"], row["cases"], row["rounds_opened"]) == ("ACME", MONDAY.isoformat(), 1, 1)
    assert (row["proposed"], row["done"], row["sent"], row["unknown"]) == (1, 1, 1, 0)
    assert house.row(Message).state == "sent"
    again = run_on(house, command, clock, MONDAY)
    assert (again["proposed"], again["sent"], again["began"]) == (0, 0, False)
    clock.at = at(TUESDAY, 10)
    answer = command("run")
    assert answer.status == 0
    assert answer.out.startswith(f"ACME, {TUESDAY}\n  cases: 1")
    assert ": 0" not in answer.out
    assert answer.err == "Running 1/1 ACME\n"
    assert house.rows(Creditor)[0].business_date == TUESDAY


def test_without_a_date_it_is_today_where_the_creditor_is(house: House, command: Command, clock: FixedClock) -> None:
    clock.at = at(MONDAY, 23)  # past midnight in Amsterdam
    assert told(command, "run")[0]["as_of"] == TUESDAY.isoformat()


def test_a_day_to_come_is_not_run(house: House, command: Command) -> None:
    answer = command("run", "--as-of", TUESDAY.isoformat())
    assert answer.status == 2
    assert f"{TUESDAY} is still to come for ACME" in answer.err
    assert f"up to {MONDAY}" in answer.err
    assert house.rows(Creditor)[0].business_date == MONDAY


def test_no_file_speaks_for_a_day_after_tomorrow(house: House, command: Command, tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text("x")
    late = command("ingest", str(file), "--source", "none", "--as-of", (TUESDAY + timedelta(days=1)).isoformat())
    assert (late.status, f"up to {TUESDAY}" in late.err) == (2, True)
    assert "to come" not in command("ingest", str(file), "--source", "none", "--as-of", TUESDAY.isoformat()).err


def test_a_run_in_the_evening_says_what_waits(house: House, command: Command, clock: FixedClock) -> None:
    clock.at = at(MONDAY, 20)
    (row,) = told(command, "run")
    assert (row["sent"], row["waiting"]) == (0, 1)
    assert row["first_at"].startswith(f"{TUESDAY}T0")
    assert f"Messages still queued: 1; the first may go from {TUESDAY} 0" in command("run").out
    (waits,) = told(command, "deliver")
    assert (waits["channel"], waits["sent"], waits["waiting"], waits["first_at"]) == ("email", 0, 1, row["first_at"])
    assert "`maatpak deliver`" in command("deliver").out


def test_what_a_killed_worker_left_is_told_with_the_time_when_it_is_looked_into(
    house: House, command: Command, clock: FixedClock
) -> None:
    clock.at = at(MONDAY, 20)
    told(command, "run")
    until = datetime.now(UTC) + timedelta(minutes=10)
    left = "UPDATE message SET state = 'sending', leased_by = 'gone', leased_until = :until, send_after = NULL"
    with house.engine.database.session() as session:
        session.connection().execute(text(left), {"until": until})
    (waits,) = told(command, "deliver")
    assert (waits["sent"], waits["waiting"]) == (0, 1)
    assert datetime.fromisoformat(waits["first_at"]) == until


def test_a_past_day_is_not_run_again_but_the_other_creditors_are(
    house: House, command: Command, clock: FixedClock
) -> None:
    other = build_house(house.engine, MONDAY - timedelta(days=3), "BETA")
    answer = command("run", "--as-of", (MONDAY - timedelta(days=3)).isoformat(), "--json")
    acme, beta = json.loads(answer.out)
    assert answer.status == 2
    assert "ACME is at 2026-03-02" in acme["error"]
    assert (beta["creditor"], beta["cases"]) == ("BETA", 0)
    assert "`maatpak audit replay --as-of DATE`" in answer.err
    assert "--dry" not in answer.err
    assert other.rows(Creditor, code="BETA")[0].business_date == MONDAY - timedelta(days=3)


def test_a_creditor_whose_day_fails_does_not_stop_the_others(house: House, command: Command, clock: FixedClock) -> None:
    build_house(house.engine, MONDAY, "BETA")
    refuse = (
        "CREATE FUNCTION refuse_acme() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.creditor_id ="
        f" {house.creditor_id} THEN RAISE EXCEPTION 'the disk is full'; END IF; RETURN NEW; END $$;"
        " CREATE TRIGGER refuse_acme BEFORE INSERT ON tick FOR EACH ROW EXECUTE FUNCTION refuse_acme()"
    )
    with house.engine.database.session() as session:
        session.connection().execute(text(refuse))
    answer = command("run", "--as-of", MONDAY.isoformat(), "--json")
    acme, beta = json.loads(answer.out)
    assert answer.status == 1
    assert "the disk is full" in acme["error"]
    assert (beta["creditor"], beta["as_of"], "error" in beta) == ("BETA", MONDAY.isoformat(), False)
    assert "the disk is full" in answer.err
    assert "Traceback" not in answer.err


def test_a_mail_server_that_is_away_ends_with_five(
    house: House, command: Command, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(GIVE_UP_AFTER):
        house.item(house.debtor(f"M{number}"), f"M{number}", 100_000, date(2026, 1, 30))
    monkeypatch.setenv("MAATPAK_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("MAATPAK_SMTP_PORT", "1")
    answer = command("run", "--as-of", MONDAY.isoformat())
    assert answer.status == 5
    assert "maatpak deliver" in answer.err
    assert {message.state for message in house.rows(Message)} == {"queued"}


def test_who_did_not_get_a_step_is_told_and_ends_with_five(house: House, command: Command, clock: FixedClock) -> None:
    house.item(house.debtor("Unlucky"), "U1", 100_000, date(2026, 1, 30))
    refuse = (
        "CREATE FUNCTION refuse_unlucky() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.recipient LIKE 'Unlucky%'"
        " THEN RAISE EXCEPTION 'no letter for %', NEW.recipient; END IF; RETURN NEW; END $$;"
        " CREATE TRIGGER refuse_unlucky BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION refuse_unlucky()"
    )
    with house.engine.database.session() as session:
        session.connection().execute(text(refuse))
    debtor = house.row(Debtor, debtor_no="Unlucky").id
    answer = command("run", "--as-of", MONDAY.isoformat(), "--json")
    (row,) = json.loads(answer.out)
    assert (answer.status, row["sent"], row["failing"]) == (5, 1, 1)
    (failure,) = row["failures"]
    assert (failure["debtor_id"], failure["steps"]) == (debtor, ["reminder"])
    assert f"debtor id {debtor}: reminder: {failure['error']}" in answer.err
    assert "example.test" not in answer.out + answer.err
    (kept,) = (house.engine.workspace.root / "logs" / "failures").iterdir()
    assert "no letter for Unlucky" in kept.read_text()
    with house.engine.database.session() as session:
        session.connection().execute(text("DROP TRIGGER refuse_unlucky ON message"))
    assert run_on(house, command, clock, MONDAY)["sent"] == 1


def test_messages_in_doubt_end_with_five(house: House, command: Command, clock: FixedClock) -> None:
    plan_faults(house.engine.workspace.sinks / "mail", [Fault(at="after", drop=True)])
    answer = command("run", "--as-of", MONDAY.isoformat())
    assert answer.status == 5
    assert "1 of ACME's messages it is not known" in answer.err
    assert (command("deliver").status, command("messages", "list", "--unknown").status) == (0, 0)


def test_nobody_to_run_for(command: Command, clock: FixedClock) -> None:
    answer = command("run", "--as-of", MONDAY.isoformat())
    assert (answer.status, "policy publish" in answer.err) == (2, True)


def test_figures_and_silence(opened: House, command: Command, clock: FixedClock) -> None:
    (row,) = told(command, "report")
    assert (row["creditor"], row["cases"], row["overdue_open"], row["cause"]) == ("ACME", 1, 150_000, "reminder")
    assert "€1,500.00" in command("report").out
    assert told(command, "report", "--silent") == {"items": [], "quarantined": []}
    late = told(command, "report", "--silent", "--as-of", "2026-04-30")["items"]
    assert [(each["document_no"], each["last_on"], each["cause"]) for each in late] == [
        ("F1", MONDAY.isoformat(), "reminder is due"),
        ("F2", MONDAY.isoformat(), "reminder is due"),
    ]
    assert "reminder is due" in command("report", "--silent", "--as-of", "2026-04-30").out
    refused = command("report", "--as-of", "2026-04-30")
    assert (refused.status, "goes with --silent" in refused.err) == (2, True)


def test_programs_get_every_row_and_people_what_they_can_look_through(
    house: House, command: Command, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maatpak.cli.session.MOST_SHOWN", 2)
    for number in range(2, 5):
        house.item(house.debtor(f"C{number}"), f"F{number}", 100_000, date(2026, 1, 30))
    run_on(house, command, clock, MONDAY)
    for words in (("cases",), ("messages", "list"), ("tasks", "list", "--all")):
        if words[0] == "tasks":
            for number in range(1, 5):
                arguments = ("--channel", "email", "--actor", "carla")
                assert command("messages", "answer", f"C{number}", *arguments).status == 0
        assert len(told(command, *words)) == 4, words
        assert len(told(command, *words, "--most", "3")) == 3, words
        shown = command(*words).out
        assert sum(f" C{number} " in shown for number in range(1, 5)) == 2, shown
    assert command("cases", "--most", "0").status == 2
    assert [row["debtor_no"] for row in told(command, "cases", "--at-least", "1250.00")] == ["C1"]
    assert "is no segment" in command("cases", "--segment", "rich").err


def test_a_past_day_is_replayed(opened: House, command: Command, clock: FixedClock) -> None:
    run_on(opened, command, clock, TUESDAY)
    (row,) = told(command, "audit", "replay", "--as-of", MONDAY.isoformat())
    assert (row["creditor"], row["same"], row["ticks"], row["cases"], row["unproven"]) == ("ACME", True, 1, 1, 2)
    assert "come out as they were" in command("audit", "replay", "--as-of", MONDAY.isoformat()).out
    missing = command("audit", "replay", "--as-of", "2026-02-27")
    assert (missing.status, "No run of 2026-02-27" in missing.err) == (2, True)
    with opened.engine.database.session() as session:
        session.connection().execute(text("ALTER TABLE item_version DISABLE TRIGGER ALL"))
        session.connection().execute(text("UPDATE item_version SET open_amount = 1 WHERE document_no = 'F2'"))
    answer = command("audit", "replay", "--as-of", MONDAY.isoformat())
    assert answer.status == 1
    assert "overdue_open" in answer.out
    assert "150000" in answer.out
    assert "come out otherwise than on 2026-03-02" in answer.err
