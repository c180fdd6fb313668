"""USE CASE  Judged queries over their own documents -> how good the ranking is.

A set is a folder: docs.jsonl or docs.jsonl.gz ({"id", "title" if there is one, "text"}), queries.tsv or queries_<class>.tsv
(query id, query, class if there are several in one file), qrels.tsv or qrels_<class>.tsv (query id, document id, grade from 0).
The documents are indexed in a folder of their own that goes away afterwards; the library is neither read nor changed.

What is measured is what a person sees first: ten articles, those that have everything before those of the fallback.
"""

from __future__ import annotations

import gzip
import json
import math
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from kb import config
from kb.config import Settings
from kb.engine import Engine, open_engine
from kb.errors import JudgmentsError, QueryError
from kb.model import Article, Block, Page, StoredArticle
from kb.parse.archive import read_archive_line
from kb.query import parse, plain_words
from kb.text import synonyms
from kb.text.lexicon import load_segmenter

DEPTH = 10  # results that are looked at
SAMPLES, SEED, COVERED = (
    1000,
    20_240_315,
    95,
)  # of the bootstrap: resamplings, and per cent of them in an interval
TOGETHER = 5000  # documents handed to the index at once
PRECISION = 4  # digits of a measure
METRICS = (f"ndcg@{DEPTH}", f"mrr@{DEPTH}", f"recall@{DEPTH}", "zero_hit_rate")
SAMPLE_FILES = ("truth-classic.jsonl", "truth-pc.jsonl", "truth-text.jsonl", "archive.jsonl")
UNNAMED = "queries"  # the class of a query of which nothing says its class

Progress = Callable[[str, int, int | None], None]
Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Judged:
    """A query and the documents that answer it."""

    query_class: str  # title_words
    text: str  # 党建 业务 融合
    grades: dict[str, int]  # {"content_401": 2}; what is not in it does not answer


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over queries, and between which values each lies as far as chance in the choice of queries goes."""

    queries: int
    means: dict[str, float]  # {"ndcg@10": 0.9123, …}
    intervals: dict[str, tuple[float, float]]

    def record(self) -> Line:
        intervals = {name: list(ends) for name, ends in self.intervals.items()}
        return {**self.means, "queries": self.queries, "intervals": intervals}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What `kb eval` prints."""

    documents: int
    unreadable: (
        int  # queries that the query language refuses; they are asked in plain words, as the page offers
    )
    overall: Quality
    classes: dict[str, Quality]

    def record(self) -> Line:
        """The JSON form."""
        classes = {name: quality.record() for name, quality in self.classes.items()}
        counts = {"documents": self.documents, "unreadable": self.unreadable}
        return {**self.overall.record(), **counts, "classes": classes}


def evaluate(folder: Path | None, settings: Settings, progress: Progress) -> Evaluation:
    """Measure a set; None: the queries of corpus/judgments on the articles of corpus/samples. Raises JudgmentsError."""
    judged = read_queries(folder or config.shipped("corpus") / "judgments")
    documents = read_samples() if folder is None else read_documents(folder)
    with tempfile.TemporaryDirectory(prefix="kb-eval-") as name:
        segmenter = load_segmenter(config.lexicon_lines())
        engine = open_engine(Path(name), segmenter, memory_mib=settings.index_memory_mib)
        equal = synonyms.read(config.synonyms_text())
        ids = build(engine, documents, progress)
        rows: list[tuple[float, ...]] = []
        unreadable = 0
        for number, query in enumerate(judged, 1):
            try:
                found = first(engine, query.text, equal)
            except QueryError:
                unreadable += 1
                found = first(engine, plain, equal) if (plain := plain_words(query.text)) else ()
            rows.append(measures([query.grades.get(ids[one - 1], 0) for one in found], query.grades))
            progress("eval", number, len(judged))
    names = [query.query_class for query in judged]
    table = np.array(rows)
    of_class = {name: table[[one == name for one in names]] for name in dict.fromkeys(names)}
    classes = {name: quality(values) for name, values in of_class.items()}
    return Evaluation(len(ids), unreadable, quality(table), classes)


def first(engine: Engine, text: str, equal: synonyms.Table) -> tuple[int, ...]:
    """The ten articles shown first: where fewer have everything, those of the fallback follow. Raises QueryError."""
    typed = parse(text, datetime.now().astimezone().date())
    query, page = synonyms.expand(typed, equal), Page(limit=DEPTH)
    ids = engine.find(query, page).ids
    if len(ids) < DEPTH:
        ids += tuple(one for one in engine.find(query, page, match="any").ids if one not in ids)
    return ids[:DEPTH]


# --- measures -------------------------------------------------------------------------------------------------


def measures(found: Sequence[int], grades: dict[str, int]) -> tuple[float, ...]:
    """nDCG (gain 2^grade - 1), reciprocal rank, recall, and whether nothing was found. `found`: grades in order."""
    ideal = gain(sorted(grades.values(), reverse=True)[:DEPTH])
    hits = [place for place, grade in enumerate(found, 1) if grade > 0]
    wanted = sum(grade > 0 for grade in grades.values())
    return gain(found) / ideal, 1 / hits[0] if hits else 0.0, len(hits) / wanted, float(not found)


def gain(grades: Iterable[int]) -> float:
    return sum((float(2**grade) - 1.0) / math.log2(place + 1) for place, grade in enumerate(grades, 1))


def quality(values: Any) -> Quality:
    """`values`: a line for every query, a column for each of METRICS."""
    means = values.mean(axis=0)
    pick = np.random.default_rng(SEED)
    drawn = np.array(
        [values[pick.integers(len(values), size=len(values))].mean(axis=0) for _ in range(SAMPLES)]
    )
    outside = (100 - COVERED) / 2
    low, high = np.percentile(drawn, (outside, 100 - outside), axis=0)
    return Quality(
        len(values),
        {name: round(float(mean), PRECISION) for name, mean in zip(METRICS, means, strict=True)},
        {
            name: (round(float(low[i]), PRECISION), round(float(high[i]), PRECISION))
            for i, name in enumerate(METRICS)
        },
    )


# --- documents ------------------------------------------------------------------------------------------------


def build(engine: Engine, documents: Iterable[tuple[str, Article]], progress: Progress) -> list[str]:
    """Index the documents. Returns their ids; a document's article id is its place among them, from 1."""
    ids: list[str] = []
    seen: set[str] = set()

    def stored() -> Iterator[StoredArticle]:
        for name, article in documents:
            if name in seen:
                raise JudgmentsError("eval.repeated", id=name)
            seen.add(name)
            ids.append(name)
            number = len(ids)
            yield StoredArticle(number, number, 1, "normal", article, None, None, "2024-01-01T00:00:00Z", 0)

    rest = stored()
    batches = iter(lambda: list(islice(rest, TOGETHER)), [])
    engine.rebuild(batches, seq=1, progress=lambda done: progress("index", done, None))
    if not ids:
        raise JudgmentsError("eval.nothing", kind="docs")
    return ids


def read_documents(folder: Path) -> Iterator[tuple[str, Article]]:
    """Ids and articles of docs.jsonl or docs.jsonl.gz, a block for each line of a text."""
    path = next((one for name in ("docs.jsonl", "docs.jsonl.gz") if (one := folder / name).is_file()), None)
    if path is None:
        raise JudgmentsError("eval.no_file", path=folder / "docs.jsonl")
    for number, line in lines_of(path):
        item = read_line(path, number, line)
        title, texts = item.get("title") or "", item["text"].split("\n")
        blocks = tuple(
            Block(f"b{place}", "paragraph", None, text.strip())
            for place, text in enumerate(texts)
            if text.strip()
        )
        yield str(item["id"]), Article(key=str(item["id"]), source="files", title=title, blocks=blocks)


def read_line(path: Path, number: int, line: str) -> Line:
    """A document. Raises JudgmentsError for what is none."""
    try:
        item = json.loads(line)
    except ValueError as error:
        raise JudgmentsError("eval.bad_line", path=path, line=number, reason=str(error)) from error
    if not isinstance(item, dict) or not isinstance(item.get("id"), str | int):
        raise JudgmentsError("eval.bad_line", path=path, line=number, reason='"id"')
    if not isinstance(item.get("text"), str) or not isinstance(item.get("title") or "", str):
        raise JudgmentsError("eval.bad_line", path=path, line=number, reason='"text", "title"')
    return item


def read_samples() -> Iterator[tuple[str, Article]]:
    """The articles of corpus/samples by the last part of their addresses. Of two with one address the later one counts."""
    folder = config.shipped("corpus") / "samples"
    found: dict[str, Article] = {}
    for name in SAMPLE_FILES:
        for number, line in lines_of(folder / name):
            item = json.loads(line)
            place = item.get("url") or item.get("file") or item["id"]
            found[Path(place).stem] = read_archive_line(line, source="files", number=number)
    yield from found.items()


# --- queries --------------------------------------------------------------------------------------------------


def read_queries(folder: Path) -> list[Judged]:
    """The queries of a set that a document answers. Raises JudgmentsError."""
    grades = read_grades(folder)
    judged = []
    for path in named(folder, "queries"):
        of_file = path.stem.partition("_")[2]
        for _, columns in columns_of(path, 2):
            key, text = columns[:2]
            query_class = of_file or (columns[2] if len(columns) > 2 else "") or UNNAMED
            if any(grade > 0 for grade in grades[key].values()):
                judged.append(Judged(query_class, text, grades[key]))
    if not judged:
        raise JudgmentsError("eval.nothing", kind="queries")
    return judged


def read_grades(folder: Path) -> dict[str, dict[str, int]]:
    """Query -> document -> grade."""
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for path in named(folder, "qrels"):
        for number, (key, document, grade, *_) in columns_of(path, 3):
            if not grade.isdecimal():
                raise JudgmentsError("eval.bad_line", path=path, line=number, reason=grade)
            grades[key][document] = int(grade)
    return grades


def named(folder: Path, name: str) -> list[Path]:
    """queries.tsv, or queries_<class>.tsv in the order of their names."""
    found = sorted(path for path in folder.glob(f"{name}*.tsv") if path.stem.partition("_")[0] == name)
    if not found:
        raise JudgmentsError("eval.no_file", path=folder / f"{name}.tsv")
    return found


def columns_of(path: Path, least: int) -> Iterator[tuple[int, list[str]]]:
    """Numbers and columns of a file's lines."""
    for number, line in lines_of(path):
        columns = line.split("\t")
        if len(columns) < least:
            raise JudgmentsError("eval.bad_line", path=path, line=number, reason=f"{len(columns)} < {least}")
        yield number, columns


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file that are not blank, with their numbers. Raises JudgmentsError when it cannot be read."""
    try:
        with opened(path) as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise JudgmentsError("eval.unreadable", path=path, reason=str(error)) from error


def opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")
