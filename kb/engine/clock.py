"""A clock that compiled loops can read: one number in memory, moved on by a thread while anyone needs it.

SIGALRM works in the main thread only, and Whoosh's TimeLimitCollector overran a second to five in others (reliability.md §1).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

TICK_SECONDS = 0.005
NEVER = 2**62

CLOCK = np.zeros(1, np.int64)  # time.monotonic_ns(), a tick old at most while a deadline is running

_lock = threading.Lock()
_wanted = threading.Event()
_running = 0
_started = False


@contextmanager
def deadline(seconds: float | None) -> Iterator[int]:
    """The value of CLOCK after which work must stop; NEVER for None."""
    if seconds is None:
        yield NEVER
        return
    _enter()
    try:
        yield time.monotonic_ns() + int(seconds * 1e9)
    finally:
        _leave()


def check(limit: int) -> None:
    """Between two loops. Raises TimeoutError."""
    if limit != NEVER and time.monotonic_ns() > limit:
        raise TimeoutError


def _enter() -> None:
    global _running, _started
    with _lock:
        _running += 1
        _wanted.set()
        if not _started:
            _started = True
            threading.Thread(target=_tick, name="kb-clock", daemon=True).start()


def _leave() -> None:
    global _running
    with _lock:
        _running -= 1
        if not _running:
            _wanted.clear()


def _tick() -> None:
    while _wanted.wait():
        CLOCK[0] = time.monotonic_ns()
        time.sleep(TICK_SECONDS)
