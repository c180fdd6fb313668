from __future__ import annotations

import json
import logging

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from structlog.testing import capture_logs

from kb import log
from kb.config import Settings
from kb.search import Search
from kb.web import create_app
from kb.web.problems import REQUEST_ID


def broken(*_args: object, **_named: object) -> None:
    raise ZeroDivisionError("secret words")


@pytest.fixture
def broken_client(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """Search fails in a way that nobody foresaw."""
    monkeypatch.setattr(Search, "find", broken)
    return create_app(settings).test_client()


def test_a_failure_is_a_plain_page_with_the_number_of_the_request(broken_client: FlaskClient) -> None:
    response = broken_client.get("/search?q=党建")
    page = html.document_fromstring(response.text)

    assert response.status_code == 500
    assert page.cssselect("h1")[0].text == "系统出错"
    assert f"请求编号 {response.headers['X-Request-Id']}" in page.text_content()
    assert "secret words" not in response.text and REQUEST_ID not in response.text
    assert page.cssselect("form[role=search]")


def test_the_page_of_a_failure_needs_no_database_and_no_template(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(settings)
    app.jinja_env.globals.clear()
    app.jinja_env.filters.clear()
    app.jinja_env.cache = None
    app.extensions.clear()
    monkeypatch.setattr("kb.web.problems.render_template", broken)
    monkeypatch.setattr("kb.web.home.render_template", broken)

    for url in ("/", "/nope", "/search?q="):
        response = app.test_client().get(url)

        assert response.status_code == 500
        assert "系统出错" in response.text
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_failure_for_a_script_is_json(broken_client: FlaskClient) -> None:
    response = broken_client.get("/search.json?q=党建")

    assert response.status_code == 500
    assert response.json["key"] == "web.failed"


def test_a_failure_is_logged_with_its_traceback_and_number(
    broken_client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    response = broken_client.get("/search?q=私密检索词")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    [failure] = [line for line in lines if line["event"] == "web.failed"]
    [done] = [line for line in lines if line["event"] == "request.done"]

    assert failure["request_id"] == done["request_id"] == response.headers["X-Request-Id"]
    assert "ZeroDivisionError" in failure["exception"]
    assert (failure["level"], done["status"], done["path"]) == ("error", 500, "/search")


def test_what_people_search_for_is_not_logged(
    client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    for url in (
        "/search?q=私密检索词",
        "/search.json?q=私密检索词&page=x",
        "/a/1?q=私密检索词",
        "/nope?q=私密检索词",
    ):
        client.get(url)
    logged = capsys.readouterr().err

    assert logged.count("request.done") == 4
    assert "私密" not in logged and "%E7" not in logged


def test_a_refusal_that_is_nobodys_mistake_is_logged(empty_client: FlaskClient) -> None:
    with capture_logs() as logged:
        empty_client.get("/search?q=党建")

    assert [line["status"] for line in logged if line["event"] == "web.refused"] == [503]


def test_a_search_over_its_time_says_so_in_a_sentence_and_as_json(library_settings: Settings) -> None:
    hurried = library_settings.model_copy(update={"query_seconds": 1e-9})
    client = create_app(hurried).test_client()
    page, answer = client.get("/search?q=党建"), client.get("/search.json?q=党建")

    assert page.status_code == answer.status_code == 503
    assert "这次检索超过" in html.document_fromstring(page.text).cssselect("main")[0].text_content()
    assert answer.json["key"] == "search.too_slow"


@pytest.mark.parametrize(
    ("method", "url", "heading"),
    [
        ("GET", "/nope", "没有这个页面"),
        ("GET", "/a/999", "没有这篇文章"),
        ("POST", "/", "不支持这种请求方法"),
        ("GET", "/search?q=a&page=x", "检索式有误"),
    ],
)
def test_an_error_page_has_plain_words_the_box_and_a_number(
    client: FlaskClient, method: str, url: str, heading: str
) -> None:
    response = client.open(url, method=method)
    page = html.document_fromstring(response.text)

    assert page.cssselect("h1")[0].text == heading
    assert page.cssselect("form[role=search]")
    assert response.headers["X-Request-Id"] in page.cssselect("main")[0].text_content()


def test_lines_of_the_standard_library_take_the_same_form(
    app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("kb.anything").error("indexer.failed", extra={"exit": 5})
    line = json.loads(capsys.readouterr().err)

    assert (line["event"], line["level"], line["exit"]) == ("indexer.failed", "error", 5)


def test_the_level_of_the_log_is_a_setting(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    configuration = structlog.get_config()
    structlog.reset_defaults()
    try:
        log.configure("ERROR")
        app.test_client().get("/healthz")
        quiet = capsys.readouterr().err
    finally:
        structlog.configure(**configuration)

    assert quiet == ""
