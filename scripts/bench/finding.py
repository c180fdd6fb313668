"""What a query as typed costs in the engine: milliseconds of CPU of `Engine.find` with everything that a page asks for.

    .venv/bin/python scripts/bench/finding.py --data FOLDER [--queries 100] [--seed N]

FOLDER: a data folder with an index. Queries are taken from its texts: one to four words, questions of eight to twelve,
phrases of eight characters, exclusions, fields, dates, names. The page has seven facets and groups copies. For each class
prints p50 and p95 of the order of relevance, of the newest first and of the fallback (the better of two runs each), then
queries a second of one thread and of two.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from kb import config
from kb.config import Settings
from kb.engine import Engine, open_engine
from kb.model import Page, Query
from kb.query import parse
from kb.store import articles
from kb.store.db import open_database, reading
from kb.text.lexicon import load_segmenter
from kb.text.segment import Segmenter

TODAY = date(2026, 11, 23)
FACETS = ("newspaper", "source", "year", "month", "author", "affiliation", "edition_page")
EVERYTHING = Page(facets=FACETS, most_values=30, collapse=True, seconds=5.0)
TEXTS = 2_000  # articles that queries are taken from
_HAN = re.compile("[\u4e00-\u9fff]+")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--queries", type=int, default=100, help="of every class")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    settings, segmenter = Settings(data=options.data), load_segmenter(config.lexicon_lines())
    engine = open_engine(settings.index, segmenter)
    taken = Taken(texts(settings), segmenter, random.Random(options.seed))  # noqa: S311
    everything: list[Query] = []
    print(f"{engine.count()} articles; CPU ms p50 / p95 of relevance, newest, fallback")
    for name, make in taken.classes().items():
        queries = [parse(make(), TODAY) for _ in range(options.queries)]
        everything += queries
        rows = [
            costs(lambda query: engine.find(query, EVERYTHING), queries),
            costs(lambda query: engine.find(query, replace(EVERYTHING, sort="newest")), queries),
            costs(lambda query: engine.find(query, EVERYTHING, match="any"), queries),
        ]
        print(f"{name:10}", "   ".join(f"{p50:6.2f} / {p95:6.2f}" for p50, p95 in rows), flush=True)
    print(", ".join(f"{count} threads {speed(engine, everything, count):.0f}/s" for count in (1, 2)))


def texts(settings: Settings) -> list[str]:
    """Bodies of articles from all over the store."""
    with reading(open_database(settings.database)) as connection:
        last = articles.latest_seq(connection)
        step = max(1, last // TEXTS)
        found = articles.many(connection, range(1, last, step))
    return ["".join(block.text for block in one.article.blocks) for one in found.values()]


class Taken:
    """Queries out of texts."""

    def __init__(self, texts: Sequence[str], segmenter: Segmenter, pick: random.Random) -> None:
        self._runs = [
            run for text in texts for run in _HAN.findall(text) if len(run) >= 8
        ]  # between two marks
        self._cut, self._pick = segmenter.words, pick

    def words(self, count: int) -> list[str]:
        """Of one place."""
        while True:
            at = self._pick.randrange(len(self._runs))
            cut = [word for run in self._runs[at : at + 6] for word in self._cut(run) if len(word) > 1]
            if len(cut) >= count:
                return cut[:count]

    def run(self, count: int) -> str:
        """So many words as they stand together."""
        while True:
            cut = self._cut(self._pick.choice(self._runs))
            if len(cut) >= count:
                return "".join(cut[:count])

    def classes(self) -> dict[str, Callable[[], str]]:
        pick = self._pick
        plain: dict[str, Callable[[], str]] = {
            f"{count} words": lambda count=count: " ".join(self.words(count)) for count in (1, 2, 3, 4)
        }
        return plain | {
            "question": lambda: self.run(pick.randint(8, 12)),
            "phrase": lambda: f"“{pick.choice(self._runs)[:8]}”",
            "without": lambda: "{} -{}".format(*self.words(2)),
            "title": lambda: f"标题:{self.words(1)[0]}",
            "author": lambda: f"作者:{pick.choice('王张李')} {self.words(1)[0]}",
            "date": lambda: f"{self.words(1)[0]} 日期:2015..2018",
            "name": lambda: pick.choice("张王李刘陈") + pick.choice("建国志强秀") + pick.choice("军平华明涛"),
        }


def costs(ask: Callable[[Query], object], queries: Iterable[Query]) -> tuple[float, float]:
    """p50 and p95."""
    spent = sorted(min(_spent(ask, query) for _ in range(2)) for query in queries)
    return spent[len(spent) // 2], spent[len(spent) * 95 // 100]


def _spent(ask: Callable[[Query], object], query: Query) -> float:
    before = time.process_time()
    ask(query)
    return (time.process_time() - before) * 1000


def speed(engine: Engine, queries: Sequence[Query], threads: int) -> float:
    """Queries a second, all of them by so many threads."""
    rest: Iterator[Query] = iter(queries)

    def work() -> None:
        for query in rest:
            engine.find(query, EVERYTHING)

    started = time.perf_counter()
    workers = [threading.Thread(target=work) for _ in range(threads)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    return len(queries) / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
