"""Single steps: when they are taken, passed over, tried again, or taken for a new driver."""

from datetime import date
from typing import Any

import pytest

from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import SkipReason
from policies.decide import decide
from policies.pack import CompiledPack, load_pack, standard_pack_files
from tests.policies.lives import (
    PACK,
    actions_of,
    case_of,
    decided,
    fact_row,
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
        row = overdue(DUE, day, **in_round("strained"), promised_open=1, spoken=True)
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


EVIDENCED = [
    step_row("second_notice", "remind", "message", executed_on=date(2026, 3, 13), evidence_on=date(2026, 3, 18)),
    step_row("call", "listen", "call", executed_on=date(2026, 3, 20)),
    step_row("consult", "solve", "consult", executed_on=date(2026, 3, 30), result="agree"),
]


MAY_DEMAND = {"consult_answer": "agree", "manager_heard": True, "tried_call": True, "demandable_amount": 30_000}


class TestEscalation:
    def test_it_asks_only_what_may_be_demanded_and_needs_a_yes(self) -> None:
        day = date(2026, 3, 31)
        row = overdue(DUE, day, **in_round("forgetful"), **MAY_DEMAND)
        demand = actions_of(decided(row, day, *EVIDENCED))[-1]
        assert (demand["step"], demand["escalating"], demand["asked_amount"]) == ("final_demand", True, 30_000)
        assert (demand["approval_role"], demand["approvals_needed"]) == ("credit_manager", 1)
        assert demand["overdue_open"] == 50_000

    def test_what_it_lacks_is_spelled_out(self) -> None:
        day = date(2026, 3, 31)
        row = overdue(DUE, day, **in_round("forgetful"), **{**MAY_DEMAND, "tried_call": False, "promise_open": True})
        case = case_of(decided(row, day, *EVIDENCED))
        assert case["detail"] == (
            "Before this step there must be: a tried call, or its waiver by a credit manager;"
            " the end of the open promise."
        )
        waived = overdue(DUE, day, **in_round("forgetful"), **{**MAY_DEMAND, "tried_call": False, "call_waived": True})
        assert case_of(decided(waived, day, *EVIDENCED))["step"] == "final_demand"

    def test_the_wait_before_the_next_counts_from_evidence(self) -> None:
        demanded = step_row(
            "final_demand", "demand", "message", executed_on=date(2026, 3, 31), evidence_on=date(2026, 4, 9)
        )
        rest = [
            step_row("last_call", "demand", "call", executed_on=date(2026, 4, 8)),
            step_row("supply_stop", "demand", "review", executed_on=date(2026, 4, 15)),
        ]
        day = date(2026, 4, 30)
        row = overdue(DUE, day, **in_round("forgetful"), **MAY_DEMAND)
        case = case_of(decided(row, day, *EVIDENCED, demanded, *rest))
        assert (case["next_step"], case["next_on"]) == ("handoff", date(2026, 5, 1))
        day = date(2026, 5, 1)
        placed = actions_of(
            decided(overdue(DUE, day, **in_round("forgetful"), **MAY_DEMAND), day, *EVIDENCED, demanded, *rest)
        )
        assert [(action["step"], action["approvals_needed"]) for action in placed if action["state"] == "proposed"] == [
            ("handoff", 2)
        ]

    def test_where_it_can_never_be_had_a_person_decides(self) -> None:
        row = {**MAY_DEMAND, "demandable_amount": 0}
        waiting, given_up = date(2026, 4, 14), date(2026, 4, 15)
        case = case_of(decided(overdue(DUE, waiting, **in_round("forgetful"), **row), waiting, *EVIDENCED))
        assert case["reason"] == "evidence_missing"
        case = case_of(decided(overdue(DUE, given_up, **in_round("forgetful"), **row), given_up, *EVIDENCED))
        assert case["step"] == "decide"

    def test_a_promise_that_blocks_it_for_long_is_no_end(self) -> None:
        day = date(2026, 5, 20)
        row = overdue(DUE, day, **in_round("forgetful"), **{**MAY_DEMAND, "promise_open": True})
        assert case_of(decided(row, day, *EVIDENCED))["reason"] == "escalation_blocked"

    def test_consumers_end_with_a_person(self) -> None:
        day = date(2026, 3, 31)
        row = overdue(DUE, day, **in_round("forgetful"), **MAY_DEMAND, party_kind="consumer")
        decisions = decided(row, day, *EVIDENCED)
        assert _skipped(decisions)["final_demand"] == SkipReason.LAW_NOT_COVERED
        assert _skipped(decisions)["handoff"] == SkipReason.LAW_NOT_COVERED
        assert _taken(decisions) == ["decide"]

    def test_a_no_of_the_account_manager_ends_with_a_person_at_once(self) -> None:
        day = date(2026, 3, 31)
        row = overdue(DUE, day, **in_round("forgetful"), **{**MAY_DEMAND, "consult_answer": "no"})
        assert _taken(decided(row, day, *EVIDENCED)) == ["decide"]


class TestReactions:
    def _row(self, day: date, **facts: Any) -> dict[str, Any]:
        return overdue(DUE, day, **in_round("forgetful"), **facts)

    @pytest.mark.parametrize(
        ("facts", "day", "step"),
        [
            ({"part_paid_on": date(2026, 3, 10), "paused_until": date(2026, 3, 17)}, date(2026, 3, 10), "part_thanks"),
            ({"part_paid_on": date(2026, 3, 10)}, date(2026, 3, 11), "part_call"),
            ({"promise_broken_on": date(2026, 3, 10)}, date(2026, 3, 11), "promise_call"),
            ({"debit_returned_on": date(2026, 3, 10)}, date(2026, 3, 10), "debit_note"),
            ({"bounced_on": date(2026, 3, 10)}, date(2026, 3, 11), "resend"),
            ({"answered_on": date(2026, 3, 10)}, date(2026, 3, 10), "answer_note"),
            ({"plan_breached_on": date(2026, 3, 10)}, date(2026, 3, 11), "breach_call"),
        ],
    )
    def test_an_event_is_answered_once(self, facts: dict[str, Any], day: date, step: str) -> None:
        decisions = decided(self._row(day, **facts), day, REMINDED, TOLD)
        assert _taken(decisions) == [step]
        action = next(action for action in actions_of(decisions) if action["step"] == step)
        assert action["occurrence"] == date(2026, 3, 10)
        done = step_row(
            step, action["stage"], action["kind"], executed_on=day, occurrence=action["occurrence"], for_driver=False
        )
        assert step not in _taken(decided(self._row(day, **facts), day, REMINDED, TOLD, done))

    def test_a_second_event_is_answered_again(self) -> None:
        day = date(2026, 3, 20)
        done = step_row("promise_call", "listen", "call", executed_on=date(2026, 3, 11), occurrence=date(2026, 3, 10))
        row = self._row(day, promise_broken_on=date(2026, 3, 19))
        assert _taken(decided(row, day, REMINDED, TOLD, done)) == ["promise_call"]

    def test_the_journey_waits_for_the_answer_to_a_broken_promise(self) -> None:
        """Never a harsher letter on the day on which a promise breaks."""
        day = date(2026, 3, 16)
        assert _taken(decided(self._row(day), day, REMINDED, TOLD)) == ["second_notice"]
        case = case_of(decided(self._row(day, promise_broken_on=day), day, REMINDED, TOLD))
        assert (case["reason"], case["next_on"]) == ("wait", date(2026, 3, 17))

    def test_a_part_payment_gets_thanks_or_a_call_never_both(self) -> None:
        paid = date(2026, 3, 10)
        half = decided(self._row(paid, part_paid_on=paid, paused_until=date(2026, 3, 17)), paid, REMINDED, TOLD)
        assert (_taken(half), _skipped(half)) == (["part_thanks"], {})
        less = decided(self._row(paid, part_paid_on=paid), paid, REMINDED, TOLD)
        assert _skipped(less) == {"part_thanks": "condition_false"}

    def test_an_event_outside_a_round_is_not_answered(self) -> None:
        day = date(2026, 3, 3)
        row = overdue(DUE, day, promise_broken_on=date(2026, 3, 2))
        assert _taken(decided(row, day)) == []


class TestParkedCases:
    def test_an_agreement_is_confirmed_though_the_case_is_parked(self) -> None:
        day = date(2026, 3, 5)
        row = overdue(DUE, day, **in_round("strained"), promised_open=50_000) | {"asked_amount": 0}
        called = step_row("call", "listen", "call", executed_on=date(2026, 3, 4), result="promised")
        decisions = decided(row, day, called)
        assert _taken(decisions) == ["confirm"]
        assert not actions_of(decisions)[0]["written"]

    def test_the_copy_that_we_owe_goes_while_the_ball_is_with_us(self) -> None:
        day = date(2026, 3, 24)
        row = overdue(DUE, day, **in_round("forgetful"), reason="lost_invoice", our_turn=True)
        steps = [
            step_row(
                "second_notice", "remind", "message", executed_on=date(2026, 3, 13), evidence_on=date(2026, 3, 18)
            ),
            step_row("call", "listen", "call", executed_on=date(2026, 3, 23)),
        ]
        assert _taken(decided(row, day, *steps)) == ["invoice_copy"]


CALLED = step_row("call", "listen", "call", executed_on=date(2026, 3, 4))


class TestPlans:
    def test_an_offer_comes_after_the_talk(self) -> None:
        day = date(2026, 3, 9)
        row = overdue(DUE, day, **in_round("strained"), spoken=True, last_spoken_on=date(2026, 3, 4))
        decisions = decided(row, day, CALLED)
        assert _taken(decisions) == ["plan_offer"]
        assert _skipped(decisions)["plan_letter"] == "condition_false"

    def test_by_post_too_where_nobody_was_spoken(self) -> None:
        day = date(2026, 3, 9)
        offer = actions_of(decided(overdue(DUE, day, **in_round("strained")), day, CALLED))[-1]
        assert (offer["step"], offer["channel"]) == ("plan_letter", "post_and_email")

    def test_at_once_where_it_was_asked_for(self) -> None:
        day = date(2026, 3, 5)
        asked = {**CALLED, "result": "plan_asked"}
        row = overdue(DUE, day, **in_round("strained"), spoken=True, last_spoken_on=date(2026, 3, 4))
        assert "plan_offer" in _taken(decided(row, day, asked))

    @pytest.mark.parametrize(("amount", "role"), [(250_000, None), (250_001, "credit_manager")])
    def test_a_large_one_needs_a_yes(self, amount: int, role: str | None) -> None:
        day = date(2026, 3, 9)
        offer = actions_of(decided(overdue(DUE, day, amount, **in_round("strained"), spoken=True), day, CALLED))
        assert [each["approval_role"] for each in offer if each["step"] == "plan_offer"] == [role]


class TestCalls:
    def test_without_a_phone_a_letter_goes_and_counts(self) -> None:
        day = date(2026, 3, 4)
        (call,) = actions_of(decided(overdue(DUE, day, **in_round("strained"), phone_known=False), day))
        assert (call["kind"], call["template"], call["channel"], call["written"]) == (
            "call",
            "lets_talk",
            "preferred",
            True,
        )
        spent = overdue(DUE, day, **in_round("strained"), phone_known=False, contacts_20wd=3)
        assert case_of(decided(spent, day))["reason"] == "budget"
        assert case_of(decided(spent | {"phone_known": True}, day))["step"] == "call"

    @pytest.mark.parametrize("facts", [{"calls_5wd": 3}, {"last_call_on": date(2026, 3, 4)}])
    def test_not_too_often(self, facts: dict[str, Any]) -> None:
        day = date(2026, 3, 4)
        assert case_of(decided(overdue(DUE, day, **in_round("strained"), **facts), day))["reason"] == "budget"


UPCOMING = {"not_due_open": 200_000, "largest_item": 200_000, "share_paid_late_12m": 0.3}


class TestOutsideRounds:
    def _row(self, **facts: Any) -> dict[str, Any]:
        return fact_row(**{**UPCOMING, "upcoming_bank_due_on": date(2026, 3, 20), **facts})

    @pytest.mark.parametrize(
        ("day", "taken"),
        [(date(2026, 3, 16), []), (date(2026, 3, 17), ["courtesy"]), (date(2026, 3, 20), ["courtesy"])],
    )
    def test_a_courtesy_before_the_due_date(self, day: date, taken: list[str]) -> None:
        decisions = decided(self._row(), day)
        assert _taken(decisions) == taken
        if taken:
            (action,) = actions_of(decisions)
            assert (action["round_id"], action["occurrence"]) == (None, date(2026, 3, 20))

    def test_once_a_due_date(self) -> None:
        done = step_row("courtesy", "prepare", "message", round_id=None, occurrence=date(2026, 3, 20))
        assert _taken(decided(self._row(), date(2026, 3, 18), done)) == []
        assert _taken(decided(self._row(upcoming_bank_due_on=date(2026, 3, 19)), date(2026, 3, 18), done)) == [
            "courtesy"
        ]

    def test_where_its_condition_fails_it_is_passed_over_with_a_reason(self) -> None:
        assert _skipped(decided(self._row(largest_item=99_999), date(2026, 3, 17))) == {"courtesy": "condition_false"}

    def test_a_window_missed_lately_is_told_an_old_one_is_not(self) -> None:
        new = {"relation_days": 30, "settled_items_24m": 0, "upcoming_bank_due_on": None}
        late = self._row(**new, first_invoice_on=date(2026, 3, 2))
        assert _taken(decided(late, date(2026, 3, 4))) == ["welcome"]
        assert _skipped(decided(late, date(2026, 3, 18))) == {"welcome": "too_late"}
        assert actions_of(decided(late, date(2026, 4, 20))) == []

    def test_not_while_a_round_is_open(self) -> None:
        day = date(2026, 3, 17)
        row = overdue(DUE, day, **in_round("forgetful"), **UPCOMING, upcoming_bank_due_on=date(2026, 3, 20))
        assert "courtesy" not in [action["step"] for action in actions_of(decided(row, day))]

    @pytest.mark.parametrize(
        ("facts", "day", "occurrence"),
        [
            ({}, date(2026, 3, 4), date(2026, 3, 4)),
            ({"statement_on": date(2026, 3, 11)}, date(2026, 3, 11), date(2026, 3, 11)),
            ({"statement_on": date(2026, 3, 11)}, date(2026, 3, 4), None),
            ({}, date(2026, 3, 3), None),
            ({}, date(2026, 3, 11), date(2026, 3, 4)),
        ],
        ids=["third working day", "their day", "before their day", "second working day", "five days later"],
    )
    def test_a_statement_a_month(self, facts: dict[str, Any], day: date, occurrence: date | None) -> None:
        row = self._row(key_account=True, **facts, upcoming_bank_due_on=None)
        found = [action["occurrence"] for action in actions_of(decided(row, day)) if action["step"] == "statement"]
        assert found == ([occurrence] if occurrence else [])

    def test_a_statement_goes_during_a_round_and_while_much_is_parked(self) -> None:
        day = date(2026, 3, 4)
        row = overdue(DUE, day, **in_round("key"), key_account=True, contacts_20wd=3, disputed_open=50_000)
        row |= {"asked_amount": 0}
        decisions = decided(row, day)
        assert _taken(decisions) == ["statement"]
        assert actions_of(decisions)[0]["round_id"] is None
        assert _taken(decided(row | {"unread_reply": True}, day)) == []

    @pytest.mark.parametrize(
        ("day", "taken"),
        [(date(2026, 3, 17), []), (date(2026, 3, 18), ["statement"]), (date(2026, 3, 24), ["statement"])],
    )
    def test_before_the_pay_run_and_once_a_month(self, day: date, taken: list[str]) -> None:
        row = self._row(
            share_paid_late_12m=0.8,
            median_delay_days=9.0,
            next_pay_run_on=date(2026, 3, 24),
            upcoming_bank_due_on=None,
            country="NL",
        )
        assert _taken(decided(row, day)) == taken
        told = step_row("statement", "prepare", "statement", round_id=None, occurrence=date(2026, 3, 10))
        assert _taken(decided(row, day, told)) == []

    def test_no_note_on_the_same_items_days_after_a_statement(self) -> None:
        day = date(2026, 3, 13)
        row = self._row(share_paid_late_12m=0.8, median_delay_days=9.0)
        sent = date(2026, 3, 9)
        told = step_row(
            "statement", "prepare", "statement", round_id=None, occurrence=date(2026, 3, 4), executed_on=sent
        )
        assert _taken(decided(row, day)) == ["readiness"]
        assert _skipped(decided(row, day, told)) == {"readiness": "condition_false"}

    def test_thanks_once_a_year(self) -> None:
        row = self._row(share_paid_late_12m=0.0, settled_items_24m=30, first_invoice_on=date(2022, 3, 14))
        (thanks,) = actions_of(decided(row, date(2026, 3, 16)))
        assert (thanks["step"], thanks["occurrence"]) == ("thanks", date(2026, 3, 14))
        done = step_row("thanks", "prepare", "message", round_id=None, occurrence=date(2026, 3, 14))
        assert _taken(decided(row, date(2026, 3, 16), done)) == []
        assert _taken(decided(row | {"first_invoice_on": date(2026, 3, 2)}, date(2026, 3, 5))) == []


PASSED = [
    step_row("second_notice", "remind", "message", executed_on=date(2026, 3, 13), evidence_on=date(2026, 3, 18)),
    *(
        step_row(name, "handoff", kind, state="skipped", proposed_on=date(2026, 3, 23))
        for name, kind in [
            *(("call", "call"), ("invoice_copy", "message"), ("consult", "consult"), ("last_call", "call")),
            *(("final_demand", "message"), ("supply_stop", "review"), ("handoff", "handoff")),
        ]
    ),
]


class TestDecisions:
    @pytest.mark.parametrize(
        ("result", "again"),
        [("hold", True), ("continue", True), ("plan", True), ("write_off", False), ("legal", False)],
    )
    def test_what_let_the_case_rest_is_asked_again(self, result: str, again: bool) -> None:
        decision = step_row("decide", "handoff", "decide", executed_on=date(2026, 3, 23), result=result)
        before, after = date(2026, 4, 20), date(2026, 4, 23)
        row = in_round("forgetful")
        case = case_of(decided(overdue(DUE, before, **row), before, *PASSED, decision))
        assert (case["reason"], case["next_on"]) == ("journey_ended", date(2026, 4, 22) if again else None)
        assert _taken(decided(overdue(DUE, after, **row), after, *PASSED, decision)) == (["decide"] if again else [])
