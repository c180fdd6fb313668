"""我的: what the system holds for one person, seen and changed by that person alone."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from kb import accounts, signing_in
from kb.errors import AccessError, AccountError
from kb.store import audit, moments, own_data, search_history, sign_ins, units
from kb.store.db import reading, writing
from kb.store.users import User
from kb.web import saved
from kb.web.access import ROLE_NAMES, signed_in
from kb.web.display import prefer
from kb.web.library import the_library
from kb.web.problems import ACCOUNTS
from kb.web.visitor import the_visitor

LINES = 50  # of the search history, on the page

blueprint = Blueprint("me", __name__)


@blueprint.get("/me")
@signed_in
def page() -> str:
    user = the_user()
    with reading(the_library().database) as connection:
        return render_template(
            "me.html",
            user=user,
            role=ROLE_NAMES[user.role],
            units=[one.name for one in units.every(connection) if one.id in user.units],
            sign_ins=sign_ins.of_user(connection, user.id),
            present=the_visitor().sign_in,
            history=search_history.of_user(connection, user.id, LINES),
            history_count=search_history.count(connection, user.id),
            history_days=the_library().settings.search_history_days,
            saved=saved.lines(connection),
            keeps_history=user.preferences.get("history") != "off",
        )


def the_user() -> User:
    """Who asks: the views here are for people who signed in. Raises AccessError("access.sign_in_needed")."""
    user = the_visitor().user
    if user is None:
        raise AccessError("access.sign_in_needed")
    return user


# --- sign-ins -------------------------------------------------------------------------------------------------------


@blueprint.post("/me/sign-ins/<id:sign_in_id>/end")
@signed_in
def end_sign_in(sign_in_id: int) -> AnyResponse:
    user, actor = the_user(), the_visitor().actor
    with writing(the_library().database) as connection:
        if sign_in_id not in [line.id for line in sign_ins.of_user(connection, user.id)]:
            abort(404)
        sign_ins.end(connection, sign_in_id)
        detail = {"sign_in": sign_in_id}
        audit.record(connection, actor, "sign_in.ended", f"user:{user.name}", detail=detail)
    flash("已结束这个登录。")
    return _back("sign-ins")


@blueprint.post("/me/sign-ins/end-others")
@signed_in
def end_other_sign_ins() -> AnyResponse:
    user, visitor = the_user(), the_visitor()
    with writing(the_library().database) as connection:
        ended = sign_ins.end_all(connection, user.id, but=visitor.sign_in)
        detail = {"ended": ended}
        audit.record(connection, visitor.actor, "sign_in.ended", f"user:{user.name}", detail=detail)
    flash(f"已结束别处的 {ended} 个登录。")
    return _back("sign-ins")


# --- search history -------------------------------------------------------------------------------------------------


@blueprint.post("/me/history/<id:line_id>/delete")
@signed_in
def delete_search(line_id: int) -> AnyResponse:
    with writing(the_library().database) as connection:
        if not search_history.remove(connection, the_user().id, line_id):
            abort(404)
    flash("已删除这一条。")
    return _back("history")


@blueprint.post("/me/history/clear")
@signed_in
def clear_history() -> AnyResponse:
    """Forget all of it; also what waits to be written, here or in another process."""
    the_library().log.flush()
    with writing(the_library().database) as connection:
        count = search_history.clear(connection, the_user().id)
        prefer(connection, the_user().id, history_since=moments.now())
    flash(f"已清除 {count} 条检索历史。")
    return _back("history")


@blueprint.post("/me/history/switch")
@signed_in
def switch_history() -> AnyResponse:
    wanted = "off" if request.form.get("history") == "off" else "on"
    with writing(the_library().database) as connection:
        since = {"history_since": moments.now()} if wanted == "on" else {}
        prefer(connection, the_user().id, history=wanted, **since)
    flash("从现在起记录检索历史。" if wanted == "on" else "从现在起不再记录检索历史；已有的可以清除。")
    return _back("history")


# --- all of it --------------------------------------------------------------------------------------------------------


@blueprint.post("/me/export")
@signed_in
def export() -> Response:
    """Everything that is stored about the person, as a file."""
    user, actor = the_user(), the_visitor().actor
    the_library().log.flush()
    with writing(the_library().database) as connection:
        audit.record(connection, actor, "data.exported", f"user:{user.name}")
        data: dict[str, Any] = own_data.of_user(connection, user)
    data["exported_at"] = moments.now()
    text = json.dumps(data, ensure_ascii=False, indent=2)
    answer = Response(text, mimetype="application/json")
    answer.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blueprint.get("/me/delete")
@signed_in
def confirm_delete() -> str:
    return _confirm_delete()


@blueprint.post("/me/delete")
@signed_in
def delete() -> AnyResponse | tuple[str, int]:
    """Delete the account of the person who asks, with the password once more."""
    user, actor, library = the_user(), the_visitor().actor, the_library()
    try:
        typed = request.form.get("password", "")
        signing_in.confirm(library.database, library.settings, actor, user, typed, action="data.deleted")
        with writing(library.database) as connection:
            accounts.delete_user(connection, actor, user.id)
            audit.record(connection, actor, "data.deleted", f"user:{user.name}")
    except AccountError as error:
        return _confirm_delete(error), ACCOUNTS.get(error.key, 400)
    flash("账号已删除。")
    return redirect(url_for("home.page"), 303)


def _confirm_delete(error: AccountError | None = None) -> str:
    return render_template("me_delete.html", user=the_user(), error=error)


def _back(anchor: str) -> AnyResponse:
    return redirect(url_for("me.page", _anchor=anchor), 303)
