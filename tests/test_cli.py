from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from kb import config
from kb.cli import main
from kb.config import Settings
from kb.model import Exclusion, TopicContent
from kb.store import searches, topics
from kb.store.db import open_database, writing
from kb.store.lock import writer_lock
from tests.making import BODY
from tests.test_ingest import PAGE, line


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """Commands set up the log of their process; here the process goes on with other tests."""
    loggers = [logging.getLogger(name) for name in ("kb", "waitress")]
    before = [(logger.level, list(logger.handlers)) for logger in loggers]
    configured, configuration = structlog.is_configured(), structlog.get_config()
    yield
    structlog.reset_defaults()
    if configured:
        structlog.configure(**configuration)
    for logger, (level, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def kb(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--data", str(data), *arguments], catch_exceptions=False)


def test_the_chain_from_a_file_to_a_printed_article(data: Path, tmp_path: Path) -> None:
    page = tmp_path / "07版.txt"
    page.write_text(PAGE, encoding="utf-8")

    added = kb(data, "add", "--json", str(page))
    report = json.loads(added.stdout)
    results = json.loads(kb(data, "search", "--json", "主题党日").stdout)
    shown = json.loads(kb(data, "show", "--json", str(report["ids"][0])).stdout)

    assert (added.exit_code, report["added"], report["failed"]) == (0, 1, [])
    assert [hit["id"] for hit in results["hits"]] == report["ids"]
    assert (shown["title"], shown["affiliation"], shown["published"]) == (
        "把支部建在项目一线",
        "青石县人民检察院",
        None,
    )
    assert set(results) >= {"total", "took_ms", "fallback", "hits", "facets", "articles", "groups"}


def test_a_partial_add_says_so_in_its_exit_code_and_summary(data: Path, tmp_path: Path) -> None:
    archive = tmp_path / "a.jsonl"
    archive.write_text(line(1) + "{\n", encoding="utf-8")

    result = kb(data, "add", str(archive))

    assert result.exit_code == 1
    assert result.stdout.startswith("add partial: 1 added, 0 changed, 0 unchanged, 1 failed,")
    assert "a.jsonl:2" in result.stderr


def test_export_writes_one_json_line_per_article(data: Path, tmp_path: Path) -> None:
    archive = tmp_path / "a.jsonl"
    archive.write_text("".join(line(n) for n in range(3)), encoding="utf-8")
    kb(data, "add", str(archive))

    records = [json.loads(text) for text in kb(data, "export").stdout.splitlines()]

    assert [record["title"] for record in records] == ["支部活动0", "支部活动1", "支部活动2"]


@pytest.mark.parametrize(
    ("arguments", "code", "key"),
    [
        (["show", "99"], 1, "store.no_article"),
        (["search", "“ ”"], 2, "query."),
        (["crawl", "nowhere"], 3, "source.unknown"),
        (["serve", "--host", "0.0.0.0"], 3, "serve.open"),  # noqa: S104  it must be refused
    ],
)
def test_a_failure_is_a_sentence_in_two_languages_with_its_key(
    data: Path, tmp_path: Path, arguments: list[str], code: int, key: str
) -> None:
    archive = tmp_path / "a.jsonl"
    archive.write_text(line(1), encoding="utf-8")
    kb(data, "add", str(archive))

    result = kb(data, *arguments)

    assert result.exit_code == code
    assert f"[{key}" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_search_is_narrowed_sorted_and_grouped(data: Path, tmp_path: Path) -> None:
    lines = [
        {
            "title": "党课开到工地",
            "body": "\n".join(BODY),
            "newspaper": "清河日报",
            "date": "2024-03-01",
            "id": "1",
        },
        {
            "title": "党课开到工地",
            "body": "\n".join(BODY),
            "newspaper": "云岭日报",
            "date": "2024-03-09",
            "id": "2",
        },
        {"title": "党课短讯", "body": "党课进社区，短讯一则。", "newspaper": "云岭日报", "id": "3"},
    ]
    archive = tmp_path / "some.jsonl"
    archive.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    assert kb(data, "add", str(archive)).exit_code == 0

    def kept_topic(name: str, rule: str, excluded: int) -> None:
        content = TopicContent(name, rule, excluded=(Exclusion(excluded, "会议通知"),))
        with writing(open_database(Settings(data=data).database)) as connection:
            topics.add(connection, "gongdi", content, "wang")

    def found(*options: str) -> tuple[int, int, list[str]]:
        answer = json.loads(kb(data, "search", "党课", "--json", *options).stdout)
        return answer["total"], answer["articles"], [hit["published"] for hit in answer["hits"]]

    assert found("--sort", "shortest")[2][0] is None
    assert found("--grouped", "--sort", "oldest") == (2, 3, ["2024-03-01", None])
    assert found("--newspaper", "云岭日报", "--until", "2024-12-31") == (1, 1, ["2024-03-09"])
    assert found("--year", "") == (1, 1, [None])
    kept_topic("工地", "标题:工地", excluded=1)
    assert found("--topic", "工地") == found("--topic", "gongdi") == (1, 1, ["2024-03-09"])
    assert found("--topic", "", "--sort", "oldest") == (2, 2, ["2024-03-01", None])
    said = kb(data, "search", "党课", "--grouped", "--sort", "oldest").stdout
    assert "找到 3 篇(合并转载后 2 条)" in said and "另有 1 处转载" in said


def test_a_search_over_its_time_ends_with_a_sentence(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "a.jsonl"
    archive.write_text(line(1), encoding="utf-8")
    kb(data, "add", str(archive))
    monkeypatch.setenv("KB_QUERY_SECONDS", "0.000000001")

    result = kb(data, "search", "支部")

    assert result.exit_code == 1
    assert "[search.too_slow" in result.stderr


def test_a_second_writer_ends_with_exit_code_4(data: Path, tmp_path: Path) -> None:
    kb(data, "doctor")

    with writer_lock(data):
        result = kb(data, "reindex", "--new")

    assert result.exit_code == 4


def test_doctor_finds_a_missing_index_and_reindex_mends_it(data: Path, tmp_path: Path) -> None:
    archive = tmp_path / "a.jsonl"
    archive.write_text(line(1), encoding="utf-8")
    kb(data, "add", "--no-index", str(archive))

    before = {one["name"]: one["ok"] for one in json.loads(kb(data, "doctor", "--json").stdout)}
    kb(data, "reindex")
    after = {one["name"]: one["ok"] for one in json.loads(kb(data, "doctor", "--json").stdout)}

    assert (before["index"], before["index lag"]) == (False, False)
    assert (after["index"], after["index lag"]) == (True, True)


def test_a_bad_setting_is_named(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_PORT", "many")

    result = kb(data, "doctor")

    assert (result.exit_code, "KB_PORT" in result.stderr) == (3, True)


def test_the_shipped_sources_are_listed_and_right(data: Path) -> None:
    from kb import config

    listed = json.loads(kb(data, "source", "list", "--json").stdout)
    checks = [
        kb(data, "source", "check", str(path))
        for path in (config.shipped("corpus") / "sources").glob("*.toml")
    ]

    assert {"cctv-xwlb", "guizhou-fazhi", "sample-classic", "sample-pc"} <= {one["slug"] for one in listed}
    assert all(check.exit_code == 0 for check in checks)


def test_the_database_upgrade_can_be_repeated(data: Path) -> None:
    kb(data, "doctor")

    assert "revision" in kb(data, "db", "upgrade").stdout


def test_trying_a_source_shows_the_article_or_the_links_of_a_directory_page(data: Path) -> None:
    from kb import config

    corpus = config.shipped("corpus")
    rules = str(corpus / "sources" / "sample-classic.toml")
    issue = corpus / "samples" / "site" / "szb.qinghe-ribao.example" / "html" / "2024-03" / "15"
    url = "https://szb.qinghe-ribao.example/html/2024-03/15/"

    article = kb(
        data, "source", "try", rules, str(issue / "content_402.htm"), "--url", f"{url}content_402.htm"
    )
    edition = kb(data, "source", "try", rules, str(issue / "node_12.htm"), "--url", f"{url}node_12.htm")

    assert json.loads(article.stdout)["published"] == "2024-03-15"
    assert json.loads(edition.stdout)["articles"][0]["url"].startswith(f"{url}content_")


def test_the_search_log_is_listed_and_given_as_json(data: Path) -> None:
    settings = Settings(data=data)
    config.prepare_data(settings)
    with writing(open_database(settings.database)) as connection:
        searches.record(connection, [searches.searched("没有的词", 0, 1200)])

    said = kb(data, "search", "--log")
    report = json.loads(kb(data, "search", "--log", "--days", "7", "--json").stdout)

    assert "没有结果  没有的词  1 次 · 0 篇 · 最慢 1200 毫秒" in said.stdout
    assert (report["days"], report["searches"], report["in_vain"][0]["query"]) == (7, 1, "没有的词")
    assert kb(data, "search").exit_code == 2
