"""What a person still has to tell or ask the customer keeps the machine silent; and what was told has its time."""

from collections.abc import Callable
from datetime import date

import pytest

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.words import DisputeState, NonPaymentReason
from maatpak.ledger.tables import Action, Message, WorkTask
from tasks.claims import claim_payment, resolve_claim
from tasks.disputes import decide_dispute, open_dispute
from tasks.promises import make_promise
from tasks.work import Outcome, finish_work
from tests.tasks.act.house import House
from tests.tasks.act.script import Script

pytestmark = pytest.mark.stage("reminded")

LONG = 10
"""Working days in which a second notice would have gone."""


def rejected(house: House, case_id: int) -> None:
    """They say that the quantity is wrong; it is not."""
    with house.desk("anna") as desk:
        dispute = open_dispute(desk, desk.case(case_id), "F1", NonPaymentReason.QUANTITY)
        decide_dispute(desk, dispute.dispute_no, DisputeState.REJECTED, "the note is signed")


def not_found(house: House, case_id: int) -> None:
    """They say that it is paid, and no money is found."""
    with house.desk("carla") as desk:
        number = claim_payment(desk, desk.case(case_id)).claim_no
    with house.desk("olga") as desk:
        resolve_claim(desk, number, found=False)


def kept_in_part(house: House, case_id: int) -> None:
    """They promise everything and pay the smaller part."""
    with house.desk("carla") as desk:
        make_promise(desk, desk.case(case_id), add_working_days(house.day, 2, "NL"))
    house.pay("F2", add_working_days(house.day, 2, "NL"))


def contacts(house: House) -> list[date]:
    """Days of notices and calls after the reminder."""
    found = [row for row in house.rows(Action) if row.kind in ("message", "call") and row.state != "skipped"]
    return sorted(row.business_date for row in found if row.step not in ("reminder", "part_thanks"))


@pytest.mark.parametrize(("happen", "days"), [(rejected, 7), (not_found, 5), (kept_in_part, 5)])
def test_a_reply_that_we_owe_goes_before_the_next_notice(
    house: House, case_id: int, happen: Callable[[House, int], None], days: int
) -> None:
    happen(house, case_id)
    script = Script(house, replying=False)
    for _ in range(LONG):
        script.day()
    assert contacts(house) == []
    (task,) = house.rows(WorkTask, kind="reply", state="open")
    with house.desk("colin", 12) as desk:
        finish_work(desk, task.id, Outcome("answered", "told them"))
    told_on = house.day
    for _ in range(LONG):
        script.day()
    assert contacts(house)[0] == add_working_days(told_on, days, "NL")


def test_until_a_date_that_we_named_is_past_nothing_follows(house: House, case_id: int) -> None:
    """Half is paid: the thanks name a later date than the five days of rest."""
    house.pay("F1", add_working_days(house.day, 1, "NL"), 80_000)
    script = Script(house)
    script.until("part_thanks")
    (thanks,) = house.rows(Message, template="thanks_part_payment")
    for _ in range(LONG):
        script.day()
    assert thanks.reply_by is not None
    assert contacts(house)[0] == add_working_days(thanks.reply_by, 1, "NL")
