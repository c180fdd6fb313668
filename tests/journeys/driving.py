"""Driving Chromium: the application under a server, a window and what its console said, what axe and a ruler find."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page
from waitress.server import create_server

CHROMIUM = shutil.which("chromium")
AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Without the middle ones Chromium asks hosts of its maker for news at every start.
FLAGS = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

# WCAG 2.5.8: 24 px, but for links inside a sentence.
SMALL = """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), summary")]
    .filter(one => !one.closest("p, .meta"))
    .map(one => [(one.closest("label") || one).getBoundingClientRect().height, one.outerHTML.slice(0, 80)])
    .filter(([height, _]) => 0 < height && height < 24)"""


def measure(page: Page, width: int) -> tuple[int, list[Any]]:
    """How wide the page is on a screen of `width` px, and what is too small to be pressed there."""
    page.set_viewport_size({"width": width, "height": 800})
    return page.evaluate("document.documentElement.scrollWidth"), page.evaluate(SMALL)


def mostly_slow(kinds: Iterable[str], fast: Collection[str]) -> list[Any]:
    """Values for parametrize, of which the fast suite takes a few."""
    return [kind if kind in fast else pytest.param(kind, marks=pytest.mark.slow) for kind in kinds]


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """`app` under waitress on a free port of loopback; its address."""
    server = create_server(app, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.trigger.pull_trigger(server.close)  # closed by its own thread, between two requests
        thread.join(timeout=10)
        server.task_dispatcher.shutdown()


class Visit:
    """A page in a new browser window, and what its console said."""

    def __init__(self, browser: Browser) -> None:
        context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        # Chromium notes the status of a page that is an error by design; a missing part of a page is a complaint.
        is_the_page = message.location.get("url") == self.page.url and "status of" in message.text
        if message.type in ("error", "warning") and not is_the_page:
            self.complaints.append(message.text)

    def close(self) -> None:
        self.page.context.close()
