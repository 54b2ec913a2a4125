"""The form of the preferences page: which one is ours, and what a customer says with it."""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from maatpak.console.preferences.drawing import (
    ANSWERS,
    MOST_OTHERS,
    MOST_WORDS,
    NOTHING,
    STOPPABLE,
    WILL_PAY,
    Words,
    latest,
)
from maatpak.kernel.ids import signature
from maatpak.kernel.words import Channel
from tasks.receive.pages import Page, Said

OPEN = timedelta(days=1)
"""So long a page that is open may be sent."""
_MARK = re.compile(r"(\d{1,12})-([0-9a-f]{32})")
_DAY_FIRST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
"""Where a browser has no field for dates, people write them so."""
_UNSEEN = re.compile(r"[^\S\n]+|[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Given:
    """The form as it was filled in, to be drawn again."""

    answer: str = NOTHING
    date: str = ""
    words: str = ""
    wrong_person: bool = False
    others: str = ""
    channel: str = ""
    write_in: str = ""
    stop: frozenset[str] = field(default_factory=frozenset)


def form_mark(key: str, token: str, now: datetime) -> str:
    """What the form of a page carries: when it was drawn, signed together with the page that it is of."""
    drawn = int(now.timestamp())
    return f"{drawn}-{_signed(key, token, drawn)}"


def is_form_of(key: str, token: str, mark: str, now: datetime) -> bool:
    """Whether we drew a form with that mark for this page, not long ago."""
    found = _MARK.fullmatch(mark)
    if found is None or not hmac.compare_digest(found[2], _signed(key, token, int(found[1]))):
        return False
    return now - OPEN <= datetime.fromtimestamp(int(found[1]), UTC) <= now


def read_form(
    fields: Sequence[tuple[str, str]], page: Page, words: Words, mark: str
) -> tuple[Given, Said, dict[str, str]]:
    """The form as filled in, what it says, and what does not hold of it: field → what is wrong, in the page's words."""
    last = dict(fields)
    given = Given(
        answer=last.get("answer", NOTHING),
        date=last.get("date", "").strip(),
        words=_clean(last.get("words", "")),
        wrong_person=last.get("wrong_person") == "yes",
        others=" ".join(_clean(last.get("others", "")).split()),
        channel=last.get("channel", ""),
        write_in=last.get("write_in", ""),
        stop=frozenset(value for name, value in fields if name == "stop"),
    )
    said = Said(
        form=mark,
        words=_told(given, words),
        codes=_codes(given),
        channel=Channel(given.channel) if given.channel in page.channels else None,
        language=given.write_in if given.write_in in page.languages else None,
        stop=frozenset(each for each in STOPPABLE if each in given.stop and each in page.channels),
    )
    return given, said, _errors(given, said, page, words)


def _errors(given: Given, said: Said, page: Page, words: Words) -> dict[str, str]:
    errors: dict[str, str] = {}
    if given.answer not in ANSWERS:
        errors["answer"] = words["no_such"]
    if given.answer == WILL_PAY:
        day = _day(given.date)
        if not given.date:
            errors["date"] = words["need_date"]
        elif day is None or not page.today <= day <= latest(page):
            errors["date"] = words["bad_date"]
    for name, text, most in (("words", given.words, MOST_WORDS), ("others", given.others, MOST_OTHERS)):
        if len(text) > most:
            errors[name] = words["too_long"].format(most=most)
    if not errors and not (said.words or said.channel or said.language or said.stop):
        errors["answer"] = words["nothing_said"]
    return errors


def _told(given: Given, words: Words) -> str:
    """What a person is to read: the choices in the words of the page, and the customer's own."""
    lines = []
    if given.answer in ANSWERS and given.answer != NOTHING:
        day = _day(given.date) if given.answer == WILL_PAY else None
        lines.append(f"{words[given.answer]}{f': {day.isoformat()}' if day else ''}")
    if given.words:
        lines.append(given.words)
    if given.wrong_person:
        lines.append(words["wrong_person"])
    if given.others:
        lines.append(f"{words['others']}: {given.others}")
    return "\n\n".join(lines)


def _codes(given: Given) -> tuple[str, ...]:
    said = (
        (given.answer, given.answer != NOTHING),
        ("wrong_person", given.wrong_person),
        ("others", bool(given.others)),
    )
    return tuple(code for code, there in said if there)


def _day(text: str) -> date | None:
    if found := _DAY_FIRST.fullmatch(text):
        text = f"{found[3]}-{int(found[2]):02}-{int(found[1]):02}"
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _clean(text: str) -> str:
    return _UNSEEN.sub(" ", text.replace("\r\n", "\n")).strip()


def _signed(key: str, token: str, drawn: int) -> str:
    return signature(key, f"form of {token} drawn at {drawn}")[:32]
