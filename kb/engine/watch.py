"""Which files were written to, and which folders changed, while this process uses them, as the kernel tells (inotify).

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
IN_ANY_CHANGE = (
    0xFC6  # written to, attributes, made, removed, moved, of the folder itself and of what is in it
)
_EVENT = struct.Struct("iIII")  # watch, what happened, cookie, length of the name that follows
_BUFFER = 64 * 1024  # bytes of events read at a time: a few thousand


class _Inotify:
    """The queue of one process; a forked child needs its own."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.writes: Counter[int] = Counter()  # by watch, whose numbers the kernel never uses again
        self.lost = 0  # events of unknown files
        self.events = 0  # of everything
        self._lock = threading.Lock()
        # Not CDLL: giving the GIL away for the microsecond of a read costs two threads a third of their queries.
        self._library = ctypes.PyDLL(None, use_errno=True)
        self._queue = self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._buffer = ctypes.create_string_buffer(_BUFFER)

    def add(self, path: str, what: int) -> int | None:
        """The watch over a file or folder, None when there can be none. It ends with the file."""
        number = self._library.inotify_add_watch(self._queue, os.fsencode(path), what)
        return None if number < 0 else int(number)

    def look(self) -> None:
        """Take in what is known by now."""
        with self._lock:  # so that no thread goes on while another one has the event in its hands
            while (size := self._library.read(self._queue, self._buffer, _BUFFER)) > 0:
                self._take(ctypes.string_at(self._buffer, size))

    def _take(self, events: bytes) -> None:
        at = 0
        while at < len(events):
            watch, what, _, length = _EVENT.unpack_from(events, at)
            at += _EVENT.size + length
            self.events += 1
            self.writes[watch] += bool(what & IN_MODIFY)
            self.lost += bool(what & IN_Q_OVERFLOW)


_inotify: _Inotify | None = None


def _queue() -> _Inotify:
    global _inotify
    if _inotify is None or _inotify.process != os.getpid():
        _inotify = _Inotify()
    return _inotify


class Watch:
    """Over one open file."""

    def __init__(self, descriptor: int) -> None:
        self._inotify = _queue()
        self._number = self._inotify.add(f"/proc/self/fd/{descriptor}", IN_MODIFY)

    def writes(self) -> int | None:
        """Changes whenever the file was written to. None when that cannot be known here."""
        if self._number is None or self._inotify.process != os.getpid():
            return None
        self._inotify.look()
        return self._inotify.writes[self._number] + self._inotify.lost


class FolderWatch:
    """Over a folder, what lies directly in it, and all files that are watched."""

    def __init__(self, path: str) -> None:
        self._inotify = _queue()
        self._number = self._inotify.add(path, IN_ANY_CHANGE)

    def events(self) -> int | None:
        """Changes whenever any of them did. None when that cannot be known here."""
        if self._number is None or self._inotify.process != os.getpid():
            return None
        self._inotify.look()
        return self._inotify.events
