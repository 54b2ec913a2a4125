"""The console by keyboard alone: all is reached, in order, and seen to be; dialogs and menus give the focus back."""

from itertools import pairwise

from playwright.sync_api import Page

from tests.browser import Chromium
from tests.console.conftest import At
from tests.console.walking import opened

INSIDE = "document.activeElement.closest('dialog') ? 'in' : document.activeElement === document.body ? 'bar' : 'out'"
WATCH = """() => {
  const sort = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const all = [...document.querySelectorAll(sort)].filter((each) => !each.disabled && each.checkVisibility());
  window.reached = []; window.unseen = [];
  document.addEventListener("focusin", ({target}) => {
    if (!all.includes(target) || reached.includes(all.indexOf(target))) return;
    reached.push(all.indexOf(target));
    const style = getComputedStyle(target);
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 1) unseen.push(target.outerHTML.slice(0, 90));
  });
  document.activeElement.blur();
  return all.map((each) => each.outerHTML.slice(0, 90));
}"""
AT_ONCE = 20


def reached(page: Page, path: str) -> list[str]:
    """What is wrong with the way by Tab through a page."""
    page.goto(path)
    there, pressed = page.evaluate(WATCH), 0
    assert there, path
    while page.evaluate("reached.length") < len(there) and pressed < 4 * len(there):
        for _ in range(AT_ONCE):
            page.keyboard.press("Tab")
        pressed += AT_ONCE
    order: list[int] = page.evaluate("reached")
    wrong = [f"{path}: not reached: {there[each]}" for each in range(len(there)) if each not in order]
    wrong += [f"{path}: out of turn: {there[after]}" for before, after in pairwise(order) if after < before]
    return wrong + [f"{path}: focus is not seen: {each}" for each in page.evaluate("unseen")]


def test_everything_is_reached_by_tab_and_seen_to_be(at: At, chromium: Chromium) -> None:
    console = at("demanding")
    action = console.rows("SELECT min(id) AS id FROM action WHERE state = 'awaiting_approval'")[0]["id"]
    call = console.rows("SELECT min(id) AS id FROM work_task WHERE kind = 'call'")[0]["id"]
    code = console.rows("SELECT code FROM creditor")[0]["code"]
    paths = (
        *("/", "/approvals", f"/approvals/{action}", "/work", "/calls", f"/calls/{call}", "/cases", "/cases/1"),
        *("/cases/1/hold", "/messages", f"/journeys/{code}/forgetful"),
    )

    def steps(page: Page) -> list[str]:
        return [wrong for path in paths for wrong in reached(page, path)]

    with opened(console, chromium) as site:
        wrong = site.walk("mo", steps)
    assert not wrong, "\n".join(wrong)


def test_a_dialog_keeps_the_focus_and_gives_it_back(at: At, chromium: Chromium) -> None:
    def open_and_leave(page: Page, *, by_mouse: bool) -> None:
        """Out of a menu, whose entry has the focus again."""
        page.locator("summary").filter(has_text="More").press("Enter")
        entry = page.locator(".drop a[data-dialog]").first
        entry.press("Enter")
        dialog = page.get_by_role("dialog")
        dialog.wait_for()
        assert dialog.locator(":focus").count() == 1
        for key in ("Tab", "Shift+Tab"):
            for _ in range(AT_ONCE):
                page.keyboard.press(key)
                assert page.evaluate(INSIDE) != "out"
        if by_mouse:
            dialog.get_by_role("heading").click()
            dialog.get_by_role("link", name="Back").click()
        else:
            page.keyboard.press("Escape")
        dialog.wait_for(state="detached")
        assert entry.evaluate("element => element === document.activeElement")
        page.keyboard.press("Escape")
        assert not entry.is_visible()
        assert page.evaluate("document.activeElement.textContent") == "More"

    def steps(page: Page) -> None:
        page.goto("/cases/1")
        for by_mouse in (False, True):
            open_and_leave(page, by_mouse=by_mouse)
        page.keyboard.press("?")
        page.get_by_role("dialog", name="Keys").get_by_text("find a customer").wait_for()
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "find"
        page.keyboard.type("p")
        assert page.get_by_role("dialog").count() == 0, "who types presses no buttons"
        page.locator(".who summary").click()
        page.get_by_role("button", name="Turn shortcut keys off").click()
        page.goto("/cases/1")
        page.keyboard.press("?")
        assert page.get_by_role("dialog").count() == 0, "keys are turned off, on the next page, too"

    with opened(at("demanding"), chromium) as site:
        site.walk("mo", steps)
