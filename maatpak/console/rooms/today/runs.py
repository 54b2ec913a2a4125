"""The last two business dates of each creditor, from our own tables: how old its data are, and what was done."""

from dataclasses import dataclass
from datetime import date, datetime

from maatpak.console.frame.asking import Asking
from maatpak.kernel.calendars import working_days_between
from maatpak.ledger.freshness import data_on

RUNS = """
SELECT c.code AS creditor, c.time_zone, d.business_date, t.passes, t.first_at, t.last_at, t.cases, t.proposed,
  m.written, f.reckoned_at
FROM creditor c
CROSS JOIN LATERAL (
  (SELECT k.business_date FROM tick k WHERE k.creditor_id = c.id ORDER BY k.business_date DESC LIMIT 1)
  UNION ALL
  (SELECT k.business_date FROM tick k WHERE k.creditor_id = c.id AND k.business_date < (
    SELECT max(n.business_date) FROM tick n WHERE n.creditor_id = c.id) ORDER BY k.business_date DESC LIMIT 1)) d
CROSS JOIN LATERAL (
  SELECT count(*) AS passes, min(k.known_at) AS first_at, max(k.recorded_at) AS last_at,
    sum(k.action_count) AS proposed,
    sum(k.case_count) FILTER (WHERE k.id = k.newest) AS cases
  FROM (SELECT k.*, max(k.id) OVER (PARTITION BY k.shard) AS newest FROM tick k
        WHERE k.creditor_id = c.id AND k.business_date = d.business_date) k) t
CROSS JOIN LATERAL (
  SELECT count(*) AS written FROM message m
  WHERE m.creditor_id = c.id AND m.business_date = d.business_date) m
CROSS JOIN LATERAL (
  SELECT max(f.recorded_at) AS reckoned_at FROM figure f
  WHERE f.creditor_id = c.id AND f.business_date = d.business_date AND f.name = 'open' AND f.dimension = '') f
WHERE c.id = ANY(:creditors)
ORDER BY c.code, d.business_date DESC
"""


AGES = f"""
SELECT c.code AS creditor, c.name, c.country, c.business_date, g.pack_id,
  {data_on("c.id", "c.business_date", ":now")} AS data_on
FROM creditor c LEFT JOIN creditor_pack g ON g.creditor_id = c.id AND g.replaced_at IS NULL
WHERE c.id = ANY(:creditors) ORDER BY c.code
"""  # noqa: S608 - our own words


@dataclass(frozen=True)
class DataAge:
    """A creditor's business date, and for which day its data speak."""

    creditor: str
    name: str
    business_date: date | None
    """None: nothing was ever run."""
    data_on: date | None
    """The older of its ledger and its cash; None: there is no ledger."""
    working_days: int
    """From that day to the business date."""
    too_old: bool
    """Whether notices rest for it, by the guardrails of the creditor's pack."""


@dataclass(frozen=True)
class Run:
    """A creditor's business date, as far as it has run."""

    creditor: str
    time_zone: str
    business_date: date
    passes: int
    """How often cases were decided; each thing that a person records may lead to one more."""
    first_at: datetime
    last_at: datetime
    cases: int
    """Looked at by the newest pass."""
    proposed: int
    """Steps that were proposed."""
    written: int
    """Messages that were written."""
    reckoned_at: datetime | None
    """When its figures were reckoned; none: not yet."""


def read_runs(asking: Asking) -> list[Run]:
    """The newest and the one before of each creditor."""
    rows = asking.rows(RUNS, creditors=asking.creditors)
    return [Run(**row | {"cases": int(row["cases"] or 0), "proposed": int(row["proposed"] or 0)}) for row in rows]


def read_ages(asking: Asking) -> list[DataAge]:
    """How old the data of each creditor are."""
    ages = []
    for row in asking.rows(AGES, creditors=asking.creditors, now=asking.now):
        country, pack_id, known = row.pop("country"), row.pop("pack_id"), row["data_on"]
        days = working_days_between(known, row["business_date"], country) if known else 0
        too_old = pack_id is not None and days > asking.engine.pack(pack_id).guardrails.data_age
        ages.append(DataAge(**row, working_days=days, too_old=too_old))
    return ages
