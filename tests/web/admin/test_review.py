"""The queue of pages that wait for a person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import delete, insert, select

from kb import ingest
from kb.config import Settings
from kb.model import Actor, Article, StoredArticle
from kb.store import articles, limits, reviews
from kb.store.articles import NewArticle
from kb.store.db import reading, writing
from kb.store.reviews import Review
from kb.store.tables import article_limits, audit, source_limits, units
from kb.web import create_app
from kb.web.library import EXTENSION
from tests.making import article
from tests.store.test_reviews import UNSURE
from tests.web import shelf
from tests.web.people import post, signed_in

NUMBERS = count()
BAD_PAGE = (
    "<html><head><title>枫溪名单</title></head><body><div class='content'><p>枫溪县机关党委 联系电话 地址 邮编 值班表 通知公告</p>"
    "<p>枫溪县 党建 名单 目录 附件 一二三四五六七八九十 甲乙丙丁</p></div></body></html>"
)
HOSTILE = "<script>alert(1)</script>原页的话"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """A library of its own, whose queue is worked off here."""
    return create_app(shelf.build(tmp_path_factory.mktemp("review") / "data"))


@pytest.fixture
def editor(app: Flask) -> FlaskClient:
    return signed_in(app, "editor", name="wang-editor")


@pytest.fixture
def review(app: Flask) -> Iterator[Review]:
    """A page that waits, alone."""
    with writing(app.extensions[EXTENSION].database) as connection:
        connection.exec_driver_sql("DELETE FROM reviews")
    yield queued(app)


def queued(app: Flask, *, source: str = "sample", **more: object) -> Review:
    number = next(NUMBERS)
    fields = {"published": None, "provenance": UNSURE} | more
    read = article(
        f"待审第{number}篇",
        (f"这是第{number}篇的正文，说的是枫溪。",),
        key=f"https://a.example/r{number}",
        **fields,
    )
    read = replace(read, source=source)
    doubt = reviews.Doubt(read.key, "text/html", HOSTILE + "(作者单位:枫溪县法院)", "crawl")
    with writing(app.extensions[EXTENSION].database) as connection:
        near = articles.fingerprints(connection)
        reviews.take(connection, NewArticle(read, f"{number:064}"), near, lambda: doubt)
        found = next(
            one for one in reviews.listed(connection, "waiting", limit=99) if one.article.key == read.key
        )
    return found


def fields(review: Review, **more: str) -> dict[str, str]:
    return {"page_hash": review.page_hash, "title": review.article.title, "to": "pass", **more}


def now(app: Flask, review: Review) -> Review:
    with reading(app.extensions[EXTENSION].database) as connection:
        found = reviews.one(connection, review.id)
    assert found is not None
    return found


def stored(app: Flask, review: Review) -> StoredArticle:
    with reading(app.extensions[EXTENSION].database) as connection:
        found = articles.one(connection, now(app, review).article_id or 0)
    assert found is not None
    return found


def url(review: Review) -> str:
    return f"/admin/review/{review.id}/decide"


def test_the_queue_says_what_to_look_at(review: Review, editor: FlaskClient) -> None:
    row = html.document_fromstring(editor.get("/admin/review").text).xpath("string(//tbody/tr)")

    for warning in ("把握 0.42", "缺日期", "作者单位不一致", review.article.title):
        assert warning in row


def test_the_source_stands_beside_what_was_read_as_text(review: Review, editor: FlaskClient) -> None:
    tree = html.document_fromstring(editor.get(f"/admin/review/{review.id}").text)

    assert HOSTILE in tree.xpath("string(//*[@aria-labelledby='source']//div)")
    assert not tree.xpath("//main//script")


def test_a_passed_page_is_an_article_as_it_was_corrected(
    app: Flask, review: Review, editor: FlaskClient
) -> None:
    waiting = queued(app)
    form = fields(
        review, published="2024-05-06", authors="张三、李四（记者）", newspaper="枫溪报", edition_page="03"
    )
    answer = post(editor, url(review), form)
    found = stored(app, review)
    with reading(app.extensions[EXTENSION].database) as connection:
        record = connection.execute(select(audit).order_by(audit.c.seq.desc()).limit(1)).one()

    assert (answer.status_code, answer.location) == (303, f"/admin/review/{waiting.id}")
    assert (found.article.published, found.article.newspaper, found.status) == (
        "2024-05-06",
        "枫溪报",
        "normal",
    )
    assert [(one.name, one.role) for one in found.article.authors] == [("张三", "作者"), ("李四", "记者")]
    assert found.article.provenance.origins["reviewed_by"] == "wang-editor"
    assert found.article.provenance.origins["published"] == "review"
    assert (record.actor, record.action, record.object) == (
        "wang-editor",
        "review.passed",
        f"review:{review.id}",
    )
    assert json.loads(record.detail)["changed"]["published"] == ["", "2024-05-06"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("published", "2024-02-30", "发布日期"),
        ("published", "2999-01-01", "不能晚于今天"),
        ("title", " ", "标题不能用:不能为空"),
        ("title", "长" * 301, "最多 300"),
        ("authors", "张三(", "张三、李四"),
        ("newspaper", "枫\x01溪", "不允许"),
    ],
)
def test_a_field_that_cannot_be_used_stores_nothing_and_keeps_what_was_typed(
    app: Flask, review: Review, editor: FlaskClient, name: str, text: str, said: str
) -> None:
    answer = post(editor, url(review), fields(review, affiliation="枫溪县法院", **{name: text}))
    tree = html.document_fromstring(answer.text)

    assert answer.status_code == 400
    assert said in tree.xpath("string(//*[@role='alert'])")
    assert tree.xpath("string(//input[@name='affiliation']/@value)") == "枫溪县法院"
    assert now(app, review).state == "waiting"


def test_a_returned_page_keeps_its_note_and_can_be_put_back(
    app: Flask, review: Review, editor: FlaskClient
) -> None:
    post(editor, url(review), fields(review, to="return", note="是目录页"))
    returned = now(app, review)
    post(editor, url(review), fields(review, to="wait"))

    assert (returned.state, returned.note, returned.decided_by) == ("returned", "是目录页", "wang-editor")
    assert now(app, review).state == "waiting"


def test_a_passed_page_that_is_put_back_is_withdrawn_until_it_passes_again(
    app: Flask, review: Review, editor: FlaskClient
) -> None:
    post(editor, url(review), fields(review))
    article_id = stored(app, review).id
    post(editor, url(review), fields(review, to="wait"))
    withdrawn = editor.get(f"/a/{article_id}").status_code
    post(editor, url(review), fields(review))

    assert withdrawn == 410
    assert editor.get(f"/a/{article_id}").status_code == 200


def test_of_two_editors_the_second_is_told_who_was_first(
    app: Flask, review: Review, editor: FlaskClient
) -> None:
    second = signed_in(app, "editor", name="li-editor")
    post(editor, url(review), fields(review, to="return"))
    answer = post(second, url(review), fields(review))

    assert answer.status_code == 409
    assert "wang-editor" in html.document_fromstring(answer.text).xpath("string(//*[@role='alert'])")
    assert now(app, review).decided_by == "wang-editor"


def test_a_page_that_changed_meanwhile_is_not_decided_unseen(
    app: Flask, review: Review, editor: FlaskClient
) -> None:
    answer = post(editor, url(review), {**fields(review), "page_hash": "f" * 64})

    assert answer.status_code == 409 and "新内容" in answer.text
    assert now(app, review).state == "waiting"


@pytest.mark.parametrize(("to", "state"), [("pass", "passed"), ("return", "returned")])
def test_those_that_were_ticked_are_decided_together(
    app: Flask, review: Review, editor: FlaskClient, to: str, state: str
) -> None:
    others = [queued(app), queued(app)]
    ticked = [f"{one.id}:{one.page_hash}" for one in (review, others[0])]
    answer = post(editor, "/admin/review/bulk", {"ticked": ticked, "to": to}, follow_redirects=True)

    assert "2 页" in answer.text
    assert [now(app, one).state for one in (review, *others)] == [state, state, "waiting"]


def test_an_empty_queue_says_so_and_strangers_stay_out(
    app: Flask, editor: FlaskClient, review: Review
) -> None:
    post(editor, url(review), fields(review, to="return"))

    assert "没有待审的页" in editor.get("/admin/review").text
    assert editor.get("/admin/review/999999").status_code == 404
    assert signed_in(app, "operator").get("/admin/review").status_code == 403


def test_a_file_that_is_read_badly_waits_and_a_better_rule_takes_it_out(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kb.reparsing import reparse
    from kb.store.db import open_database

    database = open_database(settings.database)
    page = tmp_path / "短.html"
    page.write_text(BAD_PAGE, encoding="utf-8")
    report = ingest.add(database, settings, [page])
    again = ingest.add(database, settings, [page])
    with reading(database) as connection:
        (waiting,) = reviews.listed(connection, "waiting", limit=9)
    monkeypatch.setattr("kb.store.reviews.REVIEW_BELOW", 0.0)
    better = reparse(database, settings)
    with reading(database) as connection:
        left = reviews.count(connection)

    assert (len(report.queued), report.failed, len(again.queued)) == (1, [], 1)
    assert "枫溪" in waiting.source_text and waiting.name.endswith("短.html")
    assert (better.added, left) == (1, 0)


# --- what is hidden from the judge ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["source", "article"])
def test_what_is_hidden_from_the_judge_is_not_in_the_queue(
    app: Flask, review: Review, editor: FlaskClient, kind: limits.Kind
) -> None:
    database, secret = app.extensions[EXTENSION].database, queued(app, source="fengxi")
    saved = put(app, secret.article, "e" * 64)
    with writing(database) as connection:
        connection.execute(insert(units), {"id": 7, "name": "枫溪法院"})
        limits.put(connection, Actor("a"), kind, "fengxi" if kind == "source" else saved, [7])
    try:
        listed, page = editor.get("/admin/review").text, editor.get(f"/admin/review/{secret.id}")
        decided = [post(editor, url(secret), fields(secret, to=to)) for to in ("pass", "return", "wait")]
        together = {"ticked": f"{secret.id}:{secret.page_hash}", "to": "pass"}
        answer = post(editor, "/admin/review/bulk", together, follow_redirects=True)
        home = signed_in(app, "admin").get("/admin").text
        member = signed_in(app, "editor", name=f"in-{kind}", units=[7]).get("/admin/review").text
    finally:
        with writing(database) as connection:
            for table in (source_limits, article_limits, units):
                connection.execute(delete(table))

    assert secret.article.title not in listed and "共 1 页" in listed and "共 2 页" in member
    assert [one.status_code for one in (page, *decided)] == [404] * 4
    assert "没有勾选可处理的页" in answer.text and now(app, secret).state == "waiting"
    assert "1 页等待人工核对" in home


# --- putting back what was passed -------------------------------------------------------------------------------------


def put(app: Flask, read: Article, page_hash: str) -> int:
    with writing(app.extensions[EXTENSION].database) as connection:
        near = articles.fingerprints(connection)
        return articles.save(connection, [NewArticle(read, page_hash)], near)[0].id


def test_a_passed_page_that_was_crawled_anew_since_is_not_put_back(
    app: Flask, review: Review, editor: FlaskClient
) -> None:
    post(editor, url(review), fields(review))
    put(app, replace(review.article, title="新抓到的"), "b" * 64)
    answer = post(editor, url(review), fields(review, to="wait"))

    assert (answer.status_code, now(app, review).state) == (409, "passed")
    assert (stored(app, review).article.title, stored(app, review).version) == ("新抓到的", 2)


def test_putting_back_leaves_an_article_alone_that_passing_left_alone(
    app: Flask, review: Review, editor: FlaskClient
) -> None:
    put(app, replace(review.article, title="第一版"), "b" * 64)
    put(app, review.article, "c" * 64)
    post(editor, url(review), fields(review))
    post(editor, url(review), fields(review, to="wait"))
    post(editor, url(review), fields(review))
    post(editor, url(review), fields(review, to="wait"))
    found = stored(app, review)

    assert (found.article.title, found.version, found.status) == (review.article.title, 2, "corrected")


@pytest.mark.parametrize("same", [True, False])
def test_an_article_that_passing_changed_has_its_former_text_again(
    app: Flask, review: Review, editor: FlaskClient, same: bool
) -> None:
    """Also where the same page was read otherwise, which elsewhere keeps no version."""
    put(app, replace(review.article, title="从前的题"), review.page_hash if same else "b" * 64)
    post(editor, url(review), fields(review))
    passed = stored(app, review)
    post(editor, url(review), fields(review, to="wait"))
    found = stored(app, review)

    assert (passed.article.title, found.article.title) == (review.article.title, "从前的题")
    assert editor.get(f"/a/{found.id}").status_code == 200
    with reading(app.extensions[EXTENSION].database) as connection:
        assert [one.version for one in articles.versions(connection, found.id)] == [3, 2, 1]


def test_an_article_that_was_withdrawn_before_it_was_passed_is_so_again(
    app: Flask, review: Review, editor: FlaskClient
) -> None:
    for _ in range(2):
        post(editor, url(review), fields(review))
        shown = stored(app, review).status
        post(editor, url(review), fields(review, to="wait"))

        assert (shown, stored(app, review).status) == ("normal", "withdrawn")


def test_no_more_are_decided_together_than_a_page_shows(
    app: Flask, review: Review, editor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.web.admin.review.ON_A_PAGE", 2)
    some = [review, queued(app), queued(app)]
    post(
        editor, "/admin/review/bulk", {"ticked": [f"{one.id}:{one.page_hash}" for one in some], "to": "pass"}
    )

    assert [now(app, one).state for one in some] == ["passed", "passed", "waiting"]
