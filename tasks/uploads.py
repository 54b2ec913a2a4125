"""Copies of invoices for customers who take them through a portal: a person uploads them and says so (rule 28).

No machine reaches such a portal, and a mail is not where the customer looks. So the copy is work, and its confirmation
is what there is of receipt; the step is done with it.
"""

from typing import TYPE_CHECKING

import polars as pl

from maatpak.kernel.calendars import shift_working_days
from maatpak.kernel.words import ActionState, Role, StepKind, WorkKind
from maatpak.ledger.tables import visible
from policies.schema import Attachment
from tasks.actions import action_of, move_action
from tasks.desk import Desk
from tasks.worklist import close_work

if TYPE_CHECKING:
    from maatpak.ledger.tables import WorkTask
    from tasks.effects import Cohort

UPLOAD_WITHIN = 1
"""Working days, as for any copy that is ours to send."""

PORTALS = """
SELECT f.debtor_id, f.value AS portal FROM preference f JOIN pg_temp.copied c ON c.debtor_id = f.debtor_id
WHERE f.name = 'portal' AND {visible}
"""


def uploads(cohort: "Cohort", rows: pl.DataFrame) -> pl.DataFrame:
    """Those of the actions that are copies for customers with a portal, with its name as `portal`."""
    copies = [row["action_id"] for row in rows.iter_rows(named=True) if _is_copy(cohort, row)]
    if not copies:
        return rows.clear().with_columns(portal=pl.lit(None, pl.String))
    chosen = rows.filter(pl.col("action_id").is_in(copies))
    cohort.frames.stage("copied", chosen.select("debtor_id").unique())
    portals = cohort.frames.read(PORTALS.format(visible=visible("f", cohort.as_of, cohort.at)))
    return chosen.join(portals, on="debtor_id", maintain_order="left")


def _is_copy(cohort: "Cohort", row: dict[str, object]) -> bool:
    if row["kind"] != StepKind.MESSAGE or row["written"]:
        return False
    return Attachment.INVOICES in cohort.step(row).attach


def open_uploads(cohort: "Cohort", rows: pl.DataFrame) -> None:
    """Work for whoever uploads; `rows` as `uploads` gives them."""
    names = cohort.facts.items.select("item_id", "document_no")
    documents = (
        cohort.named.join(rows.select("action_id"), on="action_id", how="semi")
        .join(names, on="item_id")
        .group_by("action_id")
        .agg(documents=pl.col("document_no").sort().str.join(", "))
    )
    work = rows.join(documents, on="action_id", how="left", maintain_order="left").join(
        cohort.facts.cases.select("case_id", "country"), on="case_id", how="left", maintain_order="left"
    )
    today = pl.Series("due_on", [cohort.as_of]).new_from_index(0, len(work))
    cohort.frames.stage(
        "uploads",
        work.select(
            *("action_id", "case_id", "debtor_id"),
            subject=pl.format("Upload to the portal {}, and confirm: {}.", "portal", "documents"),
            due_on=shift_working_days(today, UPLOAD_WITHIN, work["country"]),
        ),
    )
    cohort.frames.execute(
        f"""
        INSERT INTO work_task (creditor_id, debtor_id, case_id, action_id, kind, subject, role, opened_on, due_on,
                               blocks, state, recorded_at)
        SELECT {int(cohort.creditor_id)}, u.debtor_id, u.case_id, u.action_id, '{WorkKind.DEPARTMENT}', u.subject,
               '{Role.OPERATOR}', {cohort.day}, u.due_on, false, 'open', {cohort.instant}
        FROM pg_temp.uploads u WHERE NOT EXISTS (SELECT 1 FROM work_task t WHERE t.action_id = u.action_id)
        ORDER BY u.action_id
        """  # noqa: S608 - words of our own
    )


def not_uploaded(desk: Desk, task: "WorkTask", outcome: str, note: str | None) -> None:
    """The customer does not take invoices there after all: the copy has not arrived, and goes once that is mended."""
    close_work(desk, task, outcome, note)
    action = action_of(desk.session, int(task.action_id or 0))
    if action.state == ActionState.IN_PROGRESS:
        move_action(desk.session, action, ActionState.FAILED, desk.as_of, desk.now, result=outcome, reason="no_address")
