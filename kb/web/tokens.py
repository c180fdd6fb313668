"""Tokens that scripts sign in with: made and taken back on 我的."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from kb import signing_in
from kb.errors import AccountError
from kb.store import api_tokens, audit
from kb.store.db import reading, writing
from kb.store.users import User
from kb.web.access import signed_in
from kb.web.library import the_library
from kb.web.me import the_user
from kb.web.problems import ACCOUNTS, BUSY_SECONDS
from kb.web.visitor import the_visitor

DAYS = {"30": "30 天", "90": "90 天", "365": "一年", "": "直到收回"}  # as the form sends them
USUAL_DAYS = "90"

blueprint = Blueprint("tokens", __name__)


@blueprint.get("/me/tokens")
@signed_in
def page() -> str:
    return _page(the_user())


@blueprint.post("/me/tokens")
@signed_in
def make() -> str | AnyResponse:
    """A new token, shown in the answer and nowhere else; with the password once more (OWASP ASVS 5.0, 7.5.1)."""
    user, actor, library = the_user(), the_visitor().actor, the_library()
    name, days = request.form.get("name", ""), request.form.get("days", USUAL_DAYS)
    try:
        if days not in DAYS:
            raise AccountError("token.bad_days")
        typed = request.form.get("password", "")
        signing_in.confirm(library.database, library.settings, actor, user, typed, action="token.made")
        good_for = timedelta(days=int(days)) if days else None
        with writing(library.database) as connection:
            token_id, token = api_tokens.make(connection, user.id, name, good_for)
            detail = {"id": token_id, "name": " ".join(name.split()), "days": days}
            audit.record(connection, actor, "token.made", f"user:{user.name}", detail=detail)
    except AccountError as error:
        return _refused(_page(user, error, name=name, days=days), error)
    return _page(user, made=token)


@blueprint.post("/me/tokens/<id:token_id>/delete")
@signed_in
def take_back(token_id: int) -> AnyResponse:
    user = the_user()
    with writing(the_library().database) as connection:
        if not api_tokens.remove(connection, user.id, token_id):
            abort(404)
        detail = {"id": token_id}
        audit.record(connection, the_visitor().actor, "token.taken_back", f"user:{user.name}", detail=detail)
    flash("令牌已收回，用它的脚本不再能读。")
    return redirect(url_for("tokens.page"), 303)


def _page(
    user: User, error: AccountError | None = None, *, made: str = "", name: str = "", days: str = USUAL_DAYS
) -> str:
    with reading(the_library().database) as connection:
        mine = api_tokens.of_user(connection, user.id)
    return render_template(
        "tokens.html",
        tokens=mine,
        made=made,
        error=error,
        name=name,
        days=days if days in DAYS else USUAL_DAYS,
        choices=DAYS,
        most=api_tokens.MOST,
        name_chars=api_tokens.NAME_CHARS,
    )


def _refused(shown: str, error: AccountError) -> AnyResponse:
    response = make_response(shown, ACCOUNTS.get(error.key, 400))
    if response.status_code in (429, 503):
        response.headers["Retry-After"] = str(error.facts.get("seconds", BUSY_SECONDS))
    return response
