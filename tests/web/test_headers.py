from __future__ import annotations

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from werkzeug.exceptions import TooManyRequests

from kb.config import Settings
from kb.web import create_app
from kb.web.access import public
from kb.web.door import Refusal, RefusalWithTls
from tests.making import FOR_TESTS
from tests.web.people import csrf, signed_in

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

SAME = {
    "Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy",
    "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Permissions-Policy", "Strict-Transport-Security",
}  # fmt: skip


@public
def fail(status: int) -> str:
    if status == 429:
        raise TooManyRequests(retry_after=7)
    if status == 500:
        raise ZeroDivisionError
    abort(status)


@pytest.fixture(scope="module")
def failing_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An application with a route that fails as told; nothing is stored."""
    app = create_app(Settings(data=tmp_path_factory.mktemp("failing") / "data", **FOR_TESTS))
    app.add_url_rule("/fail/<int:status>", view_func=fail)
    return app


@pytest.fixture
def failing(failing_app: Flask) -> FlaskClient:
    return failing_app.test_client()


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
        ("TRACE", "/search", 405),
        ("CONNECT", "/", 405),
        ("BREW", "/healthz", 405),
        ("HEAD", "/nope", 404),
        ("GET", "/search/", 404),
        ("GET", "/metrics", 200),
        ("GET", "/fail/401", 401),
        ("GET", "/fail/403", 403),
        ("GET", "/static/../kb.sqlite3", 404),
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
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert len(headers["X-Request-Id"]) == 16
    assert "Strict-Transport-Security" not in headers
    assert "Set-Cookie" not in headers


def test_tls_adds_two_years_of_https_only(settings: Settings) -> None:
    client = create_app(settings.model_copy(update={"tls": True})).test_client()

    assert client.get("/").headers["Strict-Transport-Security"] == "max-age=63072000"
    assert client.get("/nope").headers["Strict-Transport-Security"] == "max-age=63072000"


def test_every_kind_of_answer_has_both_sets(settings: Settings) -> None:
    for tls, refusal in ((False, Refusal), (True, RefusalWithTls)):
        app = create_app(settings.model_copy(update={"tls": tls}))
        app.add_url_rule("/fail/<int:status>", view_func=fail)
        client = app.test_client()
        answers = [
            client.get(url, buffered=True).headers
            for url in ("/", "/fail/500", "/fail/429", "/nope", "/static/base.css", "/search.json?page=x")
        ]
        sets = [{name: one.get(name) for name in refusal.headers if name in SAME} for one in answers]

        assert len(SAME & set(refusal.headers)) == len(SAME) - (not tls)
        assert all(one == {name: refusal.headers[name] for name in one} for one in sets)


def test_a_refusal_of_a_form_has_them_too(failing: FlaskClient) -> None:
    missing = failing.post("/nope", data={"a": "b"})
    large = failing.post("/fail/200", data=b"x" * 70_000)

    assert {missing.status_code, large.status_code} <= {400, 404, 405, 413}
    assert missing.headers["Content-Security-Policy"] == large.headers["Content-Security-Policy"] == CSP


def test_what_was_made_for_one_person_is_kept_nowhere(app: Flask) -> None:
    nobody, reader = app.test_client(), signed_in(app)
    pages = ("/", "/search?q=三会", "/search.json?q=三会", "/a/1", "/nope", "/help", "/papers")

    for url in pages:
        assert reader.get(url).headers["Cache-Control"] == "private, no-store", url
        assert nobody.get(url).headers["Cache-Control"] == "private, no-cache", url
        assert "Cookie" in reader.get(url).headers["Vary"] and "Cookie" in nobody.get(url).headers["Vary"]


def test_an_answer_with_a_cookie_is_kept_nowhere(app: Flask) -> None:
    client = app.test_client()
    response = client.get("/search?q=三会&sort=newest")

    assert "Set-Cookie" in response.headers
    assert response.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("tls", [False, True])
def test_no_script_reads_a_cookie_and_no_other_site_sends_it(library_settings: Settings, tls: bool) -> None:
    client = create_app(library_settings.model_copy(update={"tls": tls})).test_client()
    csrf(client)
    cookies = [
        one.removesuffix("; Path=/")
        for url in ("/search?q=三会&sort=newest",)
        for one in client.get(url, base_url="https://localhost" if tls else None).headers.getlist(
            "Set-Cookie"
        )
    ]

    assert cookies
    for one in cookies:
        assert "HttpOnly" in one and "SameSite=Lax" in one
        assert ("Secure" in one and one.startswith("__Host-")) is tls


def score(headers: dict[str, str]) -> int:
    """As Mozilla's Observatory counts: 100, less what is missing, and more for what few have."""
    policy = headers.get("Content-Security-Policy", "")
    points = 100
    points -= 25 * (not policy) + 20 * ("unsafe-" in policy)
    points -= 20 * ("Strict-Transport-Security" not in headers)
    points -= 5 * (headers.get("X-Content-Type-Options") != "nosniff")
    points -= 20 * ("frame-ancestors" not in policy and "X-Frame-Options" not in headers)
    points += 10 * policy.startswith("default-src 'none'") + 5 * ("frame-ancestors 'none'" in policy)
    points += 5 * (headers.get("Referrer-Policy") in ("same-origin", "no-referrer"))
    return points + 10 * (headers.get("Cross-Origin-Resource-Policy") == "same-origin")


def test_the_set_with_tls_scores_as_the_best_do(settings: Settings) -> None:
    client = create_app(settings.model_copy(update={"tls": True})).test_client()

    assert score(dict(client.get("/").headers)) == 130
    assert score(dict(client.get("/nope").headers)) == 130


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
