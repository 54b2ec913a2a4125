"""What came of a call: its result with all that was said, checked and recorded together; whose it is, and no call."""

from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from maatpak.console.frame.asking import Acting, Asking
from maatpak.console.frame.declared import Act, Choice, Done
from maatpak.console.frame.drawing import day
from maatpak.console.frame.fields import Amount, Line, NoFields, Reason, Words, as_words, minor_of
from maatpak.console.rooms.calls.sheets import ONE, PATH
from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import CallResult, NonPaymentReason, Role, WorkState
from tasks.call_hours import Side
from tasks.call_list import RESERVED_FOR, take_next_call
from tasks.calls import Call, day_part, record_call
from tasks.finding import find_work
from tasks.rights import MANAGERS, TALKERS
from tasks.work import MAY_DO, WAIVED, Outcome, finish_work, take_work

DOCUMENTS = """
SELECT v.document_no FROM work_task t JOIN "case" k ON k.id = t.case_id
JOIN item_version v ON v.debtor_id = k.debtor_id AND v.currency = k.currency AND v.replaced_at IS NULL
WHERE t.id = :task AND v.open_amount > 0 AND v.item_type IN ('invoice', 'debit_note')
ORDER BY v.due_on, v.document_no LIMIT 50
"""


class Result(BaseModel):
    """What came of one attempt. Amounts are in the currency of the case."""

    code: CallResult = Field(title="Result")
    promised_on: date | None = Field(None, title="Promised for", description="Of a promise: by when the money comes.")
    promised_amount: Amount | None = Field(None, title="Promised amount", description="Empty: all that is due.")
    documents: list[Line] | None = Field(
        None, title="What is promised", max_length=200, description="None: whatever is due."
    )
    callback_on: date | None = Field(None, title="Call back on", description="Of a callback: the day that was agreed.")
    reason: NonPaymentReason | None = Field(None, title="Why they do not pay", description="As they told it.")
    objected: list[Line] | None = Field(
        None, title="What the reason is about", max_length=200, description="None: what is promised, else what is due."
    )
    disputed: Amount | None = Field(
        None,
        title="Amount objected to",
        description="Of one document; empty: all of it. Only with an objection.",
    )
    note: Words | None = Field(None, title="Note", description="In your own words; a refusal needs it.")
    at: time | None = Field(None, title="Made at", description="As HH:MM where the creditor is; empty: just now.")
    side: Side = Field(
        Side.OURS,
        title="Whose wish",
        description="Inbound: they rang us; asked: they asked for this hour.",
    )


class Waiver(BaseModel):
    """Why a round goes on without a call."""

    note: Reason


def _record(acting: Acting, form: Result, task_id: int) -> Done:
    if form.code is not CallResult.PROMISED and (form.promised_on or form.promised_amount or form.documents):
        raise UsageError(f"{as_words(form.code)} promises nothing.", advice="Choose `promised`, or leave it out.")
    if form.code is not CallResult.CALLBACK_AGREED and form.callback_on:
        raise UsageError(f"{as_words(form.code)} agrees no callback.", advice="Choose `callback_agreed`.")
    currency = find_work(acting.engine, task_id).currency
    with acting.desk("task_id", task_id) as desk:
        made_at = form.at or desk.now.astimezone(ZoneInfo(desk.creditor.time_zone)).time()
        call = Call(
            form.code,
            day_part(made_at),
            callback_on=form.callback_on,
            promised_on=form.promised_on,
            promised_amount=minor_of(form.promised_amount, currency),
            documents=list(form.documents) if form.documents else None,
            reason=form.reason,
            objected=list(form.objected) if form.objected else None,
            disputed=minor_of(form.disputed, currency),
            note=form.note,
            at=form.at,
            side=form.side,
        )
        task = record_call(desk, task_id, call)
        told = f"Recorded: {as_words(form.code).lower()}. {_follows(call, task.state, task.due_on)}"
        data = {"task_id": task_id, "state": task.state, "due_on": task.due_on.isoformat(), "outcome": task.outcome}
    return Done(told, f"{PATH}/{task_id}", data)


def _follows(call: Call, state: str, due_on: date) -> str:
    """What follows for the call itself, in a sentence."""
    if state == WorkState.OPEN:
        return f"It stays open; the next try is on {day(due_on)}."
    if call.callback_on is not None:
        return f"It is done; you call back on {day(call.callback_on)}."
    if call.promised_on is not None:
        return f"It is done; the money is awaited by {day(call.promised_on)}."
    return "It is done."


def _take(acting: Acting, form: NoFields, task_id: int) -> Done:
    del form
    with acting.desk("task_id", task_id) as desk:
        take_work(desk, task_id)
    return Done("It is yours; others see so.", f"{PATH}/{task_id}", {"task_id": task_id})


def _waive(acting: Acting, form: Waiver, task_id: int) -> Done:
    with acting.desk("task_id", task_id) as desk:
        finish_work(desk, task_id, Outcome(WAIVED, form.note))
    return Done("This round goes on without the call.", f"{PATH}/{task_id}", {"task_id": task_id, "outcome": WAIVED})


def _next(acting: Acting, form: NoFields, task_id: int | None = None) -> Done:
    del form
    found = take_next_call(acting.engine, acting.visitor.creditor_ids, acting.visitor.login, acting.now, task_id)
    if found is None:
        return Done("Nobody else may be rung now.", PATH)
    minutes = RESERVED_FOR // timedelta(minutes=1)
    return Done(f"Nobody else is given this call for {minutes} minutes.", f"{PATH}/{found}", {"task_id": found})


def _choices(asking: Asking, task_id: int) -> dict[str, list[Choice]]:
    found = [Choice(row["document_no"], row["document_no"]) for row in asking.rows(DOCUMENTS, task=task_id)]
    return {"documents": found, "objected": found}


NEXT, AFTER = (
    Act(path, "Next call", f"{which}; for some minutes nobody else is given it.", NoFields, _next, TALKERS)
    for path, which in ((PATH + "/next", "The first of the list"), (ONE + "/next", "The one after this on the list"))
)
ACTS = (
    NEXT,
    AFTER,
    Act(
        ONE + "/result",
        "Record the result",
        "The next step follows from it; what was promised, agreed or objected to is recorded with it.",
        Result,
        _record,
        TALKERS,
        choices=_choices,
    ),
    Act(
        ONE + "/take",
        "I take it",
        "It is yours by name, so that nobody else rings them meanwhile.",
        NoFields,
        _take,
        MAY_DO[Role.COLLECTOR],
    ),
    Act(
        ONE + "/waive",
        "Go on without it",
        "The journey goes on as if the call had been made; the reason is kept.",
        Waiver,
        _waive,
        MANAGERS,
    ),
)
