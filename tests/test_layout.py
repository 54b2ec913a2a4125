"""The rooms are plain import packages of this checkout, and no module takes a name of the standard library's."""

import importlib
import re
import sys
import tomllib
from pathlib import Path

import pytest

CITED = r"\b(law|rule)s? (\d+(?:(?:, | and )\d+)*)"
LONGEST = 460
LONGEST_OF_TESTS = 700
"""Tables of cases are long, and are read case by case."""
ROOT = Path(__file__).parents[1]
PACKAGES: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"][
    "targets"
]["wheel"]["packages"]


def modules(package: str) -> list[Path]:
    return [path for path in (ROOT / package).rglob("*.py") if "__pycache__" not in path.parts]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_is_named_like_one_of_the_standard_librarys(package: str) -> None:
    """Prefect puts a flow file's folder first on the path; a `calendar.py` there would shadow the real one."""
    names = {path.stem for path in modules(package)} | {path.parent.name for path in modules(package)}
    assert not (names - {"__init__", "__main__"}) & sys.stdlib_module_names


@pytest.mark.parametrize("package", PACKAGES)
def test_the_package_comes_from_this_checkout(package: str) -> None:
    found = importlib.import_module(package).__file__
    assert found is not None
    assert Path(found).resolve() == ROOT / package / "__init__.py"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_is_a_package_and_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()
    folders = {path.parent for path in modules(package)}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("package", [*PACKAGES, "tests", "benchmarks"])
def test_files_stay_short(package: str) -> None:
    """A reader holds a file in their head; a migration is written by a machine."""
    longest = LONGEST_OF_TESTS if package == "tests" else LONGEST
    lines = {
        path.relative_to(ROOT): path.read_text(encoding="utf-8").count("\n")
        for path in modules(package)
        if "versions" not in path.parts
    }
    assert {str(path): count for path, count in lines.items() if count > longest} == {}


def test_the_folders_of_the_design_are_the_packages() -> None:
    assert PACKAGES == ["maatpak", "policies", "connectors", "tasks", "flows", "deployments"]


def test_every_law_and_rule_that_gives_a_reason_can_be_read() -> None:
    told = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    laws, rules = (set(re.findall(r"^(\d+)\. ", part, re.MULTILINE)) for part in told.split("\n## ")[1:])
    assert (len(laws), len(rules)) == (13, 30)
    cited: dict[str, set[str]] = {"law": set(), "rule": set()}
    for path in (path for package in [*PACKAGES, "tests"] for path in modules(package)):
        for kind, numbers in re.findall(CITED, path.read_text(encoding="utf-8").lower()):
            cited[kind] |= set(re.findall(r"\d+", numbers))
    assert cited["law"] == laws, "each of them is a reason somewhere"
    assert cited["rule"] <= rules
