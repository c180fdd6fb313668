"""Runs a piece of work on an index again and again, and kills it before each of its file operations in turn.

    python -m tests.gates.kill_points FOLDER EVERY WORK...      WORK: commit, merge, rebuild, first

One process without threads, its kernels compiled, forks a child for every point. Prints JSON for each work: how many
points were tried, what was wrong afterwards, and the list of operations of an undisturbed run.
"""

from __future__ import annotations

import builtins
import errno
import io
import json
import math
import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from kb.engine.warm_up import compile_kernels
from tests.engine import states
from tests.engine.states import Answers, answers, answers_or_none, open_index

Operation = tuple[str, str, str]  # ("os.rename", from, to); ("write", path, "")
CHANGES = (
    "os.rename",
    "os.link",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.chmod",
    "os.truncate",
    "os.symlink",
)
FREEING = ("os.remove", "os.rmdir", "os.chmod")  # goes on when the disk is full
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
real_open, real_fsync = io.open, os.fsync


@dataclass
class Watched:
    """Counts file operations under a folder, and kills the process before number `last`, or lets it and all later ones fail."""

    folder: str
    last: float
    error: int = 0  # ENOSPC: what needs room fails; another: all do. 0: kill
    done: list[Operation] = field(default_factory=list)
    refused: str = ""  # the operation that failed first

    def before(self, name: str, path: object, other: object = "") -> None:
        where = _path(path)
        if os.path.isabs(where) and not where.startswith(self.folder):
            return
        if len(self.done) >= self.last and not self.error:
            os.kill(os.getpid(), signal.SIGKILL)
        if len(self.done) >= self.last and (self.error != errno.ENOSPC or name not in FREEING):
            self.refused = self.refused or name
            raise OSError(self.error, os.strerror(self.error), where)
        self.done.append((name, where, _path(other)))

    def install(self) -> None:
        """Never undone: only in a child that ends with its work."""
        watched = self

        class Raw(io.FileIO):
            def write(self, data: Any) -> int:
                path = os.readlink(f"/proc/self/fd/{self.fileno()}")
                watched.before("write", path)
                if len(watched.done) == watched.last and path.startswith(watched.folder):
                    super().write(memoryview(data)[: len(data) // 2])
                watched.before("write the rest", path)
                return int(super().write(data) or 0)

        def opened(
            file: Any, mode: str = "r", buffering: int = -1, encoding: Any = None, *rest: Any, **more: Any
        ) -> Any:
            if (
                not set(mode) & set("wxa") or "+" in mode
            ):  # of those with a plus are only files without a name
                return real_open(file, mode, buffering, encoding, *rest, **more)
            raw = Raw(file, mode.replace("b", "").replace("t", ""), more.pop("closefd", True))
            return (
                io.BufferedWriter(raw)
                if "b" in mode
                else io.TextIOWrapper(io.BufferedWriter(raw), encoding, **more)
            )

        def synced(descriptor: int) -> None:
            watched.before("fsync", os.readlink(f"/proc/self/fd/{descriptor}"))
            real_fsync(descriptor)

        builtins.open = io.open = opened  # type: ignore[assignment]
        os.fsync = synced  # type: ignore[assignment]
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in CHANGES:
            self.before(event, *arguments[: 2 if event in ("os.rename", "os.link") else 1])
        elif event == "open" and isinstance(arguments[0], str | bytes) and arguments[2] & WRITING:
            self.before("open", arguments[0])


def _path(path: object) -> str:
    if isinstance(path, int):
        return os.readlink(f"/proc/self/fd/{path}")
    return os.fsdecode(path)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Work:
    """What is killed: it leads from state `old` (None: no index) to state `old + 1`."""

    old: int | None
    new: int
    run: Callable[[Path], None]


def work(name: str) -> Work:
    def step(index: Path, seq: int) -> None:
        states.step(open_index(index), seq)

    works = {
        "commit": Work(63, 64, lambda index: step(index, 64)),
        "merge": Work(66, 67, lambda index: step(index, 67)),  # small segments become one at once
        "rebuild": Work(63, 64, lambda index: states.rebuild(open_index(index), 64)),
        "first": Work(None, 60, lambda index: states.rebuild(open_index(index), 60)),
    }
    return works[name]


def run_child(index: Path, wanted: Work, last: int) -> tuple[bool, list[Operation]]:
    """Whether it came to its end, and the operations that it then did."""
    log = index.with_suffix(".log")
    child = os.fork()
    if child == 0:
        _child(index, wanted, last, log)
    status = os.waitpid(child, 0)[1]
    ended = os.WIFEXITED(status)
    assert ended or os.WTERMSIG(status) == signal.SIGKILL, status
    assert not ended or os.WEXITSTATUS(status) == 0, f"the work failed at {last}"
    return ended, [tuple(one) for one in json.loads(log.read_text())] if ended else []


def _child(index: Path, wanted: Work, last: int, log: Path) -> NoReturn:
    try:
        watched = Watched(str(index), last)
        watched.install()
        wanted.run(index)
        done = list(watched.done)
        watched.last = math.inf
        with real_open(log, "w") as out:
            json.dump(done, out)
        os._exit(0)
    finally:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        os._exit(1)


def complaints(index: Path, wanted: Work, by_seq: dict[int, Answers]) -> list[str]:
    """What is wrong after a kill, and after the next run."""
    wrong = []
    found = answers_or_none(open_index(index))
    allowed = [by_seq[wanted.new], by_seq[wanted.old] if wanted.old is not None else None]
    if found not in allowed:
        wrong.append(f"answers as neither state does: {found}")
    writer = open_index(index)
    writer.tidy()
    if writer.problem() is not None:
        wrong += [writer.problem() or ""] if wanted.old is not None else []
        states.rebuild(writer, wanted.new)
    elif writer.indexed_seq() < wanted.new:
        wanted.run(index)
    if answers(writer) != by_seq[wanted.new]:
        wrong.append("the next run ends in another state")
    return wrong + writer.verify() + [f"left over: {path}" for path in states.left_over(index)]


def tried(folder: Path, name: str, every: int) -> dict[str, Any]:
    """Kills the work before each `every`th operation."""
    wanted = work(name)
    known = states.make(folder / "reference", steps=max(wanted.new - 60, 0))
    template = folder / "template"
    if wanted.old is not None:
        states.make(template, steps=wanted.old - 60)
    index = folder / "index"
    wrong: list[str] = []
    points = last = 0
    while True:
        shutil.rmtree(index, ignore_errors=True)
        if wanted.old is not None:
            states.Known(template, {}).copy(index)
        ended, operations = run_child(index, wanted, last)
        if ended:
            return {"index": str(index), "points": points, "wrong": wrong, "operations": operations}
        wrong += [f"{name}, {last}: {one}" for one in complaints(index, wanted, known.by_seq)]
        points += 1
        last += every


def main(folder: Path, every: int, names: list[str]) -> None:
    compile_kernels()
    found = {name: tried(folder / name, name, every) for name in names}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
