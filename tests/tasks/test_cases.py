"""The list of cases shows the last decisions of every shard, filtered, and cases that nobody decided yet."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from maatpak.kernel.errors import UsageError
from tasks.cases import DECIDED, CaseFilter, list_cases
from tests.ledger.world import DAY, World, pass_over, small_world

if TYPE_CHECKING:
    from tasks.engine import Engine


def tick(engine: "Engine", creditor: int, day: date, shard: int, shards: int, *rows: dict[str, Any]) -> None:
    types: dict[str, Any] = dict.fromkeys(DECIDED, pl.String) | {
        "case_id": pl.Int64,
        "asked_amount": pl.Int64,
        "overdue_open": pl.Int64,
        "due_on": pl.Date,
        "next_on": pl.Date,
    }
    key = engine.store.put_frame("decisions", pl.DataFrame(list(rows), schema=types))
    with engine.database.session() as session:
        session.add(pass_over(creditor, key, business_date=day, shard=shard, shards=shards))


def decided(case: int, asked: int, **more: Any) -> dict[str, Any]:
    return {"case_id": case, "segment": "prompt", "outcome": "none", "reason": "wait", "asked_amount": asked, **more}


@pytest.fixture
def worlds(engine: "Engine") -> tuple[World, World]:
    """Two creditors with a case each."""
    with engine.database.session() as session:
        return small_world(session), small_world(session, 2)


def found(engine: "Engine", **wanted: Any) -> list[tuple[int, int | None]]:
    return [(case["case_id"], case["asked_amount"]) for case in list_cases(engine, CaseFilter(**wanted))]


def test_cases_without_a_decision_are_listed_too(engine: "Engine", worlds: tuple[World, World]) -> None:
    one, other = worlds
    assert sorted(found(engine)) == [(one.case, None), (other.case, None)]


def test_the_newest_pass_counts(engine: "Engine", worlds: tuple[World, World]) -> None:
    one, other = worlds
    tick(engine, one.creditor, DAY, 0, 1, decided(one.case, 100))
    tick(engine, one.creditor, DAY + timedelta(days=1), 0, 2, decided(one.case, 300))
    tick(engine, one.creditor, DAY + timedelta(days=1), 1, 2)
    tick(engine, one.creditor, DAY + timedelta(days=1), 0, 2, decided(one.case, 250))
    tick(engine, other.creditor, DAY, 0, 1, decided(other.case, 700))
    assert found(engine) == [(other.case, 700), (one.case, 250)]


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({"creditor": "C1"}, True),
        ({"creditor": "C2"}, False),
        ({"debtor": "d1"}, True),
        ({"debtor": "ålph"}, True),
        ({"debtor": "."}, False),
        ({"segment": "prompt"}, True),
        ({"segment": "prompt", "reason": "hold"}, False),
        ({"reason": "wait"}, True),
        ({"reason": "hold"}, False),
        ({"at_least": "1.00"}, True),
        ({"at_least": "1"}, True),
        ({"at_least": "1.01"}, False),
        ({"acting": True}, False),
    ],
    ids=str,
)
def test_filters(engine: "Engine", worlds: tuple[World, World], wanted: dict[str, Any], fits: bool) -> None:
    one, _ = worlds
    tick(engine, one.creditor, DAY, 0, 1, decided(one.case, 100))
    assert ((one.case, 100) in found(engine, **wanted)) == fits


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"segment": "rich"}, "'rich' is no segment.*One of: prompt"),
        ({"reason": "mood"}, "'mood' is no reason.*legal_stop, data_stale"),
        ({"at_least": "12,50"}, "not an amount"),
    ],
)
def test_a_filter_that_nothing_can_fit_is_refused(
    engine: "Engine", worlds: tuple[World, World], wanted: dict[str, Any], told: str
) -> None:
    tick(engine, worlds[0].creditor, DAY, 0, 1, decided(worlds[0].case, 100))
    with pytest.raises(UsageError, match=told):
        list_cases(engine, CaseFilter(**wanted))


def test_an_unknown_creditor_is_told(engine: "Engine", worlds: tuple[World, World]) -> None:
    with pytest.raises(UsageError, match="There are: C1, C2"):
        list_cases(engine, CaseFilter(creditor="C9"))
