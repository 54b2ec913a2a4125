"""The page on sources names every key and every column as the code does, and its example is read without a finding."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from connectors.ledgers.canonical import fault_of, map_files, type_columns
from connectors.ledgers.columns import TABLES, Column
from connectors.ledgers.delimited import read_delimited
from connectors.ledgers.source import (
    Bounds,
    CreditorDefinition,
    Files,
    FileSpec,
    LedgerSource,
    NumberFormat,
    TotalRow,
)
from connectors.ledgers.source_file import parse_source

PAGE = (Path(__file__).parents[3] / "docs" / "sources.md").read_text(encoding="utf-8")


def _line(column: Column) -> str:
    listed = column.words if column.name not in ("country", "language") else ()
    words = f" One of {', '.join(f'`{word}`' for word in listed)}." if listed else ""
    needed = "yes" if column.required else ""
    return f"| `{column.name}` | {column.kind} | {needed} | {column.meaning}{words} |"


@pytest.mark.parametrize("table", TABLES)
def test_every_column_has_its_line(table: str) -> None:
    part = re.split(r"\n##+ ", PAGE.partition(f"\n### {table}\n")[2])[0]
    told = [line for line in part.splitlines() if line.startswith("| `")]
    assert told == [_line(column) for column in TABLES[table].values()]


@pytest.mark.parametrize(
    "model",
    [LedgerSource, CreditorDefinition, Files, FileSpec, NumberFormat, TotalRow, Bounds],
    ids=lambda model: model.__name__,
)
def test_every_key_is_named(model: type[BaseModel]) -> None:
    for name in model.model_fields:
        assert re.search(rf"`{name}`|\b{name}: …", PAGE), name


def test_bounds_stand_with_their_defaults() -> None:
    for name, field in Bounds.model_fields.items():
        default = "none" if name == "control_total" else field.default
        assert f"| `{name}` | {default} |" in PAGE, name


def test_the_example_is_read_without_a_finding() -> None:
    text, content = re.findall(r"```(?:yaml|csv)\n(.*?)```", PAGE, re.DOTALL)
    source = parse_source("books.yaml", text)
    assert source.files.items is not None
    assert source.role_of("items.csv") == "items"
    mapped = map_files(source, "items", [read_delimited("items.csv", content.encode(), source.files.items)])
    assert (mapped.faults, mapped.broken.height) == ((), 0)
    frame = type_columns(source, mapped, "EUR")
    assert not any(frame[name].sum() for name in frame.columns if name.endswith(fault_of("")))
    assert frame["open_amount"].to_list() == [100_000, 9_995]
    assert frame["email"].to_list() == ["debtor-10042@customers.example", "debtor-10043@customers.example"]
