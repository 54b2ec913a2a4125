"""Placements: a case handed to an agency with everything that supports the claim (rule 20).

Two steps, as the third law asks. In the transaction that executes the action the placement stands, with its dossier as
evidence; after the commit the dossier is handed over, and a second transaction says what came of it. A run that is
killed between the two is caught up by the next: the same placement leaves one dossier, and one that was recalled or
closed meanwhile leaves none.
"""

import json
import mimetypes
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from connectors.agency import Dossier
from connectors.message import Enclosure
from connectors.outcome import Failed, Outcome, Sent
from maatpak.kernel.ids import canonical_json
from maatpak.kernel.reasons import SkipReason
from maatpak.kernel.words import ActionState
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.database import Frames
from maatpak.ledger.failures import keep_failure
from maatpak.ledger.locks import lock_creditor, lock_parties
from maatpak.ledger.tables import Placement
from maatpak.ledger.versions import succeed_all
from tasks.checking import placement_no
from tasks.current_pack import current_pack
from tasks.dossier import ITEMS_OF, read_dossier
from tasks.placement_checks import AGENCY, checks_of
from tasks.revalidate import EVERYTHING_RECORDED
from tasks.today import recording_instant

if TYPE_CHECKING:
    from tasks.effects import Cohort
    from tasks.engine import Engine

ENCLOSED = ("message", "answer")
"""Kinds of contact of which the dossier holds the very words."""

PENDING = """
SELECT p.id AS placement_id, p.placement_no, p.state, p.action_id, p.dossier, p.agency, k.party_id
FROM placement p JOIN action a ON a.id = p.action_id JOIN "case" k ON k.id = p.case_id
WHERE p.creditor_id = {creditor} AND k.shard_key % {shards} = {shard} AND p.replaced_at IS NULL
  AND a.state = 'in_progress'
"""
STANDS = "placed"


def write_placements(cohort: "Cohort", rows: pl.DataFrame) -> None:
    """The placements of these actions: which items, which amounts, and the dossier as evidence."""
    frames, made = cohort.frames, []
    limits = cohort.engine.pack(current_pack(frames, cohort.creditor_id)).guardrails.placement
    checks = checks_of(frames.read, rows["action_id"].to_list(), limits, cohort.as_of, EVERYTHING_RECORDED)
    for row in rows.iter_rows(named=True):
        items = dict(
            frames.read(ITEMS_OF.format(action=row["action_id"], day=cohort.as_of))
            .select(pl.col("item_id").cast(pl.String), "placed_amount")
            .iter_rows()
        )
        number = placement_no(row["action_id"])
        checked = [check for check in checks if check.action_id == row["action_id"]]
        dossier = read_dossier(frames, row, number, AGENCY, cohort.as_of, checked)
        made.append(
            {
                "placement_no": number,
                "case_id": row["case_id"],
                "action_id": row["action_id"],
                "amount": sum(items.values()),
                "items": canonical_json(items),
                "dossier": cohort.engine.store.put("dossiers", canonical_json(dossier).encode(), "json"),
            }
        )
    if not made:
        return
    frames.stage("new_placement", pl.DataFrame(made))
    frames.execute(
        f"""
        INSERT INTO placement (placement_no, creditor_id, case_id, action_id, agency, state, amount, items, dossier,
                               cause, actor, valid_from, recorded_at)
        SELECT n.placement_no, {int(cohort.creditor_id)}, n.case_id, n.action_id, '{AGENCY}', 'placed', n.amount,
               n.items::jsonb, n.dossier, 'journey', 'engine', {cohort.day}, {cohort.instant}
        FROM pg_temp.new_placement n
        WHERE NOT EXISTS (SELECT 1 FROM placement p WHERE p.placement_no = n.placement_no) ORDER BY n.action_id
        """  # noqa: S608 - typed literals
    )


def hand_over(
    engine: "Engine", creditor_id: int, as_of: date, now: datetime, shard: int, shards: int, flow_run: str | None
) -> int:
    """Hand over the dossiers of a shard's placements that have not left; how many left."""
    query = PENDING.format(creditor=int(creditor_id), shard=int(shard), shards=int(shards))
    with engine.database.frames(read_only=True) as frames:
        pending = frames.read(f"{query} ORDER BY p.id")
    if pending.is_empty():
        return 0
    outcomes = {action: _place(engine, f"{query} AND a.id = {action}") for action in pending["action_id"]}
    with engine.database.frames() as frames:
        lock_creditor(frames, creditor_id, shared=True)
        lock_parties(frames, pending["party_id"])
        at = recording_instant(frames, creditor_id, now)
        still = frames.read(query).filter(pl.col("action_id").is_in(list(outcomes)))
        drafts = [
            _conclude(engine, frames, row, outcomes[row["action_id"]], as_of, at, flow_run)
            for row in still.iter_rows(named=True)
        ]
        append_events(frames, drafts, at)
    engine.anchor()
    return sum(isinstance(outcome, Sent) for outcome in outcomes.values())


def _place(engine: "Engine", query: str) -> Outcome | None:
    """What comes of handing one dossier over, if its placement still stands (law 4), or was handed over before.

    One that cannot be made fails alone; why, the workspace knows.
    """
    with engine.database.frames(read_only=True) as frames:
        found = frames.read(query)
    if found.is_empty():
        return None
    row = found.row(0, named=True)
    try:
        if row["state"] != STANDS and not engine.agency.has(row["agency"], row["placement_no"]):
            return None
        return engine.agency.place(_dossier(engine, row["dossier"]))
    except Exception as error:  # noqa: BLE001 - the port raises only while it makes the dossier
        return Failed(f"cannot be made: {keep_failure(engine.workspace, error)}", permanent=True)


def _conclude(
    engine: "Engine",
    frames: Frames,
    row: Mapping[str, Any],
    outcome: Outcome | None,
    as_of: date,
    now: datetime,
    flow_run: str | None,
) -> EventDraft:
    """What came of one handing over: executed with its touch, failed and taken back, unknown, or not wanted."""
    at, day, action_id = f"TIMESTAMPTZ '{now.isoformat()}'", f"DATE '{as_of}'", int(row["action_id"])
    (action,) = frames.read(
        "SELECT a.creditor_id, a.case_id, a.pack_id, a.segment, a.step, k.party_id, k.debtor_id FROM action a"  # noqa: S608
        f' JOIN "case" k ON k.id = a.case_id WHERE a.id = {action_id}'
    ).iter_rows(named=True)
    if isinstance(outcome, Sent):
        state, ends = ActionState.EXECUTED, f", executed_on = {day}"
        rating = engine.pack(action["pack_id"]).step(action["segment"], action["step"]).rating
        frames.execute(
            "INSERT INTO touch (creditor_id, party_id, case_id, action_id, kind, rating, wrongful, touched_on,"  # noqa: S608
            f" recorded_at) VALUES ({action['creditor_id']}, {action['party_id']}, {action['case_id']}, {action_id},"
            f" 'handoff', {int(rating)}, false, {day}, {at})"
        )
    elif outcome is None:
        state, ends = ActionState.CANCELLED, f", reason = '{SkipReason.STOPPED}'"
    else:
        state = ActionState.FAILED if isinstance(outcome, Failed) else ActionState.UNKNOWN
        ends = ", reason = 'agency'"
    frames.execute(
        f"UPDATE action SET state = '{state}', ended_at = {at}{ends} WHERE id = {action_id}"  # noqa: S608
    )
    if isinstance(outcome, Failed) and row["state"] == STANDS:
        changed = pl.DataFrame({"id": [row["placement_id"]], "state": ["recalled"], "cause": ["error"]})
        succeed_all(frames, Placement, changed, as_of, now)
    return EventDraft(
        f"placement_{state}",
        "engine",
        business_date=as_of,
        creditor_id=action["creditor_id"],
        debtor_id=action["debtor_id"],
        case_id=action["case_id"],
        action_id=action_id,
        flow_run=flow_run,
        body={"placement": row["placement_no"], "dossier": row["dossier"], "agency": row["agency"]},
    )


def _dossier(engine: "Engine", key: str) -> Dossier:
    """The dossier as it was kept, with copies of the messages and answers that it names."""
    data = json.loads(engine.store.get(key))
    data["placed_on"] = date.fromisoformat(data["placed_on"])
    for name in ("creditor", "items", "history", "approvals", "checks"):
        data[name] = tuple(data[name])
    names = {key: name for kind in ENCLOSED for key, name in _names(kind, data.pop(f"{kind}s"))}
    data["history"] = tuple({**each, "evidence": names.get(each["evidence"], "")} for each in data["history"])
    enclosed = tuple(Enclosure(name, _media_type(name), engine.store.get(key)) for key, name in names.items())
    return Dossier(**data, evidence=enclosed)


def _names(kind: str, keys: list[str]) -> list[tuple[str, str]]:
    """Evidence key and name of what is enclosed, each once."""
    return [(key, f"{kind}-{number}.{key.rpartition('.')[2]}") for number, key in enumerate(dict.fromkeys(keys), 1)]


def _media_type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
