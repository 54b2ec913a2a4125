"""Rights by two administrators, passwords and tokens, on the command line."""

import json
from datetime import UTC, datetime

import pytest

from tasks.access.login import log_in
from tasks.access.visitor import visitor_of_token
from tasks.engine import Engine
from tests.cli.acting import Command, told

NL1 = ("creditor", "add", "NL1", "--name", "Huis", "--country", "NL", "--language", "nl")


@pytest.fixture
def entered(command: Command) -> Command:
    """Two administrators, a credit manager who sees NL1 only, and two creditors."""
    for arguments in (
        ("user", "add", "root", "--role", "administrator"),
        NL1,
        ("creditor", "add", "DE1", *NL1[3:]),
        ("user", "add", "cm", "--role", "credit_manager", "--creditors", "NL1"),
        ("user", "add", "rhea", "--role", "administrator"),
    ):
        answer = command(*arguments)
        assert answer.status == 0, answer
    return command


def test_what_one_administrator_asks_another_confirms(entered: Command) -> None:
    sees = {row["login"]: row["sees"] for row in told(entered, "user", "list")}
    assert (sees["cm"], sees["root"]) == ("NL1", "all")
    asked = entered("user", "change", "cm", "--limit", "5000", "--creditors", "all")
    assert "change 1 waits for another administrator" in asked.out
    assert "kim: change 2 waits" in entered("user", "add", "kim", "--role", "collector").out
    account = ("creditor", "change", "NL1", "--set", "iban=NL91 ABNA 0417 1643 00", "--set", "city=Utrecht")
    assert "Change 3 of NL1 waits" in entered(*account).out
    listed = told(entered, "user", "requests")
    assert [(row["about"], row["to"]) for row in listed] == [
        ("cm", "creditors: all, currency: EUR, limit: 500000"),
        ("kim", "active: True, creditors: all, currency: EUR, limit: 0, role: collector"),
        ("NL1", "city: Utrecht, iban: NL91ABNA0417164300"),
    ]
    assert "asked for this change yourself" in entered("user", "confirm", "1").err
    for number in ("1", "3"):
        assert entered("user", "confirm", number, "--actor", "rhea").status == 0
    assert entered("user", "refuse", "2").status == 0
    assert entered("user", "requests").out == "No change waits.\n"
    people = {row["login"]: row for row in told(entered, "user", "list")}
    assert (people["cm"]["approval_limit"], people["cm"]["sees"], people["kim"]["active"]) == (500_000, "all", False)
    creditors = {row["code"]: row for row in told(entered, "creditor", "list")}
    assert (creditors["NL1"]["iban"], creditors["NL1"]["city"]) == ("NL91ABNA0417164300", "Utrecht")
    assert told(entered, "audit", "verify")["whole"]


def test_passwords_and_tokens_let_in(entered: Command, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    given = entered("user", "password", "cm").out.split()[-1]
    assert log_in(engine, "cm", given, now)[1].must_change_password
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "four grey herons dancing")
    asked = entered("user", "password", "cm", "--ask")
    assert (asked.status, "herons" in asked.out) == (0, False)
    log_in(engine, "cm", "four grey herons dancing", now)
    assert "logged out of 1 sessions" in entered("user", "logout", "cm").out
    made = told(entered, "user", "token", "the report", "--write", "--days", "7", "--actor", "cm")
    with engine.database.session() as session:
        visitor = visitor_of_token(session, made["token"], now)
    assert visitor is not None
    assert (visitor.login, visitor.may_write, [each.code for each in visitor.creditors]) == ("cm", True, ["NL1"])
    (listed,) = told(entered, "user", "tokens", "cm")
    assert (listed["name"], listed["scope"]) == ("the report", "write")
    assert made["token"] not in json.dumps(listed)
    assert entered("user", "revoke", str(made["token_id"]), "--actor", "cm").status == 0
    with engine.database.session() as session:
        assert visitor_of_token(session, made["token"], now) is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("user", "change", "cm", "--creditors", "XX"), "no creditor 'XX'"),
        (("user", "confirm", "9"), "No change 9 waits"),
        (("user", "password", "ghost"), "no 'ghost'"),
        (("user", "token", "x", "--days", "1000"), "1 to 366 days"),
        (("user", "revoke", "9"), "no token 9"),
        (("creditor", "change", "NL1", "--set", "code=NL2"), "called code"),
        (("creditor", "change", "NL1", "--set", "iban=12"), "not an IBAN"),
    ],
)
def test_what_does_not_hold_is_refused(entered: Command, arguments: tuple[str, ...], said: str) -> None:
    answer = entered(*arguments)
    assert (answer.status, said in answer.err) == (2, True), answer
