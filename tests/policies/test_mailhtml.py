"""HTML mail: what a screen reader, a phone, a dark screen and a program without images need."""

import base64
import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maatpak.kernel.words import Channel
from policies.mailhtml import ink
from policies.render import Templates
from policies.vocabulary import samples
from tests.policies.templating import FILES, LANGUAGES

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


AXE = os.environ.get("AXE_JS", "")
"""The file axe.min.js of the npm package axe-core."""
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
LOOK = """
<script>window.addEventListener("load", async () => {
  const found = await axe.run(document);
  const told = {
    violations: found.violations.map(each => [each.id, each.nodes.map(node => node.html)]),
    dark: matchMedia("(prefers-color-scheme: dark)").matches, phone: matchMedia("(max-width: 520px)").matches,
    wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  };
  document.documentElement.dataset.told = btoa(unescape(encodeURIComponent(JSON.stringify(told))));
})</script>
"""


@pytest.mark.skipif(not BROWSER, reason="there is no Chromium")
@pytest.mark.skipif(not Path(AXE).is_file(), reason="AXE_JS names no axe.min.js (npm package axe-core)")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", ["statement", "plan_offer"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_a_browser_finds_nothing_to_object(
    template: str, language: str, dark: bool, phone: bool, tmp_path: Path
) -> None:
    told = _looked_at(mail(template, language), tmp_path, dark=dark, phone=phone)
    assert told == {"violations": [], "dark": dark, "phone": phone, "wide": False}


def _looked_at(html: str, folder: Path, *, dark: bool, phone: bool) -> dict[str, Any]:
    page = folder / "mail.html"
    page.write_text(html.replace("</body>", f"<script>{Path(AXE).read_text()}</script>{LOOK}</body>"))
    size = "360,800" if phone else "1000,800"
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += [f"--user-data-dir={folder / 'profile'}", f"--window-size={size}", "--virtual-time-budget=20000"]
    command += [f"--blink-settings=preferredColorScheme={0 if dark else 1}", "--dump-dom", page.as_uri()]
    seen = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r'data-told="([^"]+)"', seen)
    assert found, seen[-2000:]
    return dict(json.loads(base64.b64decode(found[1])))
