import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from connectors.faults import Fault, plan_faults
from maatpak.kernel.clock import FixedClock
from tasks.engine import Engine
from tests.cli.conftest import Command
from tests.tasks.outbox_world import NOW, House


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
    assert "could not be handed over (email: no connection" in answer.err
    plan_faults(outbox.engine.workspace.sinks / "mail", [])
    clock.at = NOW + timedelta(minutes=10)
    assert command("deliver").status == 0
    assert len(json.loads(command("messages", "list", "--state", "sent", "--json").out)) == 23
