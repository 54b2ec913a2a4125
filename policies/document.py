"""A YAML file of a pack with the line of every value, and the list in which all problems of a pack are gathered.

YAML 1.1 reads `on` as true, `12:30` as 750 and keeps the last of two equal keys. A pack is read without these traps:
only `true` and `false` are truth values, only plain digits are numbers, a key that stands twice is a problem, and so is
an alias (`*name`), by which a value could hold itself.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import yaml

Path = tuple[str | int, ...]
"""Where a value stands: keys and positions from the top of its file."""


@dataclass(frozen=True, order=True)
class Problem:
    """Something in a pack that does not hold, and where."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@dataclass
class Problems:
    """All problems found so far."""

    found: list[Problem] = field(default_factory=list)

    def add(self, document: "Document", path: Path, text: str) -> None:
        """Note a problem at a place of a file."""
        self.found.append(Problem(document.file, document.line(path), text))

    def listed(self) -> list[str]:
        """Every problem once, by file and line."""
        return [str(problem) for problem in sorted(set(self.found))]


@dataclass(frozen=True)
class Document:
    """One file of a pack: its plain data, and the line of each place in it."""

    file: str
    data: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """The line of a place, or of the nearest place above it that is written down."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    """SafeLoader with the few plain scalars that a pack may hold, and without aliases."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next value.

        Raises:
            ComposerError: it is an alias.
        """
        if self.check_event(yaml.AliasEvent):
            event: yaml.AliasEvent = self.peek_event()  # type: ignore[no-untyped-call]
            told = f"a pack writes every value out; *{event.anchor} stands for another"
            raise yaml.composer.ComposerError(None, None, told, event.start_mark)  # type: ignore[arg-type]
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in [
    ("tag:yaml.org,2002:bool", r"true|false", "tf"),
    ("tag:yaml.org,2002:null", r"null|~|", "n~\0"),
    ("tag:yaml.org,2002:int", r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
    ("tag:yaml.org,2002:float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+", "-0123456789"),
]:
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_pattern})$"), list(_first))


def read_document(file: str, text: str, problems: Problems) -> Document | None:
    """The file as plain data with lines; None, with a problem noted, when it is no YAML."""
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        lines: dict[Path, int] = {(): 1}
        data = None if root is None else _plain(loader, root, (), lines, file, problems)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problems.found.append(Problem(file, line, f"this is no YAML: {error.problem or error.context}"))
        return None
    except yaml.YAMLError as error:
        problems.found.append(Problem(file, 1, f"this is no YAML: {error}"))
        return None
    except RecursionError:
        problems.found.append(Problem(file, 1, "its values lie too deep in one another"))
        return None
    finally:
        loader.dispose()
    return Document(file, data, lines)


def _plain(loader: _Loader, node: yaml.Node, path: Path, lines: dict[Path, int], file: str, problems: Problems) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in mapping:
                line = key_node.start_mark.line + 1
                problems.found.append(Problem(file, line, f"{key!r} stands here twice; keep one"))
                continue
            mapping[key] = _plain(loader, value_node, (*path, key), lines, file, problems)
            lines[(*path, key)] = key_node.start_mark.line + 1
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, each, (*path, at), lines, file, problems) for at, each in enumerate(node.value)]
    return loader.construct_object(node, deep=True)


def suggestion(word: str, known: Sequence[str]) -> str:
    """`; did you mean …?` when one of the known words is near, else nothing."""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
