"""JSON Schemas of a pack's files, made from the models that check them: editors help while a pack is written."""

from typing import Any

from policies.reading import FOLDERS, SINGLE_FILES

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schemas() -> dict[str, dict[str, Any]]:
    """File name of the schema → schema, for every kind of file that a pack has."""
    models = {**SINGLE_FILES, **{f"{folder}.yaml": model for folder, model in FOLDERS.items()}}
    return {
        f"{name.removesuffix('.yaml')}.schema.json": {"$schema": DIALECT, **model.model_json_schema(by_alias=True)}
        for name, model in models.items()
    }
