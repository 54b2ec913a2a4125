"""Whoever is logged in, with a browser or a token: read afresh for every request, in one query.

A role that was changed, a person who left and a creditor that was taken away count with the next request.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from maatpak.kernel.ids import bytes_hash, signature
from maatpak.kernel.words import Role

SEEN_EVERY = timedelta(minutes=1)
"""That a session is used is written down at most so often."""
TOKEN_PREFIX = "mpk_"  # noqa: S105 - what tokens begin with, so that one is known for one wherever it lies about

SEEN_CREDITORS = """
    SELECT COALESCE(jsonb_agg(jsonb_build_object(
        'id', c.id, 'code', c.code, 'name', c.name, 'currency', c.currency, 'business_date', c.business_date,
        'country', c.country, 'language', c.language, 'time_zone', c.time_zone) ORDER BY c.code), '[]')
    FROM creditor c
    WHERE EXISTS (SELECT FROM person_creditor s WHERE s.person_id = p.id AND s.creditor_id = c.id)
       OR NOT EXISTS (SELECT FROM person_creditor s WHERE s.person_id = p.id)
"""
BY_SESSION = f"""
SELECT p.id, p.login, p.name, p.role, p.approval_limit, p.limit_currency, TRUE AS writes,
       COALESCE(k.must_change, FALSE) AS must_change, v.token_hash, ({SEEN_CREDITORS}) AS creditors,
       v.id AS kept_id, v.seen_at
FROM console_session v JOIN person p ON p.id = v.person_id LEFT JOIN credential k ON k.person_id = p.id
WHERE v.token_hash = :hash AND p.active AND v.ended_at IS NULL AND v.expires_at > :now AND v.seen_at > :idle_since
"""  # noqa: S608 - texts of ours
BY_TOKEN = f"""
SELECT p.id, p.login, p.name, p.role, p.approval_limit, p.limit_currency, t.scope = 'write' AS writes,
       FALSE AS must_change, t.token_hash, ({SEEN_CREDITORS}) AS creditors, t.id AS kept_id, t.last_used_on
FROM api_token t JOIN person p ON p.id = t.person_id
WHERE t.token_hash = :hash AND p.active AND t.revoked_at IS NULL AND t.expires_at > :now
"""  # noqa: S608 - texts of ours
# Requests of one visitor run beside each other: none waits for another to say the same.
NOTE_SEEN = """
UPDATE console_session SET seen_at = :now
WHERE id IN (SELECT id FROM console_session WHERE id = :id AND seen_at < :now FOR UPDATE SKIP LOCKED)
"""
NOTE_USED = """
UPDATE api_token SET last_used_on = :on WHERE id IN (SELECT id FROM api_token WHERE id = :id FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True)
class SeenCreditor:
    """A creditor that a visitor may see."""

    id: int
    code: str
    name: str
    currency: str
    business_date: date | None
    country: str
    language: str
    time_zone: str


@dataclass(frozen=True)
class Visitor:
    """A person who is logged in, as of now."""

    person_id: int
    login: str
    name: str
    role: Role
    approval_limit: int
    """Minor units of `limit_currency`."""
    limit_currency: str
    creditors: tuple[SeenCreditor, ...]
    """Those that they may see, by code."""
    may_write: bool
    """Whether anything may be changed at all: with a token for reading, nothing."""
    must_change_password: bool
    """Nothing else is to be done before."""
    key: str
    """Names the session or token, and is no secret that opens it."""

    @property
    def creditor_ids(self) -> tuple[int, ...]:
        """What reading functions are scoped by."""
        return tuple(creditor.id for creditor in self.creditors)


def visitor_of(session: Session, token: str, now: datetime, minutes: int) -> Visitor | None:
    """Who is logged in with a session's token; None if nobody is, any more.

    `minutes` without a request end it (the setting `session_minutes`). The transaction must be one that may write.
    """
    given = {"hash": token_hash(token), "now": now, "idle_since": now - timedelta(minutes=minutes)}
    row = session.connection().execute(text(BY_SESSION), given).mappings().one_or_none()
    if row is None:
        return None
    if now - row["seen_at"] >= SEEN_EVERY:
        session.connection().execute(text(NOTE_SEEN), {"id": row["kept_id"], "now": now})
    return _visitor(row)


def visitor_of_token(session: Session, token: str, now: datetime) -> Visitor | None:
    """Whose program calls with an API token; None if it is none of ours, any more. The transaction may write."""
    if not token.startswith(TOKEN_PREFIX):
        return None
    found = session.connection().execute(text(BY_TOKEN), {"hash": token_hash(token), "now": now})
    row = found.mappings().one_or_none()
    if row is None:
        return None
    if row["last_used_on"] != now.date():
        session.connection().execute(text(NOTE_USED), {"id": row["kept_id"], "on": now.date()})
    return _visitor(row)


def csrf_mark(link_key: str, visitor: Visitor) -> str:
    """What forms carry, to show that a page of this very session sent them."""
    return signature(link_key, f"forms of session {visitor.key}")


def token_hash(token: str) -> str:
    """What is kept of a token: it is random and long, so a plain hash does."""
    return bytes_hash(token.encode(errors="surrogatepass"))


def _visitor(row: Any) -> Visitor:
    role = Role(row["role"])
    return Visitor(
        person_id=row["id"],
        login=row["login"],
        name=row["name"],
        role=role,
        approval_limit=row["approval_limit"],
        limit_currency=row["limit_currency"],
        creditors=tuple(_creditor(each) for each in row["creditors"]),
        may_write=row["writes"],
        must_change_password=row["must_change"],
        key=row["token_hash"],
    )


def _creditor(told: dict[str, Any]) -> SeenCreditor:
    day = told["business_date"]
    return SeenCreditor(**{**told, "business_date": None if day is None else date.fromisoformat(day)})
