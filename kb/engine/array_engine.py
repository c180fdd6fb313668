"""The engine: a Whoosh index whose postings are mapped arrays, in generation folders (generations.py).

Reading needs no lock: a snapshot never changes, and a query keeps the one it began with.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from whoosh import __version__ as whoosh_version

from kb.engine import clock, generations, plan
from kb.engine.answer import Page, answer
from kb.engine.evaluate import Matches, evaluate
from kb.engine.generations import Generation
from kb.engine.index_writer import IndexWriter
from kb.engine.parallel import Workers
from kb.engine.segments import FORMAT
from kb.engine.serving import Serving, writing
from kb.engine.snapshot import Snapshot
from kb.model import Filters, Found, Match, Query, Sort, StoredArticle
from kb.text.segment import Segmenter

ARTICLES_PER_MIB = 80  # what an article costs while its batch is turned into a segment: some 12 KiB


class ArrayEngine:
    """See kb.engine.Engine."""

    def __init__(
        self, index: Path, segmenter: Segmenter, *, memory_mib: int, batch: int, processes: int | None = None
    ) -> None:
        """`processes` that rebuild the index together; as many as there are processors by default."""
        self._index = index
        self._segmenter = segmenter
        self._processes = processes or os.cpu_count() or 1
        self._batch = max(1, min(batch, memory_mib * ARTICLES_PER_MIB // self._processes))
        self._serving = Serving(index, segmenter.fingerprint)

    # --- reading ------------------------------------------------------------------------------------------

    def find(
        self, query: Query, *, match: Match, filters: Filters, sort: Sort, offset: int, limit: int,
        seconds: float | None = None,
    ) -> Found:  # fmt: skip
        """Raises TimeoutError after `seconds`, in any thread."""
        snapshot = self._serving.sound().snapshot
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
        return int(self._serving.opened().generation.facts["seq"])

    def count(self) -> int:
        return int(self._serving.sound().generation.facts["count"])

    def problem(self) -> str | None:
        error = self._serving.problem()
        return None if error is None else error.words("zh")

    def verify(self) -> list[str]:
        return self._serving.verify()

    # --- writing ------------------------------------------------------------------------------------------

    def update(self, articles: Iterable[StoredArticle], *, seq: int) -> None:
        previous = self._serving.usable()
        with (
            writing(self._index),
            self._partial(previous) as folder,
            closing(Workers(self._segmenter, 1)) as workers,
        ):
            writer = IndexWriter(folder, workers, is_new=False)
            writer.replace(articles, batch=self._batch)
            writer.merge()
            self._publish(folder, writer, seq, previous)

    def rebuild(self, batches: Iterable[Sequence[StoredArticle]], *, seq: int) -> None:
        with (
            writing(self._index),
            self._partial(None) as folder,
            closing(Workers(self._segmenter, self._processes)) as workers,
        ):
            writer = IndexWriter(folder, workers, is_new=True)
            writer.add(chain.from_iterable(batches), batch=self._batch)
            writer.merge(everything=True)
            self._publish(folder, writer, seq, None)

    def tidy(self) -> None:
        with writing(self._index):
            generations.tidy(self._index)

    @contextmanager
    def _partial(self, previous: Generation | None) -> Iterator[Path]:
        folder = generations.begin(self._index, previous)
        try:
            yield folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _publish(self, folder: Path, writer: IndexWriter, seq: int, previous: Generation | None) -> None:
        writer.seal()
        facts = {
            "format": FORMAT,
            "segmenter": self._segmenter.fingerprint,
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
