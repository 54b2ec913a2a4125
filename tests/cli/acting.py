"""Days that are run and work that is under way, for the commands that people act by."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlmodel import select

from maatpak.kernel.clock import FixedClock
from maatpak.ledger.tables import Action, ActionItem, Round, WorkTask
from tasks.content import hashes_of
from tests.tasks.act.house import House, at

MONDAY = date(2026, 3, 2)
TUESDAY = MONDAY + timedelta(days=1)


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    status: int
    out: str
    err: str


Command = Callable[..., Answer]


def told(command: Command, *arguments: str) -> Any:
    """What a command prints as JSON."""
    answer = command(*arguments, "--json")
    assert answer.status == 0, answer
    return json.loads(answer.out)


def run_on(house: House, command: Command, clock: FixedClock, day: date) -> dict[str, Any]:
    """The business day of a date, by the command."""
    clock.at = at(day, 10)
    if day != house.day:
        house.snapshot(day)
        house.day = day
    (row,) = told(command, "run", "--as-of", day.isoformat())
    return dict(row)


def open_call(house: House, due_on: date = MONDAY) -> int:
    """A call under way in the round that is open; its task."""
    return _work(house, "call", "call", due_on)


def open_consult(house: House) -> int:
    """A question to the account manager; its task."""
    return _work(house, "consult", "consult", MONDAY)


def propose_demand(house: House) -> int:
    """A final demand of both items that waits for a yes; its id."""
    how = {"template": "final_demand", "channel": "post_and_email", "written": True, "approvals_needed": 1}
    return _propose(house, "demand", "final_demand", "message", how)


def propose_placement(house: House) -> int:
    """A placement of both items that waits for two yeses; its id."""
    return _propose(house, "handoff", "handoff", "handoff", {"approvals_needed": 2})


def _propose(house: House, stage: str, step: str, kind: str, how: dict[str, Any]) -> int:
    with house.engine.database.session() as session:
        action = action_of(house, session.exec(select(Round)).one(), step, kind, "awaiting_approval")
        for name, value in {"stage": stage, "escalating": True, "approval_role": "credit_manager", **how}.items():
            setattr(action, name, value)
        session.add(action)
        session.flush()
        action_id = int(action.id or 0)
        for number, amount in (("F1", 100_000), ("F2", 50_000)):
            session.add(ActionItem(action_id=action_id, item_id=house.items[number], amount=amount))
    with house.engine.database.frames(read_only=True) as frames:
        hashes = hashes_of(house.engine, frames, [action_id], house.day, at(house.day, 11))
    with house.engine.database.session() as session:
        session.get_one(Action, action_id).content_hash = hashes[action_id]
    return action_id


def _work(house: House, step: str, kind: str, due_on: date) -> int:
    role = {"call": "collector", "consult": "account_manager"}[kind]
    with house.engine.database.session() as session:
        round_ = session.exec(select(Round)).one()
        action = action_of(house, round_, step, kind, "in_progress")
        session.add(action)
        session.flush()
        task = WorkTask(
            creditor_id=house.creditor_id,
            debtor_id=1,
            case_id=round_.case_id,
            action_id=action.id,
            kind=kind,
            subject=step,
            role=role,
            assignee="anna" if kind == "consult" else None,
            opened_on=MONDAY,
            due_on=due_on,
            recorded_at=at(MONDAY, 9),
        )
        session.add(task)
        session.flush()
        return int(task.id or 0)


def action_of(house: House, round_: Round, step: str, kind: str, state: str) -> Action:
    """An action of the round that is open, proposed today; not stored yet."""
    return Action(
        creditor_id=house.creditor_id,
        case_id=round_.case_id,
        round_id=round_.id,
        stage="listen",
        step=step,
        kind=kind,
        segment="prompt",
        pack_id=house.pack_id,
        state=state,
        amount=150_000,
        overdue_amount=150_000,
        due_on=house.day,
        business_date=house.day,
        proposed_at=at(house.day, 9),
        started_on=house.day if state == "in_progress" else None,
        started_at=at(house.day, 9) if state == "in_progress" else None,
    )
