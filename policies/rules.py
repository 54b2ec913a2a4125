"""Rules: SQL boolean expressions over facts, compiled with `polars.sql_expr` and held to what a rule may be.

`sql_expr` takes far more than a rule may say: aggregates and windows make a row depend on its neighbours, `now()` reads
the clock, division has no value at zero, decimals times whole numbers are rounded. So a rule passes three gates: its
words (facts, AND OR NOT IN IS NULL BETWEEN TRUE FALSE DATE, literals, comparison, + - *), its parsed tree (an
allow-list of nodes, each with a type), and a trial on an empty frame (the result is Boolean). What passes is decided
row by row: any row alone equals that row in any frame.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from polars.datatypes import DataTypeClass
from polars.exceptions import PolarsError

from policies.context_facts import CONTEXT
from policies.document import suggestion
from policies.facts import FACTS


class RuleError(ValueError):
    """A rule that cannot be taken, and why."""


@dataclass(frozen=True)
class CompiledRule:
    """A rule as written, the facts it asks, and the expression that decides it."""

    text: str
    facts: tuple[str, ...]
    expression: pl.Expr = field(compare=False, repr=False)

    def __str__(self) -> str:
        return self.text


class _Type(StrEnum):
    TRUTH = "a truth value"
    WHOLE = "a whole number"
    SHARE = "a fraction"
    TEXT = "text"
    DATE = "a date"
    LIST = "a list"


_FACT_TYPES: dict[DataTypeClass, _Type] = {
    pl.Boolean: _Type.TRUTH,
    pl.Int64: _Type.WHOLE,
    pl.Float64: _Type.SHARE,
    pl.String: _Type.TEXT,
    pl.Date: _Type.DATE,
}
_KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "IS", "NULL", "BETWEEN", "TRUE", "FALSE", "DATE"})
MOST_TOKENS = 400
"""Words and signs of a rule. The engine goes down into an expression, and a process that goes too deep ends at once."""
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<comment>--|/\*|\#)
      | (?P<number>[0-9]+(?:\.[0-9]+)?)
      | (?P<text>'(?:[^']|'')*')
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<sign><=|>=|<>|!=|=|<|>|\+|-|\*|\(|\)|,)
      | (?P<other>\S)
    )""",
    re.VERBOSE,
)
_SCHEMA = pl.DataFrame(schema={name: fact.dtype for name, fact in FACTS.items()})


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def compile_rule(text: str) -> CompiledRule:
    """The rule, compiled.

    Raises:
        RuleError: it says something that a rule may not say; the message says what instead.
    """
    tokens = _tokens(text)
    _check_words(tokens)
    try:
        expression = pl.sql_expr(text)
        tree = json.loads(expression.meta.serialize(format="json"))
    except PolarsError as error:
        raise RuleError(f"{text!r} is no SQL expression ({_first_line(error)})") from None
    kind = _kind(tree)
    if kind is not _Type.TRUTH:
        raise RuleError(f"{text!r} is {kind}, not a truth value; compare it with something")
    _check_lists(tokens)
    try:
        result = _SCHEMA.select(expression.alias("rule")).schema["rule"]
    except PolarsError as error:
        raise RuleError(f"{text!r} cannot be decided ({_first_line(error)})") from None
    if result != pl.Boolean:
        raise RuleError(f"{text!r} gives {result}, not a truth value")
    names = dict.fromkeys(token.text for token in tokens if token.kind == "fact")
    return CompiledRule(text, tuple(names), expression)


def both(first: CompiledRule | None, second: CompiledRule | None) -> CompiledRule | None:
    """A rule that holds when both do; where one is missing, the other."""
    if first is None or second is None:
        return first or second
    return compile_rule(f"({first.text}) AND ({second.text})")


def outcomes(rules: Sequence[CompiledRule], frame: pl.DataFrame) -> list[pl.Series]:
    """What each rule says of each row: true, false, or null where a fact it needs is unknown."""
    return _decided([rule.expression for rule in rules], frame)


def held(rules: Sequence[CompiledRule], frame: pl.DataFrame) -> list[npt.NDArray[np.bool_]]:
    """Where each rule holds; unknown counts as false."""
    return [each.to_numpy() for each in _decided([rule.expression.fill_null(value=False) for rule in rules], frame)]


def _decided(expressions: Sequence[pl.Expr], frame: pl.DataFrame) -> list[pl.Series]:
    if not expressions:
        return []
    names = [f"rule_{at}" for at in range(len(expressions))]
    made = frame.with_columns(each.alias(name) for each, name in zip(expressions, names, strict=True))
    return [made.get_column(name) for name in names]


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _tokens(text: str) -> list[_Token]:
    tokens = []
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or ""
        word = found[kind]
        if kind == "word":
            kind = "keyword" if word.upper() in _KEYWORDS else "fact"
            word = word.upper() if kind == "keyword" else word
        tokens.append(_Token(kind, word))
    if not tokens:
        raise RuleError("a rule cannot be empty; write TRUE for always")
    if len(tokens) > MOST_TOKENS:
        raise RuleError(f"{text[:40]!r}… has {len(tokens)} words and signs; {MOST_TOKENS} are the most")
    return tokens


def _check_words(tokens: Sequence[_Token]) -> None:
    for at, token in enumerate(tokens):
        following = tokens[at + 1].text if at + 1 < len(tokens) else ""
        before = tokens[at - 1].text if at else ""
        if token.kind == "comment":
            raise RuleError("comments are refused inside a rule; put them after # at the end of the YAML line")
        if token.kind == "other":
            raise RuleError(_refused_sign(token.text))
        if token.text == "NULL" and before not in {"IS", "NOT"}:
            raise RuleError("nothing equals NULL; ask IS NULL or IS NOT NULL")
        if token.kind == "fact":
            _check_name(token.text, following)


def _refused_sign(sign: str) -> str:
    if sign in "/%":
        return f"{sign!r} is refused: division has no value at zero; multiply the other side instead"
    if sign in '"`':
        return "quoted names are refused; write the fact's name plainly"
    return f"{sign!r} is refused; a rule compares facts with AND, OR, NOT, IN, BETWEEN, IS NULL, + - *"


def _check_name(name: str, following: str) -> None:
    if name in FACTS:
        return
    if name.upper() in {"SELECT", "EXISTS", "FROM"}:
        raise RuleError("subqueries are refused; a rule sees the facts of one case only")
    if following == "(":
        raise RuleError(f"the function {name}() is refused: no aggregates, windows, clocks; a rule compares facts")
    if name in CONTEXT:
        raise RuleError(f"{name!r} is the engine's own and not for rules")
    raise RuleError(f"there is no fact {name!r}{suggestion(name, list(FACTS))}")


_NUMBERS = frozenset({_Type.WHOLE, _Type.SHARE})
_ORDER = frozenset({"Lt", "LtEq", "Gt", "GtEq"})
_EQUAL = frozenset({"Eq", "NotEq"})
_LOGIC = frozenset({"And", "Or"})
_SUMS = {"Plus": "+", "Minus": "-", "Multiply": "*", "Mul": "*"}


def _kind(node: Any) -> _Type:
    """The type of a node of the parsed tree; a node that is not on the list is refused."""
    match node:
        case {"Column": str(name)}:
            return _FACT_TYPES[FACTS[name].dtype]
        case {"Literal": literal}:
            return _literal_kind(literal)
        case {"BinaryExpr": {"left": left, "op": str(operator), "right": right}}:
            return _binary_kind(operator, left, right)
        case {"Function": {"input": [left, right], "function": {"Sql": {"Binary": str(operator)}}}}:
            return _binary_kind(operator, left, right)
        case {"Function": {"input": [left, {"Literal": {"Series": _}}], "function": {"Sql": {"IsIn": _}}}}:
            _kind(left)
            return _Type.TRUTH
        case {"Function": {"input": [inner], "function": {"Boolean": "Not"}}}:
            return _need(_Type.TRUTH, inner, "NOT")
        case {"Function": {"input": [inner], "function": {"Boolean": "IsNull" | "IsNotNull"}}}:
            _kind(inner)
            return _Type.TRUTH
        case {"Cast": {"expr": inner, "dtype": {"Literal": "Boolean"}}}:
            return _need(_Type.TRUTH, inner, "NOT")
        case {"Alias": _}:
            raise RuleError("something stands behind the end of the rule; join conditions with AND or OR")
    raise RuleError("this is refused; a rule compares facts with AND, OR, NOT, IN, BETWEEN, IS NULL, + - *")


def _literal_kind(literal: Any) -> _Type:
    match literal:
        case {"Dyn": {"Int": _}}:
            return _Type.WHOLE
        case {"Dyn": {"Float": _}} | {"Scalar": {"Decimal": _}} | {"Scalar": {"Float64": _}}:
            return _Type.SHARE
        case {"Scalar": {"Boolean": _}}:
            return _Type.TRUTH
        case {"Scalar": {"String": _}}:
            return _Type.TEXT
        case {"Scalar": {"Date": _}}:
            return _Type.DATE
    raise RuleError("a literal is a number, 'text', TRUE, FALSE or DATE '2026-01-31'")


def _binary_kind(operator: str, left: Any, right: Any) -> _Type:
    if operator in _LOGIC:
        for side in (left, right):
            _need(_Type.TRUTH, side, operator.upper())
        return _Type.TRUTH
    first, second = _kind(left), _kind(right)
    if operator in _SUMS:
        if {first, second} != {_Type.WHOLE}:
            raise RuleError(f"{_SUMS[operator]} takes whole numbers, not {first} and {second}")
        return _Type.WHOLE
    if operator not in _ORDER | _EQUAL:
        raise RuleError("this comparison is refused; use = <> < <= > >= BETWEEN IN")
    _check_comparable(operator, first, second, right)
    return _Type.TRUTH


def _check_comparable(operator: str, first: _Type, second: _Type, right: Any) -> None:
    if {first, second} <= _NUMBERS:
        if first is _Type.WHOLE and second is _Type.SHARE and "Literal" in right:
            raise RuleError("a whole number is compared with a fraction; money is in minor units, days are whole")
        return
    if first is not second:
        raise RuleError(f"{first} cannot be compared with {second}")
    if operator in _ORDER and first in {_Type.TEXT, _Type.TRUTH}:
        raise RuleError(f"{first} has no order; use = or <>")


def _need(kind: _Type, node: Any, where: str) -> _Type:
    found = _kind(node)
    if found is not kind:
        raise RuleError(f"{where} takes {kind}, not {found}; compare it with something")
    return kind


def _check_lists(tokens: Sequence[_Token]) -> None:
    """Words compared with an enum must be among its values; a list holds what its fact holds."""
    for fact, literals in _compared(tokens):
        known = FACTS[fact].values
        kind = _FACT_TYPES[FACTS[fact].dtype]
        for literal in literals:
            if literal.kind == "text" and kind is _Type.TEXT:
                word = literal.text[1:-1].replace("''", "'")
                if known and word not in known:
                    raise RuleError(
                        f"{fact} is never {word!r}{suggestion(word, known) or '; one of ' + ', '.join(known)}"
                    )
            elif (literal.kind, kind) not in _LIST_FITS:
                raise RuleError(f"{fact} is {kind} and cannot be {literal.text}")


_LIST_FITS = {("number", _Type.WHOLE), ("number", _Type.SHARE), ("text", _Type.DATE), ("keyword", _Type.TRUTH)}


def _compared(tokens: Sequence[_Token]) -> Iterator[tuple[str, list[_Token]]]:
    for at, token in enumerate(tokens):
        if token.kind != "fact":
            continue
        rest = [each for each in tokens[at + 1 : at + 3] if each.text != "NOT"]
        if rest and rest[0].text == "IN":
            start = next(index for index in range(at, len(tokens)) if tokens[index].text == "IN") + 2
            end = next(index for index in range(start, len(tokens)) if tokens[index].text == ")")
            yield token.text, [each for each in tokens[start:end] if each.text not in {",", "-"}]
        elif len(rest) == 2 and rest[0].text in {"=", "<>", "!="} and rest[1].kind == "text":
            yield token.text, [rest[1]]
        if at >= 2 and tokens[at - 1].text in {"=", "<>", "!="} and tokens[at - 2].kind == "text":
            yield token.text, [tokens[at - 2]]


def known_values(rule: CompiledRule, row: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that a rule asks, with their values of one case."""
    return {name: row.get(name) for name in rule.facts}
