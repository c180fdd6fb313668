"""People: who may sign in, as what, in which units. Every change takes effect with the next request of the person."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from typing import Any, cast

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from kb import accounts
from kb.errors import AccountError
from kb.model import Role
from kb.store import audit, sign_ins, units, users
from kb.store.db import reading, writing
from kb.store.users import User
from kb.web.access import ROLE_NAMES, only
from kb.web.ids import read_ids
from kb.web.library import the_library
from kb.web.problems import BUSY_SECONDS
from kb.web.visitor import the_visitor

PAGE = 50  # people on a page of the list
STATES = {"active": "可登录", "locked": "已锁定", "must_change": "待改密码"}
# Without what is easily read as something else.
LETTERS = [
    "".join(sorted(set(kind) - set("Il1O0o")))
    for kind in (string.ascii_uppercase, string.ascii_lowercase, string.digits)
]
PASSWORD_GROUPS = 4  # of four characters, joined by -

blueprint = Blueprint("admin_users", __name__)


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form of an account."""

    name: str = ""
    full_name: str = ""
    role: str = "reader"
    units: frozenset[int] = frozenset()

    @classmethod
    def sent(cls) -> Typed:
        """As the present request sends it."""
        form = request.form
        chosen = frozenset(read_ids(form.getlist("units")))
        return cls(form.get("name", ""), form.get("full_name", ""), form.get("role", ""), chosen)


# --- the list -------------------------------------------------------------------------------------------------------


@blueprint.get("/admin/users")
@only("admin")
def page() -> str:
    asked: dict[str, Any] = {name: request.args.get(name, "").strip() for name in ("q", "role", "state")}
    with reading(the_library().database) as connection:
        names = {one.id: one.name for one in units.every(connection)}
        everybody = users.every(connection)
    found = [one for one in everybody if _fits(one, names, **asked)]
    last = max(1, -(-len(found) // PAGE))
    number = min(max(request.args.get("page", 1, type=int), 1), last)
    return render_template(
        "admin_users.html",
        people=found[(number - 1) * PAGE : number * PAGE],
        found=len(found),
        total=len(everybody),
        unit_names=names,
        asked=asked,
        number=number,
        last=last,
        address=lambda wanted: url_for("admin_users.page", page=wanted, **asked),
        roles=ROLE_NAMES,
        states=STATES,
    )


def _fits(user: User, unit_names: dict[int, str], *, q: str, role: str, state: str) -> bool:
    said = [user.name, user.full_name, *(unit_names.get(one, "") for one in user.units)]
    states = {"active": not user.locked_at, "locked": bool(user.locked_at), "must_change": user.must_change}
    return (
        any(q.casefold() in one.casefold() for one in said)
        and role in ("", user.role)
        and states.get(state, True)
    )


# --- a new one ------------------------------------------------------------------------------------------------------


@blueprint.get("/admin/users/new")
@only("admin")
def new() -> str:
    return _new(Typed())


@blueprint.post("/admin/users/new")
@only("admin")
def add() -> AnyResponse | str:
    typed, password, is_made = Typed.sent(), *_password()
    library = the_library()
    try:
        stored = accounts.hashed(library.settings, password, name=typed.name, full_name=typed.full_name)
        with writing(library.database) as connection:
            user_id = accounts.add_user(
                connection,
                the_visitor().actor,
                library.settings,
                name=typed.name,
                full_name=typed.full_name,
                role=cast(Role, typed.role),  # add_user refuses what is none
                password=password,
                units=typed.units,
                stored=stored,
            )
    except AccountError as error:
        return _refused(_new(typed, error), error)
    return _told(user_id, "账号已添加", password if is_made else None)


def _new(typed: Typed, error: AccountError | None = None) -> str:
    with reading(the_library().database) as connection:
        known = units.every(connection)
    return render_template("admin_user_new.html", typed=typed, error=error, units=known, roles=ROLE_NAMES)


def _password() -> tuple[str, bool]:
    """The password that was typed, else a new one; whether it was made here."""
    typed = request.form.get("password", "")
    return (typed, False) if typed else (new_password(), True)


def new_password() -> str:
    """A password that nobody chose and no policy refuses: Kdme-7Gxw-q3Rf-T8mz."""
    while True:
        drawn = [secrets.choice("".join(LETTERS)) for _ in range(4 * PASSWORD_GROUPS)]
        if all(set(drawn) & set(kind) for kind in LETTERS):
            return "-".join("".join(drawn[at : at + 4]) for at in range(0, len(drawn), 4))


def _told(user_id: int, words: str, password: str | None) -> AnyResponse | str:
    """To the page of an account; with a password made here first to one that shows it, which no address leads to."""
    if password is None:
        flash(f"{words}；首次登录须修改密码。")
        return _back(user_id)
    with reading(the_library().database) as connection:
        return render_template(
            "admin_user_password.html", user=wanted(connection, user_id), words=words, password=password
        )


# --- one account ----------------------------------------------------------------------------------------------------


@blueprint.get("/admin/users/<id:user_id>")
@only("admin")
def show(user_id: int) -> str:
    return _show(user_id)


def _show(user_id: int, typed: Typed | None = None, error: AccountError | None = None) -> str:
    with reading(the_library().database) as connection:
        user = wanted(connection, user_id)
        return render_template(
            "admin_user.html",
            user=user,
            typed=typed or Typed(user.name, user.full_name, user.role, user.units),
            error=error,
            units=units.every(connection),
            sign_ins=sign_ins.of_user(connection, user_id),
            roles=ROLE_NAMES,
        )


@blueprint.post("/admin/users/<id:user_id>")
@only("admin")
def change(user_id: int) -> AnyResponse | tuple[str, int]:
    typed = Typed.sent()
    try:
        with writing(the_library().database) as connection:
            wanted(connection, user_id)
            accounts.change_user(
                connection,
                the_visitor().actor,
                user_id,
                full_name=typed.full_name,
                role=cast(Role, typed.role),
                units=typed.units,
            )
    except AccountError as error:
        return _show(user_id, typed, error), 400
    flash("已保存，立即生效。")
    return _back(user_id)


@blueprint.post("/admin/users/<id:user_id>/password")
@only("admin")
def reset_password(user_id: int) -> AnyResponse | str:
    password, is_made = _password()
    library = the_library()
    with reading(library.database) as connection:
        wanted(connection, user_id)
    try:
        given: dict[str, Any] = {"must_change": True}
        given["ready"] = accounts.new_password(library.database, library.settings, user_id, password)
        with writing(library.database) as connection:
            wanted(connection, user_id)
            accounts.set_password(
                connection, the_visitor().actor, library.settings, user_id, password, **given
            )
    except AccountError as error:
        return _refused(_show(user_id, error=error), error)
    return _told(user_id, "密码已重设", password if is_made else None)


@blueprint.post("/admin/users/<id:user_id>/lock")
@only("admin")
def lock(user_id: int) -> AnyResponse | tuple[str, int]:
    try:
        with writing(the_library().database) as connection:
            wanted(connection, user_id)
            accounts.lock(connection, the_visitor().actor, user_id)
    except AccountError as error:
        return _show(user_id, error=error), 400
    flash("已锁定，登录都已结束。可以随时解锁。")
    return _back(user_id)


@blueprint.post("/admin/users/<id:user_id>/unlock")
@only("admin")
def unlock(user_id: int) -> AnyResponse:
    with writing(the_library().database) as connection:
        wanted(connection, user_id)
        accounts.unlock(connection, the_visitor().actor, user_id)
    flash("可以登录了，不必等待。")
    return _back(user_id)


@blueprint.post("/admin/users/<id:user_id>/end-sign-ins")
@only("admin")
def end_sign_ins(user_id: int) -> AnyResponse:
    with writing(the_library().database) as connection:
        user = wanted(connection, user_id)
        ended = sign_ins.end_all(connection, user_id)
        detail = {"ended": ended}
        audit.record(connection, the_visitor().actor, "sign_in.ended", f"user:{user.name}", detail=detail)
    flash(f"已结束 {ended} 个登录。")
    return _back(user_id)


@blueprint.post("/admin/users/<id:user_id>/delete")
@only("admin")
def delete(user_id: int) -> AnyResponse | tuple[str, int]:
    try:
        with writing(the_library().database) as connection:
            user = wanted(connection, user_id)
            accounts.delete_user(connection, the_visitor().actor, user_id)
    except AccountError as error:
        return _show(user_id, error=error), 400
    flash(f"已删除账号“{user.name}”。")
    return redirect(url_for("admin_users.page"), 303)


def _refused(page: str, error: AccountError) -> AnyResponse:
    """The form again, with what is wrong; there may be no time to hash a password now."""
    if error.key != "account.busy":
        return make_response(page, 400)
    answer = make_response(page, 503)
    answer.headers["Retry-After"] = str(BUSY_SECONDS)
    return answer


def wanted(connection: Connection, user_id: int) -> User:
    """The account of an address; 404 where there is none."""
    return users.one(connection, user_id) or abort(404)


def _back(user_id: int) -> AnyResponse:
    return redirect(url_for("admin_users.show", user_id=user_id), 303)
