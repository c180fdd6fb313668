from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from kb import accounts
from kb.config import Settings
from kb.model import Actor
from kb.store import api_tokens, moments, own_data, tables, users
from kb.store.db import reading, writing
from kb.web import create_app
from kb.web.access import Access
from kb.web.library import library_of
from tests.web.asking_api import bearer, token_of, with_topics
from tests.web.people import post, signed_in
from tests.web.test_matrix import address, rules
from tests.web.test_me import PASSWORD, id_of, person

URL = "/api/v1/articles/1"


@pytest.fixture(scope="module")
def closed(library_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """A library that only people who signed in may read."""
    settings = with_topics(library_settings, tmp_path_factory.mktemp("tokens") / "data")
    return create_app(settings.model_copy(update={"anonymous_reading": False}))


def ask(app: Flask, token: str, url: str = URL, method: str = "GET") -> tuple[int, str]:
    """The status, and the key of what is refused."""
    answer = app.test_client().open(url, method=method, headers=bearer(token))
    return answer.status_code, answer.get_json()["key"] if answer.status_code >= 400 else ""


def made(client: FlaskClient, **typed: str) -> str:
    """A token made at the page."""
    answer = post(client, "/me/tokens", {"name": "周报脚本", "days": "90", "password": PASSWORD, **typed})
    found = re.search(r"kb_[\w-]{43}", answer.text)
    assert found, answer.text
    return found[0]


def actions(app: Flask) -> list[tuple[str, str]]:
    with reading(library_of(app).database) as connection:
        return [
            (row.action, row.outcome)
            for row in connection.execute(select(tables.audit).order_by(tables.audit.c.seq))
        ]


# --- at the page ----------------------------------------------------------------------------------------------------


def test_a_token_is_shown_once_stored_as_its_hash_and_reads_until_it_is_taken_back(closed: Flask) -> None:
    client = person(closed, "token-maker")
    token = made(client)
    listed = client.get("/me/tokens").text
    with reading(library_of(closed).database) as connection:
        dumped = str(connection.execute(select(tables.api_tokens)).all())
        (line,) = api_tokens.of_user(connection, id_of(closed, "token-maker"))

    assert ask(closed, token) == (200, "")
    assert "周报脚本" in listed and token not in listed and token not in dumped and token[3:] not in dumped
    assert ("token.made", "ok") in actions(closed) and token not in str(actions(closed))
    with reading(library_of(closed).database) as connection:
        assert api_tokens.of_user(connection, id_of(closed, "token-maker"))[0].seen_at is not None
    assert post(client, f"/me/tokens/{line.id}/delete").status_code == 303
    assert ask(closed, token) == (401, "access.token_refused")
    assert actions(closed)[-1] == ("token.taken_back", "ok")


def test_without_the_password_no_token_is_made(closed: Flask) -> None:
    client = person(closed, "token-thief")
    refused = post(client, "/me/tokens", {"name": "x", "days": "30", "password": "不是这个密码呀2026"})

    assert refused.status_code == 400 and "kb_" not in refused.text
    assert actions(closed)[-1] == ("token.made", "failed")


@pytest.mark.parametrize(
    ("typed", "key"), [({"name": " "}, "token.bad_name"), ({"name": "长" * 81}, "token.bad_name"), ({"days": "9"}, "token.bad_days")]
)  # fmt: skip
def test_what_is_typed_wrongly_makes_no_token_and_stays(
    closed: Flask, typed: dict[str, str], key: str
) -> None:
    client = person(closed, "token-typist")
    answer = post(client, "/me/tokens", {"name": "名", "days": "30", "password": PASSWORD, **typed})

    assert answer.status_code == 400 and 'role="alert"' in answer.text
    with reading(library_of(closed).database) as connection:
        assert api_tokens.of_user(connection, id_of(closed, "token-typist")) == []


def test_nobody_takes_back_the_token_of_another(closed: Flask) -> None:
    owner, other = person(closed, "token-owner"), person(closed, "token-other")
    token = made(owner)
    with reading(library_of(closed).database) as connection:
        (line,) = api_tokens.of_user(connection, id_of(closed, "token-owner"))

    assert post(other, f"/me/tokens/{line.id}/delete").status_code == 404
    assert ask(closed, token) == (200, "")


def test_a_person_has_so_many_tokens_at_most(closed: Flask) -> None:
    for _ in range(api_tokens.MOST):
        token_of(closed, name="token-hoarder")
    with pytest.raises(Exception, match=r"20"):
        token_of(closed, name="token-hoarder")


def test_tokens_are_among_what_is_stored_about_a_person_without_what_they_are(closed: Flask) -> None:
    made(person(closed, "token-asker"))
    with reading(library_of(closed).database) as connection:
        user = users.by_name(connection, "token-asker")
        assert user is not None
        (mine,) = own_data.of_user(connection, user)["api_tokens"]

    assert mine["name"] == "周报脚本" and "token_hash" not in mine


# --- what it opens --------------------------------------------------------------------------------------------------


def test_a_token_reads_what_readers_read_and_opens_nothing_else(closed: Flask) -> None:
    """Every route, by every method, with the token of an administrator."""
    token = token_of(closed, "admin")
    wrong = []
    for rule in rules(closed):
        access: Access = closed.view_functions[rule.endpoint].access  # type: ignore[attr-defined]
        url = address(closed, rule)
        for method in sorted({"GET", "POST"} & set(rule.methods or ())):
            answer = closed.test_client().open(url, method=method, headers=bearer(token), buffered=True)
            if access.who == "public" or method == "POST":
                good = answer.status_code < 500 and (method == "GET" or answer.status_code in (400, 401, 403))
            elif access.who == "readers":
                good = answer.status_code not in (401, 403) and "/login" not in answer.headers.get(
                    "Location", ""
                )
            else:
                good = answer.status_code == 403
            if not good:
                wrong.append((method, rule.rule, access.who, answer.status))

    assert wrong == []


def test_a_change_is_refused_also_with_the_token_of_a_form(closed: Flask) -> None:
    client = signed_in(closed, "admin", name="token-admin")
    token = token_of(closed, "admin", name="token-admin")
    answer = post(client, "/admin/units", {"name": "不该有的单位"}, headers=bearer(token))

    assert answer.status_code == 403
    with reading(library_of(closed).database) as connection:
        assert "不该有的单位" not in connection.scalars(select(tables.units.c.name)).all()


def test_a_token_counts_and_not_the_cookie_beside_it(closed: Flask) -> None:
    client = signed_in(closed, "admin")

    assert client.get(URL).status_code == 200
    assert client.get(URL, headers=bearer("kb_" + "x" * 43)).status_code == 401


@pytest.mark.parametrize("token", ["kb_", "kb_" + "x" * 43, "x", "", "kb_字", "kb_\x00", "kb_" + "x" * 5000])
def test_a_token_that_is_none_is_refused_also_where_nobody_need_sign_in(app: Flask, token: str) -> None:
    answer = app.test_client().get(
        URL, headers={"Authorization": f"Bearer {token}".encode().decode("latin-1")}
    )

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="kb", error="invalid_token"'


@pytest.mark.parametrize("sent", ["Basic eDp5", "Digest x", "Bearer", "x", ""])
def test_what_proxies_have_people_send_in_that_header_is_no_token(app: Flask, sent: str) -> None:
    client = app.test_client()

    assert client.get("/a/1", headers={"Authorization": sent}).status_code == 200
    assert client.get("/a/1", headers={"Authorization": "Bearer of-the-proxy"}).status_code == 200


def test_without_a_token_a_script_is_told_to_bring_one(closed: Flask) -> None:
    answer = closed.test_client().get(URL)

    assert answer.status_code == 401 and answer.get_json()["key"] == "access.sign_in_needed"
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="kb"'


def test_what_a_script_was_given_it_may_keep_and_no_proxy(closed: Flask) -> None:
    client, headers = closed.test_client(), bearer(token_of(closed))
    first = client.get(URL, headers=headers)
    again = client.get(URL, headers={**headers, "If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "private, no-cache" and "Set-Cookie" not in first.headers
    assert again.status_code == 304
    assert client.get(URL, headers={"If-None-Match": first.headers["ETag"]}).status_code == 401


# --- how long it holds ----------------------------------------------------------------------------------------------


def test_a_token_ends_with_its_time_its_owners_lock_and_its_owner(closed: Flask) -> None:
    database, actor = library_of(closed).database, Actor("test")
    over = token_of(closed, name="token-late", good_for=timedelta(seconds=0))
    ending = token_of(closed, name="token-late", good_for=timedelta(days=1))
    locked, deleted = token_of(closed, name="token-locked"), token_of(closed, name="token-gone")
    assert [ask(closed, one)[0] for one in (ending, locked, deleted)] == [200, 200, 200]
    with writing(database) as connection:
        late = users.by_name(connection, "token-late")
        assert late is not None
        mine = tables.api_tokens.c.user_id == late.id
        connection.execute(update(tables.api_tokens).where(mine).values(expires_at=moments.now()))
        accounts.lock(connection, actor, id_of(closed, "token-locked"))
        accounts.delete_user(connection, actor, id_of(closed, "token-gone"))

    refused = (401, "access.token_refused")
    assert [ask(closed, one) for one in (over, ending, locked, deleted)] == [refused] * 4
    with writing(database) as connection:
        accounts.unlock(connection, actor, id_of(closed, "token-locked"))
    assert ask(closed, locked) == (200, "")


def test_the_role_and_units_of_a_token_are_those_of_its_owner_at_that_moment(closed: Flask) -> None:
    token = token_of(closed, "editor", name="token-moved")
    with writing(library_of(closed).database) as connection:
        connection.execute(
            update(tables.users).where(tables.users.c.name == "token-moved").values(must_change=True)
        )

    assert ask(closed, token) == (403, "access.password_due")


def test_another_password_takes_every_token_back(closed: Flask) -> None:
    token = token_of(closed, name="reset")
    library = library_of(closed)
    with writing(library.database) as connection:
        user = users.by_name(connection, "reset")
        accounts.set_password(
            connection, Actor("admin"), library.settings, user.id, "第七座石桥旁的磨坊", must_change=False
        )

    assert ask(closed, token)[0] == 401
