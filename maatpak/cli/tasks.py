"""`maatpak tasks`."""

from collections.abc import Mapping
from datetime import date, time
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from maatpak.cli.output import Column, fields_of, show, tell
from maatpak.cli.records import ACCOUNT, amount_in
from maatpak.cli.session import (
    ActorOption,
    CreditorOption,
    DebtorOption,
    EndedOption,
    JsonOption,
    MostOption,
    acting,
    at_desk,
    at_most,
    chosen,
    now,
    opened,
    parse_date,
)
from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import CallResult, HoldReason, NonPaymentReason, WorkKind

if TYPE_CHECKING:
    from maatpak.ledger.tables import WorkTask
    from tasks.call_hours import Side
    from tasks.desk import Desk

app = typer.Typer(no_args_is_help=True, help="Work for people: calls, questions, reviews, decisions, repairs.")

COLUMNS = (
    Column("task_id", "task", number=True),
    *ACCOUNT,
    Column("kind", "kind"),
    Column("subject", "what"),
    Column("currency", "in"),
    Column("amount", "about", money=True),
    Column("role", "role"),
    Column("assignee", "whose"),
    Column("due_on", "due"),
    Column("tries", "tries", number=True),
    Column("phone", "phone"),
    Column("call_hours", "between"),
    Column("ring", "ring"),
    Column("outcome", "outcome"),
)
DayOption = typer.Option(parser=parse_date, metavar="YYYY-MM-DD")


@app.command("list")
def list_(
    creditor: CreditorOption = None,
    debtor: DebtorOption = None,
    kind: Annotated[str | None, typer.Option(help="call, consult, review, decide, notice, repair, cash, …")] = None,
    role: Annotated[str | None, typer.Option(help="collector, account_manager, credit_manager, operator, …")] = None,
    assignee: Annotated[str | None, typer.Option(help="Login of whose it is.")] = None,
    most: MostOption = None,
    *,
    mine: Annotated[bool, typer.Option("--mine", help="Only what is yours by name.")] = False,
    ended: EndedOption = False,
    as_json: JsonOption = False,
) -> None:
    """Open work, the most urgent of each creditor first."""
    from tasks.listing import WorkFilter, list_work

    if mine and assignee is not None:
        raise UsageError("--mine and --assignee name two people.", advice="Give one of them.")
    with opened() as engine:
        whose = acting(None) if mine else assignee
        fits = WorkFilter(creditor, debtor, kind, role, whose, ended, at_most(most, as_json=as_json))
        rows = list_work(engine, fits, now())
    shown = rows if as_json else [row | {"ring": _ring(row)} for row in rows]
    show(shown, COLUMNS, as_json=as_json, empty="No work fits.")


def _ring(row: Mapping[str, Any]) -> str | None:
    """When to ring, for people: now, or from when, by the creditor's clock."""
    if row["may_ring"] is None:
        return None
    if row["ring_from"] is None:
        return "if asked"
    return "now" if row["may_ring"] else f"{row['ring_from']:%a %d %b %H:%M}"


def _hour(text: str) -> time:
    """An hour as `10:30`."""
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no hour.", advice="Write it as 10:30.") from None


@app.command()
def done(
    task: Annotated[int, typer.Argument(metavar="TASK", help="Number of the work.")],
    outcome: Annotated[str, typer.Argument(help="How it ended; a wrong word lists the right ones.")],
    note: Annotated[str | None, typer.Option(help="In your words.")] = None,
    until: Annotated[date | None, DayOption] = None,
    hold_reason: Annotated[str | None, typer.Option(help="With outcome hold: its reason.")] = None,
    day_part: Annotated[
        str | None, typer.Option(help="Of a call: morning, afternoon or evening (default: now).")
    ] = None,
    callback_on: Annotated[date | None, DayOption] = None,
    promised_on: Annotated[date | None, DayOption] = None,
    promised: Annotated[str | None, typer.Option(help="Amount promised, such as 1250.00 (default: all).")] = None,
    document: Annotated[list[str] | None, typer.Option(help="Documents that the call was about.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why they do not pay, as told in the call.")] = None,
    at: Annotated[
        time | None, typer.Option(parser=_hour, metavar="HH:MM", help="When the call was made (default: now).")
    ] = None,
    actor: ActorOption = None,
    *,
    inbound: Annotated[bool, typer.Option("--inbound", help="The customer rang us: no hours hold.")] = False,
    asked: Annotated[bool, typer.Option("--asked", help="The customer asked for a call at this time.")] = False,
    as_json: JsonOption = False,
) -> None:
    """End a piece of work, or record what came of a call."""
    from tasks.finding import find_work
    from tasks.work import Outcome, finish_work

    with opened() as engine:
        found = find_work(engine, task)
        is_call = found.kind == WorkKind.CALL and outcome in list(CallResult)
        of_calls: dict[str, Any] = {"callback_on": callback_on, "promised_on": promised_on, "documents": document}
        of_calls |= {"day_part": day_part, "at": at, "side": _side(inbound=inbound, asked=asked)}
        told: dict[str, Any] = {name: value for name, value in of_calls.items() if value is not None}
        if promised is not None:
            told["promised_amount"] = amount_in(found, promised)
        if reason is not None:
            told["reason"] = chosen(NonPaymentReason, reason, "reason for not paying")
        if told and not is_call:
            raise UsageError(
                f"{outcome!r} is no result of a call, but the options are a call's.", advice="Leave them out."
            )
        held = chosen(HoldReason, hold_reason, "reason for a hold") if hold_reason is not None else None
        with at_desk(engine, found, actor) as desk:
            if is_call:
                ended = _record_call(desk, task, CallResult(outcome), {"note": note, **told})
            else:
                ended = finish_work(desk, task, Outcome(outcome, note, until, held))
    tell(_said(ended), fields_of(ended, found), as_json=as_json)


def _side(*, inbound: bool, asked: bool) -> "Side | None":
    from tasks.call_hours import Side

    if inbound and asked:
        raise UsageError("--inbound and --asked say two things of one call.", advice="Give one of them.")
    return Side.INBOUND if inbound else Side.ASKED if asked else None


def _record_call(desk: "Desk", task: int, code: CallResult, told: dict[str, Any]) -> "WorkTask":
    from tasks.calls import Call, day_part, record_call

    made_at = told.get("at") or desk.now.astimezone(ZoneInfo(desk.creditor.time_zone)).time()
    told.setdefault("day_part", day_part(made_at))
    return record_call(desk, task, Call(code, **told))


def _said(task: "WorkTask") -> str:
    what = f"Work {task.id} ({task.kind}: {task.subject})"
    if task.state == "done":
        return f"{what} is done: {task.outcome}."
    if task.kind == WorkKind.CALL:
        return f"{what} stays open; the next try is on {task.due_on}."
    return f"{what} stays open until a second person confirms."
