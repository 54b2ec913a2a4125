"""Tells programs what happens to cases: each event once a webhook, tried again until it is taken, in any order.

Events are never lost: a webhook remembers how far it has looked along the chain, so what happened while nobody sent is
told afterwards. They may come twice, when an answer is lost; `webhook-id` tells that. They hold ids and codes only.
"""

import base64
import hmac
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlmodel import Session, select

from connectors.webhook import SECRET_PREFIX, Answered, post_event, require_address, signed_headers
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import Role
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.tables import EventHead, Webhook, WebhookDelivery
from tasks.desk import acting_person
from tasks.register import creditor_by_code

if TYPE_CHECKING:
    from tasks.engine import Engine

MAY_CONNECT = (Role.ADMINISTRATOR,)
AT_ONCE = 200
"""Events that are looked at, and told, in one go."""
LEASE = timedelta(minutes=1)
RETRIES = tuple(timedelta(seconds=each) for each in (5, 30, 300, 1800, 7200, 21600, 43200, 86400))
"""How long after each failed try the next one comes; after the last the event is given up, and can be sent again."""

FOUND = """
INSERT INTO webhook_delivery (webhook_id, event_seq, state, tries, next_at, created_at)
SELECT :webhook, e.seq, 'waiting', 0, :now, :now FROM event e
WHERE e.seq > :since AND e.seq <= :until AND e.case_id IS NOT NULL
  AND (CAST(:creditor AS bigint) IS NULL OR e.creditor_id = :creditor)
  AND (CAST(:kinds AS text[]) = '{}' OR e.kind = ANY(:kinds))
ON CONFLICT (webhook_id, event_seq) DO NOTHING
"""
TAKEN = """
UPDATE webhook_delivery d SET next_at = :until, tries = d.tries + 1
FROM webhook w WHERE w.id = d.webhook_id AND d.id IN (
  SELECT c.id FROM webhook_delivery c JOIN webhook o ON o.id = c.webhook_id
  WHERE c.state = 'waiting' AND c.next_at <= :now AND o.active ORDER BY c.next_at, c.id LIMIT :most
  FOR UPDATE OF c SKIP LOCKED)
RETURNING d.id, d.tries, d.webhook_id, d.event_seq
"""
EVENTS = """
SELECT e.seq, e.kind, c.code AS creditor, d.debtor_no, e.case_id, e.action_id, e.business_date, e.recorded_at, e.body,
  e.hash
FROM event e LEFT JOIN creditor c ON c.id = e.creditor_id LEFT JOIN debtor d ON d.id = e.debtor_id
WHERE e.seq = ANY(:seqs)
"""


def add_webhook(
    engine: "Engine", url: str, kinds: Sequence[str], creditor: str | None, actor: str, now: datetime
) -> tuple[Webhook, str]:
    """A webhook that is told of everything from now on, and its secret.

    Raises:
        UsageError: the address or the creditor does not hold.
        RefusedError: the actor is no administrator.
    """
    require_address(url)
    with engine.database.session() as session:
        acting_person(session, actor, "connect a program", *MAY_CONNECT)
        whose = None if creditor is None else creditor_by_code(session, creditor).id
        head = session.exec(select(EventHead)).one().seq
        row = Webhook(
            creditor_id=whose, url=url, kinds=sorted(set(kinds)), looked_to=head, created_by=actor, created_at=now
        )
        session.add(row)
        session.flush()
        append_events(session, [_event("webhook_added", row, actor)], now)
    engine.anchor()
    return row, secret_of(engine, row)


def switch_webhook(engine: "Engine", webhook_id: int, actor: str, now: datetime, *, active: bool) -> Webhook:
    """Stop telling a program, or go on; what happened meanwhile is then told, too."""
    with engine.database.session() as session:
        acting_person(session, actor, "connect a program", *MAY_CONNECT)
        row = session.get(Webhook, webhook_id, with_for_update=True)
        if row is None:
            raise UsageError(f"There is no webhook {webhook_id}.", advice="The page of webhooks lists them.")
        if row.active != active:
            row.active = active
            session.flush()
            append_events(session, [_event("webhook_resumed" if active else "webhook_stopped", row, actor)], now)
    engine.anchor()
    return row


def send_again(engine: "Engine", delivery_id: int, actor: str, now: datetime) -> WebhookDelivery:
    """Tell a program an event again that it has had, or that was given up.

    Raises:
        RefusedError: it still waits for its next try.
    """
    with engine.database.session() as session:
        acting_person(session, actor, "send an event again", *MAY_CONNECT)
        row = session.get(WebhookDelivery, delivery_id, with_for_update=True)
        if row is None:
            raise UsageError(f"There is no delivery {delivery_id}.", advice="The page of the webhook lists them.")
        if row.state == "waiting" and row.tries == 0:
            raise RefusedError("It waits to be sent already.", advice="Look again in a minute.")
        row.state, row.tries, row.next_at, row.ended_at = "waiting", 0, now, None
    return row


def secret_of(engine: "Engine", row: Webhook) -> str:
    """The key that the webhook's receiver verifies signatures with."""
    words = f"webhook {row.id} of {row.created_at.isoformat()}"
    return SECRET_PREFIX + base64.b64encode(hmac.digest(engine.link_key.encode(), words.encode(), "sha256")).decode()


def gather(engine: "Engine", now: datetime) -> int:
    """Note which events the webhooks are to be told of; how many."""
    found = 0
    with engine.database.session() as session:
        head = session.exec(select(EventHead)).one().seq
        query = select(Webhook).where(Webhook.active, Webhook.looked_to < head)
        for row in session.exec(query.with_for_update(skip_locked=True)):
            until = min(head, row.looked_to + 50 * AT_ONCE)
            values: dict[str, Any] = {"webhook": row.id, "since": row.looked_to, "until": until, "now": now}
            values |= {"creditor": row.creditor_id, "kinds": row.kinds}
            found += session.connection().execute(text(FOUND), values).rowcount
            row.looked_to = until
    return found


def send_events(engine: "Engine", now: datetime) -> dict[str, int]:
    """Tell what is due; state → how many. A receiver that fails is asked again later, and holds up no other."""
    with engine.database.session() as session:
        values = {"now": now, "until": now + LEASE, "most": AT_ONCE}
        taken = session.connection().execute(text(TAKEN), values).mappings().all()
        hooks = {row.id: row for row in session.exec(select(Webhook))} if taken else {}
        bodies = _bodies(session, [row["event_seq"] for row in taken])
    counts: dict[str, int] = {}
    silent: set[int] = set()
    for row in sorted(taken, key=lambda each: each["event_seq"]):
        hook = hooks[row["webhook_id"]]
        if row["webhook_id"] in silent:
            answered = Answered(None, "an event before it was not taken")
        else:
            body = bodies[row["event_seq"]]
            event_id = f"evt_{row['event_seq']}"
            answered = post_event(hook.url, body, signed_headers(secret_of(engine, hook), event_id, now, body))
        if not answered.taken:
            silent.add(row["webhook_id"])
        state = _note(engine, row["id"], row["tries"], answered, now)
        counts[state] = counts.get(state, 0) + 1
    return counts


def _bodies(session: Session, seqs: Sequence[int]) -> dict[int, bytes]:
    rows = session.connection().execute(text(EVENTS), {"seqs": list(seqs)}).mappings() if seqs else ()
    return {row["seq"]: json.dumps(_told(row), separators=(",", ":")).encode() for row in rows}


def _told(row: Any) -> dict[str, Any]:
    """An event as programs are told it."""
    day = row["business_date"]
    names = ("creditor", "debtor_no", "case_id", "action_id", "body", "hash")
    data = {name: row[name] for name in names}
    return {
        "type": row["kind"],
        "timestamp": row["recorded_at"].isoformat(),
        "data": {"seq": row["seq"], "business_date": None if day is None else day.isoformat(), **data},
    }


def _note(engine: "Engine", delivery_id: int, tries: int, answered: Answered, now: datetime) -> str:
    with engine.database.session() as session:
        row = session.get_one(WebhookDelivery, delivery_id, with_for_update=True)
        row.status, row.said = answered.status, answered.said[:200]
        if answered.taken:
            row.state, row.ended_at = "delivered", now
        elif tries > len(RETRIES):
            row.state, row.ended_at = "given_up", now
        else:
            row.next_at = now + RETRIES[tries - 1]
        return row.state


def _event(kind: str, row: Webhook, actor: str) -> EventDraft:
    body = {"webhook_id": row.id, "kinds": list(row.kinds)}
    return EventDraft(kind, actor, creditor_id=row.creditor_id, body=body)
