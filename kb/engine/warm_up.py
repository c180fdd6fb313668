"""Compiles every kernel that an index reaches, so that no request has to wait for it. Run at set-up.

`python -m kb.engine.warm_up` is what set-up calls. tests/engine/test_warm_up.py fails when a query or an update compiles
anything after it.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

from kb.engine import Engine, kernel_cache
from kb.engine.array_engine import ArrayEngine
from kb.engine.tree import (
    Also,
    And,
    Boost,
    Every,
    Literal,
    Named,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Range,
    Rank,
    Term,
    Tree,
    Value,
)  # fmt: skip
from kb.errors import ConfigError
from kb.model import Article, Author, Block, Page, Status, StoredArticle
from kb.query import parse
from kb.text.segment import Segmenter

# One of each kind: one word, several, a phrase of one character and of more, each field, dates, words without an article.
QUERIES = (
    "学习", "学习 党建 工作", "学习党建", "“学”", "“学习党建”", "标题:学习", "标题:“学习”", "标题:“学”", "作者:周见山",
    "单位:青石县", "报纸:清河日报", "日期:2023-01..2024-06", "学习 日期:2023", "公益诉讼", "学习 公益诉讼", "鑫 龘",
)  # fmt: skip
WORD, GRAM = Term("text", "学习"), Term("grams", "学习", 0.5)
SPLIT = Phrase("text", ("学习", "党建"), (0, 2))
LITERALS = tuple(
    Literal(text, field) for text in ("学", "学习", "学习党建") for field in (None, "body", "quotation")
)
BOTH = (WORD, GRAM)
PARTS: tuple[Node, ...] = (
    *LITERALS, WORD, And((WORD, Not(SPLIT))), Named("author", "周"), Prefix("text", "学"),
)  # fmt: skip
TREES: tuple[Tree, ...] = (
    WORD,
    SPLIT,
    Also(And((WORD, Not(Term("text", "公益")))), (GRAM,)),
    Also(Or((WORD, GRAM)), (GRAM,)),
    Also(And((Boost(WORD, 2.0), Range("published", 20230101, 20240601))), (GRAM,)),
    Or((WORD, SPLIT, Prefix("text", "学"), Value("newspaper", frozenset({"清河日报", ""})), *LITERALS), 2),
    Every(),
    *(Rank(part, BOTH) for part in PARTS),
    Rank(Or((WORD, GRAM, SPLIT), 2), BOTH, (WORD, GRAM)),
    Rank(Every(), ()),
    Rank(Range("id", 2, 2), ()),
)
PAGES = (
    Page(limit=2),
    Page(only={"newspaper": ("清河日报",)}, facets=("newspaper", "year"), seconds=60.0),
    Page(only={"author": ("",), "source": ("files",)}, since="2023-01-01", facets=("year", "author")),
    Page(without={"year": ("2023",)}, sort="newest", offset=1),
    Page(least_chars=1, most_chars=9, sort="longest", collapse=True),
)


def ensure(say: Callable[[str], None]) -> None:
    """Compile in a process of its own, unless that was done before; `say` prints a line when it must be waited for.

    Raises ConfigError("index.kernels").
    """
    if kernel_cache.is_complete():
        return
    say("正在编译检索内核,约半分钟,只需一次 … · compiling the search kernels, once …")
    done = subprocess.run([sys.executable, "-m", __name__], capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise ConfigError("index.kernels", folder=kernel_cache.folder(), reason=last)


def main() -> None:
    """Compile, one process at a time."""
    lock = os.open(kernel_cache.folder(), os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    if not kernel_cache.is_complete():
        compile_kernels()
        kernel_cache.complete()


def compile_kernels() -> None:
    """Takes half a minute the first time, and half a second from the cache."""
    articles = [_article(number) for number in range(1, 12)]
    with tempfile.TemporaryDirectory() as name:
        engine = ArrayEngine(Path(name), Segmenter([]), memory_mib=32, batch=4, processes=1)
        engine.rebuild([articles[:9]], seq=9)
        _ask(engine)
        engine.update(articles[8:10], seq=10)
        _ask(engine)
        engine.update([_article(2, "gone"), *articles[10:]], seq=11)
        _ask(engine)
        engine.verify()


def _ask(engine: Engine) -> None:
    for page in PAGES:
        for text in QUERIES:
            engine.find(parse(text, date.min), page)
            engine.find(parse(text, date.min), page, match="any")
        for tree in TREES:
            engine.find_tree(tree, page)
    engine.held_words(parse("学习", date.min), Page(), 1)


def _article(number: int, status: Status = "normal") -> StoredArticle:
    texts = ("学习党建,推进工作。", "一是学习。", f"第{number}次会议,学党建。")
    article = Article(
        key=str(number),
        source="files",
        title="学习党建" if number % 2 else "工作",
        blocks=tuple(Block(f"b{place}", "paragraph", None, text) for place, text in enumerate(texts)),
        authors=(Author("周见山", "作者"),) * (number % 3),
        affiliation="青石县" if number % 4 else None,
        newspaper="清河日报" if number % 3 else None,
        published=f"202{number % 4}-05-04" if number % 5 else None,
    )
    return StoredArticle(number, number, 1, status, article, None, None, "2026-11-22T00:00:00Z", 2)


if __name__ == "__main__":
    main()
