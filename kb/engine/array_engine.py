"""The engine: a Whoosh index whose postings are mapped arrays, in generation folders (generations.py).

Reading needs no lock: a snapshot never changes, and a query keeps the one it began with.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from whoosh import __version__ as whoosh_version

from kb.engine import clock, generations, plan, rebuilding
from kb.engine.answer import find
from kb.engine.facets import FACETS, facet_of
from kb.engine.generations import Generation
from kb.engine.held_words import candidates, held_words
from kb.engine.index_writer import IndexWriter
from kb.engine.layout import SEGMENT_DOCS, SEGMENT_TOKENS
from kb.engine.like import like, words
from kb.engine.parallel import BYTES_A_CHAR, Batch, Cut, Workers
from kb.engine.rebuilding import Journal, Rebuild
from kb.engine.segments import FORMAT
from kb.engine.serving import Serving, writing
from kb.engine.snapshot import Snapshot
from kb.engine.topics import topics_of
from kb.engine.tree import Member, Tree
from kb.errors import TooSlowError
from kb.model import (
    NO_TOPICS,
    NOTHING_HIDDEN,
    Found,
    HeldWords,
    Hidden,
    Mark,
    Match,
    Page,
    Query,
    StoredArticle,
    TopicSet,
)
from kb.text.segment import Segmenter

Answer = TypeVar("Answer")


def _silent(_articles: int) -> None:
    """Progress for nobody."""


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
        self._serving = Serving(index, segmenter.fingerprint)
        self._members: tuple[TopicSet, Sequence[Member]] = (NO_TOPICS, ())

    # --- reading ------------------------------------------------------------------------------------------

    def find(self, query: Query, page: Page, *, match: Match = "all") -> Found:
        return self.find_tree(plan.of(query, self._segmenter, match), page)

    def find_tree(self, tree: Tree, page: Page) -> Found:
        members = self._members_of(page.topics)
        return self._answer(lambda snapshot, deadline: find(snapshot, tree, page, deadline, members), page)

    def _members_of(self, topics: TopicSet) -> Sequence[Member]:
        """What each topic has, planned once for a set."""
        if not topics.members:
            return ()
        known = self._members
        if known[0] is not topics:
            known = self._members = topics, [plan.member(one, self._segmenter) for one in topics.members]
        return known[1]

    def held_words(self, query: Query, page: Page, least: int) -> HeldWords:
        node = plan.of(query, self._segmenter).part
        return self._answer(
            lambda snapshot, deadline: held_words(snapshot, node, page.hidden, least, deadline), page
        )

    def get_ready(self, topics: TopicSet) -> None:
        snapshot = self._serving.sound().snapshot
        topics_of(snapshot, topics, self._members_of(topics))
        candidates(snapshot)
        for name in FACETS:
            facet_of(snapshot, name)

    def _answer(self, asked: Callable[[Snapshot, int], Answer], page: Page) -> Answer:
        snapshot = self._serving.sound().snapshot
        try:
            deadline = clock.deadline(page.seconds)
            clock.check(deadline)
            return asked(snapshot, deadline)
        except TimeoutError as error:
            raise TooSlowError("search.too_slow", seconds=page.seconds) from error

    def marks(self, query: Query, *, match: Match = "all") -> tuple[Mark, ...]:
        return plan.marks(query, self._segmenter, match)

    def like(self, stored: StoredArticle, limit: int, *, hidden: Hidden = NOTHING_HIDDEN) -> tuple[int, ...]:
        return like(self._serving.sound().snapshot, self._segmenter, stored, limit, hidden)

    def words(self, least: int) -> Iterator[tuple[str, int]]:
        return words(self._serving.sound().snapshot, least)

    def indexed_seq(self) -> int:
        return int(self._serving.sound().generation.facts["seq"])

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
            writer = self._writer(folder, workers, is_new=False)
            writer.replace(articles, batch=self._batch)
            writer.merge()
            self._publish(folder, writer, seq, previous)

    @property
    def batch_chars(self) -> int:
        return max(1, self._memory // self._processes // BYTES_A_CHAR)

    def reached(self) -> int:
        with writing(self._index):
            journal = rebuilding.unfinished(self._index, self._made_with)
        return journal.seq if journal else 0

    def rebuild(
        self, batches: Iterable[Batch], *, seq: int, after: int = 0, progress: Callable[[int], None] = _silent
    ) -> None:
        with writing(self._index):
            before = self._unfinished(after)
            with (
                self._partial(None, before) as folder,
                closing(Workers(self._segmenter, self._processes)) as workers,
            ):
                writer = self._writer(folder, workers, is_new=True)
                cut = Cut(min(self._batch, SEGMENT_DOCS), self.batch_chars, keeps_hidden=after > 0)
                Rebuild(folder, writer, self._made_with, before).run(workers, batches, cut, progress)
                self._publish(folder, writer, seq, None)

    def _unfinished(self, after: int) -> Journal | None:
        """The killed rebuild that has got to `after`; another one is given up. Raises ValueError."""
        before = rebuilding.unfinished(self._index, self._made_with)
        if before is not None and before.seq != after:
            shutil.rmtree(before.folder)
            before = None
        if after and before is None:
            raise ValueError(f"no rebuild has got to {after}")
        return before and rebuilding.resume(before)

    def _writer(self, folder: Path, workers: Workers, *, is_new: bool) -> IndexWriter:
        chars = max(1, self._memory // workers.count // BYTES_A_CHAR)
        return IndexWriter(
            folder, workers, is_new=is_new, chars=chars, tokens=min(SEGMENT_TOKENS, self._memory)
        )

    @property
    def _made_with(self) -> dict[str, Any]:
        return {"format": FORMAT, "segmenter": self._segmenter.fingerprint}

    def tidy(self) -> None:
        with writing(self._index):
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
