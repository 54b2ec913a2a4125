"""`maatpak report`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from maatpak.cli.output import Column, say, show, show_json
from maatpak.cli.session import AsOfOption, CreditorOption, JsonOption, now, opened
from maatpak.kernel.errors import UsageError

if TYPE_CHECKING:
    from datetime import date

app = typer.Typer()

FIGURES = (
    Column("creditor", "creditor"),
    Column("currency", "currency"),
    Column("business_date", "as of"),
    Column("segment", "segment"),
    Column("cause", "what happens"),
    Column("cases", "cases", number=True),
    Column("overdue_open", "overdue", money=True),
    Column("asked_amount", "asked", money=True),
)
SILENT = (
    Column("creditor", "creditor"),
    Column("debtor_no", "debtor"),
    Column("name", "name"),
    Column("document_no", "document"),
    Column("open_amount", "open", money=True),
    Column("due_on", "due"),
    Column("overdue_wd", "WD overdue", number=True),
    Column("last_on", "last action"),
    Column("silent_wd", "WD silent", number=True),
    Column("cause", "cause"),
    Column("next_on", "next"),
)
APART = (
    Column("creditor", "creditor"),
    Column("debtor_no", "debtor"),
    Column("document_no", "document"),
    Column("rules", "set apart for"),
    Column("business_date", "since"),
)


@app.command()
def report(
    as_of: AsOfOption = None,
    creditor: CreditorOption = None,
    *,
    silent: Annotated[
        bool, typer.Option("--silent", help="Items overdue for over 10 working days without an action, and why.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """What is overdue and asked, by segment and by what happens; or, with --silent, what nobody does anything about."""
    if silent:
        _silent(as_of, creditor, as_json=as_json)
        return
    if as_of is not None:
        raise UsageError(
            "The figures are those of the last run; --as-of goes with --silent.",
            advice="`maatpak audit replay --as-of DATE` looks at a past day.",
        )
    from tasks.cases import figures

    with opened() as engine:
        rows = figures(engine, creditor)
    show(rows, FIGURES, as_json=as_json, empty="No case was decided yet; `maatpak run` does.")


def _silent(as_of: "date | None", creditor: str | None, *, as_json: bool) -> None:
    from tasks.finding import acting_date, creditor_codes
    from tasks.silent import silent_items

    items: list[dict[str, Any]] = []
    apart: list[dict[str, Any]] = []
    at = now()
    with opened() as engine:
        for code in creditor_codes(engine, creditor):
            day = as_of or acting_date(engine, code, at)
            found = silent_items(engine, engine.creditor_id(code), day, at)
            items += [{"creditor": code, "as_of": day, **row} for row in found.items]
            apart += [{"creditor": code, **row} for row in found.quarantined]
    if as_json:
        show_json({"items": items, "quarantined": apart})
        return
    show(items, SILENT, as_json=False, empty="No item is silent.")
    if apart:
        say(f"\n{len(apart)} rows wait in quarantine; their debtors are not contacted:")
        show(apart, APART, as_json=False)
