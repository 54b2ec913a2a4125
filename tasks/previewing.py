"""What a step would send to a customer today: the message as the engine would compose it, without any effect.

Any step that writes can be looked at with any case. What would not go so today is told beside the message: that the
customer's journey has no such step, that the step would name nothing, or that no usable address is known.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from connectors.message import Outgoing
from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import ActionState, Channel, StepKind
from maatpak.ledger.database import Frames
from policies.decide import decide
from policies.journey import Step
from policies.render import templates_of
from tasks.compose import ASKING, Drafts, Wanted, suppose
from tasks.current_pack import current_pack
from tasks.facts import FactFrames, build_facts
from tasks.finding import Found, acting_date
from tasks.offers import offered_terms
from tasks.proposal import named_items
from tasks.revalidate import step_properties

if TYPE_CHECKING:
    from policies.pack import CompiledPack
    from tasks.engine import Engine

SUPPOSED = 0
"""The id of an action that is no row."""


@dataclass(frozen=True)
class Previewed:
    """The messages of a step, and what would be otherwise if it were taken today."""

    segment: str
    """Whose journey the step is of."""
    step: str
    template: str
    messages: tuple[Outgoing, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Place:
    """Where a case stands, and the step that is looked at."""

    case: dict[str, Any]
    pack_id: int
    pack: "CompiledPack"
    segment: str
    step: Step

    @property
    def asks(self) -> bool:
        """Whether its template asks for items, and so is never sent without any."""
        return templates_of(self.pack).about(str(self.step.template), str(self.step.tone)).kind in ASKING


def preview_step(
    engine: "Engine", found: Found, step: str, now: datetime, channel: Channel | None, language: str | None
) -> Previewed:
    """The messages that a step would send to a case as of the creditor's business date.

    Raises:
        UsageError: no journey has the step, it sends nothing, the template lacks the channel or the language, or
            nothing is open that it could ask for.
    """
    as_of = acting_date(engine, found.creditor, now)
    with engine.database.frames(read_only=True) as frames:
        facts = build_facts(frames, found.creditor_id, as_of, now, case_ids=[found.the_case])
        place, notes = _place(engine, frames, facts, found, step, as_of)
        wanted = _wanted(place, channel, language)
        named = _named(place, facts.items, as_of)
        if not named and place.asks:
            named = dict(facts.items.filter(pl.col("open_amount") > 0).select("item_id", "open_amount").iter_rows())
            notes += ["Today the step would name nothing; it is shown with all that is open."] if named else []
        action = _action(place, found, sum(named.values()))
        offer = _offer(place, sum(named.values()), as_of)
        made = suppose(engine, frames, action, named, offer, wanted, as_of, now)
        if made.unreachable and made.unreachable[0][1] != "nothing_left":
            notes.append(f"It would not go out today ({made.unreachable[0][1]}): {made.unreachable[0][2]}.")
            instead = Wanted(Channel.POST if place.step.escalating else Channel.EMAIL, language)
            made = suppose(engine, frames, action, named, offer, instead, as_of, now)
    return Previewed(place.segment, step, str(place.step.template), _messages(made, found), (*notes, *_unusable(made)))


def _place(
    engine: "Engine", frames: Frames, facts: FactFrames, found: Found, name: str, as_of: date
) -> tuple[_Place, list[str]]:
    """The step in the journey that the case is on; where that has none of the name, in another's."""
    if facts.cases.is_empty():
        raise UsageError(
            f"Debtor {found.debtor_no} of {found.creditor} has nothing to write about on {as_of}.",
            advice="A case is looked at while anything is open, a round runs, or something was settled in 24 months.",
        )
    case = facts.cases.row(0, named=True)
    current = current_pack(frames, found.creditor_id)
    packs = {each: engine.pack(each) for each in {current, case["round_pack_id"] or current}}
    decided = decide(facts.cases, facts.steps, packs, current, as_of).cases.row(0, named=True)
    pack, own = packs[decided["pack_id"]], decided["segment"]
    segments = [own, *(each for each in pack.journeys if each != own)]
    segment = next((each for each in segments if name in pack.journeys[each].steps), None)
    if segment is None:
        sending = sorted(each.name for each in pack.journeys[own].steps.values() if each.template)
        raise UsageError(
            f"No journey of the pack has a step {name!r}.", advice=f"That of {own} sends: {', '.join(sending)}."
        )
    step = pack.journeys[segment].steps[name]
    if step.template is None:
        raise UsageError(
            f"The step {name!r} sends no message: it is {step.kind}.",
            advice="`maatpak explain` shows the steps of a case.",
        )
    note = f"The journey of {own}, on which this customer is, has no step {name}; it is shown as in that of {segment}."
    return _Place(case, decided["pack_id"], pack, segment, step), [note] if segment != own else []


def _wanted(place: _Place, channel: Channel | None, language: str | None) -> Wanted:
    templates, template = templates_of(place.pack), str(place.step.template)
    if language is not None and language not in templates.languages:
        raise UsageError(
            f"The pack does not write in {language!r}.", advice=f"It writes in {', '.join(templates.languages)}."
        )
    if channel is Channel.SMS and not templates.about(template, str(place.step.tone)).texts:
        raise UsageError(f"The template {template!r} has no words for a text message.", advice="Try email or post.")
    return Wanted(channel, language)


def _named(place: _Place, items: pl.DataFrame, as_of: date) -> dict[int, int]:
    """Item → amount that the step would name, by the rule of the tick."""
    coming = items.filter(pl.col("bank_due_on") >= as_of)["bank_due_on"]
    action = pl.DataFrame(
        {
            "case_id": [place.case["case_id"]],
            "pack_id": [place.pack_id],
            "segment": [place.segment],
            "step": [place.step.name],
            "kind": [str(place.step.kind)],
            "state": [str(ActionState.APPROVED)],
            "written": [place.step.written or place.step.kind is StepKind.CALL],
            "escalating": [place.step.escalating],
            "occurrence": pl.Series([coming.min()], dtype=pl.Date),
        }
    )
    keys = action.select("pack_id", "segment", "step")
    properties = step_properties({place.pack_id: place.pack}.__getitem__, keys)
    named = named_items(action.join(properties, on=["pack_id", "segment", "step"]), items)
    return dict(named.select("item_id", "amount").iter_rows())


def _action(place: _Place, found: Found, amount: int) -> dict[str, Any]:
    """The row that the action would be."""
    step, case = place.step, place.case
    return {
        "action_id": SUPPOSED,
        "case_id": found.the_case,
        "creditor_id": found.creditor_id,
        "debtor_id": found.debtor_id,
        "debtor_no": found.debtor_no,
        "party_id": case["party_id"],
        "currency": found.currency,
        "round_id": case["round_id"],
        "round_no": _round_no(place),
        "stage": str(step.stage),
        "step": step.name,
        "attempt": 1,
        "occurrence": None,
        "kind": str(step.kind),
        "segment": place.segment,
        "pack_id": place.pack_id,
        "channel": step.channel and str(step.channel),
        "template": step.template,
        "written": step.written,
        "escalating": step.escalating,
        "amount": amount,
    }


def _round_no(place: _Place) -> int | None:
    """The number of the round that the action would belong to, if it belongs to one."""
    if place.case["round_id"] is not None:
        return int(place.case["round_no"])
    return None if place.step.outside_round else int(place.case["round_no"]) + 1


def _offer(place: _Place, total: int, as_of: date) -> dict[str, Any] | None:
    """The plan that the step would offer, in the columns that composing reads."""
    if place.step.kind is not StepKind.PLAN_OFFER or not total:
        return None
    parts, valid = offered_terms(place.step.plan, total, as_of, place.case["country"])
    return {
        "case_id": place.case["case_id"],
        "total": total,
        "instalments": [part.plain() for part in parts],
        "valid_until": add_working_days(as_of, valid, place.case["country"]),
        "state": "offered",
    }


def _messages(made: Drafts, found: Found) -> tuple[Outgoing, ...]:
    if not made.drafts:
        raise UsageError(
            f"Nothing of debtor {found.debtor_no} of {found.creditor} is open that this step could ask for.",
            advice="Try a customer with an open invoice; `maatpak cases` lists them.",
        )
    return tuple(draft.outgoing for draft in made.drafts)


def _unusable(made: Drafts) -> list[str]:
    """The channels for which no usable address is known."""
    return [
        f"No usable address is known for {draft.outgoing.channel}; the engine would not send this."
        for draft in made.drafts
        if not draft.recipient
    ]
