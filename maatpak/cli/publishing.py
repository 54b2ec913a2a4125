"""`maatpak policy` where two people publish: impact, submit, drafts, confirm, refuse, withdraw, move."""

from typing import TYPE_CHECKING, Annotated

import typer

from maatpak.cli.output import Column, say, show, show_json
from maatpak.cli.packs import PackArgument, files_of
from maatpak.cli.session import ActorOption, JsonOption, MostOption, acting, at_most, now, opened

if TYPE_CHECKING:
    from maatpak.ledger.tables import PackDraft

app = typer.Typer()
DraftArgument = Annotated[int, typer.Argument(metavar="DRAFT", help="Number of the draft.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in words.")]
OneCreditorOption = Annotated[str, typer.Option("--creditor", help="Code of the creditor.")]
MoveOption = Annotated[bool, typer.Option("--move-running", help="Also move the rounds that run to it.")]


@app.command()
def impact(
    pack: PackArgument,
    creditor: OneCreditorOption,
    most: MostOption = None,
    *,
    move_running: MoveOption = False,
    as_json: JsonOption = False,
) -> None:
    """What publishing a pack would change for today's real cases: counts, and the cases one by one."""
    from policies.templates import checked_pack
    from tasks.finding import acting_date
    from tasks.impact import impact as work_out

    compiled = checked_pack(files_of(pack))
    with opened() as engine:
        at = now()
        as_of = acting_date(engine, creditor, at)
        sheet = work_out(engine, engine.creditor_id(creditor), compiled, as_of, at, move_running=move_running)
        rows = sheet.changed.head(at_most(most, as_json=as_json) or sheet.cases.height)
    counts = [vars(count) for count in sheet.counts]
    if as_json:
        told = {name: value for name, value in vars(sheet).items() if name not in ("cases", "counts")}
        show_json({**told, "seen": sheet.cases.height, "counts": counts, "cases": rows.to_dicts()})
        return
    columns = (Column("segment", "segment"), Column("kind", "change"), Column("cases", "cases", number=True))
    empty = "Nothing changes for any case today."
    show(counts, (*columns, Column("overdue", "overdue", money=True)), as_json=False, empty=empty)
    if not rows.is_empty():
        say("")
        show([_told(row) for row in rows.iter_rows(named=True)], CASES, as_json=False)
    if move_running:
        say(f"{sheet.moved} rounds that run would be moved, {sheet.kept} would keep their version.")
    say(f"{sheet.changed.height} of {sheet.cases.height} cases would fare otherwise on {as_of}.")


CASES = (
    Column("case_id", "case", number=True),
    Column("kinds", "change"),
    Column("before", "as things are"),
    Column("after", "with the pack"),
    Column("overdue_open", "overdue", money=True),
)


def _told(row: dict[str, object]) -> dict[str, object]:
    kinds = row["kinds"]
    assert isinstance(kinds, list)
    sides = {side: _side(row, side) for side in ("before", "after")}
    return {**row, **sides, "kinds": ", ".join(kinds)}


def _side(row: dict[str, object], side: str) -> str:
    act = row[f"{side}_step"] or f"{row[f'{side}_reason']}, {row[f'{side}_next_step'] or 'nothing'} next"
    on = row[f"{side}_next_on"]
    return f"{row[f'{side}_segment']}: {act}{f' on {on}' if on else ''}"


@app.command()
def submit(
    pack: PackArgument,
    note: Annotated[str, typer.Option(help="What is new in it.")],
    creditors: Annotated[list[str], typer.Option("--creditor", help="Whose pack it becomes; may be given again.")],
    actor: ActorOption = None,
    *,
    move_running: MoveOption = False,
    as_json: JsonOption = False,
) -> None:
    """Ask a second person to publish a pack for creditors that have one; nothing changes before."""
    from tasks.drafts import submit_pack

    files = files_of(pack)
    with opened() as engine:
        draft = submit_pack(engine, files, note, acting(actor), now(), creditors, move_running=move_running)
    if as_json:
        show_json(_row(draft))
        return
    say(f"Draft {draft.id} of {draft.name} waits for a second person: `maatpak policy confirm {draft.id}`.")


@app.command()
def drafts(
    *,
    every: Annotated[bool, typer.Option("--all", help="Also those that were published, refused or withdrawn.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Packs that wait for a second person."""
    from tasks.drafts import drafts as listed

    with opened() as engine, engine.database.reading() as session:
        rows = [_row(draft) for draft in listed(session, ended=every)]
    columns = [Column(name, name.replace("_", " ")) for name in SHOWN]
    show(rows, columns, as_json=as_json, empty="No pack waits for a second person.")


SHOWN = ("draft", "pack", "creditors", "move_running", "note", "submitted_by", "submitted_on", "state", "ended_by")


@app.command()
def confirm(
    draft: DraftArgument, reason: ReasonOption, actor: ActorOption = None, *, as_json: JsonOption = False
) -> None:
    """Confirm what another person submitted: it is published, and rounds that run are moved, if it says so."""
    from tasks.drafts import confirm_pack

    with opened() as engine:
        done = confirm_pack(engine, draft, acting(actor), reason, now())
    made = done.published
    if as_json:
        moved = {code: vars(each) for code, each in done.moved.items()}
        show_json({"draft": draft, **vars(made), "moved": moved})
        return
    say(f"{made.name} version {made.version} (pack {made.pack_id}, {made.content_hash[:12]}…) is published.")
    say(f"New rounds of {', '.join(made.creditors)} follow it.")
    for code, each in done.moved.items():
        say(f"{each.rounds} rounds of {code} that run were moved to it, {each.kept} keep their version.")


@app.command()
def refuse(draft: DraftArgument, reason: ReasonOption, actor: ActorOption = None) -> None:
    """Say no to a pack that another person submitted."""
    from tasks.drafts import refuse_pack

    with opened() as engine:
        refuse_pack(engine, draft, acting(actor), reason, now())
    say(f"Draft {draft} is refused.")


@app.command()
def withdraw(draft: DraftArgument, reason: ReasonOption, actor: ActorOption = None) -> None:
    """Take back a pack that you submitted."""
    from tasks.drafts import withdraw_pack

    with opened() as engine:
        withdraw_pack(engine, draft, acting(actor), reason, now())
    say(f"Draft {draft} is withdrawn.")


@app.command()
def move(
    creditor: OneCreditorOption, reason: ReasonOption, actor: ActorOption = None, *, as_json: JsonOption = False
) -> None:
    """Move the rounds that run to the creditor's present pack: again, it moves nothing more."""
    from tasks.finding import acting_date
    from tasks.version_move import move_running

    with opened() as engine:
        at = now()
        as_of = acting_date(engine, creditor, at)
        moved = move_running(engine, engine.creditor_id(creditor), acting(actor), reason, as_of, at)
    if as_json:
        show_json(vars(moved))
        return
    say(f"{moved.rounds} rounds were moved, {moved.kept} keep their version; {moved.taken_back} proposals taken back.")


def _row(draft: "PackDraft") -> dict[str, object]:
    """A draft without its files."""
    told = draft.model_dump(exclude={"id", "name", "files", "bases"})
    return {"draft": draft.id, "pack": draft.name, "creditors": ", ".join(draft.bases), **told}
