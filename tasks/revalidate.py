"""Asked again: what has come in between deciding and acting that forbids the effect (law 4).

One vectorised look at the facts of the cases concerned, as recorded at this very moment. What is wanted no longer is
cancelled, with the reason; what may not happen today (a holiday, a crowded week, a talk under way) waits.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from maatpak.kernel.reasons import SkipReason
from maatpak.kernel.words import ActionState, HoldReason, LegalStop, StepKind
from maatpak.ledger.database import Frames
from policies.cases import Cases
from policies.gates import Gates, in_season
from policies.guardrails import GuardrailsFile
from policies.history import NONE
from policies.journey import TO_CUSTOMER, Step
from policies.schema import Through
from policies.timing import Anchor
from policies.workdays import Workdays, day_number
from tasks.facts import FactFrames
from tasks.naming import named_amount

if TYPE_CHECKING:
    from policies.pack import CompiledPack

EVERYTHING_RECORDED = datetime.max.replace(tzinfo=UTC)
"""Known-at that hides nothing: law 4 asks what is recorded by now, not what was when the run began."""

PROPERTIES: dict[str, pl.DataType | type[pl.DataType]] = {
    "pack_id": pl.Int64,
    "segment": pl.String,
    "step": pl.String,
    "passes": pl.List(pl.String),
    "outside_round": pl.Boolean,
    "prepares_due": pl.Boolean,
    "ahead": pl.Int64,
    "asks_of_cash": pl.Boolean,
}
"""`ahead`: of a step that sends again what did not arrive, how many working days before D."""
NAMED = {"action_id": pl.Int64, "item_id": pl.Int64, "amount": pl.Int64}


def step_properties(pack_of: Callable[[int], "CompiledPack"], keys: pl.DataFrame) -> pl.DataFrame:
    """What the steps of these (pack_id, segment, step) say of objections; a step that no pack knows passes nothing."""
    rows = []
    for pack_id, segment, name in keys.select("pack_id", "segment", "step").unique(maintain_order=True).iter_rows():
        rows.append((pack_id, segment, name, *_passes(step_of(pack_of, pack_id, segment, name))))
    return pl.DataFrame(rows, schema=PROPERTIES, orient="row")


def step_of(pack_of: Callable[[int], "CompiledPack"], pack_id: int, segment: str, name: str) -> Step | None:
    """The step of an action, if its pack knows it."""
    journey = pack_of(pack_id).journeys.get(segment)
    return journey.steps.get(name) if journey else None


def _passes(step: Step | None) -> tuple[list[str], bool, bool, int | None, bool]:
    if step is None:
        return [], False, False, None, False
    prepares_due = step.outside_round and step.at is not None and step.at.anchor is Anchor.DUE
    ahead = -step.at.shift if step.makes_up and step.at is not None else None
    return [str(each) for each in step.through], step.outside_round, prepares_due, ahead, step.asks_of_cash


def objections(
    actions: pl.DataFrame, named: pl.DataFrame, facts: FactFrames, guardrails: GuardrailsFile
) -> pl.DataFrame:
    """(action_id, reason) of the actions that are no longer wanted; one row each, the weightiest reason.

    `actions`: action_id, case_id, kind, escalating, occurrence, passes, outside_round, asks_of_cash, own_offer (the
    action has made its plan offer already, so that plan speaks for it, not against it), written, written_to (the party
    meant).
    `named`: action_id, item_id, amount.
    """
    joined = (
        actions.join(_of_cases(facts.cases, guardrails), on="case_id", how="left")
        .join(_of_items(actions, named, facts.items), on="action_id", how="left")
        .join(_returned_demands(facts.steps), on="case_id", how="left")
    )
    to_customer = pl.col("kind").is_in([str(kind) for kind in TO_CUSTOMER])
    asked_of = to_customer & (pl.col("kind") != StepKind.STATEMENT)
    asks = asked_of | pl.col("kind").is_in([StepKind.CONSULT, StepKind.DECIDE])
    in_round = ~pl.col("outside_round")
    names_items = pl.col("items_named").fill_null(0) > 0
    own = pl.col("own_offer")
    tests: list[tuple[pl.Expr, pl.Expr | str]] = [
        (to_customer & pl.col("legal_stopped").fill_null(value=True), SkipReason.LEGAL_STOP),
        (to_customer & pl.col("stale"), SkipReason.DATA_STALE),
        (to_customer & pl.col("quarantined"), SkipReason.QUARANTINED),
        (names_items & (pl.col("open_now") <= 0), SkipReason.PAID),
        (asks & in_round & (pl.col("round_open") <= 0), SkipReason.PAID),
        (pl.col("written") & (pl.col("written_to") != _addressee()), SkipReason.PAYER_CHANGED),
        (_gone_upcoming(), SkipReason.PAID),
        (pl.col("asks_of_cash") & (pl.col("cash_unallocated") <= 0), SkipReason.NOTHING_LEFT),
        (to_customer & pl.col("held"), SkipReason.ON_HOLD),
        (asked_of & ~_passes_through(Through.OUR_TURN) & pl.col("ours"), SkipReason.ON_HOLD),
        (asks & in_round & ~_passes_parked() & ~own & (pl.col("parked") != ""), pl.col("parked")),
        (to_customer & pl.col("unread"), SkipReason.ANSWER_UNREAD),
        (pl.col("escalating") & pl.col("dispute_open"), SkipReason.DISPUTED),
        (pl.col("escalating") & pl.col("promise_open"), SkipReason.PROMISED),
        (pl.col("escalating") & pl.col("offer_open"), SkipReason.IN_PLAN),
        (pl.col("escalating") & pl.col("unheard"), SkipReason.ON_HOLD),
        ((pl.col("kind") == StepKind.HANDOFF) & pl.col("demand_returned"), SkipReason.LETTER_RETURNED),
        (names_items & pl.col("changed") & ~(own & (pl.col("change") == SkipReason.IN_PLAN)), pl.col("change")),
    ]
    reason = pl.coalesce(
        pl.when(test).then(why if isinstance(why, pl.Expr) else pl.lit(str(why))) for test, why in tests
    )
    return joined.select("action_id", reason=reason).filter(pl.col("reason").is_not_null())


def _of_cases(cases: pl.DataFrame, guardrails: GuardrailsFile) -> pl.DataFrame:
    """What the facts of a case say to every action of it."""
    covers = {
        SkipReason.DISPUTED: "disputed_open",
        SkipReason.IN_PLAN: "in_plan_open",
        SkipReason.PROMISED: "promised_open",
        SkipReason.CLAIMED_PAID: "claimed_paid_open",
        SkipReason.DEBIT_IN_FLIGHT: "debits_in_flight",
        SkipReason.ON_HOLD: "placed_open",
    }
    largest = pl.max_horizontal(list(covers.values()))
    by = pl.coalesce(
        pl.when((pl.col(name) > 0) & (pl.col(name) == largest)).then(pl.lit(str(reason)))
        for reason, name in covers.items()
    )
    parked = pl.col("asked_amount") <= guardrails.tolerance
    return cases.select(
        "case_id",
        "round_open",
        "cash_unallocated",
        "dispute_open",
        "promise_open",
        "offer_open",
        "upcoming_bank_due_on",
        "country",
        "party_kind",
        legal_entity="party_id",
        payer="payer_party_id",
        legal_stopped=pl.col("legal_stop") != LegalStop.NONE,
        stale=pl.col("data_age_wd").fill_null(999) > guardrails.data_age,
        quarantined=pl.col("quarantined_rows") > 0,
        held=pl.col("hold_reason") != HoldReason.NONE,
        ours=pl.col("our_turn") | (pl.col("tickets_open") > 0),
        unread=pl.col("unread_reply"),
        unheard=~pl.col("manager_heard") | ~(pl.col("tried_call") | pl.col("call_waived")),
        parked=pl.when(parked).then(pl.coalesce(by, pl.lit(str(SkipReason.PAID)))).otherwise(pl.lit("")),
    )


def _returned_demands(steps: pl.DataFrame) -> pl.DataFrame:
    """(case_id, demand_returned) of the cases whose last demand came back, so that no placement may rest on it."""
    sent = steps.filter(
        (pl.col("kind") == StepKind.MESSAGE)
        & (pl.col("state") == ActionState.EXECUTED)
        & pl.col("round_id").is_not_null()
    )
    last = sent.group_by("case_id", "step").agg(pl.col("returned_on").sort_by("attempt").last())
    returned = last.drop_nulls("returned_on").select("case_id").unique()
    return returned.with_columns(demand_returned=pl.lit(value=True))


def _of_items(actions: pl.DataFrame, named: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """What became of the items that the actions name."""
    rows = (
        named.join(actions.select("action_id", "escalating", "outside_round", "passes"), on="action_id")
        .join(items, on="item_id", how="left", suffix="_now")
        .with_columns(now=named_amount())
    )
    covers = {
        SkipReason.DISPUTED: "disputed",
        SkipReason.IN_PLAN: "in_plan",
        SkipReason.PROMISED: "promised",
        SkipReason.CLAIMED_PAID: "claimed",
        SkipReason.DEBIT_IN_FLIGHT: "in_flight",
        SkipReason.ON_HOLD: "placed",
    }
    differs = pl.col("now") != pl.col("amount")
    return rows.group_by("action_id").agg(
        items_named=pl.len(),
        open_now=pl.col("open_amount").fill_null(0).sum(),
        changed=differs.any(),
        change=pl.coalesce(
            *(
                pl.when((pl.col(name).fill_null(0) > 0).filter(differs).any()).then(pl.lit(str(reason)))
                for reason, name in covers.items()
            ),
            pl.lit(str(SkipReason.AMOUNT_CHANGED)),
        ),
    )


def _passes_through(state: Through) -> pl.Expr:
    return pl.col("passes").list.contains(str(state)).fill_null(value=False)


def _passes_parked() -> pl.Expr:
    """Whether the step goes on in the parked state that the case is in."""
    words = {
        SkipReason.DISPUTED: Through.DISPUTE,
        SkipReason.IN_PLAN: Through.PLAN,
        SkipReason.PROMISED: Through.PROMISE,
        SkipReason.CLAIMED_PAID: Through.CLAIMED_PAID,
        SkipReason.DEBIT_IN_FLIGHT: Through.DEBIT_IN_FLIGHT,
    }
    passed = [(pl.col("parked") == str(reason)) & _passes_through(state) for reason, state in words.items()]
    return pl.any_horizontal(passed)


def _addressee() -> pl.Expr:
    """Whom a letter goes to as things are: who pays, but a demand to the legal entity itself (rule 22)."""
    return pl.when("escalating").then("legal_entity").otherwise("payer")


def _gone_upcoming() -> pl.Expr:
    """A step before a due date whose item is open no longer."""
    calls = (pl.col("kind") == StepKind.CALL) & pl.col("outside_round") & pl.col("occurrence").is_not_null()
    return calls & (pl.col("upcoming_bank_due_on") != pl.col("occurrence")).fill_null(value=True)


STANDING_PLANS = """
SELECT DISTINCT case_id FROM plan WHERE replaced_at IS NULL AND state IN ('offered', 'active') AND case_id IN ({cases})
"""


def offered_meanwhile(frames: Frames, actions: pl.DataFrame) -> pl.DataFrame:
    """(action_id) of demands and placements on a case that is offered a plan just now, or was by an earlier step.

    What a tick saw does not hold what its own steps did since; the next look finds the offer, and ends them.
    """
    threats = actions.filter("escalating")
    if threats.is_empty():
        return threats.select("action_id")
    cases = ", ".join(str(case_id) for case_id in threats["case_id"].unique().sort())
    standing = frames.read(STANDING_PLANS.format(cases=cases))["case_id"]
    offered = actions.filter(pl.col("kind") == StepKind.PLAN_OFFER)["case_id"]
    return threats.filter(pl.col("case_id").is_in(pl.concat([standing, offered]).implode())).select("action_id")


def closed_today(
    actions: pl.DataFrame, countries: pl.DataFrame, guardrails: GuardrailsFile, as_of: date
) -> pl.DataFrame:
    """(action_id) of actions to customers that wait for a working day, and demands for another season."""
    joined = actions.join(countries, on="case_id", how="left", maintain_order="left")
    if joined.is_empty():
        return joined.select("action_id")
    workdays, day = Workdays(joined["country"]), day_number(as_of)
    rows = joined.with_row_index("row")["row"].cast(pl.Int64).to_numpy()
    no_demand = any(in_season(season, day) for season in guardrails.escalation.no_demand)
    closed = pl.Series(~workdays.working(day, rows))
    eve = pl.Series(workdays.eve(day, rows)) if guardrails.escalation.holiday_eve else pl.Series([False] * len(rows))
    spared = joined["escalating"] & (eve | no_demand)
    to_customer = joined["kind"].is_in([str(kind) for kind in TO_CUSTOMER])
    return joined.filter(to_customer & (closed | spared)).select("action_id")


def silent_today(
    pack_of: Callable[[int], "CompiledPack"],
    actions: pl.DataFrame,
    cases: pl.DataFrame,
    current: "CompiledPack",
    as_of: date,
) -> pl.DataFrame:
    """(action_id) of actions that wait because a person is talking with the customer, or rest is due (law 6).

    `cases`: their facts; `current`: the newest pack, whose limits hold.
    """
    known = cases.join(actions.select("case_id"), on="case_id", how="semi")
    gates = Gates(Cases(known, as_of), current, np.full(known.height, NONE, dtype=np.int8))
    placed = actions.join(known.select("case_id").with_row_index("row"), on="case_id")
    silent = [placed.clear().select("action_id")]
    for (pack_id, segment, name), rows in placed.group_by("pack_id", "segment", "step", maintain_order=True):
        step = step_of(pack_of, int(str(pack_id)), str(segment), str(name))
        if step is not None and step.to_customer:
            quiet = pl.Series(gates.silent(step, rows["row"].cast(pl.Int64).to_numpy()))
            silent.append(rows.filter(quiet).select("action_id"))
    return pl.concat(silent)
