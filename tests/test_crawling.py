from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine as Database
from sqlalchemy import select

from kb import cli, crawling, ingest
from kb.config import Settings
from kb.crawl.shapes import CrawlReport, Handed
from kb.crawl.source import Source
from kb.errors import ConfigError, KbError, ParseError
from kb.model import Actor, RawPage
from kb.store import runs, source_states, tables
from kb.store.db import reading, writing
from kb.store.lock import holder, writer_lock
from kb.store.runs import Run
from tests.crawl.site import SOURCE
from tests.making import article

ROOT = Path(__file__).parents[1]
OPERATOR = Actor("yunwei", "10.1.2.3")


def lines(database: Database) -> list[Run]:
    with reading(database) as connection:
        return runs.some(connection)[0]


def walking(monkeypatch: pytest.MonkeyPatch, walk: Any) -> None:
    """Let crawls do this instead of asking a site."""
    monkeypatch.setattr(crawling, "walk", walk)


def test_every_source_of_a_run_leaves_a_line_with_what_it_did(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = KbError("crawl.budget", pages=5)
    walking(
        monkeypatch,
        lambda source, *_, **__: CrawlReport(source.slug, fetched=5, new=3, left=2, stopped=stopped),
    )
    crawling.crawl(database, settings, [SOURCE, replace(SOURCE, slug="second")])
    second, first = lines(database)

    assert (first.source, second.source) == ("qinghe", "second")
    assert (first.fetched, first.new, first.failed, first.left) == (5, 3, 0, 2)
    assert (first.stopped, first.outcome(None)) == ("crawl.budget", "stopped")
    assert first.detail == stopped.words("zh")
    assert first.started_at <= (first.ended_at or "")


def test_a_source_that_cannot_be_crawled_leaves_its_reason(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = replace(SOURCE, start=())
    with pytest.raises(ConfigError):
        crawling.crawl(database, settings, [source])

    assert [line.stopped for line in lines(database)] == ["source.no_start"]


def test_an_interrupted_run_keeps_its_line_without_an_end(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def walk(source: Source, *_: Any, progress: Any, **__: Any) -> CrawlReport:
        progress(CrawlReport(source.slug, fetched=2, new=1), "https://a.example/1")
        raise KeyboardInterrupt

    walking(monkeypatch, walk)
    monkeypatch.setattr(crawling, "NOTED_EVERY_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        crawling.crawl(database, settings, [SOURCE])
    [line] = lines(database)

    assert (line.ended_at, line.new, line.outcome(None)) == (None, 1, "interrupted")


def test_a_killed_run_is_seen_as_running_while_it_lives_and_as_interrupted_afterwards(
    database: Database, settings: Settings
) -> None:
    program = (
        "import sys, time; from pathlib import Path; from kb import crawling; from kb.config import Settings\n"
        "from kb.store.db import open_database; from kb.store.lock import writer_lock; from tests.crawl.site import SOURCE\n"
        "def walk(*_, **__):\n    print('begun', flush=True); time.sleep(60)\n"
        "crawling.walk = walk; settings = Settings(data=Path(sys.argv[1]))\n"
        "with writer_lock(settings.data): crawling.crawl(open_database(settings.database), settings, [SOURCE])"
    )
    command = [sys.executable, "-c", program, str(settings.data)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None and running.stdout.readline() == b"begun\n"
        [line] = lines(database)
        alive = line.outcome(holder(settings.data))
        running.send_signal(signal.SIGKILL)
        running.wait()

    assert alive == "running"
    assert line.outcome(holder(settings.data)) == "interrupted"


def test_the_next_run_of_another_kind_does_not_make_a_killed_one_live(
    database: Database, settings: Settings
) -> None:
    with writing(database) as connection:
        runs.begin(connection, "qinghe")
        connection.execute(tables.runs.update().values(pid=1))
    with writer_lock(settings.data):
        assert holder(settings.data) == os.getpid()
        assert lines(database)[0].outcome(holder(settings.data)) == "interrupted"


def test_what_the_pages_of_a_run_lack_is_counted(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(_settings: Settings, page: RawPage, _source: Source) -> Any:
        if page.url.endswith("/3"):
            raise ParseError("parse.no_title", source=page.url, line_count=2)
        return article(key=page.url, published=None, authors=())

    def walk(source: Source, handed: Handed, *_: Any, **__: Any) -> CrawlReport:
        for number in (1, 2, 3):
            raw = RawPage(f"https://a.example/{number}", b"")
            try:
                with handed.transaction() as connection:
                    handed.take(connection, raw, "0" * 64, source)
            except ParseError:
                pass
        return CrawlReport(source.slug, new=2, failed=1)

    walking(monkeypatch, walk)
    monkeypatch.setattr(ingest, "read_crawled", read)
    crawling.crawl(database, settings, [SOURCE])

    assert lines(database)[0].lacking == {"read": 3, "date": 2, "author": 2, "title": 1}


def pause(database: Database, source: str, *, is_paused: bool = True) -> bool:
    with writing(database) as connection:
        return source_states.set_paused(connection, OPERATOR, source, is_paused=is_paused)


def test_pausing_and_resuming_are_in_the_audit_log_once_each(database: Database) -> None:
    changes = [
        pause(database, "qinghe"),
        pause(database, "qinghe"),
        pause(database, "qinghe", is_paused=False),
    ]
    with reading(database) as connection:
        recorded = connection.execute(select(tables.audit.c.action, tables.audit.c.object)).all()

    assert changes == [True, False, True]
    assert [tuple(row) for row in recorded] == [
        ("source.paused", "source:qinghe"),
        ("source.resumed", "source:qinghe"),
    ]


@pytest.mark.parametrize("named", [[], ["sample-pc"]], ids=["all", "by name"])
def test_a_paused_source_is_left_out_and_the_crawl_says_so(
    named: list[str], database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    crawled: list[str] = []

    def walk(source: Source, *_: Any, **__: Any) -> CrawlReport:
        crawled.append(source.slug)
        return CrawlReport(source.slug)

    walking(monkeypatch, walk)
    for slug in ("cctv-xwlb", "sample-pc"):
        pause(database, slug)
    result = CliRunner().invoke(cli.main, ["--data", str(settings.data), "crawl", "--no-index", *named])

    assert (result.exit_code, crawled) == (0, [])
    assert f"{(named or ['cctv-xwlb'])[0]}: 已暂停(yunwei," in result.stderr
