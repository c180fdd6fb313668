"""What suggestions cost in the running service: their time, how soon they are there, and memory. Prints JSON.

.venv/bin/python scripts/bench/suggest.py --data FOLDER [--count N]

Types titles of the library one character or letter after another, as people do: characters, full pinyin, initials.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sqlite3
import statistics
import time
import urllib.parse
import urllib.request
from pathlib import Path

from serving import Server

from kb.text.normalize import fold
from kb.text.pinyin import syllables

COUNT = 3000
SHORTEST, LONGEST = 1, 12  # characters or letters typed


def typed(data: Path, count: int) -> list[str]:
    """What `count` keystrokes leave in the box."""
    pick = random.Random(11)  # noqa: S311
    store = sqlite3.connect(f"file:{data}/kb.sqlite3?mode=ro", uri=True)
    rows = store.execute("SELECT json_extract(content, '$.title') FROM articles ORDER BY id").fetchall()
    found = []
    while len(found) < count:
        title = fold(pick.choice(rows)[0])
        start = pick.choice([0, 0, pick.randrange(max(1, len(title)))])
        said = syllables(title[start:])
        form = pick.choice([title[start:], "".join(said), "".join(one[0] for one in said)])
        found += [form[:size] for size in range(SHORTEST, min(LONGEST, len(form)) + 1)]
    return found[:count]


def ask(base: str, text: str) -> tuple[float, int]:
    """Milliseconds of one answer, and how many suggestions it has."""
    url = f"{base}/suggest.json?{urllib.parse.urlencode({'q': text})}"
    started = time.perf_counter()
    with urllib.request.urlopen(url, timeout=60) as answer:
        found = json.load(answer)["suggestions"]
    return (time.perf_counter() - started) * 1000, len(found)


def memory_mib(server: Server) -> float:
    """Of the process itself; files of the index that it maps do not count."""
    rollup = Path(f"/proc/{server.process.pid}/smaps_rollup").read_text(encoding="ascii")
    found = re.search(r"^Anonymous: +(\d+)", rollup, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def measure(server: Server, asked: list[str]) -> dict[str, float]:
    took, found = zip(*(ask(server.base, text) for text in asked), strict=True)
    ordered = sorted(took)
    return {
        "p50_ms": round(statistics.median(ordered), 1),
        "p95_ms": round(ordered[int(len(ordered) * 0.95)], 1),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)], 1),
        "max_ms": round(ordered[-1], 1),
        "answered": round(sum(map(bool, found)) / len(found), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--count", type=int, default=COUNT)
    chosen = parser.parse_args()
    asked = typed(chosen.data, chosen.count)
    server = Server(chosen.data)
    try:
        server.get(q="学习")
        before, started = memory_mib(server), time.perf_counter()
        while not ask(server.base, "党")[1]:
            time.sleep(0.1)
        ready_s = time.perf_counter() - started
        result = measure(server, asked)
        made = {"ready_s": round(ready_s, 1), "memory_mib": round(memory_mib(server) - before)}
    finally:
        server.close()
    print(json.dumps({"keystrokes": len(asked), **result, **made}, indent=1))


if __name__ == "__main__":
    main()
