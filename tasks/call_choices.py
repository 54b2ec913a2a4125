"""The results that a call may have, and what follows from each, in words: as the pack says and `tasks.calls` does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from maatpak.kernel.words import (
    ATTEMPT_ONLY_RESULTS,
    TRIED_DAY_PARTS,
    TRIED_DAYS,
    CallResult,
    Role,
    StepKind,
    WorkKind,
)
from policies.schema import CallResultLine

Try = tuple[str, date]
"""Result and day of an attempt made before."""


@dataclass(frozen=True)
class ResultChoice:
    """A result that the call may have, and what follows."""

    code: CallResult
    about: str
    """What the pack says of it."""
    follows: tuple[str, ...]
    """What is done at once, each in a sentence."""
    needs: tuple[str, ...]
    """What has to be said with it: `promised_on`, `callback_on`, `note`."""


NEEDS: dict[CallResult, tuple[str, ...]] = {
    CallResult.CALLBACK_AGREED: ("callback_on",),
    CallResult.PROMISED: ("promised_on",),
    CallResult.REFUSES: ("note",),
}
"""What `tasks.calls` refuses a result without."""

STAYS = frozenset({*ATTEMPT_ONLY_RESULTS, CallResult.THIRD_PARTY})
FAILS = frozenset({CallResult.WRONG_NUMBER, CallResult.LEFT_COMPANY})
WHOSE = {Role.ACCOUNT_MANAGER: "the account manager", Role.CREDIT_MANAGER: "the credit manager"}


def choices(lines: Mapping[CallResult, CallResultLine], tries: Sequence[Try], today: date) -> tuple[ResultChoice, ...]:
    """All results, by the lines of the pack and the attempts that were made for this call before today's."""
    return tuple(
        ResultChoice(code, lines[code].about, tuple(_follows(code, lines[code], tries, today)), NEEDS.get(code, ()))
        for code in CallResult
    )


def _follows(code: CallResult, line: CallResultLine, tries: Sequence[Try], today: date) -> list[str]:
    follows = []
    if code in ATTEMPT_ONLY_RESULTS:
        days = len({today, *(day for result, day in tries if result in ATTEMPT_ONLY_RESULTS)})
        rest = f"day {days} of {TRIED_DAYS} that make a tried call, at {TRIED_DAY_PARTS} times of day"
        follows.append(f"It comes again on the next working day; this is {rest}.")
    elif code in STAYS:
        follows.append("The call comes again on the next working day.")
    elif code in FAILS:
        follows.append("The step fails until the number is mended or the journey goes another way.")
    else:
        follows.append("The call is done.")
    if code is CallResult.CALLBACK_AGREED:
        follows.append("A call of its own comes to you on the agreed day.")
    if code is CallResult.PROMISED:
        follows.append("A promise is recorded; what it covers is not asked for while it is open.")
    if line.states is not None:
        follows.append(f"The reason is recorded as {line.states.replace('_', ' ')}, unless you give another.")
    if line.next is StepKind.PLAN_OFFER:
        follows.append("An offer of a plan follows.")
    if line.hold is not None:
        why = line.hold.reason.replace("_", " ")
        follows.append(f"No contact for {counted(line.hold.for_, 'working day')} ({why}).")
    if line.work is not None:
        kind = "A reply" if line.work.kind is WorkKind.REPLY else f"A {line.work.kind}"
        whose = WHOSE.get(line.work.role, f"a {line.work.role.replace('_', ' ')}")
        within = counted(line.work.within, "working day")
        follows.append(f"{kind} by {whose} within {within}: {line.work.about}")
    if line.phone is not None:
        follows.append(f"The number is marked {line.phone.replace('_', ' ')}.")
    return follows


def counted(number: int, noun: str) -> str:
    """`1 day`, `3 days`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
