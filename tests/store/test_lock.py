from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from kb.errors import LockedError
from kb.store import lock
from kb.store.lock import writer_lock


@pytest.mark.parametrize("brief", [False, True])
def test_a_run_that_meets_another_run_is_told_so_at_once(tmp_path: Path, brief: bool) -> None:
    with writer_lock(tmp_path), pytest.raises(LockedError) as caught, writer_lock(tmp_path, brief=brief):
        pass

    assert caught.value.key == "run.locked"


def test_a_run_that_meets_the_indexer_waits_for_its_turn(tmp_path: Path) -> None:
    order = []

    def run() -> None:
        with writer_lock(tmp_path):
            order.append("run")

    with writer_lock(tmp_path, brief=True):
        waiting = threading.Thread(target=run)
        waiting.start()
        time.sleep(0.1)
        order.append("indexer")
    waiting.join()

    assert order == ["indexer", "run"]


def test_nobody_waits_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "BRIEF_SECONDS", 0.05)

    with writer_lock(tmp_path, brief=True), pytest.raises(LockedError), writer_lock(tmp_path):
        pass


def test_two_indexers_take_turns_by_themselves(tmp_path: Path) -> None:
    with writer_lock(tmp_path, brief=True), pytest.raises(LockedError), writer_lock(tmp_path, brief=True):
        pass
