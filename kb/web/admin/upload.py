"""Files that editors add."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from kb import uploads
from kb.errors import UploadError
from kb.store import uploads as stored_uploads
from kb.store.db import reading
from kb.web.access import only
from kb.web.library import the_library
from kb.web.visitor import the_hidden, the_visitor

blueprint = Blueprint("admin_upload", __name__)

editors = only("editor", "admin")
LATEST = 10  # uploads that the page lists
MOST_FILES = 90  # at once; a request has at most 100 parts (MAX_FORM_PARTS), some of which are no files
STATUSES = {"upload.nothing": 400, "upload.busy": 503, "upload.too_large": 413}


@blueprint.before_app_request
def allow_files() -> None:
    """Here alone a request may be large. Before anything reads it: the token of the form stands behind its files."""
    if request.endpoint == "admin_upload.take":
        request.max_content_length = round(the_library().settings.upload_limit_mib * 2**20)


@blueprint.errorhandler(UploadError)
def refused(error: UploadError) -> tuple[str, int]:
    return _page(error), STATUSES[error.key]


@blueprint.errorhandler(413)
def too_large(_error: HTTPException) -> tuple[str, int]:
    limit_mib = the_library().settings.upload_limit_mib
    return refused(UploadError("upload.too_large", limit_mib=limit_mib, files=MOST_FILES))


@blueprint.get("/admin/upload")
@editors
def page() -> str:
    return _page()


def _page(error: UploadError | None = None) -> str:
    library = the_library()
    with reading(library.database) as connection:
        latest = stored_uploads.latest(connection, LATEST)
    limit = library.settings.upload_limit_mib
    return render_template(
        "admin_upload.html",
        latest=latest,
        limit_mib=limit,
        most_files=MOST_FILES,
        kinds=uploads.KINDS,
        error=error,
    )


@blueprint.get("/admin/upload/<id:upload_id>")
@editors
def one(upload_id: int) -> str:
    with reading(the_library().database) as connection:
        upload = stored_uploads.one(connection, upload_id)
    return render_template("admin_upload_one.html", upload=upload or abort(404))


@blueprint.post("/admin/upload")
@editors
def take() -> AnyResponse:
    library = the_library()
    files = [file for file in request.files.getlist("files") if file.filename]
    try:
        sent = [(file.filename or "", file.stream) for file in files]
        upload_id = uploads.take(
            library.database, library.settings, the_visitor().actor, sent, hidden=the_hidden()
        )
    finally:
        for file in files:
            file.close()
    return redirect(url_for("admin_upload.one", upload_id=upload_id), 303)
