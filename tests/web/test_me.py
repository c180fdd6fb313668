from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import insert
from werkzeug.test import TestResponse

from kb import accounts
from kb.model import Actor
from kb.store import audit, moments, search_history, sign_ins, tables, users
from kb.store.db import reading, writing
from kb.store.search_history import Searching
from kb.web.library import EXTENSION, Library
from tests.web.people import post, signed_in

PASSWORD = "山高水长一支笔2026"


def library(app: Flask) -> Library:
    found = app.extensions[EXTENSION]
    assert isinstance(found, Library)
    return found


def person(app: Flask, name: str, password: str = PASSWORD) -> FlaskClient:
    """A browser of somebody who has a password."""
    found = library(app)
    with writing(found.database) as connection:
        if users.by_name(connection, name) is None:
            accounts.add_user(
                connection,
                Actor("test"),
                found.settings,
                name=name,
                full_name=f"姓名{name}",
                role="reader",
                password=password,
                must_change=False,
            )
    return signed_in(app, name=name)


def id_of(app: Flask, name: str) -> int:
    with reading(library(app).database) as connection:
        found = users.by_name(connection, name)
    assert found is not None
    return found.id


def words(answer: TestResponse) -> str:
    return " ".join(html.document_fromstring(answer.text).cssselect("main")[0].text_content().split())


def history(app: Flask, name: str) -> list[str]:
    library(app).log.flush()
    with reading(library(app).database) as connection:
        return [line.query for line in search_history.of_user(connection, id_of(app, name))]


def searched(app: Flask, name: str, *queries: str, at: str | None = None) -> None:
    who, when = id_of(app, name), at or moments.now()
    with writing(library(app).database) as connection:
        search_history.record(connection, [Searching(who, query, 3, when) for query in queries])


def lines(app: Flask, name: str) -> list[int]:
    with reading(library(app).database) as connection:
        return [line.id for line in sign_ins.of_user(connection, id_of(app, name))]


def actions(app: Flask, name: str) -> list[str]:
    with reading(library(app).database) as connection:
        rows = connection.execute(tables.audit.select().where(tables.audit.c.object == f"user:{name}"))
        return [row.action for row in rows]


def test_my_page_says_who_i_am_and_where_i_am_signed_in(app: Flask) -> None:
    mine = person(app, "me-facts")
    signed_in(app, name="me-facts")
    said = words(mine.get("/me"))

    assert "姓名me-facts" in said and "读者" in said and "未登记" in said
    assert said.count("127.0.0.1") == 2 and said.count("就是这里") == 1


def test_nobody_else_has_a_page_of_his_own(client: FlaskClient) -> None:
    assert client.get("/me").status_code in (303, 401)
    assert post(client, "/me/export").status_code in (303, 401)


# --- sign-ins -------------------------------------------------------------------------------------------------------


def test_a_sign_in_elsewhere_is_ended_and_this_one_stays(app: Flask) -> None:
    elsewhere, here = person(app, "me-ends"), person(app, "me-ends")
    answer = post(here, f"/me/sign-ins/{min(lines(app, 'me-ends'))}/end")

    assert answer.status_code == 303
    assert "已结束这个登录。" in words(here.get("/me"))
    assert elsewhere.get("/me").status_code in (303, 401)
    assert actions(app, "me-ends")[-1] == "sign_in.ended"


def test_all_others_are_ended_at_once(app: Flask) -> None:
    others = [person(app, "me-others") for _ in range(3)]
    here = person(app, "me-others")
    post(here, "/me/sign-ins/end-others")

    assert "已结束别处的 3 个登录。" in words(here.get("/me"))
    assert all(one.get("/me").status_code in (303, 401) for one in others)


def test_a_sign_in_of_somebody_else_is_not_found_and_goes_on(app: Flask) -> None:
    theirs, mine = person(app, "me-theirs"), person(app, "me-mine")
    [foreign] = lines(app, "me-theirs")

    assert post(mine, f"/me/sign-ins/{foreign}/end").status_code == 404
    assert post(mine, "/me/sign-ins/999999/end").status_code == 404
    assert theirs.get("/me").status_code == 200


# --- search history -------------------------------------------------------------------------------------------------


def test_what_i_search_for_is_kept_for_me_alone_each_query_once(app: Flask) -> None:
    mine, other = person(app, "me-looks"), person(app, "me-looks-not")
    for query in ("三会一课", "主题党日", "三会一课"):
        mine.get(f"/search?q={query}")
    app.test_client().get("/search?q=调研札记")

    assert history(app, "me-looks") == ["三会一课", "主题党日"]
    assert "主题党日" in words(mine.get("/me"))
    assert "主题党日" not in words(other.get("/me"))


def test_one_line_or_all_are_forgotten_and_a_foreign_line_is_not_found(app: Flask) -> None:
    mine, other = person(app, "me-forgets"), person(app, "me-forgets-not")
    searched(app, "me-forgets", "甲一", "乙二", "丙三")
    with reading(library(app).database) as connection:
        last = search_history.of_user(connection, id_of(app, "me-forgets"))[0]

    assert post(other, f"/me/history/{last.id}/delete").status_code == 404
    assert post(mine, f"/me/history/{last.id}/delete").status_code == 303
    assert history(app, "me-forgets") == ["乙二", "甲一"]
    post(mine, "/me/history/clear")
    assert history(app, "me-forgets") == []
    assert "还没有检索历史" in words(mine.get("/me"))


def test_what_waited_while_the_history_was_cleared_is_not_written(app: Flask) -> None:
    mine = person(app, "me-clears")
    post(mine, "/me/history/clear")
    searched(app, "me-clears", "清除之前", at="2026-01-01T00:00:00Z")

    assert history(app, "me-clears") == []


def test_switched_off_nothing_more_is_kept_until_it_is_on_again(app: Flask) -> None:
    mine = person(app, "me-switches")
    mine.get("/search?q=三会一课")
    post(mine, "/me/history/switch", {"history": "off"})
    mine.get("/search?q=主题党日")
    off = history(app, "me-switches")
    said = words(mine.get("/me"))
    post(mine, "/me/history/switch", {"history": "on"})
    mine.get("/search?q=调研札记")

    assert "主题党日" not in off
    assert "已关闭，不记录" in said
    assert history(app, "me-switches")[0] == "调研札记"


def test_a_search_of_somebody_who_is_gone_hinders_no_other(app: Flask) -> None:
    person(app, "me-stays")
    with writing(library(app).database) as connection:
        now, stays = moments.now(), id_of(app, "me-stays")
        search_history.record(
            connection, [Searching(999_999, "不在了", 1, now), Searching(stays, "还在", 1, now)]
        )

    assert history(app, "me-stays") == ["还在"]


def test_what_is_too_old_is_forgotten(app: Flask) -> None:
    person(app, "me-old")
    searched(app, "me-old", "很久以前", at="2020-01-01T00:00:00Z")
    searched(app, "me-old", "刚才")
    with writing(library(app).database) as connection:
        search_history.forget(connection, 180)

    assert history(app, "me-old") == ["刚才"]


# --- all of it ------------------------------------------------------------------------------------------------------


def exported(app: Flask, mine: FlaskClient) -> dict[str, Any]:
    answer = post(mine, "/me/export")
    assert answer.status_code == 200 and answer.mimetype == "application/json"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "no-store" in answer.headers["Cache-Control"]
    found: dict[str, Any] = json.loads(answer.text)
    return found


def test_my_data_are_all_of_mine_and_nobody_elses_without_what_opens_the_account(app: Flask) -> None:
    mine = person(app, "me-exports")
    person(app, "me-exports-not")
    searched(app, "me-exports", "我的检索")
    searched(app, "me-exports-not", "别人的检索")
    post(mine, "/display", {"size": "large"})
    data = exported(app, mine)
    text = json.dumps(data, ensure_ascii=False)

    assert data["account"]["name"] == "me-exports" and data["account"]["preferences"]["size"] == "large"
    assert [line["query"] for line in data["search_history"]] == ["我的检索"]
    assert [line["address"] for line in data["sign_ins"]] == ["127.0.0.1"]
    assert data["audit"][-1]["action"] == "data.exported"
    assert "别人的检索" not in text and "argon2" not in text and "hash" not in text


def test_my_data_are_not_those_of_somebody_who_had_the_name_before(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as then, writing(app.extensions[EXTENSION].database) as connection:
        then.setattr(audit, "moment", lambda _at: "2020-01-01T00:00:00.000Z")
        before = Actor("me-again", "10.9.9.9")
        audit.record(connection, before, "user.locked", "user:me-others")
        values = {"is_paused": False, "changed_at": "2020-01-01T00:00:00Z", "changed_by": "me-again"}
        connection.execute(insert(tables.source_states).values(source="s-before", **values))
    data = exported(app, person(app, "me-again"))

    assert "10.9.9.9" not in json.dumps(data) and data["work"]["source_states"] == []
    assert data["audit"][0]["action"] == "user.added"


def test_my_data_name_every_table_that_holds_something_of_a_person() -> None:
    """A table to come with a person in it has to be in the export too."""
    of_people = {
        table.name
        for table in tables.metadata.tables.values()
        for column in table.columns
        if column.name.endswith("_by") or column.name == "user_id" or column.name == "actor"
    }

    assert of_people == {
        "api_tokens", "audit", "devices", "lexicon_words", "reviews", "saved_searches", "search_history", "sign_ins", "source_states",
        "synonym_groups", "user_units",
    }  # fmt: skip


def test_deleting_says_what_goes_and_what_stays_and_asks_for_the_password(app: Flask) -> None:
    mine = person(app, "me-leaves-not")
    said = words(mine.get("/me/delete"))
    answer = post(mine, "/me/delete", {"password": "不是这个密码"})

    assert "不能恢复" in said and "检索历史" in said and "审计日志" in said
    assert answer.status_code == 400
    assert html.document_fromstring(answer.text).cssselect("[role=alert]")
    assert mine.get("/me").status_code == 200


def test_a_deleted_account_leaves_only_its_audit_records(app: Flask) -> None:
    mine = person(app, "me-leaves")
    searched(app, "me-leaves", "我的检索")
    who = id_of(app, "me-leaves")
    answer = post(mine, "/me/delete", {"password": PASSWORD})

    assert answer.status_code == 303
    assert "账号已删除" in words(mine.get(answer.location))
    assert mine.get("/me").status_code in (303, 401)
    with reading(library(app).database) as connection:
        assert users.by_name(connection, "me-leaves") is None
        for table in (tables.sign_ins, tables.devices, tables.search_history, tables.user_units):
            assert not list(connection.execute(table.select().where(table.c.user_id == who)))
    assert actions(app, "me-leaves")[-2:] == ["user.deleted", "data.deleted"]


@pytest.mark.parametrize("url", ["/me/export", "/me/delete", "/me/history/clear", "/me/sign-ins/end-others"])
def test_without_its_token_nothing_happens(app: Flask, url: str) -> None:
    mine = person(app, "me-forged")
    searched(app, "me-forged", "我的检索")

    assert mine.post(url, data={"password": PASSWORD}).status_code == 400
    assert history(app, "me-forged") == ["我的检索"]
