"""Saved searches: kept by name, each with a feed. Whoever opens one sees what he or she may see, not what its owner may."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from kb.errors import AccessError, KbError, StoreError
from kb.model import NOTHING_HIDDEN
from kb.store import saved_searches
from kb.store.db import reading, writing
from kb.store.saved_searches import Saved
from kb.web import asked, feeds
from kb.web.access import readers, signed_in
from kb.web.library import the_library
from kb.web.visitor import the_hidden, the_visitor

COUNT_SECONDS = 0.2  # that one count of what is new may take on the page of a person

blueprint = Blueprint("saved", __name__)


@blueprint.get("/saved/<code>")
@readers
def show(code: str) -> AnyResponse:
    """To the search."""
    return redirect(_read(_found(code).asked).url(), 303)


@blueprint.get("/saved/<code>.atom")
@readers
def feed(code: str) -> Response:
    """What was added last of what it finds, for whoever asks."""
    saved = _found(code)
    path = url_for("saved.feed", code=code)
    return feeds.of_search(_read(saved.asked, copies=True), f"feed/saved/{code}", f"检索：{saved.name}", path)


@blueprint.post("/saved")
@signed_in
def save() -> AnyResponse:
    """Save the search of a page of results."""
    wanted = _read(request.form.get("asked", ""))
    last = _last()
    with _told(), writing(the_library().database) as connection:
        name = request.form.get("name", "") or wanted.text[: saved_searches.NAME_CHARS]
        saved_searches.add(connection, _user_id(), name, urlencode(wanted.kept("copies")), last)
        flash(f"已保存检索「{name.strip()}」。")
    return _back()


@blueprint.post("/saved/<code>/rename")
@signed_in
def rename(code: str) -> AnyResponse:
    with _told(), writing(the_library().database) as connection:
        saved_searches.rename(connection, _own(connection, code), request.form.get("name", ""))
        flash("已改名。")
    return _back()


@blueprint.post("/saved/<code>/seen")
@signed_in
def seen(code: str) -> AnyResponse:
    """What is there now is no longer new; on to the search, the newest first."""
    last = _last()
    with writing(the_library().database) as connection:
        saved = _own(connection, code)
        saved_searches.seen(connection, saved, last)
    return redirect(_read(saved.asked).url(sort="newest"), 303)


@blueprint.post("/saved/<code>/delete")
@signed_in
def delete(code: str) -> AnyResponse:
    with writing(the_library().database) as connection:
        saved_searches.remove(connection, _own(connection, code))
    flash("已删除保存的检索。")
    return _back()


def lines(connection: Connection) -> list[tuple[Saved, int | None]]:
    """The searches of who asks, each with how many articles are new; None where that cannot be told now."""
    return [(saved, _new(saved)) for saved in saved_searches.of_user(connection, _user_id())]


def _last() -> int:
    """The id of the last article that can be found now, whoever may see it; 0: none.

    Of the index, not of the store: what waits to be indexed is new when it can be found.
    """
    return max(the_library().search.matches(sort="added_last", limit=1, hidden=NOTHING_HIDDEN).ids, default=0)


def _new(saved: Saved) -> int | None:
    try:
        found = the_library().search.matches(
            **saved.question(), after=saved.seen_id, limit=0, seconds=COUNT_SECONDS, hidden=the_hidden()
        )
    except KbError:
        return None
    return found.articles


@contextmanager
def _told() -> Iterator[None]:
    """What cannot be is said on the page that one comes back to."""
    try:
        yield
    except StoreError as error:
        if not error.key.startswith("saved."):
            raise
        flash(error.words("zh"))


def _read(text: str, *, copies: bool = False) -> asked.Asked:
    """A search from its address; people see copies grouped, programs get each article. Raises QueryError."""
    return asked.read(MultiDict(parse_qsl(text, keep_blank_values=True)), copies=copies)


def _found(code: str) -> Saved:
    with reading(the_library().database) as connection:
        return saved_searches.by_code(connection, code) or abort(404)


def _own(connection: Connection, code: str) -> Saved:
    """A search of who asks; that of somebody else is not there."""
    saved = saved_searches.by_code(connection, code)
    return saved if saved is not None and saved.user_id == _user_id() else abort(404)


def _user_id() -> int:
    user = the_visitor().user
    if user is None:
        raise AccessError("access.sign_in_needed")
    return user.id


def _back() -> AnyResponse:
    return redirect(url_for("me.page", _anchor="saved"), 303)
