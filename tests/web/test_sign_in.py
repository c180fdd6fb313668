"""Signing in and out through the pages: cookies, delays, the way back, the first administrator, one's password."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from werkzeug.test import TestResponse

from kb import accounts, config, signing_in
from kb.config import Settings
from kb.errors import AccountError, StoreError
from kb.model import Actor, Role
from kb.signing_in import Attempt
from kb.store import moments, passwords, tables, users
from kb.store.db import connect, writing
from kb.web import create_app, visitor
from kb.web.forms import safe_next, this_page
from kb.web.library import EXTENSION, Library
from tests.making import FOR_TESTS, PASSWORD
from tests.web.people import post, signed_in

CLERK = Actor("cli:test")
NEW = "河对岸的第四棵槐树"
WRONG = "不是这一个密码"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An application of this module's own: nothing stored, no index."""
    settings = Settings(data=tmp_path_factory.mktemp("accounts") / "data", **FOR_TESTS)
    config.prepare_data(settings)
    return create_app(settings)


@pytest.fixture
def site(made: Flask) -> Iterator[Flask]:
    """The same, with nobody in it and no settings but the usual ones."""
    library: Library = made.extensions[EXTENSION]
    yield made
    made.extensions[EXTENSION] = library
    with writing(library.database) as connection:
        for table in (tables.users, tables.guesses, tables.one_time_tokens):
            connection.execute(delete(table))


def library(site: Flask) -> Library:
    found: Library = site.extensions[EXTENSION]
    return found


def set_up(site: Flask, **values: Any) -> None:
    """Change settings."""
    from dataclasses import replace

    changed = library(site).settings.model_copy(update=values)
    site.extensions[EXTENSION] = replace(library(site), settings=changed)


def person(site: Flask, name: str = "zhangsan", role: Role = "reader", *, must_change: bool = False) -> int:
    with writing(library(site).database) as connection:
        given: dict[str, Any] = {"full_name": "张三", "role": role, "password": PASSWORD}
        settings = library(site).settings
        return accounts.add_user(connection, CLERK, settings, name=name, must_change=must_change, **given)


def enter(client: FlaskClient, name: str = "zhangsan", password: str = PASSWORD, **more: Any) -> TestResponse:
    return post(client, "/login", {"name": name, "password": password} | more)


def known(site: Flask) -> FlaskClient:
    """A browser in which Zhang San signed in before."""
    client = site.test_client()
    assert enter(client).status_code == 303
    post(client, "/logout")
    return client


def is_in(client: FlaskClient) -> bool:
    return client.get("/password").status_code == 200


def cookies(response: TestResponse) -> dict[str, str]:
    return {line.split("=")[0]: line for line in response.headers.getlist("Set-Cookie")}


def pass_time(site: Flask, **by: float) -> None:
    """As if so much time had gone by since everything that happened: it is all longer ago."""
    ago = timedelta(**by)
    with writing(library(site).database) as connection:
        for row in connection.execute(select(tables.guesses)).all():
            earlier = {
                name: (datetime.fromisoformat(value) - ago).isoformat()
                for name, value in (("last_at", row.last_at), ("locked_until", row.locked_until))
            }
            same = tables.guesses.c.bucket == row.bucket
            connection.execute(update(tables.guesses).where(same).values(earlier))
        for line in connection.execute(select(tables.sign_ins)).all():
            moved = {name: _back(getattr(line, name), ago) for name in ("created_at", "seen_at")}
            connection.execute(update(tables.sign_ins).where(tables.sign_ins.c.id == line.id).values(moved))


def _back(text: str, ago: timedelta) -> str:
    return (datetime.strptime(text, moments.SECOND).replace(tzinfo=UTC) - ago).strftime(moments.SECOND)


def recorded(site: Flask, action: str) -> list[tuple[str, str, str, str]]:
    columns = (tables.audit.c.actor, tables.audit.c.object, tables.audit.c.outcome, tables.audit.c.detail)
    with library(site).database.connect() as connection:
        wanted = select(*columns).where(tables.audit.c.action == action).order_by(tables.audit.c.seq)
        return [tuple(row) for row in connection.execute(wanted)]


# --- in and out -------------------------------------------------------------------------------------------------


def test_a_person_signs_in_and_out(site: Flask) -> None:
    person(site)
    client = site.test_client()
    form = client.get("/login")
    answer = enter(client)

    assert (form.status_code, "no-store" in form.headers["Cache-Control"]) == (200, True)
    assert (answer.status_code, answer.location) == (303, "/")
    assert is_in(client)
    assert client.get("/login").location == "/"
    out = post(client, "/logout")
    assert (out.status_code, is_in(client)) == (303, False)
    assert recorded(site, "sign_in.begun")[-1][:3] == ("zhangsan", "user:zhangsan", "ok")
    assert recorded(site, "sign_in.ended")[-1][:3] == ("zhangsan", "user:zhangsan", "ok")


@pytest.mark.parametrize(("tls", "prefix", "secure"), [(False, "", False), (True, "__Host-", True)])
def test_the_cookies_are_for_this_server_and_no_script(
    site: Flask, tls: bool, prefix: str, secure: bool
) -> None:
    person(site)
    set_up(site, tls=tls)
    sent = cookies(enter(site.test_client()))

    for name in (f"{prefix}sign_in", f"{prefix}device"):
        assert "HttpOnly" in sent[name] and "SameSite=Lax" in sent[name] and "Path=/" in sent[name]
        assert ("Secure" in sent[name]) == secure and "Domain" not in sent[name]


def test_a_token_is_stored_as_its_hash_alone(site: Flask) -> None:
    person(site)
    sent = cookies(enter(site.test_client()))
    tokens = [sent[name].split(";")[0].split("=", 1)[1] for name in ("sign_in", "device")]

    assert all(len(token) >= 43 for token in tokens)
    stored = (
        library(site).settings.database.read_bytes()
        + Path(f"{library(site).settings.database}-wal").read_bytes()
    )
    assert not any(token.encode() in stored for token in tokens)


def test_every_sign_in_has_a_token_and_a_session_of_its_own(site: Flask) -> None:
    person(site)
    client = site.test_client()
    client.set_cookie("sign_in", "put-there-by-somebody-else")
    client.set_cookie("device", "put-there-too")
    with client.session_transaction() as session:
        session["planted"] = "yes"
    first = cookies(enter(client))
    before = client.get_cookie("sign_in")
    second = cookies(enter(client))
    with client.session_transaction() as session:
        left = dict(session)

    assert first["sign_in"] != second["sign_in"] and "put-there" not in first["sign_in"] + first["device"]
    assert "planted" not in left
    old = site.test_client()
    old.set_cookie("sign_in", before.value if before else "")
    assert not is_in(old)


def test_a_sign_in_needs_the_token_of_its_form(site: Flask) -> None:
    person(site)
    answer = site.test_client().post("/login", data={"name": "zhangsan", "password": PASSWORD})

    assert answer.status_code == 400


def test_a_wrong_password_keeps_the_name_that_was_typed_and_never_the_password(site: Flask) -> None:
    person(site)
    answer = enter(site.test_client(), "ZhangSan", WRONG)

    assert answer.status_code == 401
    assert 'value="ZhangSan"' in answer.text and WRONG not in answer.text
    assert "账号名或密码不对" in answer.text


# --- what ends a sign-in ----------------------------------------------------------------------------------------


def test_a_sign_in_ends_when_it_is_not_used_and_says_so_on_the_way_back(site: Flask) -> None:
    person(site)
    client = site.test_client()
    enter(client)
    pass_time(site, hours=7.9)
    held = is_in(client)
    pass_time(site, hours=8.1)
    away = client.get("/password?x=1")
    form = client.get(away.location)
    back = enter(client, next=re.search(r'name="next" value="([^"]*)"', form.text)[1])  # type: ignore[index]

    assert held
    assert (away.status_code, away.location) == (303, "/login?next=/password?x%3D1")
    assert "登录已过期" in form.text
    assert back.location == "/password?x=1"


def test_a_sign_in_ends_however_much_it_is_used(site: Flask) -> None:
    person(site)
    client = site.test_client()
    enter(client)
    for _ in range(27):
        pass_time(site, hours=6)
        assert is_in(client)
    pass_time(site, hours=6)

    assert not is_in(client)


def test_under_dengbao2_half_an_hour_without_use_ends_a_sign_in(site: Flask) -> None:
    person(site)
    client = site.test_client()
    enter(client)
    set_up(site, password_policy="dengbao2")
    pass_time(site, minutes=29)
    held = is_in(client)
    pass_time(site, minutes=31)

    assert held and not is_in(client)


def test_a_clock_that_was_set_back_lengthens_no_sign_in(site: Flask) -> None:
    person(site)
    one, other = site.test_client(), site.test_client()
    enter(one)
    pass_time(site, hours=9)
    enter(other)  # which ends those that are over
    pass_time(site, hours=-9)

    assert not is_in(one)
    assert not is_in(other)  # last used in what is now the future: nobody knows how long ago


def test_a_use_is_noted_once_a_minute(site: Flask) -> None:
    person(site)
    client = site.test_client()
    enter(client)

    def noted() -> str:
        with library(site).database.connect() as connection:
            return str(connection.scalar(select(tables.sign_ins.c.seen_at)))

    pass_time(site, seconds=50)
    first = noted()
    is_in(client)
    second = noted()
    pass_time(site, seconds=20)
    is_in(client)

    assert first == second < noted()


def test_a_disk_that_is_full_keeps_nobody_from_reading(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    person(site)
    client = site.test_client()
    enter(client)
    pass_time(site, seconds=90)

    def full(_database: object, **_how: object) -> object:
        raise StoreError("store.unwritable", path="kb.sqlite3", reason="disk full")

    monkeypatch.setattr(visitor, "writing", full)

    assert client.get("/password").status_code == 200


def test_another_writer_keeps_nobody_from_reading(site: Flask) -> None:
    person(site)
    client = site.test_client()
    enter(client)
    pass_time(site, seconds=90)

    with held(site):
        begin = monotonic()
        answer = client.get("/password")
        took = monotonic() - begin

    assert (answer.status_code, took < 2) == (200, True)


def test_who_signs_in_while_another_writes_on_and_on_is_asked_to_try_again(
    site: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    person(site)
    impatient = connect(library(site).settings.database, busy_seconds=0.05)
    monkeypatch.setitem(site.extensions, EXTENSION, replace(library(site), database=impatient))
    client = site.test_client()
    client.get("/login")

    with held(site):
        answer = enter(client)

    assert answer.status_code == 503 and answer.headers["Retry-After"] == "5"
    assert "资料库正忙" in answer.text and "请稍后再试" in answer.text
    assert enter(client).status_code == 303
    impatient.dispose()


@contextmanager
def held(site: Flask) -> Iterator[None]:
    """Somebody else has the write lock."""
    with closing(sqlite3.connect(library(site).settings.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@pytest.mark.parametrize("how", ["lock", "role", "password", "delete"])
def test_what_an_administrator_does_ends_the_sign_ins_at_once(site: Flask, how: str) -> None:
    user_id = person(site)
    client = site.test_client()
    enter(client)
    with writing(library(site).database) as connection:
        if how == "lock":
            accounts.lock(connection, CLERK, user_id)
        elif how == "role":
            given: dict[str, Any] = {"full_name": "张三", "role": "editor", "units": ()}
            accounts.change_user(connection, CLERK, user_id, **given)
        elif how == "password":
            accounts.set_password(connection, CLERK, library(site).settings, user_id, NEW, must_change=True)
        else:
            accounts.delete_user(connection, CLERK, user_id)

    assert not is_in(client)


def test_a_locked_account_says_so_to_whoever_has_its_password_alone(site: Flask) -> None:
    user_id = person(site)
    with writing(library(site).database) as connection:
        accounts.lock(connection, CLERK, user_id)
    right, wrong = enter(site.test_client()), enter(site.test_client(), password=WRONG)

    assert (right.status_code, wrong.status_code) == (403, 401)
    assert "锁定" in right.text and "锁定" not in wrong.text


# --- guessing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [50, pytest.param(500, marks=pytest.mark.slow)])
def test_hundreds_of_guesses_reach_few_passwords(
    site: Flask, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    person(site)
    looked = count_hashes(monkeypatch)
    keys = []
    for number in range(times):
        attempt = Attempt("zhangsan", f"guess number {number}", "127.0.0.1", "", "")
        with pytest.raises(AccountError) as caught:
            signing_in.enter(library(site).database, library(site).settings, attempt)
        keys.append(caught.value.key)

    assert keys[:5] == ["account.sign_in_failed"] * 5 and set(keys[5:]) == {"account.wait"}
    assert looked == [5]
    outcomes = [outcome for _, target, outcome, _ in recorded(site, "sign_in.failed")[-times:]]
    assert (outcomes.count("failed"), outcomes.count("refused")) == (5, times - 5)


def test_guesses_at_the_same_time_reach_no_more(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    person(site)
    looked = count_hashes(monkeypatch)

    def guess(number: int) -> str:
        attempt = Attempt("zhangsan", f"guess number {number}", "127.0.0.1", "", "")
        with pytest.raises(AccountError) as caught:
            signing_in.enter(library(site).database, library(site).settings, attempt)
        return caught.value.key

    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(guess, range(24)))

    assert keys.count("account.sign_in_failed") == looked[0] == 5


@pytest.mark.parametrize("how", ["lock", "password", "delete"])
def test_what_happens_to_an_account_while_its_password_is_looked_at_counts(
    site: Flask, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    user_id = person(site)
    holds = passwords.holds

    def meanwhile(*given: Any) -> bool:
        monkeypatch.setattr(passwords, "holds", holds)
        with writing(library(site).database) as connection:
            if how == "lock":
                accounts.lock(connection, CLERK, user_id)
            elif how == "password":
                accounts.set_password(
                    connection, CLERK, library(site).settings, user_id, NEW, must_change=True
                )
            else:
                accounts.delete_user(connection, CLERK, user_id)
        return holds(*given)

    monkeypatch.setattr(passwords, "holds", meanwhile)
    client = site.test_client()

    assert enter(client).status_code == (403 if how == "lock" else 401)
    assert not is_in(client)


def test_the_right_password_waits_too(site: Flask) -> None:
    person(site)
    for _ in range(5):
        enter(site.test_client(), password=WRONG)
    answer = enter(site.test_client())

    assert answer.status_code == 429
    assert 25 <= int(answer.headers["Retry-After"]) <= 30
    assert re.search(r"请在 \d\d:\d\d:\d\d 以后再试", answer.text)
    pass_time(site, seconds=31)
    assert enter(site.test_client()).status_code == 303


def test_the_wait_grows_to_an_hour(site: Flask) -> None:
    person(site)
    waits = []
    for _ in range(5):
        enter(site.test_client(), password=WRONG)
    for _ in range(8):
        waits.append(int(enter(site.test_client(), password=WRONG).headers["Retry-After"]))
        pass_time(site, seconds=waits[-1] + 1)
        enter(site.test_client(), password=WRONG)

    assert [round(seconds / 30) for seconds in waits] == [1, 2, 4, 8, 16, 32, 64, 120]


def test_dengbao2_keeps_everybody_out_for_half_an_hour_after_each_five(site: Flask) -> None:
    person(site)
    set_up(site, password_policy="dengbao2")
    for _ in range(2):
        statuses = [enter(site.test_client(), password=WRONG).status_code for _ in range(6)]
        assert statuses == [401] * 5 + [429]
        pass_time(site, minutes=29)
        assert enter(site.test_client()).status_code == 429
        pass_time(site, minutes=2)

    assert enter(site.test_client()).status_code == 303


@pytest.mark.parametrize("policy", ["asvs", "dengbao2"])
def test_a_stranger_does_not_lock_out_a_persons_own_device(site: Flask, policy: str) -> None:
    person(site)
    own = known(site)
    set_up(site, password_policy=policy)
    for _ in range(3):
        pass_time(site, minutes=61)
        for _ in range(6):
            enter(site.test_client(), password=WRONG)

    assert enter(site.test_client()).status_code == 429
    assert enter(own).status_code == 303


def test_a_known_device_is_counted_for_itself(site: Flask) -> None:
    person(site)
    own = known(site)
    statuses = [enter(own, password=WRONG).status_code for _ in range(6)]

    assert statuses == [401] * 5 + [429]
    assert enter(site.test_client()).status_code == 303


def test_a_device_is_known_for_its_own_person(site: Flask) -> None:
    person(site)
    person(site, "lisi")
    own = known(site)
    for _ in range(5):
        enter(site.test_client(), "lisi", WRONG)

    assert enter(own, "lisi").status_code == 429


def test_an_unlocked_account_lets_in_at_once(site: Flask) -> None:
    user_id = person(site)
    for _ in range(5):
        enter(site.test_client(), password=WRONG)
    with writing(library(site).database) as connection:
        accounts.unlock(connection, CLERK, user_id)

    assert enter(site.test_client()).status_code == 303


def test_one_address_cannot_try_name_after_name(site: Flask) -> None:
    person(site)
    statuses = [enter(site.test_client(), f"name{number}", WRONG).status_code for number in range(52)]

    assert statuses == [401] * 50 + [429] * 2
    elsewhere = site.test_client()
    answer = post(
        elsewhere,
        "/login",
        {"name": "zhangsan", "password": PASSWORD},
        environ_base={"REMOTE_ADDR": "10.9.9.9"},
    )
    assert answer.status_code == 303


def test_a_clock_that_was_set_back_lengthens_no_wait(site: Flask) -> None:
    person(site)
    for _ in range(5):
        enter(site.test_client(), password=WRONG)
    pass_time(site, days=-1)  # everything happened tomorrow
    answer = enter(site.test_client())

    assert (answer.status_code, int(answer.headers["Retry-After"]) <= 30) == (429, True)
    pass_time(site, seconds=31)
    assert enter(site.test_client()).status_code == 303


def test_unknown_names_behave_as_known_ones_do(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    person(site)
    looked = count_hashes(monkeypatch)
    told = {}
    for name in ("zhangsan", "nobody1x"):
        answers = [enter(site.test_client(), name, WRONG) for _ in range(7)]
        told[name] = [
            (answer.status_code, plain(answer.text.replace(name, "")), sorted(cookies(answer)))
            for answer in answers
        ]
        looked.append(0)

    assert told["zhangsan"] == told["nobody1x"]
    assert looked[:2] == [5, 5]


def plain(page: str) -> str:
    """A page without what differs each time: tokens and times."""
    return re.sub(r'(?<=name="csrf_token" value=")[^"]+|\d+', "0", page)


def test_what_was_typed_as_a_name_is_recorded_only_when_it_is_one(site: Flask) -> None:
    person(site)
    enter(site.test_client(), "zhangsan", WRONG)
    enter(site.test_client(), "my-secret-by-mistake", WRONG)

    assert [line[:3] for line in recorded(site, "sign_in.failed")[-2:]] == [
        ("", "user:zhangsan", "failed"),
        ("", "user:?", "failed"),
    ]
    assert "my-secret" not in str(recorded(site, "sign_in.failed"))


def test_a_password_is_hashed_anew_when_hashes_must_cost_more(site: Flask) -> None:
    user_id = person(site)
    set_up(site, password_memory_kib=64)

    def stored() -> str:
        with library(site).database.connect() as connection:
            kept = users.kept(connection, user_id)
            return kept.present if kept else ""

    assert "m=8," in stored() and enter(site.test_client()).status_code == 303
    assert "m=64," in stored() and enter(site.test_client()).status_code == 303
    set_up(site, password_memory_kib=8)
    assert enter(site.test_client()).status_code == 303 and "m=64," in stored()


def test_who_finds_no_turn_to_hash_is_told_and_has_not_tried(
    site: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    person(site)
    monkeypatch.setattr(passwords, "PATIENCE_SECONDS", 0.01)
    with passwords._turn(), passwords._turn():
        answers = [enter(site.test_client()) for _ in range(6)]

    assert {answer.status_code for answer in answers} == {503}
    assert "稍后再试" in answers[0].text and answers[0].headers["Retry-After"] == "5"
    assert enter(site.test_client()).status_code == 303


def test_nothing_is_hashed_while_the_store_is_locked_for_writing(
    site: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    person(site)
    client, admin = site.test_client(), signed_in(site, "admin")
    enter(client)
    busy: list[str] = []

    @contextmanager
    def free() -> Iterator[None]:
        with closing(
            sqlite3.connect(library(site).settings.database, timeout=0, isolation_level=None)
        ) as one:
            try:
                one.execute("BEGIN IMMEDIATE")
                one.execute("ROLLBACK")
            except sqlite3.OperationalError as error:
                busy.append(str(error))
        yield

    monkeypatch.setattr(passwords, "_turn", free)
    given = {"name": "wangwu", "full_name": "王五", "role": "reader", "password": PASSWORD}
    answers = [change(client), post(admin, "/admin/users/new", given)]
    user_id = answers[1].location.rpartition("/")[2]
    answers.append(post(admin, f"/admin/users/{user_id}/password", {"password": NEW}))

    assert [answer.status_code for answer in answers] == [303, 303, 303] and busy == []


def test_an_administrator_who_finds_no_turn_to_hash_is_asked_to_try_again(
    site: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = person(site)
    admin = signed_in(site, "admin")
    monkeypatch.setattr(passwords, "PATIENCE_SECONDS", 0.01)
    given = {"name": "wangwu", "full_name": "王五", "role": "reader", "password": PASSWORD}
    with passwords._turn(), passwords._turn():
        answers = [
            post(admin, "/admin/users/new", given),
            post(admin, f"/admin/users/{user_id}/password", {"password": NEW}),
        ]

    assert [(one.status_code, one.headers["Retry-After"]) for one in answers] == [(503, "5")] * 2


def count_hashes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many passwords are looked at, counted in the last item."""
    looked = [0]
    holds = passwords.holds

    def counted(*given: Any) -> bool:
        looked[-1] += 1
        return holds(*given)

    monkeypatch.setattr(passwords, "holds", counted)
    return looked


# --- one's password ---------------------------------------------------------------------------------------------


def change(
    client: FlaskClient, old: str = PASSWORD, new: str = NEW, again: str | None = None
) -> TestResponse:
    return post(client, "/password", {"old": old, "new": new, "again": new if again is None else again})


def test_a_person_changes_the_password_and_stays_signed_in_here_alone(site: Flask) -> None:
    person(site)
    here, there = site.test_client(), site.test_client()
    enter(here)
    enter(there)
    before = here.get_cookie("sign_in")
    answer = change(here)
    after = here.get_cookie("sign_in")

    assert answer.status_code == 303
    assert is_in(here) and not is_in(there)
    assert before and after and before.value != after.value
    assert enter(site.test_client(), password=NEW).status_code == 303
    assert enter(there).status_code == 401


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"old": WRONG}, "现在的密码不对"),
        ({"again": "another one"}, "不一样"),
        ({"new": "短"}, "太短"),
        ({"new": PASSWORD}, "正在用或最近用过"),
    ],
)
def test_a_change_that_cannot_be_says_why(site: Flask, given: dict[str, str], words: str) -> None:
    person(site)
    client = site.test_client()
    enter(client)
    answer = change(client, **given)

    assert answer.status_code == 400 and words in answer.text
    assert enter(site.test_client()).status_code == 303


def test_the_present_password_cannot_be_guessed_in_an_open_browser(site: Flask) -> None:
    person(site)
    client = site.test_client()
    enter(client)
    statuses = [change(client, old=f"{WRONG}{number}").status_code for number in range(7)]

    assert statuses == [400] * 5 + [429] * 2


@pytest.mark.parametrize("url", ["/", "/papers", "/search?q=党建"])
def test_whoever_must_change_the_password_does_that_first(site: Flask, url: str) -> None:
    person(site, must_change=True)
    client = site.test_client()
    enter(client)
    away = client.get(url)

    assert away.status_code == 303 and away.location.startswith("/password")
    assert client.get("/search.json?q=a").status_code == 403
    with client.get("/static/base.css") as sheet:
        assert sheet.status_code == client.get("/help").status_code == 200
    assert change(client).status_code == 303
    assert client.get(url).status_code in (200, 503)  # there is no index


def test_under_dengbao2_an_old_password_is_changed_first(site: Flask) -> None:
    person(site)
    client = site.test_client()
    enter(client)
    set_up(site, password_policy="dengbao2")
    with writing(library(site).database) as connection:
        connection.execute(update(tables.users).values(password_set_at="2020-01-01T00:00:00Z"))

    assert client.get("/").location == "/password"
    assert change(client, new="Kq7-w3mabz").status_code == 303
    assert client.get("/").status_code == 200


# --- who may not ------------------------------------------------------------------------------------------------


def test_without_anonymous_reading_a_page_leads_to_the_sign_in_and_back(site: Flask) -> None:
    person(site)
    set_up(site, anonymous_reading=False)
    client = site.test_client()
    away = client.get("/papers?x=党建")
    form = client.get(away.location)
    back = enter(client, next=re.search(r'name="next" value="([^"]*)"', form.text)[1])  # type: ignore[index]

    assert (away.status_code, form.status_code) == (303, 200)
    assert "登录已过期" not in form.text
    assert back.location == "/papers?x=%E5%85%9A%E5%BB%BA"
    assert client.get(back.location).status_code == 200


def test_a_script_is_told_that_it_needs_a_sign_in(site: Flask) -> None:
    set_up(site, anonymous_reading=False)
    client = site.test_client()
    fresh = client.get("/search.json?q=a")
    client.set_cookie("sign_in", "old")
    expired = client.get("/search.json?q=a")

    assert (fresh.status_code, fresh.json["key"]) == (401, "access.sign_in_needed")
    assert (expired.status_code, expired.json["key"]) == (401, "access.sign_in_expired")


def test_a_form_sent_after_the_sign_in_ended_leads_back_to_its_page(site: Flask) -> None:
    client = site.test_client()
    client.set_cookie("sign_in", "old")
    answer = post(client, "/logout", headers={"Referer": "http://localhost/papers?x=1"})
    foreign = post(client, "/logout", headers={"Referer": "http://evil.example/papers"})

    assert answer.status_code == foreign.status_code == 401
    assert "登录已过期" in answer.text
    assert '<a href="/login?next=/papers?x%3D1">' in answer.text
    assert '<a href="/login?next=/">' in foreign.text


# --- the first administrator ------------------------------------------------------------------------------------


def token_of(site: Flask) -> str:
    with writing(library(site).database) as connection:
        return accounts.first_token(connection) or ""


def test_the_first_administrator_comes_in_by_the_token(site: Flask) -> None:
    token = token_of(site)
    client = site.test_client()
    form = client.get(f"/first?token={token}")
    filled = {"token": token, "name": "Wang.Wu", "full_name": "王五", "new": NEW, "again": NEW}
    short = post(client, "/first", filled | {"new": "短", "again": "短"})
    differs = post(client, "/first", filled | {"again": "x"})
    answer = post(client, "/first", filled)

    assert form.status_code == 200 and token in form.text
    assert (short.status_code, differs.status_code) == (400, 400)
    assert 'value="Wang.Wu"' in short.text and 'value="王五"' in short.text
    assert answer.status_code == 303 and is_in(client)
    assert recorded(site, "user.added")[-1][:2] == ("wang.wu", "user:wang.wu")
    assert post(site.test_client(), "/first", filled | {"name": "second"}).status_code == 404
    assert site.test_client().get(f"/first?token={token}").status_code == 404


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "党"])
def test_no_other_token_makes_an_administrator(site: Flask, token: str) -> None:
    token_of(site)
    filled = {"token": token, "name": "wangwu", "full_name": "王五", "new": NEW, "again": NEW}

    assert site.test_client().get("/first", query_string={"token": token}).status_code == 404
    assert post(site.test_client(), "/first", filled).status_code == 404


# --- the way back -----------------------------------------------------------------------------------------------

HOSTILE = (
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "/%5cevil.example",
    "/%2fevil.example",
    "/%2f%2fevil.example",
    "%2f%2fevil.example",
    "https:evil.example",
    "https:/evil.example",
    "https://evil.example",
    "http:///evil.example",
    "HTTPS://EVIL.EXAMPLE",
    "ftp://evil.example",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\tscript:alert(1)",
    "\x01javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "evil.example",
    "@evil.example",
    "/@evil.example",
    "localhost@evil.example",
    "//localhost@evil.example",
    "//localhost:80@evil.example/papers",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    " //evil.example",
    " /papers",
    "\t//evil.example",
    "\x00//evil.example",
    "/%09/evil.example",
    "/papers%0d%0aSet-Cookie:x=y",
    "/papers?x=%0d%0aLocation:%20//evil.example",
    "/papers\r\nLocation: //evil.example",
    "／／evil.example",
    "/／evil.example",
    "/%EF%BC%8Fevil.example",
    "/%EF%BC%BCevil.example",
    "//evil。example",
    "/..//evil.example",
    "/.//evil.example",
    "/papers/..//..//evil.example",
    "/papers/%2e%2e//evil.example",
    "/papers\u2028//evil.example",
    "/%E2%80%AE/papers",
    "//[::1]",
    "//%65vil.example",
    "/\u200b/evil.example",
    "?next=//evil.example",
    "#//evil.example",
    "",
    "/no-such-page",
    "/logout",
    "/login",
    "/login?next=//evil.example",
    "/first?token=x",
    "/static/base.css",
    "/papers?" + "x" * 3000,
)


@pytest.mark.parametrize("target", HOSTILE)
def test_a_way_back_that_leads_elsewhere_is_not_taken(site: Flask, target: str) -> None:
    with site.test_request_context("/login"):
        assert safe_next(target) == "/"


def test_no_way_back_that_leads_elsewhere_survives_a_sign_in(site: Flask) -> None:
    person(site)
    client = site.test_client()
    locations = {enter(client, next=target).headers["Location"] for target in HOSTILE[::8]}
    asked = {client.get("/login", query_string={"next": target}).headers["Location"] for target in HOSTILE}

    assert locations == asked == {"/"}


@pytest.mark.parametrize(
    "target",
    ["/", "/papers", "/search?q=%E5%85%9A%E5%BB%BA&page=2", "/a/12", "/a/12#b0c0ffee0", "/search?q=a//b%5C"],
)
def test_a_page_of_kb_is_a_way_back(site: Flask, target: str) -> None:
    with site.test_request_context("/login"):
        assert safe_next(target) == target


@hypothesis.settings(max_examples=25)
@given(query=st.text(max_size=40))
def test_every_page_of_results_is_its_own_way_back(made: Flask, query: str) -> None:
    client = made.test_client()
    with client, made.test_request_context("/search", query_string={"q": query}):
        found = safe_next(this_page())

    assert found in ("/", this_page_of(made, query))


def this_page_of(made: Flask, query: str) -> str:
    with made.test_request_context("/search", query_string={"q": query}):
        return this_page()


@given(target=st.text(alphabet="/\\ .:@?#%0aA09fＦ／\t\r\n\u200bevil", max_size=24))
def test_whatever_is_given_the_way_back_stays_here(made: Flask, target: str) -> None:
    with made.test_request_context("/login"):
        found = safe_next(target)

    assert found.startswith("/") and not re.match(r"/[/\\]", found) and re.fullmatch(r"[!-~]+", found)


def test_the_roles_that_a_page_is_for_are_said_with_whom_to_ask(site: Flask) -> None:
    person(site, "wangwu", "admin")
    answer = signed_in(site, "reader").get("/admin")

    assert answer.status_code == 403
    assert (
        "没有权限" in answer.text
        and "需要的角色:资料员" in answer.text.replace("：", ":")
        and "张三" in answer.text
    )
