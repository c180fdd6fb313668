from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kb.web.library import EXTENSION
from tests.web import shelf


@pytest.fixture(autouse=True)
def tables(app: Flask) -> None:
    """Made before the first question, as `kb serve` does."""
    app.extensions[EXTENSION].suggester.refresh()


def suggestions(client: FlaskClient, typed: str) -> list[dict[str, Any]]:
    response = client.get("/suggest.json", query_string={"q": typed})
    assert response.status_code == 200
    assert response.json is not None and response.json["q"] == typed
    found: list[dict[str, Any]] = response.json["suggestions"]
    return found


def test_each_suggestion_leads_where_it_says(client: FlaskClient) -> None:
    [title, *_] = suggestions(client, "jcjgdj")
    [author] = suggestions(client, "周明")
    newspaper = suggestions(client, "云岭")[0]
    term = next(one for one in suggestions(client, "三会") if one["kind"] == "term")

    assert title == {
        "text": "检察机关党建与业务融合的探索", "kind": "title", "label": "文章", "url": f"/a/{shelf.REPRINT}",
    }  # fmt: skip
    assert (author["label"], newspaper["label"], term["label"]) == ("作者", "报纸", "提法")
    for one in (author, newspaper, term, title):
        assert client.get(one["url"]).status_code == 200
    assert "找到" in client.get(term["url"]).text
    assert "找到" in client.get(author["url"]).text


def test_hostile_names_lead_to_a_page(client: FlaskClient) -> None:
    found = suggestions(client, "攻击") + suggestions(client, "script")

    assert found
    for one in found:
        assert client.get(one["url"]).status_code == 200, one


def test_what_is_withdrawn_or_gone_is_not_suggested(client: FlaskClient) -> None:
    assert all("已撤回" not in one["text"] for one in suggestions(client, "已撤回"))
    assert all("已消失" not in one["text"] for one in suggestions(client, "yixiaoshi"))


def test_a_question_that_is_empty_hostile_or_long_is_answered(
    client: FlaskClient, empty_client: FlaskClient
) -> None:
    for typed in (
        "",
        "\x00",
        "'" * 50,
        "\n\n",
        "an" * 30,
        "龘" * 60,
        "a" * 5000,
        "%",
        "\ud800".encode("utf-8", "replace").decode(),
    ):
        assert isinstance(suggestions(client, typed), list)
    assert isinstance(suggestions(empty_client, "党"), list)


def test_equal_names_are_shown_with_a_way_to_what_was_typed(client: FlaskClient) -> None:
    page, exact = client.get("/search?q=三会一课制度").text, client.get("/search?q=三会一课制度&exact=1")

    assert "已含：三会一课（" in page and "exact=1" in page
    assert "仅搜原词（" in exact.text and "已含" not in exact.text
    assert client.get("/search.json?q=三会一课制度").json["expanded"] == [["三会一课制度", ["三会一课"]]]  # type: ignore[index]


def test_a_typing_error_is_answered_with_what_was_meant(client: FlaskClient) -> None:
    page = client.get("/search?q=三会一刻").text
    answer = client.get("/search.json?q=三会一刻").json

    assert "您要找的是" in page and f"（{shelf.NOTES} 篇）" in page
    assert answer is not None and answer["did_you_mean"] == [["三会一课", shelf.NOTES]]
    assert "您要找的是" not in client.get("/search?q=三会一课").text


def test_an_article_shows_similar_ones_and_never_its_copies(client: FlaskClient) -> None:
    page = client.get(f"/a/{shelf.FIRST_NOTE}").text

    assert "相似文章" in page
    assert "相似文章" not in client.get(f"/a/{shelf.HOSTILE}").text


def test_results_lead_to_related_searches(client: FlaskClient) -> None:
    page = client.get("/search?q=党建").text

    assert "相关检索" in page and "q=主题党日" not in page
