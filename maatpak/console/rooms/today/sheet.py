"""Today: what waits, how the money stands, how customers fare with us, and what is not as it should be."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from maatpak.console.charts.series import figures_of
from maatpak.console.frame.asking import Asking
from maatpak.console.rooms.today.alarms import Alarm, read_alarms
from maatpak.console.rooms.today.charts import Chart, charts_of
from maatpak.console.rooms.today.runs import DataAge, Run, read_ages, read_runs
from maatpak.console.rooms.today.showing import Tile, tile_of
from maatpak.console.rooms.today.waiting import Waiting, read_waiting
from maatpak.kernel.words import Role, Stage
from tasks.access.visitor import SeenCreditor
from tasks.figures import CreditorFigures, FigureValue

MONEY = ("overdue", "overdue_90", "dso", "add", "cei", "promises_kept", "write_offs", "expected")
BESIDE = {"dso": ("dso_count_back", "dso_best"), "promises_kept": ("promises_kept_value",)}
"""Other ways to reckon the same, which stand on its tile."""
CARE = ("experience", "wrongful_contacts", "answer_days", "bought_again")
COMPARED = ("overdue", "overdue_90", "dso", "add", "cei", "promises_kept", "experience", "wrongful_contacts")
PACKS = "SELECT DISTINCT pack_id FROM creditor_pack WHERE replaced_at IS NULL AND creditor_id = ANY(:creditors)"
OURS_TO_MEND = "customer"
"""The key of what no department of ours must mend."""


@dataclass(frozen=True)
class Compared:
    """A creditor beside others."""

    creditor: str
    name: str
    link: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Part:
    """How customers of one segment fare with us, or those whose last round went as far as a stage."""

    name: str
    customers: int | None
    """Of a segment."""
    experience: Decimal | None
    """Mean balance of a segment, in points."""
    worn: int | None
    """Customers whose balance is −6 or lower."""
    rounds: int
    """Closed 90 to 365 days ago."""
    again: Decimal | None
    """Percent of these whose customer bought again within 90 days; None: there were none."""
    cases_link: str | None
    worn_link: str | None
    rounds_link: str


@dataclass(frozen=True)
class Cause:
    """A department, and what is kept from us by what it must mend."""

    name: str
    currency: str
    amount: int
    """Overdue, minor units."""
    share: Decimal
    """Of all that is kept from us in this currency, with the causes above it; percent."""
    count: int
    """Cases."""
    days: Decimal | None
    """Mean days that the oldest item of these cases is late, whatever their currency."""
    link: str


@dataclass(frozen=True)
class Today:
    """The first page: of one creditor, or of all that the visitor may see beside each other."""

    creditor: str | None
    """Code of the one that was chosen, or of the only one; None: all."""
    creditors: list[DataAge]
    waiting: list[Waiting]
    runs: list[Run]
    alarms: list[Alarm]
    figures_on: date | None
    """The date of the figures of one creditor; None where there are none yet."""
    tiles: list[Tile]
    """How the money of one creditor stands."""
    care: list[Tile]
    """How its customers fare with us."""
    compared: list[Compared]
    """Without a creditor chosen: each of them."""
    charts: list[Chart]
    segments: list[Part]
    stages: list[Part]
    causes: list[Cause]


def read_today(asking: Asking) -> Today:
    """The page's context.

    Raises:
        UsageError: a creditor is chosen that the visitor does not see.
    """
    seen = asking.seen
    sees_figures = asking.visitor.role is not Role.ADMINISTRATOR
    figures = figures_of(asking.session, seen) if sees_figures else ()
    own = figures[0] if len(seen) == 1 and figures else None
    currency = seen[0].currency if seen else ""
    ages = read_ages(asking)
    return Today(
        creditor=seen[0].code if len(seen) == 1 else None,
        creditors=ages,
        waiting=read_waiting(asking),
        runs=read_runs(asking),
        alarms=read_alarms(asking, ages),
        figures_on=own.business_date if own else None,
        tiles=_tiles(own, MONEY, currency),
        care=_tiles(own, CARE, currency),
        compared=[] if own else list(_compared(figures, seen)),
        charts=charts_of(figures, seen),
        segments=_segments(own) if own else [],
        stages=_stages(own) if own else [],
        causes=_causes(asking, figures, seen),
    )


def _tiles(own: CreditorFigures | None, names: Sequence[str], currency: str) -> list[Tile]:
    if own is None:
        return []
    found = [
        (own.whole(name), [value for other in BESIDE.get(name, ()) for value in own.whole(other)]) for name in names
    ]
    return [tile_of(values, currency, others) for values, others in found if values]


def _compared(figures: Sequence[CreditorFigures], seen: Sequence[SeenCreditor]) -> Iterator[Compared]:
    by_id = {each.id: each for each in seen}
    for own in figures:
        of = by_id[own.creditor_id]
        yield Compared(of.code, of.name, f"/?creditor={of.code}", tuple(_tiles(own, COMPARED, of.currency)))


def _by_key(own: CreditorFigures, name: str, dimension: str) -> dict[str, FigureValue]:
    return {each.key: each for each in own.parts(name, dimension)}


def _segments(own: CreditorFigures) -> list[Part]:
    feels, worn, again = (_by_key(own, name, "segment") for name in ("experience", "experience_low", "bought_again"))
    return [_part(key, feels.get(key), worn.get(key), again.get(key)) for key in sorted({*feels, *again})]


def _stages(own: CreditorFigures) -> list[Part]:
    again = _by_key(own, "bought_again", "stage")
    return [_part(stage, None, None, again[stage]) for stage in ("none", *Stage) if stage in again]


def _part(key: str, feels: FigureValue | None, worn: FigureValue | None, again: FigureValue | None) -> Part:
    return Part(
        name=key,
        customers=feels.count if feels else None,
        experience=feels.value if feels else None,
        worn=int(worn.value or 0) if worn else None,
        rounds=again.count if again else 0,
        again=again.value if again else None,
        cases_link=feels.made_of if feels else None,
        worn_link=worn.made_of if worn else None,
        rounds_link=again.made_of if again else "",
    )


def _causes(asking: Asking, figures: Sequence[CreditorFigures], seen: Sequence[SeenCreditor]) -> list[Cause]:
    """By currency, the creditors' own before others, the largest first; creditors of one currency are summed."""
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    late: dict[str, tuple[Decimal, int]] = {}
    for own in figures:
        for each in own.parts("reasons", "department"):
            amount, count = sums.get((each.currency, each.key), (0, 0))
            sums[each.currency, each.key] = (amount + int(each.value or 0), count + each.count)
        for each in own.parts("reason_days", "department"):
            days, count = late.get(each.key, (Decimal(0), 0))
            late[each.key] = (days + (each.value or 0) * each.count, count + each.count)
    if not sums:
        return []
    stated = _reasons_by_department(asking)
    chosen = f"&creditor={seen[0].code}" if len(seen) == 1 else ""
    first = {each.currency for each in seen}

    def placed(each: tuple[tuple[str, str], tuple[int, int]]) -> tuple[bool, str, int]:
        (currency, _), (amount, _) = each
        return currency not in first, currency, -amount

    causes, above = [], dict.fromkeys((currency for currency, _ in sums), 0)
    for (currency, key), (amount, count) in sorted(sums.items(), key=placed):
        above[currency] += amount
        whole = sum(part for (money, _), (part, _) in sums.items() if money == currency)
        days, cases = late.get(key, (Decimal(0), 0))
        says = ",".join(stated.get(key, ()))
        link = f"/cases?overdue=yes&says={says}&currency={currency}{chosen}"
        share = Decimal(above[currency] * 100) / (whole or 1)
        causes.append(Cause(key, currency, amount, share, count, days / cases if cases else None, link))
    return causes


def _reasons_by_department(asking: Asking) -> Mapping[str, list[str]]:
    """What customers say that a department must mend, by the packs that count; all else is theirs."""
    from policies.schema import Turn

    found: dict[str, dict[str, None]] = {}
    for row in asking.rows(PACKS, creditors=asking.creditors):
        for reason, line in asking.engine.pack(row["pack_id"]).reasons.items():
            found.setdefault(line.owner if line.turn is Turn.OURS else OURS_TO_MEND, {})[str(reason)] = None
    return {department: list(reasons) for department, reasons in found.items()}
