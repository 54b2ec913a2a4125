"""What a credit manager wants to read after a stretch of days, as tables on a terminal."""

from collections.abc import Callable

import polars as pl
from rich.console import Console
from rich.table import Table

from maatpak.demo.figures import Figures
from maatpak.demo.story import Story
from maatpak.kernel.money import format_money

WAITING_SHOWN = 12
SEGMENTS = ("key", "strained", "new", "habitual", "forgetful", "prompt")
STEP_ORDER = ("email", "sms", "post")


def show(console: Console, figures: Figures, story: Story | None) -> None:
    """Print everything, the most urgent first."""
    console.rule(f"[bold]{figures.start:%d %B %Y} to {figures.as_of:%d %B %Y}[/bold]")
    for table in (
        _position(figures),
        *_ageing(figures),
        _waiting(figures),
        _sent(figures),
        _came_back(figures),
        _lost(figures),
        _silent(figures),
        _received(figures),
        _people(figures),
        _gate(figures),
    ):
        console.print(table)
        console.print()
    _experience(console, figures)
    if story is not None:
        console.print(_story(story))
    console.print(
        f"Fingerprint of these figures: [bold]{figures.fingerprint[:16]}[/bold] (the same seed gives the same)"
    )


def _table(title: str, *columns: tuple[str, bool], caption: str | None = None) -> Table:
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left", title_style="bold")
    for name, number in columns:
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    return table


def _position(figures: Figures) -> Table:
    table = _table(
        "Where we stand",
        ("House", False), ("Open", True), ("Overdue", True), ("Overdue share", True), ("DSO", True),
        caption="DSO: open balance over the sales of the last 90 days, in days",
    )  # fmt: skip
    for row in figures.dso.iter_rows(named=True):
        money = _money(row["currency"])
        days = "–" if row["dso"] is None else f"{row['dso']:.1f}"
        table.add_row(row["house"], money(row["open"]), money(row["overdue"]), f"{row['share']:.1%}", days)
    return table


def _ageing(figures: Figures) -> list[Table]:
    bands = ("not due", "1–30", "31–60", "61–90", "over 90")
    tables = []
    for (currency,), rows in figures.ageing.partition_by("currency", as_dict=True, maintain_order=True).items():
        table = _table(
            f"What is owed in {currency}, by segment and days past due",
            ("Segment", False), ("Cases", True), ("Overdue", True),
            *[(band, True) for band in bands], ("Asked for", True),
            caption="Asked for: overdue less credits, cash, disputes, promises, plans and claims",
        )  # fmt: skip
        money = _money(str(currency))
        order = {name: place for place, name in enumerate(SEGMENTS)}
        for row in sorted(rows.iter_rows(named=True), key=lambda row: order.get(row["segment"], 99)):
            amounts = [money(row[band]) for band in bands]
            table.add_row(
                row["segment"] or "–", f"{row['cases']:,}", f"{row['overdue cases']:,}", *amounts, money(row["asked"])
            )
        tables.append(table)
    return tables


def _waiting(figures: Figures) -> Table:
    waiting = figures.waiting
    table = _table(
        f"Waits for approval: {len(waiting)}",
        ("House", False), ("Customer", False), ("Step", False), ("Amount", True), ("Needs", False), ("Since", False),
        caption=None if len(waiting) <= WAITING_SHOWN else f"the {WAITING_SHOWN} largest",
    )  # fmt: skip
    for row in waiting.head(WAITING_SHOWN).iter_rows(named=True):
        needs = f"{row['needed']} × {row['role']}" + (f", {row['given']} given" if row["given"] else "")
        table.add_row(
            row["house"], f"{row['name']} ({row['debtor_no']})", f"{row['segment']}: {row['step']}",
            format_money(row["amount"], row["currency"]), needs, f"{row['since']:%d %b}",
        )  # fmt: skip
    return table


def _sent(figures: Figures) -> Table:
    table = _table(
        "What went out, by step and channel",
        ("Segment", False),
        ("Step", False),
        *[(name, True) for name in STEP_ORDER],
        ("Total", True),
    )
    counted = figures.sent.pivot("channel", index=["segment", "step"], values="number", aggregate_function="sum")
    for row in counted.sort("segment", "step").iter_rows(named=True):
        numbers = [row.get(name) or 0 for name in STEP_ORDER]
        table.add_row(
            row["segment"], row["step"], *[f"{number:,}" if number else "" for number in numbers], f"{sum(numbers):,}"
        )
    return table


def _came_back(figures: Figures) -> Table:
    table = _table(
        "What came back of it",
        ("", False), ("Sent", True), ("Arrived", True), ("Did not arrive", True), ("Answers", True),
        ("Automatic replies", True), ("STOP", True),
        caption="Arrived: as far as anybody told; many mail servers and the post do not",
    )  # fmt: skip
    for row in figures.came_back.iter_rows():
        table.add_row(row[0], *[f"{number:,}" if number else "" for number in row[1:]])
    return table


def _lost(figures: Figures) -> Table:
    table = _table("What did not arrive, and what followed", ("", False), ("", False))
    for title, name in (
        ("why", "lost"),
        ("addresses by now", "addresses"),
        ("went another way", "another way"),
        ("addresses looked for", "mended"),
    ):
        table.add_row(title, _listed(figures.counted[name]))
    return table


def _silent(figures: Figures) -> Table:
    table = _table("Why an overdue case got no step on the last day", ("Reason", False), ("Cases", True))
    for reason, cases in figures.silent.rows():
        table.add_row(reason, f"{cases:,}")
    return table


def _received(figures: Figures) -> Table:
    table = _table(
        "Cash that came in, by week",
        ("House", False), ("Week of", False), ("Received", True), ("Asked for before", True),
        caption="Asked for before: a message of the fortnight before the payment named that item",
    )  # fmt: skip
    for row in figures.received.iter_rows(named=True):
        money = _money(row["currency"])
        table.add_row(row["house"], f"{row['week']:%d %b}", money(row["amount"]), money(row["asked"] or 0))
    return table


def _people(figures: Figures) -> Table:
    table = _table("What people said and did", ("", False), ("", False))
    for name in ("calls", "said", "promises", "disputes", "plans", "work", "actions", "stopped"):
        table.add_row(name, _listed(figures.counted[name]))
    kept = _rate(figures.counted["promises"])
    table.add_row("promises kept", "–" if kept is None else f"{kept:.0%} of those that came due")
    return table


def _rate(promises: pl.DataFrame) -> float | None:
    numbers: dict[str, int] = dict(promises.rows())
    due = sum(numbers.get(word, 0) for word in ("kept", "partly_kept", "broken"))
    return numbers.get("kept", 0) / due if due else None


def _gate(figures: Figures) -> Table:
    table = _table("What the quality gate found", ("", False), ("", False))
    for name in ("gate", "rows apart"):
        table.add_row(name, _listed(figures.counted[name]))
    return table


def _experience(console: Console, figures: Figures) -> None:
    bands = ", ".join(f"{band}: {parties:,}" for band, parties in figures.experience.rows())
    colour = "green" if figures.wrongful == 0 else "red"
    console.print(f"Experience balance of the customers we touched – {bands or 'nobody yet'}")
    in_thousand = 1000 * figures.wrongful / max(figures.contacts, 1)
    rate = f" of {figures.contacts:,}, {in_thousand:.1f} in 1,000"
    causes = f" ({_listed(figures.counted['wrongful'])})" if figures.wrongful else ""
    console.print(f"Wrongful contacts: [bold {colour}]{figures.wrongful}[/]{rate}{causes}")
    console.print()


def _story(story: Story) -> Table:
    table = _table(
        f"One customer, day by day: {story.name} ({story.number}, {story.house})",
        ("Day", False),
        ("What happened", False),
        ("What was decided, and why", False),
    )
    for day, happened, why in story.lines:
        table.add_row(f"{day:%a %d %b}", happened, why)
    return table


def _listed(counted: pl.DataFrame) -> str:
    return ", ".join(f"{word} {number:,}" for word, number in counted.rows()) or "none"


def _money(currency: str) -> Callable[[int], str]:
    return lambda minor: format_money(minor, currency) if minor else ""
