"""Bounces, feedback reports and deliveries that nobody here wrote: each must be told apart."""

import csv
from collections import defaultdict
from pathlib import Path

import pytest

from connectors.inbox.incoming import Action, Incoming, IncomingKind
from connectors.inbox.reading import read_mail

NOT_BOUNCED = ("feedback", "vacation", "delivered")


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "bounces"


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, list[dict[str, str]]]:
    rows = defaultdict(list)
    with (folder / "expected.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            rows[row["file"]].append(row)
    return dict(rows)


def _told(read: Incoming) -> str:
    failed = [each for each in read.results if each.action in (Action.FAILED, Action.DELAYED)]
    if not failed:
        return "not bounced"
    return "hard" if any(each.hard for each in failed) else "soft"


def _wanted(rows: list[dict[str, str]]) -> str:
    if all(row["expected_reason"] in NOT_BOUNCED for row in rows):
        return "not bounced"
    return "hard" if any(row["expected_hard_bounce"] == "1" for row in rows) else "soft"


def test_nineteen_of_twenty_are_told_right(folder: Path, expected: dict[str, list[dict[str, str]]]) -> None:
    read = {name: read_mail((folder / name).read_bytes()) for name in expected}
    wrong = [
        f"{name}: {_told(read[name])} instead of {_wanted(rows)} ({rows[0]['expected_reason']}), {read[name].results}"
        for name, rows in sorted(expected.items())
        if _told(read[name]) != _wanted(rows)
    ]
    print(*wrong, sep="\n")  # noqa: T201 - shown when it fails, and with -s
    assert len(wrong) <= len(expected) * 0.05, "\n".join(wrong)


def test_no_address_is_condemned_by_what_is_no_bounce(folder: Path, expected: dict[str, list[dict[str, str]]]) -> None:
    harmless = [name for name, rows in expected.items() if _wanted(rows) == "not bounced"]
    assert harmless
    assert {name for name in harmless if _told(read_mail((folder / name).read_bytes())) == "hard"} == set()
    complaints = [name for name in harmless if expected[name][0]["expected_reason"] == "feedback"]
    assert {read_mail((folder / name).read_bytes()).kind for name in complaints} == {IncomingKind.COMPLAINT}
