"""Every failure as an answer: a plain Chinese page for people, JSON for scripts, the traceback in the log."""

from __future__ import annotations

from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, g, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import BadHost, HTTPException, SecurityError
from werkzeug.wrappers import Response as AnyResponse

from kb.errors import (
    AccessError,
    AccountError,
    BusyError,
    EngineDownError,
    KbError,
    QueryError,
    StoreError,
    TooSlowError,
    TopicError,
)
from kb.query import plain_words
from kb.store import users
from kb.store.db import reading
from kb.web.forms import HOME, safe_next, this_page
from kb.web.library import the_library
from kb.web.visitor import the_visitor

log = structlog.get_logger("kb.web")

RETRY_SECONDS = 30  # after which an index that is being rebuilt is worth another try

HEADINGS = {
    400: "这个请求读不懂",
    401: "需要登录",
    403: "没有权限",
    404: "没有这个页面",
    405: "不支持这种请求方法",
    409: "内容已被别人改过",
    410: "这篇文章不再提供",
    413: "内容太大",
    429: "请求太多",
    500: "系统出错",
    503: "暂时不能检索",
}
KEYS = {
    404: "web.not_found",
    405: "web.method_not_allowed",
    413: "web.too_large",
    414: "web.too_large",
    429: "web.too_many_requests",
    503: "web.unavailable",
}
STATUSES = {"store.no_article": 404, "store.no_version": 404, "store.withdrawn": 410, "store.gone": 410}
STATUSES |= {"store.no_newspaper": 404, "store.no_issue": 404, "store.busy": 503}
TOPICS = {"topic.unknown": 404, "topic.no_version": 404, "topic.changed_meanwhile": 409}
ACCESS = {"access.sign_in_needed": 401, "access.sign_in_expired": 401}
ACCOUNTS = {"account.unknown": 404, "account.first_over": 404, "account.sign_in_failed": 401}
ACCOUNTS |= {"account.locked": 403, "account.wait": 429, "account.busy": 503}
NO_ACCOUNT = {
    "account.unknown": "没有这个账号",
    "account.first_over": "链接不能用了",
    "account.busy": "请稍后再试",
}
TOPIC_HEADINGS = {"topic.unknown": "没有这个专题", "topic.no_version": "专题没有这一版"}
BUSY_SECONDS = 5  # after which another try to sign in or to write is worth it
NO_PAPER = {"store.no_newspaper": "没有这份报纸", "store.no_issue": "没有这一期"}
NOT_TYPED = ("query.bad_parameter", "query.too_deep")  # errors of the address, not of what was typed
REQUEST_ID = "REQUEST-ID"  # stands in the 500 page for the number of the request


def install(app: Flask) -> None:
    """Answer every failure. Call it last: two pages are rendered here, once, and need nothing later."""
    with app.test_request_context("/500"):
        page_400 = _page(400, KbError("web.bad_request"), REQUEST_ID)
        page_500 = _page(500, KbError("web.failed"), REQUEST_ID)

    def failed() -> Response:
        if _wants_json():
            return _answer(500, KbError("web.failed"), {})
        return Response(page_500.replace(REQUEST_ID, g.request_id), 500)

    @app.errorhandler(KbError)
    def on_kb_error(error: KbError) -> AnyResponse:
        if isinstance(error, AccessError):
            error = _told(error)
            if request.method in ("GET", "HEAD") and error.key in LEADS_TO and not _is_for_programs():
                return _led(error)
        return _answer(_status(error), error, _retry_header(error))

    @app.errorhandler(HTTPException)
    def on_http_error(error: HTTPException) -> Response:
        status = error.code or 500
        if status < 400:
            return make_response(error.get_response())
        if status == 500:
            return failed()
        if isinstance(
            error, BadHost | SecurityError
        ):  # Flask builds no URL then, so no template can be rendered
            return Response(page_400.replace(REQUEST_ID, g.request_id), status)
        key = KEYS.get(status, "web.bad_request" if status < 500 else "web.failed")
        kept = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
        return _answer(status, KbError(key), kept)

    @app.errorhandler(Exception)
    def on_failure(_error: Exception) -> Response:
        log.exception("web.failed", request_id=g.request_id, path=request.path)
        return failed()


LEADS_TO = {
    "access.sign_in_needed": "sign_in.page",
    "access.sign_in_expired": "sign_in.page",
    "access.password_due": "sign_in.password",
}


def _told(error: AccessError) -> AccessError:
    """Who was signed in a while ago is told that this is over."""
    is_expired = error.key == "access.sign_in_needed" and the_visitor().is_expired
    return AccessError("access.sign_in_expired") if is_expired else error


def _led(error: AccessError) -> AnyResponse:
    """To the page where one can mend it, and from there back."""
    here = safe_next(this_page())
    return redirect(url_for(LEADS_TO[error.key], next=None if here == HOME else here), 303)


def _came_from() -> str:
    """The page whose form was sent, to go back to after a sign-in."""
    parts = urlsplit(request.referrer or "")
    if parts.netloc != request.host:
        return HOME
    return safe_next(f"{parts.path}?{parts.query}" if parts.query else parts.path)


def _status(error: KbError) -> int:
    if isinstance(error, QueryError):
        return 400
    if isinstance(error, AccessError):
        return ACCESS.get(error.key, 403)
    if isinstance(error, AccountError):
        return ACCOUNTS.get(error.key, 400)
    if isinstance(error, TopicError):
        return TOPICS.get(error.key, 400)
    if isinstance(error, EngineDownError | TooSlowError):
        return 503
    return STATUSES[error.key] if isinstance(error, StoreError) and error.key in STATUSES else 500


def _retry_header(error: KbError) -> dict[str, str]:
    """Headers that say when another try is worth it."""
    if isinstance(error, EngineDownError):
        return {"Retry-After": str(RETRY_SECONDS)}
    if isinstance(error, BusyError) or error.key in ("account.wait", "account.busy"):
        return {"Retry-After": str(error.facts.get("seconds", BUSY_SECONDS))}
    return {}


def _answer(status: int, error: KbError, headers: dict[str, str]) -> Response:
    """A page, or JSON where that was asked for."""
    if status >= 500:
        log.error("web.refused", request_id=g.request_id, path=request.path, status=status, reason=str(error))
    if _wants_json():
        response = jsonify(key=error.key, message=error.words("zh"), message_en=error.words("en"))
        response.status_code = status
    else:
        response = make_response(_page(status, error, g.request_id, headers.get("Retry-After")), status)
    response.headers.update(headers)
    return response


def _page(status: int, error: KbError, request_id: str, retry_seconds: str | None = None) -> str:
    return render_template(
        "error.html",
        status=status,
        heading=_heading(status, error),
        error=error,
        request_id=request_id,
        retry_seconds=retry_seconds,
        typed=_typed(error),
        plain=_plain(error),
        to_ask=_to_ask() if error.key == "access.role_needed" else (),
        sign_in_next=_came_from() if status == 401 else "",
    )


def _typed(error: KbError) -> tuple[str, str, str] | None:
    """A query that cannot be read: what stands before the place, there, and behind it."""
    text, place = request.args.get("q", ""), error.facts.get("place")
    if not isinstance(error, QueryError) or not isinstance(place, int):
        return None
    return text[: place - 1], text[place - 1 : place], text[place:]


def _to_ask() -> list[str]:
    """Names of the administrators, for somebody whose role is not enough."""
    with reading(the_library().database) as connection:
        return [user.full_name for user in users.administrators(connection)][:3]


def _plain(error: KbError) -> str:
    """The words of a query that cannot be read; "" when it has none."""
    text = request.args.get("q", "")
    words = plain_words(text) if isinstance(error, QueryError) and error.key not in NOT_TYPED else ""
    return "" if words == text else words


def _heading(status: int, error: KbError) -> str:
    if isinstance(error, QueryError):
        return "检索式有误"
    if isinstance(error, AccountError):
        return NO_ACCOUNT.get(error.key, HEADINGS.get(status, HEADINGS[400]))
    if error.key == "access.sign_in_expired":
        return "登录已过期"
    if isinstance(error, BusyError):
        return "请稍后再试"
    if isinstance(error, TopicError):
        return TOPIC_HEADINGS.get(error.key, "专题没有改动")
    if isinstance(error, StoreError) and status == 404:
        return NO_PAPER.get(error.key, "没有这篇文章")
    return HEADINGS.get(status, HEADINGS[400] if status < 500 else HEADINGS[500])


def _is_for_programs() -> bool:
    """Programs cannot fill in the sign-in form: a page instead of a feed would be no answer."""
    return _wants_json() or request.path.endswith((".atom", ".xml"))


def _wants_json() -> bool:
    return request.path.endswith(".json") or request.path == "/readyz"
