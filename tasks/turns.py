"""Turns at a party: what a tick finds claimed and waiting, and what it notes of the cases that it keeps waiting.

A tick knows the letters of its own shard. What other creditors and other shards want to write to the same party it
knows from the rows of those that had to wait; a creditor's people see no more than that another letter goes first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl

from maatpak.kernel.calendars import shift_working_days
from maatpak.kernel.reasons import NoActionReason
from maatpak.kernel.words import ActionState, StepKind
from maatpak.ledger.database import Frames
from maatpak.ledger.literals import numbers
from maatpak.ledger.locks import lock_parties
from policies.turns import CLAIM, LONGEST_WAIT

if TYPE_CHECKING:
    from policies.pack import CompiledPack

STALE = 7
"""Calendar days after which a case is passed over that did not ask for its turn again."""

SHARED = """
SELECT DISTINCT w.written_to FROM pg_temp.to_write w JOIN debtor d ON d.party_id = w.written_to
WHERE d.creditor_id <> {creditor} OR ({shards} > 1 AND EXISTS (
  SELECT 1 FROM debtor_profile v WHERE v.creditor_id = d.creditor_id AND v.payer_no = d.debtor_no))
"""
"""Parties that somebody outside the shard may write to: another creditor, or cases of accounts that they pay for."""

TAKEN = """
SELECT DISTINCT w.written_to FROM pg_temp.to_write w
JOIN contact_slot s ON s.party_id = w.written_to AND s.day = DATE '{day}'
"""

STILL_TAKEN = """
SELECT DISTINCT w.written_to FROM pg_temp.to_write w
JOIN contact_slot s ON s.party_id = w.written_to AND s.day = DATE '{day}'
WHERE s.action_id <> ALL ({gone}) OR EXISTS (
  SELECT 1 FROM action a JOIN "case" k ON k.id = a.case_id JOIN "case" x ON x.debtor_id = k.debtor_id
  JOIN action o ON o.case_id = x.id AND o.business_date = a.business_date AND o.written
    AND o.payer_party_id IS NOT DISTINCT FROM a.payer_party_id
    AND o.state NOT IN ('cancelled', 'rejected', 'skipped', 'failed') AND o.id <> ALL ({gone})
  WHERE a.id = s.action_id)
"""
"""The same if some actions were taken back, whose day goes to another action of the same letter, if there is one."""

RIVALS = """
SELECT w.party_id AS written_to, w.case_id, w.stage, w.amount, k.currency, w.first_from,
  k.creditor_id = {creditor} AND k.shard_key % {shards} = {shard} AS here
FROM pg_temp.to_write t JOIN contact_wait w ON w.party_id = t.written_to JOIN "case" k ON k.id = w.case_id
WHERE w.last_on >= DATE '{day}' - {stale}
UNION ALL
SELECT t.written_to, a.case_id, a.stage, a.amount, k.currency, NULL, FALSE
FROM action a JOIN "case" k ON k.id = a.case_id
JOIN pg_temp.to_write t ON t.written_to = COALESCE(a.payer_party_id, k.party_id)
WHERE a.state = 'approved' AND a.written AND a.business_date < DATE '{day}' AND a.id <> ALL ({gone})
"""
"""Who waits for these parties, and letters of earlier days that were approved meanwhile and are to go today."""

HERE = """
SELECT w.party_id AS written_to, w.case_id FROM contact_wait w JOIN "case" k ON k.id = w.case_id
WHERE k.creditor_id = {creditor} AND k.shard_key % {shards} = {shard}
"""

LAST_WAS_ANOTHER = """
SELECT w.case_id FROM pg_temp.wanting w CROSS JOIN LATERAL (
  SELECT s.action_id FROM contact_slot s
  WHERE s.party_id = w.written_to AND s.day > DATE '{day}' - {stale} AND s.day <= DATE '{day}'
  ORDER BY s.day DESC LIMIT 1) last
JOIN action a ON a.id = last.action_id
WHERE NOT EXISTS (SELECT 1 FROM action o WHERE o.case_id = w.case_id AND o.business_date = a.business_date
                  AND o.written AND o.state <> 'skipped')
"""
"""Cases whose party last got a letter that was not theirs, so that another one used up the budget."""

NO_MORE = """
DELETE FROM contact_wait w USING pg_temp.waits_no_more n WHERE w.party_id = n.written_to AND w.case_id = n.case_id
"""

WAITING = """
INSERT INTO contact_wait (party_id, case_id, stage, amount, since, first_from, last_on, recorded_at)
SELECT written_to, case_id, stage, amount, DATE '{day}', first_from, DATE '{day}', TIMESTAMPTZ '{at}'
FROM pg_temp.kept_waiting ORDER BY written_to, case_id
ON CONFLICT (party_id, case_id) DO UPDATE SET last_on = EXCLUDED.last_on, stage = EXCLUDED.stage,
  amount = EXCLUDED.amount,
  since = CASE WHEN contact_wait.last_on < DATE '{day}' - {stale} THEN EXCLUDED.since ELSE contact_wait.since END,
  first_from = CASE WHEN contact_wait.last_on < DATE '{day}' - {stale} THEN EXCLUDED.first_from
    ELSE contact_wait.first_from END
"""


@dataclass(frozen=True)
class Part:
    """The part of a creditor that one tick decides."""

    creditor_id: int
    shard: int
    shards: int

    def marks(self, day: date) -> dict[str, object]:
        """What the queries say of it."""
        numbers = {"creditor": self.creditor_id, "shard": self.shard, "shards": self.shards, "stale": STALE}
        return {**{name: int(value) for name, value in numbers.items()}, "day": day.isoformat()}


@dataclass(frozen=True)
class Turns:
    """What speaks for and against writing to a party today."""

    taken: pl.DataFrame
    """(written_to): a letter to it has claimed this day."""
    rivals: pl.DataFrame
    """Claims (`policies.turns.CLAIM`) of cases that this tick does not decide."""
    waits: pl.DataFrame
    """(written_to, case_id, first_from) of the tick's own cases that have waited."""


def find_turns(frames: Frames, part: Part, as_of: date, actions: pl.DataFrame, touched: pl.Series) -> Turns:
    """Who else wants to write to the parties of these actions.

    Parties that others could claim at the same time are locked until the end of the tick, together with those that it
    touches otherwise (`touched`): locks are taken once, in one order.
    """
    parties = letters_of(actions).select("written_to").unique()
    if parties.is_empty():
        lock_parties(frames, touched)
        rivals = pl.DataFrame(schema=CLAIM)
        return Turns(parties, rivals, rivals.select("written_to", "case_id", "first_from"))
    frames.stage("to_write", parties)
    shared = frames.read(SHARED.format(**part.marks(as_of)))["written_to"]
    lock_parties(frames, pl.concat([shared, touched]))
    return _read_turns(frames, part, as_of)


def suppose_turns(frames: Frames, part: Part, as_of: date, actions: pl.DataFrame, gone: pl.Series) -> Turns:
    """The same for whoever only looks, if the actions of these ids (`gone`) were taken back: nobody is locked."""
    frames.stage("to_write", letters_of(actions).select("written_to").unique())
    return _read_turns(frames, part, as_of, gone)


def letters_of(actions: pl.DataFrame) -> pl.DataFrame:
    """The actions that write to somebody."""
    return actions.filter(pl.col("written") & (pl.col("state") != ActionState.SKIPPED))


def _read_turns(frames: Frames, part: Part, as_of: date, gone: pl.Series | None = None) -> Turns:
    marks = {**part.marks(as_of), "gone": numbers([] if gone is None else gone.to_list())}
    taken = frames.read((TAKEN if gone is None else STILL_TAKEN).format(**marks))
    waiting = frames.read(RIVALS.format(**marks))
    return Turns(
        taken,
        rivals=waiting.filter(~pl.col("here")).select(list(CLAIM)).cast(pl.Schema(CLAIM)),
        waits=waiting.filter("here").select("written_to", "case_id", "first_from"),
    )


def note_waits(frames: Frames, part: Part, as_of: date, wanting: pl.DataFrame, kept: pl.Series, at: datetime) -> None:
    """Note the cases that another letter kept from writing, and since when; those that no longer want to are let go.

    `wanting` (`wanting_letters`): cases whose letter the budget forbids today; `kept`: those of them that gave way to
    another letter of today. Of the others those wait whose party another letter was the last to reach.
    """
    marks = part.marks(as_of)
    here = frames.read(HERE.format(**marks))
    gone = here.join(wanting, on=["written_to", "case_id"], how="anti")
    if not gone.is_empty():
        frames.stage("waits_no_more", gone)
        frames.execute(NO_MORE)
    if wanting.is_empty():
        return
    frames.stage("wanting", wanting.select("written_to", "case_id"))
    other = frames.read(LAST_WAS_ANOTHER.format(**marks))["case_id"]
    waits = pl.concat([here.join(wanting, on=["written_to", "case_id"], how="semi")["case_id"], kept, other]).unique()
    waiting = wanting.filter(pl.col("case_id").is_in(waits.implode()))
    if not waiting.is_empty():
        frames.stage("kept_waiting", waiting)
        frames.execute(WAITING.format(**marks, at=at.isoformat()))


def wanting_letters(
    cases: pl.DataFrame, facts: pl.DataFrame, packs: "Mapping[int, CompiledPack]", as_of: date
) -> pl.DataFrame:
    """(written_to, case_id, stage, amount, first_from) of the cases that would write today but for the budget.

    `cases`: the decisions as they stand after all.
    """
    known = facts.select("case_id", "party_id", "payer_party_id", "phone_known", "country", "demandable_amount")
    stopped = cases.filter(pl.col("reason") == NoActionReason.BUDGET).select(
        "case_id", "pack_id", "segment", "next_step", "asked_amount"
    )
    keys = stopped.select("pack_id", "segment", "next_step").drop_nulls().unique()
    found = []
    for pack_id, segment, name in keys.iter_rows():
        step = packs[pack_id].step(segment, name)
        found.append((pack_id, segment, name, str(step.stage), str(step.kind), step.written, step.escalating))
    steps = pl.DataFrame(
        found,
        schema={**keys.schema, "stage": pl.String, "kind": pl.String, "written": pl.Boolean, "escalating": pl.Boolean},
        orient="row",
    )
    letter = pl.col("written") | ((pl.col("kind") == StepKind.CALL) & ~pl.col("phone_known"))
    wanted = (
        stopped.join(steps, on=["pack_id", "segment", "next_step"], maintain_order="left")
        .join(known, on="case_id", maintain_order="left")
        .filter(letter)
    )
    waited = pl.Series([as_of] * wanted.height, dtype=pl.Date)
    return wanted.select(
        "case_id",
        "stage",
        written_to=pl.when("escalating").then("party_id").otherwise("payer_party_id"),
        amount=pl.when("escalating").then("demandable_amount").otherwise("asked_amount"),
        first_from=shift_working_days(waited, pl.Series([LONGEST_WAIT] * wanted.height), wanted["country"]),
    )
