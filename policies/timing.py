"""When a step falls due, as a pack says it: `due - 3 working days`, `6 working days`, `month on working day 3`.

These are the words only; `policies.workdays` reckons with them over whole frames.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema


class Anchor(StrEnum):
    """What a date can be counted from."""

    DUE = "due"
    """D: of the driver inside a round, of the next item to fall due outside."""
    UNRECEIVED = "unreceived"
    """D of the next invoice to fall due of whose receipt there is no proof (rule 29)."""
    FIRST_INVOICE = "first_invoice"
    PAY_RUN = "pay_run"


class Rhythm(StrEnum):
    """How a recurring step recurs."""

    MONTH = "month"
    """Each month, on the customer's statement day if there is one, else on the given working day."""
    PAY_RUN = "pay_run"
    """Before the customer's next pay run, at most once a month."""
    YEAR = "year"
    """Each year, on the anniversary of the first invoice."""


@dataclass(frozen=True)
class Moment:
    """A date counted in working days from an anchor: `due + 4 working days`."""

    anchor: Anchor
    shift: int = 0
    also: "Moment | None" = None
    """Not before this either: so long after the pay run in which the driver could have been paid, if there is one."""

    def __str__(self) -> str:
        sign = "+" if self.shift > 0 else "-"
        text = f"{self.anchor} {sign} {_spelled(abs(self.shift))}" if self.shift else str(self.anchor)
        return f"{text}, and {self.also}" if self.also else text


@dataclass(frozen=True)
class Recurrence:
    """A date that comes back: `month on working day 3`, `pay_run - 4 working days`, `year`."""

    rhythm: Rhythm
    number: int = 0
    """The working day of the month, or how many working days before the pay run."""
    otherwise: "Recurrence | None" = None
    """What holds for a customer without a pay run that we know of."""

    def __str__(self) -> str:
        match self.rhythm:
            case Rhythm.MONTH:
                text = f"month on working day {self.number}"
            case Rhythm.PAY_RUN:
                text = f"pay_run - {_spelled(self.number)}"
            case Rhythm.YEAR:
                text = "year"
        return f"{text}, else {self.otherwise}" if self.otherwise else text


def _spelled(count: int) -> str:
    return f"{count} working {'day' if count == 1 else 'days'}"


_DAYS = r"(?P<days>[0-9]{1,3}) working days?"
_DURATION = re.compile(rf"^{_DAYS}$")
_MOMENT = re.compile(rf"^(?P<anchor>{'|'.join(Anchor)})(?: (?P<sign>[+-]) {_DAYS})?$")
_MISSED_RUN = re.compile(rf"^pay_run \+ {_DAYS}$")
_MONTH = re.compile(r"^month on working day (?P<number>[1-9]|1[0-9]|20)$")
_PAY_RUN = re.compile(rf"^pay_run - {_DAYS}(?:, else (?P<otherwise>month on .+))?$")


def parse_working_days(value: object) -> int:
    """`6 working days` as 6."""
    found = _DURATION.match(value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f"{value!r} is no duration; write it as '5 working days'")
    return int(found["days"])


def parse_moment(value: object) -> Moment:
    """`due - 3 working days` as a moment; of `due + 2 working days, and pay_run + 1 working day` the later counts."""
    if isinstance(value, Moment):
        return value
    first, comma, second = value.partition(", and ") if isinstance(value, str) else ("", "", "")
    found, also = _MOMENT.match(first), _MISSED_RUN.match(second)
    if not found or (comma and not also):
        anchors = ", ".join(Anchor)
        raise ValueError(
            f"{value!r} is no moment; write 'due - 3 working days' (anchors: {anchors})"
            " or 'due + 2 working days, and pay_run + 1 working day'"
        )
    shift = int(found["days"] or 0)
    missed = Moment(Anchor.PAY_RUN, int(also["days"])) if also else None
    return Moment(Anchor(found["anchor"]), -shift if found["sign"] == "-" else shift, missed)


def parse_limit(value: object) -> Moment | int:
    """`until:` is a moment, or working days after the step fell due."""
    try:
        return parse_working_days(value)
    except ValueError:
        pass
    try:
        moment = parse_moment(value)
    except ValueError:
        moment = None
    if moment is None or moment.also is not None:
        raise ValueError(f"{value!r} is no limit; write 'due', 'due + 10 working days' or '10 working days'")
    return moment


def parse_recurrence(value: object) -> Recurrence:
    """`month on working day 3`, `pay_run - 4 working days[, else month …]` or `year`."""
    if isinstance(value, Recurrence):
        return value
    text = value if isinstance(value, str) else ""
    if text == "year":
        return Recurrence(Rhythm.YEAR)
    if found := _MONTH.match(text):
        return Recurrence(Rhythm.MONTH, int(found["number"]))
    if found := _PAY_RUN.match(text):
        otherwise = parse_recurrence(found["otherwise"]) if found["otherwise"] else None
        return Recurrence(Rhythm.PAY_RUN, int(found["days"]), otherwise)
    raise ValueError(
        f"{value!r} is no recurrence; write 'month on working day 3', 'pay_run - 4 working days',"
        " 'pay_run - 4 working days, else month on working day 3' or 'year'"
    )


WorkingDays = Annotated[
    int,
    BeforeValidator(parse_working_days),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,3} working days?$", "examples": ["5 working days"]}),
]
When = Annotated[
    Moment,
    BeforeValidator(parse_moment),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": _MOMENT.pattern.replace("?P<anchor>", "").replace("?P<sign>", "").replace("?P<days>", "")[:-1]
            + r"(, and pay_run \+ [0-9]{1,3} working days?)?$",
            "examples": ["due - 3 working days", "due + 2 working days, and pay_run + 1 working day"],
        }
    ),
]
Limit = Annotated[
    Moment | int,
    BeforeValidator(parse_limit),
    WithJsonSchema({"type": "string", "examples": ["due", "10 working days"]}),
]
Every = Annotated[
    Recurrence,
    BeforeValidator(parse_recurrence),
    WithJsonSchema({"type": "string", "examples": ["month on working day 3", "pay_run - 4 working days", "year"]}),
]


def parse_after(value: object) -> dict[str, int | None]:
    """`[call, reminder]`, or `{call: 5 working days}`: each step with its own wait, where it has one."""
    if isinstance(value, dict):
        return {
            str(name): wait if wait is None or isinstance(wait, int) else parse_working_days(wait)
            for name, wait in value.items()
        }
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return dict.fromkeys(value)
    raise ValueError(
        f"{value!r} is neither a list of steps nor steps with their waits; write [call] or {{call: 5 working days}}"
    )


_STEPS = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"}
After = Annotated[
    dict[str, int | None],
    BeforeValidator(parse_after),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "array", "items": _STEPS},
                {
                    "type": "object",
                    "propertyNames": _STEPS,
                    "additionalProperties": {"type": "string", "pattern": r"^[0-9]{1,3} working days?$"},
                },
            ]
        }
    ),
]
