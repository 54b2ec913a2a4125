"""What each figure is: its title, unit, formula in a sentence, source, and the list that it is made of.

A tile explains itself from here, and so does the documentation of the API.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Unit(StrEnum):
    """What a figure's value is counted in, and how it is kept."""

    MONEY = "money"
    DAYS = "days"
    WORKING_DAYS = "working_days"
    PERCENT = "percent"
    PER_THOUSAND = "per_thousand"
    POINTS = "points"
    COUNT = "count"

    @property
    def scale(self) -> int:
        """How many of what is kept make one: money is kept in minor units, counts whole, all else in hundredths."""
        return 1 if self in (Unit.MONEY, Unit.COUNT) else 100


class Better(StrEnum):
    """Which way is good."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"


@dataclass(frozen=True)
class Definition:
    """One figure. `made_of` links to the list behind it: of the whole under `''`, of one part under its dimension."""

    name: str
    title: str
    unit: Unit
    formula: str
    source: str
    made_of: MappingProxyType[str, str]
    counts: str
    """What its count counts."""
    better: Better = Better.LOWER
    dimensions: tuple[str, ...] = field(init=False)
    """By what it is divided, beside the whole."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "dimensions", tuple(each for each in self.made_of if each))

    def link(self, dimension: str = "", key: str = "", currency: str = "") -> str:
        """Path and query of the console's list behind one value."""
        first, _, second = key.partition(":")
        return self.made_of[dimension].format(key=key, first=first, second=second, currency=currency)


def _figure(
    name: str,
    title: str,
    unit: Unit,
    counts: str,
    formula: str,
    source: str,
    better: Better = Better.LOWER,
    **made_of: str,
) -> Definition:
    links = {"" if dimension == "whole" else dimension: link for dimension, link in made_of.items()}
    return Definition(name, title, unit, formula, source, MappingProxyType(links), counts, better)


LEDGER = "The ledger, as of the date."
CREDITGURU = "creditguru.com"
ITEMS = "/items?currency={currency}"
OVERDUE = f"{ITEMS}&overdue=yes"
WRITE_OFFS = "/write-offs?currency={currency}"
ROUNDS = "/rounds?closed=yes"

_ALL = (
    _figure(
        "open",
        "Open",
        Unit.MONEY,
        "items",
        "Open amount of all invoices and debit notes, before credit notes and unallocated cash.",
        LEDGER,
        Better.NEITHER,
        whole=ITEMS,
        segment=f"{ITEMS}&segment={{key}}",
    ),
    _figure(
        "overdue",
        "Overdue",
        Unit.MONEY,
        "items",
        "Open amount past its contractual due date, in calendar days.",
        LEDGER,
        whole=OVERDUE,
        segment=f"{OVERDUE}&segment={{key}}",
    ),
    _figure(
        "overdue_90",
        "Overdue beyond 90 days",
        Unit.MONEY,
        "items",
        "Open amount more than 90 calendar days past its due date.",
        LEDGER,
        whole=f"{ITEMS}&bucket=90%2B",
        segment=f"{ITEMS}&bucket=90%2B&segment={{key}}",
    ),
    _figure(
        "ageing",
        "Ageing",
        Unit.MONEY,
        "items",
        "Open amount by calendar days past the due date; current is not yet due.",
        "faqifrs.com",
        Better.NEITHER,
        bucket=f"{ITEMS}&bucket={{key}}",
        segment_bucket=f"{ITEMS}&segment={{first}}&bucket={{second}}",
    ),
    _figure(
        "credit_notes",
        "Unused credit notes",
        Unit.MONEY,
        "credit notes",
        "Open amount of credit notes, which open and overdue do not take off.",
        LEDGER,
        whole=f"{ITEMS}&type=credit_note",
    ),
    _figure(
        "unallocated",
        "Unallocated cash",
        Unit.MONEY,
        "payments",
        "Money received that nobody has allocated, which open and overdue do not take off.",
        LEDGER,
        whole=f"{ITEMS}&type=payment",
    ),
    _figure(
        "disputed",
        "Disputed",
        Unit.MONEY,
        "cases",
        "Disputed part of what is overdue, which open and overdue contain.",
        LEDGER,
        whole="/cases?disputed=yes&currency={currency}",
    ),
    _figure(
        "dso",
        "DSO",
        Unit.DAYS,
        "items",
        "Open ÷ invoiced in the last 90 days × 90.",
        CREDITGURU,
        whole=ITEMS,
    ),
    _figure(
        "dso_count_back",
        "DSO, counted back",
        Unit.DAYS,
        "items",
        "Days for which the newest months' invoices add up to what is open: each month taken off, its days added.",
        "highako.com",
        whole=ITEMS,
    ),
    _figure(
        "dso_best",
        "Best possible DSO",
        Unit.DAYS,
        "items",
        "Open and not yet due ÷ invoiced in the last 90 days × 90.",
        CREDITGURU,
        whole=f"{ITEMS}&overdue=no",
    ),
    _figure(
        "add",
        "Average days delinquent",
        Unit.DAYS,
        "items",
        "DSO − best possible DSO: the days that lateness costs.",
        CREDITGURU,
        whole=OVERDUE,
    ),
    _figure(
        "cei",
        "Collection effectiveness",
        Unit.PERCENT,
        "items",
        "Of what could be collected in 90 days, the part that was: (open before + invoiced − open) ÷"
        " (open before + invoiced − open and not yet due).",
        "Credit Research Foundation",
        Better.HIGHER,
        whole=OVERDUE,
    ),
    _figure(
        "write_offs",
        "Written off",
        Unit.MONEY,
        "items",
        "Open amount of items when they were written off, in the last 12 months.",
        LEDGER,
        whole=WRITE_OFFS,
        month=f"{WRITE_OFFS}&month={{key}}",
    ),
    _figure(
        "expected",
        "Expected cash",
        Unit.MONEY,
        "items",
        "Open items by due date + the customer's own median delay of 12 months, never before today; 13 weeks."
        " A baseline, without broken promises or disputes.",
        "Baseline to beat",
        Better.NEITHER,
        whole=ITEMS,
        week=ITEMS,
    ),
    _figure(
        "promises_kept",
        "Promises kept",
        Unit.PERCENT,
        "promises",
        "Kept ÷ due in the last 90 days. Kept: 98 % there by two bank days after the date.",
        "cbswebsite.com; Oracle Collections",
        Better.HIGHER,
        whole="/promises?due=90",
    ),
    _figure(
        "promises_kept_value",
        "Promised money kept",
        Unit.PERCENT,
        "promises",
        "Amount of promises kept ÷ amount of promises due in the last 90 days.",
        "cbswebsite.com; Oracle Collections",
        Better.HIGHER,
        whole="/promises?due=90&currency={currency}",
    ),
    _figure(
        "experience",
        "Experience",
        Unit.POINTS,
        "customers",
        "Mean balance of the rated touches of 12 months, +12 best, −36 worst.",
        "docs/concepts.md, experience",
        Better.HIGHER,
        whole="/cases?sort=experience_balance",
        segment="/cases?segment={key}&sort=experience_balance",
    ),
    _figure(
        "experience_low",
        "Customers we have worn out",
        Unit.COUNT,
        "customers",
        "Customers whose balance is −6 or lower: a person decides before we write again.",
        "docs/concepts.md, experience",
        whole="/cases?experience=poor",
        segment="/cases?experience=poor&segment={key}",
    ),
    _figure(
        "wrongful_contacts",
        "Wrongful contacts",
        Unit.PER_THOUSAND,
        "contacts",
        "Of a thousand letters and placements of the last 90 days, those that what we learned later speaks against.",
        "docs/concepts.md, wrongful contact",
        whole="/wrongful-contacts?since=90",
    ),
    _figure(
        "answer_days",
        "Days until we answered",
        Unit.WORKING_DAYS,
        "answers",
        "Mean working days from an answer of a customer until one of us had read it, or until today; last 90 days.",
        "docs/concepts.md, message",
        whole="/answers/all?received=90",
    ),
    _figure(
        "bought_again",
        "Bought again",
        Unit.PERCENT,
        "rounds",
        "Of the rounds that closed 90 to 365 days ago, those whose customer got a new invoice within 90 days.",
        "docs/concepts.md, round",
        Better.HIGHER,
        whole=ROUNDS,
        segment=f"{ROUNDS}&segment={{key}}",
        stage=f"{ROUNDS}&stage={{key}}",
        step=f"{ROUNDS}&step={{key}}",
    ),
    _figure(
        "reasons",
        "Why customers do not pay",
        Unit.MONEY,
        "cases",
        "Overdue amount of cases by the reason last stated in 90 days; the department is who must mend it.",
        "docs/concepts.md, reason for non-payment",
        reason="/cases?overdue=yes&says={key}&currency={currency}",
        department="/figures/reasons",
    ),
    _figure(
        "reason_days",
        "Days late by reason",
        Unit.DAYS,
        "cases",
        "Mean calendar days that the oldest overdue item of these cases is past due.",
        "docs/concepts.md, reason for non-payment",
        reason="/cases?overdue=yes&says={key}",
        department="/figures/reasons",
    ),
)

FIGURES: MappingProxyType[str, Definition] = MappingProxyType({figure.name: figure for figure in _ALL})
"""Name → definition, in the order in which a page shows them."""

MADE_OF: MappingProxyType[str, str] = MappingProxyType(
    {figure.name: figure.made_of.get("", next(iter(figure.made_of.values()))) for figure in _ALL}
)
"""Figure → path and query of the console's list that it is made of."""
