"""How fast archive lines are read: `python scripts/bench/archive_lines.py FILE.jsonl[.gz] [--every N]`.

Prints lines and characters per second of one core for the whole reading and for its parts. Nothing is stored.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path

from kb.parse.archive import read_archive_line
from kb.parse.outline import classify
from kb.parse.quotation import quotations
from kb.text.fingerprint import anchors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--every", type=int, default=10, help="read every Nth line only")
    options = parser.parse_args()
    opened = gzip.open if options.file.suffix == ".gz" else open
    with opened(options.file, "rt", encoding="utf-8") as lines:
        taken = [line for number, line in enumerate(lines) if number % options.every == 0]
    articles = [read_archive_line(line, source="files") for line in taken]
    texts = [[block.text for block in article.blocks] for article in articles]
    characters = sum(len(text) for part in texts for text in part)
    print(f"{len(taken)} lines, {characters} characters")
    measure("whole line", len(taken), lambda: [read_archive_line(line, source="files") for line in taken])
    measure("  json", len(taken), lambda: [json.loads(line) for line in taken])
    measure("  anchors", len(taken), lambda: [anchors(part) for part in texts])
    measure("  headings", len(taken), lambda: [classify(part, archive=True) for part in texts])
    measure("  quotations", len(taken), lambda: [quotations(article.blocks) for article in articles])


def measure(name: str, lines: int, work: Callable[[], object]) -> None:
    started = time.process_time()
    work()
    seconds = time.process_time() - started
    print(f"{name:14} {seconds:8.2f} s {lines / seconds:10.0f} lines/s")


if __name__ == "__main__":
    main()
