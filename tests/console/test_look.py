"""What axe-core has against the pages: every list, page and form that is declared, in the light, in the dark, and at
the width of a telephone."""

import pytest
from playwright.sync_api import Page

from maatpak.console.frame.declared import Act, Listing, Paper, Sheet
from tests.browser import PHONE, Chromium, look, objections
from tests.console.access import declared
from tests.console.conftest import At
from tests.console.town import built
from tests.console.walking import WINDOW, opened

WIDE = (WINDOW["width"], WINDOW["height"])
NOT_FOUND = 404


def looked_at(page: Page, path: str) -> list[str]:
    """What is wrong with a page in each look; the rules that looks do not change are tried in the first."""
    look(page, WIDE, "light")
    answer = page.goto(path)
    assert answer is not None
    found = [f"{path}: {each}" for each in objections(page)]
    look(page, WIDE, "dark")
    found += [f"{path}, dark: {each}" for each in objections(page, rules=("color-contrast", "link-in-text-block"))]
    look(page, PHONE, "light")
    return found + [f"{path}, telephone: {each}" for each in objections(page, rules=("target-size",))]


def wrong_with(kinds: tuple[type, ...], at: At, chromium: Chromium, *more: str) -> list[str]:
    """What is wrong with everything of some kinds, each as somebody of the last role that may see it."""
    console, own, _, logins = built(at)
    paths: dict[str, list[str]] = {}
    for _, _, each in declared():
        if isinstance(each, kinds):
            paths.setdefault(logins[each.roles[0]], []).append(each.path.format(**own))
    found: list[str] = []
    with opened(console, chromium) as site:
        for login, theirs in paths.items():

            def steps(page: Page, theirs: list[str] = theirs) -> list[str]:
                return [told for path in theirs for told in looked_at(page, path)]

            found += site.walk(login, steps)
    return found


def test_nothing_to_object_in_any_list_or_page(at: At, chromium: Chromium) -> None:
    found = wrong_with((Listing, Sheet), at, chromium)
    assert not found, "\n".join(found)


@pytest.mark.chaos
def test_nothing_to_object_in_any_form(at: At, chromium: Chromium) -> None:
    found = wrong_with((Act,), at, chromium)
    assert not found, "\n".join(found)
