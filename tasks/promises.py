"""Promises to pay: who promised how much by when, and within which bounds we take one (rule 16)."""

from datetime import date

from sqlmodel import col, select

from maatpak.kernel.calendars import working_days_between
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.money import format_money
from maatpak.kernel.words import PromiseState, Role
from maatpak.ledger.tables import Case, Promise
from maatpak.ledger.versions import succeed
from tasks.desk import Desk, OpenItem
from tasks.placements import require_ours
from tasks.rights import TALKERS


def make_promise(
    desk: Desk,
    case: Case,
    promised_on: date,
    *,
    amount: int | None = None,
    documents: list[str] | None = None,
    source: str = "debtor",
) -> Promise:
    """Take a promise for named documents or for an amount; an earlier open one is superseded.

    Without an amount it is all that is open of the documents named, or of everything overdue.

    Raises:
        RefusedError: the date lies too far ahead, the round has had its two promises, or an agency speaks about it.
        UsageError: date or amount do not fit what is open.
    """
    desk.require("take a promise to pay", *TALKERS)
    if promised_on < desk.as_of:
        raise UsageError(f"A promise for {promised_on} is already past ({desk.as_of}).", advice="Give a later date.")
    horizon = working_days_between(desk.as_of, promised_on, desk.country(case.debtor_id))
    limits = desk.pack.guardrails.promises
    if horizon > limits.horizon and desk.person.role not in (Role.CREDIT_MANAGER, Role.FINANCE_DIRECTOR):
        raise RefusedError(
            f"{promised_on} is {horizon} working days ahead; a promise reaches {limits.horizon} at most.",
            advice="A credit manager may take it, or offer a payment plan.",
        )
    named = desk.items_named(case, documents)
    meant = named if documents is not None else desk.open_items(case)
    require_ours(desk, case, named if amount is None else meant, "take a promise for it")
    promised, items = _cover(meant, documents, amount, named, case.currency)
    round_id = _room_for_one_more(desk, case)
    for earlier in open_promises(desk, case):
        succeed(desk.session, earlier, desk.as_of, desk.now, state=PromiseState.SUPERSEDED, actor=desk.person.login)
    promise = Promise(
        promise_no=desk.number("promise", "P"),
        case_id=_id(case),
        round_id=round_id,
        amount=promised,
        items=items,
        made_on=desk.as_of,
        promised_on=promised_on,
        source=source,
        actor=desk.person.login,
        valid_from=desk.as_of,
        recorded_at=desk.now,
    )
    desk.session.add(promise)
    desk.session.flush()
    desk.record(
        "promise_made",
        case=case,
        promise=promise.promise_no,
        amount=promised,
        promised_on=promised_on.isoformat(),
    )
    return promise


def cancel_promise(desk: Desk, promise_no: str) -> Promise:
    """Take a promise back: it was recorded wrongly, or the customer withdrew it."""
    desk.require("cancel a promise", *TALKERS)
    promise = desk.session.exec(
        select(Promise).where(
            Promise.promise_no == promise_no, col(Promise.replaced_at).is_(None), Promise.state == PromiseState.OPEN
        )
    ).first()
    if promise is None:
        raise UsageError(f"There is no open promise {promise_no!r}.", advice="`maatpak promise list` shows them.")
    case = desk.case(promise.case_id)
    cancelled = succeed(
        desk.session, promise, desk.as_of, desk.now, state=PromiseState.CANCELLED, actor=desk.person.login
    )
    desk.record("promise_cancelled", case=case, promise=promise_no)
    return cancelled


def open_promises(desk: Desk, case: Case) -> list[Promise]:
    """The case's promises that still run."""
    return list(
        desk.session.exec(
            select(Promise).where(
                Promise.case_id == case.id, Promise.state == PromiseState.OPEN, col(Promise.replaced_at).is_(None)
            )
        )
    )


def _cover(
    open_items: list[OpenItem],
    documents: list[str] | None,
    amount: int | None,
    overdue: list[OpenItem],
    currency: str,
) -> tuple[int, dict[str, int] | None]:
    """(amount, item id → amount): the items named, oldest first, up to the amount; without names just the amount."""
    total = sum(item.open_amount for item in open_items)
    if amount is None:
        amount = total if documents is not None else sum(item.open_amount for item in overdue)
    if amount <= 0 or amount > total:
        raise UsageError(
            f"A promise of {format_money(amount, currency)} does not fit what is open:"
            f" {format_money(total, currency)}.",
            advice="Give an amount above zero and within what is open.",
        )
    if documents is None:
        return amount, None
    covered, rest = {}, amount
    for item in open_items:
        part = min(rest, item.open_amount)
        if part:
            covered[str(item.item_id)] = part
            rest -= part
    return amount, covered


def _room_for_one_more(desk: Desk, case: Case) -> int | None:
    """The open round's id, if it may have another promise."""
    opened = desk.open_round(_id(case))
    if opened is None:
        return None
    made = desk.session.exec(
        select(Promise).where(
            Promise.round_id == opened.id,
            col(Promise.replaced_at).is_(None),
            Promise.state != PromiseState.CANCELLED,
        )
    ).all()
    limit = desk.pack.guardrails.promises.a_round
    if len(made) >= limit:
        raise RefusedError(
            f"Case {case.id} has had {len(made)} promises in this round; {limit} is the most.",
            advice="Offer a payment plan, or let a credit manager decide.",
        )
    return opened.id


def _id(case: Case) -> int:
    assert case.id is not None
    return case.id
