"""The closed lists fit together: every state has its transitions, every member its place."""

from maatpak.kernel.words import (
    ACTION_TRANSITIONS,
    ATTEMPT_ONLY_RESULTS,
    DONE_ACTION_STATES,
    MESSAGE_TRANSITIONS,
    OPEN_ACTION_STATES,
    SPOKEN_RESULTS,
    ActionState,
    CallResult,
    MessageState,
    Stage,
)


def test_every_state_has_its_transitions() -> None:
    assert set(ACTION_TRANSITIONS) == set(ActionState)
    assert set(MESSAGE_TRANSITIONS) == set(MessageState)


def test_a_done_action_goes_nowhere_and_an_open_one_somewhere() -> None:
    assert all(not ACTION_TRANSITIONS[state] for state in DONE_ACTION_STATES)
    assert all(ACTION_TRANSITIONS[state] for state in OPEN_ACTION_STATES)


def test_an_unknown_message_is_never_queued_again() -> None:
    assert MESSAGE_TRANSITIONS[MessageState.UNKNOWN] == {MessageState.SENT, MessageState.FAILED}


def test_every_call_result_is_classified_once() -> None:
    nobody = {CallResult.WRONG_NUMBER, CallResult.LEFT_COMPANY, CallResult.THIRD_PARTY}
    groups = [ATTEMPT_ONLY_RESULTS, SPOKEN_RESULTS, nobody]
    assert set().union(*groups) == set(CallResult)
    assert sum(map(len, groups)) == len(CallResult)


def test_stages_are_ordered_mildest_first() -> None:
    assert sorted(Stage, key=lambda stage: stage.rank) == list(Stage)
    assert Stage.PREPARE.rank == 0
