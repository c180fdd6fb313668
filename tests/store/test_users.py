"""Accounts, sign-ins, devices, counted guesses and tokens as the store keeps them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import hypothesis
import pytest
from argon2 import PasswordHasher, extract_parameters
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy import Engine as Database

from kb.config import Settings
from kb.store import devices, guesses, moments, passwords, sign_ins, tables, users
from kb.store.db import open_database, writing
from kb.store.guesses import Rule
from kb.store.policy import ADDRESS, POLICIES
from kb.store.sign_ins import Limits
from kb.store.users import Kept

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
RULE = Rule(3, timedelta(seconds=10), timedelta(seconds=60))
HASH = "$argon2id$none"


def person(connection: Connection, name: str = "zhangsan") -> int:
    return users.add(connection, name, "张三", "reader", HASH)


# --- accounts ---------------------------------------------------------------------------------------------------


def test_accounts_are_listed_by_name_with_their_units(database: Database) -> None:
    with writing(database) as connection:
        connection.execute(insert(tables.units), [{"name": "办公室"}, {"name": "政治部"}])
        users.add(connection, "wangwu", "王五", "admin", HASH, units=[2, 1, 2])
        person(connection)
        found = [(one.name, one.role, one.units) for one in users.every(connection)]

    assert found == [("wangwu", "admin", {1, 2}), ("zhangsan", "reader", set())]


def test_preferences_and_units_are_what_they_were_last_set_to(database: Database) -> None:
    with writing(database) as connection:
        connection.execute(insert(tables.units), [{"name": "办公室"}, {"name": "政治部"}])
        user_id = users.add(connection, "wangwu", "王五", "admin", HASH, units=[1])
        users.change(connection, user_id, full_name="王伍", role="editor", units=[2])
        users.set_preferences(connection, user_id, {"size": "大"})
        found = users.one(connection, user_id)

    assert found and (found.full_name, found.role, found.units, found.preferences) == (
        "王伍",
        "editor",
        {2},
        {"size": "大"},
    )


def test_what_was_deleted_leaves_nothing_behind(database: Database) -> None:
    with writing(database) as connection:
        user_id = person(connection)
        sign_ins.begin(connection, user_id)
        devices.remember(connection, user_id, "")
        users.remove(connection, user_id)
        left = [
            connection.scalar(select(func.count()).select_from(one))
            for one in (tables.sign_ins, tables.devices)
        ]

    assert left == [0, 0]


def test_what_was_deleted_passes_its_id_to_nobody(database: Database) -> None:
    ids = []
    with writing(database) as connection:
        for _ in range(2):
            user_id = person(connection)
            sign_ins.begin(connection, user_id)
            devices.remember(connection, user_id, "")
            connection.execute(insert(tables.units).values(name="办公室"))
            ids.append(
                [
                    connection.scalar(select(one.c.id))
                    for one in (tables.users, tables.sign_ins, tables.devices, tables.units)
                ]
            )
            users.remove(connection, user_id)
            connection.execute(delete(tables.units))

    assert ids == [[1] * 4, [2] * 4]


def test_a_stronger_hash_is_not_put_over_a_password_that_changed_meanwhile(database: Database) -> None:
    with writing(database) as connection:
        user_id = person(connection)
        users.set_password(connection, user_id, Kept("new", (HASH,)), must_change=False)
        users.rehash(connection, user_id, HASH, "stronger")

        assert users.kept(connection, user_id) == Kept("new", (HASH,))


@given(name=st.text(max_size=20))
def test_a_folded_name_folds_to_itself(name: str) -> None:
    once = users.folded(name)

    assert users.folded(once) == once


# --- sign-ins ---------------------------------------------------------------------------------------------------


def aged(connection: Connection, **columns: datetime) -> None:
    connection.execute(
        update(tables.sign_ins).values({name: at.strftime(moments.SECOND) for name, at in columns.items()})
    )


@pytest.mark.parametrize(
    ("created", "seen", "holds"),
    [
        (timedelta(), timedelta(), True),
        (timedelta(hours=1), timedelta(minutes=29), True),
        (timedelta(hours=1), timedelta(minutes=30), False),
        (timedelta(hours=24), timedelta(), False),
        (timedelta(hours=23), timedelta(), True),
        (timedelta(seconds=-60), timedelta(seconds=-60), True),
        (timedelta(seconds=-61), timedelta(seconds=-61), False),
    ],
)
def test_a_sign_in_holds_between_its_limits(
    database: Database, created: timedelta, seen: timedelta, holds: bool
) -> None:
    limits = Limits(timedelta(minutes=30), timedelta(hours=24))
    with writing(database) as connection:
        token = sign_ins.begin(connection, person(connection))
        aged(connection, created_at=NOW - created, seen_at=NOW - seen)

        assert (sign_ins.present(connection, token, limits, now=NOW) is not None) == holds


def test_a_sign_in_that_was_over_stays_over_whatever_the_clock_says_later(database: Database) -> None:
    with writing(database) as connection:
        token = sign_ins.begin(connection, person(connection))
        aged(connection, created_at=NOW, seen_at=NOW)
        sign_ins.sweep(connection, now=NOW + timedelta(hours=9))

        assert sign_ins.present(connection, token, now=NOW + timedelta(minutes=1)) is None


def test_sign_ins_that_ended_long_ago_are_forgotten(database: Database) -> None:
    with writing(database) as connection:
        user_id = person(connection)
        sign_ins.begin(connection, user_id)
        sign_ins.end_all(connection, user_id)
        sign_ins.sweep(connection, now=datetime.now(UTC) + timedelta(days=181))

        assert connection.scalar(select(func.count()).select_from(tables.sign_ins)) == 0


def test_a_person_sees_the_sign_ins_that_hold_and_ends_the_others(database: Database) -> None:
    with writing(database) as connection:
        user_id = person(connection)
        tokens = [sign_ins.begin(connection, user_id, address="10.0.0.1", device="x" * 300) for _ in range(3)]
        lines = sign_ins.of_user(connection, user_id)
        ended = sign_ins.end_all(connection, user_id, but=lines[0].id)
        left = [line.id for line in sign_ins.of_user(connection, user_id)]
        sign_ins.end(connection, lines[0].id)

        assert [line.id for line in lines] == [3, 2, 1]
        assert (lines[0].address, len(lines[0].device)) == ("10.0.0.1", 200)
        assert (ended, left, sign_ins.of_user(connection, user_id)) == (2, [3], [])
        assert [sign_ins.present(connection, token) for token in tokens] == [None] * 3


def test_a_renewed_sign_in_has_its_new_token_alone(database: Database) -> None:
    with writing(database) as connection:
        old = sign_ins.begin(connection, person(connection))
        new = sign_ins.renew(connection, 1)

        assert sign_ins.present(connection, old) is None and sign_ins.present(connection, new)


# --- devices ----------------------------------------------------------------------------------------------------


def test_a_browser_has_another_token_after_each_sign_in_for_everybody_who_uses_it(database: Database) -> None:
    with writing(database) as connection:
        one, other = person(connection), person(connection, "lisi")
        first = devices.remember(connection, one, "planted")
        second = devices.remember(connection, other, first)

        assert devices.known(connection, one, "planted") is None
        assert devices.known(connection, one, first) is None
        assert devices.known(connection, one, second) and devices.known(connection, other, second)


def test_twenty_browsers_of_a_person_are_known_and_none_for_ever(database: Database) -> None:
    with writing(database) as connection:
        user_id = person(connection)
        tokens = [devices.remember(connection, user_id, "") for _ in range(21)]
        known = [devices.known(connection, user_id, token) is not None for token in tokens]
        connection.execute(update(tables.devices).values(seen_at="2020-01-01T00:00:00Z"))

        assert known == [False] + [True] * 20
        assert devices.known(connection, user_id, tokens[-1]) is None


def test_a_forgotten_device_is_unknown(database: Database) -> None:
    with writing(database) as connection:
        user_id = person(connection)
        tokens = [devices.remember(connection, user_id, "") for _ in range(2)]
        devices.forget(connection, user_id, but=tokens[0])

        assert [devices.known(connection, user_id, token) is not None for token in tokens] == [True, False]


# --- guesses ----------------------------------------------------------------------------------------------------


def test_the_numbers_of_the_policies_are_those_of_the_documents() -> None:
    asvs, dengbao = POLICIES["asvs"].guesses, POLICIES["dengbao2"].guesses

    assert [asvs.wait(n).total_seconds() for n in range(14)] == [0] * 5 + [
        30,
        60,
        120,
        240,
        480,
        960,
        1920,
        3600,
        3600,
    ]
    assert [n for n in range(16) if dengbao.wait(n)] == [5, 10, 15]
    assert dengbao.wait(5) == timedelta(minutes=30)
    assert [ADDRESS.wait(n).total_seconds() for n in (49, 50, 51, 99)] == [0, 30, 60, 900]
    assert asvs.wait(10**6) == timedelta(hours=1)


def guess(connection: Connection, bucket: guesses.Bucket, times: int, now: datetime = NOW) -> None:
    for _ in range(times):
        guesses.count(connection, [bucket], now)


def test_wrong_tries_are_forgotten_after_a_day(database: Database) -> None:
    bucket = guesses.of_name("zhangsan", RULE)
    with writing(database) as connection:
        guess(connection, bucket, 4)
        until = guesses.locked_until(connection, [bucket], NOW)
        guess(connection, bucket, 1, NOW + timedelta(days=1, seconds=1))

        assert until == NOW + timedelta(seconds=20)
        assert connection.scalar(select(tables.guesses.c.failures)) == 1


def test_an_address_is_forgiven_one_try_after_another(database: Database) -> None:
    bucket = guesses.of_address("10.0.0.1", ADDRESS)
    with writing(database) as connection:
        guess(connection, bucket, 50)
        guess(connection, bucket, 1, NOW + timedelta(hours=2))

        assert connection.scalar(select(tables.guesses.c.failures)) == 31


def test_a_try_that_was_none_leaves_the_wait_of_those_before_it(database: Database) -> None:
    bucket = guesses.of_name("zhangsan", RULE)
    with writing(database) as connection:
        guess(connection, bucket, 5)
        guesses.take_back(connection, [bucket], NOW, was_right=False)
        waiting = guesses.locked_until(connection, [bucket], NOW)
        guesses.take_back(connection, [bucket], NOW, was_right=True)

        assert waiting == NOW + timedelta(seconds=20)
        assert guesses.locked_until(connection, [bucket], NOW) is None
        assert connection.scalar(select(tables.guesses.c.failures)) == 3


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("", "unix", False),
    ],
)
def test_one_customer_of_a_network_is_one_address(one: str, other: str, same: bool) -> None:
    assert (guesses.of_address(one, ADDRESS) == guesses.of_address(other, ADDRESS)) == same


@hypothesis.settings(max_examples=40)
@given(steps=st.lists(st.integers(-200_000, 200_000), max_size=12))
def test_no_clock_makes_anybody_wait_longer_than_the_rule_says(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int]
) -> None:
    bucket = guesses.of_name("zhangsan", RULE)
    with store_of(tmp_path_factory) as connection:
        now = NOW
        for step in steps:
            now += timedelta(seconds=step)
            until = guesses.locked_until(connection, [bucket], now)
            if until is None:
                guesses.count(connection, [bucket], now)
            else:
                assert until - now <= RULE.most + guesses.SLACK
        guesses.clear(connection, bucket)


def store_of(factory: pytest.TempPathFactory) -> AbstractContextManager[Connection]:
    """A transaction over one store for all examples."""
    path = factory.getbasetemp() / "guesses.sqlite3"
    return writing(open_database(path))


# --- passwords --------------------------------------------------------------------------------------------------


def test_only_the_password_itself_holds(settings: Settings) -> None:
    stored = passwords.hashed(settings, "青溪河边")

    assert passwords.holds(settings, stored, "青溪河边")
    assert not passwords.holds(settings, stored, "青溪河边 ")
    assert not passwords.holds(settings, None, "青溪河边")
    assert not passwords.holds(settings, HASH, "青溪河边")
    assert not passwords.holds(settings, stored, "x" * 60_000)


def test_nobodys_password_costs_what_most_stored_ones_cost(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    dearer = settings.model_copy(update={"password_passes": 2})
    with writing(database) as connection:
        for name, by in (("one", settings), ("two", settings), ("three", dearer)):
            users.add(connection, name, "张三", "reader", passwords.hashed(by, name))
        usual = users.usual_hash(connection)
    verified: list[str] = []
    monkeypatch.setattr(PasswordHasher, "verify", lambda _self, wanted, _typed: verified.append(wanted))

    assert not passwords.holds(dearer, None, "青溪河边", usual)
    assert not passwords.holds(dearer, None, "青溪河边")
    assert [extract_parameters(one).time_cost for one in verified] == [settings.password_passes, 2]


def test_a_hash_is_weaker_only_when_it_costs_less(settings: Settings) -> None:
    stored = passwords.hashed(settings, "青溪河边")
    more = [
        settings.model_copy(update=change) for change in ({"password_memory_kib": 16}, {"password_passes": 2})
    ]

    assert [passwords.is_weaker(one, stored) for one in (settings, *more)] == [False, True, True]
    assert not passwords.is_weaker(settings, passwords.hashed(more[0], "青溪河边"))
    assert passwords.is_weaker(settings, HASH)
