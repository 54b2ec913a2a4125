"""What each kind of step does when it is carried out. A row of `EFFECTS` for every kind."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from maatpak.kernel.calendars import shift_working_days
from maatpak.kernel.reasons import SkipReason
from maatpak.kernel.words import ActionState, Role, StepKind, WorkKind
from maatpak.ledger.database import Frames
from tasks.cancelling import fail_actions
from tasks.compose import compose, queue_messages
from tasks.facts import FactFrames
from tasks.handoff import write_placements
from tasks.offers import withdraw_offers, write_offers
from tasks.repairs import ANY, open_repairs
from tasks.repairs import NO_PHONE as REPAIR_PHONE
from tasks.uploads import open_uploads, uploads
from tasks.worklist import WAIVE_CALL

if TYPE_CHECKING:
    from policies.journey import Step
    from tasks.engine import Engine

OUTCOME = {"action_id": pl.Int64, "case_id": pl.Int64, "outcome": pl.String, "reason": pl.String}
NO_PHONE = "no_phone"

WORK_OF: dict[StepKind, WorkKind] = {
    StepKind.CALL: WorkKind.CALL,
    StepKind.CONSULT: WorkKind.CONSULT,
    StepKind.REVIEW: WorkKind.REVIEW,
    StepKind.NOTIFY: WorkKind.NOTICE,
    StepKind.DECIDE: WorkKind.DECIDE,
}
"""Kinds of step that become work for people."""

WORK_ROLE: dict[StepKind, Role] = {
    StepKind.CALL: Role.COLLECTOR,
    StepKind.CONSULT: Role.ACCOUNT_MANAGER,
    StepKind.REVIEW: Role.CREDIT_MANAGER,
    StepKind.NOTIFY: Role.ACCOUNT_MANAGER,
    StepKind.DECIDE: Role.CREDIT_MANAGER,
}
"""Whose work it is unless the step says."""

MANAGERS = """
SELECT d.id AS debtor_id, m.login AS manager, p.account_manager
FROM pg_temp.work_debtor w JOIN debtor d ON d.id = w.debtor_id
LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.valid_from <= DATE '{day}'
 AND (p.replaced_from IS NULL OR p.replaced_from > DATE '{day}')
LEFT JOIN person m ON m.login = p.account_manager AND m.active
"""


@dataclass(frozen=True)
class Cohort:
    """Actions that are to be carried out now, and everything that is known of their cases."""

    engine: "Engine"
    frames: Frames
    creditor_id: int
    actions: pl.DataFrame
    named: pl.DataFrame
    facts: FactFrames
    as_of: date
    at: datetime

    def step(self, row: dict[str, Any]) -> "Step":
        """The step of an action."""
        return self.engine.pack(row["pack_id"]).step(row["segment"], row["step"])

    @property
    def instant(self) -> str:
        """The instant as SQL."""
        return f"TIMESTAMPTZ '{self.at.isoformat()}'"

    @property
    def day(self) -> str:
        """The business date as SQL."""
        return f"DATE '{self.as_of.isoformat()}'"


def carry_out(cohort: Cohort) -> pl.DataFrame:
    """(action_id, case_id, outcome, reason): the effect of every action, kind by kind."""
    done = [
        EFFECTS[StepKind(str(kind))](cohort, rows)
        for (kind,), rows in cohort.actions.group_by("kind", maintain_order=True)
    ]
    _join_rounds(cohort)
    return pl.concat(done) if done else pl.DataFrame(schema=OUTCOME)


def _write(cohort: Cohort, rows: pl.DataFrame) -> pl.DataFrame:
    """Messages go into the outbox; the action is under way until they have left. Copies for a portal are work."""
    by_hand = uploads(cohort, rows)
    if not by_hand.is_empty():
        open_uploads(cohort, by_hand)
        _move(cohort, by_hand, ActionState.IN_PROGRESS)
        rows = rows.join(by_hand, on="action_id", how="anti", maintain_order="left")
    composed = compose(cohort.engine, cohort.frames, rows.select("action_id"), cohort.as_of, cohort.at)
    queue_messages(cohort.frames, composed)
    written = rows.join(composed.pairs.select("action_id").unique(), on="action_id", how="semi")
    _move(cohort, written, ActionState.IN_PROGRESS)
    unreachable = composed.unreachable.unique("action_id", keep="first", maintain_order=True)
    lost = rows.join(unreachable.select("action_id", why="reason"), on="action_id", maintain_order="left")
    _fail(cohort, lost)
    return pl.concat([_told(by_hand, "work"), _told(written, "queued"), _told(lost, "failed", pl.col("why"))])


def _offer(cohort: Cohort, rows: pl.DataFrame) -> pl.DataFrame:
    """A plan is offered, and the letter that says so is written."""
    write_offers(cohort.frames, [(row, cohort.step(row)) for row in rows.iter_rows(named=True)], cohort.named,
                 cohort.facts, cohort.as_of, cohort.at)  # fmt: skip
    done = _write(cohort, rows)
    withdraw_offers(cohort.frames, done.filter(pl.col("outcome") == "failed"), cohort.as_of, cohort.at)
    return done


def _call(cohort: Cohort, rows: pl.DataFrame) -> pl.DataFrame:
    """A call becomes work; without a number a letter goes in its place, somebody looks for one, and a credit manager is
    asked whether the round may go on without the call (rule 7)."""
    known = cohort.facts.cases.select("case_id", "phone_known")
    joined = rows.join(known, on="case_id", how="left", maintain_order="left")
    with_phone = joined.filter(pl.col("phone_known").fill_null(value=False)).drop("phone_known")
    without = joined.join(with_phone.select("action_id"), on="action_id", how="anti").drop("phone_known")
    parts = [_work(cohort, with_phone)]
    if not without.is_empty():
        parts.append(_write(cohort, without))
        cohort.frames.stage("unheard", without.select("action_id"))
        cohort.frames.execute(
            f"UPDATE action a SET result = '{NO_PHONE}' FROM pg_temp.unheard u"  # noqa: S608 - a word of our own
            " WHERE a.id = u.action_id AND a.state = 'in_progress'"
        )
        _ask_waiver(cohort)
        _repair(cohort, without, "phone", REPAIR_PHONE)
    return pl.concat(parts)


def _ask_waiver(cohort: Cohort) -> None:
    """Of the letters just written in place of a call (staged as `unheard`)."""
    cohort.frames.execute(
        f"""
        INSERT INTO work_task (creditor_id, debtor_id, case_id, action_id, kind, subject, role, opened_on, due_on,
                               blocks, state, recorded_at)
        SELECT a.creditor_id, k.debtor_id, a.case_id, a.id, '{WorkKind.REVIEW}', '{WAIVE_CALL}',
               '{Role.CREDIT_MANAGER}', {cohort.day}, {cohort.day} + 7, false, 'open', {cohort.instant}
        FROM pg_temp.unheard u JOIN action a ON a.id = u.action_id AND a.state = 'in_progress'
        JOIN "case" k ON k.id = a.case_id
        WHERE a.round_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM work_task t WHERE t.action_id = a.id)
        """  # noqa: S608 - words of our own
    )


def _work(cohort: Cohort, rows: pl.DataFrame) -> pl.DataFrame:
    """A piece of work for a person; a notice does not hold the case up."""
    if rows.is_empty():
        return pl.DataFrame(schema=OUTCOME)
    tasks = _tasks(cohort, rows)
    cohort.frames.stage("new_work", tasks)
    columns = "creditor_id, debtor_id, case_id, action_id, kind, subject, role, assignee, opened_on, due_on, blocks"
    cohort.frames.execute(
        f"INSERT INTO work_task ({columns}, state, recorded_at)"  # noqa: S608 - names of our own
        f" SELECT {columns}, 'open', {cohort.instant} FROM pg_temp.new_work n"
        " WHERE NOT EXISTS (SELECT 1 FROM work_task t WHERE t.action_id = n.action_id) ORDER BY action_id"
    )
    told = rows.filter(pl.col("kind") == StepKind.NOTIFY)
    _move(cohort, rows.filter(pl.col("kind") != StepKind.NOTIFY), ActionState.IN_PROGRESS)
    _move(cohort, told, ActionState.EXECUTED)
    return _told(rows, "work")


def _tasks(cohort: Cohort, rows: pl.DataFrame) -> pl.DataFrame:
    cohort.frames.stage("work_debtor", rows.select("debtor_id").unique())
    managers = {
        debtor: (login, name)
        for debtor, login, name in cohort.frames.read(MANAGERS.format(day=cohort.as_of)).iter_rows()
    }
    made = []
    for row in rows.iter_rows(named=True):
        step, kind = cohort.step(row), StepKind(row["kind"])
        role = step.role or WORK_ROLE[kind]
        login, named = managers.get(row["debtor_id"], (None, None))
        if role == Role.ACCOUNT_MANAGER and not named:
            role = Role.CREDIT_MANAGER  # nobody looks after this customer
        made.append(
            {
                "creditor_id": cohort.creditor_id,
                "debtor_id": row["debtor_id"],
                "case_id": row["case_id"],
                "action_id": row["action_id"],
                "kind": str(WORK_OF[kind]),
                "subject": step.about or row["step"],
                "role": str(role),
                "assignee": login if role == Role.ACCOUNT_MANAGER else None,
                "opened_on": cohort.as_of,
                "days": step.deadline or 0,
                "blocks": False,
            }
        )
    frame = pl.DataFrame(made, schema_overrides={"assignee": pl.String})
    frame = frame.join(cohort.facts.cases.select("case_id", "country"), on="case_id", how="left", maintain_order="left")
    due = shift_working_days(frame["opened_on"], frame["days"], frame["country"])
    return frame.with_columns(due.alias("due_on")).drop("days", "country")


def _wait(cohort: Cohort, rows: pl.DataFrame) -> pl.DataFrame:
    """Nothing happens, and that is done."""
    _move(cohort, rows, ActionState.EXECUTED)
    return _told(rows, "executed")


def _hand_off(cohort: Cohort, rows: pl.DataFrame) -> pl.DataFrame:
    """The placement stands; its dossier is handed over after the commit (law 3)."""
    write_placements(cohort, rows)
    _move(cohort, rows, ActionState.IN_PROGRESS)
    return _told(rows, "placed")


EFFECTS: dict[StepKind, Callable[[Cohort, pl.DataFrame], pl.DataFrame]] = {
    StepKind.MESSAGE: _write,
    StepKind.STATEMENT: _write,
    StepKind.CALL: _call,
    StepKind.PLAN_OFFER: _offer,
    StepKind.CONSULT: _work,
    StepKind.NOTIFY: _work,
    StepKind.REVIEW: _work,
    StepKind.WAIT: _wait,
    StepKind.HANDOFF: _hand_off,
    StepKind.DECIDE: _work,
}
"""Every kind; a test holds the two lists together."""


def _move(cohort: Cohort, rows: pl.DataFrame, state: ActionState) -> None:
    if rows.is_empty():
        return
    ends = ", executed_on = {day}, ended_at = {at}" if state == ActionState.EXECUTED else ""
    cohort.frames.stage("moved", rows.select("action_id"))
    cohort.frames.execute(
        f"UPDATE action a SET state = '{state}', started_on = {cohort.day}, started_at = {cohort.instant}"  # noqa: S608
        f"{ends.format(day=cohort.day, at=cohort.instant)}"
        " FROM pg_temp.moved m WHERE a.id = m.action_id AND a.state = 'approved'"
    )


def _fail(cohort: Cohort, lost: pl.DataFrame) -> None:
    """Nobody can be told, or of nothing: the step has failed. Where it was the address, somebody mends it."""
    if lost.is_empty():
        return
    fail_actions(cohort.frames, lost.select("action_id", reason="why"), cohort.at, cohort.as_of)
    unreachable = lost.filter(pl.col("why") != SkipReason.NOTHING_LEFT)
    if not unreachable.is_empty():
        _repair(cohort, unreachable, None, ANY)


def _repair(cohort: Cohort, rows: pl.DataFrame, channel: str | None, subject: str) -> None:
    countries = cohort.facts.cases.select("case_id", "country")
    wanted = rows.select("case_id", "debtor_id", "escalating").join(countries, on="case_id", how="left")
    wanted = wanted.with_columns(channel=pl.lit(channel, pl.String), subject=pl.lit(subject), itself="escalating")
    open_repairs(cohort.frames, cohort.creditor_id, wanted, cohort.as_of, cohort.at)


def _join_rounds(cohort: Cohort) -> None:
    """What a notice names joins the round (rule 1)."""
    cohort.frames.stage("naming", cohort.actions.select("action_id", "round_id").drop_nulls())
    cohort.frames.execute(
        "INSERT INTO round_item (round_id, item_id, joined_on, recorded_at)"  # noqa: S608 - typed literals
        f" SELECT DISTINCT n.round_id, i.item_id, {cohort.day}, {cohort.instant} FROM pg_temp.naming n"
        " JOIN action a ON a.id = n.action_id AND a.state IN ('in_progress', 'executed')"
        " JOIN action_item i ON i.action_id = a.id ON CONFLICT DO NOTHING"
    )


def _told(rows: pl.DataFrame, outcome: str, reason: pl.Expr | None = None) -> pl.DataFrame:
    return rows.select(
        "action_id",
        "case_id",
        outcome=pl.lit(outcome),
        reason=reason if reason is not None else pl.lit(None, dtype=pl.String),
    )
