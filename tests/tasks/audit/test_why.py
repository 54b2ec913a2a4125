"""Why a customer got a letter, on one page: each part as it was stored, none of it guessed, in few queries."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event as happens

from maatpak.kernel.errors import UsageError
from maatpak.ledger.anchors import Anchors
from maatpak.ledger.tables import Message, Tick
from tasks.audit.why import Why, why_message
from tests.tasks.act.house import House


def why(placed: House, template: str, channel: str = "email") -> Why:
    message = placed.row(Message, template=template, channel=channel)
    return why_message(placed.engine, [placed.creditor_id], message.id)


@contextmanager
def counted(placed: House) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    happens.listen(placed.engine.database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        happens.remove(placed.engine.database.engine, "before_cursor_execute", note)


def test_a_demand_from_the_rule_to_the_proof_of_delivery(placed: House) -> None:
    with counted(placed) as sent:
        found = why(placed, "final_demand", "post")
    assert len(sent) - 1 <= 15, sent
    letter, customer = found.letter, found.customer
    assert (customer.creditor, customer.debtor_no, customer.name) == ("ACME", "C1", "C1 B.V.")
    assert (letter.way, letter.state, letter.problem) == ("by post", "sent", None)
    assert letter.said is not None
    assert letter.said.message_ref == letter.message_ref
    (step,) = found.steps
    assert (step.step, step.segment, step.pack, step.pack_version) == ("final_demand", "forgetful", "standard", 1)
    assert step.decided is not None
    decided = step.decided
    tick = next(each for each in placed.rows(Tick) if each.id == step.tick_id)
    assert (decided.known_at, decided.facts_evidence) == (tick.known_at, tick.facts_evidence)
    assert decided.explanation is not None
    assert decided.explanation.policy_hash == step.pack_hash
    assert decided.explanation.decision["step"] == "final_demand"
    chosen = [each.name for each in decided.explanation.segments if each.chosen]
    assert chosen == ["forgetful"]
    assert all(each.values for each in decided.explanation.segments if each.rule != "TRUE")
    assert decided.stored is not None
    assert decided.stored["step"] == "final_demand"
    (verdict,) = found.approvals
    assert (verdict.actor_name, verdict.role, verdict.verdict, verdict.same) == (
        "Mo",
        "credit_manager",
        "approved",
        True,
    )
    items = [(each.document_no, each.asked, each.open_now, each.settled_by) for each in found.items]
    assert items == [("F1", 100_000, 0, "payment"), ("F2", 50_000, 50_000, None)]
    assert [(each.template, each.channel) for each in found.earlier] == [
        ("second_notice", "post"),
        ("reminder", "email"),
    ]
    assert found.earlier[0].evidence == ("accepted",)
    assert [each.kind for each in found.evidence] == ["accepted"]
    kinds = [each.kind for each in found.events]
    for kind in ("policy_published", "tick_decided", "approval_given", "step_executed", "messages_delivered"):
        assert kind in kinds
    assert kinds.count("step_executed") == kinds.count("tick_decided") == kinds.count("messages_delivered") == 1
    assert found.anchored
    assert found.wrongful


def test_answers_evidence_and_what_was_wrong(placed: House, tmp_path: Path) -> None:
    found = why(placed, "reminder")
    assert [(each.answer_no, each.to_this, each.read_by) for each in found.answers] == [("A1", True, "colin")]
    assert {each.kind for each in found.evidence} == {"accepted", "answered"}
    assert not found.wrongful
    assert why(placed, "second_notice", "post").wrongful
    assert {"evidence_noted", "answer_received"} <= {each.kind for each in found.events}
    unanchored = replace(found, anchored_seq=found.events[-1].seq - 1)
    assert not unanchored.anchored
    assert Anchors(tmp_path).last() is None
    with pytest.raises(UsageError, match="no message"):
        why_message(placed.engine, [placed.creditor_id + 1], found.letter.message_id)


def test_what_can_not_be_read_any_more_is_said(placed: House) -> None:
    found = why(placed, "reminder")
    (step,) = found.steps
    assert step.decided is not None
    store = placed.engine.store
    lost = [path for key in (found.letter.content, step.decided.facts_evidence) if (path := store.path(key))]
    aside = [path.rename(path.with_suffix(".aside")) for path in lost]
    try:
        found = why(placed, "reminder")
    finally:
        for path, original in zip(aside, lost, strict=True):
            path.rename(original)
    assert (found.letter.said, found.letter.problem) == (None, "is missing")
    (step,) = found.steps
    assert step.decided is not None
    assert step.decided.explanation is None
    assert "is missing" in str(step.decided.problem)
