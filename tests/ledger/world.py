"""A small world in the database: one creditor, one customer, one case with a round, an action and a message."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlmodel import Session, SQLModel

from maatpak.ledger.tables import (
    Action,
    Case,
    ContactSlot,
    Creditor,
    Debtor,
    DebtorProfile,
    Item,
    ItemVersion,
    Message,
    MessageAction,
    Party,
    PolicyPack,
    Round,
    RoundCourse,
    Tick,
    Touch,
)

NOW = datetime(2024, 3, 1, 6, tzinfo=UTC)
DAY = date(2024, 3, 1)


@dataclass(frozen=True)
class World:
    """The ids of its rows."""

    creditor: int
    party: int
    debtor: int
    case: int
    round: int
    pack: int
    action: int
    message: int
    item: int


def add(session: Session, row: SQLModel) -> Any:
    session.add(row)
    session.flush()
    return row.id  # type: ignore[attr-defined]


def small_world(session: Session, number: int = 1, message_content: str = "c") -> World:
    """The world of one creditor; another number makes another one beside it, for the same party."""
    creditor = add(
        session,
        Creditor(
            code=f"C{number}",
            name=f"Creditor {number}",
            country="NL",
            language="nl",
            currency="EUR",
            time_zone="Europe/Amsterdam",
            business_date=DAY,
            recorded_at=NOW,
        ),
    )
    party = 1 if number > 1 else add(session, Party(party_ref="p", shard_key=1, recorded_at=NOW))
    debtor = add(session, Debtor(creditor_id=creditor, party_id=party, debtor_no="D1", recorded_at=NOW))
    add(
        session,
        DebtorProfile(
            debtor_id=debtor,
            creditor_id=creditor,
            name="=Ålpha & Co",
            kind="business",
            country="NL",
            language="nl",
            valid_from=DAY,
            recorded_at=NOW,
        ),
    )
    item = _item(session, creditor, debtor)
    case = add(
        session,
        Case(creditor_id=creditor, debtor_id=debtor, party_id=party, currency="EUR", shard_key=1, recorded_at=NOW),
    )
    pack = add(
        session,
        PolicyPack(
            name=f"p{number}",
            version=1,
            content_hash=f"h{number}",
            files={},
            note="",
            published_by="a",
            recorded_at=NOW,
        ),
    )
    round_ = add(session, Round(case_id=case, number=1, opened_on=DAY, opened_at=NOW))
    add(
        session,
        RoundCourse(
            round_id=round_,
            segment="prompt",
            pack_id=pack,
            cause="opened",
            actor="engine",
            valid_from=DAY,
            recorded_at=NOW,
        ),
    )
    action = add(session, reminder(creditor, case, round_, pack))
    message = add(
        session,
        Message(
            creditor_id=creditor,
            debtor_id=debtor,
            case_id=case,
            channel="email",
            recipient="a@b.example",
            language="nl",
            template="reminder",
            content_key=f"k{number}",
            message_ref=f"r{number}",
            content=message_content,
            business_date=DAY,
            queued_at=NOW,
        ),
    )
    session.add(MessageAction(message_id=message, action_id=action))
    session.add(ContactSlot(party_id=party, day=DAY, slot=number, action_id=action, recorded_at=NOW))
    add(
        session,
        Touch(
            creditor_id=creditor,
            party_id=party,
            case_id=case,
            kind="reminder",
            rating=0,
            touched_on=DAY,
            recorded_at=NOW,
        ),
    )
    return World(creditor, party, debtor, case, round_, pack, action, message, item)


def pass_over(creditor: int, evidence: str, **changes: Any) -> Tick:
    """One pass over a creditor's only shard, the same frame standing for all of its frames."""
    values: dict[str, Any] = dict.fromkeys((name for name in Tick.model_fields if name.endswith("_evidence")), evidence)
    values |= {"shard": 0, "shards": 1, "business_date": DAY, "case_count": 1, "action_count": 0}
    return Tick(
        creditor_id=creditor,
        known_at=NOW,
        engine_version="0",
        packs={},
        snapshots={},
        recorded_at=NOW,
        **{**values, **changes},
    )


def reminder(creditor: int, case: int, round_: int, pack: int, **changes: Any) -> Action:
    """A proposed reminder, or what the changes make of it."""
    values: dict[str, Any] = {
        "stage": "remind",
        "step": "reminder",
        "kind": "message",
        "segment": "prompt",
        "state": "proposed",
        "written": True,
        "amount": 100,
        "due_on": DAY,
        "business_date": DAY,
        "proposed_at": NOW,
    }
    return Action(creditor_id=creditor, case_id=case, round_id=round_, pack_id=pack, **{**values, **changes})


def _item(session: Session, creditor: int, debtor: int) -> int:
    identity: dict[str, Any] = {
        "creditor_id": creditor,
        "debtor_id": debtor,
        "item_type": "invoice",
        "document_no": "INV-1",
        "issued_on": date(2024, 1, 15),
        "currency": "EUR",
    }
    item = int(add(session, Item(**identity, recorded_at=NOW)))
    version = ItemVersion(
        item_id=item,
        **identity,
        due_on=date(2024, 2, 14),
        amount=12_500,
        open_amount=12_500,
        valid_from=DAY,
        recorded_at=NOW,
    )
    add(session, version)
    return item
