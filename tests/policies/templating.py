"""What the tests of templates share: the standard pack's files, and templates that a test makes."""

from dataclasses import dataclass
from typing import Any

from policies.journey import Step
from policies.pack import load_pack, standard_pack_files
from policies.render import FOLDER
from policies.templates import check_templates

FILES = standard_pack_files()
LANGUAGES = ("en", "nl", "de", "fr")


@dataclass(frozen=True)
class Use:
    """A step, as far as the check looks at it."""

    template: str
    name: str = "step"
    tone: str = "light"
    escalating: bool = False


def steps_of_the_standard_pack() -> list[Step]:
    return [step for journey in load_pack(FILES).journeys.values() for step in journey.steps.values()]


def notice(why: str, *blocks: str, language: str = "en") -> str:
    """The source of a notice."""
    extends = f'{{% extends "{language}/_notice.j2" %}}'
    return f"{extends}\n{{% block why %}}{why}{{% endblock %}}\n" + "\n".join(blocks)


def note(why: str, language: str = "en") -> str:
    """The source of a note."""
    start = f'{{% extends "{language}/_base.j2" %}}\n{{% block subject %}}Hi{{% endblock %}}\n{{% block why %}}'
    return f"{start}{why}{{% endblock %}}"


def problems(name: str, source: str, language: str = "en", **use: Any) -> list[str]:
    """What the check says of one more template in a language."""
    files = {name: text for name, text in FILES.items() if name.startswith(f"{FOLDER}{language}/")}
    files[f"{FOLDER}{language}/{name}.j2"] = source
    return [str(problem) for problem in check_templates(files, [Use(name, **use)])]
