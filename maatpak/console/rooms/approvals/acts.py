"""The words that people give on proposed steps: yes, no, not yet, a question first; and yes to a reviewed batch."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from maatpak.console.frame.about import about
from maatpak.console.frame.asking import Acting, Asking
from maatpak.console.frame.declared import Act, Choice, Done
from maatpak.console.frame.drawing import day
from maatpak.console.frame.fields import Reason, as_words, named
from maatpak.console.rooms.approvals.listings import ONE, PATH
from maatpak.console.rooms.approvals.sheets import MOST_CHOSEN, next_ids
from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import ActionState
from maatpak.ledger.tables import Action
from tasks.approvals import LONGEST_QUESTION, approve, ask_account_manager, postpone, reject
from tasks.four_eyes import APPROVERS, objections

Shown = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-f]{64}$",
        title="What was shown",
        description="`content_hash` of what you saw: the yes is to that, and to nothing else.",
        json_schema_extra={"kind": "hidden"},
    ),
]
AllShown = Annotated[
    str,
    Field(
        pattern=r"^\d{1,18}:[0-9a-f]{64}( \d{1,18}:[0-9a-f]{64})*$",
        max_length=MOST_CHOSEN * 84,
        title="What was shown",
        description="`action:content_hash` of each, with spaces between, as the batch's page says.",
        json_schema_extra={"kind": "hidden"},
    ),
]
LOOKED_ON = 20
"""How many that come next are looked at for one that the visitor may decide."""


class Yes(BaseModel):
    """A yes to what was shown."""

    reason: Reason
    shown: Shown


class No(BaseModel):
    """A no, with what comes instead."""

    reason: Reason
    next_step: str = Field(title="What comes next", max_length=100, description="A step of the customer's journey.")
    next_on: date = Field(title="Not before")


class NotYet(BaseModel):
    """A later look at the same step."""

    reason: Reason
    until: date = Field(title="Until", description="From this day it comes up again, written afresh.")


class Question(BaseModel):
    """What the account manager should tell first."""

    question: Annotated[
        str, Field(min_length=1, max_length=LONGEST_QUESTION, title="Question", json_schema_extra={"kind": "words"})
    ]


class YesToAll(BaseModel):
    """A yes to everything in a reviewed batch."""

    reason: Reason
    shown: AllShown


def _approve(acting: Acting, form: Yes, action_id: int) -> Done:
    with acting.desk("action_id", action_id) as desk:
        (action,) = approve(desk, [action_id], form.reason, shown={action_id: form.shown})
        told = (
            f"{as_words(action.step).lower()} is approved; it goes on by itself."
            if action.state == ActionState.APPROVED
            else f"{as_words(action.step).lower()} has your yes, and waits for another person's."
        )
        return _done(acting, action, told)


def _reject(acting: Acting, form: No, action_id: int) -> Done:
    with acting.desk("action_id", action_id) as desk:
        action = reject(desk, action_id, form.reason, form.next_step, form.next_on)
        follows = f"{as_words(form.next_step).lower()} may come from {day(form.next_on)}"
        return _done(acting, action, f"{as_words(action.step).lower()} is rejected, {follows}.")


def _postpone(acting: Acting, form: NotYet, action_id: int) -> Done:
    with acting.desk("action_id", action_id) as desk:
        action = postpone(desk, action_id, form.reason, form.until)
        return _done(acting, action, f"{as_words(action.step).lower()} comes up again from {day(form.until)}.")


def _ask(acting: Acting, form: Question, action_id: int) -> Done:
    with acting.desk("action_id", action_id) as desk:
        task = ask_account_manager(desk, action_id, form.question)
        action = desk.session.get_one(Action, action_id)
        done = _done(acting, action, f"{task.assignee} is asked; until there is an answer nobody can say yes.")
        return Done(done.told, done.go, {**done.data, "task_id": task.id})


def _done(acting: Acting, action: Action, told: str) -> Done:
    """What came of it and for whom, since the page that says so is of the next that waits for the visitor."""
    action_id = int(action.id or 0)
    with acting.engine.database.reading() as session:
        asking = Asking(acting.engine, acting.visitor, session, acting.now)
        whom, go = about(asking, {"action_id": action_id}), _next(asking, action_id, action.amount)
    data = {"action_id": action.id, "state": str(action.state)}
    return Done(f"{whom.words}: {told}" if whom else told, go, data)


def _next(asking: Asking, action_id: int, amount: int) -> str:
    days = {each.id: each.business_date for each in asking.visitor.creditors}
    for each in next_ids(asking, amount, action_id, LOOKED_ON):
        as_of = days[asking.session.get_one(Action, each).creditor_id]
        if as_of is not None and not objections(asking.session, asking.visitor, [each], as_of):
            return ONE.format(action_id=each)
    return PATH


def _approve_all(acting: Acting, form: YesToAll) -> Done:
    pairs = (each.split(":") for each in form.shown.split())
    shown = {int(action_id): content for action_id, content in pairs}
    if len(shown) > MOST_CHOSEN:
        raise UsageError(f"{len(shown)} actions are too many at once.", advice=f"Choose up to {MOST_CHOSEN}.")
    with acting.desk("action_id", min(shown)) as desk:
        actions = approve(desk, list(shown), form.reason, shown=shown)
        waiting = sum(action.state == ActionState.AWAITING_APPROVAL for action in actions)
    told = "1 step has your yes." if len(actions) == 1 else f"{len(actions)} have your yes."
    more = f" {waiting} of them wait for another person's yes." if waiting else ""
    return Done(f"{told}{more}", PATH, {"action_ids": sorted(shown), "waiting": waiting})


def _steps(asking: Asking, action_id: int) -> dict[str, list[Choice]]:
    asking.creditor_of("action_id", action_id)
    action = asking.session.get_one(Action, action_id)
    journey = asking.engine.pack(action.pack_id).journeys[action.segment]
    return {"next_step": named(step.name for step in journey.course)}


ACTS = (
    Act(
        ONE + "/approve",
        "Approve",
        "Your yes to exactly what was shown. With all its yeses the step goes on by itself.",
        Yes,
        _approve,
        APPROVERS,
    ),
    Act(
        ONE + "/reject",
        "Reject",
        "A no says which step comes next, and from when; until then this one does not return.",
        No,
        _reject,
        APPROVERS,
        choices=_steps,
    ),
    Act(
        ONE + "/postpone",
        "Postpone",
        "Not yet: the same step comes up again from a day on, with what is known then.",
        NotYet,
        _postpone,
        APPROVERS,
    ),
    Act(
        ONE + "/ask",
        "Ask the account manager",
        "They agree, talk with the customer first, or say no and why. Until then nobody can say yes.",
        Question,
        _ask,
        APPROVERS,
    ),
    Act(
        PATH + "/batch/approve",
        "Approve the batch",
        "One yes, with one reason, to each step of the batch; all of them, or if one is refused, none.",
        YesToAll,
        _approve_all,
        APPROVERS,
    ),
)
