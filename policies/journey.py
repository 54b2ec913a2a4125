"""A compiled pack's parts: segments, reroutes, and journeys of steps. Frozen, and all that others need to read.

A `Journey` lists its steps in topological order with fragments already put in; `edges()` is what a run graph draws.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from maatpak.kernel.words import Reaction, Role, Stage, StepKind
from policies.rules import CompiledRule
from policies.schema import Attachment, ChannelRule, Only, PlanTerms, Through, Tone
from policies.timing import Anchor, Moment, Recurrence

TO_CUSTOMER = frozenset({StepKind.MESSAGE, StepKind.STATEMENT, StepKind.CALL, StepKind.PLAN_OFFER, StepKind.HANDOFF})
"""Kinds that reach the customer."""

OUTWARD = TO_CUSTOMER | {StepKind.CONSULT, StepKind.DECIDE}
"""Kinds of which a case takes one a tick."""

INWARD = frozenset({StepKind.NOTIFY, StepKind.REVIEW, StepKind.WAIT})
"""Kinds that may be taken beside it."""


@dataclass(frozen=True)
class Step:
    """One step of a journey, compiled."""

    name: str
    stage: Stage
    kind: StepKind
    tone: Tone
    about: str = ""
    template: str | None = None
    channel: ChannelRule | None = None
    at: Moment | None = None
    after: tuple[str, ...] = ()
    wait: int = 0
    """Working days after the reaction, or after steps that `waits` does not name."""
    waits: Mapping[str, int] = field(default_factory=dict)
    """Working days after each step of `after`."""
    until: Moment | int | None = None
    """Working days after it fell due, or a date."""
    every: Recurrence | None = None
    on: Reaction | None = None
    when: CompiledRule | None = None
    only: Only | None = None
    through: frozenset[Through] = frozenset()
    written: bool = False
    escalating: bool = False
    approval_role: Role | None = None
    approvals_needed: int = 0
    approval_above: int | None = None
    """Up to this amount no approval is needed."""
    role: Role | None = None
    deadline: int | None = None
    """Working days for the role to act."""
    deputy: int | None = None
    """Working days more for the deputy."""
    last: Role | None = None
    """Who decides when neither answered."""
    attach: tuple[Attachment, ...] = ()
    term: int | None = None
    plan: PlanTerms | None = None
    supply: bool = False
    """Whether this review asks to supply on, and may stop it."""
    rating: int = 0
    fragment: str | None = None

    @property
    def outside_round(self) -> bool:
        """Whether it lives outside rounds: it recurs, prepares a due date to come, or asks what money is for."""
        prepares = self.stage is Stage.PREPARE and self.at is not None
        return self.every is not None or prepares or self.asks_of_cash

    @property
    def asks_of_cash(self) -> bool:
        """Whether it asks what unallocated money is for."""
        return self.on is Reaction.CASH_UNALLOCATED

    @property
    def makes_up(self) -> bool:
        """Whether it sends again what did not arrive."""
        return self.at is not None and self.at.anchor is Anchor.UNRECEIVED

    @property
    def beside_round(self) -> bool:
        """Whether it lives outside rounds and goes on while one is open."""
        return self.kind is StepKind.STATEMENT or self.makes_up or self.asks_of_cash

    @property
    def outward(self) -> bool:
        """Whether a case takes only one such step a tick."""
        return self.kind in OUTWARD

    @property
    def to_customer(self) -> bool:
        """Whether it reaches the customer."""
        return self.kind in TO_CUSTOMER


@dataclass(frozen=True)
class Journey:
    """A segment's DAG of steps, in topological order."""

    segment: str
    about: str
    tone: Tone
    goal: CompiledRule
    steps: Mapping[str, Step]
    above: Mapping[str, tuple[str, ...]]
    """For each step, all that come before it."""
    closing: Mapping[str, str]
    """For each step, the decision at which its branch ends when the step may never be taken."""

    @cached_property
    def course(self) -> tuple[Step, ...]:
        """The steps that a round passes through, in order."""
        return tuple(step for step in self.steps.values() if not step.outside_round and step.on is None)

    @cached_property
    def reactions(self) -> tuple[Step, ...]:
        """The steps that answer an event inside a round."""
        return tuple(step for step in self.steps.values() if step.on is not None and not step.outside_round)

    @cached_property
    def outside(self) -> tuple[Step, ...]:
        """The steps that live outside rounds."""
        return tuple(step for step in self.steps.values() if step.outside_round)

    def edges(self) -> list[tuple[str, str]]:
        """(earlier, later) for every `after`, in the order of the steps."""
        return [(before, step.name) for step in self.steps.values() for before in step.after]


@dataclass(frozen=True)
class Segment:
    """A group of customers."""

    name: str
    who: str
    rule: CompiledRule


@dataclass(frozen=True)
class Reroute:
    """What moves a case to another segment inside its round."""

    cause: str
    to: str
    rule: CompiledRule
