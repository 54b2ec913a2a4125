"""A mail taken apart into headers and texts, whatever its bytes are, with bounded work.

The classic policy of the email package reads anything; its newer one parses every header and can stumble over them.
What it still trips over is read as one text.
"""

import base64
import binascii
import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message
from email.policy import Compat32
from email.utils import parsedate_to_datetime

from connectors.inbox.words import text_of_html

LONGEST = 1 << 20
"""Bytes of a mail that are looked at: texts and reports come before large attachments."""
MOST_PARTS = 100
LONGEST_HEADER = 20_000
LONGEST_TEXT = 100_000
"""Characters of one part."""
NO_TEXT_CODECS = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "utf-7"})
"""Charsets that no mail has, and that are slow, warn or raise on some bytes."""
ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,128}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,10}")
MESSAGE_ID = re.compile(r"<([^<>\s]{1,500})>")

Headers = Mapping[str, Sequence[str]]
"""Values by lower-case name, decoded and unfolded, in the order of the mail."""


class _Short(Compat32):
    """Headers end somewhere: the email package takes hours over the parameters of an endless one."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:LONGEST_HEADER]


_SHORT = _Short()


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf of a mail."""

    kind: str
    """Media type, in lower case."""
    text: str
    """Of a text: its words; of an enclosed mail or report: its header fields, and what follows if that is text."""
    headers: Headers
    """Of an enclosed mail or report: its header fields."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, taken apart."""

    headers: Headers
    kind: str
    parts: tuple[Part, ...]

    def first(self, name: str) -> str:
        """The first header of that name, or nothing."""
        return next(iter(self.headers.get(name, ())), "")

    def of_kind(self, *kinds: str) -> list[Part]:
        """Its parts of these media types."""
        return [part for part in self.parts if part.kind in kinds]

    @property
    def text(self) -> str:
        """What a reader sees: the plain texts, or the HTML ones where there is no plain one."""
        plain = [part.text for part in self.of_kind("text/plain") if part.text.strip()]
        return "\n".join(plain or [text_of_html(part.text) for part in self.of_kind("text/html")])[:LONGEST_TEXT]


def take_apart(content: bytes) -> Mail:
    """The mail of these bytes. Never raises."""
    seen = content[:LONGEST].lstrip(b"\r\n")
    try:
        message = message_from_bytes(seen, policy=_SHORT)
        return Mail(_headers(message), message.get_content_type(), tuple(_parts(message)))
    except (MessageError, RecursionError, ValueError, LookupError, TypeError, AttributeError, AssertionError):
        return Mail({}, "text/plain", (Part("text/plain", _decoded(seen, "")[:LONGEST_TEXT], {}),))


def addresses(value: str) -> list[str]:
    """The mail addresses in a text, in lower case, each once."""
    return list(dict.fromkeys(found.strip(".'").lower() for found in ADDRESS.findall(value)))


def address(value: str) -> str:
    """The address of a header such as From: what stands in angle brackets, else the first."""
    bracketed = addresses(" ".join(MESSAGE_ID.findall(value)))
    return next(iter(bracketed or addresses(value)), "")


def message_ids(value: str) -> list[str]:
    """The Message-IDs of a header, without brackets; one that lacks them is taken too."""
    found = MESSAGE_ID.findall(value)
    if not found and "@" in value and len(value.split()) == 1:
        found = [value.strip("<>")[:500]]
    return list(dict.fromkeys(found))


def instant(value: str) -> datetime | None:
    """A mail's date in UTC, if it is one."""
    try:
        read = parsedate_to_datetime(value)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _parts(message: "Message[str, str]") -> Iterator[Part]:
    waiting = [message]
    count = 0
    while waiting and count < MOST_PARTS:
        part = waiting.pop()
        payload = part.get_payload()
        kind = part.get_content_type()
        if kind.startswith("message/"):
            count += 1
            yield _enclosed(part, kind)
        elif isinstance(payload, list):
            waiting.extend(reversed([each for each in payload if isinstance(each, Message)][:MOST_PARTS]))
        else:
            count += 1
            # A multipart whose boundary is lost is one text.
            broken = kind.startswith("multipart/")
            text = _text(part) if broken or kind.startswith("text/") else ""
            yield Part("text/plain" if broken else kind, text, {})


def _enclosed(part: "Message[str, str]", kind: str) -> Part:
    payload = part.get_payload()
    blocks = [each for each in payload if isinstance(each, Message)] if isinstance(payload, list) else []
    coded = str(part.get("content-transfer-encoding", "")).strip().lower()
    if coded == "base64" and kind != "message/rfc822":
        raw = "".join(f"{_raw_fields(each)}{_string(each.get_payload())}" for each in blocks) or _string(payload)
        return Part(kind, _of_base64(raw)[:LONGEST_TEXT], {})
    texts = [f"{_fields(each)}\n{_clean(_string(each.get_payload()))}" for each in blocks]
    headers = _headers(blocks[0]) if blocks else {}
    return Part(kind, "\n\n".join(texts or [_clean(_string(payload))])[:LONGEST_TEXT], headers)


def _string(payload: object) -> str:
    return payload if isinstance(payload, str) else ""


def _raw_fields(message: "Message[str, str]") -> str:
    return "".join(f"{name}: {value}\n" for name, value in message.raw_items())


def _fields(message: "Message[str, str]") -> str:
    return "".join(f"{name}: {_words(str(value))}\n" for name, value in message.raw_items())


def _of_base64(raw: str) -> str:
    letters = re.sub(r"[^A-Za-z0-9+/]", "", raw)
    try:
        return _decoded(base64.b64decode(letters[: len(letters) // 4 * 4]), "")
    except binascii.Error:
        return ""


def _text(part: "Message[str, str]") -> str:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    return _decoded(content, str(part.get_content_charset() or ""))[:LONGEST_TEXT]


def _headers(message: "Message[str, str]") -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        headers.setdefault(_clean(name).lower(), []).append(_words(str(value)))
    return headers


def _words(raw: str) -> str:
    """A header's value, unfolded, its encoded words (RFC 2047) decoded."""
    value = " ".join(_clean(raw).split())[:LONGEST_TEXT]
    if "=?" not in value:
        return value
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    decoded = "".join(each if isinstance(each, str) else _decoded(each, charset or "") for each, charset in pieces)
    return " ".join(decoded.split())


def _clean(raw: str) -> str:
    """Bytes that the parser kept as surrogates become letters; NULs go."""
    return _decoded(raw.encode("utf-8", "surrogateescape"), "") if not raw.isascii() else raw.replace("\0", "")


def _decoded(content: bytes, charset: str) -> str:
    for name in (charset, "utf-8"):
        try:
            if codecs.lookup(name).name in NO_TEXT_CODECS:
                continue
            text = content.decode(name)
        except (LookupError, ValueError):
            continue
        # Some codecs leave lone surrogates, which no UTF-8 can hold.
        return text.encode("utf-8", "replace").decode().replace("\0", "").replace("\r\n", "\n")
    return content.decode("latin-1").replace("\0", "").replace("\r\n", "\n")
