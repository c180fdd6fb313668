"""USE CASE  The index kept up to the store for as long as somebody asks it: the indexer, a child process of `kb serve`."""

from __future__ import annotations

import time

from sqlalchemy import Engine as Database

from kb import ingest
from kb.config import Settings
from kb.engine import Engine
from kb.errors import LockedError
from kb.store import articles, words
from kb.store.db import checkpoint, reading
from kb.store.lock import writer_lock

PAUSE_SECONDS = 0.1  # between two looks at the store
ENOUGH = 20_000  # articles indexed by one process: its memory is given back by its end
QUIET_SECONDS = (
    3.0  # without a change of the lexicon, before the index is made anew: words are added one after the other
)


def follow(database: Database, settings: Settings, *, enough: int = ENOUGH) -> int:
    """Index what is stored, at once and again and again; an index that cannot answer is made anew.

    Takes the writer's lock only while there is work, and waits while another run has it. Every file of the index is read
    and compared once, when the first work is done. Returns how many articles it has indexed, when that is `enough` or the
    lexicon is another one, and another process should go on; raises whatever goes wrong, for another to try again.
    """
    change = _Change(database)
    engine = ingest.open_index(settings, database)
    done, is_verified = 0, False
    while done < enough:
        behind = is_behind(database, engine)
        if change.is_due(now=behind and engine.problem() is not None):
            break
        try:
            if behind:
                done += _catch_up(database, settings, engine, everything=False)
            elif not is_verified:
                is_verified = True
                if engine.verify():
                    done += _catch_up(database, settings, engine, everything=True)
            else:
                time.sleep(PAUSE_SECONDS)
        except LockedError:
            time.sleep(PAUSE_SECONDS)
    return done


class _Change:
    """Whether the lexicon has changed since this was made. A segmenter never changes: another process makes another."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._first = self._last = self._version()
        self._seen = 0.0

    def _version(self) -> int:
        with reading(self._database) as connection:
            return words.versions(connection).lexicon

    def is_due(self, *, now: bool) -> bool:
        """Whether it did, and nobody has changed it for a while. `now`: without waiting, where the index must be made anew."""
        version = self._version()
        if version != self._last:
            self._last, self._seen = version, time.monotonic()
        return version != self._first and (now or time.monotonic() - self._seen >= QUIET_SECONDS)


def is_behind(database: Database, engine: Engine) -> bool:
    """Whether the index needs work: it is damaged, cannot answer, or the store has moved on."""
    if engine.problem() is not None:  # an older generation may answer meanwhile
        return True
    with reading(database) as connection:
        latest = articles.latest_seq(connection)
    return latest > engine.indexed_seq()


def _catch_up(database: Database, settings: Settings, engine: Engine, *, everything: bool) -> int:
    with writer_lock(settings.data, brief=True):
        done = ingest.reindex(database, settings, everything=everything, engine=engine)
        checkpoint(database, settings.data)
    return done
