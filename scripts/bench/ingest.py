"""How fast an archive goes through the stages: read, store, segment, index. Prints documents per second of CPU and wall.

.venv/bin/python scripts/bench/ingest.py --corpus PATH.jsonl.gz [--docs N] [--json]
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from kb import config, ingest
from kb.config import Settings
from kb.engine import open_engine
from kb.parse.files import read_archive_line
from kb.store import articles
from kb.store.articles import NewArticle
from kb.store.db import open_database, reading, writing
from kb.text.lexicon import load_segmenter

Figures = dict[str, dict[str, float]]


@contextmanager
def stage(name: str, docs: int, figures: Figures) -> Iterator[None]:
    """Time one stage and note its rates."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    spent = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    figures[name] = {f"docs_per_s_{kind}": round(docs / seconds, 1) for kind, seconds in spent.items()}


def measure(lines: list[str], data: Path) -> Figures:
    """Every stage over the same lines, one after the other."""
    settings = Settings(data=data)
    config.prepare_data(settings)
    database = open_database(settings.database)
    segmenter = load_segmenter(config.lexicon_lines())
    figures: Figures = {}
    with stage("read", len(lines), figures):
        read = [read_archive_line(line, source=ingest.FILES) for line in lines]
    with reading(database) as connection:
        near = articles.fingerprints(connection)
    with stage("store", len(lines), figures):
        for start in range(0, len(read), ingest.SAVED_TOGETHER):
            batch = [NewArticle(article) for article in read[start : start + ingest.SAVED_TOGETHER]]
            with writing(database) as connection:
                articles.save(connection, batch, near)
    with stage("segment", len(lines), figures):
        for article in read:
            for block in article.blocks:
                segmenter.tokens(block.text)
    engine = open_engine(settings.index, segmenter, memory_mib=settings.index_memory_mib)
    with reading(database) as connection:
        stored = articles.changed_since(connection, 0, len(read))
    with stage("segment and index", len(lines), figures):
        engine.rebuild([stored], seq=stored[-1].seq)
    return figures


def main() -> int:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--corpus", type=Path, required=True, help="an archive, .jsonl.gz")
    parser.add_argument("--docs", type=int, default=5000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if not asked.corpus.exists():
        parser.error(f"{asked.corpus} is missing")
    with gzip.open(asked.corpus, "rt", encoding="utf-8") as archive:
        lines = list(itertools.islice(archive, asked.docs))
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(lines, Path(folder) / "data")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if asked.json:
        print(json.dumps({"docs": len(lines), "stages": figures, "peak_mib": round(peak, 1)}))
    else:
        print(f"{len(lines)} documents, peak {peak:.0f} MiB")
        for name, rates in figures.items():
            print(
                f"{name:18} {rates['docs_per_s_cpu']:8.0f} docs/s CPU {rates['docs_per_s_wall']:8.0f} docs/s wall"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
