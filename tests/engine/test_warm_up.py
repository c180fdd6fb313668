"""No request and no update waits for a kernel to be compiled: the warm-up has met every one of them."""

from __future__ import annotations

import itertools
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kb.engine import kernel_cache, open_engine, warm_up
from kb.engine.tree import Range, Rank
from kb.engine.warm_up import compile_kernels
from kb.errors import ConfigError, QueryError
from kb.model import Page, Query
from kb.query import parse
from kb.text.segment import Segmenter
from tests.compiling import signatures
from tests.engine import test_contract

MORE = (
    "“党建”",
    "“的”",
    "标题:“党”",
    "党 建 业 务",
    "公益诉讼 龘",
    "作者:周",
    "日期:2023",
    "报纸:“清河日报”",
)
CHOSEN = ({}, {"newspaper": ("清河日报", "")}, {"year": ("2023",)})
FACETS = ((), ("newspaper", "year"), ("author", "affiliation", "source", "edition_page"))


def texts_in(value: object) -> Iterator[str]:
    """Every string in nested lists and tuples."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts_in(one)


def contract_queries() -> list[Query]:
    """Whatever the contract suite is parametrised with, as far as it can be read as a query."""
    marks = [
        mark.args[1:]
        for test in vars(test_contract).values()
        for mark in getattr(test, "pytestmark", ())
        if mark.name == "parametrize"
    ]
    queries = []
    for text in dict.fromkeys([*texts_in([list(map(list, mark)) for mark in marks]), *MORE]):
        try:
            queries.append(parse(text, date.min))
        except QueryError:
            continue
    return queries


def ask_everything(engine: Any) -> None:
    sorts = itertools.cycle(("relevance", "newest", "oldest", "longest", "shortest"))
    collapsed = itertools.cycle((False, False, True))
    for query, match, only, facets in itertools.product(contract_queries(), ("all", "any"), CHOSEN, FACETS):
        page = Page(only=only, facets=facets, sort=next(sorts), collapse=next(collapsed))
        engine.find(query, page, match=match)
        engine.marks(query)
    engine.held_words(parse("党建", date.min), Page(), 1)
    engine.find_tree(Rank(Range("id", 1, 2), ()), Page())


def use(folder: Path) -> None:
    """All queries over an index as it is built, changed, merged and opened again."""
    segmenter = Segmenter(test_contract.LEXICON)
    engine = open_engine(folder, segmenter)
    shelf = test_contract.SHELF
    engine.rebuild([shelf], seq=1)
    ask_everything(engine)
    for turn in range(10):
        engine.update(shelf[turn % len(shelf) :], seq=2 + turn)
    ask_everything(open_engine(folder, segmenter))
    engine.rebuild([[one] for one in shelf], seq=20)
    ask_everything(engine)
    assert engine.verify() == []


def test_nothing_is_compiled_after_the_warm_up(tmp_path: Path) -> None:
    """In a process of its own: other tests call kernels with types that no request has."""
    program = "import sys; from tests.engine.test_warm_up import new_kernels; new_kernels(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def new_kernels(folder: str) -> None:
    """Print what is compiled after the warm-up."""
    compile_kernels()
    before = signatures()
    assert before and len(contract_queries()) > 20
    use(Path(folder))
    sys.stdout.write("\n".join(sorted(signatures() - before)))


@pytest.mark.parametrize(("done", "said"), [(True, 0), (False, 1)])
def test_who_needs_kernels_that_set_up_has_not_compiled_is_told_and_waits(
    monkeypatch: pytest.MonkeyPatch, done: bool, said: int
) -> None:
    lines: list[str] = []
    runs: list[list[str]] = []

    def run(command: list[str], **_more: Any) -> subprocess.CompletedProcess[str]:
        runs.append(command[1:])
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(kernel_cache, "is_complete", lambda: done)
    monkeypatch.setattr(subprocess, "run", run)
    warm_up.ensure(lines.append)

    assert (len(lines), runs) == (said, [["-m", "kb.engine.warm_up"]] * said)


def test_kernels_that_cannot_be_compiled_are_a_named_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "Traceback …\nMemoryError: no room\n")
    monkeypatch.setattr(kernel_cache, "is_complete", lambda: False)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)

    with pytest.raises(ConfigError) as caught:
        warm_up.ensure(lambda _line: None)
    assert caught.value.key == "index.kernels"
    assert "MemoryError: no room" in caught.value.words("zh")


def test_kernels_lie_in_a_folder_that_nobody_else_can_open() -> None:
    known = kernel_cache.folder().stat()

    assert stat.S_IMODE(known.st_mode) == 0o700
    assert known.st_uid == os.geteuid()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o777])
def test_a_folder_that_others_can_open_holds_no_kernels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    monkeypatch.setenv("KB_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    private = kernel_cache.folder.__wrapped__()
    private.chmod(mode)

    assert private.is_relative_to(tmp_path / "venv")
    assert kernel_cache.folder.__wrapped__().is_relative_to(tmp_path / "data" / "kernels")


def test_kernels_unused_for_a_month_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for one in (old, new):
        one.mkdir()
        (one / kernel_cache.COMPLETE).touch()
    os.utime(old / kernel_cache.COMPLETE, (0, 0))
    monkeypatch.setattr(kernel_cache, "folder", lambda: new)
    kernel_cache.complete()

    assert (old.exists(), new.exists()) == (False, True)
