"""A year of a made-up ledger with a thousand customers, all people played, and the proof of it (issue 2, bar 2).

The whole of the engine runs: files through the quality gate, decisions, messages to sinks, approvals, placements.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import pytest

from maatpak.demo.generate import WorldPlan
from maatpak.demo.play import Play
from maatpak.kernel.words import CallResult, HoldReason, NoActionReason, NonPaymentReason
from policies.pack import CompiledPack
from tasks.engine import Engine
from tests.proofs.reader import Proof, prove

SERIOUS = {
    "prompt": 0.4,
    "forgetful": 0.17,
    "habitual": 0.12,
    "strained": 0.1,
    "key": 0.03,
    "new": 0.06,
    "silent": 0.12,
}
"""More trouble than usual, so that a year sees everything often."""
YEAR = WorldPlan(
    seed=7,
    starts_on=date(2025, 3, 3),
    horizon=date(2026, 2, 20),
    customers=1_000,
    documents=14_000,
    shares=(0.7, 0.0, 0.3),
    natures=tuple(SERIOUS.items()),
)
"""Two houses of two countries and currencies, which share some customers."""
DAYS = 250
DEMANDS, PLACEMENTS, BLOCKS = 50, 20, 20


def steps_of(pack: CompiledPack) -> Mapping[str, Sequence[str]]:
    """Every step of every journey; those that several journeys share count wherever they happen."""
    owners: dict[str, set[str]] = {}
    for segment, journey in pack.journeys.items():
        for name in journey.steps:
            owners.setdefault(name, set()).add(segment)
    return {"step": sorted(f"{min(held)}.{name}" for name, held in owners.items() if len(held) == 1)} | {
        "any": sorted(name for name, held in owners.items() if len(held) > 1)
    }


def expected(pack: CompiledPack) -> Mapping[str, Sequence[str]]:
    """Everything that a year must have seen at least once."""
    return {
        **steps_of(pack),
        "call": list(CallResult),
        "said": [each for each in NonPaymentReason if each != NonPaymentReason.NONE],
        "silence": list(NoActionReason),
        "hold": [each for each in HoldReason if each != HoldReason.NONE],
        "promise": ["kept", "partly_kept", "broken", "superseded", "cancelled", "open"],
        "dispute": ["accepted", "part_accepted", "rejected", "withdrawn"],
        "plan": ["offered", "active", "finished", "breached", "declined", "lapsed"],
        "placement": ["placed", "closed"],
        "evidence": ["answered", "bounced", "returned", "link_used", "delivered"],
        "approval": ["approved", "rejected"],
    }


def executed(proof: Proof, step: str) -> int:
    return sum(number for word, number in proof.counts["executed"].items() if word.partition(".")[2] == step)


@pytest.mark.chaos
def test_a_year_of_a_thousand_customers(engine: Engine) -> None:
    engine.workspace.create()
    started = time.perf_counter()
    play = Play(engine, YEAR)
    play.set_up()
    for number, day in enumerate(play.business_days(DAYS)):
        play.play_day(day, number)
    taken = time.perf_counter() - started
    proof = prove(engine.database.url, Path(engine.store.url))
    for word, number in list(proof.counts["step"].items()):
        proof.counts.setdefault("any", type(proof.counts["step"])())[word.partition(".")[2]] += number
    print(f"{DAYS} days in {taken:.0f} s\n{proof.table()}")  # noqa: T201
    assert not proof.breaches, "\n".join(map(str, proof.breaches))
    assert executed(proof, "final_demand") >= DEMANDS
    assert executed(proof, "handoff") >= PLACEMENTS
    few = {reason: number for reason, number in proof.counts["hold"].items() if number < BLOCKS}
    assert not few, few
    pack = engine.pack(1)
    assert not proof.zeros(expected(pack))
