"""The home page: the search box, what the library holds, the newest pieces."""

from __future__ import annotations

from flask import Blueprint, render_template

from kb.store import articles
from kb.store.db import reading
from kb.web.access import readers
from kb.web.library import the_library

NEWEST = 12

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@readers
def page() -> str:
    with reading(the_library().database) as connection:
        summary = articles.summary(connection)
        newest = articles.newest(connection, NEWEST)
        popular = the_library().log.popular(connection)
    return render_template("home.html", summary=summary, newest=newest, popular=popular)
