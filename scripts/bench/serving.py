"""What the running service costs: memory, freshness, first request, a search from the command line. Prints JSON.

.venv/bin/python scripts/bench/serving.py --corpus PATH.jsonl.gz [--docs N] [--data FOLDER]

Builds a data folder of N articles (kept and used again where --data names it), starts `kb serve` on it, twice for the
memory of a second web process, and adds batches of 250 articles while it runs.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import itertools
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BATCH = 250  # articles that must be searchable soon
QUERIES = 500  # before memory is looked at
RUNS = 5  # of each command from a fresh process
ROUNDS = 3  # of adding a batch
SORTS = ("relevance", "newest", "oldest")
_HAN = re.compile("[\u4e00-\u9fff]{2,}")


def command(data: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "kb", "--data", str(data), *arguments]


def timed(data: Path, *arguments: str) -> float:
    """Seconds that a kb command takes, from start to end."""
    started = time.perf_counter()
    subprocess.run(command(data, *arguments), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


class Server:
    """A running `kb serve`."""

    def __init__(self, data: Path, *options: str) -> None:
        started = time.perf_counter()
        self.process = subprocess.Popen(
            command(data, "serve", "--port", "0", *options), cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        said = iter(self.process.stdout or ())
        self.base = next(found[0] for line in said if (found := re.search(r"http://[0-9.:]+", line)))
        self.start_s = time.perf_counter() - started

    def get(self, **asked: str) -> Any:
        url = f"{self.base}/search.json?{urllib.parse.urlencode(asked)}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            return json.load(answer)

    def page(self, **asked: str) -> None:
        urllib.request.urlopen(f"{self.base}/search?{urllib.parse.urlencode(asked)}", timeout=60).read()

    def private_mib(self, pid: int | None = None) -> float:
        lines = Path(f"/proc/{pid or self.process.pid}/smaps_rollup").read_text(encoding="ascii")
        return sum(map(int, re.findall(r"^Private_(?:Clean|Dirty): +(\d+)", lines, re.MULTILINE))) / 1024

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


@contextlib.contextmanager
def serving(data: Path, *options: str) -> Iterator[Server]:
    server = Server(data, *options)
    try:
        yield server
    finally:
        server.close()


def lines_of(corpus: Path, docs: int) -> tuple[list[str], list[str]]:
    """The first `docs` lines, and those behind them that are added later."""
    with gzip.open(corpus, "rt", encoding="utf-8") as archive:
        lines = list(itertools.islice(archive, docs + 2 * ROUNDS * BATCH))
    more = lines[docs:] or lines[: 2 * ROUNDS * BATCH]
    return lines[:docs], more


def queries(lines: list[str]) -> list[str]:
    """Words, pairs, phrases and dates out of the texts, the same at every run."""
    found = []
    for number in range(QUERIES):
        words = _HAN.findall(json.loads(lines[number * 37 % len(lines)])["body"])[:40]
        first, second = words[0][:2], words[len(words) // 2][:2]
        kinds = (first, f"{first} {second}", f"“{words[-1][:5]}”", f"{first} 日期:2015..2020", words[-1][:6])
        found.append(kinds[number % len(kinds)])
    return found


def use(server: Server, asked: list[str]) -> None:
    """Pages and JSON, with facets chosen, in every order."""
    for number, text in enumerate(asked):
        more = {"sort": SORTS[number % 3]} | ({"year": "2018"} if number % 4 == 0 else {})
        server.page(q=text, **more) if number % 2 else server.get(q=text, **more)


def batch_file(folder: Path, lines: list[str], number: int) -> tuple[Path, str]:
    """250 articles under new keys, and a word that all of them have and no other."""
    mark = f"zq{os.getpid()}x{number}"
    path = folder / f"{mark}.jsonl"
    with path.open("w", encoding="utf-8") as out:
        for place, line in enumerate(lines[number * BATCH : (number + 1) * BATCH]):
            one = json.loads(line)
            one |= {"id": f"{mark}-{place}", "url": None, "body": f"{one['body']}\n{mark}"}
            out.write(json.dumps(one, ensure_ascii=False) + "\n")
    return path, mark


def until_found(server: Server, mark: str) -> float:
    """Seconds from now until all of the batch is found."""
    started = time.perf_counter()
    while server.get(q=mark, limit="1")["total"] < BATCH:
        time.sleep(0.02)
    return time.perf_counter() - started


def freshness(server: Server, data: Path, folder: Path, more: list[str]) -> dict[str, Any]:
    """How soon 250 articles are searchable: stored by another process, and added by one that indexes itself."""
    stored, added, again = [], [], []
    for number in range(ROUNDS):
        path, mark = batch_file(folder, more, number)
        timed(data, "add", "--no-index", str(path))
        stored.append(until_found(server, mark))
    for number in range(ROUNDS, 2 * ROUNDS):
        path, mark = batch_file(folder, more, number)
        seconds = timed(data, "add", str(path))
        added.append(seconds + until_found(server, mark))
        again.append(timed(data, "add", str(path)))
    return {
        "stored_to_searchable_s": rounded(stored),
        "add_to_searchable_s": rounded(added),
        "add_of_what_is_known_s": rounded(again),
    }


def rounded(seconds: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(seconds), 3), "max": round(max(seconds), 3)}


def measure(lines: list[str], more: list[str], data: Path, folder: Path) -> dict[str, Any]:
    asked = queries(lines)
    timed(data, "search", asked[0])  # pages read from the disk count for nobody
    figures: dict[str, Any] = {
        "kb_search_s": rounded([timed(data, "search", text) for text in asked[:RUNS]]),
        "kb_help_s": rounded([timed(data, "--help") for _ in range(RUNS)]),
    }
    with serving(data) as server:
        started = time.perf_counter()
        server.page(q=asked[0])
        figures |= {"server_start_s": round(server.start_s, 3)}
        figures |= {"first_request_s": round(time.perf_counter() - started, 3)}
        use(server, asked)
        figures["web_private_mib"] = round(server.private_mib(), 1)
        with serving(data) as second:
            use(second, asked)
            figures["second_web_private_mib"] = round(second.private_mib(), 1)
        figures |= freshness(server, data, folder, more)
        figures["web_private_mib_afterwards"] = round(server.private_mib(), 1)
    return figures


def main() -> int:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--corpus", type=Path, required=True, help="an archive, .jsonl.gz")
    parser.add_argument("--docs", type=int, default=100_000)
    parser.add_argument("--data", type=Path, help="data folder that is kept, and used again when it is there")
    asked = parser.parse_args()
    if not asked.corpus.exists():
        parser.error(f"{asked.corpus} is missing")
    lines, more = lines_of(asked.corpus, asked.docs)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = asked.data or folder / "data"
        if not (data / "index" / "CURRENT").exists():
            archive = folder / "base.jsonl"
            archive.write_text("".join(lines), encoding="utf-8")
            timed(data, "add", str(archive))
        figures = measure(lines, more, data, folder)
    print(json.dumps({"docs": len(lines), "load": os.getloadavg()[0], **figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
