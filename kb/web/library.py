"""What the views of one application share: settings, the store, the search, its log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from flask import Flask, current_app, g, has_request_context
from sqlalchemy import Engine as Database

from kb.config import Settings
from kb.present import PresentSearch
from kb.search import Search
from kb.suggest import Suggester
from kb.web.popular import Popular
from kb.web.search_log import SearchLog

EXTENSION = "kb"


@dataclass(frozen=True, slots=True)
class Library:
    """Opened once when the application is made, used by every thread."""

    settings: Settings
    database: Database
    present: PresentSearch
    suggester: Suggester
    log: SearchLog
    popular: Popular = field(default_factory=Popular)

    @property
    def search(self) -> Search:
        """The search of this moment, one and the same for a request from its beginning to its end."""
        if not has_request_context():
            return self.present.get()
        if "search" not in g:
            g.search = self.present.get()
        return cast(Search, g.search)


def install(app: Flask, library: Library) -> None:
    """Put `library` where `the_library` finds it."""
    app.extensions[EXTENSION] = library


def library_of(app: Flask) -> Library:
    """The library of an application."""
    return cast(Library, app.extensions[EXTENSION])


def the_library() -> Library:
    """The library of the application that answers the present request."""
    return library_of(current_app)
