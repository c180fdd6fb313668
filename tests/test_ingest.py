from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from sqlalchemy import Engine as Database

from kb import ingest
from kb.config import Settings
from kb.model import Filters
from kb.reparsing import reparse
from kb.search import open_search
from kb.store import articles
from kb.store.db import reading

PAGE = """通版阅读请点击:
展开通版
收缩通版
当前版:07版
发布日期:
把支部建在项目一线
——以青石县为例
  ■周见山
  习近平总书记指出:“空谈误国,实干兴邦。”青石县坚持党建引领项目建设,把党小组建到班组里。
  一、把准方向
  (一)学在前面
  一是定期开展主题党日。党员带头认领难题,逐项销号,群众看得见变化。
  (作者单位:青石县人民检察院)

版权所有 技术支持:某某科技
"""


def line(number: int, body: str = "") -> str:
    text = body or f"第{number}个支部围绕项目建设开展主题党日,党员认领了{number}件实事。"
    record = {"id": f"a{number}", "title": f"支部活动{number}", "date": "2024-05-01", "body": text}
    return json.dumps(record, ensure_ascii=False) + "\n"


def added(database: Database, settings: Settings, *paths: Path) -> ingest.AddReport:
    report = ingest.add(database, settings, paths)
    ingest.reindex(database, settings, everything=False)
    return report


def found(database: Database, settings: Settings, query: str) -> list[int]:
    results = open_search(settings, database).find(
        query, filters=Filters(), sort="relevance", offset=0, limit=50
    )
    return [hit.id for hit in results.hits]


def test_a_saved_page_is_searchable_when_add_returns(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    page = tmp_path / "07版.txt"
    page.write_text(PAGE, encoding="utf-8")

    report = added(database, settings, page)

    assert (report.added, report.failed, found(database, settings, "青石县 主题党日")) == (1, [], report.ids)


def test_adding_the_same_again_changes_nothing(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    archive = tmp_path / "a.jsonl"
    archive.write_text("".join(line(n) for n in range(5)), encoding="utf-8")
    page = tmp_path / "07版.txt"
    page.write_text(PAGE, encoding="utf-8")
    first = added(database, settings, tmp_path)

    second = added(database, settings, tmp_path)

    assert (first.added, second.added, second.changed, second.unchanged) == (6, 0, 0, 6)
    assert sorted(second.ids) == sorted(first.ids)


def test_a_bad_file_is_reported_and_the_rest_goes_on(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    with gzip.open(tmp_path / "a.jsonl.gz", "wt", encoding="utf-8") as archive:
        archive.write(line(1) + "{broken\n" + line(2))
    (tmp_path / "b.docx").write_bytes(b"not a zip file")
    (tmp_path / "c.txt").write_bytes(b"")
    missing = tmp_path / "none.txt"
    strange = tmp_path / "d.exe"
    strange.write_bytes(b"MZ")

    report = added(database, settings, tmp_path, missing, strange)

    assert report.added == 2
    assert [Path(failure.path).name for failure in report.failed] == [
        "a.jsonl.gz:2",
        "b.docx",
        "c.txt",
        "none.txt",
        "d.exe",
    ]
    assert all(failure.message and "." in failure.key for failure in report.failed)


def test_an_edited_file_makes_a_new_version(database: Database, settings: Settings, tmp_path: Path) -> None:
    page = tmp_path / "07版.txt"
    page.write_text(PAGE, encoding="utf-8")
    [article_id] = added(database, settings, page).ids
    page.write_text(PAGE.replace("逐项销号", "逐件办结"), encoding="utf-8")

    report = added(database, settings, page)

    assert (report.changed, report.ids) == (1, [article_id])
    assert found(database, settings, "逐件办结") == [article_id]


def test_equal_texts_under_different_ids_are_both_kept_and_linked(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    archive = tmp_path / "a.jsonl"
    same = "同一篇通讯在两家报纸刊登，一字未改，只是编号不同。"
    archive.write_text(line(1, same) + line(2, same), encoding="utf-8")

    first, second = added(database, settings, archive).ids

    with reading(database) as connection:
        links = {one.id: one.reprint_of for one in articles.many(connection, [first, second]).values()}
    assert links == {first: None, second: first}


def test_an_export_adds_back_the_same_articles(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    from kb.export.records import article_record
    from kb.store.db import open_database

    page = tmp_path / "07版.txt"
    page.write_text(PAGE, encoding="utf-8")
    added(database, settings, page)
    archive = tmp_path / "export.jsonl"
    records = [article_record(stored) for stored in ingest.every_article(database)]
    archive.write_text(
        "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records), encoding="utf-8"
    )
    other = settings.model_copy(update={"data": tmp_path / "other"})
    other.data.mkdir()
    second = open_database(other.database)

    ingest.add(second, other, [archive])

    again = [article_record(stored) for stored in ingest.every_article(second)]
    volatile = ("id", "source", "url", "version", "reprint_of")
    assert [{k: v for k, v in one.items() if k not in volatile} for one in again] == [
        {k: v for k, v in one.items() if k not in volatile} for one in records
    ]


def test_a_missing_index_is_rebuilt_from_the_store(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    import shutil

    archive = tmp_path / "a.jsonl"
    archive.write_text("".join(line(n) for n in range(5)), encoding="utf-8")
    report = added(database, settings, archive)
    shutil.rmtree(settings.index)
    settings.index.mkdir(mode=0o700)

    ingest.reindex(database, settings, everything=False)

    assert sorted(found(database, settings, "主题党日")) == sorted(report.ids)


def test_a_damaged_index_never_answers_and_is_rebuilt(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    from kb.errors import EngineDownError

    archive = tmp_path / "a.jsonl"
    archive.write_text("".join(line(n) for n in range(5)), encoding="utf-8")
    report = added(database, settings, archive)
    for file in settings.index.rglob("MAIN_*"):
        file.write_bytes(file.read_bytes()[:-7])

    with pytest.raises(EngineDownError):
        found(database, settings, "主题党日")
    ingest.reindex(database, settings, everything=False)

    assert sorted(found(database, settings, "主题党日")) == sorted(report.ids)


def test_reparse_reads_kept_files_again_without_a_new_version(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    page = tmp_path / "07版.txt"
    page.write_text(PAGE, encoding="utf-8")
    [article_id] = added(database, settings, page).ids
    page.unlink()

    report = reparse(database, settings)

    assert (report.unchanged, report.changed, report.failed) == (1, 0, [])
    with reading(database) as connection:
        assert articles.versions(connection, article_id)[0].version == 1


def test_a_saved_web_page_keeps_the_address_it_gives_for_itself(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    page = tmp_path / "saved.html"
    text = "<p>青石县把支部建在项目上，党员带头认领难题，逐项销号。</p>" * 6
    page.write_text(
        "<html><head><title>让支部强在一线</title><link href='https://a.example/2024-03/15/1.html' rel='canonical'>"
        f"</head><body><h1>让支部强在一线</h1><div class=content>{text}</div></body></html>",
        encoding="utf-8",
    )

    added(database, settings, page)

    [stored] = ingest.every_article(database)
    assert stored.article.key == f"file:{page}"
    assert (stored.article.url, stored.article.published) == (
        "https://a.example/2024-03/15/1.html",
        "2024-03-15",
    )
