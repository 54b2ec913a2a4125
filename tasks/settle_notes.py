"""Short notes that a promise or a plan asks for: a person says thanks for a part, or a word on an instalment.

A promise that was kept in part: thanks, and the rest is asked for (rule 16). An instalment: a note three
working days before it is due, another two working days after it did not come (rule 18).
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import polars as pl

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.words import PlanState, PromiseState, Role, WorkKind
from tasks.settle_money import SHARES, Settling, changes, received_for
from tasks.settle_waits import COUNTRY, PROFILE
from tasks.worklist import NEW_WORK, open_many

THANK = "Thank for the part that was paid as promised, and ask kindly for the rest."
SOON = "Remind kindly that an instalment of the plan is about to be due."
MISSED = "Ask kindly for the instalment that has not come."
BEFORE_DUE, AFTER_DUE = 3, 2
"""Working days of the two notes on an instalment."""
WRITTEN_WITHIN = 1
"""Working days in which a person writes a note."""
REMEMBERED = 10
"""Days after which thanks come too late."""


def ask_for_notes(settling: Settling) -> pl.DataFrame:
    """Work for whoever writes the notes, once each."""
    rows = [*_parts_kept(settling), *_instalments(settling)]
    if not rows:
        return changes()
    opened = open_many(
        settling.frames,
        settling.creditor_id,
        pl.DataFrame(rows, schema=NEW_WORK),
        settling.as_of,
        settling.at,
    )
    return changes(
        opened.select(
            "case_id", what=pl.lit("note"), record="record_no", state=pl.lit("asked for"), amount=pl.lit(None)
        )
    )


def _parts_kept(settling: Settling) -> Iterator[dict[str, Any]]:
    found = settling.frames.read(
        f"SELECT r.promise_no, r.case_id, k.debtor_id, {COUNTRY} FROM promise r {PROFILE.format(case='r.case_id')}"  # noqa: S608
        f" WHERE k.creditor_id = {settling.creditor_id} AND r.state = '{PromiseState.PARTLY_KEPT}'"
        f" AND r.replaced_at IS NULL AND r.valid_from > DATE '{settling.as_of}' - {REMEMBERED}"
    )
    for row in found.iter_rows(named=True):
        yield _work(settling, row, THANK, row["promise_no"])


def _instalments(settling: Settling) -> Iterator[dict[str, Any]]:
    plans = settling.frames.read(
        "SELECT r.id, r.plan_no, r.case_id, r.total AS amount, r.items::text AS items,"  # noqa: S608 - typed literals
        f" r.instalments::text AS instalments, r.accepted_on AS since, k.debtor_id, k.currency, {COUNTRY}"
        f" FROM plan r {PROFILE.format(case='r.case_id')}"
        f" WHERE k.creditor_id = {settling.creditor_id} AND r.state = '{PlanState.ACTIVE}' AND r.replaced_at IS NULL"
    )
    if plans.is_empty():
        return
    day = pl.lit(settling.as_of)
    received = received_for(settling, plans.with_columns(by=day, read_on=day)).select("record_id", "received")
    share = round(settling.guardrails.promises.kept_share * SHARES)
    for plan in plans.join(received, left_on="id", right_on="record_id", how="left").iter_rows(named=True):
        owed = 0
        for number, part in enumerate(json.loads(plan["instalments"]), 1):
            due_on = date.fromisoformat(part["due_on"])
            owed += part["amount"]
            if (plan["received"] or 0) * SHARES >= owed * share:
                continue
            record_no = f"{plan['plan_no']}/{number}"
            if add_working_days(due_on, -BEFORE_DUE, plan["country"]) <= settling.as_of < due_on:
                yield _work(settling, plan, SOON, record_no)
            elif settling.as_of >= add_working_days(due_on, AFTER_DUE, plan["country"]) and settling.judged(due_on):
                yield _work(settling, plan, MISSED, record_no)


def _work(settling: Settling, row: Mapping[str, Any], subject: str, record_no: str) -> dict[str, Any]:
    return {
        "case_id": row["case_id"],
        "debtor_id": row["debtor_id"],
        "kind": str(WorkKind.REPLY),
        "subject": subject,
        "role": str(Role.COLLECTOR),
        "record_no": record_no,
        "due_on": add_working_days(settling.as_of, WRITTEN_WITHIN, row["country"]),
        "blocks": subject == THANK,
    }
