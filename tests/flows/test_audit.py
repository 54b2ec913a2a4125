"""The chain and a past day are proven by a flow in the background; it fails when something was changed."""

from typing import Any

from sqlalchemy import text

from tasks.audit.proving import findings_of, last_proofs
from tasks.day import run_day
from tasks.engine import Engine
from tests.flows.conftest import Prefect
from tests.flows.town import CODE, NOW, TUESDAY, people_town

RUNS: tuple[dict[str, Any], ...] = (
    {},
    {"kind": "replay"},
    {"kind": "replay", "creditor": CODE, "as_of": TUESDAY},
)


def test_history_is_proven_in_the_background_and_the_results_are_kept(prefect: Prefect, engine: Engine) -> None:
    from flows.audit import audit
    from flows.workplace import lent

    people_town(engine, 2)
    owner = engine.creditor_id(CODE)
    run_day(engine, owner, TUESDAY, NOW)
    with lent(engine):
        for parameters in RUNS:
            state: Any = audit(at=NOW, return_state=True, **parameters)
            assert state.is_completed(), state
        with engine.database.session() as session:
            session.execute(text("ALTER TABLE event DISABLE TRIGGER ALL"))
            session.execute(text("UPDATE event SET actor = 'nobody' WHERE seq = 2"))
            session.execute(text("ALTER TABLE event ENABLE TRIGGER ALL"))
        state = audit(at=NOW, return_state=True)
        assert state.is_failed()
    with engine.database.reading() as session:
        proofs = last_proofs(session, [owner])
        assert [each.kind for each in last_proofs(session, [])] == ["audit_verified", "audit_verified"]
    assert [(each.kind, each.creditor, each.as_of, each.findings) for each in proofs] == [
        ("audit_verified", None, None, 1),
        ("audit_replayed", CODE, TUESDAY, 0),
        ("audit_replayed", CODE, TUESDAY, 0),
        ("audit_verified", None, None, 0),
    ]
    assert proofs[1].counts["cases"] == 2
    assert proofs[0].flow_run is not None
    (fault,) = findings_of(engine, proofs[0])
    assert (fault["code"], fault["seq"]) == ("changed", 2)
    assert findings_of(engine, proofs[1]) == []
    told: Any = prefect.get("artifacts/audit-verify/latest")
    assert "| fault: changed | 1 |" in told["data"]
