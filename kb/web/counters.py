"""Counts of requests that all web processes of a server keep together.

They lie in memory that is shared by fork: a row for each process, so that none waits for another, and a process that
replaces one that was killed goes on with its row. What is counted is known when the application is made: no name that
a client sends becomes a label.
"""

from __future__ import annotations

import mmap
import os
import threading
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import product

import numpy as np

METHODS = ("GET", "HEAD", "POST", "OPTIONS", "other")
CLASSES = ("2xx", "3xx", "4xx", "5xx")
NOWHERE = "none"  # the endpoint of what is no page
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)  # seconds; one more for what is longer
EVENTS = ("search.answered", "search.refused", "search.failed", "sign_in.ok", "sign_in.failed")
PROCESS = (
    "pid",
    "started",
    "unwritten",
)  # what a process says of itself; the last: searches it has not logged yet

Label = tuple[str, ...]


class Counters:
    """Counts by label. `add` and `observe` may be called from any thread."""

    def __init__(self, endpoints: Iterable[str], limits: Iterable[str], processes: int) -> None:
        self.endpoints = (*sorted(endpoints), NOWHERE)
        self._at: dict[Label, int] = {}
        labels: list[Label] = [("request", *one) for one in product(self.endpoints, METHODS, CLASSES)]
        labels += [("bucket", name, str(n)) for name in self.endpoints for n in range(len(BUCKETS) + 1)]
        labels += [("seconds", name) for name in self.endpoints]
        labels += [("event", name) for name in EVENTS]
        labels += [("limited", name) for name in sorted(set(limits))]
        labels += [("process", name) for name in PROCESS]
        self._at = {label: number for number, label in enumerate(labels)}
        shape = (processes, len(labels))
        shared = mmap.mmap(-1, processes * len(labels) * 8)
        self._rows = np.frombuffer(shared, dtype=np.float64).reshape(shape)
        self._lock = threading.Lock()
        self.take_row(0)

    def take_row(self, number: int) -> None:
        """Count in this row from now on: the process's own number, from 0."""
        self._lock = threading.Lock()  # that of the parent may be held for ever in a copy of it
        self._row = self._rows[number]
        self.say("pid", os.getpid())
        self.say("started", time.time())

    def request(self, endpoint: str | None, method: str, status: int, seconds: float) -> None:
        """Count an answer."""
        name = endpoint if endpoint is not None and ("seconds", endpoint) in self._at else NOWHERE
        method = method if method in METHODS else METHODS[-1]
        bucket = bisect_left(BUCKETS, seconds)
        with self._lock:
            self._row[self._at["request", name, method, f"{min(max(status // 100, 2), 5)}xx"]] += 1
            self._row[self._at["bucket", name, str(bucket)]] += 1
            self._row[self._at["seconds", name]] += seconds

    def event(self, name: str) -> None:
        self._add(("event", name))

    def limited(self, name: str) -> None:
        self._add(("limited", name))

    def say(self, name: str, value: float) -> None:
        """What this process says of itself."""
        self._row[self._at["process", name]] = value

    def read(self, kind: str) -> Iterator[tuple[Label, float]]:
        """Labels of a kind with what all processes have counted; what was never counted is left out."""
        sums = self._rows.sum(axis=0)
        for label, number in self._at.items():
            if label[0] == kind and sums[number]:
                yield label[1:], float(sums[number])

    def processes(self) -> list[dict[str, float]]:
        """What each process that has started says of itself."""
        columns = [self._at["process", name] for name in PROCESS]
        rows = self._rows[:, columns].tolist()
        return [dict(zip(PROCESS, row, strict=True)) for row in rows if row[0]]

    def _add(self, label: Label) -> None:
        with self._lock:
            self._row[self._at[label]] += 1
