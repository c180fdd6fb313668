"""Topics (专题): the index of all, and the page of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import (
    Blueprint,
    Response,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from kb import topic_statistics
from kb import topics as use_case
from kb.errors import TooSlowError, TopicError
from kb.export import audit_table
from kb.model import SHOWN_STATUSES, Found, Results, StoredArticle, Topic
from kb.rewriting import both
from kb.store import articles, topics
from kb.store.db import reading
from kb.text.keyness import Phrase
from kb.topics import tree
from kb.web import chart, search, visits
from kb.web.access import may, readers
from kb.web.asked import Asked, read, read_number, value_label
from kb.web.library import the_library
from kb.web.markdown import introduction
from kb.web.visitor import the_hidden

EDITING = "topic_editing.edit"  # who may use that view sees drafts and removed ones
LEADING = 8  # newspapers, units, related topics that are told
NEW = 20  # of the articles since the last visit that are listed
COLUMNS = ("月份", "本专题篇数", "全库篇数")  # of the table of months
LIMIT = 100  # results that one answer for scripts holds

blueprint = Blueprint("topics", __name__)


@blueprint.get("/topics")
@readers
def index() -> str:
    with reading(the_library().database) as connection:
        known = topics.every(connection)
    shown = [topic for topic in known if topic.content.state == "shown"]
    others = [topic for topic in known if topic.content.state != "shown"] if may(EDITING) else []
    counts = the_library().search.counts(hidden=the_hidden()) if shown else {}
    return render_template("topics.html", tree=tree(shown), counts=counts, others=others)


@blueprint.get("/t/<topic_slug>")
@readers
def page(topic_slug: str) -> str | AnyResponse:
    around = _around(topic_slug)
    asked = read(request.args, topic=around.topic)
    if within := request.args.get("within", "").strip():
        return redirect(asked.url(text=both(asked.text, within) if asked.text else within))
    size = the_library().settings.page_size
    results = search.found(asked, (asked.page - 1) * size, size)
    whole = _whole(around.topic)
    is_shown = around.topic.content.state == "shown"  # others have no feed
    visit = visits.of_page(max(whole.ids, default=0))
    new = _new(around.topic, visit.before)
    shown = render_template(
        "topic.html",
        **search.list_facts(asked, _beside(results, around.topic)),
        topic=around.topic,
        above=around.above,
        related=(),
        fresh=set(new.ids) if new else (),
        chart=_chart(asked, whole),
        is_empty=not whole.articles,
        feed=url_for("feeds.topic", topic_slug=topic_slug) if is_shown else None,
        **({} if asked.is_narrowed else _front(around, whole, new)),
    )
    response = make_response(shown)
    visits.remember(response, visit, asked.path)
    return response


@blueprint.get("/t/<topic_slug>.json")
@readers
def answer(topic_slug: str) -> Response:
    """The topic, its articles as /search.json gives them, and how many there are of each month."""
    around = _around(topic_slug)
    asked = read(request.args, copies=True, topic=around.topic)
    size = the_library().settings.page_size
    limit = read_number(request.args, "limit", default=size, least=0, most=LIMIT)
    offset = read_number(request.args, "offset", default=(asked.page - 1) * size, least=0)
    whole, content = _whole(around.topic), around.topic.content
    pinned = _must_reads(around.topic)
    record = {
        "slug": around.topic.slug,
        "name": content.name,
        "introduction": content.introduction,
        "rule": content.rule,
        "version": around.topic.version,
        "changed_at": around.topic.changed_at,
        "parent": around.above.slug if around.above else None,
        "children": [{"slug": one.slug, "name": one.content.name} for one in around.children],
        "pinned": [{"id": stored.id, "title": stored.article.title} for stored in pinned],
        "articles": whole.articles,
        "months": dict(sorted(whole.facets["month"])),
        "found": search.told(search.found(asked, offset, limit)),
    }
    return jsonify(record)


@blueprint.get("/t/<topic_slug>.csv")
@readers
def table(topic_slug: str) -> Response:
    """The articles of the topic and of the whole library by month; a month that the library has nothing of is not there."""
    counts = dict(_whole(_around(topic_slug).topic).facets["month"])
    months = the_library().search.coverage(hidden=the_hidden())
    records = (
        dict(zip(COLUMNS, (month or "日期不详", counts.get(month, 0), months[month]), strict=True))
        for month in sorted(months)
    )
    response = Response("".join(audit_table.table(COLUMNS, records)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="kb-topic-{topic_slug}.csv"'
    return response


# --- one topic --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Around:
    """A topic with what stands above and under it, as far as the visitor is shown it."""

    topic: Topic
    above: Topic | None
    children: tuple[Topic, ...]


def _around(slug: str) -> Around:
    """Raises TopicError("topic.unknown") also for what only editors see."""
    with reading(the_library().database) as connection:
        topic = use_case.one(connection, slug)
        known = topics.every(connection)
    if topic.content.state != "shown" and not may(EDITING):
        raise TopicError("topic.unknown", slug=slug)
    shown = [one for one in known if one.content.state == "shown"]
    above = next((one for one in shown if one.slug == topic.content.parent), None)
    return Around(topic, above, tuple(one for one in shown if one.content.parent == slug))


def _whole(topic: Topic) -> Found:
    """All of a topic, counted; of its articles the last that came."""
    facets = ("month", "newspaper", "affiliation", "topic")
    hidden = the_hidden()
    return the_library().search.matches(topic=topic, hidden=hidden, facets=facets, sort="added_last", limit=1)


def _new(topic: Topic, before: int | None) -> Found | None:
    """What came into a topic after an article; None where nobody knows from when on."""
    if before is None:
        return None
    hidden = the_hidden()
    return the_library().search.matches(
        topic=topic, hidden=hidden, after=before, sort="added_last", limit=NEW
    )


def _must_reads(topic: Topic) -> list[StoredArticle]:
    """Those that are still there and may be seen, in the order that editors chose."""
    return _stored(topic.content.pinned)


def _stored(ids: Sequence[int]) -> list[StoredArticle]:
    if not ids:
        return []
    hidden = the_hidden()
    with reading(the_library().database) as connection:
        found = articles.many(connection, ids, hidden=hidden)
    return [found[one] for one in ids if one in found and found[one].status in SHOWN_STATUSES]


def _front(around: Around, whole: Found, new: Found | None) -> dict[str, Any]:
    """What the page says of the whole topic before its list."""
    topic, facets = around.topic, whole.facets
    names = {one.content.name for one in (topic, *around.children, around.above) if one}
    beside = [(name, count) for name, count in facets["topic"] if name and name not in names]
    counts = the_library().search.counts(hidden=the_hidden()) if around.children or beside else {}
    with reading(the_library().database) as connection:
        slugs = {one.content.name: one.slug for one in topics.every(connection)}
    return {
        "introduction": introduction(topic.content.introduction),
        "children": [(one, counts.get(one.content.name, 0)) for one in around.children],
        "must_reads": _must_reads(topic),
        "new": new,
        "new_articles": _stored(new.ids) if new else [],
        "newspapers": _leading("newspaper", whole),
        "affiliations": _leading("affiliation", whole),
        "phrases": _phrases(topic),
        "related_topics": [(name, slugs[name], count) for name, count in beside[:LEADING]],
    }


def _leading(facet: str, whole: Found) -> list[tuple[str, str, int]]:
    """The most frequent values with what they are called, and their articles."""
    return [(value, value_label(facet, value), count) for value, count in whole.facets[facet][:LEADING]]


def _phrases(topic: Topic) -> list[Phrase]:
    """Of what everybody may see; none where counting takes too long, which is no reason to show no page."""
    library = the_library()
    try:
        return topic_statistics.phrases(library.search, library.database, topic)
    except TooSlowError:
        return []


def _beside(results: Results, topic: Topic) -> Results:
    """The results without the topic itself among the topics to choose from."""
    others = tuple(pair for pair in results.facets.get("topic", ()) if pair[0] != topic.content.name)
    return replace(results, facets={**results.facets, "topic": others})


def _chart(asked: Asked, whole: Found) -> chart.Chart:
    chosen, path = asked.filters.only, asked.path

    def address(period: str) -> str:  # thousands of them: url_for would take its time
        return f"{path}?year={period[:4]}" + (f"&month={period}" if len(period) == 7 else "")

    return chart.drawn(
        "months",
        "各月篇数",
        chart.counted(whole.facets["month"]),
        covered=[month for month in the_library().search.coverage(hidden=the_hidden()) if month],
        address=address,
        chosen=chosen.get("month", ()) or chosen.get("year", ()),
    )
