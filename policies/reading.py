"""Reads the files of a pack into its models, with every problem of shape and spelling noted at its line."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from policies.document import Document, Problem, Problems, read_document, suggestion
from policies.guardrails import GuardrailsFile
from policies.schema import (
    CallResultsFile,
    ChannelsFile,
    ExperienceFile,
    FragmentFile,
    JourneyFile,
    PackFile,
    ReasonsFile,
    SegmentsFile,
)

SINGLE_FILES: dict[str, type[BaseModel]] = {
    "pack.yaml": PackFile,
    "segments.yaml": SegmentsFile,
    "guardrails.yaml": GuardrailsFile,
    "reasons.yaml": ReasonsFile,
    "call_results.yaml": CallResultsFile,
    "experience.yaml": ExperienceFile,
    "channels.yaml": ChannelsFile,
}
"""What a pack has once."""

NOT_NEEDED = frozenset({"channels.yaml"})
"""What packs that were published before there was such a file do without."""

FOLDERS: dict[str, type[BaseModel]] = {"journeys": JourneyFile, "fragments": FragmentFile}
"""What a pack has several of, by folder."""

TEMPLATES = "templates"

Model = TypeVar("Model", bound=BaseModel)


class PackFiles:
    """The files of a pack, each read once: its document for the lines, its model where it holds."""

    def __init__(self, files: Mapping[str, str], problems: Problems) -> None:
        self.problems = problems
        self.documents: dict[str, Document] = {}
        self.models: dict[str, BaseModel] = {}
        self.templates = {name: text for name, text in files.items() if name.startswith(f"{TEMPLATES}/")}
        for missing in sorted(SINGLE_FILES.keys() - files.keys() - NOT_NEEDED):
            problems.found.append(Problem(missing, 1, "this file is missing"))
        for name in sorted(files.keys() - self.templates.keys()):
            model = _model_of(name)
            if model is None:
                known = [*SINGLE_FILES, *(f"{folder}/<name>.yaml" for folder in FOLDERS), f"{TEMPLATES}/…"]
                problems.found.append(Problem(name, 1, f"no pack has such a file; it has {', '.join(known)}"))
                continue
            self._read(name, files[name], model)

    def _read(self, name: str, text: str, model: type[BaseModel]) -> None:
        document = read_document(name, text, self.problems)
        if document is None:
            return
        self.documents[name] = document
        if not isinstance(document.data, dict):
            self.problems.add(document, (), "the file is empty or no mapping of keys")
            return
        try:
            self.models[name] = model.model_validate(document.data)
        except ValidationError as error:
            for each in error.errors(include_url=False):
                path = _path(document, each["loc"])
                self.problems.add(document, path, _wording(model, each))

    def one(self, name: str, model: type[Model]) -> Model | None:
        """The model of a file, or None when it does not hold."""
        found = self.models.get(name)
        return found if isinstance(found, model) else None

    def all(self, folder: str, model: type[Model]) -> list[tuple[Document, Model]]:
        """Every file of a folder that holds, by name."""
        return [
            (self.documents[name], found)
            for name, found in self.models.items()
            if name.startswith(f"{folder}/") and isinstance(found, model)
        ]


def _model_of(name: str) -> type[BaseModel] | None:
    if name in SINGLE_FILES:
        return SINGLE_FILES[name]
    folder, _, rest = name.partition("/")
    return FOLDERS.get(folder) if rest.endswith(".yaml") and "/" not in rest else None


def _path(document: Document, place: Sequence[int | str]) -> tuple[str | int, ...]:
    """The part of pydantic's place that is written down in the file."""
    path = tuple(place)
    while path and path not in document.lines:
        path = path[:-1]
    return path


def _wording(model: type[BaseModel], error: Any) -> str:
    place = tuple(error["loc"])
    key = next((part for part in reversed(place) if isinstance(part, str) and part != "[key]"), "")
    match error["type"]:
        case "extra_forbidden":
            return f"there is no key {key!r} here{suggestion(key, _keys_of(model))}"
        case "missing":
            return f"the key {key!r} is missing"
        case "enum" | "literal_error":
            expected = error["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            given = str(error["input"])
            where = "" if place[-1] == "[key]" else f"{key}: "
            return f"{where}{given!r} is not one of {', '.join(expected)}{suggestion(given, expected)}"
        case "value_error":
            return f"{key}: {error['msg'].removeprefix('Value error, ')}"
        case _:
            return f"{key}: {error['msg'][0].lower()}{error['msg'][1:]}, not {error['input']!r}"


def _keys_of(model: type[BaseModel]) -> list[str]:
    """Every key that a model of this file knows: near enough for a suggestion."""
    keys: set[str] = set()
    waiting: list[Any] = [model.model_json_schema(by_alias=True)]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            properties = each.get("properties", {})
            keys |= properties.keys() if isinstance(properties, dict) else set()
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    return sorted(keys)
