"""Texts and lists as SQL, for statements that take no parameters."""

from collections.abc import Iterable


def quoted(text: str | None) -> str:
    """Any text as a literal."""
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


def numbers(ids: Iterable[int]) -> str:
    """Ids as an array."""
    return f"'{{{','.join(str(int(each)) for each in ids)}}}'::bigint[]"


def words(known: Iterable[str]) -> str:
    """Our own words as an array; they have no quotes, commas or braces."""
    return f"'{{{','.join(known)}}}'::text[]"
