"""The web application: pages for people, JSON for scripts. Server-rendered; no page needs JavaScript."""

from __future__ import annotations

import structlog
from flask import Flask
from flask.json.provider import DefaultJSONProvider
from jinja2 import StrictUndefined
from sqlalchemy import Engine as Database

from kb import __version__, config, log, topic_files
from kb.config import Settings
from kb.errors import AuditError, StoreError
from kb.present import PresentSearch
from kb.store.db import open_database
from kb.suggest import Suggester
from kb.web import (
    access,
    advanced,
    api,
    article,
    callers,
    display,
    feeds,
    forms,
    formulations,
    headers,
    health,
    help,
    home,
    ids,
    library,
    limiting,
    me,
    metrics,
    papers,
    problems,
    saved,
    search,
    sign_in,
    sitemap,
    suggest,
    tokens,
    topic_choices,
    topic_editing,
    topics,
    visitor,
    wording,
)
from kb.web.admin import audit as admin_audit
from kb.web.admin import home as admin_home
from kb.web.admin import lexicon as admin_lexicon
from kb.web.admin import limits as admin_limits
from kb.web.admin import queries as admin_queries
from kb.web.admin import review as admin_review
from kb.web.admin import runs as admin_runs
from kb.web.admin import sources as admin_sources
from kb.web.admin import units as admin_units
from kb.web.admin import upload as admin_upload
from kb.web.admin import users as admin_users
from kb.web.asked import SCOPES
from kb.web.search_log import SearchLog

PARTS = (home, search, advanced, article, suggest, papers, help, health, metrics, sign_in, me, display)
OTHER_PARTS = (topics, topic_editing, topic_choices, formulations, feeds, sitemap, saved, api, tokens)
ADMIN_PARTS = (
    admin_home,
    admin_users,
    admin_units,
    admin_limits,
    admin_audit,
    admin_sources,
    admin_runs,
    admin_queries,
    admin_lexicon,
    admin_upload,
    admin_review,
)
REQUEST_LIMIT = 64 * 1024  # bytes of a form; views that take files say how large their own may be


class Json(DefaultJSONProvider):
    """Chinese stays readable and keys keep the order of the documents."""

    ensure_ascii = False
    sort_keys = False


def create_app(settings: Settings) -> Flask:
    """The WSGI application over the store and the index of `settings.data`.

    Raises ConfigError when the data folder cannot be used, StoreError when the database is of another
    version. An index that is missing is no reason not to start: /search says so, /readyz too.
    """
    log.configure(settings.log_level)
    config.prepare_data(settings)
    folder = config.shipped("templates")
    app = Flask(__name__, template_folder=str(folder), static_folder=str(folder / "static"))
    app.config.update(
        MAX_CONTENT_LENGTH=REQUEST_LIMIT, MAX_FORM_MEMORY_SIZE=REQUEST_LIMIT, MAX_FORM_PARTS=100
    )
    app.json = Json(app)
    ids.install(app)
    _set_up_templates(app)
    database = open_database(settings.database)
    _bring_topics(database, settings)
    present = PresentSearch(settings, database)
    suggester = Suggester(present.get())
    present.on_swap(suggester.use)
    library.install(app, library.Library(settings, database, present, suggester, SearchLog(settings)))
    for part in (*PARTS, *OTHER_PARTS, *ADMIN_PARTS):
        app.register_blueprint(part.blueprint)
    access.public(app.view_functions["static"])
    headers.install(app, tls=settings.tls)
    metrics.install(app, settings)
    access.install(app)
    sign_in.install(app)
    forms.install(app, settings)
    limiting.install(app, settings)
    problems.install(app)
    callers.install(app, settings)
    return app


def _bring_topics(database: Database, settings: Settings) -> None:
    """A new library gets the shipped topics. A store that refuses keeps nobody from reading."""
    try:
        topic_files.ensure_starters(database, settings)
    except (StoreError, AuditError) as error:
        structlog.get_logger("kb.web").error("topics.not_brought", reason=str(error))


def _set_up_templates(app: Flask) -> None:
    environment = app.jinja_env
    environment.undefined = StrictUndefined
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters.update(wording.FILTERS)
    environment.globals.update(version=__version__, site_name="党建学习知识库", scopes=SCOPES)
    environment.globals.update(boxed_sort=search.boxed_sort, the_visitor=visitor.the_visitor, may=access.may)
