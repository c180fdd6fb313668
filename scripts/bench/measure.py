"""Clocks: a fresh process measured whole (CPU of it and its children, their memory), and calls measured one by one."""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

SAMPLE_SECONDS = 0.25  # between two looks at the memory of a child
PERCENTILES = (50, 95, 99)

_began = [0.0, 0.0]  # CPU and wall seconds at which the clock of this process started

Ask = Callable[[Any], Any]


class Spent(NamedTuple):
    """What a piece of work in a fresh process took."""

    answer: Any
    cpu: float  # seconds of the process and of all its children
    wall: float  # seconds
    peak_mb: float  # of the process and all its children together, pages shared between them counted once


def in_fresh_process(work: Callable[..., Any], *arguments: Any) -> Spent:
    """Run `work`, a function of a module, in a process of its own; its imports come before the clock.

    Raises RuntimeError when it fails; the child has printed why.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_measured, args=(theirs, work, arguments))
    child.start()
    theirs.close()
    peak = family_mb(child.pid or 0)
    while not ours.poll(SAMPLE_SECONDS):
        peak = max(peak, family_mb(child.pid or 0))
    try:
        answer, cpu, wall = ours.recv()
    except EOFError:
        answer = None
    child.join()
    if child.exitcode:
        raise RuntimeError(f"{work.__module__}.{work.__name__} failed")
    return Spent(answer, cpu, wall, peak)


def start_clock() -> None:
    """Count from here: called by work in a fresh process when what comes before is no part of it."""
    _began[:] = processor_seconds(), time.perf_counter()


def _measured(pipe: Connection, work: Callable[..., Any], arguments: Sequence[Any]) -> None:
    start_clock()
    answer = work(*arguments)
    cpu, wall = _began
    pipe.send((answer, processor_seconds() - cpu, time.perf_counter() - wall))


def processor_seconds() -> float:
    """Of this process and its children, those that have ended and those that live."""
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses) + _living_children_seconds()


def _living_children_seconds() -> float:
    total = 0.0
    for child in multiprocessing.active_children():
        with suppress(OSError):  # it has ended meanwhile
            fields = Path(f"/proc/{child.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            total += sum(map(int, fields[11:15])) / os.sysconf(
                "SC_CLK_TCK"
            )  # utime, stime and those of its children
    return total


def family_mb(pid: int) -> float:
    """Memory of a process and its children, in MB: proportional set sizes, so that shared pages count once."""
    total = 0.0
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        total = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1000
    except (OSError, StopIteration):
        return total  # it has ended meanwhile
    return total + sum(family_mb(int(child)) for child in children.split())


def folder_mb(folder: Path) -> float:
    """Of all files below a folder, each counted once however many names it has."""
    found = {
        stat.st_ino: stat.st_size for path in folder.rglob("*") if path.is_file() and (stat := path.stat())
    }
    return sum(found.values()) / 1e6


# --- queries -------------------------------------------------------------------------------------------------


class Times:
    """CPU and wall times of calls, in milliseconds."""

    def __init__(self) -> None:
        self.cpu: list[float] = []
        self.wall: list[float] = []

    def call(self, ask: Ask, question: Any) -> Any:
        wall, cpu = time.perf_counter_ns(), time.process_time_ns()
        answer = ask(question)
        self.cpu.append((time.process_time_ns() - cpu) / 1e6)
        self.wall.append((time.perf_counter_ns() - wall) / 1e6)
        return answer

    def figures(self) -> dict[str, Any]:
        return {"cpu": percentiles(self.cpu), "wall": percentiles(self.wall), "n": len(self.cpu)}


def percentiles(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    at = {one: ordered[min(len(ordered) * one // 100, len(ordered) - 1)] for one in PERCENTILES}
    return {f"p{one}": round(value, 4) for one, value in at.items()}


def interleaved(
    engines: dict[str, Ask], questions: Sequence[Any], passes: dict[str, int], check: Callable[[str, int, Any], None]
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Every question asked of every engine in turn, who is first changing from question to question.

    The first pass warms up and is not counted. `check(engine, number of the question, answer)` sees every answer,
    outside of the clock.
    """
    counted = {name: Times() for name in engines}
    names = list(engines)
    with without_collector():
        for number_of_pass in range(max(passes.values())):
            for number, question in enumerate(questions):
                for name in names[number % len(names) :] + names[: number % len(names)]:
                    if number_of_pass < passes[name]:
                        times = counted[name] if number_of_pass else Times()
                        check(name, number, times.call(engines[name], question))
    return {name: times.figures() for name, times in counted.items()}


@contextmanager
def without_collector() -> Iterator[None]:
    """No pause for the garbage collector inside one engine's time that another has caused."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def threads_compared(ask: Ask, questions: Sequence[Any], rounds: int = 5) -> dict[str, float]:
    """Queries per second of one thread and of two, alternating; the medians of the rounds and of their ratios."""
    one, two = [], []
    for _ in range(rounds):
        one.append(_rate(ask, [questions]))
        two.append(_rate(ask, [questions[::2], questions[1::2]]))
    ratios = [after / before for before, after in zip(one, two, strict=True)]
    middle = rounds // 2
    return {"qps1": round(sorted(one)[middle]), "qps2": round(sorted(two)[middle]),
            "ratio": round(sorted(ratios)[middle], 3)}  # fmt: skip


def _rate(ask: Ask, shares: Sequence[Sequence[Any]]) -> float:
    def work(share: Sequence[Any]) -> None:
        for question in share:
            ask(question)

    threads = [Thread(target=work, args=(share,)) for share in shares]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(map(len, shares)) / (time.perf_counter() - started)


def drop_from_page_cache(folder: Path) -> None:
    """Pages of these files that nobody maps are forgotten, so that the next reader finds them on the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(handle)
