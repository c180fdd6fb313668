"""What the log of the web says: one JSON object a line, and nothing that is somebody's or a secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from kb.config import Settings
from kb.store.db import connect
from kb.web import create_app
from kb.web.access import public
from kb.web.library import the_library
from tests.web.people import post, signed_in

SECRET = "只有本人知道的检索式"
PASSWORD = "correct-horse-battery-staple"
NAME = "chen-xiaoming"


@public
def fail() -> str:
    """Fails in the store, with what was sent as its parameter."""
    with the_library().database.connect() as connection:
        connection.execute(text("SELECT * FROM nowhere WHERE a = :a"), {"a": SECRET})
    return ""


@pytest.fixture(scope="module")
def failing(library_settings: Settings) -> Flask:
    app = create_app(library_settings.model_copy(update={"searches_per_minute": 2}))
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/fail", view_func=fail)
    return app


@pytest.fixture(autouse=True)
def every_level() -> Iterator[None]:
    kept = {name: logging.getLogger(name).level for name in ("kb", "waitress")}
    for name in kept:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield
    for name, level in kept.items():
        logging.getLogger(name).setLevel(level)


def use(client: FlaskClient) -> list[int]:
    """What people do, well and badly; the statuses."""
    away: dict[str, Any] = {"environ_base": {"REMOTE_ADDR": "203.0.113.77"}}
    asked = [
        client.get("/", **away),
        client.get(f"/search?q={SECRET}", headers={"Referer": f"http://localhost/search?q={SECRET}"}, **away),
        client.get(f"/search.json?q={SECRET}&page=x", **away),
        client.get(f"/search?q={SECRET}", **away),
        client.get(f"/suggest.json?q={SECRET}", **away),
        client.get(f"/fail?q={SECRET}", **away),
        client.get(f"/login?next=/search?q={SECRET}", **away),
        client.get(f"/metrics?q={SECRET}", headers={"Authorization": f"Bearer {PASSWORD}"}, **away),
        post(client, "/login", {"name": NAME, "password": PASSWORD, "next": f"/search?q={SECRET}"}, **away),
        client.post("/login", data={"name": NAME, "password": PASSWORD}, **away),
        client.get("/me", headers={"User-Agent": f"Browser {SECRET}"}, **away),
    ]
    return [one.status_code for one in asked]


def test_no_line_of_the_log_has_a_password_a_token_a_query_or_a_person(
    failing: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = signed_in(failing, name=NAME)
    tokens = [cookie.value for cookie in reader._cookies.values()]
    capsys.readouterr()
    statuses = use(reader) + use(failing.test_client())
    said = capsys.readouterr()
    lines = [json.loads(line) for line in said.err.splitlines()]

    assert {429, 500, 403} <= set(statuses)
    assert said.out == "" and len(lines) >= len(statuses)
    for one in (SECRET, PASSWORD, NAME, "203.0.113.77", *tokens):
        assert one not in said.err and json.dumps(one)[1:-1] not in said.err
    done = [line for line in lines if line["event"] == "request.done"]
    assert [line["status"] for line in done] == statuses
    assert {frozenset(line) for line in done} == {
        frozenset({"event", "level", "at", "request_id", "method", "path", "status", "ms"})
    }


def test_a_failure_is_found_by_the_number_that_its_page_shows(
    failing: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    response = failing.test_client().get("/fail")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    number = response.headers["X-Request-Id"]

    assert response.status_code == 500 and number in response.text
    assert [line["event"] for line in lines if line.get("request_id") == number] == [
        "web.failed",
        "request.done",
    ]
    assert "no such table: nowhere" in lines[0]["exception"]


def test_a_path_cannot_begin_a_line_of_its_own(
    client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    client.get('/a%0A{"event":"forged"}' + "x" * 500)
    (line,) = capsys.readouterr().err.splitlines()

    assert json.loads(line)["event"] == "request.done" and len(json.loads(line)["path"]) == 200


def test_what_a_failed_statement_was_given_is_not_in_its_words(settings: Settings) -> None:
    with (
        connect(settings.database).connect() as connection,
        pytest.raises(Exception, match="hide_parameters") as failed,
    ):
        connection.execute(text("SELECT :a FROM nowhere"), {"a": SECRET})

    assert SECRET not in str(failed.value)
