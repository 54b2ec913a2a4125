"""Two packs compared: one line a change, and none where nothing is decided otherwise."""

import pytest

from policies.diff import Change, diff
from policies.pack import load_pack, standard_pack_files
from tests.policies.lives import standard


def _changed(file: str, old: str, new: str) -> list[Change]:
    files = standard_pack_files()
    assert old in files[file]
    files[file] = files[file].replace(old, new, 1)
    return diff(standard(), load_pack(files))


def test_the_same_pack_has_no_change() -> None:
    assert diff(standard(), standard()) == []
    assert _changed("pack.yaml", "pack: standard", "pack: standard  # ours") == []


@pytest.mark.parametrize(
    ("file", "old", "new", "change"),
    [
        ("guardrails.yaml", "tolerance: 500", "tolerance: 900", Change("guardrails.tolerance", "500", "900")),
        (
            "guardrails.yaml",
            "apart: 3 working days",
            "apart: 4 working days",
            Change("guardrails.contacts.apart", "3", "4"),
        ),
        (
            "journeys/forgetful.yaml",
            "at: due + 4 working days",
            "at: due + 5 working days",
            Change("journeys.forgetful.reminder.at", "due + 4 working days", "due + 5 working days"),
        ),
        (
            "segments.yaml",
            "median_delay_days >= 5",
            "median_delay_days >= 6",
            Change(
                "segments.habitual",
                "settled_items_24m >= 4 AND share_paid_late_12m >= 0.5 AND median_delay_days >= 5",
                "settled_items_24m >= 4 AND share_paid_late_12m >= 0.5 AND median_delay_days >= 6",
            ),
        ),
        ("experience.yaml", "late_answer: -2", "late_answer: -3", Change("experience.touches.late_answer", "-2", "-3")),
        (
            "reasons.yaml",
            "pause: 5 working days",
            "pause: 4 working days",
            Change("reasons.approval_pending.pause", "5", "4"),
        ),
        ("call_results.yaml", "    phone: opted_out\n", "", Change("call_results.do_not_call.phone", "opted_out", "")),
        (
            "segments.yaml",
            "{cause: key_flag, to: key, when: key_account}",
            "{cause: key_flag, to: strained, when: key_account}",
            Change("reroutes.key_flag", "key_account → key", "key_account → strained"),
        ),
    ],
)
def test_a_change_is_one_line(file: str, old: str, new: str, change: Change) -> None:
    assert _changed(file, old, new) == [change]


def test_a_change_of_the_tail_shows_in_every_journey() -> None:
    changes = _changed("fragments/tail.yaml", "wait: 10 working days, deadline", "wait: 9 working days, deadline")
    assert {change.where for change in changes} == {
        f"journeys.{segment}.supply_stop.{name}"
        for segment in ("prompt", "forgetful", "habitual", "strained", "new")
        for name in ("wait", "waits")
    }


def test_steps_that_come_and_go() -> None:
    changes = _changed("journeys/key.yaml", "  paid_note:\n", "  paid_word:\n")
    assert changes == [
        Change("journeys.key.paid_note", "notify", ""),
        Change("journeys.key.paid_word", "", "notify"),
    ]


def test_another_order_of_segments_is_told() -> None:
    files = standard_pack_files()
    head, key, rest = files["segments.yaml"].partition(
        "  - segment: key\n    who: relationship first\n    when: key_account\n"
    )
    strained, new, tail = rest.partition("  - segment: new\n")
    files["segments.yaml"] = head + strained + key + new + tail
    first = diff(standard(), load_pack(files))[0]
    assert first == Change(
        "segments: order",
        "key > strained > new > habitual > forgetful > prompt",
        "strained > key > new > habitual > forgetful > prompt",
    )


def test_a_template_that_changed() -> None:
    (change,) = _changed("templates/en/reminder.j2", "\n", "\n\n")
    assert change.where == "templates/en/reminder.j2"
