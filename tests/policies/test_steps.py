"""Single steps: when they are taken, passed over, tried again, or taken for a new driver."""

from datetime import date
from typing import Any

import pytest

from maatpak.kernel.errors import UsageError
from maatpak.kernel.reasons import SkipReason
from policies.decide import decide
from policies.pack import CompiledPack, load_pack, standard_pack_files
from tests.policies.lives import (
    PACK,
    actions_of,
    case_of,
    decided,
    facts_frame,
    in_round,
    overdue,
    standard,
    step_row,
    steps_frame,
)

DUE = date(2026, 3, 2)


def _taken(decisions: Any) -> list[str]:
    return [action["step"] for action in actions_of(decisions) if action["state"] == "proposed"]


def _skipped(decisions: Any) -> dict[str, str]:
    return {action["step"]: action["reason"] for action in actions_of(decisions) if action["state"] == "skipped"}


def _changed(file: str, old: str, new: str) -> CompiledPack:
    files = standard_pack_files()
    assert old in files[file]
    files[file] = files[file].replace(old, new)
    return load_pack(files)


class TestRounds:
    def test_a_round_opens_with_the_segment_of_the_day(self) -> None:
        day = date(2026, 3, 3)
        case = case_of(decided(overdue(DUE, day, share_paid_late_12m=0.0), day))
        assert (case["opens_round"], case["segment"], case["entry_stage"]) == (True, "prompt", "prepare")

    def test_inside_a_round_the_segment_stays(self) -> None:
        day = date(2026, 3, 6)
        case = case_of(decided(overdue(DUE, day, **in_round("forgetful"), share_paid_late_12m=0.0), day))
        assert (case["opens_round"], case["segment"], case["step"]) == (False, "forgetful", "reminder")

    @pytest.mark.parametrize("stop", [{"legal_stop": "deceased"}, {"data_age_wd": 3}, {"hold_reason": "data"}])
    def test_no_round_opens_while_the_case_is_stopped(self, stop: dict[str, Any]) -> None:
        day = date(2026, 3, 3)
        assert not case_of(decided(overdue(DUE, day, **stop), day))["opens_round"]

    def test_the_goal_is_the_rounds_items_not_what_may_be_asked(self) -> None:
        day = date(2026, 3, 6)
        parked = overdue(DUE, day, **in_round("forgetful"), promised_open=50_000) | {"asked_amount": 0}
        assert not case_of(decided(parked, day))["closes_round"]
        assert case_of(decided(parked | {"round_open": 0}, day))["closes_round"]

    def test_a_round_of_an_old_version_keeps_its_journey(self) -> None:
        older = _changed("journeys/forgetful.yaml", "at: due + 4 working days", "at: due + 3 working days")
        day = date(2026, 3, 5)
        rows = [
            overdue(DUE, day, **in_round("forgetful", 1), case_id=1),
            overdue(DUE, day, **in_round("forgetful", 2), case_id=2),
        ]
        decisions = decide(facts_frame(rows), steps_frame(), {1: older, 2: standard()}, 2, day)
        assert decisions.cases["outcome"].to_list() == ["act", "none"]
        assert decisions.cases["pack_id"].to_list() == [1, 2]

    def test_the_newest_limits_hold_for_every_version(self) -> None:
        older = _changed("guardrails.yaml", "tolerance: 500", "tolerance: 0")
        day = date(2026, 3, 6)
        row = overdue(DUE, day, 400, **in_round("forgetful", 1))
        assert decide(facts_frame([row]), steps_frame(), {1: older, 2: standard()}, 2, day).cases["reason"][0] == (
            "below_tolerance"
        )

    def test_a_missing_version_or_segment_is_named(self) -> None:
        day = date(2026, 3, 6)
        with pytest.raises(UsageError, match="policy pack 9"):
            decided(overdue(DUE, day, **in_round("forgetful", 9)), day)
        with pytest.raises(UsageError, match="segment"):
            decided(overdue(DUE, day, **in_round("gone")), day)

    def test_an_empty_frame_is_decided_too(self) -> None:
        decisions = decide(facts_frame([]), steps_frame(), {PACK: standard()}, PACK, DUE)
        assert (decisions.cases.height, decisions.actions.height) == (0, 0)


class TestReroutes:
    @pytest.mark.parametrize(
        ("facts", "cause", "segment"),
        [
            ({"key_account": True}, "key_flag", "key"),
            ({"hardship": True}, "hardship", "strained"),
            ({"reason": "cash_flow"}, "cash_flow", "strained"),
            ({"promises_broken_6m": 2}, "second_broken_promise", "strained"),
            ({"plan_state": "breached"}, "plan_breach", "strained"),
            ({"debit_returns_6m": 2}, "second_returned_debit", "strained"),
            ({"key_account": True, "hardship": True}, "key_flag", "key"),
            ({"share_paid_late_12m": 0.9}, None, "forgetful"),
        ],
    )
    def test_what_moves_a_case(self, facts: dict[str, Any], cause: str | None, segment: str) -> None:
        day = date(2026, 3, 4)
        case = case_of(decided(overdue(DUE, day, **in_round("forgetful"), **facts), day))
        assert (case["reroute"], case["segment"]) == (cause, segment)

    def test_it_enters_where_it_had_come_and_never_further(self) -> None:
        day = date(2026, 3, 24)
        row = overdue(DUE, day, **in_round("forgetful"), reason="cash_flow", spoken=True)
        steps = [
            step_row("reminder", "remind", "message", executed_on=date(2026, 3, 6)),
            step_row("call", "listen", "call", executed_on=date(2026, 3, 19)),
        ]
        case = case_of(decided(row, day, *steps))
        assert (case["segment"], case["entry_stage"]) == ("strained", "listen")
        assert case["reason"] == "wait"
        for later, taken in [(date(2026, 3, 30), []), (date(2026, 3, 31), ["plan_offer"])]:
            moved = in_round("strained", round_entry_stage="listen", rerouted_on=day)
            assert _taken(decided({**row, **moved}, later, *steps)) == taken
        demanded = [*steps, step_row("final_demand", "demand", "message", executed_on=date(2026, 3, 23))]
        assert case_of(decided(row, day, *demanded))["entry_stage"] == "solve"

    def test_what_lies_behind_the_entry_is_passed_over_with_a_reason(self) -> None:
        day = date(2026, 3, 31)
        row = overdue(DUE, day, **in_round("strained", round_entry_stage="solve"), spoken=True)
        row |= {"rerouted_on": date(2026, 3, 24), "reason": "cash_flow"}
        decisions = decided(row, day)
        assert _skipped(decisions)["call"] == SkipReason.STAGE_PASSED
        assert _taken(decisions) == ["plan_offer"]

    def test_a_persons_choice_stays(self) -> None:
        day = date(2026, 3, 6)
        row = overdue(DUE, day, **in_round("forgetful"), hardship=True, moved_by_hand=True)
        case = case_of(decided(row, day))
        assert (case["reroute"], case["segment"], case["step"]) == (None, "forgetful", "reminder")

    def test_a_stale_ledger_moves_nobody(self) -> None:
        day = date(2026, 3, 4)
        row = overdue(DUE, day, **in_round("forgetful"), hardship=True, data_age_wd=5)
        assert case_of(decided(row, day))["reroute"] is None


REMINDED = step_row("reminder", "remind", "message", executed_on=date(2026, 3, 6), evidence_on=date(2026, 3, 11))
TOLD = step_row("tell_manager", "remind", "notify", state="skipped", proposed_on=date(2026, 3, 6))


class TestOrder:
    def test_steps_that_were_missed_are_caught_up_one_a_contact(self) -> None:
        day = date(2026, 6, 1)
        first = decided(overdue(DUE, day, **in_round("forgetful")), day)
        assert _taken(first) == ["reminder"]
        late = step_row("reminder", "remind", "message", executed_on=day)
        for later, step in [(date(2026, 6, 2), None), (date(2026, 6, 8), None), (date(2026, 6, 9), "second_notice")]:
            decisions = decided(overdue(DUE, later, **in_round("forgetful")), later, late, TOLD)
            assert case_of(decisions)["step"] == step

    def test_what_was_skipped_does_not_delay_what_follows(self) -> None:
        day = date(2026, 3, 23)
        steps = [
            REMINDED,
            TOLD,
            step_row("second_notice", "remind", "message", executed_on=date(2026, 3, 16)),
            step_row("second_text", "remind", "message", state="skipped", proposed_on=date(2026, 3, 16)),
        ]
        assert _taken(decided(overdue(DUE, day, **in_round("forgetful")), day, *steps)) == ["call"]
        small = decided(overdue(DUE, day, 4_000, **in_round("forgetful")), day, *steps)
        assert _skipped(small) == dict.fromkeys(
            ["call", "invoice_copy", "consult", "final_demand", "last_call", "supply_stop", "handoff"],
            "condition_false",
        )
        assert _taken(small) == ["decide"]

    def test_a_join_waits_for_every_branch(self) -> None:
        day = date(2026, 4, 1)
        row = overdue(DUE, day, **in_round("forgetful"), reason="lost_invoice")
        called = step_row("call", "listen", "call", executed_on=date(2026, 3, 20))
        copied = step_row("invoice_copy", "listen", "message", executed_on=date(2026, 3, 25))
        before = [REMINDED, step_row("second_notice", "remind", "message", executed_on=date(2026, 3, 13)), called]
        assert _taken(decided(row, day, *before)) == ["invoice_copy"]
        waiting = case_of(decided(row, day, *before, copied))
        assert (waiting["reason"], waiting["next_step"], waiting["next_on"]) == ("wait", "consult", date(2026, 4, 7))

    def test_inward_steps_go_beside_an_outward_one(self) -> None:
        day = date(2026, 3, 11)
        row = overdue(DUE, day, **in_round("prompt"))
        assert _taken(decided(row, day)) == ["service_note", "tell_manager"]

    def test_one_outward_step_a_day_of_two_branches(self) -> None:
        day = date(2026, 3, 31)
        called = step_row("call", "listen", "call", executed_on=date(2026, 3, 4))
        row = overdue(DUE, day, **in_round("strained"), promised_open=1, spoken=True, agreed_on=date(2026, 3, 4))
        decisions = decided(row, day, called)
        assert _taken(decisions) == ["confirm"]
        assert _skipped(decisions)["risk_review"] == "condition_false"

    def test_an_open_review_stops_only_what_comes_after_it(self) -> None:
        day = date(2026, 3, 19)
        steps = [
            step_row("reminder", "remind", "message", executed_on=date(2026, 3, 5)),
            step_row("call", "listen", "call", executed_on=date(2026, 3, 12)),
            step_row("default_review", "listen", "review", state="in_progress"),
        ]
        row = overdue(DUE, day, **in_round("new"), days_since_payment=None)
        assert _taken(decided(row, day, *steps)) == ["second_notice"]
        noticed = step_row("second_notice", "listen", "message", executed_on=day)
        later = date(2026, 4, 8)
        case = case_of(decided(overdue(DUE, later, **in_round("new")), later, *steps, noticed))
        assert (case["reason"], case["next_step"]) == ("work_open", "default_review")

    def test_past_its_limit_a_step_is_too_late(self) -> None:
        pack = _changed(
            "journeys/forgetful.yaml", "at: due + 4 working days,", "at: due + 4 working days, until: 5 working days,"
        )
        on_time, late = date(2026, 3, 13), date(2026, 3, 16)
        row = in_round("forgetful")
        assert _taken(decided(overdue(DUE, on_time, **row), on_time, pack=pack)) == ["reminder"]
        assert _skipped(decided(overdue(DUE, late, **row), late, pack=pack))["reminder"] == SkipReason.TOO_LATE

    def test_nothing_is_passed_over_while_a_case_rests(self) -> None:
        day = date(2026, 3, 23)
        row = overdue(DUE, day, 4_000, **in_round("forgetful"), hold_reason="complaint")
        assert actions_of(decided(row, day, REMINDED)) == []


class TestDriver:
    def test_a_new_driver_stands_after_its_own_last_notice(self) -> None:
        """Kill Bill 2297: when the oldest item is paid, no step is left out for the next."""
        day = date(2026, 3, 20)
        others = [
            step_row("reminder", "remind", "message", executed_on=date(2026, 3, 6), for_driver=False),
            step_row("second_notice", "remind", "message", executed_on=date(2026, 3, 16), for_driver=False),
            step_row("call", "listen", "call", executed_on=date(2026, 3, 17)),
        ]
        younger = overdue(date(2026, 3, 12), day, **in_round("forgetful"))
        decisions = decided(younger, day, *others)
        assert _taken(decisions) == ["reminder"]
        assert actions_of(decisions)[-1]["attempt"] == 2

    def test_a_call_before_its_first_notice_does_not_count_for_it(self) -> None:
        day = date(2026, 4, 9)
        steps = [
            step_row("reminder", "remind", "message", executed_on=date(2026, 3, 6), for_driver=False),
            step_row("call", "listen", "call", executed_on=date(2026, 3, 17)),
            step_row("reminder", "remind", "message", attempt=2, executed_on=date(2026, 3, 23)),
            step_row("tell_manager", "remind", "notify", executed_on=date(2026, 3, 23)),
            step_row("second_notice", "remind", "message", executed_on=date(2026, 3, 31)),
        ]
        younger = overdue(date(2026, 3, 12), day, **in_round("forgetful"))
        decisions = decided(younger, day, *steps)
        assert _taken(decisions) == ["call"]
        assert [action["attempt"] for action in actions_of(decisions) if action["step"] == "call"] == [2]

    def test_what_a_later_notice_named_lies_behind(self) -> None:
        day = date(2026, 3, 23)
        steps = [
            step_row("reminder", "remind", "message", executed_on=date(2026, 3, 6), for_driver=False),
            step_row(
                "second_notice", "remind", "message", executed_on=date(2026, 3, 16), evidence_on=date(2026, 3, 19)
            ),
        ]
        younger = overdue(date(2026, 3, 9), day, **in_round("forgetful"))
        assert _taken(decided(younger, day, *steps)) == ["call"]

    def test_a_part_payment_moves_no_step(self) -> None:
        day = date(2026, 3, 10)
        whole = case_of(decided(overdue(DUE, day, **in_round("forgetful")), day, REMINDED))
        part = case_of(decided(overdue(DUE, day, 10_000, **in_round("forgetful")), day, REMINDED))
        assert (whole["next_step"], whole["next_on"]) == (part["next_step"], part["next_on"])


class TestEndedSteps:
    def test_a_failed_message_goes_by_the_other_channel_once(self) -> None:
        day = date(2026, 3, 9)
        failed = step_row("reminder", "remind", "message", state="failed")
        (again,) = actions_of(decided(overdue(DUE, day, **in_round("forgetful")), day, failed))
        assert (again["step"], again["attempt"], again["channel"]) == ("reminder", 2, "other")

    def test_where_the_address_died_the_rule_finds_another_by_itself(self) -> None:
        day = date(2026, 3, 9)
        failed = step_row("reminder", "remind", "message", state="failed")
        row = overdue(DUE, day, **in_round("forgetful"), email_known=False)
        (again,) = actions_of(decided(row, day, failed))
        assert (again["attempt"], again["channel"]) == (2, "preferred")

    def test_a_cancelled_step_is_proposed_again(self) -> None:
        day = date(2026, 3, 9)
        cancelled = step_row("reminder", "remind", "message", state="cancelled", reason="window")
        (again,) = actions_of(decided(overdue(DUE, day, **in_round("forgetful")), day, cancelled))
        assert (again["attempt"], again["channel"]) == (2, "preferred")

    def test_after_a_rejection_comes_what_it_named_when_it_said(self) -> None:
        rejected = step_row(
            "final_demand", "demand", "message", state="rejected", retry_on=date(2026, 4, 9), retry_step="last_call"
        )
        before = [
            step_row("call", "listen", "call", executed_on=date(2026, 3, 20)),
            step_row("consult", "solve", "consult", executed_on=date(2026, 4, 1), result="agree"),
            step_row(
                "second_notice", "remind", "message", executed_on=date(2026, 3, 13), evidence_on=date(2026, 3, 18)
            ),
        ]
        row = {"consult_answer": "agree", "manager_heard": True, "tried_call": True, "demandable_amount": 50_000}
        early = case_of(
            decided(overdue(DUE, date(2026, 4, 8), **in_round("forgetful"), **row), date(2026, 4, 8), *before, rejected)
        )
        assert (early["reason"], early["next_on"]) == ("step_rejected", date(2026, 4, 9))
        day = date(2026, 4, 9)
        assert _taken(decided(overdue(DUE, day, **in_round("forgetful"), **row), day, *before, rejected)) == [
            "last_call"
        ]

    def test_after_a_rejection_an_earlier_step_is_done_again_and_then_the_rejected_one(self) -> None:
        day = date(2026, 4, 9)
        rejected = step_row("final_demand", "demand", "message", state="rejected", retry_on=day, retry_step="call")
        before = [
            step_row(
                "second_notice", "remind", "message", executed_on=date(2026, 3, 13), evidence_on=date(2026, 3, 18)
            ),
            step_row("call", "listen", "call", executed_on=date(2026, 3, 20)),
            step_row("consult", "solve", "consult", executed_on=date(2026, 4, 1), result="agree"),
        ]
        facts = {"consult_answer": "agree", "manager_heard": True, "tried_call": True, "demandable_amount": 50_000}
        row = overdue(DUE, day, **in_round("forgetful"), **facts)
        decisions = decided(row, day, *before, rejected)
        assert ("call", 2) in [(action["step"], action["attempt"]) for action in actions_of(decisions)]
        called = step_row("call", "listen", "call", attempt=2, executed_on=day)
        later = date(2026, 4, 16)
        again = decided(overdue(DUE, later, **in_round("forgetful"), **facts), later, *before, rejected, called)
        assert ("final_demand", 2) in [(action["step"], action["attempt"]) for action in actions_of(again)]
