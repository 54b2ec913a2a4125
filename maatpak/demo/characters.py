"""How the customers of the made-up world are by nature. The engine never sees this: it only sees what they do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

Word = TypeVar("Word", bound=str)


@dataclass(frozen=True)
class Character:
    """A way of paying and of answering. Chances lie between 0 and 1, delays are calendar days from the due date."""

    share: float
    """Of all customers."""
    weight: float
    """How many documents they get, against the others."""
    median_amount: int
    """Major units."""
    forgets: float
    """The chance that an invoice is not paid until somebody asks."""
    delay: tuple[int, int]
    heeds: float
    """The chance that a notice that arrived is followed by a payment within days."""
    picks_up: float
    keeps_word: float
    part_pays: float
    refuses_until: str = ""
    """The step that first moves somebody who pays nothing: `final_demand`, `handoff`, or `never`."""
    consumer: float = 0.2
    says: Mapping[str, float] = field(default_factory=dict)
    """What they say when spoken: a call result, or `reason:<code>`, by weight."""


_EVERYBODY = {
    "spoke_no_commitment": 6.0,
    "callback_agreed": 5.0,
    "third_party": 5.0,
    "do_not_call": 1.0,
    "complaint": 2.0,
    "distress": 0.6,
    "left_company": 1.0,
    "reason:lost_invoice": 7.0,
    "reason:po_missing": 4.0,
    "reason:wrong_invoice": 3.0,
    "reason:wrong_entity": 1.5,
    "reason:price": 2.0,
    "reason:quantity": 1.5,
    "reason:not_delivered": 1.5,
    "reason:our_failure": 1.5,
    "reason:paid_already": 4.0,
    "reason:payment_failed": 1.5,
    "reason:verifying_iban": 1.5,
    "reason:set_off": 1.0,
    "reason:deceased": 0.3,
}


def _says(**weights: float) -> dict[str, float]:
    more = {name.replace("because_", "reason:"): weight for name, weight in weights.items()}
    return {**_EVERYBODY, **more}


CHARACTERS: dict[str, Character] = {
    "prompt": Character(
        share=0.50,
        weight=1.0,
        median_amount=420,
        forgets=0.035,
        delay=(-6, 2),
        heeds=0.75,
        picks_up=0.6,
        keeps_word=0.97,
        part_pays=0.0,
        consumer=0.3,
        says=_says(promised=30.0, because_forgot=20.0),
    ),
    "forgetful": Character(
        share=0.20,
        weight=1.0,
        median_amount=380,
        forgets=0.24,
        delay=(-3, 6),
        heeds=0.5,
        picks_up=0.45,
        keeps_word=0.85,
        part_pays=0.02,
        consumer=0.4,
        says=_says(promised=35.0, because_forgot=30.0),
    ),
    "habitual": Character(
        share=0.12,
        weight=1.5,
        median_amount=900,
        forgets=0.07,
        delay=(8, 24),
        heeds=0.3,
        picks_up=0.55,
        keeps_word=0.9,
        part_pays=0.0,
        consumer=0.0,
        says=_says(promised=30.0, because_pay_run=14.0, because_policy=10.0, because_approval_pending=10.0),
    ),
    "strained": Character(
        share=0.07,
        weight=1.3,
        median_amount=650,
        forgets=0.45,
        delay=(10, 55),
        heeds=0.15,
        picks_up=0.5,
        keeps_word=0.5,
        part_pays=0.35,
        consumer=0.3,
        says=_says(
            promised=25.0,
            plan_asked=22.0,
            distress=4.0,
            because_cash_flow=25.0,
            because_waits_for_customer=12.0,
            because_insolvent=1.5,
            because_represented=1.5,
        ),
    ),
    "key": Character(
        share=0.02,
        weight=4.0,
        median_amount=9500,
        forgets=0.12,
        delay=(-2, 12),
        heeds=0.35,
        picks_up=0.75,
        keeps_word=0.95,
        part_pays=0.0,
        consumer=0.0,
        says=_says(promised=30.0, because_approval_pending=25.0, because_price=6.0, because_quantity=6.0),
    ),
    "new": Character(
        share=0.05,
        weight=0.35,
        median_amount=450,
        forgets=0.22,
        delay=(-4, 6),
        heeds=0.5,
        picks_up=0.5,
        keeps_word=0.8,
        part_pays=0.02,
        consumer=0.35,
        says=_says(promised=25.0, because_lost_invoice=16.0),
    ),
    "silent": Character(
        share=0.04,
        weight=1.0,
        median_amount=700,
        forgets=0.6,
        delay=(2, 20),
        heeds=0.02,
        picks_up=0.1,
        keeps_word=0.3,
        part_pays=0.0,
        refuses_until="final_demand",
        consumer=0.15,
        says=_says(promised=6.0, refuses=30.0, because_unwilling=25.0),
    ),
}
"""Six natures that ought to end in the six segments, and one that lets everything pass until it gets serious."""


def choose(random: Random, weights: Mapping[str, float]) -> str:
    """One of the words, by weight."""
    return random.choices(list(weights), weights=list(weights.values()))[0]
