"""Tells programs what happens to cases: each event once a webhook, tried again until it is taken, in any order.

Events are never lost: a webhook remembers how far it has looked along the chain, so what happened while nobody sent is
told afterwards. They may come twice, when an answer is lost; `webhook-id` tells that. They hold ids and codes only.
"""

import base64
import hmac
import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlmodel import Session, select

from connectors.webhook import PATIENCE, SECRET_PREFIX, Answered, post_event, require_address, signed_headers
from maatpak.kernel.clock import stopwatch
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import Role
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.tables import Creditor, EventHead, Webhook, WebhookDelivery
from tasks.access.sight import require_all_sight, require_sight
from tasks.desk import acting_person
from tasks.register import creditor_by_code

if TYPE_CHECKING:
    from tasks.engine import Engine

MAY_CONNECT = (Role.ADMINISTRATOR,)
AT_ONCE = 200
"""Events that one webhook is told in one go."""
LEASE = timedelta(minutes=1)
"""So long nobody else tells what somebody has taken to tell; what is left of it by then waits for the next go."""
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
DUE = """
SELECT w.id FROM webhook w WHERE w.active AND EXISTS (
  SELECT FROM webhook_delivery d WHERE d.webhook_id = w.id AND d.state = 'waiting' AND d.next_at <= :now)
ORDER BY w.id
"""
TAKEN = """
UPDATE webhook_delivery SET next_at = :until WHERE id IN (
  SELECT c.id FROM webhook_delivery c
  WHERE c.webhook_id = :webhook AND c.state = 'waiting' AND c.next_at <= :now ORDER BY c.next_at, c.id LIMIT :most
  FOR UPDATE SKIP LOCKED)
RETURNING id, event_seq
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
        RefusedError: the actor is no administrator, or does not see whose cases it is told of.
    """
    require_address(url)
    with engine.database.session() as session:
        acting_person(session, actor, "connect a program", *MAY_CONNECT)
        whose = None if creditor is None else creditor_by_code(session, creditor).id
        _require_sight(session, actor, whose)
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
        _require_sight(session, actor, row.creditor_id)
        if row.active != active:
            row.active = active
            session.flush()
            append_events(session, [_event("webhook_resumed" if active else "webhook_stopped", row, actor)], now)
    engine.anchor()
    return row


def send_again(engine: "Engine", delivery_id: int, actor: str, now: datetime) -> WebhookDelivery:
    """Tell a program an event again that it has had, or that was given up.

    Raises:
        RefusedError: it waits for its first try.
    """
    with engine.database.session() as session:
        acting_person(session, actor, "send an event again", *MAY_CONNECT)
        row = session.get(WebhookDelivery, delivery_id, with_for_update=True)
        if row is None:
            raise UsageError(f"There is no delivery {delivery_id}.", advice="The page of the webhook lists them.")
        hook = session.get_one(Webhook, row.webhook_id)
        _require_sight(session, actor, hook.creditor_id)
        if row.state == "waiting" and row.tries == 0:
            raise RefusedError("It waits to be sent already.", advice="Look again in a minute.")
        row.state, row.tries, row.next_at, row.ended_at = "waiting", 0, now, None
        session.flush()
        append_events(session, [_event("webhook_sent_again", hook, actor, event_seq=row.event_seq)], now)
    engine.anchor()
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


def those_due(engine: "Engine", now: datetime) -> list[int]:
    """The webhooks that something is to be told."""
    with engine.database.reading() as session:
        return list(session.connection().execute(text(DUE), {"now": now}).scalars())


def send_events(engine: "Engine", webhook_id: int, now: datetime) -> Counter[str]:
    """Tell one program what is due; state → how many.

    One that does not answer at all is asked no further: the rest waits until its lease ends.
    """
    elapsed = stopwatch()
    with engine.database.session() as session:
        hook = session.get_one(Webhook, webhook_id)
        values = {"webhook": webhook_id, "now": now, "until": now + LEASE, "most": AT_ONCE}
        taken = session.connection().execute(text(TAKEN), values).mappings().all()
        bodies = _bodies(session, [row["event_seq"] for row in taken])
    counts: Counter[str] = Counter()
    for row in sorted(taken, key=lambda each: each["event_seq"]):
        if elapsed() > LEASE - timedelta(seconds=PATIENCE):
            break
        seq = row["event_seq"]
        headers = signed_headers(secret_of(engine, hook), f"evt_{seq}", now + elapsed(), bodies[seq])
        answered = post_event(hook.url, bodies[seq], headers)
        counts[_note(engine, row["id"], answered, now)] += 1
        if answered.status is None:
            break
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


def _note(engine: "Engine", delivery_id: int, answered: Answered, now: datetime) -> str:
    with engine.database.session() as session:
        row = session.get_one(WebhookDelivery, delivery_id, with_for_update=True)
        row.tries += 1
        row.status, row.said = answered.status, answered.said[:200]
        if answered.taken:
            row.state, row.ended_at = "delivered", now
        elif row.tries > len(RETRIES):
            row.state, row.ended_at = "given_up", now
        else:
            row.next_at = now + RETRIES[row.tries - 1]
        return row.state


def _require_sight(session: Session, actor: str, creditor_id: int | None) -> None:
    """Who connects a program sees whose cases it is told of: those of a creditor, or everybody's."""
    if creditor_id is None:
        require_all_sight(session, actor)
    else:
        require_sight(session, actor, session.get_one(Creditor, creditor_id).code)


def _event(kind: str, row: Webhook, actor: str, **more: Any) -> EventDraft:
    body = {"webhook_id": row.id, "kinds": list(row.kinds), **more}
    return EventDraft(kind, actor, creditor_id=row.creditor_id, body=body)
