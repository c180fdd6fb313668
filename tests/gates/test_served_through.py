"""Trouble with the index's files under a running web application: pages go on, and nobody has to restart anything."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine as Database

from kb import ingest
from kb.config import Settings
from kb.engine import generations
from kb.store.db import check
from kb.web import create_app
from tests.engine.states import left_over
from tests.test_ingest import line


@pytest.fixture
def client(settings: Settings, database: Database, tmp_path: Path) -> FlaskClient:
    """The web application over 40 articles, of which the last 10 came in an update."""
    for numbers in (range(30), range(30, 40)):
        archive = tmp_path / f"{numbers.start}.jsonl"
        archive.write_text("".join(map(line, numbers)), encoding="utf-8")
        ingest.add(database, settings, [archive])
        ingest.reindex(database, settings, everything=False)
    return create_app(settings).test_client()


def total(client: FlaskClient) -> tuple[int, int]:
    """How many articles are found, and how many the page says are not searchable yet."""
    response = client.get("/search?q=主题党日")
    assert response.status_code == 200, response.text
    stale = re.search(r"可能缺少 ([0-9,]+) 篇新材料", response.text)
    found = client.get("/search.json?q=主题党日").json["total"]
    assert f"找到 <b>{found}</b> 篇" in response.text
    return found, int(stale[1]) if stale else 0


def run(settings: Settings, *arguments: str, file_kib: int | None = None) -> subprocess.CompletedProcess[str]:
    """A command of kb, with files of at most `file_kib`: what is longer ends as on a full disk."""
    limit = f"ulimit -f {file_kib}; " if file_kib else ""
    command = ["bash", "-c", f'{limit}exec "$@"', "bash", sys.executable, "-m", "kb"]
    return subprocess.run(
        [*command, "--data", str(settings.data), *arguments], capture_output=True, text=True
    )


def newest(settings: Settings) -> Path:
    folder = generations.current(settings.index)
    assert folder is not None
    return folder


def spoil(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 64)


def test_a_full_disk_stops_the_indexer_with_words_and_the_next_run_makes_it_good(
    client: FlaskClient, settings: Settings, database: Database, tmp_path: Path
) -> None:
    assert total(client) == (40, 0)
    archive = tmp_path / "more.jsonl"
    archive.write_text("".join(map(line, range(40, 400))), encoding="utf-8")
    refused = run(settings, "add", str(archive), file_kib=4)
    assert (refused.returncode, total(client)) == (1, (40, 0))
    assert "写不进去" in refused.stderr
    assert "Traceback" not in refused.stderr
    ingest.add(database, settings, [archive])
    failed = run(settings, "reindex", "--new", file_kib=4)

    assert failed.returncode == 1
    assert "索引写不进去" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert total(client) == (40, 360)
    assert client.get("/readyz").status_code == 200
    assert run(settings, "reindex", "--new").returncode == 0
    assert total(client) == (400, 0)
    assert left_over(settings.index) == []
    assert check(database) == []


def test_a_damaged_file_takes_nothing_from_the_web_but_the_newest_articles_until_the_indexer_has_run(
    client: FlaskClient, settings: Settings, database: Database
) -> None:
    assert total(client) == (40, 0)
    spoil(next(path for path in newest(settings).glob("*.kbs") if path.stat().st_nlink == 1))

    assert total(client) == (30, 10)
    assert client.get("/readyz").status_code == 200
    ingest.reindex(database, settings, everything=False)
    assert total(client) == (40, 0)
    assert left_over(settings.index) == []


def test_where_no_generation_is_whole_the_page_says_so_until_the_indexer_has_run(
    client: FlaskClient, settings: Settings, database: Database
) -> None:
    assert total(client) == (40, 0)
    for path in settings.index.glob("gen-*/*.kbs"):
        path.write_bytes(path.read_bytes()[:100])  # cut in use: to read behind the end would end the process

    response = client.get("/search?q=主题党日")
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert client.get("/readyz").status_code == 503
    assert client.get("/a/1").status_code == 200
    ingest.reindex(database, settings, everything=False)
    assert total(client) == (40, 0)
