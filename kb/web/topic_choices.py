"""The articles of a topic that editors choose by hand: must-reads in order, and what is kept out although the rule finds it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kb import topics
from kb.errors import BusyError, KbError, QueryError, StoreError, TopicError
from kb.model import Topic
from kb.store import articles, chosen, limits
from kb.store import topics as stored_topics
from kb.store.chosen import Chosen
from kb.store.db import reading
from kb.store.reprints import copies
from kb.web.asked import page_numbers, read_number
from kb.web.ids import read_ids
from kb.web.library import the_library
from kb.web.topic_editing import done, editors, wanted, way_back
from kb.web.visitor import the_hidden, the_visitor
from kb.web.wording import number

blueprint = Blueprint("topic_choices", __name__)

SIZE = 50  # excluded articles on a page
MOST_AT_ONCE = 200  # lines of one form

Answer = tuple[str, int] | Response


# --- must-reads -----------------------------------------------------------------------------------------------


@blueprint.get("/t/<topic_slug>/pins")
@editors
def pins(topic_slug: str) -> str:
    return _pins_page(wanted(topic_slug))


def _pins_page(topic: Topic, error: KbError | None = None, typed: str = "") -> str:
    with reading(the_library().database) as connection:
        found = chosen.of(connection, topic.content.pinned, hidden=the_hidden())
    lines = [found[one] for one in topic.content.pinned if one in found]
    return render_template("topic_pins.html", topic=topic, lines=lines, error=error, typed=typed)


@blueprint.post("/t/<topic_slug>/pins")
@editors
def pin(topic_slug: str) -> Answer:
    """Make an article the last of the must-reads: a number, or an address."""
    topic, typed = wanted(topic_slug), request.form.get("article", "")
    try:
        (article,) = _articles(typed, most=1)
        topics.pin(the_library().database, the_visitor().actor, topic_slug, article.id)
    except (TopicError, StoreError) as error:
        return _refused(error, partial(_pins_page, topic, error, typed))
    flash(f"《{article.title}》已设为专题「{topic.content.name}」的必读。")
    return redirect(way_back() or url_for(".pins", topic_slug=topic_slug, _anchor=f"pin-{article.id}"), 303)


@blueprint.post("/t/<topic_slug>/pins/arrange")
@editors
def arrange(topic_slug: str) -> Response:
    """Move a must-read up, down, or to a place, 1 being the first of those shown; or take it out."""
    topic, article_id = wanted(topic_slug), _one_id()
    if request.form.get("do") == "remove":
        return unpin(topic_slug)
    with reading(the_library().database) as connection:
        found = chosen.of(connection, topic.content.pinned, hidden=the_hidden())
    shown = [one for one in topic.content.pinned if one in found]
    return done(
        topic_slug, lambda: _moved(topic, shown, article_id), "topic_choices.pins", f"pin-{article_id}"
    )


def _moved(topic: Topic, shown: Sequence[int], article_id: int) -> str:
    """`shown`: the must-reads that the visitor sees; the others keep their places among all."""
    if article_id not in shown:
        raise TopicError("topic.not_pinned", article_id=article_id)
    at = shown.index(article_id)
    wish = request.form.get("do")
    place = {"up": at, "down": at + 2}.get(wish or "") or _place(request.form.get("to", ""), at + 1)
    place = min(max(place, 1), len(shown))
    to = topic.content.pinned.index(shown[place - 1]) + 1
    topics.move(the_library().database, the_visitor().actor, topic.slug, article_id, to)
    return f"现在是第 {place} 篇必读。"


def _place(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else default


@blueprint.post("/t/<topic_slug>/pins/remove")
@editors
def unpin(topic_slug: str) -> Response:
    """Take an article out of the must-reads; it stays in the topic where the rule finds it."""
    article_id = _one_id()

    def change() -> str:
        _check_visible(article_id)
        topics.unpin(the_library().database, the_visitor().actor, topic_slug, article_id)
        return "已取消必读。规则仍能找到的，还在专题里。"

    return done(topic_slug, change, "topic_choices.pins")


# --- exclusions -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Excluded:
    """An article that is kept out, and why."""

    article: Chosen
    reason: str


@blueprint.get("/t/<topic_slug>/exclusions")
@editors
def exclusions(topic_slug: str) -> str:
    return _exclusions_page(wanted(topic_slug), MultiDict({"articles": request.args.get("article", "")}))


def _exclusions_page(topic: Topic, typed: MultiDict[str, str], error: KbError | None = None) -> str:
    excluded = topic.content.excluded[::-1]
    with reading(the_library().database) as connection:
        found = chosen.of(connection, [one.article_id for one in excluded], hidden=the_hidden())
    lines = [Excluded(found[one.article_id], one.reason) for one in excluded if one.article_id in found]
    last = max(1, math.ceil(len(lines) / SIZE))
    at = min(read_number(request.args, "page", default=1, least=1), last)
    return render_template(
        "topic_exclusions.html",
        topic=topic,
        lines=lines[(at - 1) * SIZE : at * SIZE],
        total=len(lines),
        error=error,
        typed=typed,
        number=at,
        page_numbers=page_numbers(at, last),
        address=lambda page: url_for("topic_choices.exclusions", topic_slug=topic.slug, page=page),
    )


@blueprint.post("/t/<topic_slug>/exclusions")
@editors
def exclude(topic_slug: str) -> Answer:
    """Keep articles out of a topic, with their copies if that is asked for."""
    topic, form = wanted(topic_slug), request.form
    try:
        found = _articles(form.get("articles", ""), most=MOST_AT_ONCE)
        ids = _with_copies([one.id for one in found]) if form.get("copies") else [one.id for one in found]
        topics.exclude(the_library().database, the_visitor().actor, topic_slug, ids, form.get("reason", ""))
    except (TopicError, StoreError) as error:
        return _refused(error, partial(_exclusions_page, topic, form, error))
    named = f"《{found[0].title}》" if len(found) == 1 else f"{number(len(found))} 篇文章"
    more = f"，连同转载共 {number(len(ids))} 篇" if len(ids) > len(found) else ""
    flash(f"已把{named}移出专题「{topic.content.name}」{more}。重建索引也不会回来；可在“移出的文章”里放回。")
    return redirect(way_back() or url_for(".exclusions", topic_slug=topic_slug), 303)


def _with_copies(ids: Sequence[int]) -> list[int]:
    """These articles and every copy of them that is shown to who asks."""
    hidden = the_hidden()
    with reading(the_library().database) as connection:
        stored = articles.many(connection, ids, hidden=hidden)
        roots = {one.reprint_of or one.id for one in stored.values()}
        groups = copies(connection, [*roots], hidden=hidden)
    return list(dict.fromkeys([*ids, *(copy.id for group in groups.values() for copy in group)]))


@blueprint.post("/t/<topic_slug>/exclusions/readmit")
@editors
def readmit(topic_slug: str) -> Response:
    """Let an article into a topic again where the rule finds it."""
    article_id = _one_id()

    def change() -> str:
        _check_visible(article_id)
        topics.readmit(the_library().database, the_visitor().actor, topic_slug, article_id)
        return "已放回。规则找得到它，它就在专题里。"

    return done(topic_slug, change, "topic_choices.exclusions")


# --- from the page of an article ------------------------------------------------------------------------------


@blueprint.post("/a/<id:article_id>/topics")
@editors
def choose(article_id: int) -> Response:
    """Make an article a must-read of a topic that is chosen on its page."""
    with reading(the_library().database) as connection:
        if article_id not in articles.shown(connection, [article_id], hidden=the_hidden()):
            raise StoreError("store.no_article", article_id=article_id)
    try:
        topic = wanted(request.form.get("topic", ""))
        topics.pin(the_library().database, the_visitor().actor, topic.slug, article_id)
        flash(f"已设为专题「{topic.content.name}」的必读。")
    except (TopicError, QueryError) as error:
        flash(error.words("zh"))
    return redirect(url_for("article.show", article_id=article_id), 303)


@blueprint.app_template_global("choosable_topics")
def choosable_topics(known: Sequence[Topic]) -> list[Topic]:
    """The topics beside those known that an article can be made a must-read of."""
    slugs = {one.slug for one in known}
    with reading(the_library().database) as connection:
        found = stored_topics.every(connection)
    return [one for one in found if one.content.state != "removed" and one.slug not in slugs]


# --- for all of these -----------------------------------------------------------------------------------------


def _articles(typed: str, *, most: int) -> list[Chosen]:
    """The articles of the lines typed, each an id or an address. Raises StoreError; one that is hidden is not there."""
    lines = list(dict.fromkeys(line.strip() for line in typed.splitlines() if line.strip()))
    if len(lines) > most:
        raise TopicError("topic.too_many", field="一次填写", count=len(lines), limit=most)
    with reading(the_library().database) as connection:
        ids = [limits.article_named(connection, line) or 0 for line in lines]
        present = articles.shown(connection, ids, hidden=the_hidden())
        found = chosen.of(connection, present, hidden=the_hidden())
    for line, article_id in zip(lines, ids, strict=True):
        if article_id not in found:
            raise StoreError("limit.no_article", name=line)
    if not lines:
        raise StoreError("limit.no_article", name="")
    return [found[one] for one in dict.fromkeys(ids)]


def _check_visible(article_id: int) -> None:
    """Raises StoreError("store.no_article") for one that is hidden from who asks, as for one that is not there."""
    with reading(the_library().database) as connection:
        if article_id not in chosen.of(connection, [article_id], hidden=the_hidden()):
            raise StoreError("store.no_article", article_id=article_id)


def _one_id() -> int:
    """The article of a form with one; 0, which none has, where there is none."""
    return next(iter(read_ids(request.form.getlist("article"))), 0)


def _refused(error: KbError, page: Callable[[], str]) -> Answer:
    """What cannot be done, said beside what was typed, or on the page that the form came from."""
    if isinstance(error, BusyError):
        raise error
    if (came_from := way_back()) is None:
        return page(), 400
    flash(error.words("zh"))
    return redirect(came_from, 303)
