"""The figures recomputed without a query: plain loops over the rows of the tables, slow and plain to read.

Only the segment of a case is taken from what the date's tick decided.
"""

import calendar
from collections import defaultdict
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from maatpak.kernel.calendars import working_days_between
from maatpak.ledger.tables import (
    Action,
    Answer,
    Case,
    Creditor,
    DebtorProfile,
    Item,
    ItemVersion,
    Message,
    Promise,
    Round,
    RoundCourse,
    Snapshot,
    StatedReason,
    Tick,
    Touch,
)
from tests.tasks.act.house import House

Key = tuple[str, str, str, str]
"""Name, dimension, key, currency."""
DEBTS = ("invoice", "debit_note")
STAGES = ("prepare", "remind", "listen", "solve", "demand", "handoff")
OURS = {"price": "sales", "lost_invoice": "billing"}
"""Departments of the reasons that the world states; every other is the customer's."""


class Oracle:
    """A creditor's rows as of a date, as known at an instant."""

    def __init__(self, house: House, as_of: date, now: datetime) -> None:
        self.house, self.as_of, self.now = house, as_of, now
        self.since = as_of - timedelta(days=90)
        self.out: dict[Key, tuple[int | None, int]] = {}
        self.cases = {(case.debtor_id, case.currency): case for case in house.all_rows(Case)}
        self.by_id = {case.id: case for case in self.cases.values()}
        self.versions = house.all_rows(ItemVersion)
        self.segments = self._segments()

    def seen(self, rows: list[Any], as_of: date | None = None) -> list[Any]:
        """The versions that count."""
        day = as_of or self.as_of
        return [
            row
            for row in rows
            if row.valid_from <= day
            and row.recorded_at <= self.now
            and (row.replaced_at is None or row.replaced_at > self.now or row.replaced_from > day)
        ]

    def figures(self) -> dict[Key, tuple[int | None, int]]:
        """Every figure: (value as it is kept, count)."""
        (creditor,) = self.house.all_rows(Creditor)
        now_seen = [row for row in self.seen(self.versions) if row.item_type in DEBTS]
        money = {creditor.currency, *(row.currency for row in now_seen if self._open(row) or row.issued_on)}
        for currency in money:
            self._ledger(currency, [row for row in now_seen if row.currency == currency])
            self._promises(currency)
        for currency in {row.currency for row in self.seen(self.versions)} | {creditor.currency}:
            self._credits(currency)
            self._write_offs(currency)
        self._promises(None)
        self._disputed(now_seen)
        self._experience()
        self._contacts()
        self._answers()
        self._again()
        self._reasons(now_seen)
        return self.out

    def _put(self, name: str, value: float | None, count: int = 0, *rest: str) -> None:
        dimension, key, currency = (*rest, "", "", "")[:3]
        self.out[name, dimension, key, currency] = (None if value is None else round(value), count)

    def _open(self, row: ItemVersion, day: date | None = None) -> int:
        late = row.settled_on is not None and row.settled_on > (day or self.as_of)
        return row.amount if late else row.open_amount

    def _segments(self) -> dict[int, str]:
        found: dict[int, str] = {}
        for tick in self.house.all_rows(Tick):
            if tick.business_date == self.as_of:
                frame = self.house.engine.store.get_frame(tick.decisions_evidence)
                found |= {row["case_id"]: row["segment"] for row in frame.to_dicts()}
        return found

    def _delay(self, case: Case) -> int:
        """The median delay of what the customer paid in twelve months, up to whole days."""
        year_ago = self.as_of.replace(year=self.as_of.year - 1)
        delays = [
            (row.settled_on - row.due_on).days
            for row in self.seen(self.versions)
            if (row.debtor_id, row.currency) == (case.debtor_id, case.currency)
            and row.open_amount == 0
            and row.item_type in DEBTS
            and row.settled_by in ("payment", "debit")
            and row.settled_on is not None
            and year_ago < row.settled_on <= self.as_of
        ]
        middle = median(delays) if delays else 0
        return int(middle) if middle == int(middle) else int(middle // 1) + 1

    def _ledger(self, currency: str, rows: list[ItemVersion]) -> None:
        sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        weeks: dict[str, list[int]] = {
            (self.as_of + timedelta(days=7 * week)).isoformat(): [0, 0] for week in range(13)
        }
        buckets = ("current", "1-30", "31-60", "61-90", "90+")
        for bucket in buckets:
            sums["", bucket] = [0, 0]
        for row in rows:
            amount = self._open(row)
            if not amount:
                continue
            case = self.cases[row.debtor_id, currency]
            late = (self.as_of - row.due_on).days
            bucket = buckets[(late > 0) + (late > 30) + (late > 60) + (late > 90)]
            for segment in ("", self.segments[int(case.id or 0)]):
                sums[segment, bucket][0] += amount
                sums[segment, bucket][1] += 1
            day = max(self.as_of, row.due_on + timedelta(days=self._delay(case)))
            starts = [start for start in weeks if start != "later" and start <= day.isoformat()]
            start = max(starts)
            if (day - date.fromisoformat(start)).days >= 7:
                start = "later"
            entry = weeks.setdefault(start, [0, 0])
            entry[0] += amount
            entry[1] += 1
        for segment in {segment for segment, _ in sums}:
            whose = ("segment", segment) if segment else ("", "")
            for name, which in (("open", buckets), ("overdue", buckets[1:]), ("overdue_90", buckets[4:])):
                found = [sums[segment, bucket] for bucket in which if (segment, bucket) in sums]
                self._put(name, sum(each[0] for each in found), sum(each[1] for each in found), *whose, currency)
        for (segment, bucket), (amount, count) in sums.items():
            whose = ("segment_bucket", f"{segment}:{bucket}") if segment else ("bucket", bucket)
            self._put("ageing", amount, count, *whose, currency)
        for start, (amount, count) in weeks.items():
            self._put("expected", amount, count, "week", start, currency)
        soon = [each for start, each in weeks.items() if start != "later"]
        self._put("expected", sum(each[0] for each in soon), sum(each[1] for each in soon), "", "", currency)
        self._days(currency, rows, sums)

    def _days(self, currency: str, rows: list[ItemVersion], sums: dict[tuple[str, str], list[int]]) -> None:
        found = [each for (segment, _), each in sums.items() if not segment]
        whole, count, current = sum(each[0] for each in found), sum(each[1] for each in found), sums["", "current"][0]
        sales = sum(row.amount for row in rows if self.since < row.issued_on <= self.as_of)
        dso = whole / sales * 90 if sales else None
        best = current / sales * 90 if sales else None
        self._put("dso", dso and dso * 100, count, "", "", currency)
        self._put("dso_best", None if best is None else best * 100, count, "", "", currency)
        add = None if dso is None or best is None else (dso - best) * 100
        self._put("add", add, count, "", "", currency)
        self._put("dso_count_back", self._counted_back(rows, whole), count, "", "", currency)
        before = [row for row in self.seen(self.versions, self.since) if row.item_type in DEBTS]
        beginning = sum(
            self._open(row, self.since) for row in before if row.currency == currency and row.issued_on <= self.since
        )
        known = any(snapshot.as_of <= self.since for snapshot in self.house.all_rows(Snapshot))
        top, bottom = beginning + sales - whole, beginning + sales - current
        self._put("cei", top / bottom * 10_000 if known and bottom > 0 else None, count, "", "", currency)

    def _counted_back(self, rows: list[ItemVersion], whole: int) -> float | None:
        """Day by day: each is worth its month's sales over the month's days."""
        sales: dict[tuple[int, int], int] = defaultdict(int)
        for row in rows:
            if row.issued_on <= self.as_of:
                sales[row.issued_on.year, row.issued_on.month] += row.amount
        left, day, counted = float(whole), self.as_of, 0.0
        while left > 1e-6:
            month = (day.year, day.month)
            is_first = month == (self.as_of.year, self.as_of.month)
            days = self.as_of.day if is_first else calendar.monthrange(*month)[1]
            worth = sales[month] / days
            if (self.as_of - day).days > 700:
                return None
            counted += 1 if worth < left or not worth else left / worth
            left -= worth
            day -= timedelta(days=1)
        return counted * 100

    def _credits(self, currency: str) -> None:
        for name, kind in (("credit_notes", "credit_note"), ("unallocated", "payment")):
            rows = [
                self._open(row)
                for row in self.seen(self.versions)
                if row.item_type == kind and row.currency == currency and self._open(row)
            ]
            if rows:
                self._put(name, sum(rows), len(rows), "", "", currency)

    def _write_offs(self, currency: str) -> None:
        months: dict[str, list[int]] = defaultdict(list)
        year_ago = self.as_of.replace(year=self.as_of.year - 1)
        for row in self.seen(self.versions):
            if row.currency != currency or row.settled_by != "write_off" or row.item_type not in DEBTS:
                continue
            assert row.settled_on is not None
            if not year_ago < row.settled_on <= self.as_of:
                continue
            before = [each for each in self.versions if each.item_id == row.item_id and each.id < row.id]
            months[f"{row.settled_on:%Y-%m}"].append(before[-1].open_amount if before else row.amount)
        for month, amounts in months.items():
            self._put("write_offs", sum(amounts), len(amounts), "month", month, currency)
        (creditor,) = self.house.all_rows(Creditor)
        if months or currency == creditor.currency:
            flat = [amount for amounts in months.values() for amount in amounts]
            self._put("write_offs", sum(flat), len(flat), "", "", currency)

    def _promises(self, currency: str | None) -> None:
        due = [
            row
            for row in self.seen(self.house.all_rows(Promise))
            if self.since < row.promised_on <= self.as_of
            and row.state in ("kept", "partly_kept", "broken")
            and currency in (None, self.by_id[row.case_id].currency)
        ]
        kept = [row for row in due if row.state == "kept"]
        if currency is None:
            self._put("promises_kept", len(kept) / len(due) * 10_000 if due else None, len(due))
            return
        (creditor,) = self.house.all_rows(Creditor)
        if due or currency == creditor.currency:
            part, whole = sum(row.amount for row in kept), sum(row.amount for row in due)
            self._put("promises_kept_value", part / whole * 10_000 if whole else None, len(due), "", "", currency)

    def _disputed(self, rows: list[ItemVersion]) -> None:
        """What the ledger itself calls disputed of items that are overdue for long; the world has no other."""
        found: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            if row.disputed_amount and (self.as_of - row.due_on).days > 10:
                found[row.currency].append(min(row.disputed_amount, self._open(row)))
        for currency, amounts in found.items():
            self._put("disputed", sum(amounts), len(amounts), "", "", currency)

    def _experience(self) -> None:
        year_ago = self.as_of.replace(year=self.as_of.year - 1)
        balance: dict[int, int] = defaultdict(int)
        good: set[tuple[int, date]] = set()
        for touch in self.house.all_rows(Touch):
            if not year_ago < touch.touched_on <= self.as_of or touch.recorded_at > self.now:
                continue
            if touch.rating > 0:
                if (touch.party_id, touch.touched_on) in good:
                    continue
                good.add((touch.party_id, touch.touched_on))
            balance[touch.party_id] += touch.rating
        parties: dict[str, set[int]] = defaultdict(set)
        for case_id, segment in self.segments.items():
            parties[segment].add(self.by_id[case_id].party_id)
            parties[""].add(self.by_id[case_id].party_id)
        for segment, members in parties.items():
            values = [max(-36, min(12, balance[party])) for party in members]
            whose = ("segment", segment) if segment else ("", "")
            self._put("experience", sum(values) / len(values) * 100, len(values), *whose)
            low = sum(value <= -6 for value in values)
            self._put("experience_low", low, low, *whose)

    def _contacts(self) -> None:
        sent = [
            row
            for row in self.house.all_rows(Message)
            if row.written and row.state == "sent" and self.since < row.sent_on <= self.as_of
        ]
        wrong = [
            row for row in self.house.all_rows(Touch) if row.wrongful and self.since < row.touched_on <= self.as_of
        ]
        self._put("wrongful_contacts", len(wrong) / len(sent) * 100_000 if sent else None, len(sent))

    def _answers(self) -> None:
        country = {row.debtor_id: row.country for row in self.seen(self.house.all_rows(DebtorProfile))}
        waits = []
        for row in self.seen(self.house.all_rows(Answer)):
            if self.since < row.received_on <= self.as_of:
                read = row.read_on if row.read_on is not None and row.read_on <= self.as_of else self.as_of
                waits.append(working_days_between(row.received_on, read, country[row.debtor_id]))
        self._put("answer_days", sum(waits) / len(waits) * 100 if waits else None, len(waits))

    def _again(self) -> None:
        groups: dict[tuple[str, str], list[bool]] = defaultdict(list)
        rounds, items, actions = (self.house.all_rows(table) for table in (Round, Item, Action))
        courses = self.seen(self.house.all_rows(RoundCourse))
        for row in rounds:
            if row.closed_on is None or row.closed_at > self.now:
                continue
            if not 90 <= (self.as_of - row.closed_on).days < 365:
                continue
            (course,) = [each for each in courses if each.round_id == row.id]
            done = [
                each
                for each in actions
                if each.round_id == row.id and each.state == "executed" and each.executed_on <= self.as_of
            ]
            done.sort(key=lambda each: (STAGES.index(each.stage), each.executed_on, each.id))
            debtor = self.by_id[row.case_id].debtor_id
            again = any(
                item.debtor_id == debtor
                and item.item_type == "invoice"
                and item.recorded_at <= self.now
                and 0 < (item.issued_on - row.closed_on).days <= 90
                for item in items
            )
            groups["", ""].append(again)
            groups["segment", course.segment].append(again)
            groups["stage", done[-1].stage if done else "none"].append(again)
            groups["step", done[-1].step if done else "none"].append(again)
        groups["", ""] = groups["", ""]
        for (dimension, key), found in groups.items():
            share = sum(found) / len(found) * 10_000 if found else None
            self._put("bought_again", share, len(found), dimension, key)

    def _reasons(self, rows: list[ItemVersion]) -> None:
        newest: dict[int, StatedReason] = {}
        for said in self.seen(self.house.all_rows(StatedReason)):
            if said.stated_on <= self.as_of and (self.as_of - said.stated_on).days <= 90:
                newest[said.case_id] = said
        groups: dict[tuple[str, str, str], list[tuple[int, int]]] = defaultdict(list)
        for case_id, said in newest.items():
            case = self.by_id[case_id]
            overdue = [
                (self._open(row), (self.as_of - row.due_on).days)
                for row in rows
                if (row.debtor_id, row.currency) == (case.debtor_id, case.currency)
                and self._open(row)
                and row.due_on < self.as_of
            ]
            if overdue:
                entry = (sum(amount for amount, _ in overdue), max(late for _, late in overdue))
                groups["reason", said.reason, case.currency].append(entry)
                groups["department", OURS.get(said.reason, "customer"), case.currency].append(entry)
        days: dict[tuple[str, str], list[int]] = defaultdict(list)
        for (dimension, key, currency), found in groups.items():
            self._put("reasons", sum(amount for amount, _ in found), len(found), dimension, key, currency)
            days[dimension, key] += [late for _, late in found]
        for (dimension, key), lates in days.items():
            self._put("reason_days", sum(lates) / len(lates) * 100, len(lates), dimension, key)
