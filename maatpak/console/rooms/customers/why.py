"""Why a case gets what it gets: of the newest run or of any day before, and what it would get with other facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from maatpak.console.frame.asking import Asking
from maatpak.console.frame.declared import Choice
from maatpak.console.frame.drawing import day
from maatpak.console.frame.fields import Input, as_words
from maatpak.console.frame.problems import missing
from maatpak.console.rooms.customers.course import CourseStep, course_told
from maatpak.kernel.errors import UsageError
from maatpak.kernel.money import format_money, parse_amount
from policies.explain import Explanation, GateTried, RuleTried, StepTold
from policies.fact import Fact
from policies.facts import FACTS
from tasks.explaining import Told, explain_case
from tasks.finding import Found

CASE = """
SELECT k.id AS case_id, k.debtor_id, k.creditor_id, k.currency, d.debtor_no, c.code, c.time_zone,
  COALESCE(p.name, d.debtor_no) AS name, t.newest, t.before, t.after
FROM "case" k JOIN debtor d ON d.id = k.debtor_id JOIN creditor c ON c.id = k.creditor_id
LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL
CROSS JOIN LATERAL (
  SELECT max(business_date) AS newest, max(business_date) FILTER (WHERE business_date < :as_of) AS before,
    min(business_date) FILTER (WHERE business_date > :as_of) AS after
  FROM tick WHERE creditor_id = k.creditor_id AND k.shard_key % shards = shard) t
WHERE k.id = :id
"""
COMMON = ("days_past_due", "asked_amount", "reason", "spoken", "hold_reason", "experience_balance")
"""Facts with a field of their own; any other is named."""
MINOR = "minor"
QUERY = {
    "as_of": "The business date that is looked at; the newest run without one.",
    "set": "Facts to suppose, as `days_past_due=40;reason=cash_flow`; amounts in minor units.",
    "fact": "One more fact to suppose, by name.",
    "value": "Its value; an amount in whole units, such as 1250.00.",
    **{name: f"Suppose: {FACTS[name].meaning}" for name in COMMON},
}


@dataclass(frozen=True)
class Outcome:
    """What is decided. Amounts are minor units of the case's currency."""

    told: str
    """In a sentence."""
    segment: str
    outcome: str
    """`act` or `none`."""
    step: str | None
    reason: str | None
    next_step: str | None
    next_on: date | None
    change: str | None
    """What would change it."""
    overdue: int
    asked: int


@dataclass(frozen=True)
class Difference:
    """What would be otherwise with the facts that were supposed."""

    what: str
    real: str
    supposed: str


@dataclass(frozen=True)
class FactTold:
    """A fact as it was that day."""

    name: str
    group: str
    unit: str
    meaning: str
    value: str
    """As it is shown; money with its currency."""


@dataclass(frozen=True)
class Wrote:
    """A message of the case, up to that day."""

    message_id: int
    business_date: date
    step: str
    way: str
    state: str
    evidence: list[str]


@dataclass(frozen=True)
class Tried:
    """A check of a placement that was proposed then."""

    kind: str
    state: str
    told: str


@dataclass(frozen=True)
class WhySheet:
    """The explanation of one day, and beside it what other facts would make of it."""

    case_id: int
    debtor_no: str
    name: str
    creditor: str
    currency: str
    time_zone: str
    as_of: date
    newest: date
    """The newest run."""
    before: date | None
    """The run before that day, and the one after it."""
    after: date | None
    known_at: datetime
    """What was recorded by then counts."""
    tick_id: int | None
    engine_version: str | None
    pack: str
    policy_hash: str
    real: Outcome
    withheld: str | None
    """Why the letter of that day was kept back, where others were to be written to first."""
    supposing: dict[str, str]
    """Fact → value that is supposed; empty without any."""
    supposed: Outcome | None
    differences: list[Difference]
    course: list[CourseStep]
    """The journey as the rules see it; with the facts supposed, if any are."""
    segments: list[RuleTried]
    """Every rule in its order: the first that holds gives the segment of a round that opens."""
    reroutes: list[RuleTried]
    gates: list[GateTried]
    """Every reason of the case not to act, and whether it holds."""
    steps: list[StepTold]
    facts: list[FactTold]
    written: list[Wrote]
    checks: list[Tried]
    fields: list[Input]
    """Of the form that supposes other facts."""
    names: list[str]
    """Every fact that may be supposed."""


def read_why(asking: Asking, case_id: int) -> WhySheet:
    """The explanation of a case.

    Raises:
        UsageError: no run looked at it on that day, or a fact that is supposed does not fit.
    """
    asking.creditor_of("case_id", case_id)
    wanted = _day(asking.query.get("as_of"))
    rows = asking.rows(CASE, id=case_id, as_of=wanted or date.max)
    if not rows:
        raise missing("case_id", case_id)
    case = rows[0]
    as_of = wanted or case["newest"]
    if as_of is None:
        raise UsageError("No run has looked at this case yet.", advice="The next run of the creditor decides it.")
    found = Found(case["creditor_id"], case["code"], case["debtor_id"], case["debtor_no"], case_id, case["currency"])
    supposing = _supposing(asking.query, case["currency"])
    told = explain_case(asking.engine, found, as_of, asking.now, {})
    real = told.explanation
    supposed = told.basis.explain(supposing) if supposing else None
    shown = supposed or real
    return WhySheet(
        **{name: case[name] for name in ("case_id", "debtor_no", "name", "currency", "time_zone", "newest")},
        creditor=case["code"],
        as_of=as_of,
        before=case["before"] if wanted else _earlier(asking, case, as_of),
        after=case["after"],
        known_at=told.known_at,
        tick_id=told.tick_id,
        engine_version=told.engine_version,
        pack=real.pack,
        policy_hash=real.policy_hash,
        real=_outcome(real),
        withheld=(told.stored or {}).get("withheld"),
        supposing={name: _shown(FACTS.get(name), value, case["currency"]) for name, value in supposing.items()},
        supposed=_outcome(supposed) if supposed else None,
        differences=_differences(real, supposed) if supposed else [],
        course=course_told(shown.steps, shown.next_step),
        segments=list(shown.segments),
        reroutes=list(shown.reroutes),
        gates=list(shown.gates),
        steps=list(shown.steps),
        facts=_facts(shown.facts, case["currency"]),
        written=_written(told),
        checks=[Tried(str(each.kind), str(each.state), each.told) for each in told.checks],
        fields=_fields(asking.query, real.facts, case["currency"]),
        names=sorted(FACTS),
    )


BEFORE = """
SELECT max(t.business_date) AS before FROM tick t JOIN "case" k ON k.id = :id AND k.shard_key % t.shards = t.shard
WHERE t.creditor_id = :creditor AND t.business_date < :as_of
"""


def _earlier(asking: Asking, case: Mapping[str, Any], as_of: date) -> date | None:
    found: date | None = asking.rows(BEFORE, id=case["case_id"], creditor=case["creditor_id"], as_of=as_of)[0]["before"]
    return found


def _day(told: str | None) -> date | None:
    try:
        return date.fromisoformat(told) if told else None
    except ValueError:
        raise UsageError(f"{told!r} is no date.", advice="Write it as YYYY-MM-DD.") from None


def _supposing(query: Mapping[str, str], currency: str) -> dict[str, Any]:
    """Fact → value, as somebody supposes it."""
    found: dict[str, Any] = {}
    for pair in filter(str.strip, query.get("set", "").split(";")):
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"{pair!r} supposes nothing.", advice="Write it as days_past_due=40.")
        found[name.strip()] = value.strip()
    named = {name: query[name] for name in COMMON if query.get(name)}
    if query.get("fact"):
        named[query["fact"]] = query.get("value", "")
    for name, value in named.items():
        is_money = name in FACTS and FACTS[name].unit == MINOR
        found[name] = parse_amount(value, currency) if is_money and value else value
    return found


def _outcome(told: Explanation) -> Outcome:
    decision = told.decision
    currency = decision["currency"]
    amounts = f"{format_money(decision['overdue_open'], currency)} overdue"
    amounts += f", {format_money(decision['asked_amount'], currency)} to ask"
    acts = decision["outcome"] == "act"
    what = as_words(decision["step"]) if acts else f"Nothing: {as_words(str(decision['reason'])).lower()}"
    return Outcome(
        told=f"{what}. {amounts}.",
        segment=told.segment,
        outcome=decision["outcome"],
        step=decision["step"] if acts else None,
        reason=None if acts else decision["reason"],
        next_step=told.next_step,
        next_on=told.next_on,
        change=told.change,
        overdue=decision["overdue_open"],
        asked=decision["asked_amount"],
    )


ABSENT = "not on this journey"
NEITHER = frozenset({ABSENT, "not reached"})
"""Steps that are ahead on one journey and not on the other are no news."""


def _differences(real: Explanation, supposed: Explanation) -> list[Difference]:
    """What would be otherwise: the decision, what holds it back, and each step."""
    before, after = _outcome(real), _outcome(supposed)
    pairs = [
        ("Segment", as_words(before.segment), as_words(after.segment)),
        ("Decision", before.told, after.told),
        ("Next step", _next(before), _next(after)),
        ("Held back by", _held(real.gates), _held(supposed.gates)),
    ]
    steps = {step.name: step for step in real.steps}
    for step in supposed.steps:
        known = steps.get(step.name)
        pairs.append((as_words(step.name), _stands(known) if known else ABSENT, _stands(step)))
    others = {step.name for step in supposed.steps}
    pairs += [(as_words(name), _stands(step), ABSENT) for name, step in steps.items() if name not in others]
    return [Difference(*pair) for pair in pairs if pair[1] != pair[2] and not {*pair[1:]} <= NEITHER]


def _next(outcome: Outcome) -> str:
    if outcome.next_step is None:
        return "none"
    return f"{as_words(outcome.next_step)}{f', {day(outcome.next_on)}' if outcome.next_on else ''}"


def _held(gates: Sequence[GateTried]) -> str:
    return ", ".join(as_words(gate.reason) for gate in gates if gate.holds) or "nothing"


def _stands(step: StepTold) -> str:
    why = f" ({', '.join(as_words(each).lower() for each in step.stopped_by)})" if step.stopped_by else ""
    on = step.done_on or step.due_on
    return f"{step.status}{why}{f', {day(on)}' if on else ''}"


def _facts(row: Mapping[str, Any], currency: str) -> list[FactTold]:
    return [
        FactTold(fact.name, fact.group, fact.unit, fact.meaning, _shown(fact, row.get(fact.name), currency))
        for fact in FACTS.values()
    ]


def _shown(fact: Fact | None, value: Any, currency: str) -> str:
    if value is None or value == "":
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return day(value)
    if fact is not None and fact.unit == MINOR and str(value).lstrip("-").isdigit():
        return format_money(int(value), currency)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _written(told: Told) -> list[Wrote]:
    names = tuple(Wrote.__dataclass_fields__)
    return [Wrote(**{name: row[name] for name in names}) for row in told.written]


def _fields(query: Mapping[str, str], row: Mapping[str, Any], currency: str) -> list[Input]:
    """The common facts as fields; what they are really stands beside."""
    drawn = []
    for name in COMMON:
        fact = FACTS[name]
        choices = fact.values or (("true", "false") if isinstance(row.get(name), bool) else ())
        drawn.append(
            Input(
                name=name,
                title=as_words(name),
                kind="choice" if choices else "money" if fact.unit == MINOR else "text",
                help=f"Now {_shown(fact, row.get(name), currency)}.",
                needed=False,
                value=query.get(name) or None,
                choices=[Choice(each, {"true": "Yes", "false": "No"}.get(each, as_words(each))) for each in choices],
            )
        )
    return drawn
