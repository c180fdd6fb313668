"""`kb serve` as it is run: web processes and their indexer, real processes over a real folder."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from kb.store.lock import writer_lock
from kb.web import processes
from kb.web.headers import ALWAYS
from kb.web.processes import Kept
from tests.serving import Served, command, serving, store, until

SAME = tuple(ALWAYS)


def is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over a store whose first article nobody has indexed."""
    data = tmp_path_factory.mktemp("served") / "data"
    store(data, "起初一篇")
    with serving(data) as running:
        yield running


def test_a_missing_index_is_made(served: Served) -> None:
    until(lambda: served.finds("起初一篇"), "searchable")


def test_what_another_process_stores_becomes_searchable(served: Served) -> None:
    store(served.data, "后来一篇")

    until(lambda: served.finds("后来一篇"), "searchable")


def test_an_indexer_that_was_killed_is_replaced(served: Served) -> None:
    killed = served.indexer()
    os.kill(killed, signal.SIGKILL)
    until(lambda: served.indexer() != killed, "another indexer")
    store(served.data, "杀后一篇")

    until(lambda: served.finds("杀后一篇"), "searchable")


def test_the_indexer_waits_while_another_run_has_the_lock_and_keeps_no_lock_itself(served: Served) -> None:
    until(lambda: served.finds("起初一篇"), "idle")
    with writer_lock(served.data):
        store(served.data, "等待一篇")
        time.sleep(0.5)
        waited = not served.finds("等待一篇")

    until(lambda: served.finds("等待一篇"), "searchable")
    assert waited


def test_requests_are_answered_while_the_index_is_rebuilt(served: Served) -> None:
    until(lambda: served.finds("起初一篇"), "searchable")
    before = (served.data / "index" / "CURRENT").read_text()
    rebuild = subprocess.Popen(command(served.data, "reindex", "--all"), stdout=subprocess.DEVNULL)
    answers = []
    while rebuild.poll() is None:
        answers.append(served.finds("起初一篇"))

    assert rebuild.returncode == 0
    assert answers and all(answers) and served.finds("起初一篇")
    assert (served.data / "index" / "CURRENT").read_text() != before


def test_a_damaged_index_is_made_anew(tmp_path: Path) -> None:
    data = tmp_path / "data"
    store(data, "损坏之前")
    subprocess.run(command(data, "reindex"), check=True, stdout=subprocess.DEVNULL)
    largest = max((data / "index").glob("gen-*/*.kbs"), key=lambda path: path.stat().st_size)
    body = bytearray(largest.read_bytes())
    body[-100] ^= 0xFF
    largest.write_bytes(body)
    with serving(data) as running:
        until(lambda: running.finds("损坏之前"), "searchable")


def test_no_indexer_outlives_a_server_that_was_killed(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as running:
        indexer = running.indexer()
        running.end(signal.SIGKILL)

    until(lambda: not is_alive(indexer), "ended")


def test_a_server_that_is_told_to_stop_ends_its_indexer_and_neither_complains(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as running:
        indexer = running.indexer()
        until(
            lambda: running.finds("没有的一篇") or (tmp_path / "data" / "index" / "CURRENT").exists(), "index"
        )
        said = running.end(signal.SIGTERM)

    assert running.process.returncode == 0
    assert not is_alive(indexer)
    assert "Traceback" not in said and "Fatal" not in said and "indexer" not in said


# --- several web processes --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two web processes over a store whose first article nobody has indexed."""
    data = tmp_path_factory.mktemp("several") / "data"
    store(data, "多个进程")
    with serving(data, "--processes", "2") as running:
        until(lambda: running.finds("多个进程"), "searchable")
        yield running


def test_every_web_process_answers_from_the_newest_index(several: Served) -> None:
    store(several.data, "后来一篇")
    until(lambda: several.finds("后来一篇"), "searchable")

    assert all(several.finds("后来一篇") for _ in range(20))


def test_all_web_processes_count_together_also_those_that_were_killed(several: Served) -> None:
    def counted() -> float:
        found = re.search(r'kb_requests_total\{endpoint="health.alive".*?\} (\S+)', several.text("/metrics"))
        return float(found[1]) if found else 0.0

    before = counted()
    for _ in range(20):
        several.get("/healthz")
    first, second = several.webs()
    os.kill(first, signal.SIGKILL)
    until(lambda: first not in several.webs(), "another web process")
    os.kill(second, signal.SIGKILL)
    until(lambda: second not in several.webs() and several.get("/readyz") == 200, "another web process")

    assert counted() == before + 20
    assert (
        len(re.findall(r'^kb_process_resident_bytes\{process="\d"\} [1-9]', several.text("/metrics"), re.M))
        == 2
    )


def test_what_never_reaches_the_application_has_the_same_headers(served: Served) -> None:
    whole = served.headers(b"GET /nope HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    for broken in (
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nBad Header: x\r\n\r\n",
        b"POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST /search HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
    ):
        refused = served.headers(broken)
        assert {name: refused.get(name) for name in SAME} == {name: whole[name] for name in SAME}, broken[:60]
        assert len(refused["X-Request-Id"]) == 16 and refused["Cache-Control"].startswith("private")


def test_a_web_process_that_was_killed_is_replaced_while_the_other_answers(several: Served) -> None:
    first, second = several.webs()
    os.kill(first, signal.SIGKILL)
    statuses = [several.get("/healthz") for _ in range(20)]
    until(lambda: first not in several.webs() and second in several.webs(), "another web process")
    os.kill(second, signal.SIGKILL)
    until(lambda: several.finds("多个进程"), "searchable")

    assert statuses == [200] * 20
    assert several.get("/readyz") == 200


def test_several_web_processes_end_quietly_with_their_indexer_when_told_to_stop(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--processes", "2") as running:
        until(lambda: running.get("/readyz") == 200, "ready")
        children = [*running.webs(), running.indexer()]
        said = running.end(signal.SIGTERM)

    assert running.process.returncode == 0
    assert not any(map(is_alive, children))
    assert "Traceback" not in said and "Fatal" not in said and ".ended" not in said


def test_no_process_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--processes", "2") as running:
        children = [*running.webs(), running.indexer()]
        running.end(signal.SIGKILL)

    until(lambda: not any(map(is_alive, children)), "ended")


# --- what is kept running ---------------------------------------------------------------------------------------


class Ended:
    """A process that ended at once."""

    def __init__(self, code: int) -> None:
        self._code = code

    def code(self) -> int:
        return self._code

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


@pytest.mark.parametrize(
    ("codes", "pauses"), [([1, 1, 1, 1, 1], [0.5, 1, 2, 4, 8]), ([1, -9, 0, 0, 1], [0.5, 1, 0.5, 0.5, 1])]
)
def test_a_process_that_fails_again_and_again_is_replaced_ever_more_slowly(
    codes: list[int], pauses: list[float]
) -> None:
    ends, started = iter([*codes, 0]), []
    now = 0.0

    def start() -> Ended:
        started.append(now)
        return Ended(next(ends))

    kept = Kept("web", start)
    while len(started) <= len(codes):
        kept.look(now)
        now += 0.25

    waited = [after - before - 0.25 for before, after in pairwise(started)]
    assert waited == pauses


def test_a_process_that_cannot_be_started_now_is_tried_again_ever_more_slowly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tried = []
    now = 0.0

    def start() -> Ended:
        tried.append(now)
        if len(tried) < 4:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return Ended(0)

    kept = Kept("web", start)
    while len(tried) < 4:
        kept.look(now)
        now += 0.25

    assert [after - before for before, after in pairwise(tried)] == [0.5, 1, 2]
    assert [record.message for record in caplog.records] == ["web.not_started"] * 3


def test_a_process_that_does_not_end_when_told_to_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "END_SECONDS", 0.05)
    told = []

    class Stubborn:
        def code(self) -> int | None:
            return -9 if "kill" in told else None

        def terminate(self) -> None:
            told.append("terminate")

        def kill(self) -> None:
            told.append("kill")

    kept = Kept("web", Stubborn)
    kept.look(0.0)
    processes.end([kept])

    assert told == ["terminate", "kill"]
