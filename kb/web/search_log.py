"""Searches noted in memory and written to the store by a thread of their own: no page waits for the disk or fails by it.

The log itself knows nobody; what a person who signed in searched for goes into that person's own history beside it.
While another process holds the store's write lock they are kept; when too many wait, further ones are dropped and counted.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import structlog
from sqlalchemy import Connection
from sqlalchemy import Engine as Database
from sqlalchemy.exc import SQLAlchemyError

from kb.config import Settings
from kb.errors import KbError
from kb.store import search_history, searches
from kb.store.db import checkpoint, connect, writing
from kb.store.search_history import Searching
from kb.store.searches import Searched

log = structlog.get_logger("kb.web")

FLUSH_SECONDS = 2.0  # a search is written at the latest then
BUSY_SECONDS = 1.0  # that a flush waits for the write lock before it keeps what it has
WAITING = 10_000  # searches kept in memory at most
FORGET_SECONDS = 3600.0  # between two looks for what is too old
FAILURES = (SQLAlchemyError, KbError, OSError)  # of a disk or a database that may be well again later
POPULAR = 24  # queries, of which not everybody is shown each
POPULAR_SECONDS = 60.0  # that they stay as they are


class _Noted(NamedTuple):
    """A search that waits to be written."""

    searched: Searched
    user_id: int | None  # for whose history
    found: int  # articles, by that person


class SearchLog:
    """The log of one process. `note` may be called from any thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._waiting: deque[_Noted] = deque()
        self._dropped = 0
        self._thread: threading.Thread | None = None
        self._forget_at = 0.0  # by time.monotonic()
        self._popular: list[str] = []
        self._popular_until = 0.0

    def note(
        self, text: str, total: int, took_ms: float, user_id: int | None = None, found: int | None = None
    ) -> None:
        """Remember a search; it is written soon. Never waits, never fails.

        `total`: articles that everybody finds. With a `user_id` for that person's history too, with all that he or she `found`.
        """
        if not self._settings.search_history_days:
            user_id = None
        if not self._settings.search_log_days and user_id is None:
            return
        with self._lock:
            if len(self._waiting) >= WAITING:
                self._dropped += 1
                return
            own = total if found is None else found
            self._waiting.append(_Noted(searches.searched(text, total, took_ms), user_id, own))
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._write, name="search-log", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no more threads: the next search tries again
            self._thread = None

    def flush(self) -> bool:
        """Write what waits and forget what is too old, in one transaction. False when the store cannot be written now: then it is kept."""
        with self._flushing:
            with self._lock:
                items, dropped = list(self._waiting), self._dropped
            try:
                self._store(items)
            except FAILURES as error:
                log.warning("searches.kept", count=len(items), reason=type(error).__name__)
                return False
            with self._lock:
                for _ in items:
                    self._waiting.popleft()
                self._dropped -= dropped
            # Only now: what is committed is not written again, whatever becomes of the checkpoint.
            self._checkpoint()
            if dropped:
                log.warning("searches.dropped", count=dropped)
            return True

    def waiting(self) -> int:
        """How many searches are not written yet."""
        return len(self._waiting)

    def popular(self, connection: Connection) -> list[str]:
        """What many searched for lately and found; read from the store once in a while."""
        now = time.monotonic()
        if self._settings.search_log_days and now >= self._popular_until:
            self._popular_until = now + POPULAR_SECONDS
            self._popular = searches.popular(connection, POPULAR)
        return self._popular

    def _write(self) -> None:
        """Until nothing waits."""
        try:
            while True:
                time.sleep(FLUSH_SECONDS)
                self.flush()
                with self._lock:
                    if not self._waiting:
                        self._thread = None
                        return
        finally:
            # Whatever ended it, the next search starts another one, unless that has happened already.
            with self._lock:
                if self._thread is threading.current_thread():
                    self._thread = None

    def _store(self, items: list[_Noted]) -> None:
        forgets = time.monotonic() >= self._forget_at
        with self._connected() as database, writing(database) as connection:
            if self._settings.search_log_days:
                searches.record(connection, [one.searched for one in items])
            search_history.record(
                connection,
                [
                    Searching(one.user_id, one.searched.query, one.found, one.searched.asked_at)
                    for one in items
                    if one.user_id is not None
                ],
            )
            if forgets:
                searches.forget(connection, self._settings.search_log_days)
                search_history.forget(connection, self._settings.search_history_days)
        if forgets:
            self._forget_at = time.monotonic() + FORGET_SECONDS

    def _checkpoint(self) -> None:
        try:
            with self._connected() as database:
                checkpoint(database, self._settings.data)
        except FAILURES as error:
            log.warning("searches.no_checkpoint", reason=type(error).__name__)

    @contextmanager
    def _connected(self) -> Iterator[Database]:
        database = connect(self._settings.database, busy_seconds=BUSY_SECONDS)
        try:
            yield database
        finally:
            database.dispose()
