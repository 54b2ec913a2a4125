"""The pages of the room: the list of calls that are due, and the screen of one call."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time

from maatpak.console.frame.asking import Asking
from maatpak.console.frame.problems import missing
from maatpak.kernel.errors import UsageError
from maatpak.kernel.words import ATTEMPT_ONLY_RESULTS, CallResult, NonPaymentReason, Role, WorkState
from tasks.call_choices import ResultChoice
from tasks.call_hours import Side
from tasks.call_list import CallPage, call_list, next_call
from tasks.call_sheet import CallSheet, call_sheet
from tasks.rights import TALKERS

PATH = "/calls"
MINE = f"(t.assignee = :login OR (t.assignee IS NULL AND :role = '{Role.COLLECTOR}'))"
"""Which calls wait for somebody: theirs by name, and for collectors those that are nobody's yet."""
ONE = PATH + "/{task_id}"
A_PAGE = 50
MOST_SKIPPED = 6
"""Digits of how many calls are left out."""

KEYS: Mapping[CallResult, str] = {
    CallResult.NO_ANSWER: "o",
    CallResult.VOICEMAIL: "v",
    CallResult.THIRD_PARTY: "t",
    CallResult.WRONG_NUMBER: "w",
    CallResult.LEFT_COMPANY: "l",
    CallResult.PROMISED: "p",
    CallResult.CALLBACK_AGREED: "b",
    CallResult.PLAN_ASKED: "i",
    CallResult.SPOKE_NO_COMMITMENT: "s",
    CallResult.REFUSES: "r",
    CallResult.COMPLAINT: "c",
    CallResult.DISTRESS: "d",
    CallResult.DO_NOT_CALL: "x",
}
"""Result → the key that presses its button; those up to `LEFT_COMPANY` reached nobody who may be told anything."""
TITLES: Mapping[CallResult, str] = {
    CallResult.THIRD_PARTY: "Somebody else",
    CallResult.PROMISED: "Promises to pay",
    CallResult.CALLBACK_AGREED: "Call back later",
    CallResult.PLAN_ASKED: "Asks for a plan",
    CallResult.SPOKE_NO_COMMITMENT: "Spoke, no date",
    CallResult.DO_NOT_CALL: "Do not call again",
}
AT_ONCE = frozenset({CallResult.NO_ANSWER, CallResult.VOICEMAIL, CallResult.THIRD_PARTY})
"""Results with nothing more to say: their button records them. The others open a small form."""
REACHED = tuple(KEYS)[5:]
WITH_REASON = frozenset(
    {
        CallResult.PROMISED,
        CallResult.CALLBACK_AGREED,
        CallResult.PLAN_ASKED,
        CallResult.SPOKE_NO_COMMITMENT,
        CallResult.REFUSES,
    }
)
"""Results of a talk in which they may have said why they do not pay."""


@dataclass(frozen=True)
class WorkList:
    """The calls that are due."""

    page: CallPage
    whose: str
    """`mine` or `all`."""
    skip: int
    """Rows before this page."""
    next_id: int | None
    """The call to make now."""

    @property
    def next_skip(self) -> int | None:
        """Where the next page begins."""
        after = self.skip + len(self.page.rows)
        return after if after < self.page.total else None


@dataclass(frozen=True)
class CallScreen:
    """One call. What is recorded here is of `side`, at the hour `at`."""

    call: CallSheet
    side: Side
    at: time | None
    """When it was made, where the creditor is; none: just now."""
    may_record: bool
    """Whether its result can be recorded: it is open, and it may be made now, or `side` or `at` say why it may."""
    next_id: int | None
    """The call to make after this one."""

    @property
    def groups(self) -> tuple[tuple[str, tuple[ResultChoice, ...]], ...]:
        """The results in two groups, by whether somebody was reached who may be told what it is about."""
        by_code = {choice.code: choice for choice in self.call.results}
        # One attempt a day; and who rang us was reached.
        tried = self.call.rung_today or self.side is Side.INBOUND
        nobody = [code for code in KEYS if code not in REACHED and not (tried and code in ATTEMPT_ONLY_RESULTS)]
        return (
            ("Nobody reached", tuple(by_code[code] for code in nobody)),
            ("Spoke with them", tuple(by_code[code] for code in REACHED)),
        )

    @property
    def after(self) -> Mapping[CallResult, str]:
        """Result → what follows, beside that the call is done."""
        return {
            each.code: each.follows[0] if each.code in AT_ONCE else " ".join(each.follows[1:]) or each.about
            for each in self.call.results
        }

    @property
    def recorded(self) -> ResultChoice | None:
        """The result by which the call was done."""
        return next((each for each in self.call.results if each.code == self.call.outcome), None)

    @property
    def keys(self) -> Mapping[CallResult, str]:
        """Result → its key."""
        return KEYS

    @property
    def titles(self) -> Mapping[CallResult, str]:
        """Result → what its button says, where that is not the code."""
        return TITLES

    @property
    def at_once(self) -> frozenset[CallResult]:
        """Results that their button records."""
        return AT_ONCE

    @property
    def with_reason(self) -> frozenset[CallResult]:
        """Results whose form asks for the reason."""
        return WITH_REASON

    @property
    def reasons(self) -> list[NonPaymentReason]:
        """Reasons that may be told."""
        return [reason for reason in NonPaymentReason if reason is not NonPaymentReason.NONE]


def whose(asking: Asking) -> str:
    """Whose calls are looked at: a collector's own and nobody's, unless all are asked for."""
    own = "mine" if asking.visitor.role == Role.COLLECTOR else "all"
    wanted = asking.query.get("whose") or own
    if wanted not in ("mine", "all"):
        raise UsageError(f"{wanted!r} says nothing of whose calls are meant.", advice="One of: mine, all.")
    return wanted


def read_list(asking: Asking) -> WorkList:
    """The list at this instant."""
    said = asking.query.get("skip") or "0"
    if not said.isascii() or not said.isdigit() or len(said) > MOST_SKIPPED:
        raise UsageError(f"{said!r} is no number of calls.", advice="Links go on from the first page.")
    skip, of = int(said), whose(asking)
    mine = asking.visitor.login if of == "mine" else None
    page = call_list(asking.engine, asking.session, asking.creditors, asking.now, mine=mine, skip=skip, most=A_PAGE)
    free = (None, asking.visitor.login)
    ready = (row.task_id for row in page.rows if row.may_ring and row.reserved_by in free)
    return WorkList(page, of, skip, next(ready, None) if skip == 0 else None)


def read_call(asking: Asking, task_id: int) -> CallScreen:
    """The screen of a call, open or done."""
    seen = list(asking.visitor.creditor_ids)
    try:
        call = call_sheet(asking.engine, asking.session, seen, task_id, asking.now)
    except UsageError:
        raise missing("call", task_id) from None
    side, at = _side(asking.query.get("side")), _hour(asking.query.get("at"))
    mine = asking.visitor.login if asking.visitor.role in TALKERS else None
    follows = next_call(asking.engine, asking.session, seen, asking.now, mine=mine, after=task_id)
    may = call.state == WorkState.OPEN and (call.may_ring or side is not Side.OURS or at is not None)
    return CallScreen(call, side, at, may, follows)


def _side(said: str | None) -> Side:
    try:
        return Side(said or Side.OURS)
    except ValueError:
        raise UsageError(f"{said!r} is nobody's wish.", advice=f"One of: {', '.join(Side)}.") from None


def _hour(said: str | None) -> time | None:
    try:
        return time.fromisoformat(said) if said else None
    except ValueError:
        raise UsageError(f"{said!r} is no hour.", advice="Write it as 10:30.") from None
