"""`maatpak preview`: what a step would send, in every form, without a trace."""

import json
from datetime import date
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from sqlalchemy import text

from connectors.message import Outgoing
from maatpak.kernel.clock import FixedClock
from tasks.engine import Engine
from tests.cli.acting import MONDAY, Command, run_on, told
from tests.tasks.act.house import House

TABLES = ("action", "action_item", "round", "message", "message_action", "plan", "event", "tick", "work_task")


def rows(engine: Engine) -> dict[str, int]:
    """How many rows there are of what a message could leave behind."""
    with engine.database.session() as session:
        return {
            table: session.connection().execute(text(f'SELECT count(*) FROM "{table}"')).scalar_one()
            for table in TABLES
        }


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("reminder", "F1"),
        ("second_notice", "F2"),
        ("final_demand", "F1"),
        ("plan_offer", "F1"),
        ("statement", "F1"),
        ("thanks", ""),
        ("welcome", "C1"),
        ("call", "F1"),
    ],
)
def test_any_step_that_writes_is_shown_with_any_case_and_leaves_no_trace(
    house: House, command: Command, step: str, said: str
) -> None:
    before, files = rows(house.engine), sorted(house.engine.settings.workspace.rglob("*"))
    answer = command("preview", step, "--debtor", "C1")
    assert answer.status == 0, answer
    assert said in answer.out
    assert rows(house.engine) == before
    assert sorted(house.engine.settings.workspace.rglob("*")) == files


def test_a_preview_is_what_the_engine_then_sends(house: House, command: Command, clock: FixedClock) -> None:
    (shown,) = told(command, "preview", "reminder", "--debtor", "C1")
    run_on(house, command, clock, MONDAY)
    with house.engine.database.reading() as session:
        query = "SELECT content, template FROM message ORDER BY id"
        sent = [tuple(row) for row in session.connection().execute(text(query))]
    letters = [Outgoing.from_json(house.engine.store.get(key)) for key, name in sent if name == shown["template"]]
    assert [letter.text for letter in letters] == [shown["text"]]


def test_a_channel_and_a_language_can_be_asked_for(house: House, command: Command) -> None:
    (mail,) = told(command, "preview", "reminder", "--debtor", "C1", "--language", "de")
    assert (mail["channel"], mail["language"]) == ("email", "de")
    assert "Zahlungserinnerung" in mail["subject"]
    assert "Guten Tag C1 B.V.," in mail["text"]
    (letter,) = told(command, "preview", "reminder", "--debtor", "C1", "--channel", "post", "--language", "fr")
    assert letter["to"] == "C1 B.V., Kade 1, 1011 AB Amsterdam"
    assert "Bonjour C1 B.V.," in letter["text"]


def test_a_text_is_shown_without_a_subject_and_with_what_it_costs(house: House, command: Command) -> None:
    (text,) = told(command, "preview", "reminder", "--debtor", "C1", "--channel", "sms")
    answer = command("preview", "reminder", "--debtor", "C1", "--channel", "sms")
    assert text["subject"] not in answer.out.replace(text["text"], "")
    assert f"({len(text['text'])} characters, sent in {text['segments']} segments)" in answer.out
    assert text["segments"] in (1, 2, 3)


def test_a_step_on_two_channels_is_shown_on_both(house: House, command: Command) -> None:
    assert {each["channel"] for each in told(command, "preview", "final_demand", "--debtor", "C1")} == {"email", "post"}


@pytest.mark.parametrize("kind", ["txt", "html", "eml", "pdf", "json"])
def test_every_kind_of_file_is_written(house: House, command: Command, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"x.{kind}"
    answer = command("preview", "final_demand", "--debtor", "C1", "--out", str(path))
    assert answer.status == 0, answer
    content = path.read_bytes()
    match kind:
        case "pdf":
            assert content.startswith(b"%PDF")
        case "eml":
            mail = message_from_bytes(content, policy=default)
            assert mail["To"] == '"C1 B.V." <C1@example.test>'
            assert {part.get_content_type() for part in mail.walk()} >= {"text/plain", "text/html"}
        case "html":
            assert content.startswith(b'<!doctype html><html lang="en"')
        case "json":
            assert [each["channel"] for each in json.loads(content)] == ["email", "post"]
        case _:
            assert content.decode().count("Final demand") == 2


def test_a_missing_address_is_told_and_the_message_shown(house: House, command: Command) -> None:
    case = house.debtor("C2", email=None, street=None, phone=None)
    house.item(case, "F3", 70_000, date(2026, 1, 30))
    answer = command("preview", "reminder", "--debtor", "C2")
    assert (answer.status, "no_address" in answer.out, "F3" in answer.out) == (0, True, True)
    by_post = command("preview", "reminder", "--debtor", "C2", "--channel", "post")
    assert "No usable address is known for post" in by_post.out


def test_a_step_of_another_journey_is_shown_as_there(house: House, command: Command) -> None:
    answer = command("preview", "soft_reminder", "--debtor", "C1")
    assert answer.status == 0
    assert "it is shown as in that of strained" in answer.out


def test_what_the_step_would_not_name_today_is_told(house: House, command: Command) -> None:
    answer = command("preview", "courtesy", "--debtor", "C1")
    assert "Today the step would name nothing; it is shown with all that is open." in answer.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("remindr", "--debtor", "C1"), "No journey of the pack has a step 'remindr'"),
        (("decide", "--debtor", "C1"), "sends no message: it is decide"),
        (("reminder", "--debtor", "C9"), "There is no debtor 'C9'"),
        (("reminder", "--debtor", "C1", "--language", "xx"), "It writes in de, en, fr, nl"),
        (("reminder", "--debtor", "C1", "--channel", "pigeon"), "'pigeon' is no channel"),
        (("final_demand", "--debtor", "C1", "--channel", "sms"), "has no words for a text message"),
        (("reminder", "--debtor", "C1", "--out", "x.doc"), "no kind of file"),
        (("reminder", "--debtor", "C1", "--channel", "sms", "--out", "x.pdf"), "It has .txt, .json"),
        (("reminder", "--debtor", "C1", "--out", "none/x.txt"), "cannot be written"),
        (("reminder", "--debtor", "C3"), "has nothing to write about"),
    ],
)
def test_what_cannot_be_shown_says_why(house: House, command: Command, arguments: tuple[str, ...], said: str) -> None:
    house.debtor("C3")
    answer = command("preview", *arguments)
    assert (answer.status, said in answer.err) == (2, True), answer
