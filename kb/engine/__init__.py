"""The search index as the rest of kb sees it: derived from the store, disposable, behind one small protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from kb.engine.tree import Tree
from kb.model import (
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


class Engine(Protocol):
    """An index. Every method may be called from any thread; writers are kept apart by the caller's lock.

    Where the index is damaged or made with other words, the last whole one answers. Where there is none, every reading
    method raises EngineDownError: an index that cannot be read is never an empty one.
    """

    def find(self, query: Query, page: Page, *, match: Match = "all") -> Found:
        """Articles that the query finds, or ("any") those of its fallback: words may be missing, most of them first.

        The totals and the counts are exact, over all matches. Counts of a facet leave out what was chosen in that
        facet, so that its other values stay in sight; a collapsed copy still counts there. Equal dates and lengths are
        ordered by score, equal scores by article id; unknown dates come last in both orders of date. Of collapsed copies
        the one published first stands where its own date, length or score puts it.
        What `page.hidden` names is in none of it; in a group of copies the first of the others stands for it. The weight of
        words is that of the whole index all the same.
        Raises TooSlowError after `page.seconds`, in any thread.
        """
        ...

    def find_tree(self, tree: Tree, page: Page) -> Found:
        """Articles that a tree matches, as `find` answers."""
        ...

    def marks(self, query: Query, *, match: Match = "all") -> tuple[Mark, ...]:
        """What of a query to mark in titles and texts that it finds, or ("any") that its fallback finds."""
        ...

    def like(self, stored: StoredArticle, limit: int, *, hidden: Hidden = NOTHING_HIDDEN) -> tuple[int, ...]:
        """Ids of the articles most like one, the likest first: none of its own copies, of others' copies one."""
        ...

    def words(self, least: int) -> Iterator[tuple[str, int]]:
        """Words that at least so many articles hold, and how many do, one at a time in no order."""
        ...

    def held_words(self, query: Query, page: Page, least: int) -> HeldWords:
        """The words of three and more Chinese characters that at least so many articles hold which a query finds, in no order.

        Of `page` nothing counts but what is hidden and how long it may take.
        """
        ...

    def get_ready(self, topics: TopicSet) -> None:
        """Work out what the topics have, and what else is worked out once for an index, before anybody has to wait for it."""
        ...

    def update(self, articles: Iterable[StoredArticle], *, seq: int) -> None:
        """Take in changed articles, replaced by id; one whose status is not shown is removed.

        Searchable when it returns, and `indexed_seq() == seq`. Killed at any moment it leaves the old state.
        """
        ...

    def rebuild(
        self,
        batches: Iterable[Iterable[StoredArticle]],
        *,
        seq: int,
        after: int = 0,
        progress: Callable[[int], None] = ...,
    ) -> None:
        """Make the index anew from all articles while the old one goes on answering. Needs no usable index.

        `batches`: in order of change. Lists are cut and put together as is best; anything else is gone through in a process
        of its own, so it is pickled, reads its articles where it is, and should have some `batch_chars` of them.
        `after`: 0, or what `reached` said: then batches hold what was changed later, and a killed rebuild is gone on with.
        `progress` is told how many articles are done.
        """
        ...

    def reached(self) -> int:
        """The sequence number up to which a killed rebuild got, 0 when there is none that can be gone on with."""
        ...

    @property
    def batch_chars(self) -> int:
        """Characters of the articles that one process of a rebuild holds at a time."""
        ...

    def tidy(self) -> None:
        """Remove what killed runs left on the disk. Only under the writer's lock."""
        ...

    def indexed_seq(self) -> int:
        """The store's sequence number up to which changes are searchable."""
        ...

    def count(self) -> int:
        """How many articles are searchable."""
        ...

    def problem(self) -> str | None:
        """Why it must be rebuilt, in Chinese and with what to do; None when it need not. An older one may answer meanwhile."""
        ...

    def verify(self) -> list[str]:
        """Reads every file of the index and names each that is not as it was written; empty when sound."""
        ...


def open_engine(index: Path, segmenter: Segmenter, *, memory_mib: int = 256, batch: int = 20_000) -> Engine:
    """The engine over the folder `index`, which may be missing or unusable: its methods say so.

    `memory_mib` bounds what all processes of a build keep before they write, `batch` the articles of one of its segments.
    """
    from kb.engine.array_engine import ArrayEngine

    return ArrayEngine(index, segmenter, memory_mib=memory_mib, batch=batch)
