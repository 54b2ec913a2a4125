"""Entering people and creditors, and looking after the house: init, doctor, audit, lists."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from maatpak.kernel.settings import Settings
from maatpak.ledger.database import Database
from tests.cli.acting import Command

HOUSE = ("creditor", "add", "NL1", "--name", "Huis [red]B.V.", "--country", "NL", "--language", "nl")


@pytest.fixture
def entered(command: Command) -> Command:
    """An administrator, a credit manager and a creditor are there."""
    for arguments in (
        ("user", "add", "root", "--role", "administrator"),
        ("user", "add", "cm", "--role", "credit_manager", "--limit", "25000.00", "--deputy", "root"),
        (*HOUSE, "--iban", "nl91 abna 0417 1643 00"),
    ):
        assert command(*arguments).status == 0
    return command


def test_lists_as_tables_and_as_json(entered: Command) -> None:
    people = {each["login"]: each for each in json.loads(entered("user", "list", "--json").out)}
    assert people["cm"]["approval_limit"] == 2_500_000
    assert people["cm"]["deputy"] == "root"
    table = entered("user", "list").out
    assert "€25,000.00" in table
    (creditor,) = json.loads(entered("creditor", "list", "--json").out)
    assert (creditor["code"], creditor["iban"]) == ("NL1", "NL91ABNA0417164300")
    assert "Huis [red]B.V." in entered("creditor", "list").out
    assert entered("cases").out.startswith("No case fits")
    assert entered("cases", "--json").out == "[]\n"
    assert entered("messages", "list", "--json").out == "[]\n"


def test_who_leaves_may_not_act_any_more(entered: Command) -> None:
    assert entered("user", "change", "cm", "--role", "administrator", "--limit", "100.00").status == 0
    assert entered("user", "add", "x", "--role", "collector", "--actor", "cm").status == 0
    assert entered("user", "change", "cm", "--inactive").status == 0
    cm = next(each for each in json.loads(entered("user", "list", "--json").out) if each["login"] == "cm")
    assert (cm["active"], cm["approval_limit"]) == (False, 10_000)
    assert "nobody who may act" in entered("user", "add", "y", "--role", "collector", "--actor", "cm").err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("user", "add", "x", "--role", "boss"), "'boss' is not a role"),
        (("user", "add", "cm", "--role", "collector"), "is taken"),
        (("user", "add", "x", "--role", "collector", "--limit", "1.005"), "more decimals"),
        (("user", "add", "x", "--role", "collector", "--limit", "-1"), "below zero"),
        (("user", "add", "x", "--role", "collector", "--deputy", "ghost"), "nobody here"),
        (("user", "add", "x", "--role", "collector", "--email", "nonsense"), "not an e-mail address"),
        (("user", "add", "x", "--role", "collector", "--actor", "cm"), "Only an administrator"),
        (("user", "add", "x", "--role", "collector", "--actor", "ghost"), "nobody who may act"),
        (("user", "add", "engine", "--role", "collector"), "is not a login"),
        (("user", "add", "CM", "--role", "collector"), "is taken"),
        (("user", "change", "ghost", "--inactive"), "no 'ghost'"),
        (("user", "change", "root", "--inactive"), "their own rights"),
        (("user", "change", "cm", "--limit", "-5"), "The limit -5.00 is below zero"),
        (("user", "change", "cm", "--deputy", "cm"), "cannot stand in for themselves"),
        (("user", "add", "x", "--role", "collector", "--deputy", "x"), "cannot stand in for themselves"),
        (HOUSE, "is there already"),
        ((*HOUSE[:2], "N2", *HOUSE[3:], "--iban", "NL92ABNA0417164300"), "wrong check number"),
        ((*HOUSE[:2], "N2", *HOUSE[3:], "--bic", "ABN"), "is not a BIC"),
        ((*HOUSE[:2], "N2", *HOUSE[3:], "--iban", "12"), "is not an IBAN"),
        ((*HOUSE[:2], "N2", *HOUSE[3:], "--currency", "EURO"), "ISO 4217"),
        ((*HOUSE[:2], "N2", *HOUSE[3:], "--country", "XX"), "ISO 3166"),
        ((*HOUSE[:2], "N2", *HOUSE[3:], "--language", "klingon"), "ISO 639"),
        ((*HOUSE[:2], "N2", *HOUSE[3:], "--time-zone", "Mars/Olympus"), "time zone"),
        (("messages", "list", "--state", "lost"), "Known are: queued"),
        (("audit", "export", "--creditor", "NL1", "--debtor", "7", "--to", "out"), "has no debtor '7'"),
    ],
)
def test_what_does_not_hold_is_refused(entered: Command, arguments: tuple[str, ...], said: str) -> None:
    before = entered("audit", "verify", "--json").out
    answer = entered(*arguments)
    assert (answer.status, answer.out) == (2, "")
    assert said in answer.err
    assert entered("audit", "verify", "--json").out == before


def test_the_first_person_enters_themselves_as_administrator(command: Command) -> None:
    for arguments in (("x", "--role", "administrator"), ("root", "--role", "collector")):
        assert "The first person here" in command("user", "add", *arguments).err
    assert command("user", "add", "root", "--role", "administrator").status == 0


def test_each_entry_is_an_anchored_event(entered: Command, database: Database) -> None:
    with database.session() as session:
        kinds = session.connection().execute(text("SELECT kind, actor FROM event ORDER BY seq")).all()
    assert [tuple(kind) for kind in kinds] == [
        ("person_added", "root"),
        ("person_added", "root"),
        ("creditor_added", "root"),
    ]
    verified = json.loads(entered("audit", "verify", "--json").out)
    assert verified["whole"]
    assert (verified["events"], verified["unanchored"]) == (3, 0)


def test_doctor_is_well_and_lists_settings(entered: Command) -> None:
    answer = entered("doctor")
    assert (answer.status, "NOT WELL" in answer.out) == (0, False), answer
    assert all(finding["well"] for finding in json.loads(entered("doctor", "--json").out))
    listed = entered("doctor", "--settings").out
    for name in Settings.model_fields:
        assert f"MAATPAK_{name.upper()}" in listed
    assert "maatpak:" not in listed, "a password is shown"


def test_webhooks_that_anybody_could_sign_are_not_served(entered: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAATPAK_PUBLIC_URL", "https://maatpak.example.com")
    doctor = entered("doctor")
    assert (doctor.status, "Anybody could sign" in doctor.out) == (5, True), doctor
    started = entered("up")
    assert (started.status, "MAATPAK_SMS_TOKEN" in started.err) == (2, True), started
    monkeypatch.setenv("MAATPAK_SMS_TOKEN", "a token of the service's own")
    assert entered("doctor").status == 0


def test_doctor_and_verify_tell_of_tampering(entered: Command, database: Database) -> None:
    with database.session() as session:
        session.connection().execute(text("ALTER TABLE event DISABLE TRIGGER ALL"))
        session.connection().execute(text("UPDATE event SET actor = 'other' WHERE seq = 2"))
    verify = entered("audit", "verify")
    assert verify.status == 1
    assert "Event 2 (person_added) was changed" in verify.out
    assert "not whole: 1 faults" in verify.err
    doctor = entered("doctor")
    assert doctor.status == 5
    assert "Not well: event chain." in doctor.err


def test_doctor_outside_a_workspace_says_what_to_do(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAATPAK_DATABASE_URL")
    answer = command("--workspace", str(tmp_path / "nothing"), "doctor")
    assert answer.status == 5
    assert "maatpak init" in answer.out


def test_init_twice_keeps_everything(entered: Command) -> None:
    before = entered("user", "list", "--json").out
    again = entered("init")
    assert again.status == 0
    assert "`maatpak ingest`, `maatpak policy publish`, then `maatpak run`" in again.out
    assert entered("user", "list", "--json").out == before
