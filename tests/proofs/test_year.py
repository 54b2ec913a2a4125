"""A year of a made-up ledger with a thousand customers, all people played, and the proof of it.

The whole of the engine runs: files through the quality gate, decisions, messages to sinks, approvals, placements.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date, time
from pathlib import Path
from time import perf_counter

import pytest
from sqlmodel import col, select

from connectors.faults import Fault
from maatpak.demo.generate import WorldPlan
from maatpak.demo.play import Play, at
from maatpak.kernel.reasons import NoActionReason, SkipReason
from maatpak.kernel.words import CallResult, HoldReason, NonPaymentReason
from maatpak.ledger.tables import Creditor, Message
from policies.pack import CompiledPack
from tasks.desk import desk
from tasks.engine import Engine
from tasks.send import resolve_message
from tasks.send.resolving import Resolution
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
MAIL_BREAKS = 100
"""The day on which the mail server hangs up on its first mails after it took them."""
LOST = (Fault(at="after", drop=True, times=30),)


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
        "silence": [each for each in NoActionReason if each != NoActionReason.LAW_NOT_COVERED],
        "skip": [
            SkipReason.LAW_NOT_COVERED
        ],  # the standard pack passes demands on consumers over, it does not hold them
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


def look_for_the_lost(engine: Engine, day: date) -> None:
    """The operators find out that nobody got the mails of which nothing is known."""
    with engine.database.reading() as session:
        unknown = session.exec(
            select(Message.creditor_id, Message.message_ref, Creditor.code)
            .join(Creditor, col(Creditor.id) == col(Message.creditor_id))
            .where(Message.state == "unknown")
        ).all()
    assert unknown
    for creditor_id, reference, code in unknown:
        with desk(engine, creditor_id, f"{code.lower()}.operator", day, at(day, time(16))) as operator:
            resolve_message(operator, reference, Resolution.FAILED, "the server's log has no such mail")


@pytest.mark.soak
def test_a_year_of_a_thousand_customers(engine: Engine) -> None:
    engine.workspace.create()
    started = perf_counter()
    with closing(Play(engine, YEAR)) as play:
        play.open_houses()
        play.load_past()
        for number, day in enumerate(play.business_days(DAYS)):
            play.play_day(day, number, breaks=LOST if number == MAIL_BREAKS else ())
            if number == MAIL_BREAKS + 3:
                look_for_the_lost(engine, day)
    taken = perf_counter() - started
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
