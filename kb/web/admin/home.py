"""The page that leads to all the others: health, last crawl and index, what waits, disk; and the full check."""

from __future__ import annotations

import platform
import sqlite3
import threading
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from flask import Blueprint, current_app, render_template

from kb import __version__, diagnose, sources, vitals
from kb.config import Settings
from kb.diagnose import Finding
from kb.store import frontier, runs
from kb.store.db import reading, revision
from kb.store.lock import holder
from kb.web.access import may, only
from kb.web.admin.runs import OUTCOME_NAMES, took
from kb.web.library import the_library
from kb.web.visitor import the_hidden

blueprint = Blueprint("admin", __name__)

PAGES = (
    ("admin.page", "概况"),
    ("admin_sources.page", "来源"),
    ("admin_runs.page", "采集记录"),
    ("admin_review.page", "待审"),
    ("admin_upload.page", "上传"),
    ("admin_lexicon.page", "词表"),
    ("admin_queries.page", "检索分析"),
    ("admin_users.page", "用户"),
    ("admin_units.page", "单位"),
    ("admin_limits.page", "阅读范围"),
    ("admin_audit.page", "审计"),
    ("admin.health", "健康检查"),
)
FINDING_NAMES = {
    "database": "数据库",
    "schema": "数据库结构",
    "index": "索引",
    "index lag": "索引进度",
    "indexer": "索引进程",
    "audit": "审计记录",
    "backup": "备份",
    "disk": "磁盘",
    "sqlite": "SQLite",
}
PROCESS_NAMES = {"keeper": "看护", "web": "网页", "indexer": "索引"}
PACKAGES = ("Flask", "SQLAlchemy", "waitress", "numba", "numpy", "lxml", "jieba")
SECRET = ("key", "secret", "token")  # in the name of a setting that is not shown
LAST_RUNS = 5

checking = threading.Lock()  # one full check at a time: it reads every byte


@dataclass(frozen=True, slots=True)
class SettingLine:
    """A setting as it is in force."""

    name: str  # KB_PAGE_SIZE
    value: str  # "" where none is set
    is_default: bool
    is_secret: bool  # then its value is not told
    help: str


@blueprint.app_template_global("admin_pages")
def admin_pages() -> list[tuple[str, str]]:
    """Endpoint and name of every page of /admin that the visitor may use."""
    return [one for one in PAGES if one[0] in current_app.view_functions and may(one[0])]


@blueprint.get("/admin")
@only("editor", "operator", "admin", "auditor")
def page() -> str:
    """What needs looking after, for each role what it can act on."""
    reachable = {endpoint for endpoint, _name in admin_pages()}
    library = the_library()
    search = library.search
    facts: dict[str, Any] = {"problem": search.engine.problem(), "findings": (), "figures": None}
    if reachable & {"admin_runs.page", "admin_queries.page"}:
        facts["figures"] = vitals.figures(library.settings, library.database, search, hidden=the_hidden())
    if "admin_runs.page" in reachable:
        facts["findings"] = diagnose.glance(library.database, library.settings, search.engine)
        facts |= _last_runs()
    return render_template("admin_home.html", reachable=reachable, finding_names=FINDING_NAMES, **facts)


def _last_runs() -> dict[str, Any]:
    library = the_library()
    with reading(library.database) as connection:
        found, _count = runs.some(connection, limit=LAST_RUNS)
        failed = frontier.count_failed(connection)
    return {
        "found": found,
        "failed": failed,
        "holder": holder(library.settings.data),
        "names": sources.names(library.settings),
        "outcome_names": OUTCOME_NAMES,
        "took": took,
    }


# --- the full check ----------------------------------------------------------------------------------------------------


@blueprint.get("/admin/health")
@only("operator", "admin")
def health() -> str:
    """What is known at once, versions, settings and processes; and where the full check begins."""
    library = the_library()
    return _health_page(diagnose.glance(library.database, library.settings, library.search.engine))


@blueprint.post("/admin/health")
@only("operator", "admin")
def check() -> tuple[str, int]:
    """The full check, `kb doctor` on a page. Recorded nowhere; it changes nothing."""
    library = the_library()
    if not checking.acquire(blocking=False):
        return _health_page([], is_busy=True), 503
    try:
        return _health_page(diagnose.diagnose(library.database, library.settings), is_full=True), 200
    finally:
        checking.release()


def _health_page(findings: list[Finding], *, is_full: bool = False, is_busy: bool = False) -> str:
    library = the_library()
    return render_template(
        "admin_health.html",
        findings=findings,
        finding_names=FINDING_NAMES,
        is_full=is_full,
        is_busy=is_busy,
        versions=_versions(),
        processes=diagnose.processes(),
        process_names=PROCESS_NAMES,
        settings_lines=_settings(library.settings),
    )


def _versions() -> dict[str, str]:
    found = {
        "kb": __version__,
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "数据库结构": revision(the_library().database) or "—",
    }
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "—"
    return found


def _settings(settings: Settings) -> list[SettingLine]:
    found = []
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        is_secret = any(word in name.split("_") for word in SECRET)
        shown = "" if value is None else str(value)
        found.append(
            SettingLine(
                name=f"KB_{name.upper()}",
                value="" if is_secret else shown,
                is_default=value == field.default,
                is_secret=is_secret,
                help=(field.description or "").partition(" · ")[0],
            )
        )
    return found
