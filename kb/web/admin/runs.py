"""Crawl runs, what failed in them, and trying it again."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kb import sources
from kb.errors import WORDS, QueryError
from kb.store import audit, frontier, moments, runs, source_states
from kb.store.db import reading, writing
from kb.store.lock import holder
from kb.store.runs import OUTCOMES, Outcome, Run
from kb.web.access import only
from kb.web.asked import read_number
from kb.web.library import the_library
from kb.web.visitor import the_visitor

blueprint = Blueprint("admin_runs", __name__)

LINES = 50  # of a page
FEW = 10  # failed pages beside a run
OUTCOME_NAMES: dict[Outcome, str] = {
    "running": "进行中",
    "interrupted": "中断",
    "stopped": "提前停止",
    "failures": "有失败",
    "done": "完成",
}
LACKING_NAMES = {
    "title": "标题",
    "body": "正文",
    "date": "日期",
    "author": "作者",
    "unit": "单位",
    "edition_page": "版次",
}


@blueprint.get("/admin/runs")
@only("operator", "admin")
def page() -> str:
    """Runs, the newest first, of all sources or one, with any outcome or one."""
    library = the_library()
    source, outcome = request.args.get("source", ""), _outcome()
    number = read_number(request.args, "page", default=1, least=1, most=100_000)
    running = holder(library.settings.data)
    with reading(library.database) as connection:
        found, count = runs.some(
            connection,
            source=source or None,
            outcome=outcome,
            holder=running,
            limit=LINES,
            offset=(number - 1) * LINES,
        )
        slugs = runs.sources(connection)
    chosen: dict[str, Any] = {"source": source or None, "outcome": outcome}
    return render_template(
        "admin_runs.html",
        found=found,
        count=count,
        source=source,
        outcome=outcome or "",
        slugs=slugs,
        names=sources.names(library.settings),
        holder=running,
        outcome_names=OUTCOME_NAMES,
        took=took,
        number=number,
        last=_pages(count),
        address=lambda wanted: url_for("admin_runs.page", page=wanted, **chosen),
    )


def _outcome() -> Outcome | None:
    """The outcome asked for. Raises QueryError("query.bad_parameter")."""
    asked = request.args.get("outcome", "")
    if not asked:
        return None
    for outcome in OUTCOMES:
        if outcome == asked:
            return outcome
    raise QueryError("query.bad_parameter", name="outcome", value=asked[:40])


@blueprint.get("/admin/runs/<id:run_id>")
@only("operator", "admin")
def run(run_id: int) -> str:
    """One run, and what failed of its source."""
    library = the_library()
    with reading(library.database) as connection:
        found = runs.one(connection, run_id) or abort(404)
        failures = frontier.failures(connection, found.source, limit=FEW)
    return render_template(
        "admin_run.html",
        run=found,
        outcome=found.outcome(holder(library.settings.data)),
        outcome_names=OUTCOME_NAMES,
        lacking_names={key: f"缺{words}" for key, words in LACKING_NAMES.items()},
        took=took,
        **_of_source(found.source, failures),
    )


@blueprint.get("/admin/runs/failed/<slug>")
@only("operator", "admin")
def failed(slug: str) -> str:
    """The pages of a source that failed, with the reason of each."""
    number = read_number(request.args, "page", default=1, least=1, most=100_000)
    with reading(the_library().database) as connection:
        if not frontier.knows(connection, slug):
            abort(404)
        failures = frontier.failures(connection, slug, limit=LINES, offset=(number - 1) * LINES)
        is_paused = slug in source_states.paused(connection)
    return render_template(
        "admin_failed.html",
        is_paused=is_paused,
        number=number,
        last=_pages(failures.total),
        address=lambda wanted: url_for("admin_runs.failed", slug=slug, page=wanted),
        **_of_source(slug, failures),
    )


@blueprint.post("/admin/runs/failed/<slug>")
@only("operator", "admin")
def retry(slug: str) -> Response:
    """Make failed pages of a source due: the one named, or all. The next `kb crawl` fetches them."""
    url = request.form.get("url")
    with writing(the_library().database) as connection:
        if not frontier.knows(connection, slug):
            abort(404)
        count = frontier.retry(connection, slug, now=moments.now(), url=url)
        if count:
            audit.record(
                connection, the_visitor().actor, "run.retried", f"source:{slug}", detail={"pages": count}
            )
    flash(f"{count} 页将由下一次采集重试。" if count else "没有这样的失败页，没有改动；它可能已经重试成功。")
    return redirect(url_for("admin_runs.failed", slug=slug), 303)


def _of_source(slug: str, failures: frontier.Failures) -> dict[str, Any]:
    """What the list of failed pages needs."""
    name = sources.names(the_library().settings).get(slug, slug)
    return {
        "slug": slug,
        "name": name,
        "failures": failures,
        "now": moments.now(),
        "reason_name": reason_name,
    }


def _pages(count: int) -> int:
    return max(-(-count // LINES), 1)


def took(run: Run) -> str:
    """3 分 20 秒; of a run without an end a dash."""
    if run.ended_at is None:
        return "—"
    length = datetime.fromisoformat(run.ended_at) - datetime.fromisoformat(run.started_at)
    minutes, seconds = divmod(round(length.total_seconds()), 60)
    return f"{minutes} 分 {seconds} 秒" if minutes else f"{seconds} 秒"


def reason_name(key: str) -> str:
    """The gist of an error: 未找到正文 of parse.no_body; its key where its sentence has none."""
    sentence = WORDS[key]["zh"] if key in WORDS else ""
    gist = re.split(r"[:：(,，。]", re.sub(r"\{[^}]*\}", "…", sentence))[0].strip("… ").removeprefix("的")
    return gist.strip() or key or "没有记下原因"
