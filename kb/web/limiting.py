"""How often somebody may ask for what costs much or is worth guessing at: counted by the minute, in this process."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NoReturn, get_args

from flask import Flask, g
from flask_limiter import Limiter, RequestLimit
from limits.storage import Storage
from werkzeug.exceptions import TooManyRequests

from kb.config import Settings
from kb.web.callers import is_local, network
from kb.web.visitor import the_visitor

Kind = Literal["search", "suggest", "sign_in", "upload", "export", "api"]
KINDS: tuple[Kind, ...] = get_args(Kind)

API = (
    "/api/v1/search",
    "/api/v1/articles/<id:article_id>",
    "/api/v1/export",
    "/api/v1/formulations",
    "/api/v1/topics",
    "/api/v1/topics/<topic_slug>",
    "/api/v1/topics/<topic_slug>/articles",
)
# What is limited, by the address of its view; a test finds those that are missing.
LIMITED: dict[str, Kind] = {
    "/search": "search",
    "/search.json": "search",
    "/search.atom": "search",
    "/feed.atom": "search",
    "/feed/source/<slug>.atom": "search",
    "/t/<topic_slug>": "search",
    "/t/<topic_slug>.atom": "search",
    "/t/<topic_slug>.json": "search",
    "/t/<topic_slug>.csv": "search",
    "/saved/<code>.atom": "search",
    "/formulations": "search",
    "/formulations.json": "search",
    "/formulations.csv": "search",
    "/suggest.json": "suggest",
    "/login": "sign_in",
    "/first": "sign_in",
    "/password": "sign_in",
    "/me/delete": "sign_in",  # asks for the password
    "/me/tokens": "sign_in",  # so does this
    "/admin/lexicon/import": "upload",
    "/admin/sources/try": "upload",
    "/admin/upload": "upload",
    "/admin/audit.csv": "export",
    "/admin/audit.jsonl": "export",
    "/admin/lexicon/export.tsv": "export",
    "/admin/queries.csv": "export",
    "/me/export": "export",
    "/sitemap-<id:number>.xml": "export",
    **dict.fromkeys(API, "api"),
}
FREE_LOCALLY: tuple[Kind, ...] = ("search", "suggest")  # monitoring and measuring on the machine itself
SUGGESTIONS = 3  # to one search: they come while somebody types
MINUTE = 60
MOST_CALLERS = 100_000  # counted at once; of more the oldest are forgotten


class Counts(Storage):
    """Counts of one process, without a thread of their own."""

    STORAGE_SCHEME = ["kb+memory"]  # noqa: RUF012  # as Storage declares it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **_more: str) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, float]] = {}  # by key, in order of time: count, end of its window
        super().__init__(uri, wrap_exceptions=wrap_exceptions)

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now = time.time()
        with self._lock:
            count, ends = self._counts.get(key, (0, 0.0))
            if ends <= now:
                self._counts.pop(key, None)
                self._forget(now)
                count, ends = 0, now + expiry
            self._counts[key] = (count + amount, ends)
            return count + amount

    def get(self, key: str) -> int:
        count, ends = self._counts.get(key, (0, 0.0))
        return count if ends > time.time() else 0

    def get_expiry(self, key: str) -> float:
        return self._counts.get(key, (0, time.time()))[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        with self._lock:
            done = len(self._counts)
            self._counts.clear()
            return done

    def clear(self, key: str) -> None:
        with self._lock:
            self._counts.pop(key, None)

    def _forget(self, now: float) -> None:
        """Drop the oldest whose time is over, a few at a time, and any of them when there are too many."""
        for key in list(_first(self._counts, 2)):
            if self._counts[key][1] <= now or len(self._counts) >= MOST_CALLERS:
                del self._counts[key]


def _first(counts: dict[str, Any], number: int) -> list[str]:
    return [key for key, _ in zip(counts, range(number), strict=False)]


def install(app: Flask, settings: Settings) -> None:
    """Limit the views of LIMITED. Call it when all views are there."""
    limiter = Limiter(_caller, app=app, storage_uri="kb+memory://", strategy="fixed-window")
    a_minute: dict[Kind, int] = {
        "search": settings.searches_per_minute,
        "suggest": settings.searches_per_minute * SUGGESTIONS,
        "sign_in": settings.sign_ins_per_minute,
        "upload": settings.uploads_per_minute,
        "export": settings.exports_per_minute,
        "api": settings.api_per_minute,
    }
    for rule in app.url_map.iter_rules():
        kind = LIMITED.get(rule.rule)
        if kind is not None:
            limit = limiter.shared_limit(
                f"{a_minute[kind]}/minute",
                scope=kind,
                methods=["POST"] if kind in ("sign_in", "upload") else None,
                exempt_when=is_local if kind in FREE_LOCALLY else None,
                on_breach=partial(_refuse, kind),
            )
            view: Callable[..., Any] = app.view_functions[rule.endpoint]
            app.view_functions[rule.endpoint] = limit(view)


def _caller() -> str:
    """Who is counted: a person wherever he or she signed in, else an address."""
    user = the_visitor().user
    return f"user {user.id}" if user else network()


def _refuse(kind: Kind, breached: RequestLimit) -> NoReturn:
    g.limited = kind
    left = math.ceil(breached.reset_at - time.time())
    raise TooManyRequests(retry_after=min(max(left, 1), MINUTE))
