"""A fact: one column of a facts frame, with its name, type, unit and meaning."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import polars as pl
from polars.datatypes import DataTypeClass


@dataclass(frozen=True)
class Fact:
    """One named, typed, documented column."""

    name: str
    dtype: DataTypeClass
    unit: str
    meaning: str
    group: str
    values: tuple[str, ...] = ()
    """For an enum: every value it can have."""


def group(
    group: str, *facts: tuple[str, DataTypeClass, str, str] | tuple[str, Iterable[StrEnum | str], str]
) -> list[Fact]:
    """Facts that belong together: (name, type, unit, meaning), or (name, words of an enum, meaning)."""
    made = []
    for fact in facts:
        if len(fact) == 3:
            name, words, meaning = fact
            made.append(Fact(name, pl.String, "enum", meaning, group, tuple(str(word) for word in words)))
        else:
            name, dtype, unit, meaning = fact
            made.append(Fact(name, dtype, unit, meaning, group))
    return made
