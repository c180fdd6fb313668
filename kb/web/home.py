"""The home page: the search box, what the library holds, the newest pieces."""

from __future__ import annotations

from flask import Blueprint, render_template

from kb.errors import KbError
from kb.model import Hidden
from kb.search import Search
from kb.store import articles
from kb.store.db import reading
from kb.web.access import readers
from kb.web.library import the_library
from kb.web.visitor import the_hidden

NEWEST = 12
POPULAR = 6  # queries

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@readers
def page() -> str:
    hidden, library = the_hidden(), the_library()
    with reading(library.database) as connection:
        summary = articles.summary(connection, hidden=hidden)
        newest = articles.newest(connection, NEWEST, hidden=hidden)
        popular = library.log.popular(connection)
    if not hidden.is_empty:
        search = library.search
        popular = [query for query in popular if _finds(search, query, hidden)]
    return render_template("home.html", summary=summary, newest=newest, popular=popular[:POPULAR])


def _finds(search: Search, query: str, hidden: Hidden) -> bool:
    """Whether a query finds what the visitor may see; what cannot be asked now is not shown."""
    try:
        return search.count(query, hidden=hidden) > 0
    except KbError:
        return False
