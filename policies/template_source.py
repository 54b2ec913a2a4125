"""The check of a template as it is written: what it names, and words that no sample of it might show.

A turn that a template takes for some customers only is looked at here too; `policies.templates` looks at what samples
of it say.
"""

import re
from collections.abc import Iterator, Mapping

from jinja2 import Environment, TemplateSyntaxError, meta, nodes

from policies.document import Problem, suggestion
from policies.render import FOLDER
from policies.vocabulary import VARIABLES
from policies.wording import FORBIDDEN, PROMOTION, Words, as_read, words_found

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_JINJA = Environment(autoescape=True)


def language_of(file: str) -> str:
    """The language of a template, by its file."""
    return file.removeprefix(FOLDER).partition("/")[0]


def check_source(file: str, text: str) -> Iterator[Problem]:
    """What does not hold in the source of a template, whoever uses it."""
    if control := _CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + 1
        yield Problem(file, line, f"the control character {control[0]!r} stands here; take it out")
        return
    try:
        tree = _JINJA.parse(text)
        _JINJA.compile(text)
    except TemplateSyntaxError as error:
        yield Problem(file, error.lineno, f"this is no template: {error.message}")
        return
    except RecursionError:
        yield Problem(file, 1, "its parts lie too deep in one another")
        return
    yield from _unknown_names(file, tree)
    for line, word in said(FORBIDDEN, file, text):
        yield Problem(file, line, f"no customer is to read the word {word!r}")
    for line, word in said(PROMOTION, file, text):
        yield Problem(file, line, f"a message about money owed does not sell anything, and {word!r} does")


def said(lists: Words, file: str, text: str) -> Iterator[tuple[int, str]]:
    """The words of a list that a template says, in a turn that it may never take too: (line, words)."""
    tree = _JINJA.parse(text)
    pieces: list[tuple[int, object]] = [(node.lineno, node.data) for node in tree.find_all(nodes.TemplateData)]
    pieces += [(node.lineno, node.value) for node in tree.find_all(nodes.Const)]
    for line, piece in pieces:
        if isinstance(piece, str):
            for place, word in words_found(lists, language_of(file), piece):
                yield line + as_read(piece).count("\n", 0, place), word


def files_of(file: str, sources: Mapping[str, str]) -> set[str]:
    """A template with all that it extends and includes."""
    found: set[str] = set()
    waiting = [file]
    while waiting:
        name = waiting.pop()
        if name in sources and name not in found:
            found.add(name)
            waiting += [FOLDER + each for each in meta.find_referenced_templates(_JINJA.parse(sources[name])) if each]
    return found


def _unknown_names(file: str, tree: nodes.Template) -> Iterator[Problem]:
    unknown = meta.find_undeclared_variables(tree) - VARIABLES.keys()
    for node in tree.find_all(nodes.Name):
        if node.name in unknown:
            near = suggestion(node.name, list(VARIABLES))
            yield Problem(file, node.lineno, f"there is no {node.name!r} for templates{near}")
    yield from _unknown_fields(file, tree, {name: name for name in VARIABLES})
    for loop in tree.find_all(nodes.For):
        if isinstance(loop.target, nodes.Name) and isinstance(loop.iter, nodes.Name) and loop.iter.name in VARIABLES:
            yield from _unknown_fields(file, nodes.Scope(loop.body), {loop.target.name: loop.iter.name})


def _unknown_fields(file: str, tree: nodes.Node, groups: Mapping[str, str]) -> Iterator[Problem]:
    """Fields that a group does not have; `groups`: by name in the template, the name of the group."""
    uses: list[nodes.Getattr | nodes.Getitem] = [*tree.find_all(nodes.Getattr), *tree.find_all(nodes.Getitem)]
    for use in uses:
        named, asked = _named(use.node), _asked(use)
        if named is not None and named in groups and asked is not None:
            known = list(VARIABLES[groups[named]].fields)
            if asked not in known:
                yield Problem(file, use.lineno, f"{named!r} has no {asked!r}{suggestion(asked, known)}")


def _named(node: nodes.Node) -> str | None:
    """The name of which a field is asked: of itself, or of one of its list, such as `earlier[0]`."""
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, int):
        node = node.node
    return node.name if isinstance(node, nodes.Name) else None


def _asked(use: nodes.Getattr | nodes.Getitem) -> str | None:
    if isinstance(use, nodes.Getattr):
        return use.attr
    return use.arg.value if isinstance(use.arg, nodes.Const) and isinstance(use.arg.value, str) else None
