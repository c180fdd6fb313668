"""Compiles every kernel once, so that no request and no test has to wait for it. Run at set-up and before a rebuild."""

from __future__ import annotations

import tempfile
from pathlib import Path

from kb.engine import best
from kb.engine.evaluate import evaluate
from kb.engine.index_writer import IndexWriter
from kb.engine.parallel import Workers
from kb.engine.snapshot import open_snapshot
from kb.engine.tree import Literal, Or, Phrase, Prefix, Term
from kb.model import Article, Block, StoredArticle
from kb.text.segment import Segmenter


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
        nodes = (Term("text", "学"), Phrase("text", ("学", "习"), (0, 1)), Prefix("text", "学"))
        evaluate(
            snapshot,
            Or(
                (
                    *nodes,
                    Literal("学"),
                    Literal("学习"),
                    Literal("学习", in_title=True),
                    Literal("学", in_title=True),
                )
            ),
        )
        snapshot.best(best.ANY, [("text", b"a")], limit=1)


def _article(number: int) -> StoredArticle:
    article = Article(
        key=str(number), source="files", title="学习", blocks=(Block("b", "paragraph", None, "学习"),)
    )
    return StoredArticle(number, number, 1, "normal", article, None, None, "2026-11-22T00:00:00Z", 2)
