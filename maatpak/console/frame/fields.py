"""Forms: from a pydantic model to fields that people fill in, and from what they sent to the model."""

import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

from maatpak.console.frame.declared import Choice
from maatpak.console.frame.problems import form_error
from maatpak.kernel.money import parse_amount

MOST_WORDS = 4000
"""Characters of a note."""
MOST_SOURCE = 60_000
"""Characters of a file."""
ACRONYMS = {"iban": "IBAN", "po": "PO", "sms": "SMS"}
"""Words of codes that people write in capitals."""
NO_FIELDS = frozenset({"mark", "once", "back"})
"""What every form carries for the console itself."""


def _unix(value: Any) -> Any:
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _clean(value: Any) -> Any:
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else value


def _no_controls(value: str) -> str:
    if any(ord(sign) < 32 and sign not in "\n\t" for sign in value):
        raise ValueError("Some characters cannot be kept; write plain text.")
    return value


Line = Annotated[str, BeforeValidator(_clean), AfterValidator(_no_controls), Field(max_length=200)]
"""A line of text."""
Words = Annotated[
    str,
    BeforeValidator(_clean),
    AfterValidator(_no_controls),
    Field(max_length=MOST_WORDS, json_schema_extra={"kind": "words"}),
]
"""Some sentences."""
Reason = Annotated[
    str,
    BeforeValidator(_clean),
    AfterValidator(_no_controls),
    Field(min_length=1, max_length=MOST_WORDS, title="Reason", json_schema_extra={"kind": "words"}),
]
"""Why, in a person's own words; never empty."""
Source = Annotated[
    str,
    BeforeValidator(_unix),
    AfterValidator(_no_controls),
    Field(max_length=MOST_SOURCE, json_schema_extra={"kind": "source"}),
]
"""A file's text, kept as it is but for the ends of its lines."""
Amount = Annotated[
    str,
    BeforeValidator(_clean),
    Field(pattern=r"^\d{1,15}(\.\d{1,4})?$", description="As 1250.00.", json_schema_extra={"kind": "money"}),
]
"""An amount in whole units, such as 1250.00; its currency is that of what it is about."""


class NoFields(BaseModel):
    """A form without fields: its button says it all."""


@dataclass(frozen=True)
class Input:
    """One field as it is drawn."""

    name: str
    title: str
    kind: str
    """text, words, source, files, money, date, number, flag, choice, choices, password, hidden."""
    help: str
    needed: bool
    value: Any
    choices: Sequence[Choice] = ()
    error: str = ""
    most: int | None = None


def inputs_of(
    form: type[BaseModel],
    given: Mapping[str, Any],
    errors: Mapping[str, str],
    choices: Mapping[str, Sequence[Choice]],
) -> list[Input]:
    """The fields of a form, with what was filled in and what does not hold of it."""
    schema = form.model_json_schema().get("properties", {})
    drawn = []
    for name, info in form.model_fields.items():
        said = schema.get(name, {})
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        inner = _inner(info.annotation)
        offered = choices.get(name) or _closed(inner)
        first = next(iter(said.get("anyOf", ())), said)
        kind = str(extra.get("kind") or first.get("kind") or _kind(info.annotation, inner, offered))
        default = None if info.is_required() else info.get_default(call_default_factory=True, validated_data={})
        drawn.append(
            Input(
                name=name,
                title=info.title or name.replace("_", " ").capitalize(),
                kind=kind,
                help=info.description or "",
                needed=info.is_required(),
                value=given.get(name, default),
                choices=offered,
                error=errors.get(name, ""),
                most=first.get("maxLength"),
            )
        )
    return drawn


def read_form(form: type[BaseModel], pairs: Sequence[tuple[str, str]]) -> BaseModel:
    """The form as it was sent by a browser.

    Raises:
        FormError: it does not hold; with what was given.
    """
    given = given_of(form, pairs)
    try:
        return form.model_validate(given)
    except ValidationError as error:
        raise form_error(error, given) from None


def given_of(form: type[BaseModel], pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What a browser sent, by field: empty ones are left out; of files `files:path` is the text of each."""
    given: dict[str, Any] = {}
    for sent, value in pairs:
        name, _, key = sent.partition(":")
        if name not in form.model_fields or name in NO_FIELDS:
            continue
        if _is_files(form.model_fields[name].annotation):
            given.setdefault(name, {})[key] = value
        elif _is_many(form.model_fields[name].annotation):
            given.setdefault(name, []).append(value)
        elif value.strip():
            given[name] = value
    return given


def _inner(annotation: Any) -> Any:
    """What a field holds, without `| None` and without the list around it."""
    if get_origin(annotation) is Annotated:
        return _inner(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _inner(next(each for each in get_args(annotation) if each is not type(None)))
    if get_origin(annotation) in (list, tuple, frozenset, set):
        return _inner(get_args(annotation)[0])
    return annotation


def _is_many(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, types.UnionType, Annotated):
        return any(_is_many(each) for each in get_args(annotation))
    return get_origin(annotation) in (list, tuple, frozenset, set)


def _is_files(annotation: Any) -> bool:
    return get_origin(annotation) is dict


def _closed(inner: Any) -> Sequence[Choice]:
    if isinstance(inner, type) and issubclass(inner, StrEnum):
        return named(inner)
    return named(get_args(inner)) if get_origin(inner) is Literal else ()


def _kind(annotation: Any, inner: Any, offered: Sequence[Choice]) -> str:
    if _is_files(annotation):
        return "files"
    if _is_many(annotation):
        return "choices"
    if offered:
        return "choice"
    kinds = {bool: "flag", date: "date", int: "number"}
    return kinds.get(inner, "text")


def named(codes: Iterable[str]) -> list[Choice]:
    """Codes to choose from, as people call them."""
    return [Choice(str(each), as_words(each)) for each in codes]


def minor_of(amount: str | None, currency: str) -> int | None:
    """An `Amount` in minor units; None where none is given.

    Raises:
        UsageError: it has more decimals than the currency.
    """
    return parse_amount(amount, currency) if amount else None


def as_words(code: str) -> str:
    """A code as people read it: `awaiting_approval` → `Awaiting approval`."""
    plain = " ".join(ACRONYMS.get(word, word) for word in code.replace("_", " ").split())
    return plain[:1].upper() + plain[1:]
