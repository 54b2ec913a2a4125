"""Proofs that are kept: the chain verified, a day recomputed; each an event, with what was found as an evidence file.

Both look at everything and take their time at scale, so they run in the background (`flows.audit`), and pages show the
last results from here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlmodel import Session

from maatpak.kernel.errors import UsageError
from maatpak.kernel.ids import canonical_json
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.verify import Verification, verify
from tasks.replay import Replay, replay

if TYPE_CHECKING:
    from tasks.engine import Engine

VERIFIED, REPLAYED = "audit_verified", "audit_replayed"

PROOFS = """
SELECT e.seq, e.kind, e.recorded_at, e.actor, e.flow_run, c.code AS creditor, e.body
FROM event e LEFT JOIN creditor c ON c.id = e.creditor_id
WHERE e.kind = ANY(:kinds) AND (e.creditor_id IS NULL OR e.creditor_id = ANY(:creditors))
ORDER BY e.seq DESC LIMIT :most
"""


@dataclass(frozen=True)
class Proof:
    """One result: of the chain, or of a creditor's day."""

    seq: int
    """Its event."""
    kind: str
    """`audit_verified` or `audit_replayed`."""
    at: datetime
    actor: str
    flow_run: str | None
    creditor: str | None
    """Code; None for the chain, which is all creditors'."""
    as_of: date | None
    """The day that was recomputed."""
    findings: int
    """Faults or differences; 0: nothing was changed."""
    counts: Mapping[str, int]
    """What was looked at."""
    evidence: str
    """Key of the file with everything that was found."""


def prove_chain(engine: "Engine", now: datetime, actor: str = "engine", flow_run: str | None = None) -> Verification:
    """Verify the chain, its anchors and the evidence, and keep the result."""
    found = verify(engine.database, engine.anchors.read(), engine.store)
    body = {
        "events": found.events,
        "last_seq": found.last_seq,
        "anchored_seq": found.anchored_seq,
        "evidence_files": found.evidence_files,
        "faults": len(found.faults),
    }
    _keep(engine, EventDraft(VERIFIED, actor, flow_run=flow_run, body=body), asdict(found), now)
    return found


def prove_day(
    engine: "Engine",
    creditor_id: int,
    as_of: date,
    now: datetime,
    actor: str = "engine",
    flow_run: str | None = None,
) -> Replay:
    """Recompute a past day of a creditor, and keep the result.

    Raises:
        UsageError: no run of that day is there.
    """
    found = replay(engine, creditor_id, as_of)
    body = {
        "as_of": as_of.isoformat(),
        "passes": found.ticks,
        "cases": found.cases,
        "items": found.items,
        "unproven": found.unproven,
        "merged": found.merged,
        "differences": len(found.differences),
    }
    # Of no business date: it says something of a day that is over, and is no act of the present one.
    draft = EventDraft(REPLAYED, actor, creditor_id=creditor_id, flow_run=flow_run, body=body)
    _keep(engine, draft, asdict(found), now)
    return found


def last_proofs(session: Session, creditor_ids: Sequence[int], most: int = 20) -> list[Proof]:
    """The last results, the newest first: of the chain, and of days of these creditors."""
    values = {"kinds": [VERIFIED, REPLAYED], "creditors": list(creditor_ids), "most": most}
    rows = session.connection().execute(text(PROOFS), values).mappings()
    return [_proof(dict(row)) for row in rows]


def findings_of(engine: "Engine", proof: Proof) -> list[dict[str, Any]]:
    """Everything that was found: faults (`code`, `seq`, `message`), or differences (tasks.differences.Difference)."""
    kept = json.loads(engine.store.get(proof.evidence))
    found: list[dict[str, Any]] = kept["faults" if proof.kind == VERIFIED else "differences"]
    return found


def proof_of(session: Session, creditor_ids: Sequence[int], seq: int) -> Proof:
    """One result by the number of its event.

    Raises:
        UsageError: that event is none.
    """
    query = PROOFS.replace("WHERE", "WHERE e.seq = :seq AND")
    values = {"kinds": [VERIFIED, REPLAYED], "creditors": list(creditor_ids), "most": 1, "seq": seq}
    row = session.connection().execute(text(query), values).mappings().first()
    if row is None:
        raise UsageError(f"Event {seq} is no result of an audit.", advice="The page of audits lists them.")
    return _proof(dict(row))


def _proof(row: Mapping[str, Any]) -> Proof:
    body = dict(row["body"])
    evidence, as_of = body.pop("evidence"), body.pop("as_of", None)
    findings = body.pop("faults" if row["kind"] == VERIFIED else "differences")
    return Proof(
        seq=row["seq"],
        kind=row["kind"],
        at=row["recorded_at"],
        actor=row["actor"],
        flow_run=row["flow_run"],
        creditor=row["creditor"],
        as_of=as_of and date.fromisoformat(as_of),
        findings=findings,
        counts=body,
        evidence=evidence,
    )


def _keep(engine: "Engine", draft: EventDraft, found: Mapping[str, Any], now: datetime) -> None:
    draft.body["evidence"] = engine.store.put("audit", canonical_json(found).encode(), "json")
    with engine.database.session() as session:
        append_events(session, [draft], now)
    engine.anchor()
