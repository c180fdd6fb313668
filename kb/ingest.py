"""One page or file -> parsed, deduplicated, stored, indexed; and the index rebuilt from the store."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from kb import config
from kb.config import Settings
from kb.crawl.shapes import Handed
from kb.crawl.source import Source, load_all
from kb.engine import Engine, open_engine
from kb.errors import KbError, ParseError
from kb.model import Article, RawPage, StoredArticle
from kb.parse import article as parse_article
from kb.parse import files
from kb.parse import page as parse_page
from kb.parse.plain import plain_text
from kb.store import articles, frontier, pages, reviews, words
from kb.store.articles import NewArticle, Outcome
from kb.store.db import checkpoint, reading, writing
from kb.store.ranges import Range, ranges
from kb.store.reviews import Doubt, Taken
from kb.text.fingerprint import Fingerprints

FILES = "files"  # slug of the source of everything that was added by hand
FILE_KEYS = ("file:", "upload:")  # with which the key of a document begins that was added by hand
SAVED_TOGETHER = 400  # articles in one transaction: large enough for speed, small enough to lose little work
LINE_LIMIT = 16 * 1024 * 1024  # characters of one archive line; laws of 105,712 characters are common
ARCHIVES = (".jsonl", ".jsonl.gz")
DOCUMENTS = (".txt", ".html", ".htm", ".shtml", ".docx")

Progress = Callable[[str, int, int | None], None]


def silent(_stage: str, _done: int, _total: int | None) -> None:
    """Progress for nobody."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One input that could not be taken; the rest went on."""

    path: str  # a file, a file and line (x.jsonl:12) or a URL
    key: str  # parse.no_title
    message: str  # in Chinese


@dataclass(slots=True)
class AddReport:
    """What an `add` did."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    queued: list[Failure] = field(
        default_factory=list
    )  # read with too little confidence: they wait for a person
    failed: list[Failure] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Input:
    """One article-sized piece of input, or why it is none."""

    name: str
    item: NewArticle | Failure
    source_text: str | None = None  # what the page says, where another process has found that out


# --- add ------------------------------------------------------------------------------------------


def add(
    database: Database, settings: Settings, paths: Sequence[Path], progress: Progress = silent
) -> AddReport:
    """Parse and store files, folders and archives, in order. The same again changes nothing."""
    report = AddReport()
    with reading(database) as connection:
        near = articles.fingerprints(connection)
    for batch in _batches(_inputs(settings, paths), SAVED_TOGETHER):
        save_batch(database, settings, batch, near, report)
        checkpoint(database, settings.data)
        progress("store", report.added + report.changed + report.unchanged, None)
    return report


def save_batch(
    database: Database, settings: Settings, batch: Sequence[Input], near: Fingerprints, report: AddReport,
    *, by: str = "cli",
) -> None:  # fmt: skip
    """Store what was read, in one transaction, and count it in the report. `by`: who brought it."""
    items = [(entry, entry.item) for entry in batch if isinstance(entry.item, NewArticle)]
    taken: list[Taken] = []
    with writing(database) as connection:
        for is_kept, some in groupby(items, lambda one: one[1].page_hash is not None):
            if is_kept:
                taken += [_take_file(connection, settings, entry, new, near, by) for entry, new in some]
            else:
                saved = articles.save(connection, [new for _, new in some], near)
                taken += [Taken(one.outcome, one.id) for one in saved]
    for (entry, new), one in zip(items, taken, strict=True):
        if one.outcome == "queued":
            report.queued.append(failed(entry.name, doubtful(new.article)))
        else:
            setattr(report, one.outcome, getattr(report, one.outcome) + 1)
        report.ids += [one.article_id] if one.article_id is not None else []
    report.failed += [entry.item for entry in batch if isinstance(entry.item, Failure)]


def _take_file(
    connection: Connection, settings: Settings, entry: Input, new: NewArticle, near: Fingerprints, by: str
) -> Taken:
    if entry.source_text is None:
        return take(connection, settings, new, near, by=by, name=entry.name)
    doubt = Doubt(entry.name, "", entry.source_text, by)
    return reviews.take(connection, new, near, lambda: doubt)


def take(
    connection: Connection, settings: Settings, new: NewArticle, near: Fingerprints, *, by: str,
    name: str | None = None, page: RawPage | None = None,
) -> Taken:  # fmt: skip
    """Save the reading of a kept page, or put it into the queue of those that wait for a person: kb.store.reviews."""

    def doubt() -> Doubt:
        raw = page or RawPage(new.article.key, pages.get(settings.pages, new.page_hash or ""))
        text = plain_text(
            raw.body, key=new.article.key, content_type=raw.content_type, limit_mib=settings.parse_limit_mib
        )
        return Doubt(name or new.article.key.removeprefix("file:"), raw.content_type, text, by)

    return reviews.take(connection, new, near, doubt)


def _batches(entries: Iterable[Any], size: int) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _inputs(settings: Settings, paths: Sequence[Path]) -> Iterator[Input]:
    for path in paths:
        if path.is_dir():
            for found in sorted(path.rglob("*")):
                if found.is_file() and found.name.endswith((*ARCHIVES, *DOCUMENTS)):
                    yield from _file_inputs(settings, found)
        else:
            yield from _file_inputs(settings, path)


def _file_inputs(settings: Settings, path: Path) -> Iterator[Input]:
    try:
        if path.name.endswith(ARCHIVES):
            yield from archive_inputs(path)
        elif path.name.endswith(DOCUMENTS):
            yield Input(str(path), _document(settings, path))
        else:
            raise ParseError("add.unknown_type", path=path)
    except KbError as error:
        yield Input(str(path), failed(str(path), error))
    except OSError as error:
        yield Input(
            str(path), failed(str(path), ParseError("add.unreadable", path=path, reason=error.strerror))
        )


def failed(path: str, error: KbError) -> Failure:
    """Why an input could not be taken."""
    return Failure(path, error.key, error.words("zh"))


def archive_inputs(path: Path) -> Iterator[Input]:
    """The articles of an archive, line by line."""
    opened = gzip.open if path.name.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8", errors="replace") as lines:
        number = 0
        while line := lines.readline(LINE_LIMIT):
            number += 1
            name = f"{path}:{number}"
            if len(line) == LINE_LIMIT and not line.endswith("\n"):
                yield Input(name, failed(name, ParseError("add.line_too_long", path=name, limit=LINE_LIMIT)))
                while (rest := lines.readline(LINE_LIMIT)) and not rest.endswith("\n"):
                    pass
            elif line.strip():
                yield Input(name, _archive_item(line, number, name))


def _archive_item(line: str, number: int, name: str) -> NewArticle | Failure:
    try:
        return NewArticle(
            files.read_archive_line(line, source=FILES, number=number), known_version_is_old=True
        )
    except ParseError as error:
        return failed(name, error)


def _document(settings: Settings, path: Path) -> NewArticle:
    size_mib = path.stat().st_size / 2**20
    if size_mib > settings.fetch_decoded_mib:
        raise ParseError(
            "parse.too_large", source=path, size_mib=size_mib, limit_mib=settings.fetch_decoded_mib
        )
    body = path.read_bytes()
    page_hash = pages.put(settings.pages, body)
    key = f"file:{path.resolve()}"
    return NewArticle(read_document(settings, key, body), page_hash, known_version_is_old=True)


def read_document(settings: Settings, key: str, body: bytes) -> Article:
    """The article in a file's bytes; `key` ends like its name. Raises ParseError."""
    if key.endswith(".txt"):
        return files.read_text(body, key=key, source=FILES)
    if key.endswith(".docx"):
        return files.read_docx(body, key=key, source=FILES)
    url = parse_page.stated_url(_text(RawPage(url=key, body=body)))
    page = RawPage(url=url or key, body=body)
    limit = settings.parse_limit_mib
    article = parse_article.read_page(page, rule=None, source=FILES, limit_mib=limit)
    return replace(article, key=key, url=url)


def doubtful(article: Article) -> ParseError:
    """That its reading is not sure enough to be searched unseen."""
    return ParseError("parse.low_confidence", source=article.key, confidence=article.provenance.confidence)


# --- crawl ----------------------------------------------------------------------------------------


def unwatched(_article: Article) -> None:
    """Nobody is told."""


def hands(database: Database, settings: Settings, *, seen: Callable[[Article], None] = unwatched) -> Handed:
    """The store and the parser as the functions that a crawl works with; `seen` is told of every article that is read."""
    with reading(database) as connection:
        near = articles.fingerprints(connection)

    @contextmanager
    def transaction() -> Iterator[Connection]:
        with writing(database) as connection:
            yield connection
        checkpoint(database, settings.data)

    def take_page(
        connection: Connection, page: RawPage, page_hash: str, source: Source
    ) -> Outcome | ParseError:
        article = read_crawled(settings, page, source)
        new = NewArticle(article, page_hash)
        taken = take(connection, settings, new, near, by="crawl", page=page)
        if taken.outcome == "queued":
            return doubtful(article)
        seen(article)
        return taken.outcome

    return Handed(
        frontier=frontier,
        transaction=transaction,
        keep=lambda body: pages.put(settings.pages, body),
        kept=lambda page_hash: pages.get(settings.pages, page_hash),
        take=take_page,
        links=lambda page: parse_page.links(_text(page), page.url),
        refresh=lambda page: parse_page.meta_refresh(_text(page), page.url),
    )


def _text(page: RawPage) -> str:
    return parse_page.decode(page.body, page.content_type).text


def read_crawled(settings: Settings, page: RawPage, source: Source) -> Article:
    """The article on a crawled page. Raises ParseError."""
    limit = settings.parse_limit_mib
    return parse_article.read_page(page, rule=source.rule, source=source.slug, limit_mib=limit)


def load_sources(settings: Settings) -> dict[str, Source]:
    """Shipped sources and the operator's own by slug. Raises ConfigError."""
    return load_all([config.shipped("corpus") / "sources", settings.own_sources])


# --- index ----------------------------------------------------------------------------------------


def open_index(settings: Settings, database: Database, *, writes: bool = True) -> Engine:
    """The index as it is, to be kept with the words of the present lexicon. `writes`: it may be made with them.

    Its methods raise EngineDownError when it is missing, damaged or made with other words.
    """
    with reading(database) as connection:
        present = words.lexicon(connection)
    segmenter = present.segmenter()
    if writes:
        words.keep_made_with(settings.index, segmenter.fingerprint, present)
    return open_engine(settings.index, segmenter, memory_mib=settings.index_memory_mib)


def reindex(
    database: Database, settings: Settings, *, everything: bool, progress: Progress = silent,
    engine: Engine | None = None,
) -> int:  # fmt: skip
    """Bring the index up to the store: what changed since its last sequence number, or `everything` anew.

    A missing or damaged index is rebuilt; a rebuild that was killed goes on. Returns how many articles went through.
    """
    engine = engine or open_index(settings, database)
    engine.tidy()
    if everything or engine.problem() is not None:
        return _rebuild(database, settings, engine, progress)
    done = 0
    changed = _ranges(database, settings, engine, engine.indexed_seq(), settings.index_batch)
    total = sum(batch.count for batch in changed)
    for batch in changed:
        engine.update(batch, seq=batch.until)
        done += batch.count
        progress("index", done, total)
    return done


def _rebuild(database: Database, settings: Settings, engine: Engine, progress: Progress) -> int:
    with reading(database) as connection:
        latest, total = articles.latest_seq(connection), articles.count_unindexed(connection, 0)
    after = engine.reached()
    if after > latest:  # of another store
        after = 0
    left = _ranges(database, settings, engine, after, total)
    count = sum(batch.count for batch in left)
    progress("index", total - count, total)
    engine.rebuild(
        left, seq=latest, after=after, progress=lambda done: progress("index", total - count + done, total)
    )
    return count


def _ranges(database: Database, settings: Settings, engine: Engine, after: int, most: int) -> list[Range]:
    with reading(database) as connection:
        return ranges(connection, settings.database, after, chars=engine.batch_chars, count=most)


# --- everything -----------------------------------------------------------------------------------


def every_article(database: Database) -> Iterator[StoredArticle]:
    """All articles of any status, in order of their last change."""
    seq = 0
    while True:
        with reading(database) as connection:
            batch = articles.changed_since(connection, seq, SAVED_TOGETHER)
        if not batch:
            return
        seq = batch[-1].seq
        yield from batch
