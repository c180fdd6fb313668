"""Updates and rebuilds an index in a child that is killed at random moments, again and again, on one index.

    python -m tests.gates.kill_moments FOLDER KILLS

Prints JSON: how many changes were acknowledged, and what was wrong after a kill.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

from kb.engine.warm_up import compile_kernels
from tests.engine import states
from tests.engine.states import answers, answers_or_none, open_index

LONGEST_SECONDS = 0.35  # before the kill: a few updates and a rebuild
REBUILT = 6  # every sixth change is a rebuild


def work(index: Path, acknowledged: int) -> NoReturn:
    """Goes on from where the index stands until it is killed. Writes a byte for every finished change."""
    try:
        engine = open_index(index)
        engine.tidy()
        seq = engine.indexed_seq()
        while True:
            seq += 1
            states.rebuild(engine, seq) if seq % REBUILT == 0 else states.step(engine, seq)
            os.write(acknowledged, b".")
    finally:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        os._exit(1)


def killed(index: Path, seconds: float) -> int:
    """How many changes the child finished before it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        work(index, writing)
    os.close(writing)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status), "the work failed"
    count = 0
    while done := os.read(reading, 1000):
        count += len(done)
    os.close(reading)
    return count


def main(folder: Path, kills: int) -> None:
    compile_kernels()
    seed = random.SystemRandom().randrange(10**9)
    pick = random.Random(seed)
    reference, index = open_index(folder / "reference"), folder / "index"
    states.first(reference)
    states.first(open_index(index))
    wrong, total, seq = [], 0, 60
    serving = open_index(index)
    for number in range(kills):
        done = killed(index, pick.uniform(0, LONGEST_SECONDS))
        total += done
        found = answers_or_none(open_index(index))
        reached = found[0] if found else 0
        while reference.indexed_seq() < reached:
            states.step(reference, reference.indexed_seq() + 1)
        if (
            not seq + done <= reached <= seq + done + 1
            or found != answers(reference)
            or answers(serving) != found
        ):
            wrong.append(f"seed {seed}, kill {number}: {seq} + {done} acknowledged, {reached} answers")
        seq = reached
    writer = open_index(index)
    states.rebuild(writer, seq + 1)  # goes on with one that was killed, if there is one
    wrong += [*([writer.problem()] if writer.problem() else []), *writer.verify(), *states.left_over(index)]
    json.dump({"kills": kills, "acknowledged": total, "wrong": wrong}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
