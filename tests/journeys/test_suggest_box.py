"""The search box as Chromium runs it: suggestions by keyboard, mouse and touch, and an IME that confirms with Enter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Page

from kb.web import create_app
from kb.web.library import EXTENSION
from tests.journeys.driving import AXE, CHROMIUM, RULES, Visit, serving
from tests.web import shelf

LIST = "[role=listbox]"
OPTIONS = f"{LIST} [role=option]"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    app = create_app(shelf.build(tmp_path_factory.mktemp("box") / "data"))
    app.extensions[EXTENSION].suggester.refresh()
    with serving(app) as told:
        yield told


@pytest.fixture
def box(visit: Visit, home: str) -> Page:
    """The home page with its box in focus."""
    visit.page.goto(home)
    visit.page.wait_for_selector("#q:focus")
    return visit.page


def asked(page: Page) -> list[str]:
    """What suggestions were asked for, from now on."""
    found: list[str] = []
    page.on("request", lambda sent: found.append(unquote(sent.url)) if "/suggest.json" in sent.url else None)
    return found


def state(page: Page) -> dict[str, Any]:
    """What assistive technology is told of the box."""
    told: dict[str, Any] = page.evaluate("""() => {
        const box = document.activeElement, list = document.getElementById(box.getAttribute("aria-controls"));
        const active = document.getElementById(box.getAttribute("aria-activedescendant"));
        return {
            role: box.getAttribute("role"), expanded: box.getAttribute("aria-expanded"), value: box.value,
            shown: !list.hidden, options: list.children.length,
            active: active && active.firstChild.textContent, selected: list.querySelectorAll("[aria-selected=true]").length,
            said: document.querySelector("form.search [aria-live]").textContent};
    }""")
    return told


def type_and_wait(page: Page, typed: str) -> None:
    """At one stroke: on a busy machine an answer to half of it could come late."""
    page.keyboard.insert_text(typed)
    page.wait_for_selector(OPTIONS)


def test_suggestions_are_chosen_by_keyboard(box: Page, visit: Visit, home: str) -> None:
    type_and_wait(box, "jcjgdj")
    opened = state(box)
    box.keyboard.press("ArrowDown")
    first = state(box)
    box.keyboard.press("ArrowUp")
    back = state(box)
    box.keyboard.press("ArrowUp")
    last = state(box)
    box.keyboard.press("ArrowDown")
    box.keyboard.press("ArrowDown")
    box.keyboard.press("Enter")
    box.wait_for_url("**/a/*")

    assert opened == {
        "role": "combobox", "expanded": "true", "value": "jcjgdj", "shown": True, "options": opened["options"],
        "active": None, "selected": 0, "said": f"{opened['options']} 条建议，按上下键选择",
    }  # fmt: skip
    assert first["active"] == last["active"] == "检察机关党建与业务融合的探索"
    assert (first["selected"], first["value"], back["active"]) == (1, "jcjgdj", None)
    assert box.inner_text("h1") == "检察机关党建与业务融合的探索"
    assert visit.complaints == []


def test_enter_searches_for_what_was_typed_and_escape_only_closes(box: Page) -> None:
    type_and_wait(box, "三会")
    box.keyboard.press("Escape")
    closed = state(box)
    box.keyboard.press("ArrowDown")
    again = state(box)
    box.keyboard.press("Escape")
    box.keyboard.press("Enter")
    box.wait_for_url("**/search?*")

    assert (closed["shown"], closed["expanded"], closed["value"]) == (False, "false", "三会")
    assert again["shown"] and again["active"]
    assert "/search?q=三会&" in f"{unquote(box.url)}&"


@pytest.mark.slow
def test_a_click_and_a_touch_take_a_suggestion(box: Page, browser: Browser, home: str) -> None:
    type_and_wait(box, "云岭")
    box.click(f"{OPTIONS} >> text=云岭日报")
    box.wait_for_url("**/search?*")
    context = browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 360, "height": 640})
    phone = context.new_page()
    phone.goto(home)
    phone.tap("#q")
    type_and_wait(phone, "云岭")
    width = phone.evaluate("document.documentElement.scrollWidth")
    heights = phone.evaluate(f"[...document.querySelectorAll('{OPTIONS}')].map(one => one.offsetHeight)")
    phone.tap(f"{OPTIONS} >> text=云岭日报")
    phone.wait_for_url("**/search?*")
    touched = unquote(phone.url)
    context.close()

    assert unquote(box.url).endswith("/search?q=报纸:云岭日报") and touched.endswith(
        "/search?q=报纸:云岭日报"
    )
    assert width == 360 and min(heights) >= 36


def test_leaving_the_box_closes_the_list(box: Page) -> None:
    type_and_wait(box, "三会")
    box.keyboard.press("Tab")
    box.wait_for_selector(LIST, state="hidden")

    assert box.is_hidden(LIST)


def test_only_the_last_of_fast_keystrokes_is_asked_for(box: Page) -> None:
    sent = asked(box)
    # In one task of the page: on a busy machine keys sent one by one come too far apart.
    box.evaluate("""
        for (const letter of "sanhui") {
          document.activeElement.value += letter;
          document.activeElement.dispatchEvent(new Event("input"));
        }
    """)
    box.wait_for_selector(OPTIONS)

    assert [url.split("q=")[1] for url in sent] == ["sanhui"]


def test_an_ime_is_left_alone_until_it_has_ended(box: Page) -> None:
    sent = asked(box)
    ime = box.context.new_cdp_session(box)
    for typed in ("s", "san", "sanhui"):
        ime.send(
            "Input.imeSetComposition",
            {"text": typed, "selectionStart": len(typed), "selectionEnd": len(typed)},
        )
    box.wait_for_timeout(300)
    while_composing = list(sent)
    # Chromium marks the keys that an IME takes with the code 229.
    ime.send(
        "Input.dispatchKeyEvent",
        {"type": "rawKeyDown", "key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229},
    )
    ime.send("Input.insertText", {"text": "三会"})
    ime.send(
        "Input.dispatchKeyEvent",
        {"type": "keyUp", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13},
    )
    box.wait_for_selector(OPTIONS)

    assert while_composing == []
    assert box.input_value("#q") == "三会"
    assert unquote(box.url).endswith("/") and "/search" not in box.url
    assert [url.split("q=")[1] for url in sent] == ["三会"]


def test_an_enter_right_after_an_ime_has_ended_does_not_submit(box: Page) -> None:
    prevented = box.evaluate("""() => {
        const box = document.activeElement, key = () => new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true});
        box.dispatchEvent(new CompositionEvent("compositionstart"));
        box.dispatchEvent(new CompositionEvent("compositionend", {data: "三会"}));
        const first = key();
        box.dispatchEvent(first);
        return new Promise(done => setTimeout(() => {
            const later = key();
            box.dispatchEvent(later);
            done([first.defaultPrevented, later.defaultPrevented]);
        }, 200));
    }""")

    assert prevented == [True, False]


def test_a_form_is_not_submitted_while_an_ime_composes(box: Page) -> None:
    stopped = box.evaluate("""() => {
        const box = document.activeElement, event = new Event("submit", {cancelable: true});
        box.dispatchEvent(new CompositionEvent("compositionstart"));
        box.form.dispatchEvent(event);
        return event.defaultPrevented;
    }""")

    assert stopped


def test_a_slash_goes_to_the_box_but_is_typed_in_it_and_can_be_off(visit: Visit, home: str) -> None:
    page = visit.page
    page.goto(f"{home}/search?q=三会一课")
    page.keyboard.press("/")
    focused = state(page)
    page.keyboard.press("End")
    page.keyboard.type("/")
    typed = page.input_value("#q")
    page.evaluate("document.activeElement.blur(); document.documentElement.dataset.keys = 'off'")
    page.keyboard.press("/")

    assert focused["value"] == "三会一课" and typed == "三会一课/"
    assert page.evaluate("document.activeElement === document.body")


@pytest.mark.parametrize("path", ["/", "/search?q=三会一课"])
def test_an_open_list_is_accessible_and_fits_a_phone(visit: Visit, home: str, path: str) -> None:
    page = visit.page
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(home + path)
    page.fill("#q", "")
    page.focus("#q")
    type_and_wait(page, "dangjian")
    page.keyboard.press("ArrowDown")
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)

    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert visit.complaints == []


def test_without_javascript_the_box_is_a_plain_one(browser: Browser, home: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(home)
    plain = page.get_attribute("#q", "role"), page.query_selector(LIST)
    page.fill("#q", "三会一课")
    page.press("#q", "Enter")
    page.wait_for_url("**/search?*")
    said = page.inner_text("[role=status]")
    context.close()

    assert plain == (None, None)
    assert said.startswith("找到")
