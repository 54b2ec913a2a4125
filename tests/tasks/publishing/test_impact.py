"""The impact sheet of one change at a time: what it is called, whom it meets, and what a move adds to it."""

from collections.abc import Callable

import pytest

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.errors import RefusedError
from maatpak.ledger.tables import Action, Event, RoundCourse, Tick
from policies.pack import load_pack, standard_pack_files
from tasks.impact import ImpactSheet, impact
from tests.tasks.act.conftest import case_id, demand, house
from tests.tasks.act.house import House, at

__all__ = ["case_id", "demand", "house"]

Files = dict[str, str]


def _replaced(name: str, old: str, new: str) -> Callable[[str], Files]:
    def change(segment: str) -> Files:
        files, path = standard_pack_files(), name.format(segment=segment)
        assert old in files[path]
        return {**files, path: files[path].replace(old, new)}

    return change


def _sheet(house: House, change: Callable[[str], Files], *, move: bool) -> ImpactSheet:
    segment = next((row.segment for row in house.rows(RoundCourse)), "forgetful")
    pack = load_pack(change(segment))
    return impact(house.engine, house.creditor_id, pack, house.day, at(house.day), move_running=move)


def _kinds(sheet: ImpactSheet) -> set[str]:
    return {str(count.kind) for count in sheet.counts}


FIRST_RULE = _replaced("segments.yaml", "when: key_account\n", "when: asked_amount >= 100000\n")
DEARER = _replaced("guardrails.yaml", "tolerance: 500\n", "tolerance: 200000\n")
TAIL = "fragments/tail.yaml"
STRICTER = _replaced(
    TAIL,
    "working days, escalating: true, approval: credit_manager",
    "working days, escalating: true, approval: finance_director",
)
NO_DEMAND = _replaced(TAIL, "'not_heard')\", rating: -6", "'not_heard') AND asked_amount > 900000\", rating: -6")
OTHER_WORDS = _replaced("templates/en/final_demand.j2", "\n", "\n{# more #}\n")


@pytest.mark.parametrize(
    ("change", "kinds"),
    [(FIRST_RULE, {"segment", "acts", "waits", "other_step"}), (DEARER, {"no_round", "waits"})],
    ids=["segment", "limit"],
)
def test_a_case_that_is_to_begin(house: House, change: Callable[[str], Files], kinds: set[str]) -> None:
    before = [house.count(each) for each in (Event, Tick, Action)]
    sheet = _sheet(house, change, move=False)
    assert _kinds(sheet) & kinds
    assert [house.count(each) for each in (Event, Tick, Action)] == before, "it only looks"
    (row,) = sheet.changed.to_dicts()
    assert row["overdue_open"] == 150_000
    assert {(count.cases, count.overdue, count.currency) for count in sheet.counts} == {(1, 150_000, "EUR")}


@pytest.mark.stage("demanding")
@pytest.mark.parametrize(
    ("change", "moved"),
    [
        (STRICTER, {"taken_back", "reason"}),
        (NO_DEMAND, {"taken_back", "acts", "beside", "skips", "fewer_messages"}),
        (DEARER, {"taken_back", "reason"}),
        (OTHER_WORDS, {"taken_back", "acts"}),
    ],
    ids=["approval", "condition", "limit", "words"],
)
def test_a_round_that_runs(house: House, demand: Action, change: Callable[[str], Files], moved: set[str]) -> None:
    """It keeps its version and sees the newest limits; moved, its proposal is taken back, and made anew: at once where
    its journey is the same, else after the five working days of rule 4."""
    house.go_to(add_working_days(house.day, 1, "NL"))
    stays, goes = _sheet(house, change, move=False), _sheet(house, change, move=True)
    assert _kinds(stays) == ({"reason"} if change is DEARER else set())
    assert (stays.moved, goes.moved, goes.kept) == (0, 1, 0)
    (row,) = goes.changed.to_dicts()
    assert set(row["kinds"]) == moved
    assert (row["before_pack_id"], row["after_pack_id"]) == (demand.pack_id, 0)
    assert (row["before_reason"], row["before_next_step"]) == ("approval_open", "final_demand")


def test_only_of_the_business_date(house: House) -> None:
    pack = load_pack(standard_pack_files())
    day = add_working_days(house.day, 1, "NL")
    with pytest.raises(RefusedError, match="effects need the business date"):
        impact(house.engine, house.creditor_id, pack, day, at(day), move_running=False)
