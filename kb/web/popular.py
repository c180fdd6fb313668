"""Popular queries for those who may not see everything: only ones that find something for them too."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from kb.errors import KbError
from kb.model import Hidden
from kb.search import Search

SHOWN = 6  # queries
SECONDS = 0.3  # that finding out may take altogether; queries that were not looked at by then are not shown
KEPT = 64  # answers, each for some that may see the same


class Popular:
    """What was found out, for as long as the popular queries stay as they are. Any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queries: Sequence[str] = ()
        self._shown: dict[Hidden, list[str]] = {}

    def shown(self, queries: Sequence[str], search: Search, hidden: Hidden) -> list[str]:
        """The first of `queries` that somebody may be shown."""
        if hidden.is_empty:
            return list(queries[:SHOWN])
        if not self._lock.acquire(timeout=SECONDS):  # no page waits longer for them
            return []
        try:
            if queries is not self._queries or len(self._shown) >= KEPT:
                self._queries, self._shown = queries, {}
            if hidden not in self._shown:
                self._shown[hidden] = _finding(queries, search, hidden)
            return self._shown[hidden]
        finally:
            self._lock.release()


def _finding(queries: Sequence[str], search: Search, hidden: Hidden) -> list[str]:
    end, found = time.monotonic() + SECONDS, list[str]()
    for query in queries:
        left = end - time.monotonic()
        if len(found) == SHOWN or left <= 0:
            break
        if _finds(search, query, hidden, left):
            found.append(query)
    return found


def _finds(search: Search, query: str, hidden: Hidden, seconds: float) -> bool:
    """Whether a query finds what the visitor may see; what cannot be asked now is not shown."""
    try:
        return search.count(query, hidden=hidden, seconds=seconds) > 0
    except KbError:
        return False
