"""kb as it is measured: stored, built and opened the way its commands do it."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from datetime import date
from itertools import accumulate, islice
from pathlib import Path

from peers import GRAM_BOOST, Question
from texts import END, FIELDS, segmenter

import kb.engine.array_engine  # noqa: F401 - open_engine imports it when called, which is no time of the index
from kb import config, ingest
from kb.config import Settings
from kb.engine import best, generations, open_engine, tokens
from kb.engine.columns import day
from kb.engine.snapshot import open_snapshot
from kb.engine.tokens import encoded
from kb.engine.tree import And, Literal, Node, Or, Phrase, Rank, Term
from kb.engine.warm_up import compile_kernels
from kb.errors import EngineDownError
from kb.model import Found, Page, Query, StoredArticle
from kb.query import parse
from kb.store.db import open_database

if (tokens.FIELDS, tokens.END) != (FIELDS, END):
    raise SystemExit("scripts/bench/texts.py and kb/engine/tokens.py name different fields")
MODES = {"any": best.ANY, "all": best.ALL, "phrase": best.PHRASE}


def stored(corpus: Path, docs: int, data: Path, lines: Path) -> tuple[int, list[str]]:
    """Put the first `docs` articles of the archive into the store, and write them to `lines` for the peers.

    Returns how many there are, and why some could not be read.
    """
    settings = Settings(data=data)
    config.prepare_data(settings)
    database = open_database(settings.database)
    head = data / "head.jsonl"
    opened = gzip.open if corpus.name.endswith(".gz") else open
    with opened(corpus, "rt", encoding="utf-8") as archive, head.open("w", encoding="utf-8") as file:
        file.writelines(islice(archive, docs))
    report = ingest.add(database, settings, [head])
    head.unlink()
    count = 0
    with lines.open("w", encoding="utf-8") as file:
        for article in ingest.every_article(database):
            file.write(line_of(article))
            count += 1
    return count, [failure.message for failure in report.failed]


def build(data: Path) -> None:
    """What `kb reindex --all` does: read the store, segment, index, commit."""
    settings = Settings(data=data)
    ingest.reindex(open_database(settings.database), settings, everything=True)


def line_of(stored: StoredArticle) -> str:
    """A document as it is handed to the peers and to the exhaustive scan (texts.py)."""
    article = stored.article
    line = {
        "id": stored.id,
        "texts": [(_fields(kind), text) for kind, text in tokens.texts_of(article)],
        "published": day(article.published),
        "newspaper": article.newspaper or "",
        "author": "；".join(author.name for author in article.authors),
        "affiliation": article.affiliation or "",
        "edition_page": article.edition_page or "",
        "body_chars": stored.body_chars,
        "group": stored.reprint_of or stored.id,
    }
    return json.dumps(line, ensure_ascii=False) + "\n"


def _fields(kind: int) -> list[str]:
    """The fields that hold a text of this kind."""
    return ["text", "grams"] if kind in tokens.GRAM_KINDS else ["text"]


def warm_up() -> None:
    """Compile the kernels, before any clock."""
    compile_kernels()


class Kb:
    """The index opened."""

    def __init__(self, data: Path) -> None:
        """Raises EngineDownError when it cannot answer."""
        settings = Settings(data=data)
        self.engine = open_engine(settings.index, segmenter())
        if self.engine.problem() is not None:
            raise EngineDownError("index.unavailable")
        folder = generations.current(settings.index)
        assert folder is not None  # noqa: S101 - it has just been opened
        self._snapshot = open_snapshot(folder)
        self.facts = {"segments": len(self._snapshot.segments)}

    def best(self, question: Question) -> tuple[list[int], list[float]]:
        """Ids and scores of the best ten, from a list of terms."""
        kind, words, grams = question
        terms = [("text", encoded(word)) for word in words]
        if kind == "phrase":
            offsets = list(accumulate(map(len, words[:-1]), initial=0))
            return self._snapshot.best(best.PHRASE, terms, limit=10, offsets=offsets)
        if not grams:
            return self._snapshot.best(MODES[kind], terms, limit=10)
        return self._snapshot.best(
            MODES[kind],
            terms + [("grams", encoded(gram)) for gram in grams],
            limit=10,
            boosts=[1.0] * len(words) + [GRAM_BOOST] * len(grams),
            needed=[1] * len(words) + [0] * len(grams),
        )

    def find(self, question: Question, page: Page) -> Found:
        """As the engine finds what was typed: matched by words or the phrase, ordered by words and bigrams, looked at again."""
        kind, words, grams = question
        terms = tuple(Term("text", word) for word in words)
        parts: dict[str, Node] = {"any": Or(terms), "all": And(terms), "phrase": Literal("".join(words))}
        by = (*terms, *(Term("grams", gram, GRAM_BOOST) for gram in grams))
        return self.engine.find_tree(Rank(parts[kind], by), page)

    def find_words(self, question: Question, page: Page) -> Found:
        """The same words without bigrams and without that order."""
        kind, words, _ = question
        terms = tuple(Term("text", word) for word in words)
        starts = tuple(accumulate(map(len, words[:-1]), initial=0))
        trees: dict[str, Node] = {
            "any": Or(terms),
            "all": And(terms),
            "phrase": Phrase("text", words, starts),
        }
        return self.engine.find_tree(trees[kind], page)


def typed(question: Question) -> Query:
    """As an officer types it."""
    text = f"“{''.join(question.words)}”" if question.kind == "phrase" else " ".join(question.words)
    return parse(text, date.min)


def opening_ms(data: Path, question: Question) -> tuple[float, float]:
    """In a process that has imported everything: the time to open the index, and of the first query."""
    settings, cut = Settings(data=data), segmenter()
    started = time.perf_counter()
    engine = open_engine(settings.index, cut)
    count = engine.count()
    opened = time.perf_counter()
    found = engine.find(typed(question), Page(), match="any")
    assert count >= found.total > 0  # noqa: S101 - a query made of the documents' own words
    return (opened - started) * 1000, (time.perf_counter() - opened) * 1000


def command_seconds(data: Path, *arguments: str) -> float:
    """A kb command in a process of its own, from start to end."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "kb", "--data", str(data), *arguments]
    subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).resolve().parents[2])
    return time.perf_counter() - started
