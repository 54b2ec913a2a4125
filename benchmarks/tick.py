"""A whole tick against the bare input and output it cannot do without.

Run as `python -m benchmarks.tick DEBTORS`: prints one line of JSON. Each size is a process of its own, so that its peak
of memory is its own.
"""

import json
import sys
from datetime import UTC, date, datetime, time

import polars as pl
from sqlmodel import Session

from benchmarks.measure import alternate, peak_memory, timed
from benchmarks.population import AS_OF, KNOWN_AT, populate
from benchmarks.raw import make_targets, read_and_write, rows_written
from benchmarks.scratch import Scratch, scratch
from maatpak.ledger.database import Database
from maatpak.ledger.packs import publish_pack
from maatpak.ledger.tables import CreditorPack
from policies.pack import standard_pack_files
from tasks.tick import TickSummary, tick

PREPARED = "bench"
CREDITOR = 1
DAY = date(2026, 6, 15)
"""A day between the statements of the month."""
INSTANT = datetime.combine(DAY, time(6), UTC)
ORDINARY = f"""
UPDATE action SET stage = 'listen', step = 'tell_manager', kind = 'notify', result = NULL WHERE step = 'call';
UPDATE action SET step = 'second_text', kind = 'message' WHERE step = 'terms_review';
UPDATE action SET executed_on = DATE '{DAY}' - 3 WHERE step = 'second_notice' AND case_id % 12 <> 0;
UPDATE message SET sent_on = DATE '{DAY}' - 3 WHERE template = 'second_notice' AND case_id % 12 <> 0;
UPDATE item_version SET settled_on = due_on - 1 WHERE open_amount = 0 AND debtor_id % 10 <> 0;
UPDATE payment SET paid_on = paid_on - 90, valid_from = valid_from - 90;
UPDATE creditor SET business_date = DATE '{DAY}';
UPDATE snapshot SET as_of = DATE '{DAY}'
"""
"""Four earlier steps of the forgetful journey: most got their second notice lately, one of twelve may be rung today.

Nine of ten pay on time by nature, else each would have a monthly statement beside its round.
"""
TOLERANCES = (500, 400, 600)
"""Three versions of the standard pack, all with rounds under way."""


def publish_three(session: Session) -> tuple[int, ...]:
    """Three live versions."""
    published = []
    for tolerance in TOLERANCES:
        files = standard_pack_files()
        files["guardrails.yaml"] = files["guardrails.yaml"].replace("tolerance: 500", f"tolerance: {tolerance}")
        pack = publish_pack(session, "standard", files, "bench", "bench", AS_OF, datetime(2026, 1, 1, tzinfo=UTC))
        assert pack.id is not None
        published.append(pack.id)
    return tuple(published)


def fill(database: Database, debtors: int) -> None:
    """The population, its packs, and the creditor's choice of one."""
    with database.session() as session:
        packs = publish_three(session)
    populate(database, debtors, pack_ids=packs, segments=("forgetful",))
    with database.frames() as frames:
        frames.execute("SET LOCAL session_replication_role = replica")
        for statement in ORDINARY.strip().split(";\n"):
            frames.execute(statement)
    with database.session() as session:
        chosen = CreditorPack(
            creditor_id=CREDITOR, pack_id=packs[0], actor="bench", valid_from=AS_OF, recorded_at=KNOWN_AT
        )
        session.add(chosen)


def measure(place: Scratch, debtors: int) -> dict[str, float]:
    """Seconds of both, what the tick did, and the process's peak of memory."""
    place.prepare(PREPARED, lambda database: fill(database, debtors))
    with place.engine(PREPARED) as engine:
        summary: TickSummary = tick(engine, CREDITOR, DAY, INSTANT)
        rows = rows_written(engine.database, DAY)
    acting = rows["action"].filter(pl.col("state") != "skipped")["case_id"].n_unique()

    def whole(seconds: list[float]) -> None:
        with place.engine(PREPARED) as engine:
            for pack_id in (1, 2, 3):
                engine.pack(pack_id)  # compiled once a process, not once a tick
            with timed(seconds):
                tick(engine, CREDITOR, DAY, INSTANT)

    def raw(seconds: list[float]) -> None:
        with place.copy(PREPARED) as database:
            make_targets(database)
            with timed(seconds):
                read_and_write(database, rows)

    seconds = alternate({"raw": raw, "tick": whole})
    return {
        "debtors": debtors,
        "open_items": debtors * 5,
        "cases": summary.cases,
        "acting": acting / summary.cases,
        "written": sum(frame.height for frame in rows.values()),
        "raw": seconds["raw"],
        "tick": seconds["tick"],
        "ratio": seconds["tick"] / seconds["raw"],
        "us_a_debtor": seconds["tick"] / debtors * 1e6,
        "peak_memory": peak_memory(),
    }


def main() -> None:
    """Measure one size."""
    with scratch() as place:
        print(json.dumps(measure(place, int(sys.argv[1]))))


if __name__ == "__main__":
    main()
