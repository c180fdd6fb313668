"""The sample newspapers through the real chain: crawled from a loopback mirror, parsed, stored, compared with their truth."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine as Database

from kb import config, crawling, ingest
from kb.config import Settings
from kb.export.records import article_record
from kb.reparsing import reparse

SAMPLES = config.shipped("corpus") / "samples"
HOSTS = ("szb.qinghe-ribao.example", "epaper.lanshan-fazhi.example")
FIELDS = (
    "newspaper",
    "published",
    "edition_page",
    "page_name",
    "kicker",
    "title",
    "subtitle",
    "authors",
    "affiliation",
)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def mirrored(settings: Settings) -> Iterator[Settings]:
    servers = {}
    for host in HOSTS:
        handler = functools.partial(Quiet, directory=str(SAMPLES / "site" / host))
        servers[host] = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=servers[host].serve_forever, daemon=True).start()
    mirrors = ",".join(f"https://{host}=http://127.0.0.1:{one.server_port}" for host, one in servers.items())
    yield settings.model_copy(update={"crawl_mirrors": mirrors})
    for one in servers.values():
        one.shutdown()
        one.server_close()


def truth(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SAMPLES / name).read_text(encoding="utf-8").splitlines()]


def body(record: dict[str, Any]) -> str:
    return "\n".join(block["text"] for block in record["blocks"] if block["kind"] not in ("caption", "note"))


def test_the_sample_newspapers_come_out_as_they_were_written(database: Database, mirrored: Settings) -> None:
    known = ingest.load_sources(mirrored)
    sources = [known["sample-classic"], known["sample-pc"]]

    first = crawling.crawl(database, mirrored, sources)
    second = crawling.crawl(database, mirrored, sources)

    expected = truth("truth-classic.jsonl") + truth("truth-pc.jsonl")
    found = {record["url"]: record for record in map(article_record, ingest.every_article(database))}
    differences = [
        (wanted["url"], name, found[wanted["url"]][name], wanted[name])
        for wanted in expected
        for name in FIELDS
        if (found[wanted["url"]][name] or None) != (wanted[name] or None)
    ]
    differences += [
        (one["url"], "body", "", "") for one in expected if body(found[one["url"]]) != one["body"]
    ]
    assert differences == []
    assert [(report.new, report.failed, report.left) for report in first] == [(39, 0, 0), (24, 0, 0)]
    assert [(report.new, report.changed, report.failed) for report in second] == [(0, 0, 0), (0, 0, 0)]


def test_the_sample_text_pages_come_out_as_they_were_written(database: Database, settings: Settings) -> None:
    report = ingest.add(database, settings, [SAMPLES / "text", SAMPLES / "archive.jsonl"])

    found = {Path(one.article.key).name: article_record(one) for one in ingest.every_article(database)}
    expected = truth("truth-text.jsonl")
    differences = [
        (wanted["file"], name, found[Path(wanted["file"]).name][name], wanted[name])
        for wanted in expected
        for name in FIELDS
        if (found[Path(wanted["file"]).name][name] or None) != (wanted[name] or None)
    ]
    assert differences == []
    assert [body(found[Path(one["file"]).name]) == one["body"] for one in expected] == [True] * len(expected)
    assert (report.added, report.changed, report.failed) == (13, 1, [])


def test_reparse_of_a_crawled_newspaper_changes_nothing(database: Database, mirrored: Settings) -> None:
    crawling.crawl(database, mirrored, [ingest.load_sources(mirrored)["sample-pc"]])

    report = reparse(database, mirrored)

    assert (report.added, report.changed, report.unchanged, report.failed) == (0, 0, 24, [])
