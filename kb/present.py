"""USE CASE  The search of a serving process, as it is now: with the synonyms and topics of this moment and the words of the newest index.

A segmenter never changes. When an index made with other words is published, a search over it is opened and tried beside the
present one and takes its place; requests that are under way keep what they began with, and until then the older index answers.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from sqlalchemy import Engine as Database
from sqlalchemy.exc import SQLAlchemyError

from kb.config import Settings
from kb.engine import generations
from kb.errors import KbError
from kb.search import Search, made_with, open_search
from kb.store import topics, words
from kb.store.db import reading
from kb.text.synonyms import Table
from kb.topic_rules import TopicRules

log = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0  # between two looks at an index that could not be opened
READY_SECONDS = 1.0  # between two looks at whether all is worked out
TRIED = ("学习 党建", "“学习党建”")  # what loads a segmenter and an index


class PresentSearch:
    """Safe to share between threads."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._lock = threading.Lock()
        self._opening: threading.Thread | None = None
        self._look_at = 0.0  # by time.monotonic()
        with reading(database) as connection:
            self._versions = words.versions(connection)
        self._stamp = generations.stamp(settings.index)
        self._search = open_search(settings, database)
        self._swapped: Callable[[Search], None] | None = None

    def on_swap(self, told: Callable[[Search], None]) -> None:
        """Have somebody told who keeps a search of his own."""
        self._swapped = told

    def get(self) -> Search:
        """The search for the present request. Looks at the store's counters and at one file of the index."""
        try:
            with reading(self._database) as connection:
                found = words.versions(connection)
                if (found.synonyms, found.topics) != (self._versions.synonyms, self._versions.topics):
                    table = words.synonym_table(connection)
                    rules = TopicRules(topics.every(connection), table, topics.former_names(connection))
                    self._take_words(found, table, rules)
        except SQLAlchemyError:
            log.warning("search.synonyms_unread", exc_info=True)  # whoever searches meets the same
        if generations.stamp(self._settings.index) != self._stamp:
            self._look()
        return self._search

    def _take_words(self, found: words.Versions, table: Table, rules: TopicRules) -> None:
        with self._lock:
            self._search = replace(self._search, synonyms=table, topics=rules)
            self._versions = found
        if self._swapped is not None:
            self._swapped(self._search)

    def keep_ready(
        self, stop: threading.Event, then: Callable[[Search, threading.Event], object] = lambda *_: None
    ) -> None:
        """Until told to stop, look whether the index, the topics or the day is another, and work out what goes by it.

        `then` is called once for each index and state of the topics, when that is done. So nobody waits but who asks in that very
        second. What is away is met, and told, by who asks.
        """
        done: tuple[object, ...] = ()
        while not stop.wait(READY_SECONDS):
            with suppress(KbError):
                search = self.get()
                search.get_ready()
                state = search.topics, search.engine.indexed_seq()
                if state != done:
                    then(search, stop)
                    done = state

    def _look(self) -> None:
        """Have the index looked at in the background, unless it is being looked at."""
        with self._lock:
            if time.monotonic() >= self._look_at and not (self._opening and self._opening.is_alive()):
                self._look_at = time.monotonic() + AGAIN_SECONDS
                self._opening = threading.Thread(target=self.follow, name="words", daemon=True)
                self._opening.start()

    def follow(self) -> None:
        """Open the newest index with its words, where it was made with others than the present search has."""
        try:
            stamp = generations.stamp(self._settings.index)
            present = self._search.segmenter
            if made_with(self._settings) not in (None, present and present.fingerprint):
                self._swap()
            self._stamp, self._look_at = stamp, 0.0
        except KbError as error:
            log.warning("search.not_swapped", extra={"key": error.key})
        except Exception:
            log.exception("search.swap_failed")

    def _swap(self) -> None:
        opened = open_search(self._settings, self._database)
        for text in TRIED:
            opened.find(text)
        if opened.segmenter is None or self._search.segmenter is None:
            return
        if opened.segmenter.fingerprint == self._search.segmenter.fingerprint:
            return  # its words are not known; the older generation answers
        with self._lock:
            self._search = replace(opened, synonyms=self._search.synonyms, topics=self._search.topics)
        if self._swapped is not None:
            self._swapped(self._search)
        log.info("search.swapped", extra={"words": opened.segmenter.fingerprint})
