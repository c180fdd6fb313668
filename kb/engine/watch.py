"""Which files were written to while this process has them open, as the kernel tells (inotify).

Size and times of a file do not give away a write after which somebody set the time back. Its ctime would, but that also
changes whenever a new generation links or unlinks the file, which happens at every commit.
"""

from __future__ import annotations

import ctypes
import os
import struct
import threading
from collections import Counter

IN_MODIFY, IN_Q_OVERFLOW = 0x2, 0x4000  # written to or cut; the queue has lost events (linux/inotify.h)
_EVENT = struct.Struct("iIII")  # watch, what happened, cookie, length of the name that follows
_BUFFER = 64 * 1024  # bytes of events read at a time: a few thousand


class _Inotify:
    """The queue of one process; a forked child needs its own."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.writes: Counter[int] = Counter()  # by watch, whose numbers the kernel never uses again
        self.lost = 0  # events of unknown files
        self._lock = threading.Lock()
        self._library = ctypes.CDLL(None, use_errno=True)
        self._queue = self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)

    def add(self, path: str) -> int | None:
        """The watch over a file, None when there can be none. It ends with the file."""
        number = self._library.inotify_add_watch(self._queue, os.fsencode(path), IN_MODIFY)
        return None if number < 0 else int(number)

    def count(self, watch: int) -> int:
        """How many writes to the file are known; more whenever there was one."""
        with self._lock:  # so that no thread goes on while another one has the event in its hands
            try:
                while events := os.read(self._queue, _BUFFER):
                    self._take(events)
            except BlockingIOError:
                pass
        return self.writes[watch] + self.lost

    def _take(self, events: bytes) -> None:
        at = 0
        while at < len(events):
            watch, what, _, length = _EVENT.unpack_from(events, at)
            at += _EVENT.size + length
            self.writes[watch] += bool(what & IN_MODIFY)
            self.lost += bool(what & IN_Q_OVERFLOW)


_inotify: _Inotify | None = None


class Watch:
    """Over one open file."""

    def __init__(self, descriptor: int) -> None:
        global _inotify
        if _inotify is None or _inotify.process != os.getpid():
            _inotify = _Inotify()
        self._inotify = _inotify
        self._number = _inotify.add(f"/proc/self/fd/{descriptor}")

    def writes(self) -> int | None:
        """Changes whenever the file was written to. None when that cannot be known here."""
        if self._number is None or self._inotify.process != os.getpid():
            return None
        return self._inotify.count(self._number)
