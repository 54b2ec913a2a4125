"""The little markup that templates write in, so that one source gives the text, the HTML and the letter of a message.

A template renders to lines. A blank line ends a paragraph; `- ` starts a point of a list, `# ` a heading, `**…**` is
bold. `@why` says that the part named so begins (`PARTS`), which is what the template check looks for. A line such as
`[items]` is replaced by what the message carries as data (`TABLES`): they are never text, so no value can forge one.
Points in the part `ways` name the way they are: `- <pay> …`.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

PARTS = ("greeting", "why", "items", "earlier", "pay", "next", "ways", "close")
"""The parts of a message, in the order in which the standard pack has them."""
TABLES = ("items", "plan", "pay", "sign")
"""Data that a line in brackets stands for."""
WAYS = ("pay", "when", "wrong", "never_got")
"""The four ways to stop it: pay, say when, say what is wrong, say that the invoice never came."""

_STAR, _GUARD = "\ue000", "\ue001"
_PRIVATE = {0xE000: None, 0xE001: None}
_RESTORE = {0xE000: "*", 0xE001: None}
_LEADING = frozenset("-#@[=<")
_SPACES = re.compile(r"[^\S\u00a0\u202f]+")
_WAY = re.compile(r"<(\w+)> ?")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list or table. `lines` has one text a point, or a single one; bold is still marked."""

    kind: str
    """paragraph, heading, list, or one of `TABLES`."""
    part: str
    lines: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()
    """Which ways to stop it the points of the list are, as far as they say anything."""


def one_line(text: str) -> str:
    """A text as one line. Spaces that keep an amount or a mark with its word stay: no line breaks at them."""
    return _SPACES.sub(" ", text).strip(" ")


def guard(value: object) -> str:
    """A value as one line of text in which nothing is markup: what a customer is called can never be a table."""
    text = one_line(str(value).translate(_PRIVATE))
    if not text.isascii():
        text = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cc", "Cf"))
    text = text.replace("*", _STAR)
    return _GUARD + text if text[:1] in _LEADING else text


def parse(source: str) -> list[Block]:
    """The blocks of a rendered body.

    Raises:
        ValueError: a part or table that there is not.
    """
    blocks: list[Block] = []
    part = "greeting"
    gathered: list[str] = []

    def flush() -> None:
        if gathered:
            blocks.append(_block(gathered, part))
            gathered.clear()

    for raw in source.splitlines():
        line = raw.strip()
        if not line:
            flush()
        elif line[0] == "@":
            flush()
            part = _known(line[1:], PARTS, "part")
        elif line[0] == "[":
            flush()
            blocks.append(Block(_known(line[1:-1], TABLES, "table"), part))
        else:
            if gathered and (line[:2] == "- ") != (gathered[0][:2] == "- ") and line[:2] == "- ":
                flush()
            gathered.append(line)
    flush()
    return blocks


def _known(word: str, words: Sequence[str], what: str) -> str:
    if word not in words:
        raise ValueError(f"there is no {what} {word!r}; there are {', '.join(words)}")
    return word


def _block(lines: Sequence[str], part: str) -> Block:
    first = lines[0]
    if first.startswith("# "):
        return Block("heading", part, (first[2:],))
    if not first.startswith("- "):
        return Block("paragraph", part, (" ".join(lines),))
    points: list[str] = []
    for line in lines:
        if line.startswith("- "):
            points.append(line[2:])
        else:
            points[-1] += " " + line
    ways = [_WAY.match(point) for point in points]
    return Block(
        "list",
        part,
        tuple(point[way.end() :] if way else point for point, way in zip(points, ways, strict=True)),
        tuple(
            way[1] for point, way in zip(points, ways, strict=True) if way and plain(point[way.end() :]).strip(" .:")
        ),
    )


def plain(text: str) -> str:
    """The text of a line without its marks."""
    return text.replace("**", "").translate(_RESTORE)


def runs(text: str) -> list[tuple[str, bool]]:
    """The pieces of a line: (text, bold)."""
    return [(piece.translate(_RESTORE), bool(at % 2)) for at, piece in enumerate(text.split("**")) if piece]


def inline_html(text: str) -> str:
    """A line as HTML, its values escaped."""
    return "".join(
        f"<strong>{escape(piece)}</strong>" if bold else escape(piece, quote=False) for piece, bold in runs(text)
    )


def as_text(blocks: Sequence[Block], data: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """The message as plain text."""
    parts: list[str] = []
    for block in blocks:
        match block.kind:
            case "list":
                parts.append("\n".join(f"- {plain(line)}" for line in block.lines))
            case "items":
                parts.extend(_table_text(table, labels) for table in data["tables"])
            case "plan":
                parts.extend(_table_text(table, labels) for table in data["plan_tables"])
            case "pay":
                colon = labels.get("colon", ":")
                parts.append("\n".join(f"{label}{colon} {value}" for label, value in pay_lines(data["pay"], labels)))
            case "sign":
                parts.append("\n".join(line for line in data["signature"] if line))
            case _:
                parts.append(plain(block.lines[0]))
    return "\n\n".join(part for part in parts if part) + "\n"


def pay_lines(pay: Mapping[str, Any], labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """How to pay, label by label; what the creditor does not have is left out."""
    return [(labels[name], pay[name]) for name in ("amount", "link", "payee", "iban", "bic", "reference") if pay[name]]


def reach_text(reach: Mapping[str, str], labels: Mapping[str, str]) -> str:
    """Where the reader says how we reach them, as the last line of a mail; empty where there is no such place."""
    return f"\n{labels[reach['label']]}{labels.get('colon', ':')} {reach['text']}\n" if reach["link"] else ""


def letter_blocks(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """The message as plain data for the letter's typesetter."""
    return [{"kind": block.kind, "lines": [runs(line) for line in block.lines]} for block in blocks]


def _table_text(table: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """Columns as wide as their widest word, amounts to the right."""
    columns = table["columns"]
    rows = [[labels[name] for name in columns], *table["rows"]]
    total = ["" for _ in columns]
    total[0], total[-1] = table["total_label"], table["total"]
    rows.append(total)
    widths = [max(len(row[at]) for row in rows) for at in range(len(columns))]
    right = table["right"]
    lines = [
        "  ".join(
            cell.rjust(width) if name in right else cell.ljust(width)
            for cell, width, name in zip(row, widths, columns, strict=True)
        ).rstrip()
        for row in rows
    ]
    rule = "-" * max(len(line) for line in lines)
    heading = [table["title"]] if table["title"] else []
    return "\n".join([*heading, lines[0], rule, *lines[1:-1], rule, lines[-1]])
