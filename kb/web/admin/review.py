"""Pages that were read with too little confidence: text beside source, 通过 or 退回."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from kb import reviewing
from kb.errors import ReviewError
from kb.reviewing import FIELDS, STATES
from kb.store import reviews
from kb.store.db import reading
from kb.store.reviews import Review, State
from kb.web.access import only
from kb.web.asked import page_numbers
from kb.web.library import the_library
from kb.web.visitor import the_hidden, the_visitor

blueprint = Blueprint("admin_review", __name__)

editors = only("editor", "admin")
ON_A_PAGE = 20


@blueprint.get("/admin/review")
@editors
def page() -> str:
    state = _state(request.args.get("state", ""))
    with reading(the_library().database) as connection:
        total = reviews.count(connection, state, hidden=the_hidden())
        last = max(1, -(-total // ON_A_PAGE))
        asked = request.args.get("page", "1")
        number = min(max(1, int(asked)) if asked.isdecimal() and len(asked) < 6 else 1, last)
        found = reviews.listed(
            connection, state, limit=ON_A_PAGE, offset=(number - 1) * ON_A_PAGE, hidden=the_hidden()
        )
    return render_template(
        "admin_review.html",
        state=state,
        states=STATES,
        total=total,
        lines=reviewing.look(the_library().database, found, the_hidden()),
        number=number,
        address=lambda wanted: url_for("admin_review.page", state=state, page=wanted),
        page_numbers=page_numbers(number, last),
    )


def _state(text: str) -> State:
    return next((one for one in STATES if one == text), "waiting")


@blueprint.get("/admin/review/<id:review_id>")
@editors
def one(review_id: int) -> str:
    return _one(_review(review_id))


def _review(review_id: int) -> Review:
    with reading(the_library().database) as connection:
        found = reviews.one(connection, review_id, hidden=the_hidden())
    return found or abort(404)


def _one(review: Review, error: ReviewError | None = None, form: Mapping[str, str] | None = None) -> str:
    (looked,) = reviewing.look(the_library().database, [review], the_hidden())
    shown = reviewing.typed(review.article)
    return render_template(
        "admin_review_one.html",
        review=review,
        looked=looked,
        states=STATES,
        fields=FIELDS,
        typed={name: (form or shown).get(name, shown[name]) for name in FIELDS},
        note=(form or {}).get("note", ""),
        error=error,
    )


@blueprint.post("/admin/review/<id:review_id>/decide")
@editors
def decide(review_id: int) -> tuple[str, int] | AnyResponse:
    """通过 with the fields as typed, 退回 with a note, or back into the queue; then the next one that waits."""
    review, form = _review(review_id), request.form
    database, actor, seen = the_library().database, the_visitor().actor, form.get("page_hash", "")
    try:
        if form.get("to") == "pass":
            reviewing.pass_on(database, actor, review_id, seen, form, hidden=the_hidden())
            said = f"已通过《{form.get('title', '').strip() or review.article.title}》,马上可以检索。"
        elif form.get("to") == "return":
            reviewing.send_back(database, actor, review_id, seen, form.get("note", ""), hidden=the_hidden())
            said = f"已退回《{review.article.title}》。"
        else:
            reviewing.put_back(database, actor, review_id, seen, hidden=the_hidden())
            flash(f"《{review.article.title}》已放回待审。")
            return redirect(url_for("admin_review.one", review_id=review_id), 303)
    except ReviewError as error:
        status = 400 if error.key == "review.bad_field" else 409
        return _one(_review(review_id), error, form if status == 400 else None), status
    flash(said)
    with reading(database) as connection:
        following = reviews.next_waiting(connection, review_id, hidden=the_hidden())
    if following is None:
        return redirect(url_for("admin_review.page"), 303)
    return redirect(url_for("admin_review.one", review_id=following), 303)


@blueprint.post("/admin/review/bulk")
@editors
def bulk() -> AnyResponse:
    """通过 or 退回 those that were ticked, each as it was seen; each that could not be is named."""
    form, passes = request.form, request.form.get("to") == "pass"
    parts = [ticked.partition(":") for ticked in form.getlist("ticked")[:ON_A_PAGE]]
    ticked = {int(number): seen for number, _, seen in parts if number.isdecimal() and len(number) <= 12}
    refused = reviewing.decide_together(
        the_library().database,
        the_visitor().actor,
        ticked,
        "passed" if passes else "returned",
        form.get("note", ""),
        hidden=the_hidden(),
    )
    for review_id, error in refused.items():
        flash(f"第 {review_id} 号:{error.words('zh')}")
    done = len(ticked) - len(refused)
    flash(f"已{'通过' if passes else '退回'} {done} 页。" if done else "没有勾选可处理的页。")
    return redirect(url_for("admin_review.page"), 303)
