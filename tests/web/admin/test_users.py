from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import insert
from werkzeug.test import TestResponse

from kb.model import ROLES
from kb.store import sign_ins, tables, units, users
from kb.store.db import reading, writing
from kb.store.users import User
from kb.web.admin.users import new_password
from kb.web.library import EXTENSION, Library
from tests.web.people import NO_PASSWORD, post, signed_in

PASSWORD = "山高水长一支笔2026"


def library(app: Flask) -> Library:
    found = app.extensions[EXTENSION]
    assert isinstance(found, Library)
    return found


@pytest.fixture
def admin(app: Flask) -> FlaskClient:
    return signed_in(app, "admin")


def account(app: Flask, name: str) -> User | None:
    with reading(library(app).database) as connection:
        return users.by_name(connection, name)


def made(app: Flask, name: str) -> User:
    """An account that the test needs."""
    with writing(library(app).database) as connection:
        users.add(connection, name, f"姓名{name}", "reader", NO_PASSWORD)
    found = account(app, name)
    assert found is not None
    return found


def unit(app: Flask, name: str) -> int:
    with writing(library(app).database) as connection:
        return units.add(connection, name)


def words(answer: TestResponse) -> str:
    return " ".join(html.document_fromstring(answer.text).cssselect("main")[0].text_content().split())


def alert(answer: TestResponse) -> str:
    return str(html.document_fromstring(answer.text).cssselect("[role=alert]")[0].text_content())


def listed(admin: FlaskClient, query: str) -> list[str]:
    page = html.document_fromstring(admin.get(f"/admin/users?{query}").text)
    return [link.text_content() for link in page.cssselect("tbody td:first-child a")]


def last_action(app: Flask) -> tuple[str, str, str]:
    with reading(library(app).database) as connection:
        row = connection.execute(tables.audit.select().order_by(tables.audit.c.seq.desc()).limit(1)).one()
    return row.actor, row.action, row.object


# --- the list -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["/admin/users", "/admin/users/new", "/admin/users/1", "/admin/units"])
@pytest.mark.parametrize("role", [role for role in ROLES if role != "admin"])
def test_only_administrators_manage_people(app: Flask, role: str, url: str) -> None:
    assert signed_in(app, role).get(url).status_code == 403  # type: ignore[arg-type]  # of ROLES


def test_people_are_found_by_name_unit_role_and_state(app: Flask, admin: FlaskClient) -> None:
    court = unit(app, "列表单位")
    with writing(library(app).database) as connection:
        one = users.add(connection, "list-one", "列某甲", "editor", NO_PASSWORD, units=[court])
        users.add(connection, "list-two", "列某乙", "reader", NO_PASSWORD, must_change=True)
        users.set_locked(connection, one, locked=True)

    assert listed(admin, "q=列某") == ["list-one", "list-two"]
    assert listed(admin, "q=列表单位") == ["list-one"]
    assert listed(admin, "q=LIST-&role=reader") == ["list-two"]
    assert listed(admin, "q=list-&state=locked") == ["list-one"]
    assert listed(admin, "q=list-&state=must_change") == ["list-two"]
    assert listed(admin, "q=list-&role=nonsense") == []
    assert "没有符合条件的账号" in words(admin.get("/admin/users?q=绝无此人"))


def test_a_long_list_is_paged_and_keeps_what_was_asked(
    app: Flask, admin: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.web.admin.users.PAGE", 2)
    for number in range(5):
        made(app, f"page-{number}")
    page = html.document_fromstring(admin.get("/admin/users?q=page-&page=2").text)

    assert listed(admin, "q=page-&page=2") == ["page-2", "page-3"]
    assert listed(admin, "q=page-&page=99") == ["page-4"]
    assert listed(admin, "q=page-&page=x") == ["page-0", "page-1"]
    assert "q=page-" in page.cssselect("a[rel=next]")[0].get("href")


# --- a new one ------------------------------------------------------------------------------------------------------


def test_an_account_is_added_with_its_units_and_must_change_the_password(
    app: Flask, admin: FlaskClient
) -> None:
    one, two = unit(app, "添加甲院"), unit(app, "添加乙院")
    typed = {"name": "added", "full_name": "新来的", "role": "trainer", "password": PASSWORD}
    answer = post(admin, "/admin/users/new", {**typed, "units": [str(one), str(two)]})
    found = account(app, "added")

    assert found is not None and answer.status_code == 303
    assert (found.full_name, found.role, found.units) == ("新来的", "trainer", {one, two})
    assert found.must_change
    assert last_action(app) == ("a-admin", "user.added", "user:added")
    assert "首次登录须修改密码" in words(admin.get(answer.location))


def test_a_password_that_is_made_is_shown_once_and_kept_nowhere(app: Flask, admin: FlaskClient) -> None:
    answer = post(admin, "/admin/users/new", {"name": "generated", "full_name": "甲", "role": "reader"})
    shown = html.document_fromstring(answer.text).cssselect("main code")[0].text
    found = account(app, "generated")

    assert answer.status_code == 200 and shown and found is not None
    assert re.fullmatch(r"(\w{4}-){3}\w{4}", shown)
    assert shown not in admin.get(f"/admin/users/{found.id}").text
    with reading(library(app).database) as connection:
        assert all(shown not in row.detail for row in connection.execute(tables.audit.select()))


def test_made_passwords_differ_and_have_every_kind_of_character() -> None:
    drawn = [new_password() for _ in range(200)]

    assert len(set(drawn)) == 200
    assert all(re.search(kind, one) for one in drawn for kind in ("[A-Z]", "[a-z]", "[2-9]"))
    assert not any(set(one) & set("Il1O0o") for one in drawn)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "a b"}, "账号名"),
        ({"name": "a-admin"}, "已经有账号"),
        ({"full_name": " "}, "姓名"),
        ({"role": "emperor"}, "角色"),
        ({"units": "999999"}, "单位"),
        ({"password": "短"}, "密码"),
    ],
)
def test_an_error_keeps_what_was_typed_but_the_password(
    app: Flask, admin: FlaskClient, wrong: dict[str, str], said: str
) -> None:
    chosen = str(unit(app, f"错误时{said}{sorted(wrong)}"))
    typed = {"name": "mistaken", "full_name": "错某", "role": "editor", "units": chosen, "password": PASSWORD}
    answer = post(admin, "/admin/users/new", typed | wrong)
    form = html.document_fromstring(answer.text).cssselect("main form")[0]
    expected = typed | wrong

    assert answer.status_code == 400 and said in alert(answer)
    assert form.fields["name"] == expected["name"]
    assert form.fields["full_name"] == expected["full_name"]
    assert form.fields["role"] == (expected["role"] if expected["role"] in ROLES else "reader")
    assert form.fields["password"] in ("", None)
    if "units" not in wrong:
        assert form.cssselect(f"input[name=units][value='{chosen}'][checked]")
    assert account(app, "mistaken") is None


# --- one account ----------------------------------------------------------------------------------------------------


def test_a_changed_role_holds_from_the_next_request_on(app: Flask, admin: FlaskClient) -> None:
    theirs = signed_in(app, "admin", name="was-admin")
    found = account(app, "was-admin")
    assert found is not None and theirs.get("/admin/users").status_code == 200
    post(admin, f"/admin/users/{found.id}", {"full_name": "降级的", "role": "reader"})

    assert theirs.get("/admin/users").status_code in (303, 401, 403)
    assert signed_in(app, name="was-admin").get("/admin/users").status_code == 403
    changed = account(app, "was-admin")
    assert changed is not None and (changed.role, changed.full_name) == ("reader", "降级的")


def test_locking_ends_the_sign_ins_at_once_and_unlocking_lets_in_again(
    app: Flask, admin: FlaskClient
) -> None:
    theirs = signed_in(app, name="locked-out")
    found = account(app, "locked-out")
    assert found is not None
    post(admin, f"/admin/users/{found.id}/lock")

    assert theirs.get("/me").status_code in (303, 401)
    assert "已锁定，不能登录" in words(admin.get(f"/admin/users/{found.id}"))
    post(admin, f"/admin/users/{found.id}/unlock")
    assert signed_in(app, name="locked-out").get("/me").status_code == 200


def test_sign_ins_are_shown_and_ended(app: Flask, admin: FlaskClient) -> None:
    theirs = signed_in(app, name="seen-in")
    found = account(app, "seen-in")
    assert found is not None
    before = words(admin.get(f"/admin/users/{found.id}"))
    answer = post(admin, f"/admin/users/{found.id}/end-sign-ins")

    assert "127.0.0.1" in before
    assert "已结束 1 个登录。" in words(admin.get(answer.location))
    assert theirs.get("/me").status_code in (303, 401)
    with reading(library(app).database) as connection:
        assert sign_ins.of_user(connection, found.id) == []


def test_a_password_is_reset_and_must_be_changed(app: Flask, admin: FlaskClient) -> None:
    found = made(app, "resets")
    weak = post(admin, f"/admin/users/{found.id}/password", {"password": "12345678"})
    typed = post(admin, f"/admin/users/{found.id}/password", {"password": PASSWORD})
    drawn = post(admin, f"/admin/users/{found.id}/password")
    after = account(app, "resets")

    assert weak.status_code == 400 and "密码" in alert(weak)
    assert typed.status_code == 303
    assert drawn.status_code == 200 and "只显示这一次" in words(drawn)
    assert after is not None and after.must_change


def test_a_deleted_account_is_gone(app: Flask, admin: FlaskClient) -> None:
    found = made(app, "goes")
    asked = admin.get(f"/admin/users/{found.id}")
    answer = post(admin, f"/admin/users/{found.id}/delete")

    assert "不能恢复" in words(asked)
    assert "已删除账号“goes”。" in words(admin.get(answer.location))
    assert account(app, "goes") is None
    assert admin.get(f"/admin/users/{found.id}").status_code == 404


@pytest.mark.parametrize("what", ["lock", "delete", ""])
def test_the_last_administrator_stays(settings_app: Flask, what: str) -> None:
    alone = signed_in(settings_app, "admin")
    found = account(settings_app, "a-admin")
    assert found is not None
    url = f"/admin/users/{found.id}/{what}".rstrip("/")
    answer = post(alone, url, {"full_name": "甲", "role": "reader"})

    assert answer.status_code == 400 and "最后一个" in alert(answer)
    assert alone.get("/admin/users").status_code == 200


@pytest.fixture(scope="module")
def settings_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The application over a store with no people."""
    from kb.config import Settings
    from kb.web import create_app

    return create_app(Settings(data=tmp_path_factory.mktemp("alone") / "data"))


@pytest.mark.parametrize("path", ["", "/lock", "/unlock", "/password", "/end-sign-ins", "/delete"])
def test_an_account_that_is_not_there_is_not_found(admin: FlaskClient, path: str) -> None:
    assert post(admin, f"/admin/users/999999{path}", {"full_name": "甲", "role": "reader"}).status_code == 404


def test_what_a_person_is_called_stays_text(app: Flask, admin: FlaskClient) -> None:
    attack = "<script>alert(1)</script>\"'><b>"
    with writing(library(app).database) as connection:
        user_id = users.add(connection, "attacker", attack, "reader", NO_PASSWORD)
        sign_ins.begin(connection, user_id, address="127.0.0.1", device=attack)
        units.add(connection, attack)
    pages = [admin.get(url).text for url in ("/admin/users", f"/admin/users/{user_id}", "/admin/units")]

    assert all("<script>alert" not in page and "<b>" not in page for page in pages)


# --- units ----------------------------------------------------------------------------------------------------------


def test_units_are_added_renamed_and_deleted(app: Flask, admin: FlaskClient) -> None:
    post(admin, "/admin/units", {"name": "  青溪县\u3000检察院 "})
    with reading(library(app).database) as connection:
        added = next(one for one in units.every(connection) if one.name == "青溪县 检察院")
    post(admin, f"/admin/units/{added.id}/rename", {"name": "青溪县检察院"})
    renamed = words(admin.get("/admin/units"))
    inside = html.document_fromstring(admin.get("/admin/units").text).cssselect("input[name=name]")
    post(admin, f"/admin/units/{added.id}/delete")

    assert "名称已改。" in renamed
    assert "青溪县检察院" in [box.get("value") for box in inside]
    assert last_action(app) == ("a-admin", "unit.deleted", f"unit:{added.id}")
    with reading(library(app).database) as connection:
        assert units.one(connection, added.id) is None


def test_deleting_a_unit_leaves_its_people(app: Flask, admin: FlaskClient) -> None:
    gone = unit(app, "将撤销的单位")
    with writing(library(app).database) as connection:
        users.add(connection, "unit-member", "成员", "reader", NO_PASSWORD, units=[gone])
    post(admin, f"/admin/units/{gone}/delete")
    member = account(app, "unit-member")

    assert member is not None and not member.units


def test_a_unit_that_something_is_limited_to_is_not_deleted(app: Flask, admin: FlaskClient) -> None:
    used = unit(app, "有限定的单位")
    with writing(library(app).database) as connection:
        connection.execute(insert(tables.source_limits).values(source="nowhere", unit_id=used))
    answer = post(admin, f"/admin/units/{used}/delete")
    with writing(library(app).database) as connection:
        connection.execute(tables.source_limits.delete().where(tables.source_limits.c.unit_id == used))

    assert answer.status_code == 400 and "1 个来源" in alert(answer)
    with reading(library(app).database) as connection:
        assert units.one(connection, used) is not None


@pytest.mark.parametrize("name", ["", "\u3000", "甲" * 81, "甲\x00乙", "重名单位"])
def test_a_bad_name_of_a_unit_is_refused_and_stays_in_the_form(
    app: Flask, admin: FlaskClient, name: str
) -> None:
    with reading(library(app).database) as connection:
        known = {one.name for one in units.every(connection)}
    if "重名单位" not in known:
        unit(app, "重名单位")
    answer = post(admin, "/admin/units", {"name": name})
    box = html.document_fromstring(answer.text).cssselect("form[action='/admin/units'] input[name=name]")[0]

    assert answer.status_code == 400 and "单位" in alert(answer)
    assert (box.get("value") or "").strip() == name.replace("\x00", "").strip() or "\x00" in name


@pytest.mark.parametrize("path", ["rename", "delete"])
def test_a_unit_that_is_not_there_is_not_found(admin: FlaskClient, path: str) -> None:
    assert post(admin, f"/admin/units/999999/{path}", {"name": "甲"}).status_code == 404
