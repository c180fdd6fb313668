"""Which generation answers: the one that CURRENT names, or the newest whole one while that is damaged.

One that was opened keeps its files however soon they are removed, so what serves goes on serving until something better is
whole. Reading needs no lock.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from kb.engine import generations
from kb.engine.generations import Generation
from kb.engine.segments import FORMAT, SegmentDamaged
from kb.engine.snapshot import Snapshot, open_snapshot
from kb.engine.watch import FolderWatch
from kb.errors import EngineDownError, KbError

log = logging.getLogger(__name__)

OPEN_TRIES = 5  # a generation can be replaced while CURRENT is being read
DOWN_SECONDS = 1.0  # before files that were found damaged are read again
TRUST_SECONDS = 0.05  # before files are looked at again that nothing is known to have happened to


@dataclass(frozen=True, slots=True)
class Opened:
    """A generation that serves."""

    stamp: tuple[int, ...] | None  # of CURRENT
    generation: Generation
    snapshot: Snapshot
    identities: list[tuple[int, ...] | None]  # of its files
    damage: EngineDownError | None  # why it is not the one that CURRENT names


@dataclass(frozen=True, slots=True)
class _Down:
    stamp: tuple[int, ...] | None
    error: EngineDownError
    until: float


@dataclass(frozen=True, slots=True)
class _Trusted:
    """What was found sound."""

    opened: Opened
    events: int | None  # that were known before it was looked at
    until: float

    def holds(self, opened: Opened | None, events: int | None) -> bool:
        is_same = self.opened is opened and events is not None and self.events == events
        return is_same and time.monotonic() < self.until


class Serving:
    """The open generation of one index. Safe to share between threads."""

    def __init__(self, index: Path, words: str) -> None:
        """`words`: the fingerprint of the segmenter, which an index must have been made with."""
        self._index = index
        self._words = words
        self._lock = threading.Lock()
        self._opened: Opened | None = None
        self._down: _Down | None = None
        self._trusted: _Trusted | None = None
        self._watch: FolderWatch | None = None

    def opened(self) -> Opened:
        """What serves, opened again when CURRENT has changed. Raises EngineDownError when no generation is whole."""
        stamp = generations.stamp(self._index)
        opened, down = self._opened, self._down
        if opened is not None and opened.stamp == stamp:
            return opened
        if down is not None and down.stamp == stamp and time.monotonic() < down.until:
            raise _again(down.error)
        with self._lock:
            if self._opened is not None and self._opened.stamp == generations.stamp(self._index):
                return self._opened
            return self._reopen()

    def sound(self) -> Opened:
        """What serves, every byte of it as it was written. Raises EngineDownError when no generation is whole.

        While the kernel tells of no change, neither CURRENT nor the files are looked at but now and then.
        """
        events = self._watch.events() if self._watch is not None else None
        trusted = self._trusted
        if trusted is not None and trusted.holds(self._opened, events):
            return trusted.opened
        opened = self.opened()
        try:
            opened.snapshot.check()
        except EngineDownError:
            self._let_go(opened)
            return self.opened()
        self._trusted = _Trusted(opened, events, time.monotonic() + TRUST_SECONDS)
        return opened

    def usable(self) -> Generation:
        """The generation that CURRENT names, to be built upon. Raises EngineDownError when it must be rebuilt."""
        opened = self.sound()
        if opened.damage is not None:
            raise _again(opened.damage)
        return opened.generation

    def problem(self) -> EngineDownError | None:
        """Why the index must be rebuilt, even while an older generation answers."""
        try:
            opened = self.sound()
            if opened.damage is None and generations.identities(opened.generation) != opened.identities:
                self._let_go(opened)  # files were removed or written to that nothing has read since
                opened = self.sound()
            return opened.damage
        except EngineDownError as error:
            return error

    def verify(self) -> list[str]:
        """What of the generation that CURRENT names is not as it was sealed; reads all of it."""
        try:
            generation = self.usable()
            with generations.held(generation.folder):
                found = generations.problems(generation)
            if found and generations.current(self._index) != generation.folder:
                return self.verify()  # it was replaced and removed while it was being read
        except EngineDownError as error:
            return [error.words("zh")]
        if found:
            log.error("index.damage_found", extra={"generation": generation.folder.name, "files": found})
            self._forget()
        return found

    def _let_go(self, opened: Opened) -> None:
        with self._lock:
            if self._opened is opened:
                self._reopen()

    def _forget(self) -> None:
        opened = self._opened
        if opened is not None:
            for part in opened.snapshot.segments:
                for arrays in part.files:
                    arrays.file.sound = None
            self._let_go(opened)

    def _reopen(self) -> Opened:
        """Under the lock."""
        before = self._opened if self._opened is not None and _is_sound(self._opened) else None
        self._opened = None
        self._watch = FolderWatch(str(self._index))
        for _ in range(OPEN_TRIES):
            stamp = generations.stamp(self._index)
            try:
                self._opened = self._newest(stamp, before)
                self._down = None
                return self._opened
            except EngineDownError as error:
                if generations.stamp(self._index) == stamp:
                    self._down = _Down(stamp, _again(error), time.monotonic() + DOWN_SECONDS)
                    raise
        raise EngineDownError("index.unavailable")

    def _newest(self, stamp: tuple[int, ...] | None, before: Opened | None) -> Opened:
        try:
            folder = generations.current(self._index)
            if folder is None:
                raise EngineDownError("index.missing")
            return self._open(folder, stamp, None)
        except EngineDownError as error:
            if generations.stamp(self._index) != stamp:
                raise
            older = self._newest_whole(stamp, error, before)
            log.error(
                "index.older_serves", extra={"generation": older.generation.folder.name, "reason": str(error)}
            )
            return older

    def _newest_whole(
        self, stamp: tuple[int, ...] | None, error: EngineDownError, before: Opened | None
    ) -> Opened:
        """Of what lies on the disk and what serves now. Raises `error` when there is none."""
        kept = generations.number(before.generation.folder) if before is not None else 0
        for folder in generations.sealed(self._index):
            if generations.number(folder) > kept:
                try:
                    return self._open(folder, stamp, _again(error))
                except EngineDownError:
                    continue
        if before is None:
            raise error
        return replace(before, stamp=stamp, damage=_again(error))

    def _open(self, folder: Path, stamp: tuple[int, ...] | None, damage: EngineDownError | None) -> Opened:
        with generations.held(folder):
            generation = generations.read(folder)
            facts = generation.facts
            if (facts.get("format"), facts.get("segmenter")) != (FORMAT, self._words):
                raise EngineDownError("index.outdated")
            identities = generations.identities(generation)
            return Opened(stamp, generation, open_snapshot(folder), identities, damage)


@contextmanager
def writing(index: Path) -> Iterator[None]:
    """What goes wrong with files while a generation is written, in words. What serves is not touched by it.

    Raises KbError("index.unwritable") when the disk refuses, EngineDownError when what is built upon is damaged.
    """
    try:
        yield
    except OSError as error:
        path = error.filename if isinstance(error.filename, str) else index
        raise KbError("index.unwritable", path=path, reason=error.strerror or error) from error
    except SegmentDamaged as error:
        raise EngineDownError("index.damaged", file=index.name, reason=error) from error


def _again(error: EngineDownError) -> EngineDownError:
    """The same without its traceback, whose frames would keep files open."""
    return EngineDownError(error.key, **error.facts)


def _is_sound(opened: Opened) -> bool:
    try:
        opened.snapshot.check()
    except EngineDownError:
        return False
    return True
