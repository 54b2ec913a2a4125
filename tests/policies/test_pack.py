"""The standard pack as it is published, and broken ones: every problem with its file and line, all at once."""

import pickle
from collections.abc import Callable

import pytest

from maatpak.kernel.errors import PolicyError
from maatpak.kernel.words import CallResult, NonPaymentReason, Reaction, Stage, StepKind
from policies.facts import FACTS
from policies.pack import load_pack, standard_pack_files
from policies.schema import Only, Through
from tests.policies.lives import standard

Files = dict[str, str]


def test_six_segments_in_their_order_each_with_a_journey() -> None:
    pack = standard()
    assert [segment.name for segment in pack.segments] == ["key", "strained", "new", "habitual", "forgetful", "prompt"]
    assert list(pack.journeys) == [segment.name for segment in pack.segments]


def test_five_journeys_end_in_the_tail_and_key_accounts_by_hand_only() -> None:
    tailed = {
        segment
        for segment, journey in standard().journeys.items()
        for step in journey.steps.values()
        if step.escalating
    }
    assert tailed == {"strained", "new", "habitual", "forgetful", "prompt"}


def test_every_kind_of_step_reaction_condition_and_way_through_is_used() -> None:
    steps = [step for journey in standard().journeys.values() for step in journey.steps.values()]
    assert {step.kind for step in steps} == set(StepKind)
    assert {step.on for step in steps} - {None} == set(Reaction)
    assert {step.stage for step in steps} == set(Stage)
    assert {step.only for step in steps} - {None} == set(Only)
    assert {through for step in steps for through in step.through} <= set(Through)


def test_every_reason_and_call_result_is_answered() -> None:
    assert set(standard().reasons) == set(NonPaymentReason) - {NonPaymentReason.NONE}
    assert set(standard().call_results) == set(CallResult)


def test_every_rule_asks_facts_of_the_dictionary_only() -> None:
    pack = standard()
    rules = [segment.rule for segment in pack.segments] + [reroute.rule for reroute in pack.reroutes]
    rules += [journey.goal for journey in pack.journeys.values()]
    rules += [step.when for journey in pack.journeys.values() for step in journey.steps.values() if step.when]
    assert {fact for rule in rules for fact in rule.facts} <= FACTS.keys()


def test_steps_come_after_what_they_need_and_never_milder() -> None:
    for journey in standard().journeys.values():
        order = list(journey.steps)
        for before, after in journey.edges():
            assert order.index(before) < order.index(after)
            assert journey.steps[before].stage.rank <= journey.steps[after].stage.rank


def test_what_escalates_is_approved_and_a_placement_by_two_persons() -> None:
    for journey in standard().journeys.values():
        for step in journey.steps.values():
            if step.escalating:
                assert step.approval_role
                assert journey.closing[step.name] == "decide"
            if step.kind is StepKind.HANDOFF:
                assert step.approvals_needed == 2


def test_the_same_files_have_the_same_hash_and_another_letter_another() -> None:
    files = standard_pack_files()
    assert load_pack(files).content_hash == load_pack(dict(reversed(files.items()))).content_hash
    changed = {**files, "pack.yaml": files["pack.yaml"] + "# more\n"}
    assert load_pack(changed).content_hash != load_pack(files).content_hash


def test_a_pack_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        standard().journeys["prompt"] = standard().journeys["key"]  # type: ignore[index]
    with pytest.raises(ValueError, match="frozen"):
        standard().guardrails.tolerance = 0  # type: ignore[misc]


def test_all_problems_come_at_once_and_survive_a_task_runner() -> None:
    files = standard_pack_files()
    files["segments.yaml"] = files["segments.yaml"].replace("key_account", "key_acount")
    files["guardrails.yaml"] = files["guardrails.yaml"].replace("tolerance: 500", "tolerance: -1")
    with pytest.raises(PolicyError) as refused:
        load_pack(files)
    problems = pickle.loads(pickle.dumps(refused.value)).problems
    assert [problem.partition(": ")[0] for problem in problems] == [
        "guardrails.yaml:2",
        "segments.yaml:5",
        "segments.yaml:26",
    ]
    assert "did you mean 'key_account'?" in problems[1]


def _replace(file: str, old: str, new: str) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        assert old in files[file], (file, old)
        files[file] = files[file].replace(old, new, 1)

    return change


def _without(file: str) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        del files[file]

    return change


def _with(file: str, text: str) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        files[file] = text

    return change


FORGETFUL, TAIL = "journeys/forgetful.yaml", "fragments/tail.yaml"

BROKEN: dict[str, tuple[Callable[[Files], None], list[str]]] = {
    "a file is missing": (_without("guardrails.yaml"), ["guardrails.yaml:1: this file is missing"]),
    "a file too many": (_with("fees.yaml", "a: 1"), ["fees.yaml:1: no pack has such a file"]),
    "no YAML": (_with("reasons.yaml", "reasons: {a: [}"), ["reasons.yaml:1: this is no YAML"]),
    "values too deep": (_with("reasons.yaml", "[" * 5_000), ["reasons.yaml:1: its values lie too deep in one another"]),
    "an empty file": (_with("reasons.yaml", ""), ["reasons.yaml:1: the file is empty"]),
    "a key twice": (
        _replace("guardrails.yaml", "tolerance: 500", "tolerance: 500\ntolerance: 600"),
        ["guardrails.yaml:3: 'tolerance' stands here twice"],
    ),
    "a value that holds itself": (
        _with("reasons.yaml", "reasons: &all\n  lost_invoice: *all\n"),
        ["reasons.yaml:2: this is no YAML: a pack writes every value out; *all stands for another"],
    ),
    "a stop of supply that is no review": (
        _replace("reasons.yaml", "{kind: department, role", "{supply: true, kind: department, role"),
        ["reasons.yaml:7: work: 'supply' does not fit work of the kind department; it belongs to review"],
    ),
    "a call about unallocated money": (
        _replace(
            "fragments/reactions.yaml",
            "{do: message, template: cash_question, on: cash",
            "{do: call, template: cash_question, on: cash",
        ),
        ["fragments/reactions.yaml:33: 'on: cash_unallocated' is answered by a message"],
    ),
    "an unknown key": (
        _replace(FORGETFUL, "{do: message, template: reminder", "{do: message, templte: reminder"),
        [
            f"{FORGETFUL}:9: there is no key 'templte' here; did you mean 'template'?",
        ],
    ),
    "an unknown kind": (
        _replace(FORGETFUL, "{do: message, template: reminder", "{do: mesage, template: reminder"),
        [f"{FORGETFUL}:9: do: 'mesage' is not one of message,"],
    ),
    "a missing key": (
        _replace("segments.yaml", "    who: relationship first\n", ""),
        ["segments.yaml:3: the key 'who'"],
    ),
    "a duration without its unit": (
        _replace("guardrails.yaml", "silence_after_talk: 3 working days", "silence_after_talk: 3 days"),
        ["guardrails.yaml:6: silence_after_talk: '3 days' is no duration"],
    ),
    "a moment that is none": (
        _replace(FORGETFUL, "at: due + 4 working days", "at: due + 4 days"),
        [f"{FORGETFUL}:9: at: 'due + 4 days' is no moment"],
    ),
    "an unknown fact": (
        _replace(FORGETFUL, "when: asked_amount >= 5000", "when: asked_amont >= 5000"),
        [f"{FORGETFUL}:23: there is no fact 'asked_amont'; did you mean 'asked_amount'?"],
    ),
    "a fact of the engine's own": (
        _replace(FORGETFUL, "when: relation_days >= 730", "when: last_written_on IS NULL"),
        [f"{FORGETFUL}:11: 'last_written_on' is the engine's own"],
    ),
    "an unknown value of an enum": (
        _replace(FORGETFUL, "reason = 'lost_invoice'", "reason = 'lost_invoce'"),
        [f"{FORGETFUL}:25: reason is never 'lost_invoce'; did you mean 'lost_invoice'?"],
    ),
    "an aggregate": (
        _replace("segments.yaml", "when: relation_days < 365", "when: MAX(relation_days) < 365"),
        ["segments.yaml:13: the function MAX() is refused"],
    ),
    "the last segment leaves some out": (
        _replace("segments.yaml", "when: 'TRUE'", "when: items_overdue > 0"),
        ["segments.yaml:22: the last segment must take all"],
    ),
    "a segment twice": (
        _replace("segments.yaml", "segment: new", "segment: key"),
        ["segments.yaml:11: segment 'key' stands here twice", "journeys/new.yaml:1: there is no segment 'new'"],
    ),
    "a reroute to nowhere": (
        _replace("segments.yaml", "cause: hardship, to: strained", "cause: hardship, to: straned"),
        ["segments.yaml:27: there is no segment 'straned'; did you mean 'strained'?"],
    ),
    "a segment without a journey": (
        _without("journeys/new.yaml"),
        ["journeys/new.yaml:1: segment 'new' has no journey"],
    ),
    "a journey in another's file": (
        _replace(FORGETFUL, "journey: forgetful", "journey: prompt"),
        [f"{FORGETFUL}:1: journey 'prompt' stands in a file that is called 'forgetful'"],
    ),
    "an unknown step before": (
        _replace(FORGETFUL, "after: [call], wait: 1 working day", "after: [cal], wait: 1 working day"),
        [f"{FORGETFUL}:25: step 'invoice_copy' comes after 'cal', which is no step here; did you mean 'call'?"],
    ),
    "a circle": (
        _replace(FORGETFUL, "after: [reminder], when: relation", "after: [call], when: relation"),
        [f"{FORGETFUL}:11: steps go in a circle: "],
    ),
    "a branch that does not end": (
        _replace(TAIL, "  decide:\n    {do: decide,", "  decide:\n    {do: decide, when: hardship,"),
        [f"{TAIL}:25: after step 'decide' no person's decision is sure to come"],
    ),
    "a step that never falls due": (
        _replace(FORGETFUL, ", at: due + 4 working days", ""),
        [f"{FORGETFUL}:8: the step never falls due"],
    ),
    "before the due date without an end": (
        _replace(FORGETFUL, "until: due,\n", "\n"),
        [f"{FORGETFUL}:6: a step before the due date needs 'until'"],
    ),
    "a key that does not fit": (
        _replace(FORGETFUL, "{do: notify, role: account_manager", "{do: notify, channel: post, role: account_manager"),
        [f"{FORGETFUL}:11: 'channel' does not fit a notify step; it belongs to message, plan_offer, statement"],
    ),
    "a key that is needed": (
        _replace(TAIL, "deputy: 2 working days, last: credit_manager,", ""),
        [f"{TAIL}:5: a consult step needs 'deputy'", f"{TAIL}:5: a consult step needs 'last'"],
    ),
    "a demand without approval": (
        _replace(TAIL, "escalating: true, approval: credit_manager,\n", "escalating: true,\n"),
        [f"{TAIL}:10: an escalating step needs 'approval'"],
    ),
    "a handoff by one person": (
        _replace(TAIL, "approvals: 2", "approvals: 1"),
        [f"{TAIL}:20: a handoff is escalating and needs the approval of two persons"],
    ),
    "a demand without a call and a talk before it": (
        _replace(
            "journeys/new.yaml",
            "{second_notice: 5 working days, default_review: 0 working days}",
            "{reminder: 5 working days}",
        ),
        [f"{TAIL}:8: step 'final_demand' escalates without a call before it (law 5)"],
    ),
    "a milder stage after a harsher one": (
        _replace(
            TAIL,
            "{do: call, template: lets_talk, after: [final",
            "{do: call, stage: remind, template: lets_talk, after: [final",
        ),
        [f"{TAIL}:14: stage remind is milder than demand"],
    ),
    "a step after a reaction": (
        _replace(FORGETFUL, "after: [call], wait: 1 working day", "after: [part_call], wait: 1 working day"),
        [f"{FORGETFUL}:25: step 'invoice_copy' cannot come after 'part_call'"],
    ),
    "a step after one outside rounds": (
        _replace(FORGETFUL, "after: [call], wait: 1 working day", "after: [courtesy], wait: 1 working day"),
        [f"{FORGETFUL}:25: step 'invoice_copy' cannot come after 'courtesy', which lives outside rounds"],
    ),
    "an unknown fragment": (
        _replace(FORGETFUL, "- {fragment: reactions}", "- {fragment: reaction}"),
        [f"{FORGETFUL}:32: there is no fragment 'reaction'; did you mean 'reactions'?"],
    ),
    "a fragment without its beginning": (
        _replace(FORGETFUL, "    after: {call: 5 working days, invoice_copy: 7 working days}\n", ""),
        [f"{FORGETFUL}:28: fragment 'tail' needs an `after` (it begins with consult)"],
    ),
    "a step of the fragment's name": (
        _replace(FORGETFUL, "  invoice_copy:\n", "  decide:\n"),
        [f"{TAIL}:25: step 'decide' is in journey 'forgetful' already, at {FORGETFUL}:24"],
    ),
    "a recurring step without an end": (
        _replace("journeys/key.yaml", "until: 5 working days, attach", "attach"),
        ["journeys/key.yaml:6: a recurring step needs 'until' as a duration"],
    ),
    "a template that is not written": (
        _replace(FORGETFUL, "template: reminder", "template: remindr"),
        [
            f"{FORGETFUL}:9: there is no template 'remindr' in language 'en'; did you mean 'reminder'?",
            f"{FORGETFUL}:9: there is no template 'remindr' in language 'nl'; did you mean 'reminder'?",
        ],
    ),
    "a reason left out": (
        _replace("reasons.yaml", "  pay_run:\n", "  pay_ran:\n"),
        ["reasons.yaml:68: 'pay_ran' is not one of none,"],
    ),
    "a call result left out": (
        lambda files: files.__setitem__("call_results.yaml", files["call_results.yaml"].partition("  do_not_call")[0]),
        ["call_results.yaml:2: nothing is said of do_not_call"],
    ),
    "what did not arrive sent again too late": (
        _replace("fragments/receipt.yaml", "at: unreceived - 10 working days", "at: unreceived + 1 working day"),
        ["fragments/receipt.yaml:6: what did not arrive is sent again by a message before its due date"],
    ),
    "what did not arrive as the end of another step": (
        _replace(FORGETFUL, "until: due,", "until: unreceived,"),
        [f"{FORGETFUL}:6: 'until: unreceived' makes sense only with 'at: unreceived - …'"],
    ),
    "part payments without a part payment": (
        _replace(FORGETFUL, "at: due + 4 working days", "at: due + 4 working days, only: half_paid"),
        [f"{FORGETFUL}:9: half_paid makes sense only with 'on: part_paid'"],
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_pack_tells_what_and_where(name: str) -> None:
    change, expected = BROKEN[name]
    files = standard_pack_files()
    change(files)
    with pytest.raises(PolicyError) as refused:
        load_pack(files)
    for problem in expected:
        assert any(found.startswith(problem) for found in refused.value.problems), "\n".join(refused.value.problems)
