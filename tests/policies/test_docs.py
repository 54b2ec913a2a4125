"""The page for pack authors names every file, kind and key that the schema knows, and fits keys as the code does."""

import re
from pathlib import Path

import pytest

from maatpak.kernel.words import StepKind
from policies.compiling import FITS, NEEDS
from policies.guardrails import GuardrailsFile
from policies.reading import FOLDERS, SINGLE_FILES
from policies.schema import ChannelRule, ChannelsFile, IncludeLine, Only, PackFile, StepLine
from policies.timing import parse_limit, parse_moment, parse_recurrence

PAGE = (Path(__file__).parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `")]


def _words(cell: str) -> list[str]:
    return re.findall(r"`([a-z_]+)`", cell)


def test_every_file_has_its_line() -> None:
    for file in SINGLE_FILES:
        assert f"| `{file}` |" in PAGE
    for folder in FOLDERS:
        assert f"| `{folder}/<" in PAGE


@pytest.mark.parametrize("kind", StepKind)
def test_every_kind_of_step_says_what_it_needs(kind: StepKind) -> None:
    (row,) = [row for row in ROWS if row[0] == f"`{kind}`" and len(row) == 3]
    assert tuple(_words(row[2])) == NEEDS[kind]


def test_every_key_of_a_step_says_where_it_fits() -> None:
    told: dict[str, str] = {}
    for row in ROWS:
        keys = _words(row[0])
        if len(row) == 3 and set(keys) <= StepLine.model_fields.keys() - {"do"}:
            told |= dict.fromkeys(keys, row[1])
    assert told.keys() >= StepLine.model_fields.keys() - {"do"}
    for key, where in told.items():
        fits = FITS.get(key, frozenset(StepKind))
        if where == "any step":
            expected = set(StepKind)
        elif where.startswith("all but "):
            expected = set(StepKind) - {StepKind(kind) for kind in where.removeprefix("all but ").split(", ")}
        else:
            expected = {StepKind(kind) for kind in where.split(", ")}
        assert expected == fits, key


@pytest.mark.parametrize(
    "model", [PackFile, GuardrailsFile, ChannelsFile, IncludeLine], ids=lambda model: model.__name__
)
def test_other_keys_are_named(model: type[PackFile | GuardrailsFile | ChannelsFile | IncludeLine]) -> None:
    for name in model.model_fields:
        assert f"`{name}`" in PAGE, name


def test_words_are_named() -> None:
    for word in (*ChannelRule, *Only):
        assert word in PAGE


def test_the_examples_of_time_are_read() -> None:
    for text in re.findall(r"`every: ([^`]+)`", PAGE):
        assert str(parse_recurrence(text)) == text
    for text in re.findall(r"`at: ([^`]+)`", PAGE):
        assert str(parse_moment(text)) == text
    for text in re.findall(r"`until: ([^`]+)`", PAGE):
        parse_limit(text)
