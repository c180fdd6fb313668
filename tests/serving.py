"""`kb serve` as a test runs it: real processes over a real folder."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from kb import config
from kb.config import Settings
from kb.store import articles
from kb.store.articles import NewArticle
from kb.store.db import open_database, writing
from kb.text.fingerprint import Fingerprints
from tests.making import article

PATIENCE_SECONDS = 60.0  # the machine is shared; what is promised is that it happens, not how fast


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until it holds."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def command(data: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "kb", "--data", str(data), *arguments]


def store(data: Path, title: str) -> None:
    """Save an article, as the web process or another one would, and index nothing."""
    settings = Settings(data=data)
    config.prepare_data(settings)
    database = open_database(settings.database)
    with writing(database) as connection:
        new = NewArticle(article(title=title, key=f"https://a.example/{title}"))
        articles.save(connection, [new], Fingerprints())
    database.dispose()


class Served:
    """A running `kb serve`."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.process = subprocess.Popen(
            command(data, "serve", "--port", "0", *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        found = re.search(r"http://[0-9.:]+", self.process.stdout.readline())
        assert found, self.process.communicate()
        self.base = found[0]

    def finds(self, title: str) -> bool:
        url = f"{self.base}/search.json?{urllib.parse.urlencode({'q': f'标题:“{title}”'})}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310  # our own
                return json.load(answer)["total"] == 1
        except urllib.error.HTTPError as error:
            assert error.code == 503, error.read()
            return False

    def children(self) -> list[int]:
        """Process ids of what it has started."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return [int(one) for task in tasks for one in (task / "children").read_text().split()]

    def indexer(self) -> int:
        until(lambda: len(self._named("--follow")) == 1, "one indexer")
        return self._named("--follow")[0]

    def webs(self) -> list[int]:
        """Process ids of its web processes, when there are two of them."""
        until(lambda: len(self._named("serve")) == 2, "two web processes")
        return self._named("serve")

    def _named(self, word: str) -> list[int]:
        return [one for one in self.children() if word in words_of(one)]

    def get(self, path: str) -> int:
        """The status of an answer."""
        try:
            with urllib.request.urlopen(self.base + path, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310  # our own
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def text(self, path: str) -> str:
        """The body of an answer."""
        with urllib.request.urlopen(self.base + path, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310  # our own
            return str(answer.read().decode())

    def headers(self, sent: bytes) -> dict[str, str]:
        """The headers of what comes back for these bytes."""
        host, port = self.base.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS) as line:
            line.sendall(sent)
            got = b""
            while b"\r\n\r\n" not in got:
                more = line.recv(65536)
                assert more, got
                got += more
        head = got.partition(b"\r\n\r\n")[0].decode("latin-1")
        return dict(one.split(": ", 1) for one in head.split("\r\n")[1:])

    def end(self, by: signal.Signals) -> str:
        """Its log, and what was said on the way to its end."""
        self.process.send_signal(by)
        return self.process.communicate(timeout=PATIENCE_SECONDS)[1]


def words_of(pid: int) -> list[str]:
    """The command line of a process; none when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


@contextlib.contextmanager
def serving(data: Path, *options: str) -> Iterator[Served]:
    served = Served(data, *options)
    try:
        yield served
    finally:
        served.process.kill()
        served.process.communicate()
