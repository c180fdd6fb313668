"""The index under kill -9 and on a disk that refuses, at every file operation: the old state or the new one, nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

WORKS = ("commit", "merge", "rebuild", "first")
Operation = tuple[str, str, str]


@pytest.fixture(scope="module")
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: here nothing depends on how long a disk takes."""
    shared = "/dev/shm"  # noqa: S108
    with tempfile.TemporaryDirectory(dir=shared if os.path.isdir(shared) else None) as name:
        yield Path(name)


def run(module: str, folder: Path, *arguments: str) -> Any:
    folder.mkdir()
    command = [sys.executable, "-m", f"tests.gates.{module}", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("every", [11, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_before_any_file_operation_it_is_in_the_old_state_or_the_new_one_and_leaves_nothing(
    memory: Path, every: int
) -> None:
    found = run("kill_points", memory / f"points{every}", str(every), *WORKS)
    for name in WORKS:
        assert found[name]["wrong"] == []
        assert found[name]["points"] >= 30 // every, name
        index, operations = Path(found[name]["index"]), [tuple(one) for one in found[name]["operations"]]
        check_order(index, operations)
        if name == "merge":
            gone = [one for one in operations if one[0] == "os.remove" and one[1].endswith(".kbs")]
            assert len(gone) >= 2
        if name == "commit":  # in others files are made that are merged and gone before anything names them
            show_that_order_is_checked(index, operations)


@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_refused_by_the_disk_from_any_file_operation_on_it_says_so_serves_and_recovers_in_the_same_process(
    memory: Path, every: int
) -> None:
    found = run("fail_points", memory / f"refused{every}", str(every), *WORKS)

    assert found["wrong"] == []
    assert found["points"] >= 100 // every
    assert "write" in found["refused"]


@pytest.mark.parametrize("kills", [10, pytest.param(300, marks=pytest.mark.slow)])
def test_killed_at_random_moments_no_acknowledged_change_is_lost(memory: Path, kills: int) -> None:
    found = run("kill_moments", memory / f"moments{kills}", str(kills))

    assert found["wrong"] == []
    assert found["kills"] == kills
    assert found["acknowledged"] > 0


def check_order(index: Path, operations: list[Operation]) -> None:
    """What power loss could break: nothing may be named before it is on the disk (fsync of a file, and of its folder)."""
    partial, sealed = moved(index, operations)
    places = {one: place for place, one in enumerate(operations)}
    into_place = places["os.rename", str(partial), str(sealed)]
    switch = places["os.rename", str(index / "CURRENT.new"), str(index / "CURRENT")]

    written = last_of(operations[:into_place], ("write the rest", "open"), partial)
    renamed = {one[1]: one[2] for one in operations[:into_place] if one[0] == "os.rename"}
    removed = {one[1] for one in operations[:into_place] if one[0] == "os.remove"}
    assert written
    for path, place in written.items():
        path = renamed.get(path, path)
        if path not in removed:
            assert ("fsync", path, "") in operations[place:into_place], path
    changed = last_of(operations[:into_place], ("open", "os.link", "os.rename", "os.remove"), partial)
    assert ("fsync", str(partial), "") in operations[max(changed.values()) : into_place]
    assert ("fsync", str(index), "") in operations[into_place:switch]
    assert ("fsync", str(index / "CURRENT.new"), "") in operations[into_place:switch]
    gone = [
        place for place, one in enumerate(operations) if one[0] == "os.rename" and one[2].endswith(".old")
    ]
    assert ("fsync", str(index), "") in operations[switch : min(gone, default=None)]


def moved(index: Path, operations: list[Operation]) -> tuple[Path, Path]:
    for name, source, target in operations:
        if name == "os.rename" and source.endswith(".partial"):
            return Path(source), Path(target)
    raise AssertionError("no generation was put in its place")


def last_of(operations: list[Operation], names: tuple[str, ...], folder: Path) -> dict[str, int]:
    """Of every path in the folder, where one of these operations last took place."""
    return {
        path: place
        for place, (name, *paths) in enumerate(operations)
        if name in names
        for path in paths
        if Path(path).parent == folder
    }


def show_that_order_is_checked(index: Path, operations: list[Operation]) -> None:
    """Without any one fsync that nothing else stands in for, the check fails. Segments merged at once leave no file."""
    gone = {path for name, path, _ in operations if name == "os.remove"}
    for place, one in enumerate(operations):
        if one[0] == "fsync" and operations.count(one) == 1 and one[1] not in gone:
            with pytest.raises(AssertionError):
                check_order(index, operations[:place] + operations[place + 1 :])
