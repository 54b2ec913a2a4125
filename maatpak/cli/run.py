"""`maatpak run`."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import typer

from maatpak.cli.deliver import LOOK, WAITING, together, told_waiting, undelivered
from maatpak.cli.faults import translated
from maatpak.cli.output import progress, say, show_json
from maatpak.cli.session import AsOfOption, CreditorOption, JsonOption, now, opened
from maatpak.kernel.errors import IncompleteError, MaatpakError, UsageError

if TYPE_CHECKING:
    from tasks.apart import Failure
    from tasks.day import DaySummary
    from tasks.engine import Engine

app = typer.Typer()

COUNTS = (
    *("cases", "rounds_opened", "rounds_closed", "proposed", "awaiting_approval", "skipped", "withdrawn", "done"),
    *("cancelled", "sent", "failed", "unknown", "postponed", "failing"),
)
LABELS = {"failing": "failing customers"}


@app.command()
def run(as_of: AsOfOption = None, creditor: CreditorOption = None, *, as_json: JsonOption = False) -> None:
    """Run the business day of every creditor that has journeys, or of one: settle, decide, execute, deliver.

    Without a date it is today where the creditor is. The same day again adds nothing; an earlier one is refused.
    """
    from tasks.finding import live_creditors

    rows: list[dict[str, Any]] = []
    failures: list[MaatpakError] = []
    with opened() as engine:
        codes = live_creditors(engine, creditor)
        if not codes:
            raise UsageError("No creditor has journeys.", advice="`maatpak policy publish` gives it a pack.")
        with progress("Running", len(codes)) as advance:
            for code in codes:
                row, failure = _day(engine, code, as_of, now())
                rows.append(row)
                failures += [failure] if failure is not None else []
                advance(code)
    if as_json:
        show_json(rows)
    else:
        for row in rows:
            _say(row)
    if failures:
        raise failures[0]


def _say(row: Mapping[str, Any]) -> None:
    """What a creditor's day came to: a heading, and of the counts those that there are."""
    say(f"{row['creditor']}, {row['as_of']}")
    if "error" in row:
        say(f"  Not run: {row['error']}")
        return
    counts = [f"{LABELS.get(name, name.replace('_', ' '))}: {row[name]}" for name in COUNTS if row[name]]
    say(f"  {', '.join(counts) or 'nothing to do'}")
    for each in row["alarms"]:
        say(f"  {each}. {LOOK}")
    if row["waiting"]:
        since = "now" if row["first_at"] is None else f"{row['first_at']:%Y-%m-%d %H:%M}"
        say(f"  Messages still queued: {row['waiting']}; the first may go from {since}. {WAITING}")


def _day(engine: "Engine", code: str, as_of: date | None, at: datetime) -> tuple[dict[str, Any], MaatpakError | None]:
    """One creditor's day; what stops it, or goes wrong for one customer, does not stop the others."""
    from tasks.dates import date_at
    from tasks.day import run_day
    from tasks.outbox import waiting

    latest = date_at(engine, code, at)
    day = as_of or latest
    try:
        _refuse_what_is_to_come(code, day, latest)
        summary = run_day(engine, code, day, at)
    except Exception as error:  # noqa: BLE001 - the others' days are to be run all the same
        told = translated(error)
        told.__cause__ = None if told is error else error
        return {"creditor": code, "as_of": day, "error": str(told)}, told
    failures = [_told(engine, failure) for failure in summary.failures]
    row = {**_row(code, summary, failures), **told_waiting(waiting(engine, code))}
    troubles = [_failing(code, failures)] if failures else []
    troubles += [_unlisted(engine, code, each) for each in summary.unlisted]
    troubles += [] if summary.delivered.whole else [undelivered(code, summary.delivered)]
    if not troubles:
        return row, None
    return row, together(troubles)


def _refuse_what_is_to_come(code: str, day: date, latest: date) -> None:
    if day > latest:
        raise UsageError(
            f"{day} is still to come for {code}, and a day that was begun is not taken back.",
            advice=f"Leave the date out, or give a day up to {latest}.",
        )


def _told(engine: "Engine", failure: "Failure") -> dict[str, Any]:
    """A customer's failure as anybody may see it; all of it goes into the workspace."""
    from maatpak.ledger.failures import keep_failure

    name = keep_failure(engine.workspace, failure.error)
    return {"debtor_id": failure.debtor_id, "steps": list(failure.steps), "error": name}


def _failing(code: str, failures: Sequence[Mapping[str, Any]]) -> IncompleteError:
    from maatpak.ledger.failures import DETAILS

    told = "; ".join(f"debtor id {each['debtor_id']}: {', '.join(each['steps'])}: {each['error']}" for each in failures)
    return IncompleteError(
        f"{len(failures)} of {code}'s customers did not get their step, all others did ({told}).",
        advice=f"{DETAILS} Run the day again when it is mended.",
    )


def _unlisted(engine: "Engine", code: str, error: Exception) -> IncompleteError:
    from maatpak.ledger.failures import DETAILS, keep_failure

    told = f"Lists show some of {code}'s cases as they stood before ({keep_failure(engine.workspace, error)})."
    return IncompleteError(told, advice=f"{DETAILS} Everything else was done; the next run mends it.")


def _row(code: str, summary: "DaySummary", failures: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    reasons = _sum(tick.reasons for tick in summary.ticks)
    done = _sum(step.counts for step in summary.executed)
    cancelled = sum(count for outcome, count in done.items() if outcome.startswith("cancelled"))
    counted = ("cases", "rounds_opened", "proposed", "awaiting_approval", "skipped", "withdrawn")
    return {
        "creditor": code,
        "as_of": summary.as_of,
        "began": summary.began,
        **{name: sum(getattr(tick, name) for tick in summary.ticks) for name in counted},
        "rounds_closed": summary.settled.counts.get("round closed", 0),
        "done": sum(done.values()) - cancelled,
        "cancelled": cancelled,
        **{outcome: summary.delivered.total(outcome) for outcome in ("sent", "failed", "unknown", "postponed")},
        "settled": dict(summary.settled.counts),
        "executed": dict(done),
        "delivered": summary.delivered.plain(),
        "alarms": [str(each) for each in summary.delivered.alarms],
        "no_step_because": dict(reasons),
        "failing": len(failures),
        "failures": list(failures),
    }


def _sum(counts: Iterable[dict[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return total
