"""Acts on what stops contact or changes the course: holds, tickets, journeys, skipped steps, recalls; and notes."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from maatpak.console.frame.asking import Acting, Asking
from maatpak.console.frame.declared import Act, Choice, Done
from maatpak.console.frame.drawing import day
from maatpak.console.frame.fields import Line, NoFields, Reason, Words, as_words, named
from maatpak.console.rooms.customers.offered import documents_of, segments_of, steps_of
from maatpak.kernel.words import HoldReason, LegalStop, Role, Stage
from tasks.case_move import move_case, skip_step
from tasks.holds import HOLD_RULES, lift_hold, set_hold
from tasks.merging import ask_merge
from tasks.notes import LONGEST, write_note
from tasks.placements import CAUSES, recall_placement
from tasks.rights import COLLECTORS, DESK, HEARD
from tasks.tickets import close_ticket, open_ticket

CASE = "/cases/{case_id}"
DEBTOR = "/debtors/{debtor_id}"
MOVERS = (*COLLECTORS, Role.FINANCE_DIRECTOR)


class Hold(BaseModel):
    """A hold."""

    reason: HoldReason
    until: date = Field(description="Then a review wakes, never a letter by itself.")
    note: Reason
    scope: Literal["case", "debtor", "party", "item"] = Field(
        "case", title="Of", description="The case, the account in all currencies, the person everywhere, or one item."
    )
    document: Line | None = Field(None, title="Document", description="Of a hold on one item: which.")
    legal_stop: LegalStop | None = Field(None, title="Legal stop", description="Where the law stops contact: why.")


class Lift(BaseModel):
    """The end of a hold."""

    note: Reason


class Ticket(BaseModel):
    """A complaint, a query, or an order that was not delivered."""

    kind: Literal["complaint", "undelivered_order", "query"]
    ticket_no: Line | None = Field(None, title="Number", description="Of your ticket system; empty: we give one.")


class Move(BaseModel):
    """Another journey."""

    segment: Line = Field(title="Journey of segment", min_length=1)
    stage: Stage | None = Field(None, description="Where it comes in; empty: as far as it had come.")
    reason: Reason


class Skip(BaseModel):
    """A step less."""

    step: Line = Field(min_length=1)
    reason: Reason


class Recall(BaseModel):
    """Why a case comes back from the agency."""

    cause: Literal["paid", "disputed", "error", "insolvency", "account_manager"]


class Merge(BaseModel):
    """Another account of the same customer."""

    other_no: Line = Field(title="Number of the other account", min_length=1)
    reason: Reason


class Note(BaseModel):
    """What the next person should know."""

    body: Words = Field(title="Note", min_length=1, max_length=LONGEST)


def _hold(acting: Acting, form: Hold, case_id: int) -> Done:
    with acting.desk("case_id", case_id) as desk:
        case = desk.case(case_id)
        item = desk.items_named(case, [form.document])[0].item_id if form.document else None
        source = str(form.legal_stop) if form.legal_stop else "person"
        made = set_hold(desk, case, form.reason, form.until, form.note, scope=form.scope, item_id=item, source=source)
        return Done(f"Hold {made.hold_no}: contact rests until {day(made.until_on)}.", None, {"hold_no": made.hold_no})


def _lift(acting: Acting, form: Lift, hold_no: str) -> Done:
    with acting.desk("hold_no", hold_no) as desk:
        lifted = lift_hold(desk, hold_no, form.note)
    return Done(f"Hold {hold_no} is lifted." if lifted else "A second person is asked to confirm that it is lifted.")


def _ticket(acting: Acting, form: Ticket, debtor_id: int) -> Done:
    with acting.desk("debtor_id", debtor_id) as desk:
        made = open_ticket(desk, desk.debtor(debtor_id), form.kind, ticket_no=form.ticket_no)
        return Done(f"Ticket {made.ticket_no}: notices rest.", None, {"ticket_no": made.ticket_no})


def _close(acting: Acting, form: NoFields, debtor_id: int, ticket_no: str) -> Done:
    del form
    with acting.desk("debtor_id", debtor_id) as desk:
        close_ticket(desk, desk.debtor(debtor_id), ticket_no)
    return Done(f"Ticket {ticket_no} is closed.")


def _move(acting: Acting, form: Move, case_id: int) -> Done:
    with acting.desk("case_id", case_id) as desk:
        course = move_case(desk, desk.case(case_id), form.segment, form.reason, stage=form.stage)
        if course is None:
            return Done("A finance director is asked to confirm that the key account is moved.")
        return Done(f"It follows {as_words(course.segment).lower()} from the stage {course.entry_stage} on.")


def _skip(acting: Acting, form: Skip, case_id: int) -> Done:
    with acting.desk("case_id", case_id) as desk:
        skip_step(desk, desk.case(case_id), form.step, form.reason)
    return Done(f"{as_words(form.step)} is passed over; the next run goes on after it.")


def _recall(acting: Acting, form: Recall, placement_no: str) -> Done:
    with acting.desk("placement_no", placement_no) as desk:
        recall_placement(desk, placement_no, form.cause)
    return Done(f"Placement {placement_no} is recalled; tell the agency.")


def _note(acting: Acting, form: Note, case_id: int) -> Done:
    with acting.desk("case_id", case_id) as desk:
        write_note(desk, desk.case(case_id), form.body)
    return Done("Noted.")


def _merge(acting: Acting, form: Merge, case_id: int) -> Done:
    with acting.desk("case_id", case_id) as desk:
        ask_merge(desk, desk.case(case_id), form.other_no, form.reason)
    return Done("A second person is asked to confirm that they are one customer.")


def _holds(asking: Asking, case_id: int) -> dict[str, Sequence[Choice]]:
    sets = [each for each, rule in HOLD_RULES.items() if asking.visitor.role in rule.sets]
    stops = [each for each in LegalStop if each is not LegalStop.NONE]
    return {
        "reason": [
            Choice(str(each), f"{as_words(each)} (at most {HOLD_RULES[each].longest} working days)") for each in sets
        ],
        "legal_stop": named(stops),
        "document": documents_of(asking, case_id),
    }


def _segments(asking: Asking, case_id: int) -> dict[str, Sequence[Choice]]:
    return {"segment": segments_of(asking, case_id)}


def _steps(asking: Asking, case_id: int) -> dict[str, Sequence[Choice]]:
    return {"step": steps_of(asking, case_id)}


STOPPING = (
    Act(CASE + "/hold", "Hold", "Contact rests until a date, for a reason; each reason has its longest time.",
        Hold, _hold, DESK, choices=_holds),
    Act("/holds/{hold_no}/lift", "Lift", "Contact may go on. A legal stop takes a second person.", Lift, _lift, DESK),
    Act(CASE + "/note", "Note", "For the next person; the engine neither reads nor obeys it.", Note, _note, DESK),
    Act(CASE + "/move", "Move to another journey",
        "What was proposed and not begun is taken back. You approve nothing of what follows in this round.",
        Move, _move, MOVERS, choices=_segments, grave=True),
    Act(CASE + "/skip", "Skip a step", "It counts as done for what follows. From the stage solve on a manager's act.",
        Skip, _skip, MOVERS, choices=_steps, grave=True),
    Act(CASE + "/merge", "Same customer as", "Two accounts become one customer once a second person confirms it.",
        Merge, _merge, DESK, grave=True),
    Act("/placements/{placement_no}/recall", "Recall", "Its items are ours to speak about again; tell the agency.",
        Recall, _recall, HEARD, grave=True),
    Act(DEBTOR + "/ticket", "Ticket", "A complaint or an undelivered order stops notices until it is closed.",
        Ticket, _ticket, DESK),
    Act(DEBTOR + "/tickets/{ticket_no}/close", "Close", "The matter is dealt with; notices may go on.", NoFields,
        _close, DESK),
)  # fmt: skip
assert set(CAUSES) == set(Recall.model_fields["cause"].annotation.__args__)  # type: ignore[union-attr]
