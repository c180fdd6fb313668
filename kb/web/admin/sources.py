"""The sources: state, last run, share of missing fields, one page on trial."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kb import sources, trial
from kb.config import Settings
from kb.errors import KbError, ParseError
from kb.sources import SourceLine
from kb.store import source_states
from kb.store.db import writing
from kb.store.lock import holder
from kb.trial import Tried
from kb.web.access import only
from kb.web.admin.runs import LACKING_NAMES, OUTCOME_NAMES
from kb.web.library import the_library
from kb.web.visitor import the_hidden, the_visitor

blueprint = Blueprint("admin_sources", __name__)

STATE_NAMES = {"on": "启用", "off": "停用", "paused": "暂停"}
MIB = 2**20
FORM_BYTES = 64 * 1024  # of an upload, beside the file
UNREADABLE = 422  # status of a trial that gave nothing


@blueprint.url_value_preprocessor
def _take_a_page(endpoint: str | None, _values: object) -> None:
    """A saved page may be larger than other requests. Set before anything reads the form."""
    if endpoint == "admin_sources.try_page":
        request.max_content_length = _limit_bytes(the_library().settings) + FORM_BYTES


def _limit_bytes(settings: Settings) -> int:
    return int(settings.fetch_decoded_mib * MIB)


@blueprint.get("/admin/sources")
@only("operator", "admin")
def page() -> str:
    """Every source with its state, its last run and what its articles lack."""
    library = the_library()
    return render_template(
        "admin_sources.html",
        overview=sources.overview(library.database, library.settings, library.search, hidden=the_hidden()),
        holder=holder(library.settings.data),
        state_names=STATE_NAMES,
        outcome_names=OUTCOME_NAMES,
        lacking_names=LACKING_NAMES,
        complete=complete,
        share=share,
        rules=sources,
    )


@blueprint.post("/admin/sources/<slug>/pause")
@only("operator", "admin")
def pause(slug: str) -> Response:
    """Leave a source out of the next crawls."""
    return _set_paused(slug, is_paused=True)


@blueprint.post("/admin/sources/<slug>/resume")
@only("operator", "admin")
def resume(slug: str) -> Response:
    """Crawl a paused source again."""
    return _set_paused(slug, is_paused=False)


def _set_paused(slug: str, *, is_paused: bool) -> Response:
    library = the_library()
    name = sources.names(library.settings).get(slug) or abort(404)
    with writing(library.database) as connection:
        source_states.set_paused(connection, the_visitor().actor, slug, is_paused=is_paused)
    said = (
        "已暂停，kb crawl 不再抓取它；正在进行的采集不受影响。" if is_paused else "已恢复，由下一次采集抓取。"
    )
    flash(f"{name}{said}")
    return redirect(url_for("admin_sources.page"), 303)


# --- one page on trial -----------------------------------------------------------------------------------------------


@blueprint.get("/admin/sources/try")
@only("operator", "admin")
def trial_form() -> str:
    """Where a page is put on trial."""
    return _trial_page(slug=request.args.get("source", ""))


@blueprint.post("/admin/sources/try")
@only("operator", "admin")
def try_page() -> tuple[str, int]:
    """What kb reads from one page. Nothing is stored, nothing fetched."""
    url, slug = request.form.get("url", "").strip(), request.form.get("source", "")
    try:
        return _trial_page(slug=slug, url=url, tried=_tried(url, slug)), 200
    except KbError as error:
        return _trial_page(slug=slug, url=url, error=error), UNREADABLE


def _tried(url: str, slug: str) -> Tried:
    """The page that was uploaded, else the one that is kept for the address. Raises KbError."""
    library = the_library()
    file = request.files.get("page")
    if file is not None and file.filename:
        with file.stream as stream:  # a file on the disk, when it is large
            body, limit = stream.read(), _limit_bytes(library.settings)
        if len(body) > limit:
            raise ParseError("trial.too_large", size_mib=len(body) / MIB, limit_mib=limit / MIB)
        return trial.try_saved(library.settings, body, url=url, slug=slug)
    if not url:
        raise ParseError("trial.nothing_given")
    return trial.try_kept(library.database, library.settings, url, hidden=the_hidden())


def _trial_page(*, slug: str, url: str = "", tried: Tried | None = None, error: KbError | None = None) -> str:
    return render_template(
        "admin_trial.html",
        names=sources.names(the_library().settings),
        slug=slug,
        url=url,
        tried=tried,
        error=error,
        limit_mib=the_library().settings.fetch_decoded_mib,
    )


# --- shares ----------------------------------------------------------------------------------------------------------


def complete(line: SourceLine) -> float | None:
    """字段齐全率: of the fields that its articles could have, the share that they have; None without articles."""
    if not line.articles:
        return None
    return 1 - sum(line.lacking.values()) / (len(sources.FACETS) * line.articles)


def share(part: float) -> str:
    """64%; what is more than nothing is never 0%, what is less than all never 100%."""
    percent = round(part * 100)
    if 0 < part < 1 and percent in (0, 100):
        return "<1%" if percent == 0 else ">99%"
    return f"{percent}%"
