"""Processes that are kept running: one that ended is replaced, one that fails again and again ever more slowly."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

log = logging.getLogger("kb.serve")

LOOK_SECONDS = 0.2  # between two looks at whether they live
END_SECONDS = 10.0  # for them to end when they are told to
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0  # seconds before a failed one is replaced; twice as long every time
STEADY_SECONDS = 60.0  # after which a failure counts as the first again


class Process(Protocol):
    """A started process."""

    def code(self) -> int | None:
        """Its exit code, None while it lives."""
        ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


class Kept:
    """One process that is wanted. `start` starts it anew."""

    def __init__(self, name: str, start: Callable[[], Process]) -> None:
        self.name = name
        self._start = start
        self._process: Process | None = None
        self._started = 0.0  # by time.monotonic(), as what follows
        self._again_at = 0.0
        self._pause = FIRST_PAUSE

    def look(self, now: float) -> None:
        """Start it when it is time to, and note when it has ended."""
        if self._process is None:
            if now >= self._again_at:
                self._try_to_start(now)
            return
        code = self._process.code()
        if code is None:
            return
        if code == 0 or now - self._started > STEADY_SECONDS:
            self._pause = FIRST_PAUSE
        if code:
            log.error(f"{self.name}.ended", extra={"exit": code, "again_in_seconds": self._pause})
        self._process = None
        self._wait(now)

    def _try_to_start(self, now: float) -> None:
        """A machine without memory or process numbers to spare may have some later."""
        try:
            self._process, self._started = self._start(), now
        except OSError as error:
            facts = {"reason": str(error), "again_in_seconds": self._pause}
            log.error(f"{self.name}.not_started", extra=facts)
            self._wait(now)

    def _wait(self, now: float) -> None:
        self._again_at = now + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def tell_to_end(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def has_ended(self) -> bool:
        return self._process is None or self._process.code() is not None

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()


def keep(kept: Sequence[Kept], stop: threading.Event) -> None:
    """Keep processes running until `stop` is set or this is interrupted, then end them all."""
    try:
        while not stop.is_set():
            for one in kept:
                one.look(time.monotonic())
            stop.wait(LOOK_SECONDS)
    finally:
        end(kept)


def end(kept: Sequence[Kept]) -> None:
    """Tell all to end, and kill what has not after a while."""
    for one in kept:
        one.tell_to_end()
    until = time.monotonic() + END_SECONDS
    while not all(one.has_ended() for one in kept):
        if time.monotonic() > until:
            for one in kept:
                one.kill()
            until = float("inf")
        time.sleep(LOOK_SECONDS / 10)
