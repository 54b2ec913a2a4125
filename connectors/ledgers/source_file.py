"""Reading a source's file: checked whole, and every problem told at once, with file and line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from babel.numbers import is_currency
from pydantic import ValidationError

from connectors.ledgers.columns import FILE_COLUMNS, OF_DEBTORS, Column, Kind
from connectors.ledgers.source import (
    Bounds,
    CreditorDefinition,
    Files,
    FileSpec,
    LedgerSource,
    NumberFormat,
    Role,
    TotalRow,
    template_fields,
)
from maatpak.kernel.errors import UsageError
from policies.document import Document, Problems, read_document, suggestion


def load_source(path: Path) -> LedgerSource:
    """Read a source file.

    Raises:
        UsageError: it cannot be read or does not hold; every problem is told, with file and line.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The source {str(path)!r} cannot be read: {error}.", advice="Check path and name.") from error
    return parse_source(path.name, text)


def parse_source(file: str, text: str) -> LedgerSource:
    """Read a source from its text; `file` is its name in messages.

    Raises:
        UsageError: it does not hold; every problem is told, with file and line.
    """
    problems = Problems()
    document = read_document(file, text, problems)
    source = None
    if document is not None:
        try:
            source = LedgerSource.model_validate(document.data)
        except ValidationError as error:
            for each in error.errors():
                problems.add(document, _place(document, each["loc"]), _spell(each))
        else:
            _check(source, document, problems)
    if source is None or problems.found:
        listed = problems.listed()
        raise UsageError(
            "\n  ".join([f"The source {file} does not hold:", *listed]),
            advice="`docs/sources.md` describes the format.",
            problems=tuple(listed),
        )
    return source


def _place(document: Document, location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The part of a validation error's location that stands in the file: it also names branches of unions."""
    place: tuple[int | str, ...] = ()
    for part in location:
        if (*place, part) in document.lines:
            place = (*place, part)
    return place


def _spell(error: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"] if not str(part).startswith(("function-", "tuple[", "dict[")))
    match error["type"]:
        case "extra_forbidden":
            return f"{where}: there is no such key{suggestion(str(error['loc'][-1]), _KEYS)}"
        case "missing":
            return f"{where}: is missing"
        case _:
            return f"{where}: {str(error['msg']).removeprefix('Value error, ')}"


_KEYS = sorted({name for model in (LedgerSource, Files, FileSpec, Bounds, CreditorDefinition, TotalRow, NumberFormat)
                for name in model.model_fields})  # fmt: skip


def _check(source: LedgerSource, document: Document, problems: Problems) -> None:
    """What no single field can tell."""
    if bool(source.creditor) == bool(source.creditors):
        problems.add(document, ("creditor",), "give either `creditor` or `creditors`")
    if not list(source.files):
        problems.add(document, ("files",), "files: names no file; give items, debtors, payments, contacts or tickets")
    if source.mode == "history" and source.files.items is None:
        problems.add(document, ("mode",), "mode: a history needs a file of items")
    for role, spec in source.files:
        _check_file(source, role, spec, document, problems)
    _check_debtors(source, document, problems)


def _check_file(source: LedgerSource, role: Role, spec: FileSpec, document: Document, problems: Problems) -> None:
    known, here = FILE_COLUMNS[role], ("files", role)
    if len(list(source.files)) > 1 and not spec.match:
        problems.add(
            document, here, f"files.{role}: `match` is missing: with several kinds of file each needs patterns"
        )
    for part in ("columns", "values", "defaults", "dates"):
        named = getattr(spec, part)
        for name in named if isinstance(named, dict) else ():
            if name not in known:
                told = f"files.{role}.{part}: there is no canonical column {name!r}{suggestion(name, list(known))}"
                problems.add(document, (*here, part, name), told)
            elif part == "dates" and known[name].kind is not Kind.DATE:
                problems.add(document, (*here, part, name), f"files.{role}.dates: {name} is no date")
    own = known if role != "items" else {name: each for name, each in known.items() if name not in OF_DEBTORS}
    for column in own.values():
        if column.required and column.name not in spec.given:
            problems.add(document, here, f"files.{role}: {column.name!r} has neither column nor default")
    if source.creditors and role in ("items", "debtors", "payments") and "creditor" not in spec.given:
        problems.add(document, here, f"files.{role}: 'creditor' must be mapped: there are several creditors")
    for name in spec.fill_down:
        if name not in spec.columns:
            problems.add(document, (*here, "fill_down"), f"files.{role}.fill_down: {name!r} is no mapped column")
    if spec.total_row is not None and (role != "items" or spec.total_row.column not in spec.columns):
        told = f"files.{role}.total_row: only items have one, marked in a mapped column"
        problems.add(document, (*here, "total_row"), told)
    for name, replaced in spec.values.items():
        for word in replaced.values():
            _check_word(known.get(name), word, document, (*here, "values", name), problems)
    for name, default in spec.defaults.items():
        _check_default(role, spec, name, default, document, problems)


def _check_word(
    column: Column | None, word: str, document: Document, place: tuple[str, ...], problems: Problems
) -> None:
    if column is not None and column.kind is Kind.WORD and word not in column.words:
        near = suggestion(word, list(column.words))
        problems.add(document, place, f"{'.'.join(place)}: {word!r} is not one of the words for it{near}")


def _check_default(role: Role, spec: FileSpec, name: str, value: str, document: Document, problems: Problems) -> None:
    place = ("files", role, "defaults", name)
    try:
        fields = template_fields(value)
    except ValueError as error:
        problems.add(document, place, f"{'.'.join(place)}: {value!r} is no template: {error}")
        return
    if not fields:
        _check_word(FILE_COLUMNS[role].get(name), value, document, place, problems)
    if name == "currency" and not is_currency(value):
        problems.add(document, place, f"{'.'.join(place)}: {value!r} is no ISO 4217 currency code")
    for field in fields:
        if field not in spec.given:
            problems.add(document, place, f"{'.'.join(place)}: the file gives no {field!r} to build it from")
        elif template_fields(spec.defaults.get(field, "")):
            problems.add(document, place, f"{'.'.join(place)}: {field!r} is itself built from others")


def _check_debtors(source: LedgerSource, document: Document, problems: Problems) -> None:
    """Whoever says anything of debtors must say what a debtor cannot be without."""
    if not source.has_debtors:
        return
    items, both = source.files.items, source.files.debtors is not None
    for name in sorted(items.given & OF_DEBTORS) if items is not None and both else ():
        told = f"files.items: {name!r} is a column of the debtors, who have a file of their own"
        problems.add(document, ("files", "items"), told)
    role = "debtors" if source.files.debtors is not None else "items"
    for column in FILE_COLUMNS["debtors"].values():
        if role == "items" and column.required and not source.gives("debtors", column.name):
            told = f"files.items: {column.name!r} has neither column nor default, but other debtor columns are given"
            problems.add(document, ("files", "items"), told)
