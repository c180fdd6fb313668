"""Signing in and out, the first administrator, changing one's password."""

from __future__ import annotations

from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
)
from werkzeug.wrappers import Response as AnyResponse

from kb import accounts, signing_in
from kb.errors import AccessError, AccountError
from kb.model import Actor
from kb.signing_in import Attempt, Entered
from kb.store import sign_ins
from kb.store.db import reading, writing
from kb.store.policy import policy
from kb.web.access import Access, public, signed_in
from kb.web.forms import safe_next
from kb.web.library import the_library
from kb.web.problems import ACCOUNTS, BUSY_SECONDS
from kb.web.visitor import device_cookie, sign_in_cookie, the_visitor

DEVICE_SECONDS = 400 * 24 * 3600  # longer no browser keeps a cookie

blueprint = Blueprint("sign_in", __name__)


def install(app: Flask) -> None:
    """Lead whoever must change the password to that page, whatever was asked for."""

    @app.before_request
    def change_first() -> None:
        view = app.view_functions.get(request.endpoint or "")
        access: Access | None = getattr(view, "access", None)
        if access is None or access.who == "public" or request.endpoint in MEANWHILE:
            return
        if the_visitor().is_due:
            raise AccessError("access.password_due")


MEANWHILE = ("sign_in.leave", "sign_in.password", "sign_in.change")  # while the password must be changed

# --- in and out -----------------------------------------------------------------------------------------------------


@blueprint.get("/login")
@public
def page() -> AnyResponse:
    if the_visitor().user is not None:
        return redirect(_next(), 303)
    return _login()


@blueprint.post("/login")
@public
def enter() -> AnyResponse:
    library = the_library()
    attempt = Attempt(
        name=request.form.get("name", ""),
        password=request.form.get("password", ""),
        address=request.remote_addr or "",
        device=request.cookies.get(device_cookie(), ""),
        browser=request.user_agent.string,
    )
    try:
        entered = signing_in.enter(library.database, library.settings, attempt)
    except AccountError as error:
        return _login(error)
    if the_visitor().sign_in is not None:  # somebody else, or the same person again
        signing_in.leave(library.database, the_visitor().actor)
    return _remembered(redirect(_next(), 303), entered)


@blueprint.post("/logout")
@signed_in
def leave() -> AnyResponse:
    signing_in.leave(the_library().database, the_visitor().actor)
    session.clear()
    flash("已退出登录。")
    response = redirect("/", 303)
    _forget(response)
    return response


def _login(error: AccountError | None = None) -> Response:
    is_expired = the_visitor().is_expired and error is None
    return _form("login.html", error, is_expired=is_expired, name=request.form.get("name", ""), next=_next())


def _next() -> str:
    return safe_next(request.values.get("next"))


def _remembered(response: AnyResponse, entered: Entered) -> AnyResponse:
    """Give the browser its cookies; whatever was in its session is another's (OWASP ASVS 5.0, 7.2.4)."""
    session.clear()
    _set_cookie(response, sign_in_cookie(), entered.token, None)
    _set_cookie(response, device_cookie(), entered.device, DEVICE_SECONDS)
    return response


def _set_cookie(response: AnyResponse, name: str, value: str, seconds: int | None) -> None:
    tls = the_library().settings.tls
    response.set_cookie(name, value, max_age=seconds, secure=tls, httponly=True, samesite="Lax", path="/")


def _forget(response: AnyResponse) -> None:
    tls = the_library().settings.tls
    response.delete_cookie(sign_in_cookie(), secure=tls, httponly=True, samesite="Lax", path="/")


# --- the first administrator ----------------------------------------------------------------------------------------


@blueprint.get("/first")
@public
def first() -> Response:
    token = request.args.get("token", "")
    with reading(the_library().database) as connection:
        if not accounts.first_is_good(connection, token):
            raise AccountError("account.first_over")
    return _first(token)


@blueprint.post("/first")
@public
def first_taken() -> AnyResponse:
    library, token = the_library(), request.form.get("token", "")
    name, password = request.form.get("name", ""), _new_password()
    full_name = request.form.get("full_name", "")
    try:
        if password is None:
            raise AccountError("account.password_differs")
        with reading(library.database) as connection:
            if not accounts.first_is_good(connection, token):  # before anything is hashed
                raise AccountError("account.first_over")
        stored = accounts.hashed(library.settings, password, name=name, full_name=full_name)
        with writing(library.database) as connection:
            actor = Actor("", request.remote_addr or "")
            accounts.add_first(
                connection,
                actor,
                library.settings,
                token,
                name=name,
                full_name=full_name,
                password=password,
                stored=stored,
            )
    except AccountError as error:
        if error.key == "account.first_over":
            raise
        return _first(token, error)
    attempt = Attempt(name, password, request.remote_addr or "", "", request.user_agent.string)
    entered = signing_in.enter(library.database, library.settings, attempt)
    response = _remembered(redirect("/", 303), entered)
    flash("管理员账号已建好，您已登录。")
    return response


def _first(token: str, error: AccountError | None = None) -> Response:
    typed = {name: request.form.get(name, "") for name in ("name", "full_name")}
    return _form("first.html", error, token=token, policy=_policy(), **typed)


# --- one's password ---------------------------------------------------------------------------------------------------


@blueprint.get("/password")
@signed_in
def password() -> Response:
    return _password()


@blueprint.post("/password")
@signed_in
def change() -> AnyResponse:
    library, visitor, new = the_library(), the_visitor(), _new_password()
    device = request.cookies.get(device_cookie(), "")
    if visitor.user is None or visitor.sign_in is None:
        raise AccessError("access.sign_in_needed")
    try:
        if new is None:
            raise AccountError("account.password_differs")
        user, old = visitor.user, request.form.get("old", "")
        accounts.check_password(library.settings, new, name=user.name, full_name=user.full_name)
        signing_in.confirm(
            library.database, library.settings, visitor.actor, user, old, action="password.changed"
        )
        ready = accounts.new_password(library.database, library.settings, user.id, new)
        with writing(library.database) as connection:
            given: dict[str, Any] = {"must_change": False, "device": device, "ready": ready}
            accounts.set_password(connection, visitor.actor, library.settings, user.id, new, **given)
            token = sign_ins.renew(connection, visitor.sign_in)
    except AccountError as error:
        return _password(error)
    session.clear()
    flash("密码已修改；在别处的登录都已结束。")
    response = redirect(_next(), 303)
    _set_cookie(response, sign_in_cookie(), token, None)
    return response


def _password(error: AccountError | None = None) -> Response:
    return _form("password.html", error, is_due=the_visitor().is_due, policy=_policy(), next=_next())


def _new_password() -> str | None:
    """The new password; None when it was typed in two ways."""
    new = request.form.get("new", "")
    return new if new == request.form.get("again", "") else None


# --- forms --------------------------------------------------------------------------------------------------------------


def _form(template: str, error: AccountError | None, **given: Any) -> Response:
    """A form, with what is wrong with what was typed into it."""
    status = ACCOUNTS.get(error.key, 400) if error else 200
    response = make_response(render_template(template, error=error, **given), status)
    response.headers["Cache-Control"] = "no-store"
    if error and status in (429, 503):
        response.headers["Retry-After"] = str(error.facts.get("seconds", BUSY_SECONDS))
    return response


def _policy() -> Any:
    return policy(the_library().settings)
