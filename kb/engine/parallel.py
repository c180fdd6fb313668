"""Segments made by several processes at once: each cuts and inverts articles and writes its segments' files.

Processes are spawned, never forked: the web process has threads, and a fork would copy their locks. At most one batch for
each process waits, so memory stays bounded however many articles come.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, NamedTuple

from kb.engine import merging, segment_writer, segments
from kb.engine.codec import KbSegment
from kb.engine.layout import SEGMENT_DOCS
from kb.engine.snapshot import INDEX
from kb.engine.tokens import Tokeniser
from kb.model import SHOWN_STATUSES, Article, StoredArticle
from kb.text.segment import Segmenter

WORTH_STARTING = 1_000  # articles of a batch; a process needs a second to start
BYTES_A_CHAR = 48  # what a character costs until its segment is written (docs/benchmarks.md)
CHARS = 2_000_000  # of the articles that become one segment
Batch = Iterable[
    StoredArticle
]  # a list, or what reads its articles from the store when it is gone through, also elsewhere
_own: list[Tokeniser] = []  # of a worker process


class Built(NamedTuple):
    """What became of a batch."""

    segments: list[KbSegment]
    articles: int  # hidden ones as well
    seq: int  # the last sequence number


class Cut(NamedTuple):
    """How batches are cut into segments."""

    docs: int = SEGMENT_DOCS
    chars: int = CHARS
    keeps_hidden: bool = (
        False  # hidden articles are kept as empty ones, with -id for an id (see rebuilding.py)
    )


class Workers:
    """Builds and merges segments in `count` processes, which are started when a second batch comes."""

    def __init__(self, segmenter: Segmenter, count: int) -> None:
        self._segmenter = segmenter
        self.count = count
        self._pool: ProcessPoolExecutor | None = None
        self._tokeniser: Tokeniser | None = None

    def build(self, folder: Path, batches: Iterable[Batch], cut: Cut) -> Iterator[Built]:
        """What became of each batch, in order, as its segments are written."""
        rest = iter(batches)
        first = list(islice(rest, 2))
        if self.count < 2 or len(first) < 2 or _is_small(first[0]):
            self._tokeniser = self._tokeniser or Tokeniser(self._segmenter)
            for batch in chain(first, rest):
                yield build(folder, batch, cut, self._tokeniser)
            return
        waiting: deque[Future[Built]] = deque()
        for batch in chain(first, rest):
            waiting.append(self._started().submit(_build, folder, batch, cut))
            if len(waiting) > self.count:
                yield waiting.popleft().result()
        yield from (one.result() for one in waiting)

    def merge(self, folder: Path, parts: Sequence[tuple[str, int]]) -> Future[KbSegment]:
        """Of parts (name, number of the file of deletions): one segment, in the pool if there is one."""
        if self._pool is not None:
            return self._pool.submit(_merge, folder, parts)
        done: Future[KbSegment] = Future()
        done.set_result(_merge(folder, parts))
        return done

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.count, context, _start, (self._segmenter,))
        return self._pool


def _is_small(batch: Batch) -> bool:
    return isinstance(batch, Sequence) and len(batch) < WORTH_STARTING


def _start(segmenter: Segmenter) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    _own.append(Tokeniser(segmenter))


def _end_with(sentinel: int) -> None:
    """A parent that was killed would leave its workers waiting for ever."""
    wait([sentinel])
    os._exit(1)


def _build(folder: Path, batch: Batch, cut: Cut) -> Built:
    return build(folder, batch, cut, _own[0])


def build(folder: Path, batch: Batch, cut: Cut, tokeniser: Tokeniser) -> Built:
    """Segments of the articles of a batch: each id once, as it was last; hidden ones are left out."""
    built: list[KbSegment] = []
    articles = seq = 0
    for piece in pieces(batch, cut.docs, cut.chars):
        articles += len(piece)
        seq = max(seq, *(stored.seq for stored in piece))
        latest = {stored.id: stored for stored in piece}
        shown = [as_indexed(stored) for stored in latest.values() if cut.keeps_hidden or _is_shown(stored)]
        if shown:
            one = KbSegment(INDEX, len(shown))
            one.tokens = segment_writer.build(folder, one.file_name, shown, tokeniser)
            built.append(one)
        give_back_memory()
    return Built(built, articles, seq)


def _is_shown(stored: StoredArticle) -> bool:
    return stored.status in SHOWN_STATUSES


def as_indexed(stored: StoredArticle) -> StoredArticle:
    """The article, or for a hidden one what marks its place: nothing, under -id."""
    if _is_shown(stored):
        return stored
    nothing = Article(key=stored.article.key, source=stored.article.source, title="", blocks=())
    return StoredArticle(-stored.id, stored.seq, 1, "normal", nothing, None, None, stored.stored_at, 0)


def pieces(articles: Iterable[StoredArticle], docs: int, chars: int) -> Iterator[list[StoredArticle]]:
    """The articles in their order, as many together as a segment may have; a larger one is alone."""
    piece: list[StoredArticle] = []
    room = 0
    for stored in articles:
        size = chars_of(stored.article)
        if piece and (len(piece) == docs or size > room):
            yield piece
            piece = []
        room = (room if piece else chars) - size
        piece.append(stored)
    if piece:
        yield piece


def chars_of(article: Article) -> int:
    return len(article.title) + sum(len(block.text) for block in article.blocks)


def _merge(folder: Path, parts: Sequence[tuple[str, int]]) -> KbSegment:
    opened = [segments.read(folder, part, deletions) for part, deletions in parts]
    one = KbSegment(INDEX, sum(part.count for part in opened))
    one.tokens = merging.merge(folder, one.file_name, opened)
    give_back_memory()
    return one


def give_back_memory() -> None:
    """What was freed goes back to the system, where the C library can say so: glibc keeps tens of MiB otherwise."""
    trim: Any = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
