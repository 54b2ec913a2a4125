"""What the tests of messages share: writing them, and what was said and sent before."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from connectors.message import Outgoing
from maatpak.kernel.words import Channel, ReachState
from maatpak.ledger.tables import (
    Action,
    ActionItem,
    AddressState,
    Evidence,
    Message,
    MessageAction,
    Payment,
    Plan,
)
from tasks.compose import Composed
from tests.tasks.outbox_world import DAY, EARLIER, NOW, Account, House, add


def letters(house: House, composed: Composed) -> list[Outgoing]:
    return [Outgoing.from_json(house.engine.store.get(key)) for key in composed.messages["content"].to_list()]


def written(house: House, now: datetime = NOW) -> list[Outgoing]:
    return letters(house, house.written(now))


def put(house: House, *rows: Any) -> None:
    with house.engine.database.session() as session:
        for row in rows:
            add(session, row)


def versioned(**values: Any) -> dict[str, Any]:
    return {"valid_from": DAY - timedelta(days=60), "recorded_at": EARLIER, **values}


def state(account: Account, channel: str, address: str, word: ReachState) -> AddressState:
    known = versioned(debtor_id=account.debtor_id, channel=channel, address=address, state=word)
    return AddressState(**known, cause="test", actor="engine")


def consulted(house: House, account: Account, result: str) -> int:
    """A consultation of the round that ended so; its action's id."""
    consult: dict[str, Any] = {"stage": "solve", "step": "consult", "kind": "consult", "segment": "forgetful"}
    with house.engine.database.session() as session:
        return add(
            session,
            Action(
                **consult,
                creditor_id=house.creditor_id,
                case_id=account.case_id,
                round_id=account.round_id,
                pack_id=house.pack_id,
                state="executed",
                executed_on=DAY,
                ended_at=EARLIER,
                result=result,
                amount=1,
                due_on=DAY,
                business_date=DAY,
                proposed_at=EARLIER,
            ),
        )


def thanked(house: House, account: Account) -> int:
    """An earlier thank-you for part of the account's items; its action's id."""
    return _done_before(house, account, account.item_ids, step="part_thanks", template="thanks_part_payment")


def reminded(house: House, account: Account, item_ids: Sequence[int]) -> int:
    """An earlier reminder of some of the account's items; its action's id."""
    return _done_before(house, account, item_ids, step="reminder", template="reminder", written=True)


def _done_before(house: House, account: Account, item_ids: Sequence[int], **what: Any) -> int:
    step: dict[str, Any] = {"stage": "remind", "kind": "message", "segment": "forgetful", "written": False, **what}
    with house.engine.database.session() as session:
        action = Action(
            **step,
            creditor_id=house.creditor_id,
            case_id=account.case_id,
            round_id=account.round_id,
            pack_id=house.pack_id,
            state="executed",
            executed_on=DAY - timedelta(days=9),
            ended_at=EARLIER,
            amount=1,
            due_on=DAY,
            business_date=DAY,
            proposed_at=EARLIER,
        )
        action_id = add(session, action)
        for item_id in item_ids:
            add(session, ActionItem(action_id=action_id, item_id=item_id, amount=1))
    return action_id


def sent_before(
    house: House, account: Account, days_ago: int, channel: Channel, *kinds: str, action_id: int | None = None
) -> None:
    """A message of the same items that went out so many days ago, and what was observed of it; of another action, or
    of the step's own."""
    with house.engine.database.session() as session:
        sent_on = DAY - timedelta(days=days_ago)
        message = Message(
            creditor_id=house.creditor_id,
            debtor_id=account.debtor_id,
            case_id=account.case_id,
            channel=channel,
            recipient="somewhere",
            language="nl",
            template="reminder",
            content_key=f"k{account.case_id}-{days_ago}",
            message_ref=f"before-{account.case_id}-{days_ago}@zuidermeer.example",
            content="c",
            state="sent",
            business_date=sent_on,
            queued_at=EARLIER,
            sent_on=sent_on,
            sent_at=EARLIER,
            ended_at=EARLIER,
        )
        message_id = add(session, message)
        add(session, MessageAction(message_id=message_id, action_id=action_id or account.action_id))
        for kind in ("accepted", *kinds):
            add(
                session,
                Evidence(message_id=message_id, kind=kind, source="t", observed_on=sent_on, recorded_at=EARLIER),
            )


def paid(house: House, account: Account, on: date) -> None:
    ids: dict[str, Any] = {"creditor_id": house.creditor_id, "debtor_id": account.debtor_id, "payment_no": "X"}
    money: dict[str, Any] = {
        "paid_on": on,
        "currency": "EUR",
        "amount": 5000,
        "applied": 0,
        "valid_from": on,
        "recorded_at": EARLIER,
    }
    put(house, Payment(**ids, **money))


def planned(account: Account, word: str) -> Plan:
    """A plan of two instalments for all that the account was asked, offered or active."""
    parts = [{"due_on": "2026-03-25", "amount": 57684}, {"due_on": "2026-04-24", "amount": 115366}]
    known = versioned(case_id=account.case_id, source="t", actor="t", offered_on=DAY, valid_until=DAY)
    return Plan(**known, plan_no="P-1", total=173050, items={}, instalments=parts, state=word)
