"""From the lines of a journey to its compiled steps, with everything checked that one line cannot tell.

Which keys fit which kind of step, whether a step ever falls due, names of other steps, branches that end: each problem
is noted at the line it comes from, and compiling goes on, so that an author sees all of them at once.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from maatpak.kernel.words import Reaction, Role, Stage, StepKind
from policies.document import Document, Path, Problems, suggestion
from policies.graph import ancestors, closings, in_order, unended
from policies.journey import INWARD, Journey, Step
from policies.rules import CompiledRule, RuleError, both, compile_rule
from policies.schema import ChannelRule, FragmentFile, IncludeLine, JourneyFile, Only, StepLine
from policies.timing import Anchor, Moment

_MESSAGES = frozenset({StepKind.MESSAGE, StepKind.STATEMENT, StepKind.PLAN_OFFER})
_DEMANDS = frozenset({StepKind.MESSAGE, StepKind.HANDOFF})
_PEOPLE = frozenset({StepKind.CONSULT, StepKind.REVIEW, StepKind.NOTIFY, StepKind.DECIDE})
_ALL = frozenset(StepKind)

FITS: dict[str, frozenset[StepKind]] = {
    "template": _MESSAGES | {StepKind.CALL},
    "channel": _MESSAGES,
    "tone": _MESSAGES | {StepKind.CALL},
    "attach": _MESSAGES,
    "term": _MESSAGES - {StepKind.STATEMENT},
    "plan": frozenset({StepKind.PLAN_OFFER}),
    "written": _MESSAGES - {StepKind.STATEMENT},
    "escalating": _DEMANDS,
    "approval": _DEMANDS | {StepKind.PLAN_OFFER},
    "approvals": _DEMANDS | {StepKind.PLAN_OFFER},
    "approval_above": _DEMANDS | {StepKind.PLAN_OFFER},
    "role": _PEOPLE | {StepKind.CALL},
    "deadline": _PEOPLE | {StepKind.CALL},
    "deputy": frozenset({StepKind.CONSULT}),
    "last": frozenset({StepKind.CONSULT}),
    "supply": frozenset({StepKind.REVIEW}),
    "rating": _ALL - {StepKind.WAIT, StepKind.NOTIFY, StepKind.DECIDE, StepKind.CONSULT},
    "through": _ALL - {StepKind.HANDOFF, StepKind.WAIT},
    "every": frozenset({StepKind.MESSAGE, StepKind.STATEMENT, StepKind.CALL}),
    "on": _ALL - {StepKind.HANDOFF, StepKind.STATEMENT, StepKind.WAIT},
}
"""Which kinds of step a key may stand at; keys that are not named here may stand at any."""

ONLY_AFTER: dict[Only, Reaction] = {
    Only.HALF_PAID: Reaction.PART_PAID,
    Only.LESS_PAID: Reaction.PART_PAID,
    Only.MANDATE_GONE: Reaction.DEBIT_RETURNED,
    Only.REFUNDED: Reaction.DEBIT_RETURNED,
}
"""Conditions that say something of one reaction only."""

NEEDS: dict[StepKind, tuple[str, ...]] = {
    StepKind.MESSAGE: ("template",),
    StepKind.STATEMENT: ("template", "every"),
    StepKind.CALL: ("template",),
    StepKind.PLAN_OFFER: ("template", "plan"),
    StepKind.CONSULT: ("role", "deadline", "deputy", "last"),
    StepKind.REVIEW: ("role", "deadline"),
    StepKind.NOTIFY: ("role",),
    StepKind.WAIT: ("wait",),
    StepKind.HANDOFF: ("approval",),
    StepKind.DECIDE: ("role", "deadline"),
}
"""What a step of a kind cannot do without."""

_STAGES: dict[StepKind, Stage] = {
    StepKind.MESSAGE: Stage.REMIND,
    StepKind.STATEMENT: Stage.PREPARE,
    StepKind.CALL: Stage.LISTEN,
    StepKind.PLAN_OFFER: Stage.SOLVE,
    StepKind.CONSULT: Stage.SOLVE,
    StepKind.REVIEW: Stage.REMIND,
    StepKind.NOTIFY: Stage.REMIND,
    StepKind.WAIT: Stage.REMIND,
    StepKind.HANDOFF: Stage.HANDOFF,
    StepKind.DECIDE: Stage.SOLVE,
}
"""The mildest stage that a kind of step can have."""


@dataclass(frozen=True)
class _Placed:
    """A step line with where it stands, and what an include adds to it."""

    line: StepLine
    document: Document
    path: Path
    fragment: str | None = None
    after: Mapping[str, int | None] | None = None
    wait: int | None = None
    when: CompiledRule | None = None


class JourneyCompiler:
    """Compiles the journeys of a pack; notes problems instead of stopping."""

    def __init__(
        self, fragments: Mapping[str, tuple[Document, FragmentFile]], unread: Set[str], problems: Problems
    ) -> None:
        self.fragments = fragments
        self.unread = unread
        self.problems = problems

    def rule(self, document: Document, path: Path, text: str | None) -> CompiledRule | None:
        """The compiled rule, or None with a problem noted."""
        if text is None:
            return None
        try:
            return compile_rule(text)
        except RuleError as error:
            self.problems.add(document, path, str(error))
            return None

    def journey(self, document: Document, file: JourneyFile) -> Journey | None:
        """The journey with its fragments put in, or None when its steps have no order."""
        placed: dict[str, _Placed] = {}
        for name, each in self._placed(document, file):
            if name in placed:
                first = placed[name]
                where = f"{first.document.file}:{first.document.line(first.path)}"
                self.problems.add(
                    each.document, each.path, f"step {name!r} is in journey {file.journey!r} already, at {where}"
                )
            else:
                placed[name] = each
        goal = self.rule(document, ("goal",), file.goal)
        after = {name: self._after(name, each, placed) for name, each in placed.items()}
        order, cycle = in_order({name: list(ups) for name, ups in after.items()})
        if cycle:
            each = placed[cycle[0]]
            self.problems.add(each.document, (*each.path, "after"), f"steps go in a circle: {' → '.join(cycle)}")
            return None
        steps: dict[str, Step] = {}
        for name in order:
            steps[name] = self._step(name, placed[name], after[name], steps, file)
        if not self.unread & {include.fragment for include in file.include}:
            self._check_graph(steps, placed)
        if goal is None:
            return None
        above = {name: tuple(ups) for name, ups in ancestors(steps).items()}
        return Journey(file.journey, file.about, file.tone, goal, steps, above, closings(steps))

    def _placed(self, document: Document, file: JourneyFile) -> Iterator[tuple[str, _Placed]]:
        for name, line in file.steps.items():
            yield name, _Placed(line, document, ("steps", name))
        for at, include in enumerate(file.include):
            found = self.fragments.get(include.fragment)
            if found is None and include.fragment in self.unread:
                continue
            if found is None:
                known = list(self.fragments)
                text = f"there is no fragment {include.fragment!r}{suggestion(include.fragment, known)}"
                self.problems.add(document, ("include", at, "fragment"), text)
                continue
            yield from self._included(document, ("include", at), include, *found)

    def _included(
        self, document: Document, path: Path, include: IncludeLine, source: Document, fragment: FragmentFile
    ) -> Iterator[tuple[str, _Placed]]:
        condition = self.rule(document, (*path, "when"), include.when)
        entries = [name for name, line in fragment.steps.items() if _is_entry(line)]
        if bool(entries) != bool(include.after):
            wants = f"needs an `after` (it begins with {', '.join(entries)})" if entries else "takes no `after`"
            self.problems.add(document, path, f"fragment {include.fragment!r} {wants}")
        for name, line in fragment.steps.items():
            entry = name in entries
            yield (
                name,
                _Placed(
                    line,
                    source,
                    ("steps", name),
                    fragment=fragment.fragment,
                    after=include.after if entry else None,
                    wait=include.wait if entry else None,
                    when=condition if line.do is not StepKind.DECIDE else None,
                ),
            )

    def _after(self, name: str, each: _Placed, placed: Mapping[str, _Placed]) -> dict[str, int]:
        """What a step comes after, each with its wait; unknown names are noted and left out."""
        wait = each.wait if each.wait is not None else each.line.wait or 0
        ups: dict[str, int] = {}
        for up, own in (each.after or each.line.after or {}).items():
            if up not in placed:
                text = f"step {name!r} comes after {up!r}, which is no step here{suggestion(up, list(placed))}"
                self.problems.add(each.document, (*each.path, "after"), text)
            elif placed[up].line.on is not None or placed[up].line.every is not None:
                text = f"step {name!r} cannot come after {up!r}: a reaction or a recurring step has nothing after it"
                self.problems.add(each.document, (*each.path, "after"), text)
            else:
                ups[up] = wait if own is None else own
        return ups

    def _step(
        self, name: str, each: _Placed, after: Mapping[str, int], done: Mapping[str, Step], file: JourneyFile
    ) -> Step:
        line = each.line
        self._check_keys(each)
        self._check_start(each)
        mildest = max([_stage(line), *(done[up].stage for up in after)], key=lambda stage: stage.rank)
        if line.stage is not None and line.stage.rank < mildest.rank and after:
            text = f"stage {line.stage} is milder than {mildest}, which the step is by its kind and what it comes after"
            self.problems.add(each.document, (*each.path, "stage"), text)
        message = line.do in _MESSAGES
        approvals = line.approvals or (2 if line.do is StepKind.HANDOFF else 1)
        return Step(
            name=name,
            stage=line.stage or mildest,
            kind=line.do,
            tone=line.tone or file.tone,
            about=line.about,
            template=line.template,
            channel=(line.channel or ChannelRule.PREFERRED) if message else None,
            at=line.at,
            after=tuple(after),
            wait=each.wait if each.wait is not None else line.wait or 0,
            waits=after,
            until=line.until,
            every=line.every,
            on=line.on,
            when=both(each.when, self.rule(each.document, (*each.path, "when"), line.when)),
            only=line.only,
            through=frozenset(line.through),
            written=line.do in _MESSAGES - {StepKind.STATEMENT} if line.written is None else line.written,
            escalating=line.escalating,
            approval_role=line.approval,
            approvals_needed=approvals if line.approval else 0,
            approval_above=line.approval_above,
            role=line.role or (Role.COLLECTOR if line.do is StepKind.CALL else None),
            deadline=line.deadline,
            deputy=line.deputy,
            last=line.last,
            attach=tuple(line.attach),
            term=line.term,
            plan=line.plan,
            supply=line.supply,
            rating=line.rating or 0,
            fragment=each.fragment,
        )

    def _check_keys(self, each: _Placed) -> None:
        line = each.line
        for key in sorted(line.model_fields_set & FITS.keys()):
            if line.do not in FITS[key]:
                kinds = ", ".join(sorted(FITS[key]))
                text = f"{key!r} does not fit a {line.do} step; it belongs to {kinds}"
                self.problems.add(each.document, (*each.path, key), text)
        for key in NEEDS[line.do]:
            if getattr(line, key) is None:
                self.problems.add(each.document, each.path, f"a {line.do} step needs {key!r}")
        for key, needed in [("approvals", "approval"), ("approval_above", "approval"), ("wait", "after")]:
            missing = getattr(line, key) is not None and getattr(line, needed) is None
            if missing and not (key == "wait" and (line.on is not None or each.after is not None)):
                hint = "'after' or 'on'" if key == "wait" else repr(needed)
                self.problems.add(each.document, (*each.path, key), f"{key!r} makes sense only with {hint}")
        if line.escalating and (line.approval is None or line.through or line.on):
            text = "an escalating step needs 'approval' and takes neither 'through' nor 'on' (law 5)"
            self.problems.add(each.document, (*each.path, "escalating"), text)
        if line.escalating and line.approval_above is not None:
            text = "an escalating step is always approved; 'approval_above' cannot stand here"
            self.problems.add(each.document, (*each.path, "approval_above"), text)
        if line.do is StepKind.HANDOFF and (not line.escalating or line.approvals == 1):
            text = "a handoff is escalating and needs the approval of two persons"
            self.problems.add(each.document, each.path, text)
        if line.on is Reaction.CASH_UNALLOCATED and (line.do is not StepKind.MESSAGE or line.through):
            text = f"'on: {line.on}' is answered by a message, and takes no 'through': the case is parked by that money"
            self.problems.add(each.document, (*each.path, "on"), text)
        event = ONLY_AFTER.get(line.only) if line.only else None
        if event is not None and line.on is not event:
            self.problems.add(each.document, (*each.path, "only"), f"{line.only} makes sense only with 'on: {event}'")

    def _check_start(self, each: _Placed) -> None:
        """A step must fall due some day, by one way of counting."""
        for key, text in _start_problems(each.line, included=each.after is not None):
            self.problems.add(each.document, (*each.path, key) if key else each.path, text)

    def _check_graph(self, steps: Mapping[str, Step], placed: Mapping[str, _Placed]) -> None:
        for name in unended(steps):
            each = placed[name]
            text = f"after step {name!r} no person's decision is sure to come; lead it to a decide step without 'when'"
            self.problems.add(each.document, each.path, text)
        above = ancestors(steps)
        for step in steps.values():
            kinds = {steps[up].kind for up in above[step.name]}
            missing = [kind for kind in (StepKind.CALL, StepKind.CONSULT) if kind not in kinds]
            if step.escalating and missing:
                each = placed[step.name]
                text = f"step {step.name!r} escalates without a {' and a '.join(missing)} before it (law 5)"
                self.problems.add(each.document, each.path, text)
            if step.outside_round and step.after:
                each = placed[step.name]
                text = f"step {step.name!r} lives outside rounds and cannot come after another step"
                self.problems.add(each.document, (*each.path, "after"), text)
            for up in step.after:
                if steps[up].outside_round and not step.outside_round:
                    each = placed[step.name]
                    text = f"step {step.name!r} cannot come after {up!r}, which lives outside rounds"
                    self.problems.add(each.document, (*each.path, "after"), text)


def _is_entry(line: StepLine) -> bool:
    return line.after is None and line.on is None and line.every is None and line.at is None


def _stage(line: StepLine) -> Stage:
    """The stage that a step has by itself: what the line says, else the mildest of its kind."""
    if line.every is not None or (line.at is not None and _before_due(line.at)):
        return Stage.PREPARE
    if line.escalating and line.do is StepKind.MESSAGE:
        return Stage.DEMAND
    return _STAGES[line.do]


def _of_receipt(moment: Moment | int | None) -> bool:
    return isinstance(moment, Moment) and moment.anchor is Anchor.UNRECEIVED


def _before_due(moment: Moment) -> bool:
    return moment.shift < 0 or moment.anchor is not Anchor.DUE


def _start_problems(line: StepLine, *, included: bool) -> Iterator[tuple[str, str]]:
    starts = {"at": line.at, "after": line.after, "every": line.every, "on": line.on}
    given = [key for key, value in starts.items() if value is not None]
    if not given and not included:
        yield "", "the step never falls due; give it 'at', 'after', 'every' or 'on'"
    for key in ("every", "on"):
        if key in given and len(given) > 1:
            yield key, f"{key!r} cannot stand beside {' and '.join(repr(each) for each in given if each != key)}"
    if line.every is not None and not isinstance(line.until, int):
        yield "every", "a recurring step needs 'until' as a duration: how late it may still come"
    if isinstance(line.until, Moment) and line.until.anchor is Anchor.PAY_RUN:
        yield "until", "'until' counts from due or first_invoice"
    if _of_receipt(line.until) and not _of_receipt(line.at):
        yield "until", "'until: unreceived' makes sense only with 'at: unreceived - …'"
    if line.at is None:
        return
    if line.at.also is not None and _before_due(line.at):
        yield "at", "only a step after the due date can wait for a pay run too"
    if _before_due(line.at) and line.until is None:
        yield "at", "a step before the due date needs 'until'"
    if line.at.anchor is Anchor.PAY_RUN:
        yield "at", "a step before a pay run recurs; write 'every: pay_run - 4 working days'"
    if _of_receipt(line.at) and (line.at.shift >= 0 or line.do is not StepKind.MESSAGE):
        yield "at", "what did not arrive is sent again by a message before its due date: 'unreceived - 10 working days'"
    if not _before_due(line.at) and line.stage is Stage.PREPARE:
        yield "stage", "a step of stage prepare comes before the due date"
    if _before_due(line.at) and line.do in INWARD | {StepKind.HANDOFF, StepKind.PLAN_OFFER, StepKind.DECIDE}:
        yield "do", f"a {line.do} step has no place before the due date"
