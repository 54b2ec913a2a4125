"""What cases that get no reminder ask of people: money without a purpose, and a stop that the law sets.

Cash is asked to allocate what came in, or somebody tells the customer that they have a credit (rules 5 and 19); the
journey itself asks what money is for. Where the ledger says that the law forbids contact, a specialist acts, as where
a person said so (rule 25). Once a case, while it lasts.
"""

from datetime import date, datetime

import polars as pl

from maatpak.kernel.calendars import shift_working_days
from maatpak.kernel.reasons import NoActionReason
from maatpak.kernel.words import LegalStop, Role, WorkKind
from maatpak.ledger.database import Frames
from maatpak.ledger.literals import quoted
from policies.pack import CompiledPack
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
BREATHING_SPACE = "Breathing space; find out what it forbids, and until when."


def work_of(pack: CompiledPack) -> dict[str, tuple[pl.Expr, WorkKind, Role]]:
    """What is to be done → for which cases, as what kind of work, by whom."""
    stopped = (pl.col("reason") == NoActionReason.LEGAL_STOP) & (pl.col("overdue_open") + pl.col("not_due_open") > 0)
    work = {
        BREATHING_SPACE: (
            stopped & (pl.col("legal_stop") == LegalStop.BREATHING_SPACE),
            WorkKind.REVIEW,
            Role.CREDIT_MANAGER,
        )
    }
    for line in pack.reasons.values():
        if line.legal_stop is not None and line.work is not None:
            mine = stopped & (pl.col("legal_stop") == line.legal_stop)
            work[line.work.about] = (mine, line.work.kind, line.work.role)
    return WORK | work


ENDED = """
UPDATE work_task t SET state = 'cancelled', outcome = 'ended', done_at = {at}
FROM pg_temp.excepted e
WHERE t.case_id = e.case_id AND t.state = 'open' AND t.subject IN ({subjects}) AND t.record_no IS NULL
  AND t.subject <> ALL (string_to_array(e.wanted, '|'))
"""

OPEN = """
SELECT DISTINCT case_id FROM work_task WHERE creditor_id = {creditor} AND state = 'open' AND subject IN ({subjects})
"""


def tend_exceptions(
    frames: Frames, creditor_id: int, decided: pl.DataFrame, pack: CompiledPack, as_of: date, at: datetime
) -> int:
    """Open what the decisions of a shard ask for, and take back what they do not ask for any more; how much is new.

    `decided`: (case_id, debtor_id, reason) and the facts country, legal_stop, cash_unallocated, overdue_open and
    not_due_open.
    """
    asked = work_of(pack)
    subjects = ", ".join(quoted(subject) for subject in asked)
    wanted = pl.concat(
        decided.filter(for_whom).select(
            *("case_id", "debtor_id", "country"),
            kind=pl.lit(str(kind)),
            subject=pl.lit(subject),
            role=pl.lit(str(role)),
        )
        for subject, (for_whom, kind, role) in asked.items()
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
    work = wanted.select("case_id", "debtor_id", "kind", "subject", "role", record_no=pl.lit(None), due_on=due_on)
    return open_many(frames, creditor_id, work, as_of, at).height
