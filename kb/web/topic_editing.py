"""Topics as editors change them: name, rule, introduction, history. Its articles: kb.web.topic_choices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kb import topics
from kb.errors import BusyError, KbError, QueryError, StoreError, TopicError
from kb.model import Topic, TopicContent
from kb.store import topics as stored
from kb.store.db import reading
from kb.topic_checks import check_rule
from kb.web.access import only
from kb.web.asked import read_number
from kb.web.forms import HOME, safe_next
from kb.web.library import the_library
from kb.web.markdown import introduction
from kb.web.topic_form import (
    FIELDS,
    STATES,
    around,
    clashes,
    content_of,
    is_unchanged,
    merged,
    sent,
    tried,
    typed_of,
)
from kb.web.topic_history import changes, lines
from kb.web.visitor import the_hidden, the_visitor

blueprint = Blueprint("topic_editing", __name__)

editors = only("editor", "trainer", "admin")
EMPTY = TopicContent("", "", state="draft")
Answer = str | tuple[str, int] | Response


# --- the form -------------------------------------------------------------------------------------------------


@blueprint.get("/topics/new")
@editors
def new() -> str:
    return _form(None, typed_of(EMPTY) | {"rule": request.args.get("rule", "")})


@blueprint.post("/topics/new")
@editors
def add() -> Answer:
    """Keep a new topic, or show what was typed with what it would bring."""
    typed = sent(request.form)
    if (shown := _looked_at(None, typed)) is not None:
        return shown
    try:
        content = content_of(typed, EMPTY)
        made = topics.create(
            the_library().database, the_visitor().actor, request.form.get("slug", ""), content
        )
    except (TopicError, QueryError) as error:
        return _form(None, typed, error=error), 400
    flash(f"已建立专题「{made.content.name}」。" + _said(made))
    return redirect(page_of(made), 303)


@blueprint.get("/t/<topic_slug>/edit")
@editors
def edit(topic_slug: str) -> str:
    topic = wanted(topic_slug)
    return _form(topic, typed_of(topic.content))


@blueprint.post("/t/<topic_slug>/edit")
@editors
def save(topic_slug: str) -> Answer:
    """Keep a new version, or show what was typed with what it would bring, or beside what somebody else kept."""
    typed = sent(request.form)
    topic, before = _with_before(topic_slug, request.form.get("version", ""))
    if (shown := _looked_at(topic, typed)) is not None:
        return shown
    if before is None or not is_unchanged(before, topic.content):
        return _clashed(topic, merged(typed, before, topic.content))
    note = request.form.get("note", "").strip() or _named(typed, topic.content)
    try:
        content = content_of(typed, topic.content)
        kept = topics.change(
            the_library().database, the_visitor().actor, topic_slug, content, version=topic.version, note=note
        )
    except (TopicError, QueryError) as error:
        if error.key == "topic.changed_meanwhile":
            now = wanted(topic_slug)
            return _clashed(now, merged(typed, before, now.content))
        return _form(topic, typed, error=error), 400
    is_new = kept.version != topic.version
    flash((f"已保存「{kept.content.name}」第 {kept.version} 版。" if is_new else "没有改动。") + _said(kept))
    return redirect(page_of(kept), 303)


def _looked_at(topic: Topic | None, typed: dict[str, str]) -> Answer | None:
    """The form with what was asked for beside saving; None where it was to be saved."""
    wish = request.form.get("do")
    if wish == "preview":
        return _form(topic, typed, is_preview=True)
    if wish != "try":
        return None
    content = content_of(typed, topic.content if topic else EMPTY)
    try:
        check_rule(content.rule, datetime.now().astimezone().date())
        return _form(topic, typed, trial=tried(the_library().search, content, the_hidden()))
    except KbError as error:
        is_theirs = isinstance(error, QueryError | TopicError)
        return _form(topic, typed, error=error), 400 if is_theirs else 503


def _with_before(slug: str, version: str) -> tuple[Topic, TopicContent | None]:
    """A topic as it is now, and what the version held that the form was filled with; None where there is no such one."""
    with reading(the_library().database) as connection:
        topic = topics.one(connection, slug)
        history = stored.history(connection, topic.id)
    found = next((old.content for old in history if str(old.version) == version), None)
    return topic, found


def _clashed(topic: Topic, typed: dict[str, str]) -> tuple[str, int]:
    """What was typed beside what somebody else kept meanwhile: to be saved again, over it."""
    error = TopicError("topic.changed_meanwhile", by=topic.editor or "kb", version=topic.version)
    return _form(topic, typed, error=error, clashes=clashes(typed, topic.content)), 409


def _named(typed: dict[str, str], content: TopicContent) -> str:
    """改名称、收录规则: for whoever gave no note."""
    before = typed_of(content)
    names = [label for name, label in FIELDS.items() if typed[name].strip() != before[name]]
    return f"改{'、'.join(names)}" if names else ""


def _said(topic: Topic) -> str:
    return "它是草稿，只有能编辑专题的人看得到。" if topic.content.state == "draft" else ""


def _form(topic: Topic | None, typed: dict[str, str], *, error: KbError | None = None, **more: Any) -> str:
    with reading(the_library().database) as connection:
        others = stored.every(connection)
    is_preview = more.pop("is_preview", False)
    facts: dict[str, Any] = {"trial": None, "clashes": (), **more}
    return render_template(
        "topic_edit.html",
        topic=topic,
        typed=typed,
        slug=request.form.get("slug", ""),
        note=request.form.get("note", ""),
        error=error,
        placed=around(typed["rule"], error),
        based_on=_base(topic, is_clash=bool(facts["clashes"])),
        preview=introduction(typed["introduction"]) if is_preview else None,
        parents=_parents(topic, others),
        states=STATES,
        **facts,
    )


def _base(topic: Topic | None, *, is_clash: bool) -> str:
    """The version that the form was filled with: kept from one sending to the next, until what differs was shown."""
    if topic is None:
        return ""
    return str(topic.version) if is_clash else request.form.get("version", str(topic.version))


def _parents(topic: Topic | None, others: list[Topic]) -> list[Topic]:
    """The topics under which this one may stand: there are two levels."""
    slug = topic.slug if topic else None
    present = [one for one in others if one.content.state != "removed"]
    if slug and any(one.content.parent == slug for one in present):
        return []
    return [one for one in present if one.slug != slug and one.content.parent is None]


# --- history --------------------------------------------------------------------------------------------------


@blueprint.get("/t/<topic_slug>/history")
@editors
def history(topic_slug: str) -> str:
    """Every version, and of one of them what it changed, or what has been changed since."""
    with reading(the_library().database) as connection:
        topic = topics.one(connection, topic_slug)
        versions = stored.history(connection, topic.id)
        number = read_number(request.args, "version", default=topic.version, least=1)
        against = read_number(request.args, "against", default=number - 1, least=0)
        old, new = _version(versions, against), _version(versions, number)
        found = changes(connection, old, new, the_hidden())
    return render_template(
        "topic_history.html",
        topic=topic,
        lines=lines(versions, the_hidden()),
        number=number,
        against=against,
        changes=found,
        states=STATES,
    )


def _version(versions: list[Topic], number: int) -> TopicContent:
    """What a version held; before the first there was nothing. Raises TopicError("topic.no_version")."""
    if number == 0:
        return EMPTY
    found = next((one.content for one in versions if one.version == number), None)
    if found is None:
        raise TopicError("topic.no_version", slug=versions[0].slug, version=number)
    return found


@blueprint.post("/t/<topic_slug>/restore")
@editors
def restore(topic_slug: str) -> Response:
    """Make what an old version held that of a new one."""
    number = read_number(request.form, "version", default=0, least=1)
    return done(topic_slug, lambda: _restored(topic_slug, number), "topic_editing.history")


def _restored(slug: str, number: int) -> str:
    kept = topics.restore(the_library().database, the_visitor().actor, slug, number)
    return f"已按第 {number} 版恢复，现在是第 {kept.version} 版。"


@blueprint.post("/t/<topic_slug>/remove")
@editors
def remove(topic_slug: str) -> Response:
    """Show a topic nowhere any more."""
    return done(topic_slug, lambda: _removed(topic_slug), "topic_editing.history")


def _removed(slug: str) -> str:
    kept = topics.remove(the_library().database, the_visitor().actor, slug)
    return f"已移除专题「{kept.content.name}」，读者不再看到它。可以在本页放回。"


@blueprint.post("/t/<topic_slug>/put-back")
@editors
def put_back(topic_slug: str) -> Response:
    """Show a removed topic again, or as the draft that it was."""
    return done(topic_slug, lambda: _put_back(topic_slug), "topic_editing.history")


def _put_back(slug: str) -> str:
    kept = topics.put_back(the_library().database, the_visitor().actor, slug)
    return f"已放回专题「{kept.content.name}」。" + _said(kept)


# --- for all of these -----------------------------------------------------------------------------------------


def wanted(slug: str) -> Topic:
    """A topic, whatever its state. Raises TopicError("topic.unknown")."""
    with reading(the_library().database) as connection:
        return topics.one(connection, slug)


def done(slug: str, change: Callable[[], str], endpoint: str, anchor: str | None = None) -> Response:
    """Make a change and say what was done, or why it could not be, on the page from which it was asked for."""
    wanted(slug)
    try:
        flash(change())
    except (TopicError, StoreError, QueryError) as error:
        if isinstance(error, BusyError):
            raise
        flash(error.words("zh"))
    return redirect(way_back() or url_for(endpoint, topic_slug=slug, _anchor=anchor), 303)


def way_back() -> str | None:
    """The page from which a form came, where it says so."""
    found = safe_next(request.form.get("next"))
    return None if found == HOME else found


def page_of(topic: Topic) -> str:
    return url_for("topics.page", topic_slug=topic.slug)
