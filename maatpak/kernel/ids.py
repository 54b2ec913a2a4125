"""Hashes and references: the same content always gets the same name."""

import hashlib
import hmac
import json
from datetime import date, datetime
from typing import Any


def canonical_json(value: Any) -> str:
    """One spelling for one value: sorted keys, no spaces, dates in ISO form."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no canonical form")


def content_hash(value: Any) -> str:
    """SHA-256 of the canonical JSON of plain data, as hex."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def salted_hash(value: Any, salt: str) -> str:
    """What an immutable place may keep of personal content: HMAC-SHA256 of its canonical JSON, as hex.

    The salt is random and lies beside the content, in the row that can be erased. With it the hash proves the content;
    without it nobody finds a phone number by trying them all (law 10).
    """
    return hmac.digest(salt.encode(), canonical_json(value).encode(), "sha256").hex()


def signature(key: str, words: str) -> str:
    """Our mark below words that others carry for us: HMAC-SHA256 with the installation's key, as hex."""
    return hmac.digest(key.encode(), words.encode(), "sha256").hex()


def reference_token(message_ref: str) -> str:
    """The part of a message's reference before the @: nobody can guess it, and its files and return path bear it."""
    return message_ref.partition("@")[0]


def bytes_hash(content: bytes) -> str:
    """SHA-256 of bytes, as hex."""
    return hashlib.sha256(content).hexdigest()


def shard_key(party_ref: str) -> int:
    """A stable number from 0 to 32767 for a party; `shard_key % shards` is its shard."""
    return int.from_bytes(hashlib.sha256(party_ref.encode()).digest()[:2], "big") & 0x7FFF
