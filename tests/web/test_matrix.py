"""Who may do what: every route and method for everybody, as the views declare it; and no change without a form of ours.

The routes are the application's own. One with arguments needs a line in SAMPLES, or the test fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from kb.config import Settings
from kb.store import tables
from kb.store.db import writing
from kb.web import create_app, problems
from kb.web.access import ROLE_NAMES, Access
from kb.web.library import library_of
from tests.web.people import csrf, signed_in

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW")
CHIEF = {"GET", "POST"}
ROLES = tuple(ROLE_NAMES)
NOBODY = ("anonymous", "locked", "expired", "forged")
LONG_AGO = "2001-01-01T00:00:00Z"

# What stands for the arguments of a route: something that is there, and something that is not.
SAMPLES: dict[str, tuple[str, str]] = {
    "article_id": ("1", "987654321"),
    "newspaper": ("云岭日报", "没有的报"),
    "day": ("2020-05-01", "1900-01-01"),
    "label": ("01", "没有的版"),
    "line_id": ("1", "987654321"),
    "sign_in_id": ("1", "987654321"),
    "user_id": ("1", "987654321"),
    "unit_id": ("1", "987654321"),
    "run_id": ("1", "987654321"),
    "review_id": ("1", "987654321"),
    "upload_id": ("1", "987654321"),
    "topic_slug": ("dangjian", "no-such-topic"),
    "slug": ("cctv-xwlb", "no-such-source"),
    "name": ("operations", "no-such-thing"),
    "filename": ("base.css", "no-such-file.css"),
}


# --- people -----------------------------------------------------------------------------------------------------


def people(app: Flask) -> dict[str, FlaskClient]:
    """A browser of everybody: of each role, and of those who are as good as unknown."""
    found = {role: signed_in(app, role) for role in ROLES}
    found["locked"] = signed_in(app, "admin", name="locked-admin")
    found["expired"] = signed_in(app, "admin", name="expired-admin")
    found["anonymous"], found["forged"] = app.test_client(), app.test_client()
    found["forged"].set_cookie("sign_in", "x" * 43)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    users, ins = tables.users, tables.sign_ins
    with writing(library_of(app).database) as connection:
        connection.execute(update(users).where(users.c.name == "locked-admin").values(locked_at=now))
        (expired,) = connection.execute(users.select().where(users.c.name == "expired-admin"))
        connection.execute(
            update(ins).where(ins.c.user_id == expired.id).values(created_at=LONG_AGO, seen_at=LONG_AGO)
        )
    return found


# --- routes -----------------------------------------------------------------------------------------------------


def rules(app: Flask) -> list[Rule]:
    return sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint))


def address(app: Flask, rule: Rule, which: int = 0) -> str:
    """Where a route is, with arguments that are there (0) or not (1)."""
    arguments = {name: SAMPLES[name][which] for name in rule.arguments}
    kinds = {
        name: int(text) if text.isdigit() and "int" in str(rule) else text for name, text in arguments.items()
    }
    with app.test_request_context():
        adapter = app.url_map.bind("localhost")
        method = sorted(rule.methods or {"GET"})[0]
        try:
            return adapter.build(rule.endpoint, kinds, method=method)
        except ValueError:
            return adapter.build(rule.endpoint, arguments, method=method)


class Reached:
    """Views that only note that they were reached: what is tested is what stands before them."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.calls: list[str] = []
        for endpoint, view in app.view_functions.items():
            app.view_functions[endpoint] = self._noting(endpoint, view)

    def _noting(self, endpoint: str, view: Callable[..., Any]) -> Callable[..., Any]:
        def noted(**_arguments: Any) -> str:
            self.calls.append(endpoint)
            return "reached"

        noted.access = view.access  # type: ignore[attr-defined]
        return noted

    def by(self, client: FlaskClient, url: str, method: str, **more: Any) -> TestResponse | None:
        """The answer of what stands before a view; None when the view was reached."""
        self.calls.clear()
        response = client.open(url, method=method, buffered=True, **more)
        return None if self.calls else response


@pytest.fixture(scope="module", params=[True, False], ids=["anonymous reading", "sign-in needed"])
def reached(request: pytest.FixtureRequest, library_settings: Settings) -> Iterator[Reached]:
    """Refusals have a status and no page: pages are what takes the time, and are tested elsewhere."""
    settings = library_settings.model_copy(update={"anonymous_reading": request.param, "log_level": "ERROR"})
    app = create_app(settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(problems, "render_template", lambda *_, **__: "")
        yield Reached(app)


@cache
def role_of(who: str) -> str | None:
    return who if who in ROLES else None


def may(access: Access, who: str, *, anonymous_reading: bool) -> bool:
    """As the contract of the roles says, written a second time."""
    role = role_of(who)
    if access.who == "public":
        return True
    if access.who == "readers":
        return role is not None or anonymous_reading
    if access.who == "signed_in":
        return role is not None
    return role in access.roles


def methods_of(app: Flask, rule: Rule, *, all_of_them: bool) -> Iterator[tuple[str, bool]]:
    """Methods, and whether some route takes them at this address; those that some take, or all of them."""
    taken = {
        method
        for other in app.url_map.iter_rules()
        if other.rule == rule.rule
        for method in other.methods or ()
    }
    yield from ((method, method in taken) for method in METHODS if all_of_them or method in taken & CHIEF)


# --- the matrix -------------------------------------------------------------------------------------------------


def test_every_route_has_a_sample_of_its_arguments(app: Flask) -> None:
    unknown = {name: rule.rule for rule in rules(app) for name in rule.arguments if name not in SAMPLES}

    assert unknown == {}


@pytest.mark.parametrize("all_of_them", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_everybody_may_do_with_every_route_exactly_what_it_declares(
    reached: Reached, all_of_them: bool
) -> None:
    app = reached.app
    anonymous_reading = library_of(app).settings.anonymous_reading
    everybody = people(app)
    tokens = {who: csrf(client) for who, client in everybody.items()}
    wrong, asked = [], 0
    for rule in rules(app):
        url = address(app, rule)
        for method, taken in methods_of(app, rule, all_of_them=all_of_them):
            for who, client in everybody.items():
                answer = reached.by(client, url, method, headers={"X-CSRFToken": tokens[who]})
                asked += 1
                expected = told(app, rule, method, taken, who, anonymous_reading)
                if not expected(answer):
                    wrong.append((who, method, url, answer and answer.status))

    assert wrong == []
    assert asked >= (100 if all_of_them else 10) * len(rules(app))


Holds = Callable[[TestResponse | None], bool]


def told(app: Flask, rule: Rule, method: str, taken: bool, who: str, anonymous_reading: bool) -> Holds:
    """What must be true of the answer; None stands for the view."""
    if not taken:
        return lambda answer: answer is not None and answer.status_code == 405
    endpoint = app.url_map.bind("localhost").match(address(app, rule), method=method)[0]
    access: Access = app.view_functions[endpoint].access  # type: ignore[attr-defined]
    if may(access, who, anonymous_reading=anonymous_reading):
        if method == "OPTIONS":  # answered by Flask for the view
            return lambda answer: answer is not None and answer.status_code == 200
        return lambda answer: answer is None
    if role_of(who):
        return lambda answer: answer is not None and answer.status_code == 403
    if method in ("GET", "HEAD") and not rule.rule.endswith((".json", ".atom", ".xml")):
        return lambda answer: answer is not None and goes_to_sign_in(answer)
    return lambda answer: answer is not None and answer.status_code in (401, 303)


def goes_to_sign_in(answer: TestResponse) -> bool:
    return answer.status_code == 303 and answer.headers["Location"].startswith("/login")


# --- forged changes ---------------------------------------------------------------------------------------------


def forged(app: Flask, client: FlaskClient) -> Iterator[tuple[str, dict[str, Any]]]:
    """Ways in which another site, or a script, may try to have a form sent in somebody's name."""
    strangers = csrf(app.test_client())
    with client.session_transaction() as session:
        session["csrf_token"] = "1" * 40
    yield "without a token", {"data": {"a": "b"}}
    yield "nothing at all", {}
    yield "an empty token", {"data": {"csrf_token": ""}}
    yield "a wrong token", {"data": {"csrf_token": "x.y.z"}}
    yield "another browser's token", {"data": {"csrf_token": strangers}}
    yield "another browser's token in a header", {"headers": {"X-CSRFToken": strangers}}
    yield "JSON", {"json": {"a": "b"}}
    yield "JSON with another browser's token", {"json": {"csrf_token": strangers}}
    yield "plain text", {"data": '{"a":"b"}', "content_type": "text/plain"}
    yield "files", {"data": {"a": "b"}, "content_type": "multipart/form-data"}
    yield "another site", {"data": {"a": "b"}, "headers": {"Origin": "https://evil.example"}}


def changing(app: Flask) -> list[Rule]:
    return [rule for rule in rules(app) if {"POST", "PUT", "PATCH", "DELETE"} & set(rule.methods or ())]


def test_no_change_is_made_without_a_token_of_this_browsers_own(reached: Reached) -> None:
    """The views are never reached, so nothing can be changed."""
    app = reached.app
    everybody = {
        who: client for who, client in people(app).items() if who in ("admin", "anonymous", "editor")
    }
    passed = []
    for rule in changing(app):
        for who, client in everybody.items():
            for how, sent in forged(app, client):
                answer = reached.by(client, address(app, rule), "POST", **sent)
                if answer is None or answer.status_code not in (400, 401, 303, 403):
                    passed.append((who, rule.rule, how, answer and answer.status))

    assert passed == []


def test_the_token_of_this_browsers_own_is_taken(reached: Reached) -> None:
    admin = people(reached.app)["admin"]
    for rule in changing(reached.app):
        access: Access = reached.app.view_functions[rule.endpoint].access  # type: ignore[attr-defined]
        if may(access, "admin", anonymous_reading=False):
            url = address(reached.app, rule)
            assert reached.by(admin, url, "POST", data={"csrf_token": csrf(admin)}) is None, rule.rule


def test_no_change_is_made_by_getting_a_page_or_by_another_name_of_a_method(reached: Reached) -> None:
    """By GET a view that changes is not reached, whatever the request calls itself."""
    app = reached.app
    admin = people(app)["admin"]
    posts = {rule.endpoint for rule in changing(app)}
    both = {rule.endpoint for rule in rules(app) if "GET" in (rule.methods or ())} & posts
    for rule in changing(app):
        url = address(app, rule)
        token = csrf(admin)
        for sent in (
            {"headers": {"X-HTTP-Method-Override": "POST", "X-CSRFToken": token}},
            {
                "headers": {"X-Method-Override": "POST"},
                "query_string": {"_method": "POST", "csrf_token": token},
            },
        ):
            reached.by(admin, url, "GET", **sent)
            assert set(reached.calls) & posts <= both, rule.rule


def test_a_view_takes_either_pages_or_changes(app: Flask) -> None:
    """So that no page that is only looked at shares the code of one that changes."""
    both = [
        rule.rule
        for rule in rules(app)
        if {"GET", "POST"} <= set(rule.methods or ()) and rule.endpoint != "static"
    ]

    assert both == []


# --- the views themselves ---------------------------------------------------------------------------------------


def test_a_guessed_id_is_not_there_for_those_who_may_use_the_page(app: Flask) -> None:
    """404 for a page of what does not exist, read or changed: never 403, never a failure."""
    everybody = {role: signed_in(app, role) for role in ROLES}
    wrong = []
    for rule in rules(app):
        if not rule.arguments or rule.endpoint == "static":
            continue
        access: Access = app.view_functions[rule.endpoint].access  # type: ignore[attr-defined]
        who = next(role for role in ROLES if may(access, role, anonymous_reading=True))
        client, url = everybody[who], address(app, rule, 1)
        for method in sorted({"GET", "POST"} & set(rule.methods or ())):
            data = {"csrf_token": csrf(client)} if method == "POST" else None
            status = client.open(url, method=method, data=data, buffered=True).status_code
            if status != 404:
                wrong.append((who, method, url, status))

    assert wrong == []


@pytest.mark.parametrize("everyone", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_every_page_is_shown_to_those_who_may_see_it(app: Flask, everyone: bool) -> None:
    """No page fails, and none refuses whom its route admits: of those one, or everyone."""
    everybody = {**{role: signed_in(app, role) for role in ROLES[::-1]}, "anonymous": app.test_client()}
    wrong = []
    for rule in rules(app):
        if "GET" not in (rule.methods or ()):
            continue
        access: Access = app.view_functions[rule.endpoint].access  # type: ignore[attr-defined]
        admitted = [who for who in everybody if may(access, who, anonymous_reading=True)]
        for who in admitted if everyone else admitted[:1]:
            response = everybody[who].get(address(app, rule), buffered=True)
            if response.status_code in (401, 403) or response.status_code >= 500:
                wrong.append((who, rule.rule, response.status_code))

    assert wrong == []
