"""Whatever lists, counts or shows articles for somebody is told what is hidden from him or her: call by call, in the source."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.engine import Engine
from kb.model import Page
from kb.search import Search
from kb.store import articles, issues, presence, reprints, titles
from kb.suggest import Suggester, make

ROOT = Path(__file__).resolve().parents[2]
MODULES = {
    "articles": articles,
    "issues": issues,
    "presence": presence,
    "reprints": reprints,
    "titles": titles,
}
OBJECTS = {"search": Search, "suggester": Suggester, "engine": Engine}
# Calls without it, and why.
EXEMPT = {
    ("kb/web/server.py", "search.find"): "warms the kernels up; nobody is shown the answer",
    ("kb/web/server.py", "app.search.find"): "warms the kernels up; nobody is shown the answer",
    ("kb/web/admin/limits.py", "articles.shown"): "counts what a limit hides, for who sets it",
}


def takes_hidden(function: object) -> bool:
    return callable(function) and "hidden" in inspect.signature(function).parameters


def is_about(call: ast.Call) -> bool:
    """Whether it calls a function that can be told what is hidden."""
    name = ast.unparse(call.func).replace("()", "")
    if "." not in name:
        bare = {
            "copies": reprints.copies,
            "earliest_seen": reprints.earliest_seen,
            "make": make,
            "Page": Page,
        }
        return name in bare and takes_hidden(bare[name])
    owner, function = name.split(".")[-2:]
    where: object = MODULES.get(owner) or OBJECTS.get(owner)
    return where is not None and takes_hidden(getattr(where, function, None))


def silent(path: str, source: str) -> Iterator[tuple[str, str]]:
    """Calls that do not say what is hidden."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and is_about(node):
            said = any(word.arg == "hidden" for word in node.keywords) or len(node.args) > 2
            if not said:
                yield path, ast.unparse(node.func).replace("()", "").removeprefix("the_library.")


def sources() -> Iterator[tuple[str, str]]:
    for path in [*sorted((ROOT / "kb/web").rglob("*.py")), ROOT / "kb/search.py", ROOT / "kb/suggest.py"]:
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def test_every_call_that_shows_articles_says_what_is_hidden() -> None:
    found = {call for path, source in sources() for call in silent(path, source)}

    assert sorted(found - set(EXEMPT)) == []


@pytest.mark.parametrize(
    "call",
    [
        "articles.newest(connection, 12)",
        "issues.place(connection, stored)",
        "copies(connection, roots)",
        "the_library().search.find(text)",
        "self.search.count(text)",
        "library.suggester.find(typed)",
        "self.engine.like(stored, 5)",
        "Page(limit=0)",
    ],
)
def test_a_call_that_does_not_say_it_is_found(call: str) -> None:
    assert list(silent("kb/web/a.py", call))
    assert not list(silent("kb/web/a.py", f"{call[:-1]}, hidden=hidden)"))
