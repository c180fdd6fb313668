"""A damaged index answers as one of its whole generations does, or says that it cannot: never wrongly, never with nothing."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kb.engine import generations
from kb.errors import EngineDownError
from tests.engine import states
from tests.engine.states import Known, answers, answers_or_none, open_index

STEPS = 3
NEWEST = 60 + STEPS


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    return states.make(tmp_path_factory.mktemp("known") / "index", steps=STEPS)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another index of the same articles: files of the same kinds and nearly the same sizes."""
    return states.make(tmp_path_factory.mktemp("foreign") / "index", steps=STEPS).index


def files_of(index: Path) -> list[Path]:
    return sorted(path for path in index.rglob("*") if path.is_file())


def mutated(data: bytes, pick: random.Random, older: list[bytes]) -> bytes:
    """`data` after a random piece of damage; `older`: files that might have stood in its place."""
    at = pick.randrange(len(data)) if data else 0
    kind = pick.choice(("cut", "empty", "zero", "zero some", "flip", "flip", "swap", "swap", "append"))
    if kind == "cut":
        return data[:at]
    if kind == "empty":
        return b""
    if kind == "zero":
        return bytes(len(data))
    if kind == "zero some":
        return data[:at] + bytes(len(data[at : at + 64])) + data[at + 64 :]
    if kind == "flip":
        return data[:at] + bytes([data[at] ^ 1 << pick.randrange(8)]) + data[at + 1 :]
    if kind == "append":
        return data + bytes(pick.choice((1, 64, 4096)))
    swapped = pick.choice(older)
    return swapped if pick.random() < 0.5 else (swapped + bytes(len(data)))[: len(data)]


def hurt(path: Path, pick: random.Random, older: list[bytes]) -> None:
    """Delete the file, write into it, or put another one in its place; often with the old time."""
    before, times = path.read_bytes(), path.stat()
    after = mutated(before, pick, older)
    way = pick.choice(("delete", "in place", "in place", "replace"))
    if way == "delete":
        path.unlink()
        return
    if way == "replace":
        path.unlink()
    if len(after) == len(before) and way == "in place":
        with path.open("r+b") as file:
            file.write(after)
    else:
        path.write_bytes(after)
    if pick.random() < 0.5:
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def older_than(path: Path, index: Path, foreign: Path) -> list[bytes]:
    """Files of the same kind from other generations and another index."""
    found = [*files_of(index), *files_of(foreign)]
    same_kind = [other for other in found if other.suffix == path.suffix and other != path]
    return [other.read_bytes() for other in same_kind] or [b""]


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning"
)  # Whoosh lets go of files that it fails to read unclosed
@pytest.mark.parametrize("is_open", [False, True], ids=["at rest", "in use"])
@pytest.mark.parametrize("rounds", [30, pytest.param(500, marks=pytest.mark.slow)])
def test_no_damage_ever_gives_a_wrong_or_an_empty_answer(
    known: Known, foreign: Path, tmp_path: Path, rounds: int, is_open: bool
) -> None:
    seed = random.SystemRandom().randrange(10**9)  # stands in what a failure says
    for number in range(rounds):
        pick = random.Random(seed + number)
        index = known.copy(tmp_path / str(number))
        engine = open_index(index)
        if is_open:
            assert answers(engine) == known.by_seq[NEWEST]
        path = pick.choice(files_of(index))
        hurt(path, pick, older_than(path, index, foreign))
        found = answers_or_none(engine)
        assert found is None or found == known.by_seq[found[0]], (seed + number, path)
        assert found is not None or engine.problem() is not None
        if number % 5 == 0:
            heal(engine, index, known, f"seed {seed + number}: {path}")
        shutil.rmtree(index)


def heal(engine: states.ArrayEngine, index: Path, known: Known, why: str = "") -> None:
    """What the indexer does: catch up when it can, else rebuild; the engine that was there all the time follows."""
    writer = open_index(index)
    writer.tidy()
    if writer.problem() is not None:
        states.first(writer)
    for seq in range(writer.indexed_seq() + 1, NEWEST + 1):
        states.step(writer, seq)

    assert answers(engine) == answers(writer) == known.by_seq[NEWEST]
    assert engine.problem() is None
    assert writer.verify() == []
    if all(map(is_whole, generations.sealed(index))):  # one before it may still be the damaged one
        assert states.left_over(index) == [], why


def is_whole(folder: Path) -> bool:
    try:
        return generations.problems(generations.read(folder)) == []
    except EngineDownError:
        return False


def newest(index: Path) -> Path:
    folder = generations.current(index)
    assert folder is not None
    return folder


def own_files(index: Path) -> list[Path]:
    """Files that the newest generation shares with no other."""
    return [path for path in files_of(newest(index)) if path.stat().st_nlink == 1]


@pytest.mark.parametrize("is_open", [False, True], ids=["at rest", "in use"])
def test_while_the_newest_generation_is_damaged_the_one_before_serves_and_says_so(
    known: Known, tmp_path: Path, is_open: bool
) -> None:
    index = known.copy(tmp_path / "index")
    engine = open_index(index)
    if is_open:
        answers(engine)
    path = next(path for path in own_files(index) if path.suffix == ".kbs")
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 64)

    assert answers(engine) == known.by_seq[NEWEST - 1]
    assert engine.indexed_seq() == NEWEST - 1
    assert "kb reindex --all" in (engine.problem() or "")
    with pytest.raises(EngineDownError):
        engine.update([], seq=NEWEST)
    heal(engine, index, known)


def test_files_that_go_while_they_are_in_use_are_missed_though_answers_stay_right(
    known: Known, tmp_path: Path
) -> None:
    for number, name in enumerate(path.name for path in files_of(newest(known.index))):
        index = known.copy(tmp_path / str(number))
        engine = open_index(index)
        answers(engine)
        (newest(index) / name).unlink()

        assert engine.problem() is not None, name
        assert answers(engine) == known.by_seq[NEWEST], name


def test_an_index_that_is_deleted_while_in_use_goes_on_answering_until_it_is_rebuilt(
    known: Known, tmp_path: Path
) -> None:
    index = known.copy(tmp_path / "index")
    engine = open_index(index)
    answers(engine)
    shutil.rmtree(index)

    assert answers(engine) == known.by_seq[NEWEST]
    assert engine.problem() is not None
    heal(engine, index, known)


def test_a_write_whose_time_was_set_back_is_noticed(known: Known, tmp_path: Path) -> None:
    index = known.copy(tmp_path / "index")
    engine = open_index(index)
    answers(engine)
    for path in files_of(index):
        if path.suffix == ".kbs":
            times, data = path.stat(), path.read_bytes()
            with path.open("r+b") as file:
                file.write(data[: len(data) // 2] + bytes(64))
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    with pytest.raises(EngineDownError):
        answers(engine)


def test_the_same_without_news_from_the_kernel(
    known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.engine.watch._Inotify.add", lambda *_: None)
    test_a_write_whose_time_was_set_back_is_noticed(known, tmp_path)


@pytest.mark.parametrize(
    "touch", [os.utime, lambda path: path.chmod(0o640), lambda path: path.write_bytes(path.read_bytes())]
)
def test_a_file_that_was_touched_but_not_changed_goes_on_serving(
    known: Known, tmp_path: Path, touch: Callable[[Path], object]
) -> None:
    index = known.copy(tmp_path / "index")
    engine = open_index(index)
    answers(engine)
    for path in files_of(index):
        touch(path)

    assert answers(engine) == known.by_seq[NEWEST]
    assert engine.problem() is None


def test_links_of_later_generations_make_nobody_read_the_files_again(
    known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = known.copy(tmp_path / "index")
    engine = open_index(index)
    answers(engine)
    read = []
    states.step(open_index(index), NEWEST + 1)
    monkeypatch.setattr("kb.engine.arrays.checksum", lambda body: read.append(body) or 0)
    monkeypatch.setattr("kb.engine.arrays.Arrays.check", counted(read))
    engine.count()

    assert len(read) == len([path for path in own_files(index) if path.suffix in generations.SUMMED])


def counted(read: list[object]) -> Callable[[object], None]:
    def check(arrays: object) -> None:
        file = arrays.file  # type: ignore[attr-defined]
        if file.sound != file.stamp():
            read.append(arrays)
            file.sound = file.stamp()

    return check


def test_damage_that_verify_finds_is_answered_from_no_longer(known: Known, tmp_path: Path) -> None:
    index = known.copy(tmp_path / "index")
    engine = open_index(index)
    answers(engine)
    path = next(path for path in own_files(index) if path.suffix == ".kbs")
    opened = engine._serving.opened()
    part = next(
        one for segment in opened.snapshot.segments for one in segment.files if one.file.name == path.name
    )
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 64)
    part.file.sound = part.file.stamp()  # as when the disk has changed it, which no stamp tells
    engine._serving._opened = opened.__class__(
        opened.stamp, opened.generation, opened.snapshot, generations.identities(opened.generation), None
    )
    assert engine.problem() is None

    assert path.name in engine.verify()[0]
    assert engine.problem() is not None
    assert answers(engine) == known.by_seq[NEWEST - 1]


def test_an_index_of_another_format_is_not_read_but_rebuilt(
    known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = known.copy(tmp_path / "index")
    monkeypatch.setattr("kb.engine.serving.FORMAT", 1000)
    monkeypatch.setattr("kb.engine.array_engine.FORMAT", 1000)
    engine = open_index(index)

    assert answers_or_none(engine) is None
    assert engine.problem() == EngineDownError("index.outdated").words("zh")
    heal(engine, index, known)


def test_an_index_made_with_other_words_under_a_running_process_leaves_it_its_own(
    known: Known, tmp_path: Path
) -> None:
    index = known.copy(tmp_path / "index")
    engine = open_index(index)
    answers(engine)
    other = states.ArrayEngine(index, states.Segmenter(["枫溪夜话"]), memory_mib=16, batch=50, processes=1)
    for seq in (70, 71, 72):
        other.rebuild([[states.article(1)]], seq=seq)

    assert other.indexed_seq() == 72
    assert answers(engine) == known.by_seq[NEWEST]
    assert engine.problem() == EngineDownError("index.outdated").words("zh")
