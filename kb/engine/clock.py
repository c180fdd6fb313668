"""A clock that compiled loops can read: one number in memory, moved on by a thread while a deadline lies ahead.

SIGALRM works in the main thread only, and Whoosh's TimeLimitCollector overran a second to five in others (reliability.md §1).
"""

from __future__ import annotations

import os
import threading
import time

import numpy as np

TICK_SECONDS = 0.005
NEVER = 2**62

CLOCK = np.zeros(1, np.int64)  # time.monotonic_ns(), a tick old at most while a deadline lies ahead

_lock = threading.Lock()
_wanted = threading.Event()  # set while the thread ticks
_last = 0  # the latest deadline
_started = False


def deadline(seconds: float | None) -> int:
    """The value of CLOCK after which work must stop, from now on; NEVER for None."""
    return NEVER if seconds is None else _begin(seconds)


def check(limit: int) -> None:
    """Between two loops. Raises TimeoutError."""
    if limit != NEVER and time.monotonic_ns() > limit:
        raise TimeoutError


def _begin(seconds: float) -> int:
    global _last, _started
    now = CLOCK[0] = time.monotonic_ns()
    limit = now + int(seconds * 1e9)
    with _lock:
        _last = max(_last, limit)
        if not _started:
            _started = True
            threading.Thread(target=_tick, name="kb-clock", daemon=True).start()
        if not _wanted.is_set():
            _wanted.set()
    return limit


def _tick() -> None:
    while _wanted.wait():
        now = CLOCK[0] = time.monotonic_ns()
        with _lock:
            if now > _last:
                _wanted.clear()
        time.sleep(TICK_SECONDS)


def _forget() -> None:
    """A forked process has no thread, and perhaps a lock that nobody will open."""
    global _lock, _started
    _lock, _started = threading.Lock(), False


os.register_at_fork(after_in_child=_forget)
