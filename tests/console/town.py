"""A town of two creditors: a console whose visitors see one of them, and a thing of each kind for every path."""

import re
from typing import Any

from sqlmodel import Session, SQLModel, func, select

from maatpak.console.frame.asking import OWNERS
from maatpak.kernel.words import Role, WorkKind
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.tables import (
    Action,
    ClaimedPayment,
    Dispute,
    EventHead,
    Hold,
    Item,
    Message,
    Placement,
    Plan,
    Promise,
    QuarantinedRow,
    Snapshot,
    Webhook,
    WebhookDelivery,
    WorkTask,
)
from tasks.access.sight import give_sight
from tests.console.conftest import At
from tests.console.house import Console
from tests.tasks.outbox_world import DAY, NOW, House

FREE = {
    "login": "anna",
    "name": "overdue",
    "change_id": "1",
    "token_id": "1",
    "draft_id": "1",
    "hook_id": "1",
    "delivery_id": "1",
    "seq": "1",
}
FREE |= {"ticket_no": "T1", "number": "1", "incoming_id": "1", "run_id": "1", "deployment_id": "1"}
FREE |= {"segment": "forgetful", "pack_id": "1"}
"""Names in paths that are of no creditor."""
REJECTED = "SELECT min(seq) AS id FROM event WHERE kind = 'ledger_rejected'"
Town = tuple[Console, dict[str, Any], dict[str, Any], dict[Role, str]]
"""The console, things of the creditor that is seen and of the other, and a login a role."""


def examples(console: Console, creditor_id: int) -> dict[str, Any]:
    """A thing of the creditor for each name that paths have."""
    found: dict[str, Any] = {}
    for name, query in OWNERS.items():
        table = re.search(r"FROM (\S+)", query)
        assert table
        if name.endswith("_no"):
            rows = console.rows(
                f"SELECT min(made.{name}) AS id FROM {table[1]} made WHERE ({query.replace(':id', f'made.{name}')})"
                " = :creditor",
                creditor=creditor_id,
            )
        elif name == "rejection_id":
            rows = console.rows(f"{REJECTED} AND creditor_id = :creditor", creditor=creditor_id)
        elif name == "creditor":
            rows = console.rows("SELECT code AS id FROM creditor WHERE id = :creditor", creditor=creditor_id)
        elif name == "task_id":
            calls = "SELECT max(id) AS id FROM work_task WHERE creditor_id = :creditor AND kind = 'call'"
            rows = console.rows(calls, creditor=creditor_id)
        else:
            rows = console.rows(
                f"SELECT min(id) AS id FROM {table[1]} WHERE creditor_id = :creditor", creditor=creditor_id
            )
        assert rows[0]["id"] is not None, f"no {name} of creditor {creditor_id}"
        found[name] = rows[0]["id"]
    return {**FREE, **found}


def furnish(session: Session, creditor_id: int, debtor_id: int, case_id: int) -> None:
    """Things that a stage may lack."""
    common: dict[str, Any] = {"creditor_id": creditor_id, "debtor_id": debtor_id, "case_id": case_id}
    snapshot = Snapshot(
        creditor_id=creditor_id,
        source="s",
        kind="full",
        as_of=DAY,
        tables=["items"],
        content_hash=f"h{creditor_id}",
        evidence="[]",
        row_count=1,
        quarantined_count=1,
        warning_count=0,
        balances={},
        actor="engine",
        recorded_at=NOW,
    )
    session.add(snapshot)
    session.flush()
    session.add_all(records(session, creditor_id, debtor_id, case_id))
    refused = {"source": "s", "kind": "full", "breaches": 1, "rules": {}, "evidence": [], "report": "-"}
    draft = EventDraft("ledger_rejected", "engine", business_date=DAY, creditor_id=creditor_id, body=refused)
    append_events(session, [draft], NOW)
    hook = Webhook(url="https://everything.example", kinds=[], looked_to=0, created_by="ada", created_at=NOW)
    session.add(hook)
    session.flush()
    newest = session.exec(select(EventHead)).one().seq
    told = WebhookDelivery(webhook_id=int(hook.id or 0), event_seq=newest, next_at=NOW, created_at=NOW)
    session.add_all(
        [
            told,
            WorkTask(
                **common,
                kind=WorkKind.CALL,
                subject="Ring",
                role=Role.COLLECTOR,
                opened_on=DAY,
                due_on=DAY,
                recorded_at=NOW,
            ),
            QuarantinedRow(
                snapshot_id=int(snapshot.id or 0),
                creditor_id=creditor_id,
                debtor_no="C1",
                file="f.csv",
                row_no=1,
                table_name="items",
                raw={"document_no": "X"},
                rules="amount",
                business_date=DAY,
                recorded_at=NOW,
            ),
            Message(
                **common,
                channel="email",
                recipient="a@b.example",
                language="en",
                template="reminder",
                content_key=f"k{creditor_id}",
                message_ref=f"m{creditor_id}@x",
                content="mail/aa/aa.json",
                business_date=DAY,
                queued_at=NOW,
            ),
        ]
    )


def records(session: Session, creditor_id: int, debtor_id: int, case_id: int) -> list[SQLModel]:
    """One of each that has a number of its own."""
    item_id = session.exec(select(func.min(Item.id)).where(Item.debtor_id == debtor_id)).one()
    action_id = int(session.exec(select(func.min(Action.id)).where(Action.case_id == case_id)).one() or 0)
    kept: dict[str, Any] = {"actor": "anna", "valid_from": DAY, "recorded_at": NOW}
    of_case: dict[str, Any] = {**kept, "case_id": case_id, "amount": 1}
    said: dict[str, Any] = {"reason": "price", "owner": "anna", "source": "call", "item_id": item_id}
    instalments = {"instalments": [{"due_on": "2026-05-01", "amount": 1}], "items": {str(item_id): 1}, "total": 1}
    plan: dict[str, Any] = {**kept, **instalments, "case_id": case_id, "state": "offered", "source": "call"}
    placed: dict[str, Any] = {"agency": "agency", "state": "placed", "items": {}, "dossier": "d", "cause": "handoff"}
    mark = f"{creditor_id}"
    return [
        Promise(**of_case, promise_no=f"PX{mark}", made_on=DAY, promised_on=DAY, source="call"),
        Dispute(**of_case, **said, dispute_no=f"DX{mark}", opened_on=DAY, answer_by=DAY),
        ClaimedPayment(**of_case, claim_no=f"CX{mark}", claimed_on=DAY, until_on=DAY),
        Plan(**plan, plan_no=f"LX{mark}", offered_on=DAY, valid_until=DAY),
        Placement(**of_case, **placed, placement_no=f"GX{mark}", creditor_id=creditor_id, action_id=action_id),
        Hold(
            **kept,
            hold_no=f"HX{mark}",
            scope="debtor",
            debtor_id=debtor_id,
            reason="data",
            source="person",
            from_on=DAY,
            until_on=DAY,
            note="",
        ),
    ]


def built(at: At) -> Town:
    """A console whose visitors see one of its two creditors; things of theirs and of the other, and a login a role."""
    return settled(at("placing"))


def settled(console: Console) -> Town:
    """The town of a console.

    Its own creditor is the one that has cases; whoever works there sees that one only.
    """
    own = console.rows("SELECT min(id) AS id FROM creditor")[0]["id"]
    other = House(console.engine, code="NL2")
    account = other.customer()
    case = console.rows('SELECT id, debtor_id FROM "case" WHERE creditor_id = :own ORDER BY id LIMIT 1', own=own)[0]
    logins = console.logins()
    with console.engine.database.session() as session:
        furnish(session, own, case["debtor_id"], case["id"])
        furnish(session, other.creditor_id, account.debtor_id, account.case_id)
        people = {row["login"]: row["id"] for row in console.rows("SELECT id, login FROM person")}
        for login in logins.values():
            give_sight(session, people[login], [own])
    return console, examples(console, own), examples(console, other.creditor_id), logins
