"""What one message is about, and the days that it names, counted as its customer counts them."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from maatpak.kernel.calendars import BANK, add_working_days
from policies.journey import Step
from tasks.compose.outlook import Next
from tasks.compose.reading import Row
from tasks.compose.recipients import Customer

USUAL_TERM = 5
"""Working days in which we ask for a payment or a word, where the journey does not say."""
LONGEST_TERM = 10
"""Later than this we do not ask for a word, even if nothing comes before."""
ON_THE_WAY = 3
"""Working days that a letter travels; a demand's date counts from its delivery."""


@dataclass(frozen=True)
class Subject:
    """The actions of one customer that one message serves, with what it needs to say."""

    actions: tuple[Row, ...]
    items: tuple[Row, ...]
    step: Step
    creditor: Row
    customer: Customer
    profile: Row
    outlook: Next | None
    as_of: date

    @property
    def totals(self) -> dict[str, int]:
        """What is asked, by currency."""
        totals: dict[str, int] = {}
        for item in self.items:
            totals[item["currency"]] = totals.get(item["currency"], 0) + item["asked"]
        return totals

    def in_working_days(self, count: int) -> date:
        """A date counted in the customer's working days."""
        return _in_working_days(self.as_of, count, self.customer.country)


@lru_cache(maxsize=4096)
def _in_working_days(day: date, count: int, country: str) -> date:
    return add_working_days(day, count, country)


def reply_by(subject: Subject) -> date:
    """The term that we give: over, and what was paid on its last day booked, before the next step may come."""
    if subject.outlook is None:
        return subject.in_working_days(subject.step.term or USUAL_TERM)
    following = subject.in_working_days(subject.outlook.working_days)
    longest = subject.in_working_days(subject.step.term or LONGEST_TERM)
    return max(min(booked_by(following, subject.customer.country), longest), subject.in_working_days(1))


@lru_cache(maxsize=4096)
def booked_by(day: date, country: str) -> date:
    """The last working day whose payments a bank has booked by that day: a bank day comes after it."""
    before = add_working_days(day + timedelta(days=1), -2, BANK)
    return add_working_days(before + timedelta(days=1), -1, country)
