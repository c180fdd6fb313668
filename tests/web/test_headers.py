from __future__ import annotations

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from werkzeug.exceptions import TooManyRequests

from kb.config import Settings
from kb.web import create_app
from kb.web.access import public

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@public
def fail(status: int) -> str:
    if status == 429:
        raise TooManyRequests(retry_after=7)
    if status == 500:
        raise ZeroDivisionError
    abort(status)


@pytest.fixture
def failing(settings: Settings) -> FlaskClient:
    """An application with a route that fails as told."""
    app = create_app(settings)
    app.add_url_rule("/fail/<int:status>", view_func=fail)
    return app.test_client()


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("OPTIONS", "/search", 200),
        ("GET", "/search?q=a&page=x", 400),
        ("GET", "/search.json?page=x", 400),
        ("GET", "/nope", 404),
        ("GET", "/a/1", 404),
        ("POST", "/search", 405),
        ("GET", "/fail/410", 410),
        ("GET", "/fail/413", 413),
        ("GET", "/fail/429", 429),
        ("GET", "/fail/500", 500),
        ("GET", "/fail/503", 503),
        ("GET", "/fail/418", 418),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 503),
        ("GET", "/static/base.css", 200),
        ("GET", "/static/none.css", 404),
    ],
)
def test_every_answer_has_the_same_headers(failing: FlaskClient, method: str, url: str, status: int) -> None:
    response = failing.open(url, method=method, buffered=True)
    headers = response.headers

    assert response.status_code == status
    assert headers["Content-Security-Policy"] == CSP
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert len(headers["X-Request-Id"]) == 16
    assert "Strict-Transport-Security" not in headers
    assert "Set-Cookie" not in headers


def test_tls_adds_two_years_of_https_only(settings: Settings) -> None:
    client = create_app(settings.model_copy(update={"tls": True})).test_client()

    assert client.get("/").headers["Strict-Transport-Security"] == "max-age=63072000"
    assert client.get("/nope").headers["Strict-Transport-Security"] == "max-age=63072000"


def test_the_number_of_a_request_is_never_the_clients(client: FlaskClient) -> None:
    one, other = (
        client.get("/healthz", headers={"X-Request-Id": "forged"}).headers["X-Request-Id"] for _ in "ab"
    )

    assert len({one, other, "forged"}) == 3


def test_pages_are_asked_for_anew_and_static_files_by_etag(client: FlaskClient) -> None:
    style = client.get("/static/base.css", buffered=True)
    again = client.get("/static/base.css", headers={"If-None-Match": style.headers["ETag"]}, buffered=True)

    assert client.get("/").headers["Cache-Control"] == "private, no-cache"
    assert again.status_code == 304
    assert again.headers["Content-Security-Policy"] == CSP


def test_a_wrong_method_is_told_the_right_ones(client: FlaskClient) -> None:
    response = client.post("/search")

    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_too_many_requests_says_how_long_to_wait(failing: FlaskClient) -> None:
    response = failing.get("/fail/429")

    assert response.headers["Retry-After"] == "7"
    assert "请在 7 秒后再试" in response.text


@pytest.mark.parametrize("host", ["a b", "a,b", "<x>", "", "x" * 300, "[::1"])
def test_a_host_that_is_none_is_no_failure_of_ours(app: Flask, host: str) -> None:
    response = app.test_client().get("/nope", headers={"Host": host})

    assert response.status_code in (400, 404)
    assert response.headers["Content-Security-Policy"] == CSP
