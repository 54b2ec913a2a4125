"""What is recorded of one handing over: the statements for each outcome, and their values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from connectors.outcome import Failed, Held, NoService, Outcome, Sent, Unknown
from maatpak.kernel.words import Channel
from policies.reach import OF_STATE, Learned
from tasks.send.breaker import TAKEN
from tasks.send.claiming import Claimed
from tasks.today import RECORDED_AFTER

FIRST_PAUSE = timedelta(minutes=5)
"""A message that the service could not take waits, twice as long each time."""
LONGEST_PAUSE = timedelta(hours=4)
TRIED_FOR = timedelta(days=2)
"""After that its words are old: the message fails, and the case is looked at again. They begin with its first try, and
anew when a service comes back that was left alone: what waited for others is nothing against the message."""

AT = RECORDED_AFTER.format(now="%(now)s", creditor="%(creditor)s")
"""An outcome is not recorded before a look that could not see it. The creditor is locked: none begins meanwhile."""

SENT = f"""
WITH done AS (
  UPDATE message m SET state = 'sent', sent_on = %(on)s, sent_at = {AT}, ended_at = {AT}, service_ref = taken.ref,
    failure = NULL, reported_at = NULL, leased_by = NULL, leased_until = NULL
  FROM unnest(%(ids)s::bigint[], %(refs)s::text[]) AS taken (id, ref)
  WHERE m.id = taken.id AND m.state IN ('sending', 'unknown') RETURNING m.id, m.channel)
INSERT INTO evidence (message_id, kind, source, observed_on, recorded_at)
SELECT id, 'accepted', channel, %(on)s, {AT} FROM done ON CONFLICT DO NOTHING;
"""  # noqa: S608 - our own words

SENT_EACH = ("ids", "refs", "channels")
"""Values of `SENT` and `TAKEN` that are a message's own."""

FAILED = f"""
UPDATE message SET state = 'failed', failure = %(why)s, ended_at = {AT}, reported_at = NULL, leased_by = NULL,
  leased_until = NULL WHERE id = %(id)s AND state IN ('sending', 'unknown');
"""  # noqa: S608 - our own words

AGAIN = """
UPDATE message SET state = 'queued', failure = %(why)s, send_after = %(later)s,
  first_tried_at = COALESCE(first_tried_at, %(now)s), leased_by = NULL, leased_until = NULL
WHERE id = %(id)s AND state = 'sending';
"""

GIVEN_BACK = """
UPDATE message SET state = 'queued', tries = tries - 1, failure = %(why)s, leased_by = NULL, leased_until = NULL
WHERE id = %(id)s AND state = 'sending';
"""
"""That there was no service, or that we were killed, is no try of this message."""

UNKNOWN = f"""
UPDATE message SET state = 'unknown', failure = %(why)s, ended_at = {AT}, leased_by = NULL, leased_until = NULL
WHERE id = %(id)s AND state = 'sending';
"""  # noqa: S608 - our own words

STILL_UNKNOWN = """
UPDATE message SET leased_by = NULL, leased_until = NULL WHERE id = %(id)s AND state = 'unknown';
"""


@dataclass(frozen=True)
class Record:
    """Statements that record an outcome, their values, and how the delivery counts it."""

    statements: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    counted: str | None = None
    """sent, failed, unknown or postponed; None: not at all."""
    learned: Learned | None = None
    """What a refusal says of the address: it is recorded with it (tasks.send.refusing), and not in a group."""


class Recorder:
    """Records of one delivery."""

    def __init__(self, creditor_id: int, as_of: date, now: datetime, back: Mapping[Channel, datetime]) -> None:
        """`back` is when the services came back that had been left alone."""
        self._creditor_id = creditor_id
        self._as_of = as_of
        self._now = now
        self._back = back

    def of(self, each: Claimed, outcome: Outcome) -> Record:
        """What to record of a message that was handed over, or asked about."""
        values = {"id": each.message_id, "creditor": self._creditor_id, "on": self._as_of, "now": self._now}
        match outcome:
            case Sent(service_ref):
                del values["id"]
                taken = {
                    "ids": [each.message_id],
                    "refs": [service_ref and _plain(service_ref)],
                    "channels": [str(each.channel)],
                }
                # What is only found out now does not say that the service takes messages now.
                return Record(SENT + TAKEN if each.state == "queued" else SENT, {**values, **taken}, "sent")
            case Unknown(detail):
                again = each.state == "unknown"
                statements = STILL_UNKNOWN if again else UNKNOWN
                return Record(statements, {**values, "why": _plain(detail) or "unknown"}, None if again else "unknown")
            case NoService(code):
                return Record(GIVEN_BACK, {**values, "why": _plain(code)}, None)
            case Held():
                return Record()
            case Failed():
                return self._failed(each, values, outcome)

    def found(self, each: Claimed, outcome: Outcome, on: date) -> Record:
        """What to record of a message whose worker had written down that day what came of it, and was killed then."""
        if isinstance(outcome, Held):
            return self.given_back(each, "not handed over")
        record = self.of(replace(each, tries=each.tries - 1), outcome)  # its mark is counted already
        return replace(record, values={**record.values, "on": on})

    def given_back(self, each: Claimed, why: str) -> Record:
        """A message that was certainly not taken waits again."""
        return Record(GIVEN_BACK, {"id": each.message_id, "why": why})

    def together(self, records: Sequence[Record]) -> list[Record]:
        """The same in fewer statements: messages that were sent are recorded by one. The creditor is locked, shared."""
        sent: dict[tuple[date, datetime], list[Mapping[str, Any]]] = {}
        others = []
        for record in records:
            if record.statements == SENT + TAKEN:
                sent.setdefault((record.values["on"], record.values["now"]), []).append(record.values)
            else:
                others.append(record)
        for alike in sent.values():
            listed = {name: [each for values in alike for each in values[name]] for name in SENT_EACH}
            others.append(Record(SENT + TAKEN, {**alike[0], **listed}))
        return others

    def _failed(self, each: Claimed, values: dict[str, Any], failed: Failed) -> Record:
        tries, code = each.tries + 1, _plain(failed.code)
        first = each.first_tried_at or self._now
        since = max(first, self._back.get(each.channel, first))
        later = self._now + min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE)
        if failed.permanent:
            statements, counted, values = FAILED, "failed", {**values, "why": code}
        elif later > since + TRIED_FOR:
            why = f"given up after {tries} tries: {code}"
            statements, counted, values = FAILED, "failed", {**values, "why": why}
        else:
            statements, counted, values = AGAIN, "postponed", {**values, "why": code, "later": later}
        learned = OF_STATE[failed.address] if counted == "failed" and failed.address is not None else None
        return Record(statements, values, counted, learned)


def _plain(words: str) -> str:
    """A service's words without signs that no database takes."""
    return words.encode(errors="replace").decode().replace("\0", "")
