"""Where the checks before a placement stand, and what to say and do about each (rule 20).

Read wherever a placement is looked at: on the page of approvals, at the second yes, right before the effect, when it is
explained, and for the agency's dossier. What they mean is decided by `policies.placing`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
from sqlmodel import Session

from maatpak.kernel.checks import CheckKind, CheckState
from maatpak.kernel.money import format_money
from maatpak.kernel.words import LOST_EVIDENCE, ReachState
from maatpak.ledger.tables import visible
from policies.guardrails import PlacementLimits
from policies.placing import RECORDS, SUBJECTS, judge
from policies.reach import PROVES

AGENCY = "agency"
"""Name of the agency that cases go to."""

Read = Callable[[str], pl.DataFrame]
"""Reads a query within somebody's transaction: `Frames.read`, or `reading(session)`."""

SUBJECT = """
WITH placed AS (
  SELECT a.id AS action_id, a.creditor_id, k.debtor_id, k.currency FROM action a JOIN "case" k ON k.id = a.case_id
  WHERE a.id IN ({ids})),
version AS MATERIALIZED (
  SELECT * FROM debtor_profile WHERE debtor_id IN (SELECT debtor_id FROM placed)),
marked AS MATERIALIZED (
  SELECT s.* FROM address_state s WHERE s.debtor_id IN (SELECT debtor_id FROM placed) AND s.channel = 'post'
  AND s.state IN ({told_states}) AND {s})
SELECT k.action_id, k.creditor_id, k.debtor_id, COALESCE(p.country, cr.country) AS country, oldest.due_on,
  credit.amount AS credit, {named_at} AS name_at,
  COALESCE(btrim(p.street) <> '' AND btrim(p.city) <> '', false) AS has_address, {seen_at} AS address_at,
  news.good_on AS address_on, COALESCE(news.lost, false) AS address_lost,
  d.debtor_no, cr.code AS creditor, COALESCE(p.name, d.debtor_no) AS name, k.currency, oldest.document_no
FROM placed k JOIN debtor d ON d.id = k.debtor_id JOIN creditor cr ON cr.id = k.creditor_id
LEFT JOIN version p ON p.debtor_id = k.debtor_id AND {p}
LEFT JOIN LATERAL (
  SELECT min(f.recorded_at) AS at FROM version f
  WHERE f.debtor_id = k.debtor_id AND f.id <= p.id AND f.id > COALESCE((
    SELECT max(o.id) FROM version o WHERE o.debtor_id = k.debtor_id AND o.id < p.id AND o.name <> p.name), 0)
  ) named ON true
LEFT JOIN LATERAL (
  SELECT f.valid_from AS day, f.recorded_at AS at FROM version f
  WHERE f.debtor_id = k.debtor_id AND f.id <= p.id AND f.id > COALESCE((
    SELECT max(o.id) FROM version o WHERE o.debtor_id = k.debtor_id AND o.id < p.id
    AND (o.street, o.postal_code, o.city, o.country)
        IS DISTINCT FROM (p.street, p.postal_code, p.city, p.country)), 0)
  ORDER BY f.id LIMIT 1) seen ON true
LEFT JOIN LATERAL (
  SELECT max(n.day) FILTER (WHERE n.good) AS good_on,
    (array_agg(NOT n.good ORDER BY n.at DESC, n.number DESC, n.good))[1] AS lost
  FROM (
    SELECT seen.day, seen.at, 0 AS number, true AS good WHERE seen.day IS NOT NULL
    UNION ALL SELECT s.valid_from, s.recorded_at, 0, s.state = '{proven}' FROM marked s
      WHERE s.debtor_id = k.debtor_id AND {state_here}
    UNION ALL SELECT e.observed_on, e.recorded_at, 0, e.kind IN ({proves}) FROM message m
      JOIN evidence e ON e.message_id = m.id AND e.kind IN ({proves}, {lost})
      WHERE m.debtor_id = k.debtor_id AND m.channel = 'post' AND e.observed_on <= {day} AND e.recorded_at <= {at}
      AND {message_here}
    UNION ALL SELECT c.checked_on, c.recorded_at, c.id, c.result = 'clear' FROM placement_check c
      WHERE c.debtor_id = k.debtor_id AND c.kind = 'address' AND c.checked_on <= {day} AND c.recorded_at <= {at}
      AND c.recorded_at >= seen.at) n) news ON true
LEFT JOIN LATERAL (
  SELECT v.document_no, v.due_on FROM action_item i
  JOIN item_version v ON v.debtor_id = k.debtor_id AND v.item_id = i.item_id AND {v}
  WHERE i.action_id = k.action_id ORDER BY v.due_on, v.document_no LIMIT 1) oldest ON true
CROSS JOIN LATERAL (
  SELECT COALESCE(sum(v.open_amount), 0)::bigint AS amount FROM item_version v
  WHERE v.debtor_id = k.debtor_id AND v.currency = k.currency AND v.item_type IN ('credit_note', 'payment') AND {v}
  ) credit
ORDER BY k.action_id
"""
"""Of placements that are proposed: whom they are about, and what the ledger and the post say of it. Versions of master
data are read once for all of them: no index leads from a customer to those that were replaced."""

HERE = (
    "strpos(lower({text}), lower(btrim(split_part(p.street, chr(10), 1)))) > 0"
    " AND strpos(lower({text}), lower(btrim(p.city))) > 0"
)
"""Whether the line on an envelope is the customer's address as it stands."""

RECORDED = """
SELECT c.id AS check_id, c.creditor_id, c.debtor_id, c.country, c.kind, c.result, c.source, c.actor, c.checked_on,
  c.until_on, {recorded_at} AS recorded_at, v.due_on AS item_due_on
FROM placement_check c LEFT JOIN item_version v ON v.debtor_id = c.debtor_id AND v.item_id = c.item_id AND {v}
WHERE (c.debtor_id IN ({debtors}) OR (c.debtor_id IS NULL AND c.agency = '{agency}' AND c.creditor_id IN ({creditors})))
  AND c.checked_on <= {day} AND c.recorded_at <= {at}
ORDER BY c.id
"""
MICROSECONDS = "(extract(epoch FROM {what}) * 1000000)::bigint"

COLUMNS = {**SUBJECTS, **dict.fromkeys(("debtor_no", "creditor", "name", "currency", "document_no"), pl.String)}

LABELS = {
    CheckKind.IDENTITY: "Identity",
    CheckKind.ADDRESS: "Address",
    CheckKind.CREDIT: "Credit",
    CheckKind.LIMITATION: "Limitation",
    CheckKind.INSOLVENCY_REGISTER: "Insolvency register",
    CheckKind.AGENCY_LICENCE: "Agency licence",
}


@dataclass(frozen=True)
class Check:
    """One check of one placement: where it stands, in words, and the command or act that mends it."""

    action_id: int
    kind: str
    state: str
    told: str
    mend: str
    checked_on: date | None
    until_on: date | None
    source: str | None
    actor: str | None

    @property
    def fine(self) -> bool:
        """Whether it lets the placement go."""
        return self.state == CheckState.FINE

    @property
    def to_record(self) -> bool:
        """Whether it waits for a person's record: a failed one has been looked at."""
        return self.state in (CheckState.MISSING, CheckState.EXPIRED)


def reading(session: Session) -> Read:
    """Reads within a session's transaction."""

    def read(query: str) -> pl.DataFrame:
        found = session.connection().exec_driver_sql(query)
        return pl.DataFrame(found.all(), schema=list(found.keys()), orient="row", infer_schema_length=None)

    return read


def checks_of(
    read: Read, action_ids: Sequence[int], limits: PlacementLimits, as_of: date, known_at: datetime
) -> list[Check]:
    """Every check of every one of these placements, as of a date and as recorded by an instant."""
    subjects, judged = _judged(read, action_ids, limits, as_of, known_at)
    rows = judged.join(subjects, on="action_id", maintain_order="left").iter_rows(named=True)
    return [_told(row, limits) for row in rows]


def standing(
    read: Read, action_ids: Sequence[int], limits: PlacementLimits, as_of: date, known_at: datetime
) -> pl.DataFrame:
    """(action_id, kind, state): the same without the words, for many at once."""
    return _judged(read, action_ids, limits, as_of, known_at)[1].select("action_id", "kind", "state")


def _judged(
    read: Read, action_ids: Sequence[int], limits: PlacementLimits, as_of: date, known_at: datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    subjects = _subjects(read, action_ids, as_of, known_at)
    return subjects, judge(subjects.select(*SUBJECTS), _records(read, subjects, as_of, known_at), limits, as_of)


def _subjects(read: Read, action_ids: Sequence[int], as_of: date, known_at: datetime) -> pl.DataFrame:
    if not action_ids:
        return pl.DataFrame(schema=COLUMNS)
    states = (ReachState.PROVEN, ReachState.DOUBTFUL, ReachState.DEAD)
    query = SUBJECT.format(
        ids=", ".join(str(int(each)) for each in action_ids),
        proven=ReachState.PROVEN,
        told_states=_listed(states),
        proves=_listed(PROVES),
        lost=_listed(LOST_EVIDENCE),
        named_at=MICROSECONDS.format(what="named.at"),
        seen_at=MICROSECONDS.format(what="seen.at"),
        state_here=HERE.format(text="s.address"),
        message_here=HERE.format(text="m.recipient"),
        day=_day(as_of),
        at=_instant(known_at),
        **{table: visible(table, as_of, known_at) for table in ("p", "s", "v")},
    )
    return read(query).select(pl.col(name).cast(dtype) for name, dtype in COLUMNS.items())


def _records(read: Read, subjects: pl.DataFrame, as_of: date, known_at: datetime) -> pl.DataFrame:
    if subjects.is_empty():
        return pl.DataFrame(schema=RECORDS)
    query = RECORDED.format(
        debtors=", ".join(map(str, subjects["debtor_id"].unique().sort())),
        creditors=", ".join(map(str, subjects["creditor_id"].unique().sort())),
        agency=AGENCY,
        recorded_at=MICROSECONDS.format(what="c.recorded_at"),
        v=visible("v", as_of, known_at),
        day=_day(as_of),
        at=_instant(known_at),
    )
    return read(query).select(pl.col(name).cast(dtype) for name, dtype in RECORDS.items())


def _listed(words: "Sequence[str] | frozenset[Any]") -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


def _day(day: date) -> str:
    return f"DATE '{day.isoformat()}'"


def _instant(at: datetime) -> str:
    return f"TIMESTAMPTZ '{at.isoformat()}'"


def _told(row: Mapping[str, Any], limits: PlacementLimits) -> Check:
    kind, state = CheckKind(row["kind"]), CheckState(row["state"])
    words = f"{LABELS[kind]}: {_WORDS[kind](row, state, limits)}"
    mend = "" if state is CheckState.FINE else _mend(row, kind, state)
    names = ("action_id", "checked_on", "until_on", "source", "actor")
    return Check(kind=kind, state=state, told=words, mend=mend, **{name: row[name] for name in names})


def _mend(row: Mapping[str, Any], kind: CheckKind, state: CheckState) -> str:
    """What makes it fine, or what to do instead."""
    account = f"{row['debtor_no']} --creditor {row['creditor']}"
    if kind is CheckKind.CREDIT:
        return "have it allocated or paid back; the next ledger tells"
    if kind is CheckKind.AGENCY_LICENCE:
        return (
            f"`maatpak creditor licence {row['creditor']} --country {row['country']}"
            ' --until YYYY-MM-DD --source "REGISTER AND NUMBER"`'
        )
    more = f" --document {row['document_no']} --until YYYY-MM-DD" if kind is CheckKind.LIMITATION else ""
    command = f'`maatpak check record {account} --kind {kind} --result clear{more} --source "WHAT WAS LOOKED AT"`'
    if kind is CheckKind.ADDRESS and not row["has_address"]:
        return "the master data needs a street and a town; the next ledger tells"
    if state is CheckState.FAILED or (kind is CheckKind.LIMITATION and state is CheckState.EXPIRED):
        return f"`maatpak approvals reject {row['action_id']}`, or if it is otherwise now, {command}"
    return command


def _by_whom(row: Mapping[str, Any]) -> str:
    return f"{row['actor']} on {row['checked_on']} ({row['source']})"


def _identity(row: Mapping[str, Any], state: CheckState, limits: PlacementLimits) -> str:
    del limits
    return {
        CheckState.MISSING: f"nobody has checked that {row['name']} is the legal entity that owes this",
        CheckState.FAILED: f"{row['name']} is not the legal entity that owes this, says {_by_whom(row)}",
        CheckState.EXPIRED: f"the check of {row['checked_on']} counted until {row['until_on']}",
        CheckState.FINE: f"{row['name']} owes this, checked by {_by_whom(row)}",
    }[state]


def _address(row: Mapping[str, Any], state: CheckState, limits: PlacementLimits) -> str:
    known = f"last heard to be good on {row['checked_on']}"
    return {
        CheckState.MISSING: "there is no whole postal address",
        CheckState.FAILED: f"the newest word is that it is wrong; {known}",
        CheckState.EXPIRED: f"{known}, more than {limits.address_months} months ago",
        CheckState.FINE: known,
    }[state]


def _credit(row: Mapping[str, Any], state: CheckState, limits: PlacementLimits) -> str:
    del limits
    if state is CheckState.FINE:
        return "nothing of the customer's lies unapplied"
    return f"{format_money(row['credit'], row['currency'])} of credit notes or payments of the customer lie unapplied"


def _limitation(row: Mapping[str, Any], state: CheckState, limits: PlacementLimits) -> str:
    item = f"{row['document_no']} (due {row['due_on']})"
    margin = limits.limitation_margin_days
    return {
        CheckState.MISSING: f"until when {item} can be claimed is not on record",
        CheckState.FAILED: f"{item} can no longer be claimed, says {_by_whom(row)}",
        CheckState.EXPIRED: f"{item} can be claimed until {row['until_on']}: past or fewer than {margin} days away",
        CheckState.FINE: f"{item} can be claimed until {row['until_on']}",
    }[state]


def _register(row: Mapping[str, Any], state: CheckState, limits: PlacementLimits) -> str:
    return {
        CheckState.MISSING: "nobody has looked the customer up",
        CheckState.FAILED: f"{str(row['result']).replace('failed', 'not clear')}, says {_by_whom(row)}",
        CheckState.EXPIRED: f"looked up on {row['checked_on']}; that counts for {limits.register_days} days",
        CheckState.FINE: f"nothing there, looked up by {_by_whom(row)}, counts until {row['until_on']}",
    }[state]


def _licence(row: Mapping[str, Any], state: CheckState, limits: PlacementLimits) -> str:
    del limits
    return {
        CheckState.MISSING: f"nobody has seen one for {row['country']}",
        CheckState.FAILED: f"none for {row['country']}, says {_by_whom(row)}",
        CheckState.EXPIRED: f"the one for {row['country']} ended on {row['until_on']}",
        CheckState.FINE: f"for {row['country']} until {row['until_on']}, seen by {_by_whom(row)}",
    }[state]


_WORDS: dict[CheckKind, Callable[[Mapping[str, Any], CheckState, PlacementLimits], str]] = {
    CheckKind.IDENTITY: _identity,
    CheckKind.ADDRESS: _address,
    CheckKind.CREDIT: _credit,
    CheckKind.LIMITATION: _limitation,
    CheckKind.INSOLVENCY_REGISTER: _register,
    CheckKind.AGENCY_LICENCE: _licence,
}
"""By kind: what each state of it is in words."""
