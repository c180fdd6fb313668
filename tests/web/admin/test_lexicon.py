"""Lexicon and synonyms, edited on the web."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select

from kb import words
from kb.config import Settings
from kb.store import words as stored
from kb.store.db import open_database, reading, writing
from kb.store.tables import audit
from kb.web import create_app
from kb.web.library import EXTENSION
from tests.web import shelf
from tests.web.people import post, signed_in


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """A library of its own: its words are changed here."""
    return create_app(shelf.build(tmp_path_factory.mktemp("words") / "data"))


@pytest.fixture
def editor(app: Flask) -> FlaskClient:
    return signed_in(app, "editor", name="wang-editor")


def lexicon(app: Flask) -> set[str]:
    with reading(app.extensions[EXTENSION].database) as connection:
        return set(stored.lexicon(connection).words)


def last_record(app: Flask) -> tuple[str, str, str, dict]:
    with reading(app.extensions[EXTENSION].database) as connection:
        row = connection.execute(select(audit).order_by(audit.c.seq.desc()).limit(1)).one()
    return row.actor, row.action, row.object, json.loads(row.detail)


def said(client: FlaskClient, url: str, data: dict) -> str:
    answer = post(client, url, data, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return " ".join(html.document_fromstring(answer.text).xpath("//p[@role='status']/text()"))


def test_a_term_is_added_and_taken_out_and_put_back(app: Flask, editor: FlaskClient) -> None:
    told = said(editor, "/admin/lexicon/add", {"word": "枫溪夜话会", "frequency": ""})
    added = "枫溪夜话会" in lexicon(app)
    said(editor, "/admin/lexicon/remove", {"word": "枫溪夜话会"})
    removed = "枫溪夜话会" not in lexicon(app)
    page = editor.get("/admin/lexicon?show=off").text
    said(editor, "/admin/lexicon/put-back", {"word": "枫溪夜话会"})

    assert "已添加「枫溪夜话会」" in told
    assert (added, removed, "枫溪夜话会" in lexicon(app)) == (True, True, True)
    assert "枫溪夜话会" in page and "已移除" in page


def test_a_shipped_term_is_switched_off_and_on_and_the_log_tells_who(app: Flask, editor: FlaskClient) -> None:
    said(editor, "/admin/lexicon/remove", {"word": "三会一课"})
    off = "三会一课" not in lexicon(app)
    record = last_record(app)
    said(editor, "/admin/lexicon/put-back", {"word": "三会一课"})
    with reading(app.extensions[EXTENSION].database) as connection:
        own = stored.own(connection)

    assert off and "三会一课" in lexicon(app)
    assert not any(one.word == "三会一课" for one in own)
    assert record == (
        "wang-editor",
        "lexicon.changed",
        "word:三会一课",
        {"old": {"frequency": None, "in_force": True}, "new": {"frequency": None, "in_force": False}},
    )


@pytest.mark.parametrize(
    ("word", "frequency", "reason"),
    [
        ("课", "", "2–40 个字"),
        ("长" * 41, "", "2–40 个字"),
        ("三会 一课", "", "不能含空格"),
        ("枫溪夜话\t5", "", "不能含空格"),
        ("枫溪夜话\t\t停用", "", "不能含空格"),
        ("枫溪夜谈", "5\t停用", "词频"),
        ("枫溪<b>", "", "只能用汉字"),
        ("枫溪夜谈", "abc", "词频"),
        ("枫溪夜谈", "-3", "词频"),
        ("枫溪夜谈", "10000000000", "词频"),
        ("#枫溪夜谈", "", "开头"),
        ("", "", "开头"),
        ("三會一課", "", "已在词表中"),
    ],
)
def test_a_term_that_cannot_be_used_is_refused_with_the_reason_and_kept_in_the_form(
    app: Flask, editor: FlaskClient, word: str, frequency: str, reason: str
) -> None:
    before = lexicon(app)
    answer = post(editor, "/admin/lexicon/add", {"word": word, "frequency": frequency})
    tree = html.document_fromstring(answer.text)

    assert answer.status_code == 400
    assert reason in tree.xpath("string(//*[@role='alert'])")
    assert tree.xpath("string(//input[@name='word']/@value)") == word
    assert lexicon(app) == before


def test_lines_are_imported_all_or_none(app: Flask, editor: FlaskClient) -> None:
    before = lexicon(app)
    refused = post(editor, "/admin/lexicon/import", {"lines": "好词语一\n坏 词\n好词语二\tabc\n"})
    unchanged = lexicon(app) == before
    taken = said(editor, "/admin/lexicon/import", {"lines": "# 词语\n好词语一\t500\n党的全面领导\t\t停用\n"})
    again = said(editor, "/admin/lexicon/import", {"lines": "好词语一\t500\n党的全面领导\t\t停用\n"})

    assert refused.status_code == 400 and "第 2 行" in refused.text and "第 3 行" in refused.text
    assert unchanged
    assert "改动 2 个词条" in taken and "改动 0 个词条" in again
    assert lexicon(app) - before == {"好词语一"} and before - lexicon(app) == {"党的全面领导"}
    assert "好词语一\t500\n" in editor.get("/admin/lexicon/export.tsv").text


def test_what_the_export_gives_the_import_takes(app: Flask, editor: FlaskClient) -> None:
    for word in ("枫溪夜话\t5", "枫溪甲乙\t\t停用", "#枫溪", "枫溪丙丁"):
        post(editor, "/admin/lexicon/add", {"word": word, "frequency": ""})
    exported = editor.get("/admin/lexicon/export.tsv").text

    assert "枫溪丙丁\n" in exported
    assert "改动 0 个词条" in said(editor, "/admin/lexicon/import", {"lines": exported})


def test_the_box_shows_the_cut_before_and_after_and_the_equal_names(editor: FlaskClient) -> None:
    page = editor.get("/admin/lexicon?try=二十大&more=玉溪问政会").text
    text = editor.get("/admin/lexicon?try=玉溪问政会开幕&more=玉溪问政会").text

    assert "中国共产党第二十次全国代表大会" in page
    assert "玉溪 / 问政 / 会" in text and "玉溪问政会 / 开幕" in text


def test_a_word_from_the_search_log_stands_in_the_form_with_its_articles_counted(editor: FlaskClient) -> None:
    tree = html.document_fromstring(editor.get("/admin/lexicon?word=党建").text)

    assert tree.xpath("string(//input[@name='word']/@value)") == "党建"
    assert int(tree.xpath("string(//section[@aria-labelledby='adding']//strong)")) > 0


def test_equal_names_hold_for_the_very_next_search(app: Flask, editor: FlaskClient) -> None:
    told = said(editor, "/admin/lexicon/synonyms/add", {"names": "枫溪话\n枫溪方言"})
    with_them = editor.get("/search.json?q=枫溪话").json["expanded"]
    said(editor, "/admin/lexicon/synonyms/switch", {"name": ["枫溪话", "枫溪方言"], "to": "off"})
    without = editor.get("/search.json?q=枫溪话").json["expanded"]

    assert "即时生效" in told
    assert "枫溪方言" in json.dumps(with_them, ensure_ascii=False)
    assert not without
    assert last_record(app)[1:] == (
        "synonyms.changed",
        "synonyms:枫溪话",
        {"old": ["枫溪话", "枫溪方言"], "new": []},
    )


def test_a_shipped_group_is_switched_off_and_its_names_are_free_then(app: Flask, editor: FlaskClient) -> None:
    shipped = ["二十大", "党的二十大", "中国共产党第二十次全国代表大会"]
    clash = post(editor, "/admin/lexicon/synonyms/add", {"names": "二十大、第二十次代表大会"})
    said(editor, "/admin/lexicon/synonyms/switch", {"name": shipped, "to": "off"})
    off = editor.get("/search.json?q=二十大").json["expanded"]
    said(editor, "/admin/lexicon/synonyms/switch", {"name": shipped, "to": "on"})

    assert clash.status_code == 400 and "已在另一组" in clash.text
    assert not off and editor.get("/search.json?q=二十大").json["expanded"]


def test_a_shipped_group_is_not_put_back_beside_an_own_one_with_its_names(
    app: Flask, editor: FlaskClient
) -> None:
    switch, own = "/admin/lexicon/synonyms/switch", ["二十大", "枫溪大会"]
    shipped = ["二十大", "党的二十大", "中国共产党第二十次全国代表大会"]

    def states() -> dict[tuple[str, ...], str]:
        with reading(app.extensions[EXTENSION].database) as connection:
            return {line.names: line.state for line in words.every_group(connection)}

    said(editor, switch, {"name": shipped, "to": "off"})
    said(editor, "/admin/lexicon/synonyms/add", {"names": "、".join(own)})
    refused = post(editor, switch, {"name": shipped, "to": "on"})
    kept = states()
    said(editor, switch, {"name": own, "to": "off"})
    said(editor, switch, {"name": shipped, "to": "on"})
    back = states()
    found = editor.get("/search.json?q=党的二十大").json["expanded"]

    assert refused.status_code == 400 and "已在另一组" in refused.text
    assert (kept[tuple(shipped)], kept[tuple(own)]) == ("off", "added")
    assert (back[tuple(shipped)], back[tuple(own)]) == ("shipped", "removed") and found


def test_a_shipped_group_that_was_added_anew_while_off_comes_back_once(
    app: Flask, editor: FlaskClient
) -> None:
    switch = "/admin/lexicon/synonyms/switch"
    with reading(app.extensions[EXTENSION].database) as connection:
        groups = words.every_group(connection)
    shipped = list(next(line.names for line in groups if line.state == "shipped"))
    said(editor, switch, {"name": shipped, "to": "off"})
    said(editor, "/admin/lexicon/synonyms/add", {"names": "、".join(shipped)})
    said(editor, switch, {"name": shipped, "to": "off"})
    said(editor, switch, {"name": shipped, "to": "on"})

    with reading(app.extensions[EXTENSION].database) as connection:
        assert [one.state for one in words.every_group(connection) if list(one.names) == shipped] == [
            "shipped"
        ]


@pytest.mark.parametrize(
    "names", ["只有一个", "甲乙\n甲乙", "短\n长的", "长" * 41 + "\n短的", "甲\x00乙\n丙丁"]
)
def test_a_group_that_cannot_be_used_is_refused_and_kept_in_the_form(editor: FlaskClient, names: str) -> None:
    answer = post(editor, "/admin/lexicon/synonyms/add", {"names": names})

    assert answer.status_code == 400
    assert html.document_fromstring(answer.text).xpath("//*[@role='alert']")


@pytest.mark.parametrize("role", ["reader", "trainer", "operator", "auditor"])
def test_others_may_not_change_words(app: Flask, role) -> None:
    client = signed_in(app, role)

    assert client.get("/admin/lexicon").status_code == 403
    assert post(client, "/admin/lexicon/add", {"word": "枫溪夜谈"}).status_code == 403


def test_what_editors_added_is_in_every_opening_of_the_search(tmp_path: Path) -> None:
    settings: Settings = shelf.build(tmp_path / "data")
    database = open_database(settings.database)
    with writing(database) as connection:
        stored.decide(connection, [stored.OwnTerm("枫溪夜话会")], "a")
    app = create_app(settings)
    search = app.extensions[EXTENSION].search
    standing = words.standing(database, settings, search)

    assert search.segmenter is not None
    assert search.segmenter.words("枫溪夜话会上") != ["枫溪夜话会", "上"]  # the index was made without it
    assert (standing.is_made, standing.is_used) == (False, False)
    assert search.problem() is None
