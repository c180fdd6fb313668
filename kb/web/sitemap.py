"""For search engines and browsers: the sitemap, robots.txt, the description of the search box. Only what everybody may see."""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template, url_for
from sqlalchemy import Connection

from kb.model import Hidden
from kb.store import limits, presence, topics
from kb.store.db import reading
from kb.web.access import public, readers
from kb.web.addresses import absolute
from kb.web.atom import xml
from kb.web.conditional import conditional
from kb.web.library import the_library

ADDRESSES = 50_000  # of one file, the most that sitemaps.org/protocol.html lets one have
PAGES = ("home.page", "papers.index", "help.front")
NOT_FOR_ROBOTS = (
    "/search",
    "/suggest",
    "/formulations",
    "/t/*?",
    "/api/",
    "/saved/",
    "/me",
    "/admin",
    "/login",
    "/first",
    "/password",
)

blueprint = Blueprint("sitemap", __name__)


@blueprint.get("/sitemap.xml")
@readers
def index() -> Response:
    """The files: number 0 has the pages and topics, each other one the articles of some ids."""
    with reading(the_library().database) as connection:
        last = presence.last_shown(connection, hidden=_from_strangers(connection))
    numbers = range(-(-last // ADDRESSES) + 1)
    files = [absolute(url_for("sitemap.part", number=number)) for number in numbers]
    return xml(render_template("sitemap_index.xml", files=files), "application/xml")


@blueprint.get("/sitemap-<id:number>.xml")
@readers
def part(number: int) -> Response:
    """One of the files: addresses, each with the moment of its last change where that is known."""
    with reading(the_library().database) as connection:
        hidden = _from_strangers(connection)
        if number > -(-presence.last_shown(connection, hidden=hidden) // ADDRESSES):
            abort(404)
        if number == 0:
            lines = _pages(connection)
        else:
            last = number * ADDRESSES
            shown = presence.changes(connection, last - ADDRESSES, last, hidden=hidden)
            front = absolute("/a/")
            lines = [(f"{front}{article_id}", at) for article_id, at in shown]
    return xml(render_template("sitemap.xml", lines=lines), "application/xml")


@blueprint.get("/robots.txt")
@public
def robots() -> Response:
    """What robots may read: the library where everybody may, and nothing else."""
    if the_library().settings.anonymous_reading:
        rules = [f"Disallow: {path}" for path in NOT_FOR_ROBOTS]
        rules.append(f"Sitemap: {absolute(url_for('sitemap.index'))}")
    else:
        rules = ["Disallow: /"]
    text = "\n".join(("User-agent: *", *rules, ""))
    return conditional(Response(text, content_type="text/plain; charset=utf-8"))


@blueprint.get("/opensearch.xml")
@public
def opensearch() -> Response:
    """The search box for browsers (OpenSearch 1.1)."""
    text = render_template(
        "opensearch.xml",
        page=absolute(url_for("search.page")),
        feed=absolute(url_for("feeds.search")),
        icon=absolute(url_for("static", filename="icon.svg")),
        address=absolute(url_for("sitemap.opensearch")),
    )
    return xml(text, "application/opensearchdescription+xml")


def _from_strangers(connection: Connection) -> Hidden:
    """What belongs to no unit may not see: the files are the same for everybody."""
    return limits.hidden(connection, ())


def _pages(connection: Connection) -> list[tuple[str, str]]:
    shown = [one for one in topics.every(connection) if one.content.state == "shown"]
    pages = [(absolute(url_for(endpoint)), "") for endpoint in PAGES]
    return pages + [(absolute(url_for("topics.page", topic_slug=one.slug)), one.changed_at) for one in shown]
