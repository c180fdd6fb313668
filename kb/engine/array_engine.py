"""The engine: a Whoosh index whose postings are mapped arrays, in generation folders (generations.py).

Reading needs no lock: a snapshot never changes, and a query keeps the one it began with.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from whoosh import __version__ as whoosh_version

from kb.engine import clock, generations, plan, rebuilding
from kb.engine.answer import Page, answer
from kb.engine.evaluate import Matches, evaluate
from kb.engine.generations import Generation
from kb.engine.index_writer import IndexWriter
from kb.engine.layout import SEGMENT_DOCS, SEGMENT_TOKENS
from kb.engine.parallel import BYTES_A_CHAR, Batch, Cut, Workers
from kb.engine.rebuilding import Journal, Rebuild
from kb.engine.segments import FORMAT
from kb.engine.snapshot import Snapshot, open_snapshot
from kb.errors import EngineDownError
from kb.model import Filters, Found, Match, Query, Sort, StoredArticle
from kb.text.segment import Segmenter

OPEN_TRIES = 3  # a generation can be replaced twice while it is being opened


def _silent(_articles: int) -> None:
    """Progress for nobody."""


class _Serving(NamedTuple):
    stamp: tuple[int, int] | None
    facts: Any
    snapshot: Snapshot


class ArrayEngine:
    """See kb.engine.Engine."""

    def __init__(
        self, index: Path, segmenter: Segmenter, *, memory_mib: int, batch: int, processes: int | None = None
    ) -> None:
        """`processes` that rebuild the index together; as many as there are processors by default."""
        self._index = index
        self._segmenter = segmenter
        self._processes = processes or os.cpu_count() or 1
        self._batch = batch
        self._memory = memory_mib << 20
        self._lock = threading.Lock()
        self._serving: _Serving | None = None

    # --- reading ------------------------------------------------------------------------------------------

    def find(
        self, query: Query, *, match: Match, filters: Filters, sort: Sort, offset: int, limit: int,
        seconds: float | None = None,
    ) -> Found:  # fmt: skip
        """Raises TimeoutError after `seconds`, in any thread."""
        snapshot = self._opened().snapshot
        snapshot.check()
        clauses = plan.wanted(query.clauses, self._segmenter)
        only = {"newspaper": filters.newspapers, "year": filters.years}
        page = Page(only=only, sort=sort, offset=offset, limit=limit)
        with clock.deadline(seconds) as deadline:
            if not clauses:
                nothing = Matches(np.zeros(snapshot.docs, np.bool_), np.zeros(snapshot.docs))
                return answer(snapshot, *nothing, page)
            if match == "all":
                return answer(snapshot, *evaluate(snapshot, plan.of_all(clauses), deadline), page)
            matches, full = _match_any(snapshot, clauses, deadline)
            return answer(snapshot, *matches, page, full)

    def terms(self, query: Query) -> tuple[str, ...]:
        return plan.marked(plan.wanted(query.clauses, self._segmenter))

    def indexed_seq(self) -> int:
        return int(self._opened().facts["seq"])

    def count(self) -> int:
        return int(self._opened().facts["count"])

    def problem(self) -> str | None:
        try:
            self._opened()
        except EngineDownError as error:
            return error.words("zh")
        return None

    def verify(self) -> list[str]:
        try:
            generation = self._usable()
        except EngineDownError as error:
            return [error.words("zh")]
        found = generations.problems(generation)
        if found and generations.current(self._index) != generation:
            return self.verify()  # it was replaced and removed while it was being read
        return found

    def _opened(self) -> _Serving:
        """The serving generation, opened again when CURRENT has changed."""
        serving = self._serving
        if serving is not None and serving.stamp == generations.stamp(self._index):
            return serving
        with self._lock:
            if self._serving is None or self._serving.stamp != generations.stamp(self._index):
                self._serving = None
                self._serving = self._open()
            return self._serving

    def _open(self) -> _Serving:
        for _ in range(OPEN_TRIES):
            stamp = generations.stamp(self._index)
            try:
                generation = self._usable()
                return _Serving(stamp, generation.facts, open_snapshot(generation.folder))
            except EngineDownError:
                if generations.stamp(self._index) == stamp:
                    raise
        raise EngineDownError("index.unavailable")

    def _usable(self) -> Generation:
        """The serving generation, if this program can read it. Raises EngineDownError."""
        generation = generations.current(self._index)
        if generation is None:
            raise EngineDownError("index.missing")
        facts = generation.facts
        if (facts.get("format"), facts.get("segmenter")) != (FORMAT, self._segmenter.fingerprint):
            raise EngineDownError("index.outdated")
        return generation

    # --- writing ------------------------------------------------------------------------------------------

    def update(self, articles: Iterable[StoredArticle], *, seq: int) -> None:
        previous = self._usable()
        with self._partial(previous) as folder, closing(Workers(self._segmenter, 1)) as workers:
            writer = self._writer(folder, workers, is_new=False)
            writer.replace(articles, batch=self._batch)
            writer.merge()
            self._publish(folder, writer, seq, previous)

    @property
    def batch_chars(self) -> int:
        return max(1, self._memory // self._processes // BYTES_A_CHAR)

    def reached(self) -> int:
        journal = rebuilding.unfinished(self._index, self._made_with)
        return journal.seq if journal else 0

    def rebuild(
        self, batches: Iterable[Batch], *, seq: int, after: int = 0, progress: Callable[[int], None] = _silent
    ) -> None:
        before = rebuilding.unfinished(self._index, self._made_with)
        if before is not None and before.seq != after:
            shutil.rmtree(before.folder)
            before = None
        if after and before is None:
            raise ValueError(f"no rebuild has got to {after}")
        with (
            self._partial(None, before) as folder,
            closing(Workers(self._segmenter, self._processes)) as workers,
        ):
            writer = self._writer(folder, workers, is_new=True)
            cut = Cut(min(self._batch, SEGMENT_DOCS), self.batch_chars, keeps_hidden=after > 0)
            Rebuild(folder, writer, self._made_with, before).run(workers, batches, cut, progress)
            self._publish(folder, writer, seq, None)

    def _writer(self, folder: Path, workers: Workers, *, is_new: bool) -> IndexWriter:
        chars = max(1, self._memory // workers.count // BYTES_A_CHAR)
        return IndexWriter(
            folder, workers, is_new=is_new, chars=chars, tokens=min(SEGMENT_TOKENS, self._memory)
        )

    @property
    def _made_with(self) -> dict[str, Any]:
        return {"format": FORMAT, "segmenter": self._segmenter.fingerprint}

    def tidy(self) -> None:
        rebuilding.unfinished(self._index, self._made_with)
        generations.tidy(self._index)

    @contextmanager
    def _partial(self, previous: Generation | None, before: Journal | None = None) -> Iterator[Path]:
        folder = before.folder if before else generations.begin(self._index, previous)
        try:
            yield folder
        except (KeyboardInterrupt, BrokenExecutor):
            raise  # as after a kill, a rebuild can be gone on with
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _publish(self, folder: Path, writer: IndexWriter, seq: int, previous: Generation | None) -> None:
        writer.seal()
        facts = {
            **self._made_with,
            "whoosh": ".".join(map(str, whoosh_version)),
            "seq": seq,
            "count": writer.count,
        }
        generations.publish(folder, facts, previous)


def _match_any(snapshot: Snapshot, clauses: Sequence[plan.Wanted], deadline: int) -> tuple[Matches, Any]:
    """Articles that have a clause, and where none has, a piece of one; how many clauses each has. Dates stay a must."""
    dated, scores, full = snapshot.alive, np.zeros(snapshot.docs), np.zeros(snapshot.docs, np.int64)
    pieces = np.zeros(snapshot.docs, np.bool_)
    for one in clauses:
        has_all = np.ones(snapshot.docs, np.bool_)
        for node, text in one.pieces:
            found = evaluate(snapshot, node, deadline)
            scores = scores + found.scores
            has_all &= found.mask
            if len(text) > 1:  # 的 alone is no reason to show an article
                pieces |= found.mask
        if one.clause.kind == "date":
            dated = dated & has_all
        else:
            full += has_all
    for gram in plan.grams(clauses):
        scores = scores + evaluate(snapshot, gram, deadline).scores
    mask = dated & (full > 0)
    mask = mask if mask.any() else dated & pieces
    return Matches(mask, scores), full
