"""How fast the engine answers: builds an index of an archive, then asks it words, phrases and common words.

.venv/bin/python scripts/bench/search.py --corpus PATH.jsonl.gz [--docs N] [--queries N]
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from kb import config
from kb.engine import Engine, open_engine
from kb.model import Page, StoredArticle
from kb.parse.files import read_archive_line
from kb.query import parse
from kb.text.lexicon import load_segmenter
from kb.text.segment import Segmenter


def stored(corpus: Path, docs: int) -> Iterator[StoredArticle]:
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(itertools.islice(lines, docs), 1):
            article = read_archive_line(line, source="files")
            yield StoredArticle(number, number, 1, "normal", article, None, None, "", 0)


def build(engine: Engine, corpus: Path, docs: int) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    articles = stored(corpus, docs)
    engine.rebuild(iter(lambda: list(itertools.islice(articles, 400)), []), seq=1)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    count = engine.count()
    print(
        f"index   {count} articles, {count / wall:.0f}/s wall, {count / cpu:.0f}/s cpu, peak {peak_mib:.0f} MiB"
    )


def askers(titles: Sequence[str], segmenter: Segmenter) -> dict[str, Callable[[], str]]:
    """Query classes, made of the words of titles."""
    pick = random.Random(1)  # noqa: S311 - the same queries every time, not a secret
    cut = [words for title in titles if len(words := segmenter.words(title)) > 4]

    def words(count: int) -> str:
        return " ".join(
            pick.choices([word for word in pick.choice(cut) if len(word) > 1] or ["党建"], k=count)
        )

    def phrase() -> str:
        title = pick.choice(cut)
        start = pick.randrange(len(title) - 2)
        return f"“{''.join(title[start : start + 3])}”"

    common = ("发展", "经济", "中国", "工作", "国家", "社会")
    return {
        "one": lambda: words(1),
        "and": lambda: words(3),
        "phrase": phrase,
        "hot": lambda: pick.choice(common),
    }


def ask(engine: Engine, make: Callable[[], str], queries: int) -> list[float]:
    """Milliseconds of each query, ascending."""
    spent = []
    for _ in range(queries):
        query = parse(make())
        started = time.perf_counter()
        engine.find(query, Page(facets=("newspaper", "year")))
        spent.append((time.perf_counter() - started) * 1000)
    return sorted(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--docs", type=int, default=5000)
    parser.add_argument("--queries", type=int, default=200)
    options = parser.parse_args()
    segmenter = load_segmenter(config.lexicon_lines())
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(Path(folder) / "index", segmenter)
        build(engine, options.corpus, options.docs)
        titles = [
            one.article.title for one in itertools.islice(stored(options.corpus, options.docs), 0, None, 7)
        ]
        for name, make in askers(titles, segmenter).items():
            spent = ask(engine, make, options.queries)
            p50, p95 = spent[len(spent) // 2], spent[int(len(spent) * 0.95)]
            print(f"{name:7} p50 {p50:6.1f} ms  p95 {p95:6.1f} ms  max {spent[-1]:6.1f} ms")


if __name__ == "__main__":
    main()
