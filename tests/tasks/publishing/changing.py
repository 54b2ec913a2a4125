"""Random small changes of a pack, such as people make: waits, thresholds, conditions, steps, segments, approvals."""

import re
from collections.abc import Callable
from random import Random
from typing import Any

import yaml

from maatpak.kernel.errors import PolicyError
from policies.document import Problems, read_document
from policies.pack import CompiledPack, load_pack

Files = dict[str, str]
Data = dict[str, Any]

CONDITIONS = (
    "asked_amount >= 60000",
    "party_kind = 'business'",
    "days_past_due > 20",
    "relation_days >= 1000",
    "share_paid_late_12m > 0.3",
)


def changed(files: Files, random: Random, most: int = 4) -> tuple[Files, CompiledPack]:
    """The files after one to so many changes that hold, and the pack that they make."""
    while True:
        made = dict(files)
        for _ in range(random.randint(1, most)):
            random.choice(CHANGES)(made, random)
        try:
            pack = load_pack(made)
        except PolicyError:
            continue
        if made != files:
            return made, pack


def english(files: Files) -> Files:
    """The pack in one language, whose words are checked in a quarter of the time."""
    kept = {name: text for name, text in files.items() if not re.match("templates/(nl|de|fr)/", name)}
    kept["pack.yaml"] = re.sub(r"languages: \[.*\]", "languages: [en]", kept["pack.yaml"])
    return kept


def _edit(files: Files, name: str, change: Callable[[Data], None]) -> None:
    document = read_document(name, files[name], Problems())
    assert document is not None
    change(document.data)
    files[name] = yaml.safe_dump(document.data, sort_keys=False, width=1000)


def _courses(files: Files) -> list[str]:
    return [name for name in sorted(files) if name.startswith("journeys/") or name == "fragments/tail.yaml"]


def _of_step(change: Callable[[Data, Random], None]) -> Callable[[Files, Random], None]:
    def edit(files: Files, random: Random) -> None:
        name = random.choice(_courses(files))
        _edit(files, name, lambda data: change(random.choice(list(data["steps"].values())), random))

    return edit


def _days(random: Random) -> str:
    return f"{random.randint(1, 9)} working days"


def _wait(step: Data, random: Random) -> None:
    if isinstance(step.get("after"), dict):
        step["after"] = {name: _days(random) for name in step["after"]}
    elif "after" in step:
        step["wait"] = _days(random)
    elif str(step.get("at", "")).startswith("due + "):
        step["at"] = f"due + {_days(random)}"


def _condition(step: Data, random: Random) -> None:
    if step["do"] != "decide":
        step["when"] = random.choice(CONDITIONS)


def _no_condition(step: Data, random: Random) -> None:
    if random.random() < 0.5:
        step.pop("when", None)


def _words(step: Data, random: Random) -> None:
    if step.get("template") in ("reminder", "second_notice", "lets_talk"):
        step["template"] = random.choice(("reminder", "second_notice", "lets_talk"))
    elif step["do"] == "message":
        step["channel"] = random.choice(("preferred", "other", "post"))


def _approval(step: Data, random: Random) -> None:
    if step.get("escalating"):
        step["approval"] = "finance_director"
        step["approvals"] = 2
    elif step["do"] == "plan_offer":
        step["approval"], step["approval_above"] = "credit_manager", random.choice((0, 100_000))


def _tone(files: Files, random: Random) -> None:
    name = random.choice([name for name in sorted(files) if name.endswith(".j2")])
    files[name] += "{# said another way #}\n"


def _drop(files: Files, random: Random) -> None:
    """A step goes; what came after it comes after what it came after."""
    name = random.choice(_courses(files))

    def drop(data: Data) -> None:
        gone = random.choice(list(data["steps"]))
        before = list(data["steps"].pop(gone).get("after", ()))
        for each in (*data["steps"].values(), *data.get("include", ())):
            after = each.get("after", [])
            if gone in after:
                kept = {up: _days(random) for up in (*(up for up in after if up != gone), *before)}
                each.pop("after"), each.pop("wait", None)
                if kept:
                    each["after"] = kept

    _edit(files, name, drop)


def _add(files: Files, random: Random) -> None:
    """A message more, between a step and what follows it."""
    name = random.choice([name for name in _courses(files) if name.startswith("journeys/")])

    def add(data: Data) -> None:
        before = random.choice([each for each, step in data["steps"].items() if step["do"] in ("message", "call")])
        new = f"extra{random.randint(1, 99)}"
        for each in (*data["steps"].values(), *data.get("include", ())):
            after = each.get("after", [])
            if before in after:
                each["after"] = {**dict.fromkeys(after, _days(random)), new: _days(random)}
                each.pop("wait", None)
        step = {"do": "message", "template": "second_notice", "after": {before: _days(random)}, "rating": -1}
        data["steps"][new] = {**step, "about": "Once more."}

    _edit(files, name, add)


def _segments(files: Files, random: Random) -> None:
    def change(data: Data) -> None:
        lines = data["segments"]
        at = random.randrange(len(lines) - 1)
        if random.random() < 0.3:
            lines[at], lines[0] = lines[0], lines[at]
        else:
            lines[at]["when"] = random.choice((*CONDITIONS, _other_numbers(lines[at]["when"], random)))

    _edit(files, "segments.yaml", change)


def _other_numbers(rule: str, random: Random) -> str:
    return re.sub(r"\b\d+\b(?!\.)", lambda found: str(max(1, int(found[0]) * random.choice((1, 2, 5)) // 2)), rule)


def _limits(files: Files, random: Random) -> None:
    name = "guardrails.yaml"
    tolerance = random.choice((300, 2_000, 60_000))
    files[name] = re.sub(r"(?m)^tolerance: \d+", f"tolerance: {tolerance}", files[name])
    if random.random() < 0.5:
        files[name] = re.sub(r"(notice_after_reroute: )\d+", rf"\g<1>{random.randint(0, 9)}", files[name])


CHANGES: tuple[Callable[[Files, Random], None], ...] = (
    *map(_of_step, (_wait, _wait, _condition, _no_condition, _words, _approval)),
    *(_tone, _drop, _add, _add, _segments, _segments, _segments, _limits),
)
