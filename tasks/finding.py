"""From what people type to what they mean: a debtor's number, a record's number, an action or a piece of work.

Numbers of debtors are a creditor's own, so one may be known to several; then the caller has to say whose. Numbers of
records are unique in an installation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, select

from maatpak.kernel.errors import UsageError
from maatpak.ledger.tables import (
    Action,
    Case,
    ClaimedPayment,
    Creditor,
    CreditorPack,
    Debtor,
    Dispute,
    Hold,
    Placement,
    Plan,
    Promise,
    Tick,
    WorkTask,
)
from tasks.dates import date_at
from tasks.register import creditor_by_code

if TYPE_CHECKING:
    from tasks.engine import Engine

RECORDS: dict[str, tuple[Any, str, str]] = {
    "hold": (Hold, "hold_no", "debtor_id"),
    "promise": (Promise, "promise_no", "case_id"),
    "dispute": (Dispute, "dispute_no", "case_id"),
    "claim": (ClaimedPayment, "claim_no", "case_id"),
    "plan": (Plan, "plan_no", "case_id"),
    "placement": (Placement, "placement_no", "case_id"),
}
"""By word: the table, the column of its numbers, and what it hangs on."""
LISTED_BY = {"placement": "maatpak case placements"}
"""The commands that list records, where it is not the word's own `list`."""

NO_DEBTOR = (
    "`maatpak cases --debtor …` looks for parts of a number; `maatpak quarantine list` shows the rows that were set"
    " apart, of which there may be no debtor yet."
)


@dataclass(frozen=True)
class Found:
    """Whose desk an act belongs to, and on which account."""

    creditor_id: int
    creditor: str
    debtor_id: int
    debtor_no: str
    case_id: int | None
    currency: str
    """The case's, or without a case the creditor's."""
    kind: str = ""
    """Of work: which."""

    @property
    def the_case(self) -> int:
        """The id of the case.

        Raises:
            UsageError: the debtor has none.
        """
        if self.case_id is None:
            raise UsageError(
                f"Debtor {self.debtor_no} of {self.creditor} has no case.", advice="A case comes with its first item."
            )
        return self.case_id


def find_debtor(engine: "Engine", debtor_no: str, creditor: str | None = None) -> Found:
    """The debtor of a number.

    Raises:
        UsageError: there is none, or several creditors know the number.
    """
    with engine.database.reading() as session:
        owed, debtor = _debtor(session, debtor_no, creditor)
        return Found(_id(owed), owed.code, _id(debtor), debtor.debtor_no, None, owed.currency)


def find_case(engine: "Engine", debtor_no: str, creditor: str | None = None, currency: str | None = None) -> Found:
    """The case of a debtor.

    Raises:
        UsageError: there is none, or more than one fits.
    """
    with engine.database.reading() as session:
        owed, debtor = _debtor(session, debtor_no, creditor)
        cases = list(session.exec(select(Case).where(Case.debtor_id == debtor.id).order_by(col(Case.currency))))
    known = ", ".join(case.currency for case in cases)
    fitting = [case for case in cases if currency in (None, case.currency)]
    if len(fitting) == 1:
        return Found(_id(owed), owed.code, _id(debtor), debtor_no, fitting[0].id, fitting[0].currency)
    if not fitting:
        what = f"no case in {currency}" if currency and cases else "no case"
        raise UsageError(
            f"Debtor {debtor_no} of {owed.code} has {what}.",
            advice=f"It has {known}." if cases else "A case comes with its first item.",
        )
    raise UsageError(f"Debtor {debtor_no} of {owed.code} has cases in {known}.", advice="Name one with --currency.")


def find_record(engine: "Engine", word: str, number: str) -> Found:
    """The account of a hold, promise, dispute, claim, plan or placement, by its number.

    Raises:
        UsageError: there is no such record.
    """
    table, column, owner = RECORDS[word]
    with engine.database.reading() as session:
        row = session.exec(select(table).where(getattr(table, column) == number).order_by(table.id.desc())).first()
        if row is None:
            raise UsageError(
                f"There is no {word} {number!r}.", advice=f"`{LISTED_BY.get(word, f'maatpak {word} list')}` shows them."
            )
        if owner == "case_id":
            return _of_case(session, row.case_id)
        return _of_debtor(session, row.debtor_id, row.case_id)


def find_work(engine: "Engine", task_id: int) -> Found:
    """The account of a piece of work, and its kind.

    Raises:
        UsageError: there is none of that number.
    """
    with engine.database.reading() as session:
        task = session.get(WorkTask, task_id)
        if task is None:
            raise UsageError(f"There is no work {task_id}.", advice="`maatpak tasks list` shows what is open.")
        return _of_debtor(session, task.debtor_id, task.case_id, task.kind)


def creditor_of_actions(engine: "Engine", action_ids: Sequence[int]) -> tuple[int, str]:
    """(id, code) of the creditor that all these actions are of.

    Raises:
        UsageError: one of them does not exist, or they are of several creditors.
    """
    with engine.database.reading() as session:
        rows = session.exec(
            select(Action.id, Creditor.id, Creditor.code)
            .join(Creditor, col(Creditor.id) == Action.creditor_id)
            .where(col(Action.id).in_(action_ids))
        ).all()
    missing = sorted(set(action_ids) - {int(row[0] or 0) for row in rows})
    if missing:
        raise UsageError(
            f"There is no action {', '.join(map(str, missing))}.", advice="`maatpak approvals list` shows what waits."
        )
    owners = {(int(row[1] or 0), row[2]) for row in rows}
    if len(owners) != 1:
        codes = ", ".join(sorted(code for _, code in owners))
        raise UsageError(f"These actions are of {codes or 'nobody'}.", advice="Approve one creditor's at a time.")
    return owners.pop()


def acting_date(engine: "Engine", code: str, now: datetime) -> date:
    """The date on which an act of a person counts: the creditor's business date, before the first one today."""
    with engine.database.reading() as session:
        at = creditor_by_code(session, code).business_date
    return at if at is not None else date_at(engine, code, now)


def creditor_codes(engine: "Engine", code: str | None = None) -> list[str]:
    """The code of the creditor named, else of all.

    Raises:
        UsageError: there is none of that code.
    """
    with engine.database.reading() as session:
        if code is not None:
            return [creditor_by_code(session, code).code]
        return list(session.exec(select(Creditor.code).order_by(col(Creditor.code))))


def live_creditors(engine: "Engine", code: str | None = None) -> list[str]:
    """Codes of the creditors whose days are run: those that have a policy pack, or the one named.

    Raises:
        UsageError: there is none of that code.
    """
    if code is not None:
        return creditor_codes(engine, code)
    with engine.database.reading() as session:
        packed = select(CreditorPack.creditor_id).where(col(CreditorPack.replaced_at).is_(None))
        return list(
            session.exec(select(Creditor.code).where(col(Creditor.id).in_(packed)).order_by(col(Creditor.code)))
        )


def last_run(engine: "Engine", code: str | None) -> date:
    """The last business date that a run is stored of; of the creditor named, or of any.

    Raises:
        UsageError: there is none.
    """
    query = select(Tick).order_by(col(Tick.id).desc()).limit(1)
    with engine.database.reading() as session:
        if code is not None:
            query = query.where(Tick.creditor_id == creditor_by_code(session, code).id)
        last = session.exec(query).first()
    if last is None:
        raise UsageError("No day was run yet.", advice="`maatpak run` runs one.")
    return last.business_date


def creditors_with_runs(engine: "Engine", code: str | None, as_of: date) -> list[str]:
    """Codes of the creditors that a run of that day is stored of; the one named, whether there is or not.

    Raises:
        UsageError: there is no run of that day, or no creditor of that code.
    """
    if code is not None:
        return creditor_codes(engine, code)
    with engine.database.reading() as session:
        ran = select(Tick.creditor_id).where(Tick.business_date == as_of)
        codes = list(session.exec(select(Creditor.code).where(col(Creditor.id).in_(ran)).order_by(col(Creditor.code))))
    if not codes:
        raise UsageError(
            f"No run of {as_of} is there.", advice="`maatpak creditor list` shows the last business dates."
        )
    return codes


def require_run(engine: "Engine", code: str, as_of: date) -> None:
    """Refuse a day of a creditor of which no run is stored.

    Raises:
        UsageError: it is one, or there is no creditor of that code.
    """
    with engine.database.reading() as session:
        creditor = creditor_by_code(session, code)
        ran = select(Tick.id).where(Tick.creditor_id == creditor.id, Tick.business_date == as_of).limit(1)
        if session.exec(ran).first() is None:
            raise UsageError(f"No run of {code} on {as_of} is there.", advice="Choose a day on which one decided.")


def _debtor(session: Session, debtor_no: str, code: str | None) -> tuple[Creditor, Debtor]:
    query = select(Creditor, Debtor).join(Debtor, col(Debtor.creditor_id) == Creditor.id)
    query = query.where(Debtor.debtor_no == debtor_no)
    if code is not None:
        creditor_by_code(session, code)
        query = query.where(Creditor.code == code)
    found = list(session.exec(query.order_by(col(Creditor.code))))
    if len(found) == 1:
        return found[0]
    if not found:
        of = f" of {code}" if code else ""
        raise UsageError(f"There is no debtor {debtor_no!r}{of}.", advice=NO_DEBTOR)
    codes = ", ".join(creditor.code for creditor, _ in found)
    raise UsageError(f"Debtor {debtor_no!r} is known to {codes}.", advice="Say whose with --creditor.")


def _of_case(session: Session, case_id: int) -> Found:
    case = session.get_one(Case, case_id)
    return _of_debtor(session, case.debtor_id, case_id)


def _of_debtor(session: Session, debtor_id: int, case_id: int | None, kind: str = "") -> Found:
    debtor = session.get_one(Debtor, debtor_id)
    creditor = session.get_one(Creditor, debtor.creditor_id)
    case = session.get_one(Case, case_id) if case_id is not None else None
    currency = case.currency if case else creditor.currency
    return Found(_id(creditor), creditor.code, debtor_id, debtor.debtor_no, case_id, currency, kind)


def _id(row: Creditor | Debtor) -> int:
    assert row.id is not None
    return row.id
