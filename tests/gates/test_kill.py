"""kill -9 at random moments of add and reindex: nothing acknowledged is lost, the index ends equal to the store."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kb.config import Settings
from kb.diagnose import diagnose
from kb.ingest import every_article
from kb.search import open_search
from kb.store.db import check, open_database
from tests.test_ingest import line

ARTICLES = 1500
SUBJECTS = ("主题党日", "廉政教育", "志愿服务", "普法宣传", "乡村振兴")


def archive_in(folder: Path) -> Path:
    """An archive that takes a few seconds to add and index."""
    path = folder / "many.jsonl"
    rng = random.Random(7)
    with path.open("w", encoding="utf-8") as out:
        for number in range(ARTICLES):
            words = "，".join(rng.choice(SUBJECTS) + str(rng.randrange(10**6)) for _ in range(30))
            out.write(line(number, f"第{number}篇：{words}。"))
    return path


def start(data: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "kb", "--data", str(data), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def kill_after(seconds: float, data: Path, *arguments: str) -> bool:
    """Run a command and kill it when it takes longer; whether it was killed."""
    child = start(data, *arguments)
    try:
        child.communicate(timeout=seconds)
        return False
    except subprocess.TimeoutExpired:
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        return True


@pytest.mark.parametrize("kills", [3, pytest.param(30, marks=pytest.mark.slow)])
def test_killed_at_random_moments_the_next_run_ends_the_same(tmp_path: Path, kills: int) -> None:
    archive = archive_in(tmp_path)
    data = tmp_path / "data"
    rng = random.Random(kills)
    for round_number in range(kills):
        verb = ("add", str(archive)) if round_number % 3 else ("reindex", "--all")
        kill_after(rng.uniform(0.3, 4.0), data, *verb)

    child = start(data, "add", "--json", str(archive))
    report = json.loads(child.communicate()[0])

    settings = Settings(data=data)
    database = open_database(settings.database)
    stored = [article.article.key for article in every_article(database)]
    assert len(report["ids"]) == len(set(stored)) == len(stored) == ARTICLES
    assert check(database) == []
    assert [
        finding for finding in diagnose(database, settings) if not finding.ok and finding.name != "disk"
    ] == []
    total = sum(open_search(settings, database).find(subject).total > 0 for subject in SUBJECTS)
    assert total == len(SUBJECTS)
    generations = [path.name for path in settings.index.iterdir() if path.name.startswith("gen-")]
    assert len(generations) <= 2
    assert not [path for path in data.rglob("*") if path.suffix in (".part", ".tmp")]
    database.dispose()
