"""Which sources and articles show to people of some units alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kb import ingest
from kb.errors import BusyError, ConfigError, StoreError
from kb.store import articles, limits, units
from kb.store.db import reading, writing
from kb.store.limits import Kind
from kb.web.access import only
from kb.web.asked import page_numbers, read_number
from kb.web.ids import read_ids
from kb.web.library import the_library
from kb.web.visitor import the_hidden, the_visitor
from kb.web.wording import number

blueprint = Blueprint("admin_limits", __name__)

SIZE = 50  # limited articles on a page
MOST_AT_ONCE = 500  # lines of one form
NAMED = 20  # ids in a message


@blueprint.get("/admin/limits")
@only("admin")
def page() -> str:
    return _shown(MultiDict({"articles": request.args.get("article", "")}))


@blueprint.post("/admin/limits")
@only("admin")
def put() -> tuple[str, int] | Response:
    """Limit a source or articles to units. What cannot be done is said beside what was typed."""
    try:
        with writing(the_library().database) as connection:
            told = _put(connection, request.form)
    except BusyError:
        raise
    except StoreError as error:
        return _shown(request.form, error), 400
    flash(told)
    return redirect(url_for("admin_limits.page"), 303)


@blueprint.post("/admin/limits/lift")
@only("admin")
def lift() -> Response:
    """Show a source or an article to everybody again."""
    try:
        kind, name = _named(request.form)
        with writing(the_library().database) as connection:
            limits.lift(connection, the_visitor().actor, kind, name)
        flash(f"{'来源' if kind == 'source' else '文章'} {name} 现在对所有人显示。")
    except StoreError as error:
        flash(error.words("zh"))
    return redirect(url_for("admin_limits.page", about=request.form.get("about") or None), 303)


def _named(form: Mapping[str, str]) -> tuple[Kind, str | int]:
    """What a form is about. Raises StoreError."""
    kind, name = form.get("kind"), form.get("name", "")
    if kind == "article" and name.isdecimal() and len(name) < 19:
        return "article", int(name)
    if kind != "source":
        raise StoreError("limit.none", name=name)
    return "source", name


def _put(connection: Connection, form: MultiDict[str, str]) -> str:
    """Set what the form says; returns what it did. Raises StoreError."""
    actor, to = the_visitor().actor, read_ids(form.getlist("units"))
    if form.get("kind") == "source":
        source = form.get("source", "")
        if source not in _sources(connection):
            raise StoreError("limit.no_source", name=source)
        limits.put(connection, actor, "source", source, to)
        count = limits.articles_of(connection, [source]).get(source, 0)
        return f"来源 {source} 现在只对所选单位显示，对其他人隐藏 {number(count)} 篇；以后入库的也一样。"
    ids = _ids(connection, form.get("articles", ""))
    if form.get("copies"):
        ids += limits.open_copies(connection, ids)
    for one in ids:
        limits.put(connection, actor, "article", one, to)
    hides = len(articles.shown(connection, ids))
    return f"现在只对所选单位显示，对其他人隐藏 {number(hides)} 篇：{_listed(ids)}。" + _open(connection, ids)


def _open(connection: Connection, ids: Sequence[int]) -> str:
    """What still tells the same text to everybody."""
    copies = limits.open_copies(connection, ids)
    return f"另有同文转载没有限制：{_listed(copies)}。" if copies else ""


def _listed(ids: Sequence[int]) -> str:
    more = f" 等 {len(ids)} 篇" if len(ids) > NAMED else ""
    return "编号 " + "、".join(map(str, ids[:NAMED])) + more


def _ids(connection: Connection, typed: str) -> list[int]:
    """The articles of the lines typed, each an id or an address. Raises StoreError."""
    lines = list(dict.fromkeys(line.strip() for line in typed.splitlines() if line.strip()))
    if len(lines) > MOST_AT_ONCE:
        raise StoreError("limit.too_many", limit=MOST_AT_ONCE)
    found = [(line, limits.article_named(connection, line)) for line in lines]
    for line, article_id in found:
        if article_id is None:
            raise StoreError("limit.no_article", name=line)
    if not found:
        raise StoreError("limit.no_article", name="")
    return list(dict.fromkeys(cast(int, article_id) for _, article_id in found))


def _sources(connection: Connection) -> dict[str, int]:
    """Every source that kb knows or has articles of, with how many."""
    try:
        known = ingest.load_sources(the_library().settings)
    except ConfigError:  # a source's file is broken, which the page of sources tells
        known = {}
    return {**dict.fromkeys(sorted(known), 0), **limits.articles_of(connection)}


def _shown(typed: MultiDict[str, str], error: StoreError | None = None) -> str:
    text = request.args.get("about", "").strip()
    at = read_number(request.args, "page", default=1, least=1)
    hidden = the_hidden()
    with reading(the_library().database) as connection:
        found, total = limits.of_articles(connection, text, offset=(at - 1) * SIZE, limit=SIZE)
        facts: dict[str, Any] = {
            "sources": limits.of_sources(connection, text),
            "articles": found,
            "total": total,
            # Who sets a limit may be outside of it: then there is nothing to open.
            "opened": articles.shown(connection, [int(one.name) for one in found], hidden=hidden),
            "known_sources": _sources(connection),
            "known_units": units.every(connection),
        }
    last = max(1, math.ceil(total / SIZE))
    return render_template(
        "admin_limits.html", text=text, typed=typed, error=error, number=at,
        page_numbers=page_numbers(min(at, last), last),
        address=lambda wanted: url_for("admin_limits.page", about=text or None, page=wanted), **facts,
    )  # fmt: skip
