"""Texts of people and of crawled pages that try to run as scripts, on every page that shows them, as Chromium reads it.

Two things are asked of every page: that nothing ran and nothing was refused by the Content-Security-Policy (which would
mean that something was there to be refused), and that its tree has no element, attribute or address but ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from lxml import etree
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import Connection, insert, select
from werkzeug.routing import Rule

from kb import config, ingest
from kb.config import Settings
from kb.model import Actor, Article, Author, Block, Quotation, Role, TopicContent
from kb.store import articles, audit, content, tables, topics
from kb.store.articles import NewArticle
from kb.store.db import open_database, writing
from kb.text.fingerprint import anchors
from kb.web import create_app
from kb.web.access import Access, public
from kb.web.library import library_of
from tests.journeys.driving import CHROMIUM, serving
from tests.journeys.payloads import payloads
from tests.making import FOR_TESTS, article
from tests.web.people import signed_in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH"),
]

TEXTS = payloads()
ROLES: tuple[Role, ...] = ("admin", "auditor", "editor", "operator", "trainer", "reader")
NOW = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
SLUG = "cctv-xwlb"
KINDS = ("paragraph", "heading", "list", "quote", "table", "caption", "note")
FEEDS = (".json", ".jsonl", ".csv", ".tsv", ".atom", ".xml")
TOPICS = 12
CONTROL = "/control/"
QUIET = (
    f"{CONTROL}<int:number>",
    "/metrics",
    "/healthz",
    "/readyz",
    "/static/<path:filename>",
)  # plain, and without a text of anybody

# Before anything of a page: what a payload calls, what blocks a page, and what the policy refuses.
LISTEN = """
    window.kbHits = [];
    window.kbHit = () => window.kbHits.push("kbHit");
    for (const name of ["alert", "prompt", "confirm", "print", "open"]) window[name] = () => { window.kbHits.push(name); };
    document.addEventListener("securitypolicyviolation",
        event => window.kbHits.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`), true);
"""

# What is on a page and not ours.
FOREIGN = """() => {
    const found = [];
    for (const one of document.querySelectorAll("*")) {
        const name = one.localName;
        const drawn = one.namespaceURI === "http://www.w3.org/2000/svg" && one.closest("figure.chart")
            && ["svg", "defs", "pattern", "path", "line", "rect", "text", "title", "a"].includes(name);
        if (one.namespaceURI !== "http://www.w3.org/1999/xhtml" && !drawn) found.push(`foreign ${name}`);
        if (["base", "style", "iframe", "frame", "frameset", "object", "embed", "applet", "template", "noscript", "img",
             "video", "audio", "xmp", "plaintext", "marquee", "portal"].includes(name)) found.push(name);
        if (name === "script" && !(one.getAttribute("src") || "").startsWith("/static/")) found.push("script");
        if (name === "link" && one.rel !== "alternate" && one.rel !== "search" && !one.getAttribute("href").startsWith("/static/")) found.push("link");
        if (name === "meta" && one.hasAttribute("http-equiv")) found.push("meta http-equiv");
        for (const attribute of one.attributes) {
            const ours = drawn && ["viewBox", "patternUnits"].includes(attribute.name);
            if (!ours && /^on|^style$|^srcdoc$|^formaction$|[^a-z0-9-]/.test(attribute.name)) found.push(`${name} ${attribute.name}`);
        }
        for (const attribute of ["href", "src", "action", "formaction"]) {
            if (!one.hasAttribute(attribute)) continue;
            const target = new URL(one.getAttribute(attribute), location.href);
            const ours = target.origin === location.origin;
            if (!ours && name !== "a") found.push(`${name} ${attribute} ${target}`);
            if (!["http:", "https:"].includes(target.protocol)) found.push(`${name} ${target}`);
            if (!ours && !(one.getAttribute("rel") || "").split(" ").includes("noopener")) found.push(`no noopener: ${target}`);
        }
    }
    return found;
}"""


# --- a library of attacks ---------------------------------------------------------------------------------------


def attack(number: int, text: str) -> Article:
    """An article that says the text wherever it can say something."""
    texts = tuple(f"载荷正文{number}第{part}处:{text}" for part in range(len(KINDS)))
    marks = anchors(texts)
    blocks = tuple(
        Block(mark, kind, 1 if kind == "heading" else None, said)  # type: ignore[arg-type]
        for mark, kind, said in zip(marks, KINDS, texts, strict=True)
    )
    made = article(f"载荷{number}{text}", ("",), key=f"https://a.example/{number}")
    return replace(
        made,
        blocks=blocks,
        url=text if ":" in text[:20] else f"https://a.example/{number}?{text}",
        kicker=text,
        subtitle=text,
        newspaper=text,
        published=f"20{10 + number % 14}-05-{1 + number % 28:02}",
        edition_page=text,
        page_name=text,
        affiliation=text,
        authors=(Author(text, text),),
        quotations=(Quotation(text, text, "载荷", marks[0], 0),),
        continues=text,
        tags=(text,),
    )


def build(data: Path) -> Settings:
    """A data folder in which whatever a person or a page can set is an attack."""
    settings = Settings(data=data, page_size=100, **FOR_TESTS)
    config.prepare_data(settings)
    database = open_database(settings.database)
    with writing(database) as connection:
        items = [NewArticle(attack(number, text)) for number, text in enumerate(TEXTS)]
        articles.save(connection, items, articles.fingerprints(connection))
    ingest.reindex(database, settings, everything=True)
    return settings


def fill(connection: Connection) -> None:
    """Topics, people, units, searches, runs, words, readings, uploads, records: every line says one of the texts."""
    me = connection.execute(select(tables.users.c.id).where(tables.users.c.role == "admin")).scalars().first()
    user = {
        "role": "reader", "password_hash": "x", "old_hashes": [], "password_set_at": NOW, "must_change": False,
        "created_at": NOW, "preferences": {},
    }  # fmt: skip
    run = dict.fromkeys(("fetched", "new", "changed", "unchanged", "failed", "skipped", "blocked", "left"), 1)
    page = {
        "kind": "article",
        "depth": 1,
        "state": "failed",
        "tries": 3,
        "checks": 1,
        "reason": "fetch.timeout",
    }
    by = {"changed_at": NOW, "changed_by": "x"}
    for number, text in enumerate(TEXTS):
        many: list[tuple[Any, dict[str, Any]]] = [
            (tables.users, {**user, "name": f"{text}{number}", "full_name": text}),
            (tables.units, {"name": f"{text}{number}"}),
            (tables.sign_ins, {"user_id": me, "token_hash": f"{number}", "created_at": NOW, "seen_at": NOW, "address": text, "device": text}),
            (tables.search_history, {"user_id": me, "asked_at": NOW, "query": text, "total": 1}),
            (tables.searches, {"asked_at": NOW, "query": text, "total": number % 2, "took_ms": 2000}),
            (tables.runs, {**run, "source": SLUG, "started_at": NOW, "ended_at": NOW, "stopped": "fetch.host", "detail": text, "pid": 1, "lacking": {}}),
            (tables.frontier, {**page, "source": SLUG, "url": f"{text}{number}", "discovered_from": text, "final_url": text, "content_type": text, "fetched_at": NOW, "detail": text}),
            (tables.reviews, {
                "key": f"{number}", "source": "files", "name": text, "page_hash": "0" * 64, "content_type": text,
                "content": content.of(attack(number, text)), "source_text": text, "confidence": 30,
                "state": ("waiting", "passed", "returned")[number % 3], "created_at": NOW, "created_by": text,
                "decided_at": NOW, "decided_by": text, "note": text,
            }),
            (tables.lexicon_words, {"word": f"{text}{number}", "frequency": 1, "is_removed": number % 2 == 1, **by, "changed_by": text}),
            (tables.synonym_groups, {"names": [text, f"{text}{number}"], "is_removed": number % 2 == 1, **by, "changed_by": text}),
        ]  # fmt: skip
        for table, values in many:
            known = {column.name for column in table.columns}
            connection.execute(
                insert(table).values({name: one for name, one in values.items() if name in known})
            )
        audit.record(
            connection, Actor(text, text[:45]), "sign_in.failed", f"user:{text}", detail={"why": text}
        )
    for number, text in enumerate(TEXTS[:: len(TEXTS) // TOPICS][:TOPICS]):
        topics.add(connection, f"attack-{number}", TopicContent(text, "载荷", introduction=text), text, text)
    connection.execute(
        insert(tables.source_states).values(source=SLUG, is_paused=True, changed_at=NOW, changed_by=TEXTS[0])
    )


def raw(number: int) -> str:
    """What no page of kb does: a text as markup, and in an attribute."""
    return f"<!doctype html><title>x</title><p>{TEXTS[number]}</p><a href='{TEXTS[number]}'>x</a>"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    made = create_app(build(tmp_path_factory.mktemp("hostile") / "data"))
    made.add_url_rule(f"{CONTROL}<int:number>", "control", public(raw))
    signed_in(made, "admin")
    with writing(library_of(made).database) as connection:
        fill(connection)
    return made


@pytest.fixture(scope="module")
def address(app: Flask) -> Iterator[str]:
    with serving(app) as told:
        yield told


# --- what is looked at ------------------------------------------------------------------------------------------


class Watcher:
    """Browsers of people in every role; `obeys`: whether they hold to the pages' policy."""

    def __init__(self, browser: Browser, app: Flask, address: str, *, obeys: bool = True) -> None:
        self.address = address
        self.contexts: dict[Role, BrowserContext] = {}
        self.pages: dict[Role, Page] = {}
        self.wrong: list[tuple[str, list[str]]] = []
        for role in ROLES:
            context = browser.new_context(bypass_csp=not obeys)
            context.add_init_script(LISTEN)
            cookie = signed_in(app, role).get_cookie("sign_in")
            assert cookie is not None
            context.add_cookies([{"name": "sign_in", "value": cookie.value, "url": address}])
            self.contexts[role], self.pages[role] = context, context.new_page()

    def look(self, role: Role, path: str) -> int:
        """Open a page and note what is wrong with it; its status."""
        page = self.pages[role]
        answer = page.goto(self.address + path, wait_until="load")
        found = page.evaluate(FOREIGN) + page.evaluate("window.kbHits")
        if found or answer is None or answer.status >= 500:
            self.wrong.append((path, [str(answer and answer.status), *found[:5]]))
        return answer.status if answer else 0

    def close(self) -> None:
        for context in self.contexts.values():
            context.close()


def pages(app: Flask) -> list[tuple[Role, Rule]]:
    """Every page, with a role that may see it."""
    found = []
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: one.rule):
        access: Access = app.view_functions[rule.endpoint].access  # type: ignore[attr-defined]
        if "GET" in (rule.methods or ()) and rule.rule not in QUIET:
            role: Role = next(one for one in ROLES if access.who != "roles" or one in access.roles)
            found.append((role, rule))
    return found


def paths(app: Flask, rule: Rule, numbers: range) -> Iterator[str]:
    """Where a page is, once for each of the numbers when it has arguments."""
    for number in numbers if rule.arguments else range(1):
        text = TEXTS[number % len(TEXTS)]
        values: dict[str, Any] = {
            "newspaper": text, "label": text, "day": f"20{10 + number % 14}-05-{1 + number % 28:02}",
            "slug": "sample" if rule.rule.startswith("/feed/") else SLUG, "name": "operations",
            "topic_slug": f"attack-{number % TOPICS}",
        }  # fmt: skip
        arguments = {name: values.get(name, number + 1) for name in rule.arguments}
        yield app.url_map.bind("localhost").build(rule.endpoint, arguments, method="GET")


def asked(rule: Rule) -> tuple[str, ...]:
    """Queries of a page on which it shows more than without."""
    if rule.rule == "/search.atom":
        return ("?q=载荷", "?q=载荷正文7", f"?q=载荷&newspaper={quote(TEXTS[5])}")
    if rule.rule in ("/search", "/search.json"):
        return ("?q=载荷", "?q=载荷&page=3", "?q=载荷正文7&sort=newest", f"?q={quote(TEXTS[5])}&scope=title")
    if rule.rule == "/suggest.json":
        return ("?q=载荷", "?q=zaihe")
    return ("", "?all=1&show=1&page=2")[: 1 + rule.rule.startswith("/admin")]


@pytest.fixture
def watcher(browser: Browser, app: Flask, address: str) -> Iterator[Watcher]:
    made = Watcher(browser, app, address)
    yield made
    made.close()


# --- the tests --------------------------------------------------------------------------------------------------


def test_there_are_three_hundred_different_attacks() -> None:
    assert len(set(TEXTS)) == len(TEXTS) >= 300
    assert sum("kbHit" in text for text in TEXTS) >= 250


@pytest.mark.slow
def test_a_page_that_takes_texts_for_markup_is_found_out(watcher: Watcher) -> None:
    """The test itself: what it looks for, it sees."""
    numbers = range(0, len(TEXTS), 25)
    for number in numbers:
        watcher.look("reader", f"{CONTROL}{number}")
    ran = [
        found
        for _, (_, *found) in watcher.wrong
        if any("script-src" in one or one == "kbHit" for one in found)
    ]

    assert len(watcher.wrong) >= len(numbers) / 2 and ran


@pytest.mark.slow
def test_on_every_page_the_attacks_are_text_and_nothing_runs(watcher: Watcher, app: Flask) -> None:
    seen = 0
    for role, rule in pages(app):
        if rule.rule.endswith(FEEDS):
            continue
        for path in paths(app, rule, range(40, 41)):
            for query in asked(rule):
                watcher.look(role, path + query)
                seen += 1

    assert watcher.wrong == []
    assert seen >= 50


def test_what_chromium_gets_of_a_feed_is_no_page(app: Flask) -> None:
    """JSON, CSV and the like say so, and no browser may guess otherwise."""
    clients = {role: signed_in(app, role) for role in ROLES}
    wrong = []
    for role, rule in pages(app):
        for path in paths(app, rule, range(40, 43)) if rule.rule.endswith(FEEDS) else ():
            for query in asked(rule):
                answer = clients[role].get(path + query, buffered=True)
                kind = answer.content_type.partition(";")[0]
                if kind not in KINDS_OF_FEEDS or answer.headers["X-Content-Type-Options"] != "nosniff":
                    wrong.append((role, path + query, answer.status_code, answer.text[-600:]))
                if kind == "application/json":
                    json.loads(answer.text)
                if kind.endswith("xml"):
                    etree.fromstring(answer.data)

    assert wrong == []


KINDS_OF_FEEDS = (
    "application/json", "application/x-ndjson", "application/jsonl", "text/csv", "text/tab-separated-values",
    "application/atom+xml", "application/xml", "application/opensearchdescription+xml",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("obeys", [True, False], ids=["with the policy", "even without the policy"])
def test_no_attack_runs_on_any_page_that_shows_it(
    browser: Browser, app: Flask, address: str, obeys: bool
) -> None:
    """Each on a page of its own too."""
    watcher = Watcher(browser, app, address, obeys=obeys)
    for role, rule in pages(app):
        step = 1 if rule.rule.startswith("/a/") else 12
        for path in () if rule.rule.endswith(FEEDS) else paths(app, rule, range(0, len(TEXTS), step)):
            for query in asked(rule):
                watcher.look(role, path + query)
    for number, text in enumerate(TEXTS):
        watcher.look("reader", f"/search?q={quote(text)}")
        if number % 12 == 0:
            watcher.look("reader", f"/search?q={quote('载荷')}&newspaper={quote(text)}")
            watcher.look("reader", f"/a/1?q={quote(text)}")
    watcher.close()

    assert watcher.wrong == []
