"""What is not as it should be: each with what to do about it and where. The tables' part is one query."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from os import scandir
from pathlib import Path
from typing import Any

from maatpak.console.frame.asking import Asking
from maatpak.console.frame.drawing import day, number
from maatpak.console.rooms.today.runs import DataAge
from maatpak.console.rooms.today.waiting import unread_before
from maatpak.ledger.failures import FAILURES
from tasks.audit.proving import VERIFIED
from tasks.send.volume import UNUSUAL

PROVEN_WITHIN = timedelta(days=7)
"""The chain is verified by night; so long without it is told."""
FAILED_WITHIN = timedelta(days=2)
MOST_FILES = 500
"""Of the folder of failures."""


class Tone(StrEnum):
    """How grave it is."""

    BAD = "bad"
    WARN = "warn"


@dataclass(frozen=True)
class Kind:
    """An alarm's words: what is, what to do, and where."""

    title: str
    """With `{count}` and `{detail}`."""
    advice: str
    link: str
    tone: Tone = Tone.WARN
    one: str = ""
    """The title where there is one of it."""


KINDS = {
    "ledger_late": Kind(
        "The ledger of {creditor} is late: it speaks for {detail}",
        "No notice goes out on old data. See whether the file came, and what the gate said of it.",
        "/imports?creditor={creditor}",
        Tone.BAD,
    ),
    "rejected": Kind(
        "{count} ledger files of {creditor} were refused on its business date",
        "Nothing of them was taken in. Read what the gate found, and bring a better file or accept the bound.",
        "/imports/rejected?creditor={creditor}",
        Tone.BAD,
        "A ledger file of {creditor} was refused on its business date",
    ),
    "no_ledger": Kind(
        "{creditor} has no ledger yet",
        "Import its open items; until then nobody is written to.",
        "/imports?creditor={creditor}",
    ),
    "unanswered": Kind(
        "{count} answers at {creditor} lie unread for more than two working days",
        "These customers are not written to until somebody has read them; each is worth a call.",
        "/answers?creditor={creditor}",
        Tone.BAD,
        "An answer at {creditor} lies unread for more than two working days",
    ),
    "unknown": Kind(
        "{count} messages at {creditor} may have left or not",
        "They are never sent again by themselves. Ask the service, and say what became of each.",
        "/messages/unknown?creditor={creditor}",
        one="A message at {creditor} may have left or not",
    ),
    "dead": Kind(
        "{count} addresses at {creditor} are dead",
        "Look for another: without an address a customer gets no notice.",
        "/work?kind=repair&creditor={creditor}",
        one="An address at {creditor} is dead",
    ),
    "quarantined": Kind(
        "{count} rows of {creditor} are quarantined",
        "Correct and release, or discard: until then nobody writes to the customer.",
        "/quarantine?creditor={creditor}",
        one="A row of {creditor} is quarantined",
    ),
    "unusual": Kind(
        "Far more was written at {creditor} than usual: {count} messages",
        "Look at what they are about before more leave.",
        "/messages?creditor={creditor}&since={detail}",
    ),
    "given_up": Kind(
        "{count} events did not reach a connected program",
        "It does not answer. See what it says, and send them again.",
        "/webhooks/deliveries?state=given_up",
        one="An event did not reach a connected program",
    ),
    "never_verified": Kind(
        "The chain of events has never been verified",
        "It is looked at every night; run it once by hand.",
        "/audit/chain",
    ),
    "not_verified": Kind(
        "The chain of events was last verified on {detail}",
        "It should be every night. See whether the flow `audit` runs.",
        "/audit/chain",
    ),
    "faults": Kind(
        "The chain of events has {count} faults",
        "Something was changed behind our back. Call whoever keeps the database, and read what was found.",
        "/audit/chain",
        Tone.BAD,
        "The chain of events has a fault",
    ),
    "failures": Kind(
        "{count} failures were written down in the last two days, the newest on {detail}",
        "Work went on without them. The workspace has the details, in logs/failures; see which runs failed.",
        "/operations/runs?state=FAILED",
        one="A failure was written down on {detail}",
    ),
}
"""The gravest first."""

LOOKED = f"""
SELECT 'unanswered' AS what, c.code AS creditor, count(*) AS count, NULL AS detail
FROM unnest(CAST(:creditors AS bigint[]), CAST(:unread AS date[])) AS w (creditor_id, since)
JOIN creditor c ON c.id = w.creditor_id JOIN answer q ON q.creditor_id = w.creditor_id
WHERE q.replaced_at IS NULL AND q.read_on IS NULL AND q.received_on < w.since GROUP BY c.code
UNION ALL
SELECT 'unknown', c.code, count(*), NULL FROM message m JOIN creditor c ON c.id = m.creditor_id
WHERE m.creditor_id = ANY(:creditors) AND m.state = 'unknown' GROUP BY c.code
UNION ALL
SELECT 'dead', c.code, count(*), NULL FROM work_task t JOIN creditor c ON c.id = t.creditor_id
WHERE t.creditor_id = ANY(:creditors) AND t.state = 'open' AND t.kind = 'repair' GROUP BY c.code
UNION ALL
SELECT 'quarantined', c.code, count(*), NULL FROM quarantined_row r JOIN creditor c ON c.id = r.creditor_id
WHERE r.creditor_id = ANY(:creditors) AND r.state = 'open' GROUP BY c.code
UNION ALL
SELECT 'unusual', c.code, max((e.body->>'written')::bigint), c.business_date::text
FROM event e JOIN creditor c ON c.id = e.creditor_id AND c.business_date = e.business_date
WHERE e.kind = '{UNUSUAL}' AND e.creditor_id = ANY(:creditors) GROUP BY c.code, c.business_date
UNION ALL
SELECT 'rejected', c.code, count(*), NULL
FROM event e JOIN creditor c ON c.id = e.creditor_id AND c.business_date = e.business_date
WHERE e.kind = 'ledger_rejected' AND e.creditor_id = ANY(:creditors) GROUP BY c.code
UNION ALL
SELECT 'given_up', '', count(*), NULL FROM webhook_delivery w JOIN webhook h ON h.id = w.webhook_id
WHERE w.state = 'given_up' AND h.active AND (h.creditor_id IS NULL OR h.creditor_id = ANY(:creditors))
HAVING count(*) > 0
UNION ALL
(SELECT 'proof', '', (e.body->>'faults')::bigint, e.recorded_at::text FROM event e WHERE e.kind = '{VERIFIED}'
 ORDER BY e.seq DESC LIMIT 1)
"""  # noqa: S608 - our own words


@dataclass(frozen=True)
class Alarm:
    """Something to be looked to."""

    name: str
    tone: Tone
    title: str
    advice: str
    link: str


def read_alarms(asking: Asking, ages: Sequence[DataAge]) -> list[Alarm]:
    """What is not as it should be at the creditors that are looked at, the gravest first."""
    found = asking.rows(LOOKED, creditors=asking.creditors, unread=unread_before(asking))
    told = [*_of_ledgers(ages), *_of_proofs(asking.now, [row for row in found if row["what"] == "proof"])]
    told += [_alarm(row["what"], row["creditor"], row["count"], row["detail"]) for row in found if row["what"] in KINDS]
    told += _of_failures(asking.engine.workspace.root / FAILURES, asking.now)
    order = list(KINDS)
    return sorted(told, key=lambda each: (each.tone is not Tone.BAD, order.index(each.name)))


def _alarm(name: str, creditor: str = "", count: int = 0, detail: str | None = "") -> Alarm:
    kind, marks = KINDS[name], {"creditor": creditor, "count": number(count), "detail": detail or ""}
    title = kind.one if count == 1 and kind.one else kind.title
    return Alarm(name, kind.tone, title.format(**marks), kind.advice, kind.link.format(**marks))


def _of_ledgers(ages: Sequence[DataAge]) -> Iterator[Alarm]:
    for age in ages:
        if age.data_on is None:
            yield _alarm("no_ledger", age.creditor)
        elif age.too_old:
            yield _alarm("ledger_late", age.creditor, detail=day(age.data_on))


def _of_proofs(now: datetime, proofs: Sequence[Mapping[str, Any]]) -> Iterator[Alarm]:
    if not proofs:
        yield _alarm("never_verified")
        return
    at, faults = datetime.fromisoformat(proofs[0]["detail"]), int(proofs[0]["count"] or 0)
    if faults:
        yield _alarm("faults", count=faults)
    if now - at > PROVEN_WITHIN:
        yield _alarm("not_verified", detail=day(at.date()))


def _of_failures(folder: Path, now: datetime) -> Iterator[Alarm]:
    if not folder.is_dir():
        return
    times = [file.stat().st_mtime for file in islice(scandir(folder), MOST_FILES)]
    new = [time for time in times if time >= (now - FAILED_WITHIN).timestamp()]
    if new:
        yield _alarm("failures", count=len(new), detail=day(datetime.fromtimestamp(max(new), UTC).date()))
