"""Writes the page of the facts from their dictionary: `python -m policies.facts_page`."""

from itertools import groupby
from pathlib import Path

from policies.context_facts import CONTEXT
from policies.fact import Fact
from policies.fact_frames import ITEM_COLUMNS, STEP_COLUMNS
from policies.facts import FACTS

PAGE = Path(__file__).parents[1] / "docs" / "facts.md"

INTRODUCTION = """# The facts

What is known of a case as of a date, one row a case. Written by `python -m policies.facts_page` from the dictionary in
`policies/facts.py`; a test compares the two. Money is in minor units of the case's currency, a share lies between 0 and
1, `d` are calendar days, `WD` working days of the customer's country. Where nothing is said of null there is always a
value: 0, false or `none`.

## Facts that rules may name
"""

BESIDE = """
## What the engine itself reads

Rules may not name these.
"""

FRAMES = """
## Beside the facts

The *items* of a case are its open invoices and debit notes, oldest first: {items}.

The *steps* of a case are the actions of its open round, and those outside rounds of the last 400 days: {steps}.
"""


def page() -> str:
    """The whole page."""
    frames = FRAMES.format(items=_names(ITEM_COLUMNS), steps=_names(STEP_COLUMNS))
    return INTRODUCTION + _tables(FACTS) + BESIDE + _tables(CONTEXT) + frames


def _tables(facts: dict[str, Fact]) -> str:
    parts = []
    for group, members in groupby(facts.values(), key=lambda fact: fact.group):
        rows = [f"| `{fact.name}` | {_kind(fact)} | {fact.unit} | {_meaning(fact)} |" for fact in members]
        parts.append("\n".join([f"\n### {group.capitalize()}\n", "| name | type | unit | meaning |", *RULE, *rows, ""]))
    return "".join(parts)


RULE = ("|---|---|---|---|",)


def _kind(fact: Fact) -> str:
    return str(fact.dtype()).lower().removesuffix("64")


def _meaning(fact: Fact) -> str:
    values = f" One of {', '.join(f'`{value}`' for value in fact.values)}." if fact.values else ""
    return fact.meaning.replace("|", "\\|") + values


def _names(columns: dict[str, object] | object) -> str:
    assert isinstance(columns, dict)
    return ", ".join(f"`{name}`" for name in columns)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
