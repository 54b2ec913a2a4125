"""Law 5. No demand or handoff without evidence, a tried call, the account manager's word and a person's approval."""

from datetime import timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from maatpak.ledger.tables import Action, ActionItem, Approval, ContactResult, Message, WorkTask
from tests.laws.examples import house_at, long_played
from tests.tasks.act.script import Script
from tests.tasks.act.stages import Stages

DAYS = 14
"""Enough for a demand, from the call on."""


@settings(long_played, max_examples=1)
@example(calling=True, consulting=True, approving=True)
@example(calling=False, consulting=True, approving=True)
@example(calling=True, consulting=False, approving=True)
@example(calling=True, consulting=True, approving=False)
@given(calling=st.booleans(), consulting=st.booleans(), approving=st.booleans())
def test_what_is_missing_is_never_made_up_for(stages: Stages, calling: bool, consulting: bool, approving: bool) -> None:
    with house_at(stages, "calling") as house:
        script = Script(house, calling=calling, consulting=consulting, approving=approving)
        for _ in range(DAYS):
            script.day()
        threats = [action for action in house.rows(Action) if action.escalating and action.state == "executed"]
        assert bool(threats) == (calling and consulting and approving)
        for threat in threats:
            _heard(house, threat)


def _heard(house: object, threat: Action) -> None:
    from tests.tasks.act.house import House

    assert isinstance(house, House)
    words = house.rows(Approval, action_id=threat.id, verdict="approved")
    assert len({word.actor for word in words}) >= max(1, threat.approvals_needed)
    assert all(word.content_hash == threat.content_hash for word in words)
    earlier = [action for action in house.rows(Action, case_id=threat.case_id) if (action.id or 0) < (threat.id or 0)]
    assert {"tried", "waived", "spoke_no_commitment"} & {action.result for action in earlier if action.kind == "call"}
    assert {"agree", "not_heard"} & {action.result for action in earlier if action.kind == "consult"}
    tries = [row for row in house.rows(ContactResult) if row.case_id == threat.case_id]
    assert len({row.called_on for row in tries}) >= 3
    assert len({row.day_part for row in tries}) >= 2
    before = threat.business_date
    for item in [row.item_id for row in house.rows_of(ActionItem) if row.action_id == threat.id]:
        naming = {row.action_id for row in house.rows_of(ActionItem) if row.item_id == item}
        notices = [action for action in earlier if action.id in naming and action.executed_on]
        assert {action.step for action in notices} >= {"reminder", "second_notice"}
        assert min(action.executed_on for action in notices) <= before - timedelta(days=10)
    channels = {message.channel for message in house.rows(Message) if message.sent_on and message.sent_on < before}
    assert "post" in channels
    assert len(channels) >= 2
    assert house.rows(WorkTask, kind="consult", state="done")
    assert [event for event in house.rows_of_events("approval_given") if event.action_id == threat.id]
