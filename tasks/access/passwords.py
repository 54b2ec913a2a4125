"""What holds as a password, and how it is kept.

A password of one's own is long, is not one's name and is none that everybody tries first; there is no rule of signs and
no day on which it must be changed (NIST SP 800-63B, 3.1.1.2). It is kept as an Argon2id hash with the parameters of
OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
"""

import re
import secrets
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from maatpak.kernel.errors import UsageError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 12, 256
"""Signs."""
PASSES, LANES = 2, 1
BESIDE_NAMES = 8
"""So many signs are to be left when one's names are taken away."""
_TRIED_FIRST = """
password passwordpassword mypassword welcome wachtwoord welkom geheim letmein letmeinplease trustno iloveyou admin
iloveyouforever administrator qwerty qwertyuiop qwertyuiopas azerty azertyuiop changeme pleasechangeme sunshine princess
football monkey dragon abcdef abcdefgh abcdefghijkl abc maatpak correcthorsebatterystaple lente zomer herfst winter
spring summer autumn debiteuren creditmanagement creditmanager
"""
COMMON = frozenset(_TRIED_FIRST.split())
"""What is tried first; with some digits around it, it is no better."""
ADVICE = "Four words that nobody else would put together are easy to keep in mind."


def require_password(password: str, login: str, name: str) -> None:
    """A password is long, is not about whose it is, and is not common.

    Raises:
        UsageError: it does not hold.
    """
    if len(password) < SHORTEST:
        raise UsageError(f"A password has at least {SHORTEST} signs.", advice=ADVICE)
    if len(password) > LONGEST:
        raise UsageError(f"A password has at most {LONGEST} signs.", advice=ADVICE)
    folded = _folded(password)
    own = {_folded(part) for part in (login, name, *re.split(r"[\W_]+", f"{login} {name}"))}
    rest = folded
    for part in sorted((each for each in own if len(each) >= 3), key=len, reverse=True):
        rest = rest.replace(part, "")
    if rest != folded and len(rest) < BESIDE_NAMES:
        raise UsageError("That password is little more than your name.", advice=ADVICE)
    if len(set(folded)) < 5 or folded.strip("0123456789") in COMMON | {""}:
        raise UsageError("That password is among the first that everybody tries.", advice=ADVICE)


def made_password() -> str:
    """A password that nobody chose: 120 random bits."""
    return secrets.token_urlsafe(15)


def hashed(password: str, memory: int) -> str:
    """What is kept of a password; `memory` in KiB is the setting `password_memory`."""
    return _hasher(memory).hash(_bytes(password))


def fits(password: str, kept: str | None, memory: int) -> bool:
    """Whether a password is the one that is kept; where none is, finding out takes as long."""
    from argon2.exceptions import VerifyMismatchError

    try:
        _hasher(memory).verify(kept or _of_nobody(memory), _bytes(password))
    except VerifyMismatchError:
        return False
    return kept is not None


def is_outdated(kept: str, memory: int) -> bool:
    """Whether it was hashed with other parameters than ours now."""
    return _hasher(memory).check_needs_rehash(kept)


@cache
def _hasher(memory: int) -> "PasswordHasher":
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=PASSES, memory_cost=memory, parallelism=LANES)


@cache
def _of_nobody(memory: int) -> str:
    return hashed(made_password(), memory)


def _bytes(password: str) -> bytes:
    """The same for the same signs, however a keyboard composes them; what is too long fits nothing."""
    return unicodedata.normalize("NFKC", password[: LONGEST + 1]).encode(errors="surrogatepass")


def _folded(words: str) -> str:
    return re.sub(r"[\W_]+", "", words.lower())
