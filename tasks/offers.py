"""Plans that a journey offers: the items asked, in the parts that the step's terms allow."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.ids import canonical_json
from maatpak.kernel.words import PlanState
from maatpak.ledger.database import Frames
from maatpak.ledger.tables import Plan
from maatpak.ledger.versions import succeed_all
from policies.schema import PlanTerms
from tasks.facts import FactFrames
from tasks.plans import VALID_FOR, Instalment, standard_instalments

if TYPE_CHECKING:
    from policies.journey import Step


def write_offers(
    frames: Frames,
    actions: "Sequence[tuple[dict[str, Any], Step]]",
    named: pl.DataFrame,
    facts: FactFrames,
    as_of: date,
    at: datetime,
) -> None:
    """Offered plans over the items that the actions name; an action that has its plan already gets no second."""
    countries = dict(facts.cases.select("case_id", "country").iter_rows())
    items: dict[int, dict[str, int]] = {}
    for action_id, item_id, amount in named.select("action_id", "item_id", "amount").iter_rows():
        items.setdefault(action_id, {})[str(item_id)] = amount
    rows = []
    for action, step in actions:
        covered = items.get(action["action_id"], {})
        total = sum(covered.values())
        if not total:
            continue
        country = countries.get(action["case_id"]) or ""
        parts, valid = offered_terms(step.plan, total, as_of, country)
        rows.append(
            {
                "plan_no": f"L-{action['action_id']}",
                "case_id": action["case_id"],
                "action_id": action["action_id"],
                "total": total,
                "items": canonical_json(covered),
                "instalments": canonical_json([part.plain() for part in parts]),
                "valid_until": add_working_days(as_of, valid, country),
            }
        )
    if not rows:
        return
    frames.stage("new_plan", pl.DataFrame(rows))
    frames.execute(
        f"""
        INSERT INTO plan (plan_no, case_id, action_id, total, items, instalments, offered_on, valid_until, state,
                          source, actor, valid_from, recorded_at)
        SELECT n.plan_no, n.case_id, n.action_id, n.total, n.items::jsonb, n.instalments::jsonb, DATE '{as_of}',
               n.valid_until, 'offered', 'journey', 'engine', DATE '{as_of}', TIMESTAMPTZ '{at.isoformat()}'
        FROM pg_temp.new_plan n WHERE NOT EXISTS (SELECT 1 FROM plan p WHERE p.plan_no = n.plan_no)
        ORDER BY n.action_id
        """  # noqa: S608 - typed literals
    )


def withdraw_offers(frames: Frames, actions: pl.DataFrame, as_of: date, at: datetime) -> int:
    """Offers that these actions (a column `action_id`) made and nobody could be told of: they never stood."""
    if actions.is_empty():
        return 0
    frames.stage("unoffered", actions.select("action_id"))
    offered = frames.read(
        "SELECT p.id FROM plan p JOIN pg_temp.unoffered u ON u.action_id = p.action_id"
        " WHERE p.replaced_at IS NULL AND p.state = 'offered'"
    )
    return succeed_all(frames, Plan, offered.with_columns(state=pl.lit(str(PlanState.CANCELLED))), as_of, at)


def offered_terms(plan: PlanTerms | None, total: int, as_of: date, country: str) -> tuple[list[Instalment], int]:
    """The parts, and the working days that the offer stands: as the step says, else as is usual."""
    if plan is None:
        return standard_instalments(total, as_of, country), VALID_FOR
    return standard_instalments(total, as_of, country, plan.instalments, plan.first_within), plan.valid
