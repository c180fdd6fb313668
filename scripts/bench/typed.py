"""Whether what is typed finds exactly the articles that say it: random literals and boolean queries against a plain scan.

    .venv/bin/python scripts/bench/typed.py --corpus PATH.jsonl.gz … [--docs 5000] [--queries 10000] [--http 500] [--seed N]

Stores and indexes the first articles of the corpora in a folder of its own, asks the engine each query and /search.json some of
them, and holds ids and totals against the scan of typed_queries.py. Prints how many differ, with the first of
them. Exit code 1 when any differs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from kb import opening
from kb.errors import ParseError
from kb.ingest import every_article, reindex
from kb.model import Article, Author, Block, Page, Quotation
from kb.parse.archive import read_archive_line
from kb.query import parse
from kb.search import open_search
from kb.store import articles
from kb.store.articles import NewArticle
from kb.store.db import writing
from scripts.bench.typed_queries import Folded, Typed, Typist, folded

PEOPLE = ("许剑虹", "周见山", "欧阳学文", "李学习", "Ａnna Smith", "王党建")
NEWSPAPERS = ("清河日报", "枫溪法治报", "青石縣報", None)
UNITS = ("青石县人民检察院", "清河市委党校", "枫溪镇党委", None)
PAGES = ("要闻", "理论", "基层党建", None)
LIMIT = 100  # results of one /search.json


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["KB_DATA"] = folder
        pick = random.Random(options.seed)  # noqa: S311 - no secret
        share = options.docs // len(options.corpus)
        shelf, raw = stocked(one for corpus in options.corpus for one in islice(read(corpus, pick), share))
        typist = Typist(shelf, raw, pick)
        queries = [typist.query() for _ in range(options.queries)]
        wrong = compare("the engine", queries, shelf, ask_engine())
        wrong += compare("/search.json", queries[: options.http], shelf, ask_http())
    sys.exit(1 if wrong else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", nargs="+", type=Path, required=True)
    parser.add_argument("--docs", type=int, default=5000)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--http", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def read(corpus: Path, pick: random.Random) -> Iterator[Article]:
    """The articles of a corpus, with names, headings and quotations where they have none."""
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield dressed(
                    read_archive_line(line, source=corpus.name.partition(".")[0], number=number), pick
                )
            except ParseError:
                continue


def dressed(article: Article, pick: random.Random) -> Article:
    """With invented names, some blocks as headings and captions, and a quotation from one of the others."""
    blocks = tuple(
        replace(block, kind=pick.choice(("paragraph",) * 6 + ("heading", "caption", "list")), level=None)
        for block in article.blocks
    )
    return replace(
        article,
        blocks=tuple(replace(block, level=1) if block.kind == "heading" else block for block in blocks),
        authors=tuple(Author(name, "作者") for name in pick.sample(PEOPLE, pick.choice((0, 1, 2)))),
        newspaper=pick.choice(NEWSPAPERS),
        affiliation=pick.choice(UNITS),
        page_name=pick.choice(PAGES),
        subtitle=article.subtitle or pick.choice((None, "——以清河市“三联”机制为例")),
        quotations=tuple(_quotation(block, pick) for block in blocks[:1] if block.text),
    )


def _quotation(block: Block, pick: random.Random) -> Quotation:
    start = pick.randrange(len(block.text))
    return Quotation("某领导", "指出", block.text[start : start + pick.randint(1, 40)], block.anchor, start)


def stocked(some: Iterator[Article]) -> tuple[list[Folded], list[Article]]:
    """Stored and indexed."""
    settings, database = opening.store()
    opening.kernels()
    with writing(database) as connection:
        near = articles.fingerprints(connection)
        articles.save(connection, [NewArticle(one) for one in some], near)
    reindex(database, settings, everything=True)
    stored = list(every_article(database))
    print(f"{len(stored):,} articles")
    return [folded(one.id, one.article) for one in stored], [one.article for one in stored]


def ask_engine() -> Callable[[str], tuple[int, set[int]]]:
    settings, database = opening.store()
    search = open_search(settings, database)
    today = datetime.now().astimezone().date()

    def ask(text: str) -> tuple[int, set[int]]:
        found = search.engine.find(parse(text, today), Page(limit=1000))
        return found.total, set(found.ids)

    return ask


def ask_http() -> Callable[[str], tuple[int, set[int]]]:
    from kb.web import create_app

    client = create_app(opening.settings()).test_client()

    def ask(text: str) -> tuple[int, set[int]]:
        ids: set[int] = set()
        total = LIMIT
        while len(ids) < min(total, 1000):
            asked = {"q": text, "limit": LIMIT, "offset": len(ids)}
            found = json.loads(client.get("/search.json", query_string=asked).data)
            total = found["total"]
            ids |= {hit["id"] for hit in found["hits"]}
            if not found["hits"]:
                break
        return total, ids

    return ask


def compare(
    name: str, queries: list[Typed], shelf: list[Folded], ask: Callable[[str], tuple[int, set[int]]]
) -> int:
    wrong = 0
    started = time.monotonic()
    for query in queries:
        right = {one.id for one in shelf if query.found(one)}
        total, ids = ask(query.text)
        if total != len(right) or not ids <= right or (total <= 1000 and ids != right):
            wrong += 1
            if wrong <= 3:
                print(
                    f"  {query.text!r}: found {total}, right {len(right)}, differ {sorted(ids ^ right)[:5]}"
                )
    print(f"{name}: {len(queries):,} queries, {wrong} differ, {time.monotonic() - started:.0f} s")
    return wrong


if __name__ == "__main__":
    main()
