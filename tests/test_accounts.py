from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update
from sqlalchemy import Engine as Database

from kb import accounts
from kb.config import Settings
from kb.errors import AccountError
from kb.model import Actor
from kb.store import moments, passwords, policy, sign_ins, tables, users
from kb.store.db import reading, writing
from tests.making import PASSWORD

CLERK = Actor("cli:test")
OTHER = "河对岸的第四棵槐树"


def add(connection: Connection, settings: Settings, name: str = "zhangsan", **more: Any) -> int:
    given = {"full_name": "张三", "role": "reader", "password": PASSWORD} | more
    return accounts.add_user(connection, CLERK, settings, name=name, **given)


def recorded(connection: Connection) -> list[tuple[str, str]]:
    return [tuple(row) for row in connection.execute(select(tables.audit.c.action, tables.audit.c.object))]


# --- accounts ---------------------------------------------------------------------------------------------------


def test_an_account_is_stored_with_a_hash_and_recorded(database: Database, settings: Settings) -> None:
    with writing(database) as connection:
        connection.execute(insert(tables.units).values(name="办公室"))
        user_id = add(connection, settings, units=[1])
        user, kept = users.one(connection, user_id), users.kept(connection, user_id)
        detail = connection.scalar(select(tables.audit.c.detail))

        assert user and (user.name, user.full_name, user.role, user.must_change) == (
            "zhangsan",
            "张三",
            "reader",
            True,
        )
        assert user.units == {1}
        assert kept and kept.present.startswith("$argon2id$") and PASSWORD not in kept.present
        assert recorded(connection) == [("user.added", "user:zhangsan")]
        assert PASSWORD not in detail and "argon2" not in detail


@pytest.mark.parametrize("typed", ["ZhangSan", " zhangsan ", "ｚｈａｎｇｓａｎ"])
def test_a_name_is_one_however_it_is_typed(database: Database, settings: Settings, typed: str) -> None:
    with writing(database) as connection:
        user_id = add(connection, settings)

        assert accounts.named(connection, typed).id == user_id
        with pytest.raises(AccountError) as caught:
            add(connection, settings, typed)
        assert caught.value.key == "account.name_taken"


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"name": "x"}, "account.bad_name"),
        ({"name": "a" * 65}, "account.bad_name"),
        ({"name": "zhang san"}, "account.bad_name"),
        ({"name": "cli:kb"}, "account.bad_name"),
        ({"name": "a\nb"}, "account.bad_name"),
        ({"full_name": "  "}, "account.bad_full_name"),
        ({"full_name": "张\u202e三"}, "account.bad_full_name"),
        ({"full_name": "张" * 65}, "account.bad_full_name"),
        ({"role": "root"}, "account.bad_role"),
        ({"units": [7]}, "account.no_unit"),
        ({"password": "短"}, "account.password_short"),
    ],
)
def test_an_account_that_cannot_be_is_refused_with_its_reason(
    database: Database, settings: Settings, given: dict[str, Any], key: str
) -> None:
    with pytest.raises(AccountError) as caught, writing(database) as connection:
        add(connection, settings, **given)

    with reading(database) as connection:
        assert (caught.value.key, users.count(connection), recorded(connection)) == (key, 0, [])


def test_what_is_unknown_is_refused_by_name_and_by_number(database: Database, settings: Settings) -> None:
    with reading(database) as connection:
        for attempt in (
            lambda: accounts.named(connection, "nobody"),
            lambda: accounts.lock(connection, CLERK, 9),
        ):
            with pytest.raises(AccountError) as caught:
                attempt()
            assert caught.value.key == "account.unknown"


def test_a_lock_ends_the_sign_ins_and_keeps_the_person_out(database: Database, settings: Settings) -> None:
    with writing(database) as connection:
        user_id = add(connection, settings)
        token = sign_ins.begin(connection, user_id)
        accounts.lock(connection, CLERK, user_id)

        assert sign_ins.present(connection, token) is None
        accounts.unlock(connection, CLERK, user_id)
        assert sign_ins.present(connection, token) is None
        assert users.one(connection, user_id).locked_at is None  # type: ignore[union-attr]
        assert [action for action, _ in recorded(connection)] == [
            "user.added",
            "user.locked",
            "user.unlocked",
        ]


def test_another_role_ends_the_sign_ins_and_another_name_does_not(
    database: Database, settings: Settings
) -> None:
    with writing(database) as connection:
        user_id = add(connection, settings)
        token = sign_ins.begin(connection, user_id)
        accounts.change_user(connection, CLERK, user_id, full_name="张叁", role="reader", units=())
        holds = sign_ins.present(connection, token)
        accounts.change_user(connection, CLERK, user_id, full_name="张叁", role="editor", units=())

        assert holds and holds.user.full_name == "张叁"
        assert sign_ins.present(connection, token) is None
        assert users.one(connection, user_id).role == "editor"  # type: ignore[union-attr]


def test_the_last_administrator_who_can_sign_in_stays(database: Database, settings: Settings) -> None:
    with writing(database) as connection:
        last = add(connection, settings, role="admin")
        other = add(connection, settings, "lisi", role="admin")
        accounts.lock(connection, CLERK, other)
        for attempt in (
            lambda: accounts.lock(connection, CLERK, last),
            lambda: accounts.delete_user(connection, CLERK, last),
            lambda: accounts.change_user(connection, CLERK, last, full_name="张三", role="auditor", units=()),
        ):
            with pytest.raises(AccountError) as caught:
                attempt()
            assert caught.value.key == "account.last_admin"
        accounts.delete_user(connection, CLERK, other)

        assert [user.name for user in users.every(connection)] == ["zhangsan"]


def test_a_deleted_account_leaves_no_sign_in(database: Database, settings: Settings) -> None:
    with writing(database) as connection:
        user_id = add(connection, settings)
        token = sign_ins.begin(connection, user_id)
        accounts.delete_user(connection, CLERK, user_id)

        assert sign_ins.present(connection, token) is None
        assert recorded(connection)[-1] == ("user.deleted", "user:zhangsan")


# --- passwords --------------------------------------------------------------------------------------------------


def refused(settings: Settings, password: str, name: str = "zhangsan", full_name: str = "张三") -> str | None:
    try:
        accounts.check_password(settings, password, name=name, full_name=full_name)
    except AccountError as error:
        return error.key
    return None


@pytest.mark.parametrize(
    ("password", "key"),
    [
        ("kq7w3ma", "account.password_short"),
        ("kq7w3mab", None),
        ("只有小写没有数字", None),
        ("x" * 257, "account.password_long"),
        ("ab 1" * 64, None),
        ("password", "account.password_common"),
        ("PassWord123", "account.password_common"),
        ("ｐａｓｓｗｏｒｄ", "account.password_common"),
        ("aaaaaaaaaaaa", "account.password_common"),
        ("abababab", "account.password_common"),
        ("34567890", None),
        ("23456789", "account.password_common"),
        ("87654321", "account.password_common"),
        ("abcdefghij", "account.password_common"),
        ("ZhangSan", "account.password_is_name"),
        ("zhangsan2026", "account.password_is_name"),
        ("zhangsanzhangsan", "account.password_is_name"),
        ("张三12345678", "account.password_is_name"),
        ("zhangsan has a red kite", None),
    ],
)
def test_the_policy_by_default_asks_for_length_and_refuses_what_is_guessed_first(
    settings: Settings, password: str, key: str | None
) -> None:
    assert refused(settings, password) == key


@pytest.mark.parametrize(
    ("password", "key"),
    [
        ("Kq7-w3mab", "account.password_short"),
        ("Kq7-w3mabz", None),
        ("kq7-w3mabz", None),
        ("kq7w3mabzz", "account.password_classes"),
        ("青溪河边的第三棵柳树", "account.password_classes"),
        ("my-ZhangSan-9", "account.password_is_name"),
    ],
)
def test_dengbao2_asks_for_classes_and_never_the_name(
    settings: Settings, password: str, key: str | None
) -> None:
    assert refused(settings.model_copy(update={"password_policy": "dengbao2"}), password) == key


def test_a_new_password_ends_the_other_sign_ins_and_is_recorded(
    database: Database, settings: Settings
) -> None:
    with writing(database) as connection:
        user_id = add(connection, settings)
        here, there = sign_ins.begin(connection, user_id), sign_ins.begin(connection, user_id)
        this = sign_ins.present(connection, here)
        assert this
        own = Actor("zhangsan", "10.0.0.1", this.id)
        accounts.set_password(connection, own, settings, user_id, OTHER, must_change=False)

        assert sign_ins.present(connection, here) and not sign_ins.present(connection, there)
        kept = users.kept(connection, user_id)
        assert kept and passwords.holds(settings, kept.present, OTHER) and kept.earlier == ()
        assert recorded(connection)[-1] == ("password.changed", "user:zhangsan")


def test_the_present_password_is_no_new_one(database: Database, settings: Settings) -> None:
    with writing(database) as connection:
        user_id = add(connection, settings)
        with pytest.raises(AccountError) as caught:
            accounts.set_password(connection, CLERK, settings, user_id, PASSWORD, must_change=False)

        assert caught.value.key == "account.password_used"


def test_dengbao2_takes_none_of_the_last_five_again(database: Database, settings: Settings) -> None:
    strict = settings.model_copy(update={"password_policy": "dengbao2"})
    chosen = [f"Kq7-w3mabz{number}" for number in range(6)]
    with writing(database) as connection:
        user_id = add(connection, strict, password=chosen[0])
        for one in chosen[1:5]:
            accounts.set_password(connection, CLERK, strict, user_id, one, must_change=False)
        for one in chosen[:5]:
            with pytest.raises(AccountError):
                accounts.set_password(connection, CLERK, strict, user_id, one, must_change=False)
        accounts.set_password(connection, CLERK, strict, user_id, chosen[5], must_change=False)
        accounts.set_password(connection, CLERK, strict, user_id, chosen[0], must_change=False)


def test_only_dengbao2_lets_a_password_grow_too_old(database: Database, settings: Settings) -> None:
    strict = settings.model_copy(update={"password_policy": "dengbao2"})
    with writing(database) as connection:
        user_id = add(connection, settings, must_change=False)
        fresh = users.one(connection, user_id)
        long_ago = (datetime.now(UTC) - timedelta(days=90)).strftime(moments.SECOND)
        connection.execute(update(tables.users).values(password_set_at=long_ago))
        old = users.one(connection, user_id)

    assert fresh and old
    assert [policy.password_due(settings, user) for user in (fresh, old)] == [False, False]
    assert [policy.password_due(strict, user) for user in (fresh, old)] == [False, True]


def test_dengbao2_caps_the_idle_time(settings: Settings) -> None:
    strict = settings.model_copy(update={"password_policy": "dengbao2"})

    assert policy.limits(settings).idle == timedelta(hours=8)
    assert policy.limits(strict).idle == timedelta(minutes=30)


# --- the first administrator ------------------------------------------------------------------------------------


def test_a_token_makes_the_first_administrator_once(database: Database, settings: Settings) -> None:
    given = {"name": "Guanli", "full_name": "管理员甲", "password": PASSWORD}
    with writing(database) as connection:
        old, token = accounts.first_token(connection), accounts.first_token(connection)
        assert old and token
        with pytest.raises(AccountError):
            accounts.add_first(connection, Actor(""), settings, old, **given)
        accounts.add_first(connection, Actor("", "10.0.0.1"), settings, token, **given)
        actor = connection.scalar(select(tables.audit.c.actor))
        with pytest.raises(AccountError) as caught:
            accounts.add_first(connection, Actor(""), settings, token, **(given | {"name": "second"}))

        assert [user.name for user in users.administrators(connection)] == ["guanli"]
        assert (caught.value.key, actor, accounts.first_token(connection)) == (
            "account.first_over",
            "guanli",
            None,
        )


def test_the_token_of_the_first_administrator_expires_and_is_stored_as_a_hash(
    database: Database, settings: Settings
) -> None:
    with writing(database) as connection:
        token = accounts.first_token(connection)
        assert token
        stored = connection.execute(select(tables.one_time_tokens)).one()
        good = accounts.first_is_good(connection, token)
        connection.execute(update(tables.one_time_tokens).values(expires_at="2020-01-01T00:00:00Z"))

        assert token not in tuple(stored)
        assert (good, accounts.first_is_good(connection, token)) == (True, False)
