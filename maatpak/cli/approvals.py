"""`maatpak approvals`."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maatpak.cli.output import Column, say, show, show_json, tell
from maatpak.cli.records import ACCOUNT
from maatpak.cli.session import ActorOption, CreditorOption, JsonOption, acting, now, opened, parse_date
from maatpak.kernel.errors import UsageError
from maatpak.kernel.money import format_money

if TYPE_CHECKING:
    from connectors.message import Correspondent
    from tasks.engine import Engine
    from tasks.pending import Pending

app = typer.Typer(no_args_is_help=True, help="What waits for a yes or no.")

COLUMNS = (
    Column("action_id", "action", number=True),
    *ACCOUNT,
    Column("step", "step"),
    Column("amount", "asked", money=True),
    Column("overdue_amount", "overdue", money=True),
    Column("group_open", "group owes", money=True),
    Column("role", "role"),
    Column("yeses", "yes"),
    Column("proposed_on", "since"),
    Column("address_changed", "new address"),
    Column("unchecked", "unchecked"),
)
IdsArgument = Annotated[list[int] | None, typer.Argument(metavar="[ACTION]...", help="Numbers of the actions.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in words.")]


@app.command("list")
def list_(
    action: IdsArgument = None,
    creditor: CreditorOption = None,
    step: Annotated[str | None, typer.Option(help="Only this step.")] = None,
    *,
    shown: Annotated[bool, typer.Option("--show", help="With the messages as they would go out.")] = False,
    as_json: JsonOption = False,
) -> None:
    """What waits for a verdict, the largest amount of each creditor first; of a placement also what is unchecked."""
    with opened() as engine:
        rows = _waiting(engine, creditor, action or (), step)
        if shown:
            _add_messages(engine, rows)
    if as_json:
        show_json(rows)
        return
    show(rows, COLUMNS, as_json=False, empty="Nothing waits for a verdict.")
    for row in rows if shown else ():
        say(f"\n── action {row['action_id']}, content {row['content_hash']}")
        for item in row["items"]:
            say(f"{item['document_no']}: {format_money(item['amount'], row['currency'])}")
        if row["group_accounts"] is not None:
            owed, overdue = (format_money(row[name], row["currency"]) for name in ("group_open", "group_overdue"))
            say(f"The group's {row['group_accounts']} accounts owe {owed}, of which {overdue} is overdue.")
        for check in row["checks"]:
            say(f"[x] {check['told']}" if check["state"] == "fine" else f"[ ] {check['told']}: {check['mend']}")
        for message in row["messages"]:
            say(f"\n{message['channel']} to {message['to']}\n{message['subject']}\n\n{message['text']}")


@app.command()
def approve(
    action: IdsArgument = None,
    reason: ReasonOption = ...,  # type: ignore[assignment]
    shown: Annotated[str | None, typer.Option(help="Content hash of what you saw (of one action).")] = None,
    creditor: CreditorOption = None,
    step: Annotated[str | None, typer.Option(help="Instead of numbers: every action of this step that waits.")] = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Say yes to an action or a batch: all of them, or, if one is refused, none."""
    from tasks.approvals import approve as say_yes

    with opened() as engine:
        ids = list(action or ())
        if step is not None and not ids:
            ids = [row["action_id"] for row in _waiting(engine, creditor, (), step)]
            if not ids:
                raise UsageError(f"Nothing of step {step!r} waits.", advice="See `maatpak approvals list`.")
        if not ids:
            raise UsageError("No action is named.", advice="Give their numbers, or --step for all of a step.")
        if shown is not None and len(set(ids)) > 1:
            raise UsageError(
                "--shown is the content of one action.", advice="Approve them one by one, or leave it out."
            )
        with _desk_of(engine, ids, actor) as desk:
            actions = say_yes(desk, ids, reason, shown=None if shown is None else {ids[0]: shown})
    rows = [{"action_id": each.id, "step": each.step, "state": each.state} for each in actions]
    if as_json:
        show_json(rows)
        return
    waiting = [row for row in rows if row["state"] == "awaiting_approval"]
    say(f"{len(rows) - len(waiting)} of {len(rows)} approved.")
    for row in waiting:
        say(f"Action {row['action_id']} ({row['step']}) has your yes and waits for another person's.")


@app.command()
def reject(
    action: Annotated[int, typer.Argument(metavar="ACTION", help="Number of the action.")],
    reason: ReasonOption,
    next_step: Annotated[str, typer.Option("--next", help="The step that comes instead.")],
    on: Annotated[date, typer.Option(parser=parse_date, metavar="YYYY-MM-DD", help="Not before this date.")],
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Say no: with the reason, and what comes next and when. The same proposal does not return before."""
    from tasks.approvals import reject as say_no

    with opened() as engine, _desk_of(engine, [action], actor) as desk:
        rejected = say_no(desk, action, reason, next_step, on)
    row = {"action_id": rejected.id, "step": rejected.step, "state": rejected.state, "next": next_step, "on": on}
    tell(f"Action {action} is rejected; {next_step} may come from {on}.", row, as_json=as_json)


def _desk_of(engine: "Engine", ids: Sequence[int], actor: str | None) -> Any:
    from tasks.desk import desk
    from tasks.finding import acting_date, creditor_of_actions

    at = now()
    creditor_id, code = creditor_of_actions(engine, ids)
    return desk(engine, creditor_id, acting(actor), acting_date(engine, code, at), at)


def _waiting(engine: "Engine", creditor: str | None, ids: Sequence[int], step: str | None) -> list[dict[str, Any]]:
    from tasks.current_pack import current_pack
    from tasks.finding import acting_date, live_creditors
    from tasks.pending import pending_of
    from tasks.register import creditor_by_code

    rows, at = [], now()
    for code in live_creditors(engine, creditor):
        as_of = acting_date(engine, code, at)
        with engine.database.reading() as session:
            creditor_id = int(creditor_by_code(session, code).id or 0)
            limits = engine.pack(current_pack(session, creditor_id)).guardrails.placement
            found = pending_of(session, creditor_id, limits, as_of)
        rows += [_row(code, each) for each in found]
    return [row for row in rows if (not ids or row["action_id"] in ids) and step in (None, row["step"])]


def _row(code: str, waiting: "Pending") -> dict[str, Any]:
    return {
        "creditor": code,
        **vars(waiting),
        "checks": [vars(check) for check in waiting.checks],
        "unchecked": waiting.unchecked if waiting.checks else None,
        "yeses": f"{waiting.given}/{waiting.needed}",
    }


def _add_messages(engine: "Engine", rows: Sequence[dict[str, Any]]) -> None:
    """What each action would send, and the items that it names."""
    from tasks.compose import preview
    from tasks.finding import acting_date
    from tasks.listing import items_of_actions

    at = now()
    with engine.database.reading() as session:
        named = items_of_actions(session, [row["action_id"] for row in rows])
    for code in {row["creditor"]: None for row in rows}:
        own = {row["action_id"]: row for row in rows if row["creditor"] == code}
        for action_id, row in own.items():
            row["messages"], row["items"] = [], named.get(action_id, [])
        with engine.database.frames(read_only=True) as frames:
            drafts = preview(engine, frames, list(own), acting_date(engine, code, at), at)
        for action_id, message in drafts:
            own[action_id]["messages"].append(
                {
                    "channel": message.channel,
                    "to": _address(message.recipient, message.channel),
                    "subject": message.subject,
                    "text": message.text,
                }
            )


def _address(recipient: "Correspondent", channel: str) -> str:
    if channel == "post":
        return ", ".join(recipient.lines)
    return str(recipient.email if channel == "email" else recipient.phone)
