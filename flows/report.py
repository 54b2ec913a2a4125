"""What a run shows on Prefect's page: counts, codes and ids as Markdown, and where to look further. No names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST_CASES = 100
"""Case ids that one artifact lists."""

CASES = "Cases (at most "
ROW = re.compile(r"\| (.+) \| (\d+) \|")
NOT_KEY = re.compile(r"[^a-z0-9]+")


def artifact_key(*parts: object) -> str:
    """The name of an artifact: the same part of the same work always has the same, so its versions line up."""
    return NOT_KEY.sub("-", " ".join(map(str, parts)).lower()).strip("-")


def as_report(title: str, counts: Mapping[str, int], case_ids: Sequence[int] = (), link: str | None = None) -> str:
    """Counts as a table, the first cases as ids, and a link."""
    lines = [f"### {title}", ""]
    if counts:
        lines += ["| what | how many |", "|---|---:|", *(f"| {what} | {count} |" for what, count in counts.items()), ""]
    else:
        lines += ["Nothing to do.", ""]
    if case_ids:
        shown = ", ".join(map(str, case_ids[:MOST_CASES]))
        lines += [f"{CASES}{MOST_CASES}): {shown}", "", "`maatpak cases` and `maatpak explain` show them.", ""]
    if link:
        lines += [f"[This run and its neighbours]({link})", ""]
    return "\n".join(lines)


@dataclass(frozen=True)
class Report:
    """What an artifact says."""

    title: str
    counts: Mapping[str, int]
    case_ids: tuple[int, ...]
    """At most a hundred."""


def read_report(markdown: str) -> Report:
    """What `as_report` wrote."""
    lines = markdown.splitlines()
    rows = [ROW.fullmatch(line) for line in lines]
    listed = [line.partition(": ")[2] for line in lines if line.startswith(CASES)]
    return Report(
        title=lines[0].removeprefix("### ") if lines else "",
        counts={row[1]: int(row[2]) for row in rows if row is not None},
        case_ids=tuple(int(each) for each in listed[0].split(", ")) if listed else (),
    )
