"""What money without a purpose asks of people: cash that lies unallocated, and a customer to whom we owe money.

Such a case gets no reminder (rules 5 and 19). Instead cash is asked to allocate what came in, or somebody
tells the customer that they have a credit: once a case, while it lasts. The journey itself asks what money is for.
"""

from datetime import date, datetime

import polars as pl

from maatpak.kernel.calendars import shift_working_days
from maatpak.kernel.words import NoActionReason, Role, WorkKind
from maatpak.ledger.database import Frames
from tasks.worklist import open_many

WITHIN = 2
"""Working days in which it is done."""

ALLOCATE = "Allocate the money that lies unallocated, or find out what it is for."
TELL = "Tell the customer that we owe them money, and ask how they want it back."

HAS_CASH = (pl.col("cash_unallocated") > 0) & (pl.col("overdue_open") > 0)
WORK = {
    ALLOCATE: (HAS_CASH, WorkKind.CASH, Role.OPERATOR),
    TELL: (pl.col("reason") == NoActionReason.WE_OWE_CUSTOMER, WorkKind.REPLY, Role.COLLECTOR),
}
"""What is to be done → for which cases, as what kind of work, by whom."""

ENDED = """
UPDATE work_task t SET state = 'cancelled', outcome = 'ended', done_at = {at}
FROM pg_temp.excepted e
WHERE t.case_id = e.case_id AND t.state = 'open' AND t.subject IN ({subjects}) AND t.record_no IS NULL
  AND t.subject <> ALL (string_to_array(e.wanted, '|'))
"""

OPEN = """
SELECT DISTINCT case_id FROM work_task WHERE creditor_id = {creditor} AND state = 'open' AND subject IN ({subjects})
"""


def tend_exceptions(frames: Frames, creditor_id: int, decided: pl.DataFrame, as_of: date, at: datetime) -> int:
    """Open what the decisions of a shard ask for, and take back what they do not ask for any more; how much is new.

    `decided`: (case_id, debtor_id, reason) and the facts country, cash_unallocated and overdue_open.
    """
    subjects = ", ".join(f"'{subject}'" for subject in WORK)
    wanted = pl.concat(
        decided.filter(for_whom).select(
            *("case_id", "debtor_id", "country"),
            kind=pl.lit(str(kind)),
            subject=pl.lit(subject),
            role=pl.lit(str(role)),
        )
        for subject, (for_whom, kind, role) in WORK.items()
    )
    open_now = frames.read(OPEN.format(creditor=int(creditor_id), subjects=subjects))
    here = open_now.join(decided, on="case_id", how="semi").join(
        wanted.group_by("case_id").agg(wanted=pl.col("subject").str.join("|")), on="case_id", how="left"
    )
    if not here.is_empty():
        frames.stage("excepted", here.select("case_id", pl.col("wanted").fill_null("")))
        frames.execute(ENDED.format(at=f"TIMESTAMPTZ '{at.isoformat()}'", subjects=subjects))
    if wanted.is_empty():
        return 0
    today = pl.Series("due_on", [as_of]).new_from_index(0, len(wanted))
    due_on = shift_working_days(today, WITHIN, wanted["country"])
    work = wanted.select(
        *("case_id", "debtor_id", "kind", "subject", "role"),
        record_no=pl.lit(None),
        due_on=due_on,
        blocks=pl.lit(value=False),
    )
    return open_many(frames, creditor_id, work, as_of, at).height
