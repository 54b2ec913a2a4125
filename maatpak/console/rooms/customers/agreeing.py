"""Acts on what the customer says of the money: promises, plans, claims of payment, reasons, objections."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from pydantic import BaseModel, Field

from maatpak.console.frame.asking import Acting, Asking
from maatpak.console.frame.declared import Act, Choice, Done
from maatpak.console.frame.drawing import day
from maatpak.console.frame.fields import Amount, Line, NoFields, Reason, Words, as_words, minor_of, named
from maatpak.console.rooms.customers.offered import documents_of, people_of
from maatpak.kernel.errors import UsageError
from maatpak.kernel.money import format_money, parse_amount
from maatpak.kernel.words import DisputeState, NonPaymentReason, Role
from maatpak.ledger.tables import Case
from tasks.claims import claim_payment, resolve_claim
from tasks.disputes import DECIDERS, DECISIONS, DISPUTE_REASONS, decide_dispute, open_dispute
from tasks.finding import find_record
from tasks.plans import Instalment, accept_plan, cancel_plan, decline_plan, offer_plan
from tasks.promises import cancel_promise, make_promise
from tasks.reasons import state_reason
from tasks.rights import COLLECTORS, DESK, MANAGERS, TALKERS

CASE = "/cases/{case_id}"
ALL_OVERDUE = "None chosen: everything overdue."


class Promise(BaseModel):
    """A promise to pay."""

    promised_on: date = Field(title="Paid by", description="The date by which the money is promised.")
    amount: Amount | None = Field(None, description="As 1250.00; empty: all of what is chosen below.")
    documents: list[str] = Field(default_factory=list, title="For", description=ALL_OVERDUE)
    source: Line = Field("call", title="Said by", description="call, answer, visit …", min_length=1)


class Dispute(BaseModel):
    """An objection to an item."""

    document: Line = Field(title="Document", min_length=1)
    reason: NonPaymentReason
    amount: Amount | None = Field(None, description="What of it is disputed, as 1250.00; empty: all of it.")
    owner: Line | None = Field(None, title="Who answers it", description="Empty: the account manager.")


class Decision(BaseModel):
    """Our answer to an objection, or the customer's withdrawal."""

    state: DisputeState = Field(title="Decision")
    note: Reason
    accepted: Amount | None = Field(None, title="Credited", description="Of a part that is accepted: how much.")


class Reasoned(BaseModel):
    """Why the customer does not pay."""

    reason: NonPaymentReason
    documents: list[str] = Field(default_factory=list, title="About", description=ALL_OVERDUE)
    amount: Amount | None = Field(None, description="Of an objection to one document: what of it.")
    pay_run: Line | None = Field(None, title="Pay run", description="Weekday (friday) or days of the month (15,30).")
    source: Line = Field("call", title="Said by", description="call, answer, visit …", min_length=1)


class Claim(BaseModel):
    """The customer says that it is paid."""

    documents: list[str] = Field(default_factory=list, title="Paid are", description=ALL_OVERDUE)
    amount: Amount | None = Field(None, description="Where no document is meant: how much, as 1250.00.")


class Plan(BaseModel):
    """A payment plan."""

    documents: list[str] = Field(default_factory=list, title="Over", description=ALL_OVERDUE)
    instalments: Words | None = Field(
        None,
        description="One a line, as 2026-05-01 500.00. Empty: three equal ones, the first within 10 working days.",
    )
    source: Line = Field("person", title="Asked for by", description="call, answer, visit …", min_length=1)


def _promise(acting: Acting, form: Promise, case_id: int) -> Done:
    with acting.desk("case_id", case_id) as desk:
        case = desk.case(case_id)
        amount = minor_of(form.amount, case.currency)
        documents = form.documents or None
        made = make_promise(desk, case, form.promised_on, amount=amount, documents=documents, source=form.source)
        told = f"Promise {made.promise_no}: {format_money(made.amount, case.currency)} by {day(made.promised_on)}."
        return Done(told, None, {"promise_no": made.promise_no})


def _cancel_promise(acting: Acting, form: NoFields, promise_no: str) -> Done:
    del form
    with acting.desk("promise_no", promise_no) as desk:
        cancel_promise(desk, promise_no)
    return Done(f"Promise {promise_no} is taken back.")


def _dispute(acting: Acting, form: Dispute, case_id: int) -> Done:
    with acting.desk("case_id", case_id) as desk:
        case = desk.case(case_id)
        amount = minor_of(form.amount, case.currency)
        made = open_dispute(
            desk, case, form.document, form.reason, amount=amount, owner=form.owner, source=acting.visitor.role
        )
        told = f"Dispute {made.dispute_no}: {made.owner} answers by {day(made.answer_by)}."
        return Done(told, None, {"dispute_no": made.dispute_no})


def _decide(acting: Acting, form: Decision, dispute_no: str) -> Done:
    currency = find_record(acting.engine, "dispute", dispute_no).currency
    accepted = minor_of(form.accepted, currency)
    with acting.desk("dispute_no", dispute_no) as desk:
        decide_dispute(desk, dispute_no, form.state, form.note, accepted_amount=accepted)
    return Done(f"Dispute {dispute_no}: {as_words(form.state).lower()}.")


def _reason(acting: Acting, form: Reasoned, case_id: int) -> Done:
    with acting.desk("case_id", case_id) as desk:
        case = desk.case(case_id)
        state_reason(
            desk,
            case,
            form.reason,
            documents=form.documents or None,
            amount=minor_of(form.amount, case.currency),
            pay_run=form.pay_run,
            source=form.source,
        )
    return Done(f"Noted: {as_words(form.reason).lower()}. What it starts is on the page.")


def _claim(acting: Acting, form: Claim, case_id: int) -> Done:
    with acting.desk("case_id", case_id) as desk:
        case = desk.case(case_id)
        amount = minor_of(form.amount, case.currency)
        made = claim_payment(desk, case, documents=form.documents or None, amount=amount)
        told = f"Claim {made.claim_no}: cash looks for {format_money(made.amount, case.currency)}."
        return Done(told, None, {"claim_no": made.claim_no})


def _resolve(*, found: bool) -> Any:
    def resolve(acting: Acting, form: NoFields, claim_no: str) -> Done:
        del form
        with acting.desk("claim_no", claim_no) as desk:
            resolve_claim(desk, claim_no, found=found)
        return Done(f"Claim {claim_no}: {'the money is found' if found else 'not found; ask for a proof'}.")

    return resolve


def _plan(acting: Acting, form: Plan, case_id: int) -> Done:
    with acting.desk("case_id", case_id) as desk:
        case = desk.case(case_id)
        parts = _instalments(form.instalments, case)
        made = offer_plan(desk, case, documents=form.documents or None, instalments=parts, source=form.source)
        if made is None:
            return Done("That is above your limit: a credit manager is asked to confirm the plan.")
        told = (
            f"Plan {made.plan_no} is offered: {format_money(made.total, case.currency)} until {day(made.valid_until)}."
        )
        return Done(told, None, {"plan_no": made.plan_no})


def _instalments(told: str | None, case: Case) -> list[Instalment] | None:
    """What is to be paid by when, of lines such as `2026-05-01 500.00`."""
    if not told:
        return None
    found = []
    for line in filter(str.strip, told.splitlines()):
        try:
            on, amount = line.split()
            found.append(Instalment(date.fromisoformat(on), parse_amount(amount, case.currency)))
        except ValueError:
            raise UsageError(f"{line[:60]!r} is no instalment.", advice="Write it as 2026-05-01 500.00.") from None
    return found


def _of_plan(what: Any, told: str) -> Any:
    def do(acting: Acting, form: NoFields, plan_no: str) -> Done:
        del form
        with acting.desk("plan_no", plan_no) as desk:
            what(desk, plan_no)
        return Done(f"Plan {plan_no} {told}.")

    return do


def _documents(asking: Asking, case_id: int) -> dict[str, Sequence[Choice]]:
    return {"documents": documents_of(asking, case_id)}


def _objections(asking: Asking, case_id: int) -> dict[str, Sequence[Choice]]:
    return {
        "document": documents_of(asking, case_id),
        "reason": named(sorted(DISPUTE_REASONS)),
        "owner": people_of(asking, DECIDERS),
    }


def _decisions(asking: Asking, **ids: str) -> dict[str, Sequence[Choice]]:
    del asking, ids
    return {"state": named(sorted(DECISIONS))}


def _reasons(asking: Asking, case_id: int) -> dict[str, Sequence[Choice]]:
    said = [each for each in NonPaymentReason if each is not NonPaymentReason.NONE]
    return {"reason": named(said), "documents": documents_of(asking, case_id)}


AGREEING = (
    Act(CASE + "/promise", "Promise", "Contact rests until the date; a promise before it gives way to this one.",
        Promise, _promise, TALKERS, choices=_documents),
    Act("/promises/{promise_no}/cancel", "Take back", "It was recorded wrongly, or the customer withdrew it.",
        NoFields, _cancel_promise, TALKERS),
    Act(CASE + "/dispute", "Dispute", "Ours to answer within 10 working days; the undisputed rest is asked for.",
        Dispute, _dispute, TALKERS, choices=_objections),
    Act("/disputes/{dispute_no}/decide", "Decide", "A rejection is told to the customer, with its reason.",
        Decision, _decide, DECIDERS, choices=_decisions),
    Act(CASE + "/reason", "Reason for not paying", "The pack says what it starts: a hold, a dispute, work of ours.",
        Reasoned, _reason, TALKERS, choices=_reasons),
    Act(CASE + "/claim", "Says it is paid", "Cash looks for the money for two working days, and nothing is asked.",
        Claim, _claim, DESK, choices=_documents),
    Act("/claims/{claim_no}/found", "Found", "The money is here and will be booked.", NoFields, _resolve(found=True),
        DESK),
    Act("/claims/{claim_no}/not-found", "Not found", "The customer is kindly asked for a proof.", NoFields,
        _resolve(found=False), DESK),
    Act(CASE + "/plan", "Offer a plan", "Above your limit a credit manager confirms it first.",
        Plan, _plan, (*COLLECTORS, Role.FINANCE_DIRECTOR), choices=_documents),
    Act("/plans/{plan_no}/accept", "Accepted", "The customer said yes: it runs from today.", NoFields,
        _of_plan(accept_plan, "runs from today"), TALKERS),
    Act("/plans/{plan_no}/decline", "Declined", "The customer said no.", NoFields,
        _of_plan(decline_plan, "is declined"), TALKERS),
    Act("/plans/{plan_no}/cancel", "Cancel", "What is open of its items is asked for again.", NoFields,
        _of_plan(cancel_plan, "is cancelled"), MANAGERS, grave=True),
)  # fmt: skip
