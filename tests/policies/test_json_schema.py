"""The schemas that editors get say of every file of the standard pack that it holds, and of a broken one that not."""

from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from policies.document import Problems, read_document
from policies.json_schema import json_schemas
from policies.pack import standard_pack_files
from policies.reading import FOLDERS, SINGLE_FILES


def _schema(file: str) -> dict[str, Any]:
    folder, slash, _ = file.partition("/")
    return json_schemas()[f"{folder.removesuffix('.yaml') if not slash else folder}.schema.json"]


def _data(file: str, text: str) -> Any:
    document = read_document(file, text, Problems())
    assert document is not None
    return document.data


FILES = [file for file in standard_pack_files() if not file.startswith("templates/")]


@pytest.mark.parametrize("file", FILES)
def test_the_standard_pack_holds(file: str) -> None:
    jsonschema.Draft202012Validator(_schema(file)).validate(_data(file, standard_pack_files()[file]))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("journeys/forgetful.yaml", "do: message", "do: mesage"),
        ("journeys/forgetful.yaml", "template: reminder", "templte: reminder"),
        ("journeys/forgetful.yaml", "at: due + 4 working days", "at: due + 4 days"),
        ("guardrails.yaml", "data_age: 1 working day", "data_age: 1"),
        ("segments.yaml", "who: relationship first", "whom: relationship first"),
        ("experience.yaml", "wrongful_contact: -12", "wrongful_contact: -13"),
    ],
)
def test_a_broken_file_does_not(file: str, old: str, new: str) -> None:
    text = standard_pack_files()[file]
    assert old in text
    validator = jsonschema.Draft202012Validator(_schema(file))
    assert not validator.is_valid(_data(file, text.replace(old, new, 1)))


def test_there_is_one_for_every_kind_of_file() -> None:
    assert len(json_schemas()) == len(SINGLE_FILES) + len(FOLDERS)
    for schema in json_schemas().values():
        jsonschema.Draft202012Validator.check_schema(schema)
