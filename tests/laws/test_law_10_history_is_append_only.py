"""Law 10. Nothing is rewritten: versions only step down, the chain holds, and a past day comes out as it was."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from maatpak.kernel.errors import MaatpakError
from maatpak.kernel.words import HoldReason, NonPaymentReason
from maatpak.ledger.tables import Case, Hold, Promise, StatedReason, Tick
from maatpak.ledger.verify import verify
from tasks.claims import claim_payment
from tasks.desk import Desk
from tasks.disputes import open_dispute
from tasks.holds import set_hold
from tasks.promises import make_promise
from tasks.reasons import state_reason
from tasks.replay import replay
from tests.laws.examples import house_at, played
from tests.tasks.act.script import Script
from tests.tasks.act.stages import Stages

STAMPS = {"replaced_from", "replaced_at"}
ACTS: dict[str, Any] = {
    "hold": lambda desk, case: set_hold(desk, case, HoldReason.DATA, desk.as_of + timedelta(days=2), "asked"),
    "promise": lambda desk, case: make_promise(desk, case, desk.as_of + timedelta(days=2)),
    "reason": lambda desk, case: state_reason(desk, case, NonPaymentReason.FORGOT),
    "claim": lambda desk, case: claim_payment(desk, case, documents=["F1"]),
    "dispute": lambda desk, case: open_dispute(desk, case, "F2", NonPaymentReason.PRICE, amount=100),
}


@played
@given(st.lists(st.sampled_from([*ACTS, "nothing"]), min_size=4, max_size=8))
def test_whatever_people_do_the_past_stays_what_it_was(stages: Stages, acts: list[str]) -> None:
    with house_at(stages) as house:
        script = Script(house)
        case_id = int(house.row(Case).id)
        seen: dict[tuple[str, int], dict[str, Any]] = {}
        for act in acts:
            script.day()
            if act != "nothing":
                with house.desk("carla", 16) as desk:
                    _try(desk, act, case_id)
            for table in (Hold, Promise, StatedReason):
                for row in house.all_rows(table):
                    content = row.model_dump(exclude=STAMPS)
                    assert seen.setdefault((table.__name__, row.id), content) == content
        found = verify(house.engine.database, house.engine.anchors.read(), house.engine.store)
        assert found.whole
        for tick in house.rows(Tick):
            assert replay(house.engine, house.creditor_id, tick.business_date).differences == ()


def _try(desk: Desk, act: str, case_id: int) -> None:
    drafts = len(desk.drafts)
    try:
        with desk.session.begin_nested():
            ACTS[act](desk, desk.case(case_id))
    except MaatpakError:
        del desk.drafts[drafts:]


@pytest.mark.parametrize("table", ["event", "tick", "approval", "action_item", "round_item", "touch", "contact_result"])
@pytest.mark.parametrize("act", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_tables_of_history_refuse(stages: Stages, table: str, act: str) -> None:
    column = {"event": "actor", "approval": "reason", "touch": "kind", "contact_result": "actor"}.get(table)
    with house_at(stages, "placing") as house, house.engine.database.engine.connect() as connection:
        assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one(), "a guard of rows needs some"
        key = (
            column
            or connection.execute(
                text("SELECT column_name FROM information_schema.columns WHERE table_name = :table LIMIT 1"),
                {"table": table},
            ).scalar_one()
        )
        # Whose they are may change, where two customers turn out to be one; so these are refused by what changes.
        changed = "'x'" if table in ("touch", "contact_result") else key
        with pytest.raises(DBAPIError):
            connection.execute(text(act.format(table, key, changed)))
