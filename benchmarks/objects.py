"""The obvious loop: one debtor after the other, as objects, as a dunning run looks when nobody thought of frames.

It decides far less than a tick does (no netting, no evidence, no budget), so the comparison flatters it.
"""

import json
import statistics
import sys
from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import Session, col, select

from benchmarks.measure import RUNS, peak_memory, timed
from benchmarks.population import AS_OF, KNOWN_AT
from benchmarks.scratch import scratch
from benchmarks.tick import PREPARED, fill
from maatpak.kernel.calendars import add_working_days
from maatpak.ledger.tables import Action, Case, DebtorProfile, Hold, ItemVersion, Promise

SAMPLE = 1_000
ORDER = ("reminder", "second_notice", "call", "consult")


def decide_by_objects(session: Session, count: int) -> int:
    """Propose the next step for so many cases; how many got one."""
    proposed = 0
    for case in session.exec(select(Case).order_by(col(Case.id)).limit(count)):
        assert case.id is not None
        profile = session.exec(
            select(DebtorProfile).where(
                DebtorProfile.debtor_id == case.debtor_id, col(DebtorProfile.replaced_at).is_(None)
            )
        ).one()
        items = session.exec(
            select(ItemVersion).where(ItemVersion.debtor_id == case.debtor_id, col(ItemVersion.replaced_at).is_(None))
        ).all()
        done = session.exec(select(Action).where(Action.case_id == case.id)).all()
        step = _next_step(case, profile, items, done, session)
        if step is not None:
            session.add(step)
            proposed += 1
    session.flush()
    return proposed


def _next_step(
    case: Case, profile: DebtorProfile, items: Sequence[ItemVersion], done: Sequence[Action], session: Session
) -> Action | None:
    taken = {action.step: action for action in done}
    overdue = [item for item in items if item.open_amount > 0 and item.due_on < AS_OF]
    asked = sum(item.open_amount - item.disputed_amount for item in overdue)
    if asked <= 500:
        return None
    held = session.exec(select(Hold).where(Hold.case_id == case.id, col(Hold.replaced_at).is_(None))).first()
    promised = session.exec(
        select(Promise).where(Promise.case_id == case.id, col(Promise.replaced_at).is_(None))
    ).first()
    if held is not None or promised is not None:
        return None
    delays = [(item.settled_on - item.due_on).days for item in items if item.settled_on]
    segment = "habitual" if delays and statistics.median(delays) >= 5 else "forgetful"
    step = next((each for each in ORDER if each not in taken), None)
    latest = max((action.executed_on for action in taken.values() if action.executed_on), default=AS_OF - timedelta(30))
    if step is None or add_working_days(latest, 5, profile.country) > AS_OF:
        return None
    return Action(
        creditor_id=case.creditor_id,
        case_id=int(case.id or 0),
        stage="remind",
        step=step,
        kind="message",
        attempt=9,
        segment=segment,
        pack_id=1,
        state="proposed",
        amount=asked,
        due_on=AS_OF,
        business_date=AS_OF,
        proposed_at=KNOWN_AT,
    )


def main() -> None:
    """Measure on a population of the size given, a sample of it five times."""
    with scratch() as place:
        place.prepare(PREPARED, lambda database: fill(database, int(sys.argv[1])))
        seconds: list[float] = []
        for _ in range(RUNS):
            with place.copy(PREPARED) as database, database.session() as session, timed(seconds):
                decide_by_objects(session, SAMPLE)
        print(json.dumps({"us_a_debtor": statistics.median(seconds) / SAMPLE * 1e6, "peak_memory": peak_memory()}))


if __name__ == "__main__":
    main()
