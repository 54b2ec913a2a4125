"""The checks before a placement, each in each of its states, and which record counts (rule 20)."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from maatpak.kernel.checks import CheckKind
from policies.guardrails import PlacementLimits
from policies.pack import standard_pack_files
from policies.placing import RECORDS, SUBJECTS, judge

TODAY = date(2026, 3, 2)
LIMITS = PlacementLimits(identity_months=12, address_months=12, register_days=14, limitation_margin_days=90)
SUBJECT: dict[str, Any] = {
    "action_id": 1,
    "creditor_id": 1,
    "debtor_id": 7,
    "country": "NL",
    "due_on": date(2026, 1, 30),
    "credit": 0,
    "name_at": 100,
    "has_address": True,
    "address_at": 100,
    "address_on": date(2025, 9, 1),
    "address_lost": False,
}


def subjects(*changes: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{**SUBJECT, **change} for change in changes or ({},)], schema=SUBJECTS)


def record(kind: str, until: int | None = None, **changes: Any) -> dict[str, Any]:
    """A record that counts until so many days from today."""
    licence = kind == CheckKind.AGENCY_LICENCE
    row = {
        "check_id": 1,
        "creditor_id": 1,
        "debtor_id": None if licence else 7,
        "country": "NL" if licence else None,
        "kind": kind,
        "result": "clear",
        "source": "extract 12",
        "actor": "olga",
        "checked_on": TODAY - timedelta(days=3),
        "until_on": TODAY + timedelta(days=100 if until is None else until),
        "recorded_at": 200,
        "item_due_on": date(2026, 1, 30) if kind == CheckKind.LIMITATION else None,
    }
    return {**row, **changes}


def state_of(
    kind: str,
    *records: dict[str, Any],
    limits: PlacementLimits = LIMITS,
    **changes: Any,
) -> tuple[str, date | None]:
    """Where a check stands, and until when it counts."""
    judged = judge(subjects(changes), pl.DataFrame(records, schema=RECORDS), limits, TODAY)
    assert judged["kind"].to_list() == list(CheckKind)
    row = judged.row(by_predicate=pl.col("kind") == kind, named=True)
    return row["state"], row["until_on"]


LOOKED_UP = (CheckKind.IDENTITY, CheckKind.INSOLVENCY_REGISTER, CheckKind.AGENCY_LICENCE)


@pytest.mark.parametrize("kind", LOOKED_UP)
@pytest.mark.parametrize(
    ("records", "state"),
    [
        ([], "missing"),
        ([{}], "fine"),
        ([{"until": 0}], "fine"),
        ([{"until": -1}], "expired"),
        ([{"result": "failed"}], "failed"),
        ([{"result": "failed", "until": -1}], "failed"),
        ([{}, {"result": "failed", "check_id": 2}], "failed"),
        ([{"result": "failed"}, {"check_id": 2}], "fine"),
    ],
    ids=["none", "clear", "last day", "a day late", "failed", "failed long ago", "failed since", "clear since"],
)
def test_what_a_person_looks_up(kind: CheckKind, records: list[dict[str, Any]], state: str) -> None:
    assert state_of(kind, *(record(kind, **each) for each in records))[0] == state


def test_who_is_insolvent_is_not_clear() -> None:
    kind = CheckKind.INSOLVENCY_REGISTER
    assert state_of(kind, record(kind, result="insolvent"))[0] == "failed"


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"debtor_id": 8}, "missing"),
        ({"recorded_at": 99}, "missing"),
        ({"recorded_at": 100}, "fine"),
    ],
    ids=["of another customer", "of an earlier name", "of this name"],
)
def test_an_identity_is_that_of_the_name_it_has_now(changes: dict[str, Any], state: str) -> None:
    assert state_of(CheckKind.IDENTITY, record("identity", **changes))[0] == state


@pytest.mark.parametrize(
    "changes", [{"country": "BE"}, {"creditor_id": 2}], ids=["of another country", "of another creditor"]
)
def test_a_licence_is_for_a_country_of_a_creditor(changes: dict[str, Any]) -> None:
    assert state_of(CheckKind.AGENCY_LICENCE, record("agency_licence", **changes))[0] == "missing"


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "fine"),
        ({"address_on": date(2025, 3, 2)}, "fine"),
        ({"address_on": date(2025, 3, 1)}, "expired"),
        ({"address_on": None}, "missing"),
        ({"has_address": False}, "missing"),
        ({"address_lost": True}, "failed"),
    ],
    ids=["young", "of a year ago", "a day older", "never told", "not whole", "a letter came back"],
)
def test_the_address(changes: dict[str, Any], state: str) -> None:
    assert state_of(CheckKind.ADDRESS, **changes)[0] == state


def test_who_confirmed_the_address_is_named_while_theirs_is_the_newest_word() -> None:
    confirmed = record("address", checked_on=date(2025, 9, 1))
    for address_on, actor in ((date(2025, 9, 1), "olga"), (date(2025, 10, 1), None)):
        judged = judge(subjects({"address_on": address_on}), pl.DataFrame([confirmed], schema=RECORDS), LIMITS, TODAY)
        row = judged.row(by_predicate=pl.col("kind") == "address", named=True)
        assert (row["checked_on"], row["actor"]) == (address_on, actor)


@pytest.mark.parametrize(("credit", "state"), [(0, "fine"), (1, "failed")])
def test_nothing_of_the_customers_lies_unapplied(credit: int, state: str) -> None:
    assert state_of(CheckKind.CREDIT, credit=credit)[0] == state


@pytest.mark.parametrize(
    ("until", "result", "state"),
    [(90, "clear", "fine"), (89, "clear", "expired"), (-1, "clear", "expired"), (400, "failed", "failed")],
    ids=["the margin is left", "too near", "past", "barred"],
)
def test_a_limitation_that_a_person_recorded(until: int, result: str, state: str) -> None:
    told = record("limitation", until, result=result)
    assert state_of(CheckKind.LIMITATION, told)[0] == state


@pytest.mark.parametrize(
    ("months", "due_on", "expected"),
    [
        ({}, date(2026, 1, 30), ("missing", None)),
        ({"BE": 60}, date(2026, 1, 30), ("missing", None)),
        ({"NL": 60}, date(2026, 1, 30), ("fine", date(2031, 1, 30))),
        ({"NL": 1}, date(2026, 1, 30), ("expired", date(2026, 2, 28))),
        ({"NL": 60}, date(2021, 5, 31), ("fine", date(2026, 5, 31))),
        ({"NL": 60}, date(2021, 5, 30), ("expired", date(2026, 5, 30))),
    ],
)
def test_a_limitation_that_the_pack_says(
    months: dict[str, int], due_on: date, expected: tuple[str, date | None]
) -> None:
    limits = LIMITS.model_copy(update={"limitation_months": months})
    assert state_of(CheckKind.LIMITATION, limits=limits, due_on=due_on) == expected


def test_what_a_person_recorded_of_an_item_goes_before_the_pack_and_counts_for_younger_ones() -> None:
    limits = LIMITS.model_copy(update={"limitation_months": {"NL": 1}})
    older = record("limitation", 100, item_due_on=date(2025, 1, 1))
    younger = record("limitation", 500, item_due_on=date(2026, 2, 28), check_id=2)
    assert state_of(CheckKind.LIMITATION, older, younger, limits=limits) == ("fine", TODAY + timedelta(days=100))
    assert state_of(CheckKind.LIMITATION, younger, limits=limits)[0] == "expired"
    nearest = record("limitation", 10, check_id=3)
    assert state_of(CheckKind.LIMITATION, nearest, older, limits=limits)[0] == "expired"


def test_many_are_judged_as_each_alone() -> None:
    changes: list[dict[str, Any]] = [
        {"action_id": 1},
        {"action_id": 2, "debtor_id": 8, "credit": 5},
        {"action_id": 3, "country": "BE", "address_lost": True},
    ]
    records = pl.DataFrame([record(kind, check_id=at) for at, kind in enumerate(CheckKind)], schema=RECORDS)
    together = judge(subjects(*changes), records, LIMITS, TODAY)
    assert together.equals(pl.concat([judge(subjects(each), records, LIMITS, TODAY) for each in changes]))


def test_the_standard_pack_says_no_limitation_that_nobody_verified() -> None:
    files = standard_pack_files()
    (guardrails,) = (text for name, text in files.items() if name.endswith("guardrails.yaml"))
    assert not [line for line in guardrails.splitlines() if "limitation_months" in line and not line.startswith("#")]
