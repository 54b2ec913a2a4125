"""What a view of the past covers: which creditor and shard, as of which date, with what was recorded by which instant.

The queries are plain text with marks (`:day`, `:visible(v)` …) that a scope fills in. Only dates, instants and whole
numbers ever go in, so no text from outside can.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from maatpak.kernel.calendars import BANK, add_working_days
from maatpak.ledger.tables import visible
from tasks.payers import PAYING

STEP_DAYS = 400
"""Calendar days that actions outside rounds, and calls, are looked back upon."""
CONTACT_DAYS = 60
"""Calendar days that always hold the last 20 working days, and the wait for an approval before them."""

_MARK = re.compile(r"(?<!:):([a-z][a-z0-9_]*)(?:\(([\w.]+)\))?")


def months_before(day: date, months: int) -> date:
    """The same day of the month so many months earlier, or that month's last day."""
    month = day.year * 12 + day.month - 1 - months
    year, month = divmod(month, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class Scope:
    """One view: everything the facts are computed from depends on this and on the rows, and on nothing else."""

    creditor_id: int
    as_of: date
    known_at: datetime
    shard: int = 0
    shards: int = 1
    case_ids: tuple[int, ...] | None = None
    """Only these cases, where not all are asked for."""

    @property
    def is_whole(self) -> bool:
        """Whether it covers every case of the creditor."""
        return self.shards == 1 and self.case_ids is None

    def months_ago(self, months: int) -> date:
        """The last day that lies outside the window of so many months up to `as_of`."""
        return months_before(self.as_of, months)

    def days_ago(self, days: int) -> date:
        """`as_of` less so many calendar days."""
        return self.as_of - timedelta(days=days)

    @cached_property
    def last_bank_day(self) -> date:
        """The last bank day before `as_of`: an item is overdue when it was due on or before it, for then D is past."""
        return add_working_days(self.as_of, -1, BANK)

    def sql(self, template: str) -> str:
        """A query with its marks filled in."""
        return _MARK.sub(lambda mark: self._fill(mark[1], mark[2] or ""), template)

    def _fill(self, name: str, argument: str) -> str:
        if name.startswith("since_"):
            return _day(self.months_ago(int(name.removeprefix("since_").removesuffix("m"))))
        if name == "visible":
            return f"({visible(argument, self.as_of, self.known_at)})"
        if name in _OF_ACTION:
            return self.sql(_OF_ACTION[name].replace("$", argument))
        if name in ("in_shard", *_KEYS):
            return self._of_scope(name, argument)
        if name in _WITH_PAYERS:
            return self._with_payers(name, argument)
        return _PLAIN[name](self)

    def _of_scope(self, name: str, argument: str) -> str:
        if self.is_whole and name != "parties":
            return "TRUE"
        if name == "in_shard":
            return self._cases(argument)
        chosen = f'SELECT k.{_KEYS[name]} FROM "case" k WHERE {self._cases("k")}'  # noqa: S608 - numbers only
        return f"{argument} IN ({chosen})"

    def _with_payers(self, name: str, argument: str) -> str:
        """What belongs to the accounts that pay for those of the scope goes along with its own."""
        if self.is_whole and name == "people":
            return "TRUE"
        own, payer = _WITH_PAYERS[name]
        chosen = f'SELECT k.{own} FROM "case" k WHERE {self._cases("k")}'  # noqa: S608 - numbers only
        paid_for = f'AND x.debtor_id IN (SELECT k.debtor_id FROM "case" k WHERE {self._cases("k")})'  # noqa: S608
        payers = self.sql(f"SELECT y.{payer} {PAYERS}") + ("" if self.is_whole else paid_for)
        return f"{argument} IN ({chosen} UNION {payers})"

    def _cases(self, alias: str) -> str:
        conditions = [f"{alias}.creditor_id = {int(self.creditor_id)}"]
        if self.shards > 1:
            conditions.append(f"{alias}.shard_key % {int(self.shards)} = {int(self.shard)}")
        if self.case_ids is not None:
            ids = ",".join(str(int(case_id)) for case_id in self.case_ids)
            # Some facts are of the whole party, so the other cases of its debtors are looked at too.
            parties = f"SELECT o.party_id FROM \"case\" o WHERE o.id = ANY('{{{ids}}}'::bigint[])"  # noqa: S608
            conditions.append(f"{alias}.party_id IN ({parties})")
        return f"({' AND '.join(conditions)})"


_KEYS = {"cases": "id", "debtors": "debtor_id", "parties": "party_id"}
"""Marks that keep what belongs to the cases of the scope, and by which column of the case."""

PAYERS = f"{PAYING.format(x=':visible(x)', z=':visible(z)')} AND x.creditor_id = :creditor "

_WITH_PAYERS = {"people": ("debtor_id", "id"), "readers": ("party_id", "party_id")}
"""Marks that keep what belongs to the cases of the scope or to who pays for them: columns of the case, of the payer."""

_PLAIN: dict[str, Callable[[Scope], str]] = {
    "creditor": lambda scope: str(int(scope.creditor_id)),
    "day": lambda scope: _day(scope.as_of),
    "instant": lambda scope: f"TIMESTAMPTZ '{scope.known_at.astimezone(UTC).isoformat()}'",
    "last_bank_day": lambda scope: _day(scope.last_bank_day),
    "steps_since": lambda scope: _day(scope.days_ago(STEP_DAYS)),
    "contacts_since": lambda scope: _day(scope.days_ago(CONTACT_DAYS)),
}

_OF_ACTION = {
    "known": (
        "(GREATEST($.proposed_at, $.approved_at, $.started_at, $.ended_at) <= :instant"
        " AND ($.executed_on IS NULL OR $.executed_on <= :day))"
    ),
    "state": (
        "(CASE WHEN :known($) THEN $.state"
        " WHEN $.started_at <= :instant THEN 'in_progress'"
        " WHEN $.approved_at <= :instant THEN 'approved'"
        " WHEN $.approvals_needed > 0 THEN 'awaiting_approval' ELSE 'proposed' END)"
    ),
    "of_open_round": "(r.closed_at IS NULL OR r.closed_at > :instant OR r.closed_on > :day)",
}
"""Whether all that an action's row says had happened by then, the state it had then, and whether its round was open."""


def _day(day: date) -> str:
    return f"DATE '{day.isoformat()}'"
