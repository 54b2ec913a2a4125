"""`maatpak case`."""

from typing import Annotated

import typer

from maatpak.cli.output import Column, fields_of, tell
from maatpak.cli.records import show_records
from maatpak.cli.session import (
    ActorOption,
    CreditorOption,
    CurrencyOption,
    DebtorArgument,
    DebtorOption,
    EndedOption,
    JsonOption,
    MostOption,
    at_desk,
    chosen,
    opened,
)
from maatpak.kernel.words import Stage

app = typer.Typer(no_args_is_help=True, help="One case: its course, by hand.")

PLACEMENTS = (
    Column("placement_no", "placement"),
    Column("agency", "agency"),
    Column("documents", "documents"),
    Column("amount", "amount", money=True),
    Column("state", "state"),
    Column("cause", "cause"),
    Column("since", "since"),
)
NOTES = (Column("written_on", "on"), Column("actor", "by"), Column("body", "note"))
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in words.")]


@app.command()
def move(
    debtor: DebtorArgument,
    segment: Annotated[str, typer.Argument(help="The segment whose journey it follows from today.")],
    reason: ReasonOption,
    stage: Annotated[
        str | None, typer.Option(help="Where it comes in: as far as it had come (default), or softer.")
    ] = None,
    creditor: CreditorOption = None,
    currency: CurrencyOption = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Let the open round follow another journey; what waits for a yes is taken back. You approve nothing of it then."""
    from tasks.case_move import move_case
    from tasks.finding import find_case

    entry = None if stage is None else chosen(Stage, stage, "stage")
    with opened() as engine:
        found = find_case(engine, debtor, creditor, currency)
        with at_desk(engine, found, actor) as desk:
            course = move_case(desk, desk.case(found.the_case), segment, reason, stage=entry)
    if course is None:
        asked = {"creditor": found.creditor, "debtor_no": debtor, "case_id": found.case_id, "segment": segment}
        tell(f"A finance director is asked to confirm that {debtor} leaves its journey.", asked, as_json=as_json)
        return
    row = {
        "creditor": found.creditor,
        "debtor_no": debtor,
        "case_id": found.case_id,
        "segment": course.segment,
        "entry_stage": course.entry_stage,
        "valid_from": course.valid_from,
    }
    tell(f"{debtor} follows {segment} from stage {course.entry_stage} on.", row, as_json=as_json)


@app.command()
def merge(
    debtor: DebtorArgument,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Number of the account that is the same customer's.")],
    reason: ReasonOption,
    creditor: CreditorOption = None,
    currency: CurrencyOption = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Say that two accounts are one customer; once a second person confirms it, they share budget and experience."""
    from tasks.finding import find_case
    from tasks.merging import ask_merge

    with opened() as engine:
        found = find_case(engine, debtor, creditor, currency)
        with at_desk(engine, found, actor) as desk:
            task = ask_merge(desk, desk.case(found.the_case), other, reason)
    told = {"creditor": found.creditor, "debtor_no": debtor, "other_no": other, "task_id": task.id}
    tell(f"A credit manager is asked to confirm by work {task.id} that {debtor} and {other} are one.", told,
         as_json=as_json)  # fmt: skip


@app.command()
def note(
    debtor: DebtorArgument,
    words: Annotated[str, typer.Argument(help="What the next person should know.")],
    creditor: CreditorOption = None,
    currency: CurrencyOption = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Write a note on the case; nothing follows from it."""
    from tasks.finding import find_case
    from tasks.notes import write_note

    with opened() as engine:
        found = find_case(engine, debtor, creditor, currency)
        with at_desk(engine, found, actor) as desk:
            written = write_note(desk, desk.case(found.the_case), words)
    tell(f"Noted on {debtor}.", fields_of(written, found), as_json=as_json)


@app.command()
def notes(
    creditor: CreditorOption = None,
    debtor: DebtorOption = None,
    most: MostOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """What people noted, newest first."""
    show_records("note", NOTES, creditor, debtor, most, ended=False, as_json=as_json)


@app.command()
def recall(
    placement: Annotated[str, typer.Argument(metavar="PLACEMENT", help="Number of the placement, such as G-12.")],
    cause: Annotated[str, typer.Argument(help="paid, disputed, error, insolvency or account_manager.")],
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Take a case back from the agency; its items are ours to speak about again, and the agency is to be told."""
    from tasks.finding import find_record
    from tasks.placements import recall_placement

    with opened() as engine:
        found = find_record(engine, "placement", placement)
        with at_desk(engine, found, actor) as desk:
            recalled = recall_placement(desk, placement, cause)
    tell(
        f"Placement {placement} of {found.debtor_no} is recalled: {cause}.", fields_of(recalled, found), as_json=as_json
    )


@app.command()
def placements(
    creditor: CreditorOption = None,
    debtor: DebtorOption = None,
    most: MostOption = None,
    *,
    ended: EndedOption = False,
    as_json: JsonOption = False,
) -> None:
    """What is at an agency, oldest first."""
    show_records("placement", PLACEMENTS, creditor, debtor, most, ended=ended, as_json=as_json)


@app.command()
def skip(
    debtor: DebtorArgument,
    step: Annotated[str, typer.Argument(help="Name of the step of its journey.")],
    reason: ReasonOption,
    creditor: CreditorOption = None,
    currency: CurrencyOption = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Pass a step of the open round over; a failed or rejected one no longer holds the case up."""
    from tasks.case_move import skip_step
    from tasks.finding import find_case

    with opened() as engine:
        found = find_case(engine, debtor, creditor, currency)
        with at_desk(engine, found, actor) as desk:
            skipped = skip_step(desk, desk.case(found.the_case), step, reason)
    row = {
        "creditor": found.creditor,
        "debtor_no": debtor,
        "case_id": found.case_id,
        "action_id": skipped.id,
        "step": step,
        "state": skipped.state,
    }
    tell(f"{debtor}: {step} is passed over; the next run goes on after it.", row, as_json=as_json)
