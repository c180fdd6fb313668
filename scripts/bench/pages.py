"""What the pages of the running service cost: one request at a time, then many connections at once. Prints JSON.

.venv/bin/python scripts/bench/pages.py --data FOLDER [--questions FILE.tsv …] [--processes 2] [--connections 16]

Starts `kb serve` on a data folder and asks for pages as people would: words, questions, phrases, operators, fields, filters,
further pages, other orders, articles, suggestions while typing. What is asked comes from the articles of the folder, the
shipped lexicon and the questions of the files (number, tab, text), the same at every run. No request is made twice, but
that the many connections ask again what was asked one at a time.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import sqlite3
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from serving import Server, serving

ROOT = Path(__file__).resolve().parents[2]
SEED = 20261123
ASKED = 600  # requests one at a time
SECONDS = 20.0  # of many connections
ARTICLES = 2000  # of the folder, from which queries are made
_HAN = re.compile("[\u4e00-\u9fff]{2,}")
Request = tuple[str, str]  # its kind, its path


class Texts:
    """Words and sentences out of the articles of a data folder."""

    def __init__(self, data: Path, questions: list[str], dice: random.Random) -> None:
        store = sqlite3.connect(f"file:{data / 'kb.sqlite3'}?mode=ro", uri=True)
        last = store.execute("SELECT max(id) FROM articles").fetchone()[0]
        ids = dice.sample(range(1, last + 1), min(ARTICLES, last))
        marks = ",".join("?" * len(ids))
        rows = store.execute(f"SELECT id, content FROM articles WHERE id IN ({marks})", ids)  # noqa: S608  # marks only
        self.articles = [(number, json.loads(content)) for number, content in rows]
        self.newspapers = sorted({one["newspaper"] for _, one in self.articles if one["newspaper"]})
        lexicon = (ROOT / "corpus" / "lexicon" / "terms.tsv").read_text(encoding="utf-8").splitlines()
        self.terms = [line.split("\t")[0] for line in lexicon if line.strip() and not line.startswith("#")]
        self.questions = questions
        self.dice = dice

    def article(self) -> tuple[int, dict[str, Any]]:
        return self.dice.choice(self.articles)

    def sentence(self) -> str:
        """Some Chinese characters that stand side by side in an article."""
        blocks = [block["text"] for block in self.article()[1]["blocks"]]
        found = _HAN.findall(self.dice.choice(blocks)) if blocks else []
        return self.dice.choice(found) if found else "学习"

    def word(self) -> str:
        """A term of the lexicon, or two to four characters of an article."""
        if self.dice.random() < 0.5:
            return self.dice.choice(self.terms)
        sentence = self.sentence()
        start = self.dice.randrange(max(1, len(sentence) - 3))
        return sentence[start : start + self.dice.randint(2, 4)]

    def question(self) -> str:
        if self.questions and self.dice.random() < 0.5:
            return self.dice.choice(self.questions)
        return f"怎样{self.article()[1]['title'][:14]}？"


def searched(**parameters: object) -> str:
    return f"/search?{urlencode(parameters)}"


def requests(texts: Texts) -> Iterator[Request]:
    """Endless, each kind in turn."""
    dice = texts.dice
    while True:
        one, other = texts.word(), texts.word()
        number, article = texts.article()
        yield "word", searched(q=one)
        yield "words", searched(q=f"{one} {other}")
        yield "question", searched(q=texts.question())
        yield "phrase", searched(q=f"“{texts.sentence()[:12]}”")
        yield "operators", searched(q=f"({one} 或 {other}) 非 {texts.word()}")
        yield "field", searched(q=f"标题:{one} 日期:{dice.randint(1990, 2010)}..{dice.randint(2011, 2026)}")
        yield (
            "filter",
            searched(q=one, year=dice.randint(2005, 2025), newspaper=dice.choice(texts.newspapers or [""])),
        )
        yield "order", searched(q=one, sort=dice.choice(["newest", "oldest"]))
        yield "further page", searched(q=dice.choice(texts.terms), page=dice.randint(2, 20))
        yield "article", f"/a/{number}?{urlencode({'q': article['title'][:4]})}"
        for length in (1, 2, 3):
            yield "suggest", f"/suggest.json?{urlencode({'q': one[:length]})}"


class Asker:
    """One connection that is kept open."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)

    def ask(self, path: str) -> tuple[int, float]:
        """The status, and milliseconds."""
        started = time.perf_counter()
        self._connection.request("GET", quote(path, safe="/?=&%+"))
        answer = self._connection.getresponse()
        answer.read()
        return answer.status, (time.perf_counter() - started) * 1000


def one_at_a_time(base: str, asked: list[Request]) -> dict[str, Any]:
    """Milliseconds by kind and of all search pages, and what was not answered well."""
    asker, took, bad = Asker(base), defaultdict(list), []
    for kind, path in asked:
        status, ms = asker.ask(path)
        if status == 200:
            took[kind].append(ms)
        else:
            bad.append(f"{status} {path}")
    pages = [ms for kind, some in took.items() if kind not in ("article", "suggest") for ms in some]
    figures = {"result pages": spread(pages)} | {kind: spread(some) for kind, some in took.items()}
    return {"ms": figures, "not_200": len(bad), "not_200_examples": bad[:5]}


def spread(some: list[float]) -> dict[str, float]:
    some = sorted(some)
    return {
        "n": len(some),
        "p50": round(some[len(some) // 2], 1),
        "p95": round(some[len(some) * 95 // 100], 1),
        "max": round(some[-1], 1),
    }


def all_at_once(base: str, asked: list[Request], connections: int, seconds: float) -> dict[str, Any]:
    """Pages a second and errors of many connections that ask without a pause."""
    rest, lock, end = iter(asked * 1000), threading.Lock(), time.perf_counter() + seconds
    took: list[float] = []
    bad: list[str] = []

    def work() -> None:
        asker = Asker(base)
        while time.perf_counter() < end:
            with lock:
                _kind, path = next(rest)
            try:
                status, ms = asker.ask(path)
            except (OSError, http.client.HTTPException) as error:
                bad.append(f"{type(error).__name__} {path}")
                asker = Asker(base)
                continue
            took.append(ms)
            if status != 200:
                bad.append(f"{status} {path}")

    threads = [threading.Thread(target=work) for _ in range(connections)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = round(len(took) / (time.perf_counter() - started), 1)
    return {
        "connections": connections,
        "pages_a_second": rate,
        "ms": spread(took),
        "errors": len(bad),
        "error_examples": bad[:5],
    }


def memory(server: Server) -> dict[str, float]:
    """MiB that each process has of its own."""
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    found = {"first": server.private_mib()}
    for number, child in enumerate(children):
        is_indexer = b"--follow" in Path(f"/proc/{child}/cmdline").read_bytes()
        found["indexer" if is_indexer else f"web {number}"] = round(server.private_mib(int(child)), 1)
    return found


def main() -> int:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="a data folder with an index")
    parser.add_argument(
        "--questions", type=Path, nargs="*", default=[], help="queries.tsv: number, tab, text"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--asked", type=int, default=ASKED, help="requests one at a time")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of many connections")
    told = parser.parse_args()
    lines = [line for path in told.questions for line in path.read_text(encoding="utf-8").splitlines()]
    texts = Texts(told.data, [line.split("\t")[1] for line in lines], random.Random(SEED))  # noqa: S311
    with serving(told.data, "--processes", str(told.processes)) as server:
        endless = requests(texts)
        if Asker(server.base).ask("/suggest.json?q=a")[0] == 404:
            endless = (one for one in endless if one[0] != "suggest")
        asked = [next(endless) for _ in range(told.asked)]
        one_at_a_time(
            server.base, [next(endless) for _ in range(80)]
        )  # pages of the disk, both processes ready
        figures: dict[str, Any] = {"alone": one_at_a_time(server.base, asked)}
        figures["together"] = all_at_once(server.base, asked, told.connections, told.seconds)
        figures["private_mib"] = memory(server)
    print(json.dumps({"load": os.getloadavg()[0], **figures}, ensure_ascii=False, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
