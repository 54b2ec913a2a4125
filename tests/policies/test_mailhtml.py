"""HTML mail: what a screen reader, a phone, a dark screen and a program without images need."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from maatpak.kernel.words import Channel
from policies.mailhtml import ink
from policies.render import Templates
from policies.vocabulary import samples
from tests.browser import LOOKS, Chromium, Looks, look, objections, page_of
from tests.policies.templating import FILES, LANGUAGES, steps_of_the_standard_pack

TEMPLATES = Templates(FILES)
KINDS = ("reminder", "statement", "final_demand", "plan_offer", "welcome")
STATES = ("is_overdue", "is_due_later", "is_disputed", "is_credit")


def mail(template: str, language: str, rows: int = 40) -> str:
    """A mail of a template with many items, as wide as they come."""
    labels = TEMPLATES.labels(language)
    sample = next(samples())
    columns = ["document", "issued", "due", "status", "open"]
    numbers = range(1000, 1000 + rows)
    cells = [
        [f"FACTUUR-2026-{at}", "1 févr. 2026", "28 févr. 2026", labels[STATES[at % 4]], "€ 1.234.567,89"]
        for at in numbers
    ]
    table = {**sample["tables"][0], "columns": columns, "rows": cells, "total": "€ 9.234.567,89"}
    return TEMPLATES.render(template, "calm", Channel.EMAIL, language, {**sample, "tables": [table]}).html or ""


class Page(HTMLParser):
    """The tags of a page, each with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))

    def of(self, *names: str) -> list[dict[str, str | None]]:
        """The attributes of the tags of a name."""
        return [attributes for tag, attributes in self.tags if tag in names]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", KINDS)
def test_a_mail_is_a_page_that_programs_can_read_aloud(template: str, language: str) -> None:
    html = mail(template, language)
    page = Page(html)
    assert page.of("html") == [{"lang": language}]
    assert [len(page.of(each)) for each in ("title", "h1", "header", "main", "footer")] == [1] * 5
    assert not page.of("img", "script", "link", "iframe", "form", "picture", "object")
    assert not re.search(r"url\(|@import|@font-face", html)
    assert all(cell.get("scope") == "col" for cell in page.of("th"))
    data = [table for table in page.of("table") if table.get("role") != "presentation"]
    assert all(table["class"] == "items" for table in data)
    assert bool(page.of("th")) is bool(data)
    assert {"name": "color-scheme", "content": "light dark"} in page.of("meta")


@given(st.from_regex(r"#[0-9a-fA-F]{6}", fullmatch=True))
def test_words_on_a_button_can_be_read_whatever_its_colour(colour: str) -> None:
    light, dark = sorted((_luminance(colour), _luminance(ink(colour))), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def _luminance(colour: str) -> float:
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return sum(weight * share for weight, share in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


CONTRAST = "color-contrast"
"""The rule whose verdict depends on window and scheme."""
WHOLE = (
    *("landmark-one-main", "landmark-unique", "landmark-no-duplicate-main", "landmark-no-duplicate-banner"),
    *("landmark-no-duplicate-contentinfo", "heading-order"),
)
"""Rules of a whole page, which several mails one below the other are not."""


@pytest.mark.parametrize(("template", "language"), [*((kind, "en") for kind in KINDS), ("statement", "fr")])
def test_a_browser_finds_nothing_to_object_in_a_mail(template: str, language: str, chromium: Chromium) -> None:
    html = mail(template, language, 4)
    assert chromium.do(lambda browser: _against(browser, html)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_browser_finds_nothing_to_object_in_the_mails_of_any_step(language: str, chromium: Chromium) -> None:
    mails = _mails_of_the_pack(language)
    assert len(mails) > 25
    together = _together(list(mails.values()))
    # Colours depend on the scheme and widths on the window: two looks are enough, and take half the time of four.
    assert chromium.do(lambda browser: _against(browser, together, WHOLE, (LOOKS[0], LOOKS[-1]))) == []


def _mails_of_the_pack(language: str) -> dict[str, str]:
    """Template → a mail of it, for each that a step uses; every other one with all in it, the others with little."""
    found: dict[str, str] = {}
    for step in steps_of_the_standard_pack():
        path = TEMPLATES.path(step.template, str(step.tone), language) if step.template else None
        if path and path not in found:
            sample = list(samples())[len(found) % 2]
            rendered = TEMPLATES.render(str(step.template), str(step.tone), Channel.EMAIL, language, sample)
            found[path] = rendered.html or ""
    return found


def _together(mails: list[str]) -> str:
    """Several mails one below the other: a browser looks at all of them as fast as at a few."""
    start, _, _ = mails[0].partition("<div")
    return start + "".join(html[html.index("<div") : html.index("</body>")] for html in mails) + "</body></html>"


def _against(browser: Browser, html: str, but: tuple[str, ...] = (), looks: Looks = LOOKS) -> list[str]:
    """What is against a page in some looks; whatever depends on no look is asked once."""
    with page_of(browser) as page:
        page.set_content(html)
        found = []
        for number, (size, scheme) in enumerate(looks):
            look(page, size, scheme)
            told = objections(page, rules=(CONTRAST,)) if number else objections(page, but=but)
            found += [f"{size} {scheme} {each}" for each in told]
        return found


def test_the_browser_would_object(chromium: Chromium) -> None:
    html = mail("statement", "en", 4).replace("color:#5c6570", "color:#b0b4ba").replace('<html lang="en">', "<html>")
    bad = html.replace('<h1 style="', '<h1 style="width:600px;')
    found = " ".join(chromium.do(lambda browser: _against(browser, bad)))
    assert all(each in found for each in ("(360, 800) light html-has-lang", "light wider", f"light {CONTRAST}"))
    assert "dark color-contrast" not in found
    assert "(1000, 800) light wider" not in found
