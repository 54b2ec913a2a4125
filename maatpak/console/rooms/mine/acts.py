"""An account manager's word: I talk first, I agree, no, I have seen it; and a rest for a customer to talk with."""

from datetime import date

from pydantic import BaseModel, Field

from maatpak.console.frame.asking import Acting
from maatpak.console.frame.declared import Act, Done
from maatpak.console.frame.drawing import day
from maatpak.console.frame.fields import NoFields, Reason, Words
from maatpak.console.rooms.mine.page import PATH
from maatpak.kernel.words import ConsultAnswer, HoldReason
from tasks.holds import HOLD_RULES, set_hold
from tasks.rights import HEARD
from tasks.work import TALK_DAYS, Outcome, finish_work


class Talk(BaseModel):
    """A talk that comes first."""

    note: Reason
    until: date | None = Field(
        None, title="Until", description=f"The last day of silence; empty: {TALK_DAYS} working days, the longest."
    )


class No(BaseModel):
    """Why not."""

    note: Reason


class Yes(BaseModel):
    """Go on."""

    note: Words | None = Field(None, title="Note", description="What the collector should know.")


def _end(acting: Acting, task_id: int, outcome: Outcome, told: str) -> Done:
    with acting.desk("task_id", task_id) as desk:
        finish_work(desk, task_id, outcome)
    return Done(told, None, {"task_id": task_id, "outcome": outcome.code})


def _stop(acting: Acting, form: Talk, task_id: int) -> Done:
    outcome = Outcome(ConsultAnswer.I_TALK, form.note, form.until)
    return _end(acting, task_id, outcome, "Contact rests while you talk with them; then the question stands again.")


def _agree(acting: Acting, form: Yes, task_id: int) -> Done:
    return _end(acting, task_id, Outcome(ConsultAnswer.AGREE, form.note), "You agree; the journey goes on.")


def _refuse(acting: Acting, form: No, task_id: int) -> Done:
    return _end(acting, task_id, Outcome(ConsultAnswer.NO, form.note), "You said no; the credit manager decides.")


def _saw(acting: Acting, form: NoFields, task_id: int) -> Done:
    del form
    return _end(acting, task_id, Outcome("seen"), "You have seen it; the journey goes on.")


def _rest(acting: Acting, form: Talk, case_id: int) -> Done:
    with acting.desk("case_id", case_id) as desk:
        case = desk.case(case_id)
        until = form.until or desk.in_working_days(case.debtor_id, TALK_DAYS)
        hold = set_hold(desk, case, HoldReason.ACCOUNT_MANAGER_TALKS, until, form.note)
        return Done(f"Contact rests until {day(hold.until_on)}.", None, {"hold_no": hold.hold_no})


ACTS = (
    Act(
        PATH + "/{task_id}/stop",
        "I talk first",
        "Contact rests while you talk with the customer; afterwards the journey asks again.",
        Talk,
        _stop,
        HEARD,
    ),
    Act(
        PATH + "/{task_id}/agree",
        "Agree",
        "The journey goes on; a demand still needs its approval.",
        Yes,
        _agree,
        HEARD,
    ),
    Act(
        PATH + "/{task_id}/no",
        "No, because …",
        "The step is not taken; the credit manager decides what comes instead.",
        No,
        _refuse,
        HEARD,
    ),
    Act(
        PATH + "/{task_id}/seen",
        "Seen",
        "You know of it, and what comes next may come.",
        NoFields,
        _saw,
        HEARD,
    ),
    Act(
        PATH + "/{case_id}/rest",
        "Let contact rest",
        f"You talk with them first: nothing is sent and nobody rings, for {TALK_DAYS} working days at most.",
        Talk,
        _rest,
        HOLD_RULES[HoldReason.ACCOUNT_MANAGER_TALKS].sets,
    ),
)
