"""Segments made by several processes at once: each cuts and inverts a batch of articles and writes its segment's file.

Processes are spawned, never forked: the web process has threads, and a fork would copy their locks. At most one batch for
each process waits, so memory stays bounded however many articles come.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from pathlib import Path

from kb.engine import merging, segments
from kb.engine.tokens import Tokeniser
from kb.model import StoredArticle
from kb.text.segment import Segmenter

WORTH_STARTING = 1_000  # articles of a batch; a process needs a second to start
_own: list[Tokeniser] = []  # of a worker process


class Workers:
    """Builds and merges segments in `count` processes, which are started when a second batch comes."""

    def __init__(self, segmenter: Segmenter, count: int) -> None:
        self._segmenter = segmenter
        self._count = count
        self._pool: ProcessPoolExecutor | None = None

    def build(
        self, folder: Path, named: Iterable[tuple[str, Sequence[StoredArticle]]]
    ) -> Iterator[tuple[str, int]]:
        """Name and number of articles of each segment, in order, as they are written."""
        rest = iter(named)
        first = list(islice(rest, 2))
        if self._count < 2 or len(first) < 2 or len(first[0][1]) < WORTH_STARTING:
            own = Tokeniser(self._segmenter)
            for name, articles in chain(first, rest):
                segments.build(folder, name, articles, own)
                yield name, len(articles)
            return
        pool = self._started()
        waiting: deque[Future[tuple[str, int]]] = deque()
        for name, articles in chain(first, rest):
            waiting.append(pool.submit(_build, folder, name, articles))
            if len(waiting) > self._count:
                yield waiting.popleft().result()
        yield from (one.result() for one in waiting)

    def merge(self, folder: Path, groups: Sequence[tuple[str, Sequence[tuple[str, int]]]]) -> None:
        """Groups of (new name, parts (name, number of the file of deletions)), one process for each group."""
        if self._pool is None:
            for group in groups:
                _merge(folder, *group)
        else:
            for done in [self._pool.submit(_merge, folder, *group) for group in groups]:
                done.result()

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._count, context, _start, (self._segmenter,))
        return self._pool


def _start(segmenter: Segmenter) -> None:
    _own.append(Tokeniser(segmenter))


def _build(folder: Path, name: str, articles: Sequence[StoredArticle]) -> tuple[str, int]:
    segments.build(folder, name, articles, _own[0])
    return name, len(articles)


def _merge(folder: Path, name: str, parts: Sequence[tuple[str, int]]) -> None:
    merging.merge(folder, name, [segments.read(folder, part, deletions) for part, deletions in parts])
