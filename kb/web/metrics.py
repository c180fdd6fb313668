"""Figures about this server for a monitoring system, in Prometheus' format: counts, and nobody's name."""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, cast

import structlog
from flask import Blueprint, Flask, Response, current_app, g, request

from kb import __version__, vitals
from kb.config import Settings
from kb.errors import AccessError, ConfigError
from kb.web import limiting
from kb.web.access import public
from kb.web.callers import is_local
from kb.web.counters import BUCKETS, Counters
from kb.web.library import library_of, the_library

if TYPE_CHECKING:
    from prometheus_client import Metric

log = structlog.get_logger("kb.web")
blueprint = Blueprint("metrics", __name__)

EXTENSION = "kb_counters"
SEARCHES = ("search.page", "search.answer")
SIGN_IN = "/login"  # where a name and a password are sent
SIGNED_IN = 303  # the answer when they are right: to the page that was asked for
LEAST_TOKEN = 16  # characters


@blueprint.get("/metrics")
@public
def figures() -> Response:
    """For programs on this machine, and for whoever has the token."""
    if not (is_local() or _has_token()):
        raise AccessError("metrics.refused")
    # Here, because only monitoring needs it.
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

    registry = CollectorRegistry()
    registry.register(_Collector(counters_of(current_app)))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def install(app: Flask, settings: Settings) -> None:
    """Count every answer. Call it when all views are there. Raises ConfigError for a token that cannot be used."""
    _token(settings)
    counters = Counters(app.view_functions, limiting.KINDS, settings.web_processes)
    app.extensions[EXTENSION] = counters
    searches = library_of(app).log

    @app.after_request
    def count(response: Response) -> Response:
        seconds = time.perf_counter() - g.started
        counters.request(request.endpoint, request.method, response.status_code, seconds)
        if event := _event(response.status_code):
            counters.event(event)
        if kind := g.get("limited"):
            counters.limited(kind)
        counters.say("unwritten", searches.waiting())
        return response


def counters_of(app: Flask) -> Counters:
    """The counters of an application."""
    return cast(Counters, app.extensions[EXTENSION])


def _event(status: int) -> str | None:
    """What a request was besides a request."""
    if request.endpoint in SEARCHES and "q" in request.args:
        outcome = "answered" if status < 400 else "refused" if status < 500 else "failed"
        return f"search.{outcome}"
    if request.path == SIGN_IN and request.method == "POST":
        return "sign_in.ok" if status == SIGNED_IN else "sign_in.failed"
    return None


def _has_token() -> bool:
    token = _token(the_library().settings)
    sent = request.headers.get("Authorization", "")
    return bool(token) and hmac.compare_digest(sent.encode(), f"Bearer {token}".encode())


def _token(settings: Settings) -> str:
    """The token of the file that settings name, "" when they name none. Read every time, so it can be changed."""
    path = settings.metrics_token_file
    if path is None:
        return ""
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("metrics.no_token", path=path, limit=LEAST_TOKEN) from error
    if len(token) < LEAST_TOKEN:
        raise ConfigError("metrics.no_token", path=path, limit=LEAST_TOKEN)
    return token


class _Collector:
    """What prometheus_client asks for the figures."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        yield from _counted(self._counters)
        yield _durations(self._counters)
        yield from _of_processes(self._counters)
        yield from _of_library()


def _counted(counters: Counters) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily

    for kind, name, says, labels in (
        ("request", "kb_requests", "Requests answered", ("endpoint", "method", "status")),
        ("event", "kb_events", "Searches and sign-ins by outcome", ("event",)),
        ("limited", "kb_limited", "Requests refused because there were too many", ("kind",)),
    ):
        family = CounterMetricFamily(name, says, labels=labels)
        for values, count in counters.read(kind):
            family.add_metric(values, count)
        yield family


def _durations(counters: Counters) -> Metric:
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(
        "kb_request_seconds", "Seconds until a request was answered", labels=["endpoint"]
    )
    found = {(endpoint, int(bucket)): count for (endpoint, bucket), count in counters.read("bucket")}
    names = [*map(str, BUCKETS), "+Inf"]
    for (endpoint,), seconds in counters.read("seconds"):
        sums = accumulate(found.get((endpoint, number), 0.0) for number in range(len(names)))
        family.add_metric([endpoint], list(zip(names, sums, strict=True)), seconds)
    return family


def _of_processes(counters: Counters) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    memory = GaugeMetricFamily("kb_process_resident_bytes", "Memory of each web process", labels=["process"])
    started = GaugeMetricFamily(
        "kb_process_start_time_seconds", "When each web process began", labels=["process"]
    )
    unwritten = 0.0
    for number, process in enumerate(counters.processes()):
        memory.add_metric([str(number)], _resident_bytes(int(process["pid"])))
        started.add_metric([str(number)], process["started"])
        unwritten += process["unwritten"]
    yield from (memory, started)
    yield GaugeMetricFamily(
        "kb_searches_unwritten", "Searches that wait to be written to the log", value=unwritten
    )


def _resident_bytes(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:  # it has ended; another one takes its place
        return 0.0
    lines = (line.split() for line in status.splitlines() if line.startswith("VmRSS:"))
    return next((float(words[1]) * 1024 for words in lines), 0.0)


def _of_library() -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily

    library = the_library()
    now = vitals.figures(library.settings, library.database, library.search)
    waiting = now.waiting
    articles = GaugeMetricFamily("kb_articles", "Articles in the index, and waiting for it", labels=["state"])
    articles.add_metric(["indexed"], now.indexed)
    articles.add_metric(["unindexed"], waiting.unindexed)
    yield articles
    for name, says, value in (
        ("kb_pages_unfetched", "Pages that wait to be fetched", waiting.unfetched),
        ("kb_readings_unreviewed", "Readings that wait for a person", waiting.unreviewed),
        ("kb_index_generation", "Number of the index generation that serves; 0: none", now.generation),
        ("kb_index_generation_age_seconds", "Seconds since it was published", now.generation_seconds),
        ("kb_disk_free_bytes", "Free room on the disk with the data", now.free_bytes),
        ("kb_wal_bytes", "Size of the database's write-ahead log", now.wal_bytes),
    ):
        yield GaugeMetricFamily(name, says, value=value)
    yield InfoMetricFamily("kb", "The program", value={"version": __version__})
