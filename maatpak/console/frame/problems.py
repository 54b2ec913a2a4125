"""What went wrong, in one shape: a page for people, `application/problem+json` (RFC 9457) for programs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError

from maatpak.kernel.errors import (
    IncompleteError,
    InputRejectedError,
    MaatpakError,
    OutsideError,
    PolicyError,
    RefusedError,
    UsageError,
    WorkspaceError,
)

PROBLEM_JSON = "application/problem+json"


class MissingError(UsageError):
    """There is no such thing, or the visitor may not know of it."""

    code = "missing"


class ForbiddenError(RefusedError):
    """The visitor's role may not do or see this."""

    code = "forbidden"


class UnknownVisitorError(RefusedError):
    """Nobody is logged in."""

    code = "not_logged_in"


class RepeatedError(RefusedError):
    """The same key came with another request, or before the first one's outcome is known."""

    code = "repeated"


STATUS: dict[type[MaatpakError], int] = {
    UnknownVisitorError: 401,
    ForbiddenError: 403,
    MissingError: 404,
    RepeatedError: 409,
    RefusedError: 409,
    UsageError: 422,
    InputRejectedError: 422,
    IncompleteError: 502,
    OutsideError: 502,
    WorkspaceError: 503,
    MaatpakError: 500,
}
"""Kind of error → HTTP status; the first that fits."""


class FieldProblem(BaseModel):
    """What does not hold of one field."""

    field: str
    message: str


class Problem(BaseModel):
    """What went wrong, and what to do."""

    type: str = Field("about:blank", description="Always about:blank: `code` tells the kind.")
    title: str = Field(description="What the status means.")
    status: int
    code: str = Field(description="Stable word for programs.")
    detail: str = Field(description="What was wrong, which value, where.")
    advice: str = Field("", description="What to do next.")
    errors: list[FieldProblem] = Field(default_factory=list, description="What does not hold, by field.")


TITLES = {
    400: "Not understood",
    401: "Not logged in",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "Refused",
    413: "Too large",
    415: "Not understood",
    422: "Not valid",
    429: "Too often",
    500: "Our fault",
    502: "A service failed",
    503: "Not now",
}


@dataclass(eq=False)
class FormError(Exception):
    """A form that does not hold: what is wrong, by field."""

    errors: Mapping[str, str]
    given: Mapping[str, Any] = field(default_factory=dict)


def missing(name: str, value: Any) -> MissingError:
    """The error for something that is not there."""
    what = name.removesuffix("_id").replace("_", " ")
    return MissingError(
        f"There is no {what} {value}.", advice="It may have been removed, or belongs to another creditor."
    )


def problem_of(error: Exception) -> Problem:
    """The shape of an error."""
    if isinstance(error, FormError):
        told = [FieldProblem(field=name, message=message) for name, message in error.errors.items()]
        return problem(422, "form", "Some fields do not hold.", "Correct them and send it again.", told)
    if isinstance(error, PolicyError):
        parts = [each.partition(": ") for each in error.problems]
        told = [FieldProblem(field=place, message=message or place) for place, _, message in parts]
        return problem(422, error.code, error.message, error.advice, told)
    if isinstance(error, MaatpakError):
        status = next(status for kind, status in STATUS.items() if isinstance(error, kind))
        return problem(status, error.code, error.message, error.advice)
    return problem(500, "error", "Something went wrong on our side.", "It was noted; try again, then tell operations.")


def problem(status: int, code: str, detail: str, advice: str = "", errors: list[FieldProblem] | None = None) -> Problem:
    """A problem with the title of its status."""
    title = TITLES.get(status, "Not possible")
    return Problem(
        type="about:blank", title=title, status=status, code=code, detail=detail, advice=advice, errors=errors or []
    )


def answer(told: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The problem as a program is answered."""
    return JSONResponse(told.model_dump(), told.status, dict(headers or {}), media_type=PROBLEM_JSON)


def form_error(error: ValidationError, given: Mapping[str, Any]) -> FormError:
    """What pydantic has against a form, in words for people."""
    told: dict[str, str] = {}
    for each in error.errors(include_url=False, include_context=True):
        name = str(each["loc"][0]) if each["loc"] else "form"
        told.setdefault(name, _plain(each))
    return FormError(told, given)


WORDS = {
    "missing": "This is needed.",
    "date_from_datetime_parsing": "Write the date as YYYY-MM-DD.",
    "date_parsing": "Write the date as YYYY-MM-DD.",
    "date_type": "Write the date as YYYY-MM-DD.",
    "int_parsing": "Write a whole number.",
    "enum": "Choose one of the list.",
    "literal_error": "Choose one of the list.",
    "string_too_short": "This is needed.",
    "string_pattern_mismatch": "This is not written as it should be; an amount is written as 1250.00.",
    "time_parsing": "Write the hour as HH:MM.",
    "bool_parsing": "Yes or no.",
}


def _plain(error: Mapping[str, Any]) -> str:
    if error["type"] in WORDS:
        return WORDS[error["type"]]
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[:1].upper() + message[1:] + ("" if message.endswith(".") else ".")
