"""Compiles every kernel once, so that no request and no test has to wait for it. Run at set-up and before a rebuild."""

from __future__ import annotations

import tempfile
from itertools import product
from pathlib import Path

from kb.engine import best, clock
from kb.engine.answer import find
from kb.engine.index_writer import IndexWriter
from kb.engine.parallel import Workers
from kb.engine.snapshot import open_snapshot
from kb.engine.tree import Also, And, Literal, Node, Not, Or, Phrase, Prefix, Term
from kb.model import Article, Block, Page, StoredArticle
from kb.text.segment import Segmenter

WORD, GRAM = Term("text", "学"), Term("grams", "学习", 0.5)
LITERALS = (Literal("学"), Literal("学习"), Literal("学习", in_title=True), Literal("学", in_title=True))
TREES: tuple[Node, ...] = (
    WORD,
    Also(And((WORD, Not(WORD))), (GRAM,)),
    Also(Or((WORD, GRAM)), (GRAM,)),
    Phrase("text", ("学", "习"), (0, 1)),
    Or((WORD, Phrase("text", ("学", "习"), (0, 1)), Prefix("text", "学"), *LITERALS), 2),
)
PAGES = (
    Page(only={"author": ("",), "source": ("files",)}, since="2023-01-01", facets=("year", "author")),
    Page(most_chars=9, sort="newest", collapse=True),
)


def compile_kernels() -> None:
    """Takes some half a minute the first time, and half a second from the cache."""
    articles = [_article(number) for number in (1, 2)]
    with tempfile.TemporaryDirectory() as name:
        writer = IndexWriter(Path(name), Workers(Segmenter([]), 1), is_new=True)
        writer.add(articles, batch=1)
        writer.replace(articles[:1], batch=1)
        writer.merge(everything=True)
        writer.seal()
        snapshot = open_snapshot(Path(name))
        snapshot.best(best.ANY, [("text", b"a")], limit=1)
        for tree, page in product(TREES, PAGES):
            find(snapshot, tree, page, clock.NEVER)


def _article(number: int) -> StoredArticle:
    article = Article(
        key=str(number), source="files", title="学习", blocks=(Block("b", "paragraph", None, "学习"),)
    )
    return StoredArticle(number, number, 1, "normal", article, None, None, "2026-11-22T00:00:00Z", 2)
