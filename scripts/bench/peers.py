"""The engines that kb is measured against, all fed the same words by the same segmenter.

A peer's index has kb's text fields, cut already and split at spaces, with positions, and kb's columns where it has such a
thing. What it is asked, it is asked as its own documentation tells: built queries, no parsing where there is a choice.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from texts import FIELDS, fed

GRAM_BOOST = 0.5
NAMES = ("newspaper", "author", "affiliation", "edition_page")  # columns of names
NUMBERS = ("published", "body_chars", "group")

Fed = Iterable[tuple[dict[str, Any], dict[str, str]]]


class Question(NamedTuple):
    """A list of terms, and how they are to be matched."""

    kind: str  # any | all | phrase
    words: tuple[str, ...]
    grams: tuple[str, ...] = ()  # add to the score of what any word finds, at half weight


class Tantivy:
    """The Rust library. One writer thread with room for one large segment: its best case for queries.

    Ids come from a fast field, in one call; nothing is counted.
    """

    name = "tantivy"
    is_slow = False
    heap_bytes = 1_000_000_000

    @staticmethod
    def missing() -> str | None:
        return None if find_spec("tantivy") else "python3 scripts/bootstrap.py bench"

    @classmethod
    def build(cls, folder: Path, documents: Fed) -> None:
        tantivy = import_module("tantivy")
        schema = tantivy.SchemaBuilder()
        for field in FIELDS:
            schema.add_text_field(field, tokenizer_name="whitespace")
        for name in NAMES:
            schema.add_text_field(f"{name}_name", tokenizer_name="raw", index_option="basic", fast=True)
        for name in ("id", *NUMBERS):
            schema.add_integer_field(name, fast=True, stored=name == "id")
        folder.mkdir()
        writer = tantivy.Index(schema.build(), path=str(folder)).writer(cls.heap_bytes, 1)
        for line, fields in documents:
            columns = {name: line[name] for name in ("id", *NUMBERS)}
            names = {f"{name}_name": line[name] for name in NAMES}
            writer.add_document(tantivy.Document(**fields, **names, **columns))
        writer.commit()
        writer.wait_merging_threads()

    def __init__(self, folder: Path) -> None:
        tantivy = import_module("tantivy")
        index = tantivy.Index.open(str(folder))
        self._schema, self._searcher = index.schema, index.searcher()
        self._query, self._occur = tantivy.Query, tantivy.Occur
        self.facts = {"segments": self._searcher.num_segments, "version": tantivy.__version__}

    def ask(self, question: Question) -> tuple[list[int], list[float]]:
        """Ids and scores of the best ten."""
        hits = self.hits(question)
        ids = self._searcher.fast_field_values("id", [address for _, address in hits])
        return ids, [score for score, _ in hits]

    def ask_stored(self, question: Question) -> list[int]:
        """The ten ids from stored documents, one call each: what examples of tantivy-py show."""
        return [self._searcher.doc(address)["id"][0] for _, address in self.hits(question)]

    def hits(self, question: Question) -> list[Any]:
        """The ten without their ids: (score, address)."""
        found: list[Any] = self._searcher.search(self._built(question), 10, count=False).hits
        return found

    def _built(self, question: Question) -> Any:
        kind, words, grams = question
        if kind == "phrase":
            return self._query.phrase_query(self._schema, "text", list(words))
        terms = [self._query.term_query(self._schema, "text", word, "freq") for word in words]
        if len(terms) == 1 and not grams:
            return terms[0]
        must = self._occur.Must if kind == "all" else self._occur.Should
        pairs = [self._query.term_query(self._schema, "grams", gram, "freq") for gram in grams]
        more = [(self._occur.Should, self._query.boost_query(pair, GRAM_BOOST)) for pair in pairs]
        return self._query.boolean_query([*((must, term) for term in terms), *more])


class Fts5:
    """SQLite's own full-text search, without a copy of the texts. Its idf is negative for common words and is cut there."""

    name = "fts5"
    is_slow = True

    @staticmethod
    def missing() -> str | None:
        try:
            sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE t USING fts5(a)")
        except sqlite3.OperationalError:
            return "an SQLite with FTS5"
        return None

    @classmethod
    def build(cls, folder: Path, documents: Fed) -> None:
        folder.mkdir()
        with sqlite3.connect(folder / "fts5.sqlite3") as database:
            database.execute("PRAGMA journal_mode = WAL")
            names = ", ".join(FIELDS)
            database.execute(f"CREATE VIRTUAL TABLE documents USING fts5({names}, content='')")
            marks = ", ".join("?" * (len(FIELDS) + 1))
            rows = ([line["id"], *(fields[name] for name in FIELDS)] for line, fields in documents)
            database.executemany(f"INSERT INTO documents(rowid, {names}) VALUES ({marks})", rows)  # noqa: S608
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()

    def __init__(self, folder: Path) -> None:
        self._database = sqlite3.connect(folder / "fts5.sqlite3")
        self.facts = {"version": sqlite3.sqlite_version}
        weights = ", ".join({"text": "1.0", "grams": str(GRAM_BOOST)}.get(name, "0.0") for name in FIELDS)
        self._sql = (
            f"SELECT rowid, bm25(documents, {weights}) AS score FROM documents "  # noqa: S608
            "WHERE documents MATCH ? ORDER BY score LIMIT 10"
        )

    def ask(self, question: Question) -> tuple[list[int], list[float]]:
        """Ids and scores of the best ten. Bigrams join with OR; in an AND they add to nothing that lacks a word."""
        rows = self._database.execute(self._sql, (self._written(question),)).fetchall()
        return [row[0] for row in rows], [-row[1] for row in rows]

    def _written(self, question: Question) -> str:
        kind, words, grams = question
        joined = {"phrase": " + ", "all": " AND ", "any": " OR "}[kind].join(map(_quoted, words))
        asked = f"text : ({joined})"
        if not grams:
            return asked
        more = f"grams : ({' OR '.join(map(_quoted, grams))})"
        return f"({asked}) AND ({asked} OR {more})" if kind == "all" else f"{asked} OR {more}"


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


class StockWhoosh:
    """Whoosh as it is installed: its own writer, files, matchers and scoring."""

    name = "whoosh"
    is_slow = True

    @staticmethod
    def missing() -> str | None:
        return None if find_spec("whoosh") else "pip install Whoosh"

    @classmethod
    def build(cls, folder: Path, documents: Fed) -> None:
        analysis, fields_of, index = (
            import_module(f"whoosh.{name}") for name in ("analysis", "fields", "index")
        )
        schema = fields_of.Schema(
            id=fields_of.STORED,
            published=fields_of.NUMERIC(sortable=True),
            newspaper_name=fields_of.ID(sortable=True),
            **{name: fields_of.TEXT(analysis.SpaceSeparatedTokenizer(), phrase=True) for name in FIELDS},
        )
        folder.mkdir()
        writer = index.create_in(str(folder), schema).writer(limitmb=256)
        for line, fields in documents:
            columns = {"published": line["published"], "newspaper_name": line["newspaper"]}
            writer.add_document(id=line["id"], **fields, **columns)
        writer.commit(optimize=True)

    def __init__(self, folder: Path) -> None:
        self._query = import_module("whoosh.query")
        self._searcher = import_module("whoosh.index").open_dir(str(folder)).searcher()
        self.facts = {"version": ".".join(map(str, import_module("whoosh").__version__))}

    def ask(self, question: Question) -> tuple[list[int], list[float]]:
        """Ids and scores of the best ten."""
        found = self._searcher.search(self._built(question), limit=10)
        return [hit["id"] for hit in found], [hit.score for hit in found]

    def _built(self, question: Question) -> Any:
        kind, words, grams = question
        if kind == "phrase":
            return self._query.Phrase("text", list(words))
        terms = [self._query.Term("text", word) for word in words]
        pairs = [self._query.Term("grams", gram, boost=GRAM_BOOST) for gram in grams]
        if kind == "any":
            return self._query.Or([*terms, *pairs])
        every = self._query.And(terms)
        return self._query.AndMaybe(every, self._query.Or(pairs)) if pairs else every


PEERS: dict[str, type[Tantivy | Fts5 | StockWhoosh]] = {one.name: one for one in (Tantivy, Fts5, StockWhoosh)}


def named(names: str) -> Iterator[type[Tantivy | Fts5 | StockWhoosh]]:
    """The peers of a list with commas. Raises ValueError for an unknown one, RuntimeError for one that is not installed."""
    for name in filter(None, map(str.strip, names.split(","))):
        if name not in PEERS:
            raise ValueError(f"{name}: no such peer; there are {', '.join(PEERS)}")
        if wanted := PEERS[name].missing():
            raise RuntimeError(f"{name} is not installed ({wanted})")
        yield PEERS[name]


def built(name: str, folder: Path, lines: Path, docs: int) -> None:
    """The index of a peer over the first `docs` documents of these lines."""
    shutil.rmtree(folder, ignore_errors=True)  # half of one, when a run was stopped
    PEERS[name].build(folder, fed(lines, docs))
