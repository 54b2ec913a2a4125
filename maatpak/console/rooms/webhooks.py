"""Webhooks: programs that are told of what happens to cases, what came of each telling, and telling it again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from maatpak.console.frame.asking import Acting, Asking
from maatpak.console.frame.declared import Act, Choice, Column, Done, Filter, Listing, Room, Shape, Sheet
from maatpak.console.frame.fields import Line, NoFields, named
from maatpak.console.frame.problems import missing
from maatpak.kernel.words import Role
from tasks.audit.words import EVENT_WORDS
from tasks.webhooks import MAY_CONNECT, add_webhook, send_again, switch_webhook

PATH = "/webhooks"
WHO = (Role.ADMINISTRATOR, Role.AUDITOR)
STATES = ("waiting", "delivered", "given_up")
SEEN = "(w.creditor_id IS NULL OR w.creditor_id = ANY(CAST(:creditors AS bigint[])))"
"""Of all creditors, or of one that the visitor may see."""
HOOK = f"""
SELECT w.id AS hook_id, w.url, COALESCE(c.code, 'all') AS creditor, w.kinds, w.active, w.created_by, w.created_at,
  (SELECT count(*) FROM webhook_delivery d WHERE d.webhook_id = w.id AND d.state = 'waiting') AS waiting
FROM webhook w LEFT JOIN creditor c ON c.id = w.creditor_id WHERE w.id = :id AND {SEEN}
"""  # noqa: S608 - our own words
DELIVERIES = """
SELECT d.id AS delivery_id, d.event_seq, e.kind, d.state, d.tries, d.status, d.said, d.created_at, d.next_at
FROM webhook_delivery d JOIN event e ON e.seq = d.event_seq
WHERE d.webhook_id = :id AND e.creditor_id = ANY(:creditors) ORDER BY d.event_seq DESC LIMIT 50
"""
COUNT = """
SELECT count(*) FROM webhook_delivery d JOIN event e ON e.seq = d.event_seq
WHERE d.state = 'given_up' AND e.creditor_id = ANY(:creditors)
"""


@dataclass(frozen=True)
class Delivery:
    """One event for the webhook."""

    delivery_id: int
    event_seq: int
    kind: str
    state: str
    """`waiting`, `delivered` or `given_up`."""
    tries: int
    status: int | None
    """Of the last answer."""
    said: str | None
    created_at: datetime
    next_at: datetime


@dataclass(frozen=True)
class HookSheet:
    """A webhook with its newest deliveries: of events at creditors that the visitor may see."""

    hook_id: int
    url: str
    creditor: str
    """Code, or `all`."""
    kinds: list[str]
    """Empty: all of them."""
    active: bool
    created_by: str
    created_at: datetime
    waiting: int
    deliveries: list[Delivery]


class NewHook(BaseModel):
    """A program to be told."""

    url: Line = Field(title="Address", min_length=1, description="Begins with https://; it is sent POST requests.")
    creditor: Line | None = Field(None, description="Whose cases.")
    kinds: list[Line] = Field(default_factory=list, title="Events", description="None chosen: all that concern a case.")


def _read(asking: Asking, hook_id: int) -> HookSheet:
    found = asking.rows(HOOK, id=hook_id, creditors=list(asking.visitor.creditor_ids))
    if not found:
        raise missing("hook_id", hook_id)
    seen = asking.rows(DELIVERIES, id=hook_id, creditors=list(asking.visitor.creditor_ids))
    return HookSheet(**found[0], deliveries=[Delivery(**row) for row in seen])


def _choices(asking: Asking, **ids: Any) -> dict[str, list[Choice]]:
    del ids
    return {
        "creditor": [Choice(each.code, each.name) for each in asking.visitor.creditors],
        "kinds": named(sorted(EVENT_WORDS)),
    }


def _add(acting: Acting, form: NewHook) -> Done:
    row, secret = add_webhook(acting.engine, form.url, form.kinds, form.creditor, acting.visitor.login, acting.now)
    told = f"The program is told from now on. It verifies our signature with {secret}, which is shown only now."
    return Done(told, f"{PATH}/{row.id}", {"hook_id": row.id, "secret": secret})


def _stop(acting: Acting, form: NoFields, hook_id: int) -> Done:
    del form
    switch_webhook(acting.engine, hook_id, acting.visitor.login, acting.now, active=False)
    return Done("The program is told nothing any more; what happens meanwhile is kept for it.", f"{PATH}/{hook_id}")


def _resume(acting: Acting, form: NoFields, hook_id: int) -> Done:
    del form
    switch_webhook(acting.engine, hook_id, acting.visitor.login, acting.now, active=True)
    return Done("The program is told again, also of what happened meanwhile.", f"{PATH}/{hook_id}")


def _again(acting: Acting, form: NoFields, delivery_id: int) -> Done:
    del form
    row = send_again(acting.engine, delivery_id, acting.visitor.login, acting.now)
    return Done("It is sent again within seconds.", f"{PATH}/{row.webhook_id}")


ADD = Act(
    PATH + "/add",
    "Connect a program",
    "It is told of events by signed POST requests (Standard Webhooks), from now on.",
    NewHook,
    _add,
    MAY_CONNECT,
    choices=_choices,
    secret=True,
)
LIST = Listing(
    path=PATH,
    title="Webhooks",
    help="Programs that are told of what happens to cases; an event that is not taken is sent again for three days.",
    source="webhook w LEFT JOIN creditor c ON c.id = w.creditor_id",
    columns=(
        Column("url", "Address", "w.url", link=PATH + "/{hook_id}"),
        Column("hook_id", "Number", "w.id", Shape.NUMBER, sorts=True),
        Column("creditor", "Creditor", "COALESCE(c.code, 'all')"),
        Column("active", "Told", "w.active", Shape.FLAG),
        Column("created_by", "Connected by", "w.created_by"),
        Column("created_at", "Since", "w.created_at", Shape.INSTANT),
    ),
    key="w.id",
    where=SEEN,
    order="hook_id",
    roles=WHO,
    acts=(ADD,),
    empty="No program is connected.",
)
DELIVERED = Listing(
    path=PATH + "/deliveries",
    title="Deliveries to programs",
    help="What programs were told, and what is still to be told.",
    source="webhook_delivery d JOIN event e ON e.seq = d.event_seq",
    columns=(
        Column("event_seq", "Event", "d.event_seq", Shape.NUMBER),
        Column("delivery_id", "Number", "d.id", Shape.NUMBER, sorts=True, shown=False),
        Column("kind", "What happened", "e.kind", Shape.CODE),
        Column("hook_id", "Webhook", "d.webhook_id", Shape.NUMBER, link=PATH + "/{hook_id}"),
        Column("state", "State", "d.state", Shape.CODE),
        Column("tries", "Tries", "d.tries", Shape.NUMBER),
        Column("status", "Answer", "d.status", Shape.NUMBER),
        Column("said", "Said", "d.said"),
        Column("created_at", "Since", "d.created_at", Shape.INSTANT),
    ),
    key="d.id",
    order="-delivery_id",
    creditor="e.creditor_id",
    filters=(
        Filter("state", "State", "d.state = :value", choices=named(STATES)),
        Filter("hook", "Webhook", "d.webhook_id = :value", Shape.NUMBER),
    ),
    roles=WHO,
)

WEBHOOKS = Room(
    name="webhooks",
    title="Webhooks",
    path=PATH,
    listings=(LIST, DELIVERED),
    sheets=(
        Sheet(
            PATH + "/{hook_id}",
            "Webhook",
            "A program that is told, and its newest events.",
            HookSheet,
            _read,
            "webhook.html",
            WHO,
        ),
    ),
    acts=(
        ADD,
        Act(
            PATH + "/{hook_id}/stop", "Stop telling it", "What happens meanwhile is kept.", NoFields, _stop, MAY_CONNECT
        ),
        Act(
            PATH + "/{hook_id}/resume",
            "Tell it again",
            "Also of what happened meanwhile.",
            NoFields,
            _resume,
            MAY_CONNECT,
        ),
        Act(
            PATH + "/deliveries/{delivery_id}/again",
            "Send again",
            "The same event with the same number.",
            NoFields,
            _again,
            MAY_CONNECT,
        ),
    ),
    waiting=COUNT,
)
