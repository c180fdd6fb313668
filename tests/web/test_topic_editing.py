"""Topics as editors change them, by forms that need no JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select

from kb import topics
from kb.model import Actor, Topic, TopicContent
from kb.store import limits, tables, units
from kb.store import topics as stored
from kb.store.db import reading, writing
from kb.web import create_app
from kb.web.library import library_of
from tests.web import shelf
from tests.web.people import post, signed_in

ACTOR = Actor("a-trainer", "127.0.0.1")
RULE = "标题:三会一课"
ATTACK = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    made = create_app(shelf.build(Path(tmp_path_factory.mktemp("editing") / "data")))
    yield made
    library_of(made).database.dispose()


@pytest.fixture
def editor(app: Flask) -> FlaskClient:
    return signed_in(app, "editor")


numbers = iter(range(1000))


@pytest.fixture
def topic(app: Flask) -> Topic:
    """A topic of its own for every test."""
    number = next(numbers)
    content = TopicContent(f"三会一课之{number}", RULE, "导语第一句。")
    return topics.create(library_of(app).database, ACTOR, f"lessons-{number}", content)


def now(app: Flask, topic: Topic | str) -> Topic:
    with reading(library_of(app).database) as connection:
        return topics.one(connection, topic if isinstance(topic, str) else topic.slug)


def typed(topic: Topic, **more: Any) -> dict[str, Any]:
    """What the form of a topic holds, changed."""
    content = topic.content
    kept = {"name": content.name, "rule": content.rule, "introduction": content.introduction}
    return {**kept, "version": topic.version, "state": content.state, "do": "save", **more}


def page(text: str) -> html.HtmlElement:
    return html.document_fromstring(text)


def said(text: str) -> str:
    return " ".join(page(text).cssselect("main")[0].text_content().split())


def outlined(section: html.HtmlElement) -> list[tuple[str, str]]:
    """Every element after the heading with its text."""
    return [(str(one.tag), one.text_content().strip()) for one in section.iter() if one.tag != "h2"][1:]


def flashed(client: FlaskClient, url: str) -> str:
    return " ".join(one.text_content() for one in page(client.get(url).text).cssselect("p[role=status]"))


# --- the form -----------------------------------------------------------------------------------------------------


def test_a_topic_is_made_as_a_draft_and_then_shown(app: Flask, editor: FlaskClient) -> None:
    form = {"slug": "jianhua", "name": "减化文山", "rule": "标题:纪实", "introduction": "说明。"}
    answer = post(editor, "/topics/new", {**form, "do": "save"})
    draft = now(app, "jianhua")
    post(editor, "/t/jianhua/edit", typed(draft, state="shown", place="3"))

    assert answer.status_code == 303
    assert (draft.content.state, draft.editor) == ("draft", "a-editor")
    assert now(app, "jianhua").content == TopicContent(
        "减化文山", "标题:纪实", "说明。", state="shown", place=3
    )
    assert now(app, "jianhua").note == "改顺序、状态"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"slug": "Ab"}, "网址名「Ab」不能用"),
        ({"rule": "党建 （业务 或"}, "第 8 个字"),
        ({"rule": "党建 专题:别的"}, "专题的规则里不能再写专题"),
        ({"name": " "}, "专题名称要有"),
        ({"place": "二"}, "顺序(0 到 9999)不能用"),
        ({"parent": "nowhere"}, "上级专题 nowhere 不能用"),
        ({"introduction": "字" * 5001}, "导语有 5001 个字"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_typed_is_lost(
    editor: FlaskClient, wrong: dict[str, str], told: str
) -> None:
    form = {
        "slug": "never",
        "name": "名称",
        "rule": "党建",
        "introduction": "第一段\n\n第二段",
        "do": "save",
        **wrong,
    }
    answer = post(editor, "/topics/new", form)
    tree = page(answer.text)

    assert answer.status_code == 400
    assert told in tree.cssselect("[role=alert]")[0].text_content().replace("，", ",").replace(
        "（", "("
    ).replace("）", ")")
    assert tree.cssselect("#slug")[0].get("value") == form["slug"]
    assert tree.cssselect("#name")[0].get("value") == form["name"]
    assert tree.cssselect("#rule")[0].text == form["rule"]
    assert tree.cssselect("#introduction")[0].text == form["introduction"]


def test_the_place_of_a_mistake_in_a_rule_is_shown(editor: FlaskClient, topic: Topic) -> None:
    answer = post(editor, f"/t/{topic.slug}/edit", typed(topic, rule="党建 （业务 或", do="try"))
    tree = page(answer.text)

    assert answer.status_code == 400
    assert tree.cssselect(".typed")[0].text_content() == "党建 （业务 或"
    assert tree.cssselect(".typed mark")[0].text == "或"
    assert tree.cssselect("#rule")[0].get("aria-invalid") == "true"


def test_a_rule_is_tried_without_being_kept(app: Flask, editor: FlaskClient, topic: Topic) -> None:
    database = library_of(app).database
    topics.pin(database, ACTOR, topic.slug, shelf.FULL)
    topics.exclude(database, ACTOR, topic.slug, [shelf.FIRST_NOTE], "会议通知")
    before = now(app, topic)
    answer = post(editor, f"/t/{topic.slug}/edit", typed(before, rule="标题:纪实\n标题:支部", do="try"))
    none = post(editor, f"/t/{topic.slug}/edit", typed(before, rule="纪实 绝无此语句", do="try"))
    found = editor.get("/search.json?q=标题:纪实 标题:支部&limit=0").get_json()["articles"]

    assert found == shelf.NOTES
    assert f"规则现在找到 {found} 篇；加上必读、减去移出的，专题有 {found} 篇。没有保存。" in said(
        answer.text
    )
    assert len(page(answer.text).cssselect("section .row")) == 5
    assert "规则现在找到 0 篇" in said(none.text) and "没有一篇含全部词语" in said(none.text)
    assert now(app, topic) == before


def test_the_introduction_is_shown_as_it_will_be_and_html_does_nothing(
    app: Flask, editor: FlaskClient, topic: Topic
) -> None:
    text = f"# 题\n\n**要点**\n\n- 一\n- 二\n\n> # 引文的题\n\n{ATTACK} [坏](javascript:alert(1))"
    answer = post(editor, f"/t/{topic.slug}/edit", typed(topic, introduction=text, do="preview"))
    shown = page(answer.text).cssselect("section.notice")[0]
    version = now(app, topic).version
    topics.change(
        library_of(app).database, ACTOR, topic.slug, replace(topic.content, introduction=text), version=1
    )
    read = page(editor.get(f"/t/{topic.slug}").text).cssselect("section.introduction")[0]

    assert [one.tag for one in shown.iter("h1", "h3", "h4")] == ["h3", "h3"]
    assert outlined(shown) == outlined(read)
    assert [one.text for one in shown.cssselect("strong")] == ["要点"] and len(shown.cssselect("li")) == 2
    assert ATTACK in shown.text_content() and not shown.cssselect("script, a")
    assert page(answer.text).cssselect("#introduction")[0].text == text
    assert version == topic.version


def test_a_change_made_by_two_is_refused_and_shows_both_texts(
    app: Flask, editor: FlaskClient, topic: Topic
) -> None:
    address = f"/t/{topic.slug}/edit"
    post(signed_in(app, "admin"), address, typed(topic, introduction="导语改成别的。", rule="党课"))
    mine = typed(topic, introduction="导语第一句,我补一句。")
    refused = post(editor, address, mine)
    tree = page(refused.text)
    theirs = now(app, topic)
    again = dict(tree.cssselect("form.form")[0].fields)
    post(editor, address, again)

    assert refused.status_code == 409
    assert "由 a-admin 改过" in tree.cssselect("[role=alert]")[0].text_content()
    assert "导语改成别的。" in said(refused.text)
    assert [tree.cssselect(f"#{name}")[0].text for name in ("rule", "introduction")] == [
        "党课", "导语第一句,我补一句。",
    ]  # fmt: skip
    assert (theirs.content.introduction, theirs.editor) == ("导语改成别的。", "a-admin")
    assert (now(app, topic).content.rule, now(app, topic).content.introduction) == (
        "党课",
        mine["introduction"],
    )
    assert now(app, topic).version == theirs.version + 1


def test_a_change_made_while_one_is_saved_is_merged_like_one_made_before(
    app: Flask, editor: FlaskClient, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = topics.change

    def late(*args: Any, **more: Any) -> Topic:
        monkeypatch.setattr(topics, "change", real)
        real(library_of(app).database, ACTOR, topic.slug, replace(topic.content, rule="党课"), version=1)
        return real(*args, **more)

    monkeypatch.setattr(topics, "change", late)
    mine = typed(topic, introduction="我补一句。")
    refused = post(editor, f"/t/{topic.slug}/edit", mine)
    tree = page(refused.text)

    assert refused.status_code == 409 and now(app, topic).content.rule == "党课"
    assert [tree.cssselect(f"#{name}")[0].text for name in ("rule", "introduction")] == ["党课", "我补一句。"]


def test_articles_chosen_meanwhile_are_no_conflict_and_stay(
    app: Flask, editor: FlaskClient, topic: Topic
) -> None:
    topics.pin(library_of(app).database, ACTOR, topic.slug, shelf.FULL)
    answer = post(editor, f"/t/{topic.slug}/edit", typed(topic, name=f"{topic.content.name}改"))

    assert answer.status_code == 303
    assert (now(app, topic).content.name, now(app, topic).content.pinned) == (
        f"{topic.content.name}改",
        (shelf.FULL,),
    )


def test_a_version_that_never_was_is_no_way_past_the_conflict(
    app: Flask, editor: FlaskClient, topic: Topic
) -> None:
    answers = [
        post(editor, f"/t/{topic.slug}/edit", typed(topic, introduction="x", version=version)).status_code
        for version in ("", "99", "0", "-1", "1.0", "９")
    ]

    assert answers == [409] * 6
    assert now(app, topic) == topic


# --- must-reads ---------------------------------------------------------------------------------------------------


def test_must_reads_are_added_moved_and_taken_out(app: Flask, editor: FlaskClient, topic: Topic) -> None:
    address = f"/t/{topic.slug}/pins"
    for typed_in in (
        str(shelf.FULL),
        f" http://localhost/a/{shelf.UNDATED} ",
        "https://paper.example.cn/note/1.html",
    ):
        assert post(editor, address, {"article": typed_in}).status_code == 303
    second_note = shelf.FIRST_NOTE + 1
    made = now(app, topic).content.pinned
    orders = []
    for article, how in (
        (second_note, {"do": "up"}),
        (shelf.FULL, {"do": "to", "to": "3"}),
        (shelf.FULL, {"do": "down"}),
    ):
        answer = post(editor, f"{address}/arrange", {"article": article, **how})
        orders.append(now(app, topic).content.pinned)
    post(editor, f"{address}/arrange", {"article": shelf.FULL, "do": "remove"})

    assert made == (shelf.FULL, shelf.UNDATED, second_note)
    assert orders[0] == (shelf.FULL, second_note, shelf.UNDATED)
    assert orders[1] == orders[2] == (second_note, shelf.UNDATED, shelf.FULL)
    assert answer.location == f"{address}#pin-{shelf.FULL}"
    assert now(app, topic).content.pinned == (second_note, shelf.UNDATED)


@pytest.mark.parametrize("article", ["", "x<b>", "987654321", str(shelf.WITHDRAWN), "1\n2"])
def test_what_is_no_article_becomes_no_must_read(
    app: Flask, editor: FlaskClient, topic: Topic, article: str
) -> None:
    answer = post(editor, f"/t/{topic.slug}/pins", {"article": article})

    assert answer.status_code == 400
    assert page(answer.text).cssselect("[role=alert]")
    assert now(app, topic) == topic


def test_a_button_under_a_hit_leads_back_to_the_page_it_was_on(
    app: Flask, editor: FlaskClient, topic: Topic
) -> None:
    back = f"/search?q=%E5%85%9A%E5%BB%BA&topic={topic.slug}"
    found = [
        post(editor, f"/t/{topic.slug}/pins", {"article": shelf.FULL, "next": back}).location,
        post(
            editor, f"/t/{topic.slug}/exclusions", {"articles": shelf.FULL, "reason": "x", "next": back}
        ).location,
        post(editor, f"/t/{topic.slug}/pins", {"article": shelf.UNDATED, "next": "//evil.example"}).location,
    ]

    assert found == [back, back, f"/t/{topic.slug}/pins#pin-{shelf.UNDATED}"]
    assert "不能既是必读又被移出" in flashed(editor, back)


# --- exclusions ---------------------------------------------------------------------------------------------------


def test_articles_are_excluded_with_a_reason_and_their_copies_and_let_in_again(
    app: Flask, editor: FlaskClient, topic: Topic
) -> None:
    address, reason = f"/t/{topic.slug}/exclusions", f"会议通知{ATTACK}"
    without = post(editor, address, {"articles": shelf.FULL, "reason": " ", "copies": "1"})
    post(editor, address, {"articles": f"{shelf.FULL}\n{shelf.FIRST_NOTE}", "reason": reason, "copies": "1"})
    listed = editor.get(address).text
    excluded = now(app, topic).content.excluded
    post(editor, f"{address}/readmit", {"article": shelf.REPRINT})

    assert without.status_code == 400 and "没有写移出的理由" in said(without.text)
    assert {one.article_id for one in excluded} == {shelf.FULL, shelf.REPRINT, shelf.FIRST_NOTE}
    assert reason in said(listed) and "检察机关党建与业务融合的探索" in said(listed) and ATTACK not in listed
    assert shelf.REPRINT not in {one.article_id for one in now(app, topic).content.excluded}


# --- history ------------------------------------------------------------------------------------------------------


def test_history_says_who_changed_what_and_an_old_version_comes_back(
    app: Flask, editor: FlaskClient, topic: Topic
) -> None:
    address = f"/t/{topic.slug}/history"
    post(editor, f"/t/{topic.slug}/edit", typed(topic, introduction="导语第一句改过。", note="说得更准"))
    post(editor, f"/t/{topic.slug}/pins", {"article": shelf.FULL})
    shown = [said(editor.get(f"{address}{more}").text) for more in ("", "?version=2", "?version=3&against=1")]
    answer = post(editor, f"/t/{topic.slug}/restore", {"version": 1})

    assert "从第 2 版到第 3 版 必读 加入：检察机关党建与业务融合的探索 第 1 位" in shown[0]
    assert "导语第一句 加上：改过 。" in shown[1].replace("加上：改过", " 加上：改过 ").replace("  ", " ")
    assert "说得更准" in shown[1] and "a-editor" in shown[1] and "第 1 版" in shown[1]
    assert "从第 1 版到第 3 版 导语" in shown[2] and "必读" in shown[2]
    assert answer.location == address
    assert now(app, topic).content == topic.content and now(app, topic).version == 4
    assert editor.get(f"{address}?version=99").status_code == 404


def test_a_topic_is_removed_and_put_back(app: Flask, editor: FlaskClient, topic: Topic) -> None:
    post(editor, f"/t/{topic.slug}/remove")
    removed = now(app, topic).content.state
    told = said(editor.get(f"/t/{topic.slug}/history").text)
    refused = post(editor, f"/t/{topic.slug}/edit", typed(now(app, topic), introduction="x"))
    post(editor, f"/t/{topic.slug}/put-back")

    assert removed == "removed" and "读者看不到这个专题" in told and "放回专题" in told
    assert refused.status_code == 400 and "已移除，不能修改" in said(refused.text)
    assert now(app, topic).content == topic.content


# --- who may, and who sees what -----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["reader", "operator", "auditor"])
def test_others_change_nothing_and_see_no_way_to(app: Flask, topic: Topic, role: Any) -> None:
    client = signed_in(app, role)

    assert client.get(f"/t/{topic.slug}/edit").status_code == 403
    assert post(client, f"/t/{topic.slug}/remove").status_code == 403
    assert f"/t/{topic.slug}/" not in client.get(f"/a/{shelf.FIRST_NOTE}").text
    assert now(app, topic) == topic


def test_an_editor_outside_a_unit_neither_chooses_nor_sees_what_is_limited_to_it(
    app: Flask, topic: Topic
) -> None:
    database, address = library_of(app).database, f"/t/{topic.slug}"
    with writing(database) as connection:
        unit = units.add(connection, "县法院")
    member = signed_in(app, "editor", name="member", units=(unit,))
    for article in (shelf.FIRST_NOTE, shelf.FULL, shelf.FIRST_NOTE + 1):
        post(member, f"{address}/pins", {"article": article})
    post(member, f"{address}/exclusions", {"articles": shelf.UNDATED, "reason": "骊歌"})
    with writing(database) as connection:
        for article in (shelf.FULL, shelf.UNDATED):
            limits.put(connection, ACTOR, "article", article, [unit])
    outside = signed_in(app, "editor", name="outside")
    pages = [
        outside.get(f"{address}/{one}").text
        for one in ("pins", "exclusions", "history", "history?version=4&against=0", "edit")
    ]
    with reading(database) as connection:
        notes = " ".join(one.note for one in stored.history(connection, topic.id))
    post(outside, f"{address}/pins/arrange", {"article": shelf.FIRST_NOTE + 1, "do": "up"})
    order = now(app, topic).content.pinned
    for way, form in (
        ("pins/remove", {"article": shelf.FULL}),
        ("pins/arrange", {"article": shelf.FULL, "do": "remove"}),
        ("exclusions/readmit", {"article": shelf.UNDATED}),
    ):
        post(outside, f"{address}/{way}", form)
    kept = now(app, topic).content
    refused = [
        post(outside, f"{address}/pins", {"article": shelf.FULL}).status_code,
        post(outside, f"{address}/exclusions", {"articles": shelf.FULL, "reason": "x"}).status_code,
        post(outside, f"/a/{shelf.FULL}/topics", {"topic": topic.slug}).status_code,
    ]
    seen_by_member = member.get(f"{address}/pins").text + member.get(f"{address}/exclusions").text
    with writing(database) as connection:
        for article in (shelf.FULL, shelf.UNDATED):
            limits.lift(connection, ACTOR, "article", article)

    assert not any("检察机关党建" in page or "缺日期" in page or "骊歌" in page for page in pages)
    assert "还没有移出" in pages[1] or "没有移出的文章" in pages[1]
    assert "骊歌" not in notes and not re.search(r"[02-9]", notes)  # no reason, no number of an article
    assert order == (shelf.FIRST_NOTE + 1, shelf.FIRST_NOTE, shelf.FULL)
    assert kept.pinned == order and [one.article_id for one in kept.excluded] == [shelf.UNDATED]
    assert refused == [400, 400, 404]
    assert "检察机关党建" in seen_by_member and "骊歌" in seen_by_member


def test_every_change_is_on_record(app: Flask, editor: FlaskClient, topic: Topic) -> None:
    post(editor, f"/t/{topic.slug}/edit", typed(topic, introduction="x"))
    post(editor, f"/t/{topic.slug}/remove")
    audit = tables.audit
    with reading(library_of(app).database) as connection:
        rows = connection.execute(
            select(audit.c.actor, audit.c.action)
            .where(audit.c.object == f"topic:{topic.slug}")
            .order_by(audit.c.seq)
        )
        found = [tuple(row) for row in rows]

    assert found == [
        ("a-trainer", "topic.created"),
        ("a-editor", "topic.changed"),
        ("a-editor", "topic.removed"),
    ]


def test_an_article_says_its_topics_and_an_editor_chooses_it_from_there(
    app: Flask, editor: FlaskClient
) -> None:
    """In a library of its own topics: those of the shelf."""
    address = f"/a/{shelf.FULL}"
    readers = app.test_client().get(address).text
    post(editor, f"{address}/topics", {"topic": "empty"})
    pinned = page(editor.get(address).text)
    topics.unpin(library_of(app).database, ACTOR, "empty", shelf.FULL)
    topic_page = page(editor.get("/t/dangjian").text)

    assert 'href="/t/dangjian"' in readers and "设为必读" not in readers and "移出" not in readers
    assert "还没有材料的专题" in pinned.cssselect("section[aria-labelledby=topics]")[0].text_content()
    assert pinned.cssselect("details.choose") and pinned.cssselect("#other-topic")
    assert topic_page.cssselect("nav.topic-bar a[href='/t/dangjian/edit']") and topic_page.cssselect(
        ".hit details.choose"
    )
    assert not page(app.test_client().get("/t/dangjian").text).cssselect(".choose, .topic-bar")
