"""Why did this customer get this letter: one page, for somebody who was not there."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from maatpak.console.frame.asking import Asking
from maatpak.console.frame.drawing import day, money, number, share
from maatpak.console.frame.fields import as_words
from maatpak.kernel.words import Channel, MessageState
from policies.context_facts import CONTEXT
from policies.explain import RuleTried
from policies.facts import FACTS
from tasks.audit.why import Step, Verdict, Why, why_message
from tasks.evidence import weight_of

CALLED = {Channel.EMAIL: "e-mail", Channel.SMS: "text", Channel.POST: "letter"}
PROOF = {
    "strong": "The customer has it for sure ({})",
    "weak": "It was {}; nothing says that it did not arrive",
    "lost": "It did not arrive ({})",
}
UNITS = {"d": "days", "WD": "working days"}
MOST_NAMED = 3
"""Steps and verdicts that the short answer tells of."""


@dataclass(frozen=True)
class FactFound:
    """A fact of that day, for people."""

    name: str
    told: str
    meaning: str


@dataclass(frozen=True)
class RuleFound:
    """A rule as written, with the facts that it asked."""

    name: str
    rule: str
    facts: list[FactFound]


@dataclass(frozen=True)
class Grounds:
    """Why a step was taken: the rules that let it, with the values that they found."""

    action_id: int
    segment: RuleFound | None
    """The rule that put the customer into the segment; None: the facts of that day cannot be read any more."""
    passed_over: list[str]
    """Segments whose rules were tried before it and did not hold."""
    step: RuleFound | None
    """The step's own rule; None: it has none, or cannot be read."""
    about: str
    """What the step is for, as the pack says."""
    against: list[str]
    """Reasons not to act that held; none, as it acted."""
    gates: int
    """Reasons not to act that were looked at."""
    same: bool | None
    """Whether the rules and facts of then give the decision that was stored; None: they cannot be read."""


@dataclass(frozen=True)
class LetterSheet:
    """The whole answer."""

    why: Why
    time_zone: str
    called: str
    """`letter`, `e-mail` or `text`."""
    short: list[str]
    """The answer in some sentences."""
    grounds: list[Grounds]
    """In the order of the steps."""
    weights: dict[str, str]
    """Kind of evidence → `strong`, `weak` or `lost`."""
    as_mail: bool
    """Whether it has the look of a mail."""
    as_letter: bool
    """Whether it is set as a letter."""
    wrongful: bool
    """Whether it turned out later that it should not have been sent."""
    anchored: bool
    """Whether an anchor outside the database proves every event of it."""


def read_letter(asking: Asking, message_id: int) -> LetterSheet:
    """Everything about one message."""
    creditor = asking.creditor_of("message_id", message_id)
    why = why_message(asking.engine, [creditor.id], message_id)
    seen = {each.kind for each in why.evidence} | {kind for each in why.earlier for kind in each.evidence}
    said = why.letter.said
    return LetterSheet(
        why=why,
        time_zone=asking.zone_of(creditor.code),
        called=CALLED[Channel(why.letter.channel)],
        short=list(_short(why)),
        grounds=[_grounds(step) for step in why.steps],
        weights={kind: weight_of(kind) for kind in sorted(seen)},
        as_mail=said is not None and said.html is not None,
        as_letter=said is not None and said.letter is not None,
        wrongful=why.wrongful,
        anchored=why.anchored,
    )


def _grounds(step: Step) -> Grounds:
    explained = step.decided.explanation if step.decided else None
    if explained is None:
        return Grounds(step.action_id, None, [], None, "", [], 0, None)
    chosen = next((at for at, rule in enumerate(explained.segments) if rule.chosen), len(explained.segments))
    own = next((each for each in explained.steps if each.name == step.step), None)
    stored = step.decided.stored if step.decided else None
    now = explained.decision
    return Grounds(
        action_id=step.action_id,
        segment=_found(next(iter(explained.segments[chosen:]), None), step.currency),
        passed_over=[each.name for each in explained.segments[:chosen]],
        step=_found(own.rule if own else None, step.currency),
        about=own.about if own else "",
        against=[each.reason for each in explained.gates if each.holds],
        gates=len(explained.gates),
        same=None if stored is None else all(stored[name] == now[name] for name in stored.keys() & now.keys()),
    )


def _found(tried: RuleTried | None, currency: str) -> RuleFound | None:
    if tried is None:
        return None
    dictionary = {**FACTS, **CONTEXT}
    facts = [
        FactFound(name, _told(value, dictionary[name].unit, currency), dictionary[name].meaning)
        for name, value in tried.values.items()
    ]
    return RuleFound(tried.name, tried.rule, facts)


def _told(value: Any, unit: str, currency: str) -> str:
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if unit == "minor":
        return money(value, currency)
    if unit == "share":
        return share(value)
    if isinstance(value, date):
        return day(value)
    return f"{number(value)} {UNITS.get(unit, '')}".strip() if isinstance(value, int | float) else as_words(str(value))


def _short(why: Why) -> Iterator[str]:
    """The answer as somebody would tell it."""
    letter, customer = why.letter, why.customer
    named = customer.name or customer.debtor_no
    what = as_words(letter.template).lower()
    asked = sum(each.asked for each in why.items)
    items = f"{len(why.items)} item{'' if len(why.items) == 1 else 's'}"
    asking_for = f", asking for {money(asked, customer.currency)} on {items}" if why.items else ""
    if letter.state == MessageState.SENT:
        sent = f"on {day(letter.sent_on)}" if letter.sent_on else "on a day that is not known"
        yield f"{customer.creditor_name} sent {named} a {what} {letter.way} {sent}{asking_for}."
    else:
        state = as_words(letter.state).lower()
        yield f"{customer.creditor_name} wrote a {what} to {named} on {day(letter.business_date)}{asking_for}; {state}."
    for step in why.steps[:MOST_NAMED]:
        yield _step(step)
    for verdict in why.approvals[:MOST_NAMED]:
        yield _verdict(verdict)
    if why.steps and not why.approvals:
        yield "The rules ask for no approval of such a step."
    told = {weight_of(each.kind): each.kind for each in why.evidence}
    weight = next((each for each in ("lost", "strong", "weak") if each in told), None)
    if weight is not None:
        yield f"{PROOF[weight].format(as_words(told[weight]).lower())}."
    elif letter.state == MessageState.SENT:
        yield "Nothing has come back of it."
    if why.wrongful:
        causes = sorted({each.cause for each in why.ratings if each.wrongful and each.cause})
        cause = f": {', '.join(as_words(each).lower() for each in causes)}" if causes else ""
        yield f"Later it turned out that it should not have been sent{cause}."


def _step(step: Step) -> str:
    by = f"Version {step.pack_version} of the pack {step.pack}"
    on = day(step.business_date) if step.decided is None else day(step.decided.business_date)
    where = as_words(step.segment).lower()
    return f"{by} proposed it on {on}: for customers who are {where}, {as_words(step.step).lower()} {_since(step)}."


def _since(step: Step) -> str:
    late: date = step.due_on
    return f"was due {'since' if late < step.business_date else 'on'} {day(late)}"


def _verdict(verdict: Verdict) -> str:
    who = f"{verdict.actor_name or verdict.actor}, {as_words(verdict.role).lower()},"
    same = "" if verdict.same else "; what left is not what they saw"
    return f"{who} {as_words(verdict.verdict).lower()} it on {day(verdict.decided_on)}{same}."
