from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kb.config import Settings
from kb.web import create_app, limiting
from kb.web.limiting import Counts
from tests.web.people import signed_in

UNLIMITED = (
    "/admin/users/<id:user_id>/password",
    "/admin/upload/<id:upload_id>",
    "/search/advanced",
    "/opensearch.xml",
    "/a/<id:article_id>.json",
)  # of an administrator; a form; a few lines; a page like any other
OFFICE, OTHER = "192.0.2.7", "192.0.2.8"


@pytest.fixture(scope="module")
def strict(library_settings: Settings) -> Flask:
    """An application that lets everybody search three times a minute."""
    return create_app(library_settings.model_copy(update={"searches_per_minute": 3}))


@pytest.fixture(autouse=True)
def nothing_counted(strict: Flask) -> None:
    (limiter,) = strict.extensions["limiter"]
    limiter.reset()


def ask(client: FlaskClient, address: str, url: str = "/search?q=三会", **more: Any) -> TestResponse:
    return client.get(url, environ_base={"REMOTE_ADDR": address}, **more)


def test_the_fourth_search_of_a_minute_is_told_when_to_come_again(strict: Flask) -> None:
    client = strict.test_client()
    before = [ask(client, OFFICE).status_code for _ in range(3)]
    page, script = ask(client, OFFICE), ask(client, OFFICE, "/search.json?q=三会")
    seconds = int(page.headers["Retry-After"])

    assert before == [200, 200, 200]
    assert (page.status_code, script.status_code) == (429, 429)
    assert 1 <= seconds <= 60 and f"请在 {seconds} 秒后再试" in page.text
    assert script.json["key"] == "web.too_many_requests" and 1 <= int(script.headers["Retry-After"]) <= 60


def test_searching_is_counted_by_person_and_else_by_address(strict: Flask) -> None:
    nobody, reader, editor = strict.test_client(), signed_in(strict), signed_in(strict, "editor")
    for _ in range(3):
        ask(nobody, OFFICE)
        ask(reader, OFFICE)

    assert [ask(one, OFFICE).status_code for one in (nobody, reader, editor)] == [429, 429, 200]
    assert ask(reader, OTHER).status_code == 429
    assert ask(nobody, OTHER).status_code == 200


def test_suggestions_have_a_limit_of_their_own(strict: Flask) -> None:
    client = strict.test_client()
    found = [ask(client, OFFICE, "/suggest.json?q=三").status_code for _ in range(10)]

    assert found == [200] * 9 + [429]
    assert ask(client, OFFICE).status_code == 200


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_this_machine_may_search_as_often_as_it_likes(strict: Flask, address: str) -> None:
    client = strict.test_client()

    assert {ask(client, address).status_code for _ in range(5)} == {200}


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_what_a_proxy_on_this_machine_hands_on_is_not_of_this_machine(strict: Flask, header: str) -> None:
    client = strict.test_client()

    assert [ask(client, "127.0.0.1", headers={header: "10.1.2.3"}).status_code for _ in range(4)][3] == 429


def test_a_header_that_anybody_can_write_changes_no_address(strict: Flask) -> None:
    client = strict.test_client()
    found = [ask(client, OFFICE, headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code for n in range(4)]

    assert found[3] == 429


def test_behind_as_many_proxies_as_are_set_callers_are_told_apart(library_settings: Settings) -> None:
    app = create_app(library_settings.model_copy(update={"searches_per_minute": 1, "proxies": 1}))
    client = app.test_client()

    def by(forwarded: str) -> int:
        return ask(client, "127.0.0.1", headers={"X-Forwarded-For": forwarded}).status_code

    assert [by("10.0.0.1"), by("10.0.0.2"), by("10.0.0.1")] == [200, 200, 429]
    # What the caller wrote stands before what the proxy added.
    assert by("10.9.9.9, 10.0.0.2") == 429


def test_all_addresses_of_an_ipv6_network_are_one_caller(strict: Flask) -> None:
    client = strict.test_client()

    assert [ask(client, f"2001:db8:1:2::{n}").status_code for n in range(4)] == [200, 200, 200, 429]
    assert ask(client, "2001:db8:1:3::1").status_code == 200


def test_only_our_own_names_are_answered_where_they_are_set(library_settings: Settings) -> None:
    client = create_app(
        library_settings.model_copy(update={"hosts": "kb.example.cn, 10.1.2.3"})
    ).test_client()
    statuses = {
        name: client.get("/help", headers={"Host": name}).status_code
        for name in ("kb.example.cn", "kb.example.cn:8000", "10.1.2.3", "evil.example", "localhost")
    }

    assert list(statuses.values()) == [200, 200, 200, 400, 400]


def test_what_costs_much_or_is_worth_guessing_at_is_limited(app: Flask) -> None:
    costly = (
        "search",
        "export",
        "import",
        "try",
        "upload",
        "login",
        "first",
        "password",
        ".json",
        ".csv",
        ".tsv",
        ".atom",
    )
    rules = [rule for rule in app.url_map.iter_rules() if any(word in rule.rule for word in costly)]
    found = {rule.rule for rule in rules} - set(UNLIMITED) | {"/t/<topic_slug>"}

    assert found - set(limiting.LIMITED) == set()


# --- the counts -------------------------------------------------------------------------------------------------


def test_a_count_begins_anew_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(limiting.time, "time", lambda: now)
    counts = Counts()
    first = [counts.incr("a", 60) for _ in range(3)]
    ends = counts.get_expiry("a")
    now += 60

    assert first == [1, 2, 3] and ends == 1060.0
    assert counts.get("a") == 0
    assert counts.incr("a", 60) == 1


def test_counts_whose_time_is_over_do_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(limiting.time, "time", lambda: now)
    counts = Counts()
    for number in range(1000):
        counts.incr(f"caller {number}", 60)
    now += 61
    for number in range(600):
        counts.incr(f"other {number}", 60)

    assert len(counts._counts) == 600


def test_of_too_many_callers_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiting, "MOST_CALLERS", 100)
    counts = Counts()
    for number in range(1000):
        counts.incr(f"caller {number}", 60)

    assert len(counts._counts) <= 100
    assert counts.get("caller 999") == 1
