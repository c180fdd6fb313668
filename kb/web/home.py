"""The home page: the search box, what the library holds, the newest pieces."""

from __future__ import annotations

from flask import Blueprint, render_template

from kb.store import articles
from kb.store.db import reading
from kb.web.access import readers
from kb.web.library import the_library
from kb.web.visitor import the_hidden

NEWEST = 12

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@readers
def page() -> str:
    hidden, library = the_hidden(), the_library()
    with reading(library.database) as connection:
        summary = articles.summary(connection, hidden=hidden)
        newest = articles.newest(connection, NEWEST, hidden=hidden)
        popular = library.log.popular(connection)
    shown = library.popular.shown(popular, library.search, hidden)
    return render_template("home.html", summary=summary, newest=newest, popular=shown)
