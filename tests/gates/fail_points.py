"""Runs a piece of work on an index again and again, and lets every file operation from one of them on fail.

    python -m tests.gates.fail_points FOLDER EVERY WORK...

One process forks a child for every point. In it the work must fail with one clear error while an engine that was open all
the time goes on answering; then there is room again, and the same process must come to the new state.
"""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
import sys
from itertools import count
from pathlib import Path
from typing import NoReturn

from kb.engine.warm_up import compile_kernels
from kb.errors import KbError
from tests.engine import states
from tests.engine.states import Answers, answers_or_none, open_index
from tests.gates.kill_points import Watched, Work, complaints, work

ERRORS = (errno.ENOSPC, errno.EROFS, errno.EIO)


def child(index: Path, wanted: Work, watched: Watched, by_seq: dict[int, Answers], out: int) -> NoReturn:
    try:
        serving = open_index(index)
        before = answers_or_none(serving)
        watched.install()
        said = ""
        try:
            wanted.run(index)
        except KbError as error:
            said = error.key
        refused = watched.refused
        wrong = (
            [] if said == ("index.unwritable" if refused else "") else [f"{refused} failed, it said {said!r}"]
        )
        if answers_or_none(serving) not in (before, by_seq[wanted.new]):
            wrong.append("the engine that was open answers otherwise")
        watched.last = math.inf
        wrong += complaints(index, wanted, by_seq)
        if answers_or_none(serving) != by_seq[wanted.new]:
            wrong.append("the engine that was open did not follow")
        os.write(out, json.dumps([refused, wrong]).encode())
        os._exit(0)
    finally:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        os._exit(1)


def refused_at(
    index: Path, wanted: Work, watched: Watched, by_seq: dict[int, Answers]
) -> tuple[str, list[str]]:
    """The operation that failed first, empty when none did any more; and what was wrong."""
    reading, writing = os.pipe()
    number = os.fork()
    if number == 0:
        child(index, wanted, watched, by_seq, writing)
    os.close(writing)
    with open(reading, "rb") as told:
        said = told.read()
    assert os.waitpid(number, 0)[1] == 0, f"the child failed at {watched.last}"
    refused, wrong = json.loads(said)
    return refused, wrong


def tried(folder: Path, name: str, every: int, by_seq: dict[int, Answers]) -> tuple[list[str], list[str]]:
    """The operations that failed, at every `every`th with the next of ERRORS (at each with all); and what was wrong."""
    wanted, template, index = work(name), folder / name, folder / "index"
    if wanted.old is not None:
        states.make(template, steps=wanted.old - 60)
    refused: list[str] = []
    wrong: list[str] = []
    for point in count():
        errors = ERRORS if every == 1 else (ERRORS[point % len(ERRORS)],)
        for error in errors:
            shutil.rmtree(index, ignore_errors=True)
            if wanted.old is not None:
                states.Known(template, {}).copy(index)
            watched = Watched(str(index), point * every, error)
            first, found = refused_at(index, wanted, watched, by_seq)
            wrong += [f"{name}, {point * every} ({os.strerror(error)} at {first}): {one}" for one in found]
            if not first:
                return refused, wrong
            refused.append(first)
    raise AssertionError("not reached")


def main(folder: Path, every: int, names: list[str]) -> None:
    compile_kernels()
    known = states.make(folder / "reference", steps=8)
    found = [tried(folder, name, every, known.by_seq) for name in names]
    refused = [one for some, _ in found for one in some]
    wrong = [one for _, some in found for one in some]
    json.dump({"points": len(refused), "refused": sorted(set(refused)), "wrong": wrong}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
