"""`maatpak explain`."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maatpak.cli.output import Column, say, show, show_json
from maatpak.cli.session import AsOfOption, CreditorOption, CurrencyOption, DebtorArgument, JsonOption, now, opened
from maatpak.kernel.errors import UsageError
from maatpak.kernel.money import format_money

if TYPE_CHECKING:
    from policies.explain import Explanation, RuleTried
    from tasks.explaining import Told

app = typer.Typer()


@app.command()
def explain(
    debtor: DebtorArgument,
    as_of: AsOfOption = None,
    supposing: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FACT=VALUE", help="What if: another value of a fact; may be given again."),
    ] = None,
    creditor: CreditorOption = None,
    currency: CurrencyOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Why a debtor gets what it gets, or nothing: every rule tried, every gate, every step, and what comes next.

    With a date from what that day was decided from, without one from the facts as they are now.
    """
    from tasks.explaining import explain_case
    from tasks.finding import find_case

    suppositions = dict(_supposition(each) for each in supposing or [])
    with opened() as engine:
        found = find_case(engine, debtor, creditor, currency)
        told = explain_case(engine, found, as_of, now(), suppositions)
    if as_json:
        shape = {"creditor": found.creditor, "debtor_no": debtor, "known_at": told.known_at, "tick_id": told.tick_id}
        more = {"engine_version": told.engine_version, "stored": told.stored, "checks": list(map(vars, told.checks))}
        more |= {"timeline": told.timeline, "written": told.written}
        show_json({**shape, **more} | told.explanation.as_dict())
        return
    _print(found.creditor, debtor, told)


def _supposition(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"{text!r} sets nothing.", advice="Write it as --set days_past_due=40.")
    return name.strip(), value.strip()


def _print(creditor: str, debtor: str, told: "Told") -> None:
    case = told.explanation
    source = f"run {told.tick_id}" if told.tick_id else "the facts as they are now"
    say(f"{debtor} of {creditor} on {case.as_of}, from {source} (pack {case.pack}, {case.policy_hash[:12]}…)")
    if case.hypothetical:
        say("Supposing " + ", ".join(f"{name} = {value}" for name, value in case.hypothetical.items()) + ".")
    say(_decision(case, told.stored))
    say("")
    _rules("Segments, first match wins", case.segments)
    if case.reroutes:
        _rules("What would move the round", case.reroutes)
    columns = (Column("reason", "gate"), Column("holds", "holds"), Column("detail", "what would change it"))
    show(
        [vars(gate) for gate in case.gates if gate.holds], columns, as_json=False, title="Gates of the case", empty=OPEN
    )
    _steps(case)
    _timeline(told.timeline)
    if told.written:
        show(told.written, WRITTEN, as_json=False, title="What was written")
    if told.checks:
        rows = [{"told": check.told, "state": check.state, "mend": check.mend} for check in told.checks]
        columns = (Column("told", "check"), Column("state", "state"), Column("mend", "what mends it"))
        show(rows, columns, as_json=False, title="Checks before the placement")
    say(_next(case))


OPEN = "No gate of the case holds it back."


def _decision(case: "Explanation", stored: dict[str, Any] | None) -> str:
    decision = case.decision
    amount = format_money(decision["asked_amount"], decision["currency"])
    overdue = format_money(decision["overdue_open"], decision["currency"])
    place = f"Segment {case.segment}; {overdue} overdue, {amount} to ask."
    if stored is not None and stored.get("withheld"):
        return f"{place} Decided {decision['step']}, but withheld: {stored['withheld']}."
    if decision["outcome"] == "act":
        return f"{place} Today: {decision['step']} ({decision['kind']}, due {decision['due_on']})."
    return f"{place} Nothing today: {decision['reason']}."


def _rules(title: str, rules: "tuple[RuleTried, ...]") -> None:
    rows = [
        {
            "name": f"{rule.name} ◀" if rule.chosen else rule.name,
            "outcome": rule.outcome,
            "rule": rule.rule,
            "values": _values(rule),
        }
        for rule in rules
    ]
    columns = (Column("name", "name"), Column("outcome", "outcome"), Column("rule", "rule"), Column("values", "with"))
    show(rows, columns, as_json=False, title=title)


def _steps(case: "Explanation") -> None:
    """The course in its order, then what recurs or reacts where it was reached; JSON has all."""
    course = [step for step in case.steps if not step.outside_round and not step.reacts]
    beside = [step for step in case.steps if (step.outside_round or step.reacts) and step.status != "not reached"]
    rows = [
        {
            "name": step.name,
            "kind": step.kind,
            "stage": step.stage,
            "status": step.status,
            "due_on": step.due_on,
            "done_on": step.done_on,
            "rule": "" if step.rule is None else f"{step.rule.outcome}: {step.rule.rule}",
            "values": "" if step.rule is None or step.status == "not reached" else _values(step.rule),
            "why": ", ".join(step.stopped_by),
        }
        for step in (*course, *beside)
    ]
    names = ("name", "kind", "stage", "status", "due_on", "done_on", "rule", "values", "why")
    headings = ("step", "kind", "stage", "status", "due", "done", "condition", "with", "stopped by")
    columns = [Column(name, heading) for name, heading in zip(names, headings, strict=True)]
    show(rows, columns, as_json=False, title=f"Steps of journey {case.segment}")


def _timeline(items: list[dict[str, Any]]) -> None:
    """What is known of each item, and no column of which nothing is."""
    known = [column for column in TIMELINE if any(item[column.key] is not None for item in items)]
    if items:
        show(items, known, as_json=False, title="From order to payment")


TIMELINE = (
    Column("document_no", "document"),
    Column("order_no", "order"),
    Column("ordered_on", "ordered"),
    Column("delivered_on", "delivered"),
    Column("invoiced_on", "invoiced"),
    Column("sent_on", "sent"),
    Column("sent_by", "by"),
    Column("sent_again_on", "sent again"),
    Column("received_on", "received"),
    Column("receipt", "receipt"),
    Column("approved_on", "approved"),
    Column("due_on", "due"),
    Column("asked_on", "asked"),
    Column("last_asked", "last asked"),
    Column("paid_on", "paid"),
)


WRITTEN = (
    Column("business_date", "on"),
    Column("step", "step"),
    Column("way", "how, and why so"),
    Column("state", "state"),
    Column("evidence", "evidence"),
)


def _next(case: "Explanation") -> str:
    if case.decision["outcome"] == "act":
        return "What comes next is decided when this step is done."
    what = f"Next: {case.next_step}" if case.next_step else "No step is to come"
    when = f" on {case.next_on}" if isinstance(case.next_on, date) else ""
    return f"{what}{when}. What would change it: {case.change}"


def _values(rule: "RuleTried") -> str:
    return ", ".join(f"{name} = {'unknown' if value is None else value}" for name, value in rule.values.items())
