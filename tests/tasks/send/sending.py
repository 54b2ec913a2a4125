"""A delivery that is run for tests, and what it left in the sinks and the tables."""

import mailbox
import time
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import select

from connectors.faults import Fault
from connectors.mail.smtp import SmtpMail
from maatpak.kernel.words import HoldReason
from maatpak.ledger.tables import Case, Snapshot
from tasks.desk import desk
from tasks.holds import set_hold
from tasks.send import DeliverySummary, deliver
from tests.tasks.outbox_world import DAY, NOW, Account, House

PATIENCE = 30.0


def send(house: House, now: Any = NOW, **options: Any) -> DeliverySummary:
    return deliver(house.engine, house.creditor_id, DAY, now, "worker-1", **options)


def faulty(house: House, *faults: Fault) -> None:
    mail = house.engine.mail
    assert isinstance(mail, SmtpMail)
    assert mail.sink is not None
    mail.sink.plan_faults(faults)


def in_sink(house: House) -> list[str]:
    """Message-IDs of the mails that arrived."""
    folder = house.engine.workspace.sinks / "mail" / "maildir"
    if not (folder / "cur").exists():  # the last of it that is made
        return []
    box = mailbox.Maildir(folder)
    return [str(box.get_message(key)["Message-ID"]).strip("<>") for key in box.iterkeys()]


def spooled(house: House) -> list[str]:
    return sorted(path.stem for path in (house.engine.workspace.sinks / "post").glob("*.json"))


def messages(house: House) -> list[dict[str, Any]]:
    return house.rows("SELECT * FROM message ORDER BY id")


def states(house: House, table: str = "message") -> Counter[str]:
    return Counter(row["state"] for row in house.rows(f"SELECT state FROM {table}"))


def run_sql(house: House, statement: str) -> None:
    with house.engine.database.session() as session:
        session.execute(text(statement))


def let_leases_expire(house: House) -> None:
    past = "clock_timestamp() - interval '1 minute'"
    run_sql(house, f"UPDATE message SET leased_until = {past} WHERE leased_until IS NOT NULL")


def let_rests_end(house: House) -> None:
    """Services that are left alone may be tried."""
    past = "clock_timestamp() - interval '1 second'"
    run_sql(house, f"UPDATE breaker SET open_until = {past}, trying_until = NULL WHERE open_until IS NOT NULL")


def open_day(house: House, day: date) -> None:
    """Another business date, with a ledger of it."""
    run_sql(house, f"UPDATE creditor SET business_date = DATE '{day}' WHERE id = {house.creditor_id}")
    with house.engine.database.session() as session:
        known = session.exec(select(Snapshot).filter_by(creditor_id=house.creditor_id)).first()
        assert known is not None
        given = known.model_dump(exclude={"id", "as_of", "content_hash"})
        session.add(Snapshot(**given, as_of=day, content_hash=f"of {day}"))


def lease(house: House, state: str) -> None:
    """Another worker has all messages, and nobody hears of it any more."""
    until = "clock_timestamp() + interval '5 minutes'"
    run_sql(house, f"UPDATE message SET state = '{state}', leased_by = 'dead', leased_until = {until}")


def wait_until(holds: Callable[[], bool], patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def hold(house: House, account: Account) -> None:
    """A person sets a hold on a case."""
    with desk(house.engine, house.creditor_id, "maritNL1", DAY, NOW) as at:
        case = at.session.get(Case, account.case_id)
        assert case is not None
        set_hold(at, case, HoldReason.COMPLAINT, DAY + timedelta(days=5), "wrong goods", source="person")
