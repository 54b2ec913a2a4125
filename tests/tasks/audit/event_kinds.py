"""Every kind of event that the code records, read from the code itself: with where, and the keys of the body if plain.

A kind is the argument of whatever makes an event: `EventDraft`, a desk's `record`, and functions that hand on a
parameter of theirs. A kind that is put together from a word (`plan_…`) stands for itself with every such word.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from maatpak.kernel.words import ActionState, DraftState, PlanState

ROOT = Path(__file__).parents[3]
FOLDERS = ("maatpak", "tasks", "flows", "connectors")
ABOUT = frozenset({"case", "debtor_id", "action_id"})
"""Arguments of `record` that are not of the body."""
PUT_TOGETHER = {
    "plan_": [str(state) for state in PlanState if state not in (PlanState.NONE, PlanState.OFFERED)],
    "placement_": [
        str(state) for state in (ActionState.EXECUTED, ActionState.CANCELLED, ActionState.FAILED, ActionState.UNKNOWN)
    ],
    "policy_": ["confirmed", *(str(state) for state in DraftState if state not in ("submitted", "published"))],
}
"""Beginning of a kind that ends with a state → the states."""


@dataclass(frozen=True)
class Recorded:
    """One place that records a kind."""

    kind: str
    where: str
    keys: frozenset[str] | None
    """Of the body; None where it is not plain to see."""


def recorded_kinds() -> list[Recorded]:
    """Every place. Fails on a kind that cannot be read from the code."""
    trees = {
        path.relative_to(ROOT): ast.parse(path.read_text())
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
    }
    words = {".".join(path.with_suffix("").parts): _constants(tree) for path, tree in trees.items()}
    found: list[Recorded] = []
    for path, tree in trees.items():
        constants = dict(words[".".join(path.with_suffix("").parts)])
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module in words:
                constants |= {each.name: words[node.module].get(each.name, "") for each in node.names}
        found += _of_tree(tree, constants, str(path))
    return found


def _constants(tree: ast.Module) -> dict[str, str]:
    """The texts that names of a module stand for."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            (target,) = node.targets
            pairs = zip(
                target.elts if isinstance(target, ast.Tuple) else [target],
                node.value.elts if isinstance(node.value, ast.Tuple) else [node.value],
                strict=False,
            )
            for name, value in pairs:
                if isinstance(name, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                    found[name.id] = value.value
    return found


def _of_tree(tree: ast.Module, constants: Mapping[str, str], where: str) -> Iterator[Recorded]:
    makers: dict[str, int] = {"EventDraft": 0, "record": 0}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    handed: set[ast.Call] = set()
    for _ in range(3):  # what hands on to what hands on
        for function in functions:
            names = [each.arg for each in function.args.args]
            for call, kind in _calls(function, makers):
                if isinstance(kind, ast.Name) and kind.id in names:
                    handed.add(call)
                    makers.setdefault(function.name, names.index(kind.id))
    for call, kind in _calls(tree, makers):
        if call in handed:
            continue
        keys = None
        if isinstance(call.func, ast.Attribute):
            keys = frozenset(each.arg or "" for each in call.keywords) - ABOUT
        for each in _kinds(kind, constants, f"{where}:{call.lineno}"):
            yield Recorded(each, f"{where}:{call.lineno}", keys)


def _calls(tree: ast.AST, makers: Mapping[str, int]) -> Iterator[tuple[ast.Call, ast.expr]]:
    """Calls of makers with their kind; `self.record` of what is no desk takes no words, and is none."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in makers or (name == "record") != isinstance(node.func, ast.Attribute):
            continue
        by_name = next((each.value for each in node.keywords if each.arg == "kind"), None)
        at = makers[name]
        kind = by_name or (node.args[at] if len(node.args) > at else None)
        if kind is not None and ast.unparse(node.func) != "self.anchors.record":
            yield node, kind


def _kinds(kind: ast.expr, constants: Mapping[str, str], where: str) -> list[str]:
    if isinstance(kind, ast.Constant) and isinstance(kind.value, str):
        return [kind.value]
    if isinstance(kind, ast.IfExp):
        return [*_kinds(kind.body, constants, where), *_kinds(kind.orelse, constants, where)]
    if isinstance(kind, ast.Name) and kind.id in constants:
        return [constants[kind.id]]
    if isinstance(kind, ast.JoinedStr) and isinstance(kind.values[0], ast.Constant):
        begun = str(kind.values[0].value)
        return [begun + state for state in PUT_TOGETHER[begun]]
    raise AssertionError(f"{where}: which kind of event is {ast.unparse(kind)}?")
