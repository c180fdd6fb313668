"""The house stays as DESIGN §2 draws it. Every rule is also shown a planted violation, so that it can fail."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import house

ROOT = Path(__file__).resolve().parent.parent

# Import names that differ from the name of the package that carries them.
CARRIED_BY = {
    "argon2": "argon2-cffi",
    "flask_limiter": "flask-limiter",
    "flask_wtf": "flask-wtf",
    "prometheus_client": "prometheus-client",
    "bs4": "beautifulsoup4",
    "docx": "python-docx",
    "jinja2": "flask",  # part of what Flask hands out
    "markdown_it": "markdown-it-py",
    "markupsafe": "flask",
    "readability": "readability-lxml",
    "soupsieve": "beautifulsoup4",  # the selectors of its select()
    "werkzeug": "flask",
}


# Test tools that no test imports.
RUN_BY_NAME = {"hatchling", "lxml-stubs", "mypy", "pytest-xdist", "ruff"}


@pytest.mark.parametrize("rule", house.RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule: Callable[[Path], list[str]]) -> None:
    assert rule(ROOT) == []


@pytest.mark.parametrize(
    ("rule", "path", "source", "said"),
    [
        (house.broken_floors, "kb/model.py", "from kb import errors", "model may not import kb.errors"),
        (
            house.broken_floors,
            "kb/query.py",
            "from kb.parse import page",
            "query may not import kb.parse.page",
        ),
        (
            house.broken_floors,
            "kb/store/a.py",
            "def f():\n    import kb.crawl.fetch",
            "store may not import kb.crawl",
        ),
        (house.broken_floors, "kb/engine/a.py", "from ..store import page", "engine may not import kb.store"),
        (house.broken_floors, "kb/ingest.py", "from kb.search import x", "ingest may not import kb.search"),
        (
            house.broken_floors,
            "kb/digest.py",
            "from kb.evaluate import x",
            "digest may not import kb.evaluate",
        ),
        (
            house.broken_floors,
            "kb/web/a.py",
            "from kb.engine import open_engine",
            "web may not import kb.engine",
        ),
        (house.import_cycles, "kb/store/a.py", "from kb.store import page", "kb.store.a -> kb.store.page"),
        (house.impurities, "kb/text/a.py", "import sqlite3", "may not import sqlite3"),
        (
            house.impurities,
            "kb/parse/a.py",
            "def f(path):\n    return path.read_text()",
            "may not call read_text",
        ),
        (
            house.impurities,
            "kb/query.py",
            "from datetime import date\nx = date.today()",
            "may not call today",
        ),
        (house.working_inits, "kb/text/__init__.py", "from kb.text.page import f\nf()", "working __init__"),
        (house.working_inits, "kb/web/__init__.py", "from kb.model import Article", "re-exports Article"),
        (house.sizes, "kb/a.py", "def f():\n" + "    f()\n" * 60, "f has 61 lines"),
        (house.sizes, "kb/a.py", "x = 1\n" * 401, "its docstring must say why"),
        (house.sizes, "kb/a.py", "def f():\n" + "    f()\n" * 12, "median function has 13"),
        (house.empty_names, "kb/text/utils.py", "", "utils"),
        (house.empty_names, "kb/a.py", "class BaseParser: pass", "BaseParser"),
        (house.empty_names, "kb/a.py", "def url_helper(): pass", "url_helper"),
        (house.banned_code, "kb/a.py", "from whoosh.writing import AsyncWriter", "banned: AsyncWriter"),
        (
            house.banned_code,
            "kb/a.py",
            "import whoosh\nwhoosh.writing.BufferedWriter(1)",
            "banned: BufferedWriter",
        ),
        (house.banned_code, "kb/a.py", "x = 1  # TODO later", "unfinished"),
        (
            house.banned_code,
            "kb/a.py",
            "def f():\n    raise NotImplementedError",
            "banned: raise NotImplementedError",
        ),
        (
            house.swallowed_errors,
            "kb/a.py",
            "try:\n    f()\nexcept Exception:\n    pass",
            "must log the traceback",
        ),
        (
            house.swallowed_errors,
            "kb/a.py",
            "try:\n    f()\nexcept (OSError, Exception):\n    log.error('x')",
            "must",
        ),
        (house.swallowed_errors, "kb/a.py", "try:\n    f()\nexcept:\n    pass", "must log the traceback"),
        (
            house.changing_test_ids,
            "tests/test_a.py",
            "@pytest.mark.parametrize('b', [gzip.compress(b'')])\ndef test_b(b): ...",
            "give mtime=0",
        ),
        (house.unsafe_templates, "templates/a.html", "\n{{ x | safe }}", "a.html:2: |safe"),
        (house.unsafe_templates, "templates/a.html", '<p style="color: red">', "inline style"),
        (house.unsafe_templates, "templates/a.html", "<script>f()</script>", "inline script"),
        (house.unsafe_templates, "templates/a.html", '<a href="/" onclick="f()">', "inline event handler"),
        (
            house.unsafe_templates,
            "templates/a.html",
            '<script src="https://cdn.example/x.js">',
            "foreign host",
        ),
        (house.unsafe_templates, "templates/partials/_hit.html", "<p>", "what it needs"),
    ],
)
def test_a_planted_violation_is_found(
    tmp_path: Path, rule: Callable[[Path], list[str]], path: str, source: str, said: str
) -> None:
    for name in ("crawl/fetch", "parse/page", "store/page", "text/page"):
        plant(tmp_path, f"kb/{name}.py", "from kb.store import a\n" if name == "store/page" else "")
    plant(tmp_path, "kb/errors.py", "")
    plant(tmp_path, path, source + "\n")

    assert any(said in problem for problem in rule(tmp_path)), rule(tmp_path)


def test_what_the_house_allows_is_not_reported(tmp_path: Path) -> None:
    plant(tmp_path, "kb/errors.py", '"""Words."""\n')
    plant(tmp_path, "kb/text/normalize.py", "from kb.errors import KbError\n\n\ndef fold() -> KbError: ...\n")
    plant(tmp_path, "kb/text/snippet.py", "from kb.text import normalize\n")
    plant(tmp_path, "kb/engine/__init__.py", "from kb.errors import KbError\n\n\ndef f() -> KbError: ...\n")
    plant(tmp_path, "kb/web/a.py", "from kb.store import articles\n")
    plant(tmp_path, "kb/b.py", "try:\n    f()\nexcept Exception:\n    log.exception('page.failed')\n")
    plant(
        tmp_path, "kb/c.py", '"""Longer than 400 lines because a table is kept whole."""\n' + "x = 1\n" * 500
    )
    plant(tmp_path, "templates/a.html", '{# never |safe #}\n<script src="/static/kb.js"></script>\n')

    assert [problem for rule in house.RULES for problem in rule(tmp_path)] == []


def plant(root: Path, path: str, source: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(source, encoding="utf-8")


def test_kb_imports_what_it_declares_and_declares_what_it_imports() -> None:
    imported = house.third_party_imports(ROOT / "kb", sys.stdlib_module_names | {"kb"})

    assert {CARRIED_BY.get(name, name) for name in imported} == packages(project()["dependencies"])


def test_the_tests_import_what_they_declare_and_declare_what_they_import() -> None:
    imported = house.third_party_imports(ROOT / "tests", sys.stdlib_module_names | {"kb", "scripts", "tests"})
    declared = packages(project()["optional-dependencies"]["tests"])
    named = {CARRIED_BY.get(name, name) for name in imported}

    assert named <= declared | packages(project()["dependencies"])
    assert declared <= named | RUN_BY_NAME


def project() -> dict[str, Any]:
    parsed: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return parsed


def packages(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=! ]", line)[0].lower() for line in requirements}


def test_the_command_line_imports_nothing_heavy_before_a_verb_runs() -> None:
    question = "import json, sys; before = set(sys.modules); import kb.cli; print(json.dumps([*(set(sys.modules) - before)]))"
    answer = subprocess.run(
        [sys.executable, "-c", question], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in json.loads(answer.stdout)}

    assert loaded - sys.stdlib_module_names == {"kb", "click"}
    assert not loaded & {"asyncio", "sqlite3", "ssl", "http", "email", "multiprocessing"}
