import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from connectors.faults import Fault, plan_faults
from maatpak.kernel.clock import FixedClock
from tasks.engine import Engine
from tasks.send.breaker import MEND
from tests.cli.acting import Command
from tests.tasks.outbox_world import DAY, NOW, House
from tests.tasks.receive.mails import writes
from tests.tasks.send.sending import let_rests_end, run_sql


@pytest.fixture
def outbox(engine: Engine, clock: FixedClock) -> House:
    """Two mails and a letter that wait, at ten on a Wednesday."""
    clock.at = NOW
    house = House(engine)
    house.customers(2)
    house.customer(preferred_channel="post")
    house.written()
    return house


def test_the_outbox_is_delivered_and_listed(outbox: House, command: Command) -> None:
    answer = command("deliver", "--channel", "email", "--json")
    assert answer.status == 0, answer.err
    (row,) = json.loads(answer.out)
    assert (row["creditor"], row["channel"], row["sent"], row["failed"]) == ("NL1", "email", 2, 0)
    assert json.loads(command("deliver", "--json").out)[0]["channel"] == "post"
    assert json.loads(command("deliver", "--json").out) == []
    listed = json.loads(command("messages", "list", "--state", "sent", "--json").out)
    assert sorted(row["channel"] for row in listed) == ["email", "email", "post"]
    assert command("deliver", "--channel", "pigeon").status == 2


def test_the_reference_of_a_message_is_never_cut(
    outbox: House, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maatpak.cli.output.PLAIN_WIDTH", 80)
    listed = json.loads(command("messages", "list", "--json").out)
    out = command("messages", "list").out
    assert len(listed) == 3
    assert all(row["message_ref"][:12] in out for row in listed)


def test_an_unknown_message_is_listed_and_resolved(outbox: House, command: Command) -> None:
    plan_faults(outbox.engine.workspace.sinks / "mail", [Fault(match="k-1001@", at="after", drop=True)])
    answer = command("deliver")
    assert (answer.status, "it is not known whether they left" in answer.err) == (5, True)
    (unknown,) = json.loads(command("messages", "list", "--unknown", "--json").out)
    assert unknown["message_ref"][:12] in command("messages", "list", "--unknown").out
    beginning = unknown["message_ref"][:12]
    wrong = command("messages", "resolve", beginning, "--as", "lost", "--reason", "x")
    assert wrong.status == 2
    assert command("messages", "resolve", "zz", "--as", "sent", "--reason", "x").status == 2
    answer = command(
        "messages", "resolve", beginning, "--as", "sent", "--reason", "they have it", "--actor", "maritNL1", "--json"
    )
    assert answer.status == 0, answer.err
    assert json.loads(answer.out)["state"] == "sent"
    assert json.loads(command("messages", "list", "--unknown", "--json").out) == []


def test_a_message_that_waits_and_a_letter_are_taken_back(outbox: House, command: Command) -> None:
    waiting = json.loads(command("messages", "list", "--json").out)
    mail, letter = (next(row for row in waiting if row["channel"] == channel) for channel in ("email", "post"))
    answer = command("messages", "cancel", mail["message_ref"][:12], "--actor", "maritNL1")
    assert (answer.status, "does not go" in answer.out) == (0, True), answer.err
    assert command("deliver").status == 0
    answer = command("messages", "cancel", letter["message_ref"], "--actor", "maritNL1", "--json")
    assert json.loads(answer.out) == {"message_ref": letter["message_ref"], "channel": "post", "state": "sent"}
    assert command("letters", "print").out == "No letter waits.\n"
    (sent,) = json.loads(command("messages", "list", "--channel", "email", "--state", "sent", "--json").out)
    late = command("messages", "cancel", sent["message_ref"], "--actor", "maritNL1")
    assert (late.status, "is sent" in late.err) == (2, True)


def test_a_creditor_that_began_no_day_sends_nothing(outbox: House, command: Command) -> None:
    with outbox.engine.database.session() as session:
        session.connection().execute(text("UPDATE creditor SET business_date = NULL"))
    assert json.loads(command("deliver", "--json").out) == []


def test_a_service_that_is_down_is_told_with_its_status(outbox: House, command: Command, clock: FixedClock) -> None:
    outbox.customers(20)
    outbox.accounts = outbox.accounts[3:]
    outbox.written()
    plan_faults(outbox.engine.workspace.sinks / "mail", [Fault(drop=True)])
    answer = command("deliver")
    assert answer.status == 5
    assert "could not be handed over (email: left alone for 1 more min, after no connection" in answer.err
    plan_faults(outbox.engine.workspace.sinks / "mail", [])
    clock.at = NOW + timedelta(minutes=10)
    again = command("deliver")
    assert again.status == 5
    assert "(email: left alone for 1 more min, after no connection" in again.err
    doctor = command("doctor")
    assert doctor.status == 5
    assert "Not well: service for email." in doctor.err
    assert MEND in " ".join(doctor.out.split())
    let_rests_end(outbox)
    assert command("deliver").status == 0
    assert len(json.loads(command("messages", "list", "--state", "sent", "--json").out)) == 23


def test_what_came_back_of_a_message_is_noted(outbox: House, command: Command) -> None:
    assert command("deliver").status == 0
    sent = json.loads(command("messages", "list", "--channel", "email", "--json").out)
    assert {tuple(row["evidence"]) for row in sent} == {("accepted",)}
    bounced, used = (row["message_ref"] for row in sent)
    answer = command("messages", "note", bounced[:12], "bounced", "--actor", "maritNL1", "--json")
    assert answer.status == 0, answer
    told = json.loads(answer.out)
    assert told == {"message_ref": bounced, "kind": "bounced", "source": "maritNL1", "observed_on": DAY.isoformat()}
    assert command("messages", "note", used, "link_used", "--source", "page", "--actor", "maritNL1").status == 0
    assert command("messages", "note", used, "link_used", "--source", "page", "--actor", "maritNL1").status == 0
    states = outbox.rows("SELECT state FROM address_state ORDER BY id")
    assert [row["state"] for row in states] == ["dead", "proven"]
    (gone,) = json.loads(command("messages", "addresses", "--json").out)
    assert (gone["channel"], gone["state"], gone["cause"], gone["since"]) == (
        *("email", "dead", "bounced", DAY.isoformat()),
    )
    assert len(json.loads(command("messages", "addresses", "--all", "--json").out)) == 2
    listed = {row["message_ref"]: row["evidence"] for row in json.loads(command("messages", "list", "--json").out)}
    assert (listed[bounced], listed[used]) == (["accepted", "bounced"], ["accepted", "link_used"])
    for kind in ("spoken", "accepted", "eaten"):
        refused = command("messages", "note", used, kind, "--actor", "maritNL1")
        assert (refused.status, "One of: delivered, answered, link_used" in refused.err) == (2, True)


def test_an_answer_is_recorded_and_waits_to_be_read(outbox: House, command: Command, tmp_path: Path) -> None:
    assert command("deliver").status == 0
    (message_ref,) = (
        row["message_ref"] for row in json.loads(command("messages", "list", "--debtor", "K-1001", "--json").out)
    )
    letter = tmp_path / "answer.txt"
    letter.write_text("We pay on Friday.")
    given = ("K-1001", "--channel", "email", "--to", message_ref[:12], "--file", str(letter), "--number", "MAIL-7")
    answer = command("messages", "answer", *given, "--actor", "maritNL1")
    assert answer.out == "Answer MAIL-7 of K-1001 waits to be read.\n", answer
    assert command("messages", "answer", *given, "--actor", "maritNL1").status == 0
    (row,) = json.loads(command("messages", "answers", "--json").out)
    assert (row["answer_no"], row["message_ref"], row["received_on"]) == ("MAIL-7", message_ref, DAY.isoformat())
    assert outbox.engine.store.get(row["content"]) == b"We pay on Friday."
    assert row["text"] == "We pay on Friday."
    assert "We pay on" in command("messages", "answers").out
    (work,) = json.loads(command("tasks", "list", "--kind", "reply", "--json").out)
    assert command("tasks", "done", str(work["task_id"]), "answered", "--actor", "maritNL1").status == 0
    assert json.loads(command("messages", "answers", "--json").out) == []
    assert len(json.loads(command("messages", "answers", "--all", "--json").out)) == 1
    other = command("messages", "answer", "K-1002", "--channel", "email", "--to", message_ref, "--actor", "maritNL1")
    assert (other.status, "went to that debtor" in other.err) == (2, True)


def test_pingen_is_told_where_to_call_back_once(
    outbox: House, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = command("messages", "watch")
    assert (answer.status, "MAATPAK_PUBLIC_URL and MAATPAK_PINGEN_HOOK_SECRET" in answer.err) == (2, True)
    monkeypatch.setenv("MAATPAK_PUBLIC_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("MAATPAK_PINGEN_HOOK_SECRET", "for tests only")
    answer = command("messages", "watch")
    assert (answer.status, "print rooms call nobody back" in answer.err) == (2, True)
    monkeypatch.setenv("MAATPAK_PINGEN_URL", "simulator")
    for _ in range(2):
        assert json.loads(command("messages", "watch", "--json").out) == {"url": "http://127.0.0.1:9/hooks/pingen"}
    kept = json.loads((outbox.engine.workspace.sinks / "pingen" / "webhooks.json").read_text())
    categories = [each["attributes"]["event_category"] for each in kept]
    assert len(categories) == len(set(categories)) > 1
    assert {each["attributes"]["url"] for each in kept} == {"http://127.0.0.1:9/hooks/pingen"}


def test_a_mail_that_cannot_be_taken_in_is_told(outbox: House, command: Command) -> None:
    run_sql(outbox, "ALTER TABLE incoming ADD CHECK (kind <> 'answer')")
    writes(outbox, "somebody@elsewhere.example")
    writes(outbox, "away@elsewhere.example", Auto_Submitted="auto-replied")
    answer = command("receive")
    assert (answer.status, "auto_reply" in answer.out) == (5, True)
    assert "1 could not be recorded now" in answer.out
    assert "1 of what came in could not be taken in" in answer.err
    assert "IntegrityError" in answer.err
    assert "elsewhere.example" not in answer.out + answer.err
