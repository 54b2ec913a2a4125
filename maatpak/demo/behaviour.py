"""What the customers of the made-up world do when something reaches them: pay, answer, promise, dispute, keep silent.

Each choice comes from the customer's nature and a generator seeded by what it is about, so it does not matter in which
order messages are read. A choice changes the world (an intention to pay); what the engine gets to see is returned.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from random import Random

from maatpak.demo.characters import choose
from maatpak.demo.world import Customer, Intention, World
from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.words import CallResult, Channel, NonPaymentReason

POSTAL_DAYS = 2
"""Working days until a letter is opened."""


class Sign(StrEnum):
    """What a message brings back."""

    RETURNED = "returned"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    STOPPED = "stopped"
    LINK_USED = "link_used"
    ANSWERED = "answered"


@dataclass(frozen=True)
class Arrival:
    """A message as its reader sees it."""

    reference: str
    customer: Customer
    channel: str
    step: str
    template: str
    sent_on: date
    documents: tuple[str, ...]


@dataclass(frozen=True)
class Response:
    """What comes back of a message on a day; `means` is what an answer says.

    What becomes of a mail is told by its server, and of a letter on its way by the print room.
    """

    sign: Sign
    on: date
    means: str = ""


@dataclass(frozen=True)
class Talk:
    """How an attempt to ring somebody came out."""

    result: CallResult
    callback_on: date | None = None
    promised_on: date | None = None
    share: float = 1.0
    """How much of the asked amount is promised or objected to."""
    reason: NonPaymentReason = NonPaymentReason.NONE


FIRMNESS: dict[str, float] = {
    "final_demand": 2.2,
    "personal_letter": 1.6,
    "manager_letter": 1.6,
    "second_notice": 1.2,
    "courtesy": 0.4,
    "statement": 0.5,
    "welcome": 0.3,
    "invoice_again": 0.0,
}
"""How much more, or less, a message moves people than a reminder does."""

ASKED_OF_CASH = "cash_question"
"""The step that asks what money is for: most tell, and speak of nothing else."""

PHONE_OFF, TEXTS_STOP = 0.06, 0.12
"""The chance that a text does not arrive now, and that its reader wants no more of them."""

DISPUTING = frozenset({"price", "quantity", "wrong_invoice", "wrong_entity", "set_off"})


def read_message(world: World, arrival: Arrival) -> list[Response]:
    """What a customer does with a message. What never reaches them comes first."""
    customer = arrival.customer
    random = world.chance("message", arrival.reference)
    if arrival.channel == Channel.EMAIL and (customer.mailbox_dead or customer.mailbox_full):
        return []
    if arrival.channel == Channel.SMS:
        return _read_text(world, arrival)
    if arrival.channel == Channel.POST and customer.post_returns:
        return [Response(Sign.RETURNED, add_working_days(arrival.sent_on, 5, customer.country))]
    read_on = add_working_days(arrival.sent_on, POSTAL_DAYS if arrival.channel == Channel.POST else 0, customer.country)
    for number in arrival.documents:
        world.show(customer, number, read_on)
    return _react(world, arrival, read_on, random)


def _read_text(world: World, arrival: Arrival) -> list[Response]:
    """A text arrives at once, though it may be told of the day after; or its number is gone, its telephone off."""
    customer = arrival.customer
    random = world.chance("text", arrival.reference)
    told_on = add_working_days(arrival.sent_on, random.choice((0, 0, 1)), customer.country)
    if customer.phone_dead or random.random() < PHONE_OFF:
        return [Response(Sign.UNDELIVERED, told_on)]
    for number in arrival.documents:
        world.show(customer, number, arrival.sent_on)
    delivered = Response(Sign.DELIVERED, told_on)
    if random.random() < TEXTS_STOP:
        return [delivered, Response(Sign.STOPPED, arrival.sent_on)]
    return [delivered, *_react(world, arrival, arrival.sent_on, world.chance("message", arrival.reference))]


def _react(world: World, arrival: Arrival, read_on: date, random: Random) -> list[Response]:
    """What a customer does who has read it."""
    customer = arrival.customer
    responses = []
    if arrival.step == ASKED_OF_CASH:
        if random.random() < customer.nature.picks_up:
            responses.append(Response(Sign.ANSWERED, read_on, CallResult.SPOKE_NO_COMMITMENT))
    elif _moved(world, arrival):
        delay = random.randint(1, 7)
        for number in arrival.documents:
            world.intend(customer, read_on + timedelta(days=delay), Intention(number))
        if arrival.channel != Channel.POST and random.random() < 0.5:
            responses.append(Response(Sign.LINK_USED, read_on))
    elif random.random() < 0.06 * customer.nature.picks_up / 0.5:
        responses.append(Response(Sign.ANSWERED, read_on, _what_they_say(world, customer, arrival.reference)))
    return responses


def _moved(world: World, arrival: Arrival) -> bool:
    customer, nature = arrival.customer, arrival.customer.nature
    if not arrival.documents:
        return False
    if nature.refuses_until:
        # Only a serious word moves them, and not all of them.
        serious = arrival.step == nature.refuses_until
        return serious and world.chance(customer.key, "serious").random() < 0.45
    chance = min(0.95, nature.heeds * FIRMNESS.get(arrival.step, 1.0))
    return world.chance("moved", arrival.reference).random() < chance


def _what_they_say(world: World, customer: Customer, about: str) -> str:
    while True:
        said = choose(world.chance("says", customer.key, about), customer.nature.says)
        if said.startswith("reason:") or said in ("promised", "plan_asked", "complaint", "spoke_no_commitment"):
            return said
        about += "+"


def answer_call(world: World, customer: Customer, about: str, attempt: int, day: date) -> Talk:
    """What happens when a collector rings: nobody there, or what they say."""
    random = world.chance("call", customer.key, about, attempt)
    if customer.phone_dead:
        return Talk(random.choice((CallResult.WRONG_NUMBER, CallResult.LEFT_COMPANY)))
    if random.random() >= customer.nature.picks_up:
        return Talk(random.choice((CallResult.NO_ANSWER, CallResult.NO_ANSWER, CallResult.VOICEMAIL)))
    return speak(world, customer, choose(random, customer.nature.says), f"{about}:{attempt}", day)


def speak(world: World, customer: Customer, said: str, about: str, day: date) -> Talk:
    """The coded form of what was said, spoken or written, and what the customer means to do about it."""
    random = world.chance("speak", customer.key, about)
    by_when = add_working_days(day, random.randint(2, 8), customer.country)
    if said.startswith("reason:"):
        reason = NonPaymentReason(said.removeprefix("reason:"))
        if reason in (NonPaymentReason.FORGOT, NonPaymentReason.PAYMENT_FAILED):
            return Talk(CallResult.PROMISED, promised_on=add_working_days(day, 3, customer.country), reason=reason)
        if reason == NonPaymentReason.CASH_FLOW:
            return Talk(CallResult.PLAN_ASKED, reason=reason)
        if reason == NonPaymentReason.UNWILLING:
            return Talk(CallResult.REFUSES, reason=reason)
        share = random.choice((0.2, 0.5, 1.0)) if reason in DISPUTING else 1.0
        return Talk(CallResult.SPOKE_NO_COMMITMENT, share=share, reason=reason)
    result = CallResult(said)
    if result == CallResult.PROMISED:
        return Talk(result, promised_on=by_when, share=random.choice((1.0, 1.0, 1.0, 0.5)))
    if result == CallResult.CALLBACK_AGREED:
        return Talk(result, callback_on=add_working_days(day, random.randint(1, 4), customer.country))
    return Talk(result)


def keep_promise(
    world: World, customer: Customer, documents: tuple[str, ...], amount: int, by: date, about: str
) -> None:
    """A promise was made: the customer means to keep it, to keep half of it, or does not."""
    random = world.chance("keeps", customer.key, about)
    kept = random.random() < customer.nature.keeps_word
    if not kept and random.random() < 0.6:
        return
    left = amount if kept else amount // 2
    for number in documents:
        document = world.documents.get((customer.house, number))
        if document is None or left <= 0:
            continue
        paying = min(left, document.open_amount)
        world.intend(customer, by - timedelta(days=random.randint(0, 2)), Intention(number, paying))
        left -= paying


def settle_reason(world: World, customer: Customer, reason: str, documents: tuple[str, ...], day: date) -> None:
    """What a customer does once its reason is out of the way: most pay, in their own time."""
    random = world.chance("after", customer.key, reason, day)
    helped = {"lost_invoice": 0.85, "po_missing": 0.8, "approval_pending": 0.8, "pay_run": 0.85, "policy": 0.6,
              "verifying_iban": 0.9, "paid_already": 0.9, "not_delivered": 0.6, "our_failure": 0.7, "price": 0.75,
              "quantity": 0.75, "wrong_invoice": 0.7, "wrong_entity": 0.7, "set_off": 0.5}.get(reason, 0.1)  # fmt: skip
    if random.random() < helped * (0.3 if customer.nature.refuses_until else 1.0):
        wait = random.randint(1, 3) if reason == "paid_already" else random.randint(5, 16)
        for number in documents:
            world.intend(customer, day + timedelta(days=wait), Intention(number))


def answer_offer(world: World, customer: Customer, about: str) -> str:
    """Whether a payment plan is accepted, declined, or left lying."""
    yes, no = (0.6, 0.15) if customer.character == "strained" else (0.35, 0.3)
    weights = {"accept": yes, "decline": no, "ignore": 1 - yes - no}
    return choose(world.chance("offer", customer.key, about), weights)


def after_placement(world: World, customer: Customer, documents: tuple[str, ...], day: date) -> None:
    """The agency writes: some pay at last."""
    random = world.chance("agency", customer.key, day)
    if random.random() < 0.4:
        for number in documents:
            world.intend(customer, day + timedelta(days=random.randint(10, 40)), Intention(number))
