"""Runs every proof over one database and its evidence folder, and counts what happened in it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from maatpak.kernel.reasons import NoActionReason
from tests.proofs.invariants import INVARIANTS
from tests.proofs.views import prepare

SHOWN = 5
"""Breaches shown of each law; the count says how many there are."""

OVERDUE = """
SELECT t.id AS tick_id, k.id AS case_id FROM tick t
JOIN proof_item v ON v.creditor_id = t.creditor_id AND v.valid_from <= t.business_date AND v.recorded_at <= t.known_at
 AND (v.replaced_at IS NULL OR v.replaced_at > t.known_at OR v.replaced_from > t.business_date)
JOIN "case" k ON k.debtor_id = v.debtor_id AND k.currency = v.currency
WHERE v.item_type IN ('invoice', 'debit_note') AND v.open_amount > 0 AND v.due_on < t.business_date
  AND k.shard_key % t.shards = t.shard
GROUP BY t.id, k.id
"""

COUNTS: Mapping[str, str] = {
    "step": "SELECT segment || '.' || step, count(*) FROM action GROUP BY 1",
    "executed": "SELECT segment || '.' || step, count(*) FROM action WHERE state = 'executed' GROUP BY 1",
    "kind": "SELECT kind, count(*) FROM action WHERE state = 'executed' GROUP BY 1",
    "state": "SELECT state, count(*) FROM action GROUP BY 1",
    "skip": "SELECT reason, count(*) FROM action WHERE state IN ('skipped', 'cancelled') GROUP BY 1",
    "call": "SELECT code, count(*) FROM contact_result GROUP BY 1",
    "result": "SELECT kind || '.' || result, count(*) FROM action WHERE result IS NOT NULL GROUP BY 1",
    "said": "SELECT reason, count(DISTINCT id) FROM stated_reason GROUP BY 1",
    "hold": "SELECT reason, count(DISTINCT hold_no) FROM hold GROUP BY 1",
    "promise": "SELECT state, count(DISTINCT promise_no) FROM promise GROUP BY 1",
    "dispute": "SELECT state, count(DISTINCT dispute_no) FROM dispute GROUP BY 1",
    "plan": "SELECT state, count(DISTINCT plan_no) FROM plan GROUP BY 1",
    "placement": "SELECT state, count(DISTINCT placement_no) FROM placement GROUP BY 1",
    "message": "SELECT channel || '.' || state, count(*) FROM message GROUP BY 1",
    "evidence": "SELECT kind, count(*) FROM evidence GROUP BY 1",
    "work": "SELECT kind || '.' || state, count(*) FROM work_task GROUP BY 1",
    "approval": "SELECT verdict, count(*) FROM approval GROUP BY 1",
    "course": "SELECT cause, count(*) FROM round_course GROUP BY 1",
}


@dataclass(frozen=True)
class Breach:
    """A law that did not hold, with the number of rows that break it and the first few."""

    law: str
    says: str
    count: int
    first: tuple[Any, ...]

    def __str__(self) -> str:
        lines = "\n    ".join(str(row) for row in self.first)
        return f"{self.law}: {self.count} × not so: {self.says}\n    {lines}"


@dataclass
class Proof:
    """What one reading found."""

    breaches: list[Breach] = field(default_factory=list)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    checked: dict[str, int] = field(default_factory=dict)
    """How many rows each subject had: a proof over nothing proves nothing."""

    def table(self) -> str:
        """Every count, for people."""
        lines = []
        for subject, counted in self.counts.items():
            lines.append(f"{subject}:")
            lines += [f"  {word:<44}{number:>9,}" for word, number in sorted(counted.items())]
        return "\n".join(lines)

    def zeros(self, expected: Mapping[str, Iterable[str]]) -> list[str]:
        """The words that ought to have happened and did not, as `subject: word`."""
        return [
            f"{subject}: {word}"
            for subject, words in expected.items()
            for word in words
            if not self.counts.get(subject, Counter())[str(word)]
        ]


def prove(url: str, evidence: Path, laws: Iterable[str] | None = None) -> Proof:
    """Every law over a database, and its counts. `evidence` is the folder of the evidence store."""
    proof = Proof()
    wanted = None if laws is None else set(laws)
    with psycopg.connect(url, autocommit=True) as connection:
        prepare(connection)
        for table in ("proof_effect", "proof_named", "proof_sent", "proof_evidence", "tick", "round"):
            row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            proof.checked[table] = row[0] if row else 0
        for invariant in INVARIANTS:
            if wanted is not None and invariant.name not in wanted:
                continue
            rows = connection.execute(invariant.breaches).fetchall()
            if rows:
                proof.breaches.append(Breach(invariant.name, invariant.says, len(rows), tuple(rows[:SHOWN])))
        for subject, query in COUNTS.items():
            proof.counts[subject] = Counter({word or "": number for word, number in connection.execute(query)})
        proof.counts["silence"] = Counter()
        if wanted is None or "silence_has_a_reason" in wanted:
            _prove_silence(connection, evidence, proof)
    return proof


def _prove_silence(connection: psycopg.Connection, evidence: Path, proof: Proof) -> None:
    """Every case with something overdue stands in that day's frame, with a step or with a reason for none (law 8)."""
    overdue = pl.DataFrame(
        connection.execute(OVERDUE).fetchall(), schema={"tick_id": pl.Int64, "case_id": pl.Int64}, orient="row"
    ).partition_by("tick_id", as_dict=True)
    missing: list[tuple[Any, ...]] = []
    mute: list[tuple[Any, ...]] = []
    known = {str(reason) for reason in NoActionReason}
    for tick_id, day, key in connection.execute("SELECT id, business_date, decisions_evidence FROM tick ORDER BY id"):
        frame = pl.read_parquet(evidence / key, columns=["case_id", "outcome", "reason"])
        cases = overdue.get((tick_id,))
        if cases is not None:
            absent = cases.join(frame, on="case_id", how="anti")["case_id"]
            missing += [(day, case_id) for case_id in absent]
        none = frame.filter(pl.col("outcome") == "none")
        mute += [
            (day, case_id, reason)
            for case_id, _, reason in none.filter(
                pl.col("reason").is_null() | ~pl.col("reason").is_in(list(known))
            ).rows()
        ]
        proof.counts["silence"].update(dict(none.drop_nulls("reason")["reason"].value_counts().rows()))
    for rows, says in (
        (missing, "a case with something overdue stands in the frame of that day"),
        (mute, "a case with no action has a reason that is known"),
    ):
        if rows:
            proof.breaches.append(Breach("silence_has_a_reason", says, len(rows), tuple(rows[:SHOWN])))
