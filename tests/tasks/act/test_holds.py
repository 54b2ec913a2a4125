from datetime import date

import pytest

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import HoldReason
from maatpak.ledger.tables import Hold, WorkTask
from tasks.desk import Desk
from tasks.holds import HOLD_RULES, LIFT_CONFIRM, lift_hold, set_hold
from tasks.work import Outcome, finish_work
from tests.tasks.act.house import House

UNTIL = date(2026, 3, 5)


def test_every_reason_has_its_rule() -> None:
    assert set(HOLD_RULES) == set(HoldReason) - {HoldReason.NONE}


@pytest.mark.parametrize("reason", HOLD_RULES, ids=str)
def test_is_an_object_with_scope_reason_source_dates_and_who(house: House, case_id: int, reason: HoldReason) -> None:
    source = "insolvent" if reason == HoldReason.LEGAL_STOP else "person"
    with house.desk("mo") as desk:
        set_hold(desk, desk.case(case_id), reason, UNTIL, "asked", source=source)
    hold = house.row(Hold)
    assert (hold.reason, hold.scope, hold.source, hold.from_on, hold.until_on, hold.actor, hold.state) == (
        reason, "case", source, house.day, UNTIL, "mo", "active",
    )  # fmt: skip
    (event,) = house.rows_of_events("hold_set")
    assert event.body["hold"] == hold.hold_no


@pytest.mark.parametrize("reason", HOLD_RULES, ids=str)
def test_lasts_no_longer_than_its_reason_allows(house: House, case_id: int, reason: HoldReason) -> None:
    with house.desk("mo") as desk:
        case = desk.case(case_id)
        source = "insolvent" if reason == HoldReason.LEGAL_STOP else "person"
        longest = desk.in_working_days(case.debtor_id, HOLD_RULES[reason].longest)
        later = desk.in_working_days(case.debtor_id, HOLD_RULES[reason].longest + 1)
        with pytest.raises(RefusedError, match="lasts at most"):
            set_hold(desk, case, reason, later, "asked", source=source)
        set_hold(desk, case, reason, longest, "asked", source=source)


@pytest.mark.parametrize("reason", HOLD_RULES, ids=str)
def test_is_set_only_by_a_role_that_may(house: House, case_id: int, reason: HoldReason) -> None:
    source = "insolvent" if reason == HoldReason.LEGAL_STOP else "person"
    for who in ("olga", "carla", "anna", "mo", "frans", "audrey", "ada"):
        with house.desk(who) as desk:
            case = desk.case(case_id)
            if desk.person.role in HOLD_RULES[reason].sets:
                set_hold(desk, case, reason, UNTIL, "asked", source=source)
            else:
                with pytest.raises(RefusedError, match="may not set a hold"):
                    set_hold(desk, case, reason, UNTIL, "asked", source=source)


def test_is_lifted_by_a_new_version_not_by_forgetting(house: House, case_id: int) -> None:
    with house.desk("carla") as desk:
        number = set_hold(desk, desk.case(case_id), HoldReason.DATA, UNTIL, "asked").hold_no
    with house.desk("carla", 11) as desk:
        lift_hold(desk, number, "clear now")
        with pytest.raises(UsageError, match="no live hold"):
            lift_hold(desk, number, "again")
    assert house.row(Hold).state == "lifted"
    assert [hold.state for hold in house.all_rows(Hold)] == ["active", "lifted"]


def test_a_legal_stop_is_lifted_by_two_persons(house: House, case_id: int) -> None:
    with house.desk("carla") as desk:
        number = set_hold(
            desk, desk.case(case_id), HoldReason.LEGAL_STOP, UNTIL, "letter", scope="party", source="insolvent"
        ).hold_no
        with pytest.raises(RefusedError, match="may not lift"):
            lift_hold(desk, number, "over")
    with house.desk("mo") as desk:
        assert lift_hold(desk, number, "over") is None
    task = house.row(WorkTask, subject=LIFT_CONFIRM)
    assert house.row(Hold).state == "active"
    with house.desk("mo") as desk, pytest.raises(RefusedError, match="second person"):
        finish_work(desk, task.id, Outcome("agreed"))
    with house.desk("mia") as desk:
        finish_work(desk, task.id, Outcome("agreed"))
    assert (house.row(Hold).state, house.row(Hold).actor) == ("lifted", "mia")


def test_a_legal_stop_names_which(house: House, case_id: int) -> None:
    with house.desk("carla") as desk, pytest.raises(UsageError, match="no legal stop"):
        set_hold(desk, desk.case(case_id), HoldReason.LEGAL_STOP, UNTIL, "letter")


def test_nobody_unknown_or_gone_acts(house: House, case_id: int) -> None:
    with pytest.raises(RefusedError, match="nobody who may act"), house.desk("zoe"):
        pass


def test_an_act_on_another_day_than_the_business_date_is_refused(house: House) -> None:
    house.day = date(2026, 3, 3)
    with pytest.raises(RefusedError, match="business date"), house.desk("carla"):
        pass


def test_what_is_recorded_is_never_older_than_the_last_look(house: House, case_id: int) -> None:
    with house.desk("carla", 3) as desk:
        hold = set_hold(desk, desk.case(case_id), HoldReason.DATA, UNTIL, "asked")
        looked_at = desk.creditor.looked_at
    assert looked_at is not None
    assert hold.recorded_at > looked_at


def test_a_refusal_leaves_nothing(house: House, case_id: int) -> None:
    before = len(house.rows_of_events())
    with pytest.raises(RefusedError), house.desk("carla") as desk:
        _one_that_she_may_and_one_that_not(desk, case_id)
    assert house.rows(Hold) == []
    assert len(house.rows_of_events()) == before


def _one_that_she_may_and_one_that_not(desk: Desk, case_id: int) -> None:
    set_hold(desk, desk.case(case_id), HoldReason.DATA, UNTIL, "asked")
    set_hold(desk, desk.case(case_id), HoldReason.DISASTER, UNTIL, "asked")


def test_a_hold_is_lifted_with_a_reason(house: House, case_id: int) -> None:
    with house.desk("carla") as desk:
        number = set_hold(desk, desk.case(case_id), HoldReason.DATA, UNTIL, "asked").hold_no
        with pytest.raises(UsageError, match="in words"):
            lift_hold(desk, number, " ")
