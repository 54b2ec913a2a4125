"""Drawing the pages that customers open: HTML without scripts, in the words of four languages."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import yaml
from babel.core import Locale, UnknownLocaleError
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from maatpak.kernel.words import Channel
from tasks.compose.spelling import long_date
from tasks.receive.pages import Page, Said

if TYPE_CHECKING:
    from maatpak.console.preferences.form import Given

LANGUAGES = ("en", "nl", "de", "fr")
"""Those that the pages are written in."""
NOTHING, WILL_PAY = "nothing", "will_pay"
ANSWERS = (NOTHING, "paid", "wrong_item", "never_got", WILL_PAY)
STOPPABLE = (Channel.EMAIL, Channel.SMS)
"""Letters come whatever is asked: some of them must."""
MOST_WORDS, MOST_OTHERS = 2000, 200
FARTHEST = timedelta(days=365)

Words = Mapping[str, str]


@dataclass(frozen=True)
class _Tongue:
    code: str
    name: str


def words_of(*wanted: str | None) -> Words:
    """The words of the first of these languages that there are, else the English ones."""
    return _words(next((each for each in wanted if each in LANGUAGES), "en"))


def latest(page: Page) -> date:
    """The last day that a customer may name for a payment."""
    return page.today + FARTHEST


def draw(
    page: Page, words: Words, given: "Given", errors: Mapping[str, str], mark: str, status: int = 200
) -> HTMLResponse:
    """The page with its form."""
    language = words["language"]
    return _answered(
        "preferences.html",
        status,
        language=language,
        words=words,
        page=page,
        given=given,
        errors=errors,
        form=mark,
        intro=words["intro"].format(date=long_date(page.written_on, language)),
        stop_help=words["stop_help"].format(creditor=page.creditor),
        spoken=[_tongue(each) for each in LANGUAGES],
        writes=[_tongue(each) for each in page.languages],
        answers=ANSWERS,
        stoppable=[each for each in STOPPABLE if each in page.channels],
        latest=latest(page),
        most_words=MOST_WORDS,
        most_others=MOST_OTHERS,
    )


def draw_said(page: Page, words: Words, what: str, status: int, said: Said | None = None) -> HTMLResponse:
    """What came of it: `thanks`, or why it was not taken."""
    lines = [words[what]]
    if said is not None:
        noted = [
            ("noted_answer", bool(said.words)),
            ("noted_reach", bool(said.channel or said.language)),
            *((f"noted_stop_{each}", each in said.stop) for each in STOPPABLE),
        ]
        lines = [*(words[name] for name, there in noted if there), *lines]
    return _answered(
        "said.html",
        status,
        language=words["language"],
        words=words,
        title=words[f"{what}_title"],
        lines=lines,
        contact=page.contact,
    )


def draw_gone(status: int) -> HTMLResponse:
    """That there is no such page, in every language, for nobody knows whose it was."""
    return _answered(
        "gone.html", status, language="en", all=[{"language": each, "words": _words(each)} for each in LANGUAGES]
    )


def _answered(template: str, status: int, **data: Any) -> HTMLResponse:
    style = _style()
    html = _environment().get_template(template).render(style=Markup(style), **data)  # noqa: S704 - our own file
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return HTMLResponse(
        html,
        status,
        {
            "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{allowed}'; form-action 'self';"
            " base-uri 'none'; frame-ancestors 'none'",
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Robots-Tag": "noindex, nofollow",
        },
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("maatpak.console.preferences", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _style() -> str:
    return (resources.files("maatpak.console.preferences") / "pages" / "style.css").read_text(encoding="utf-8")


@cache
def _words(language: str) -> Words:
    file = resources.files("maatpak.console.preferences") / "pages" / "words" / f"{language}.yaml"
    words: dict[str, str] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {**words, "language": language}


@cache
def _tongue(code: str) -> _Tongue:
    """A language, as those who speak it call it."""
    try:
        locale = Locale.parse(code)
    except (UnknownLocaleError, ValueError):
        return _Tongue(code, code)
    name = str(locale.get_display_name(code))
    return _Tongue(code, name[:1].upper() + name[1:])
