"""Units (单位): added, renamed, deleted."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from kb.errors import AccountError
from kb.store import audit, units
from kb.store.db import reading, writing
from kb.store.units import Unit
from kb.web.access import only
from kb.web.library import the_library
from kb.web.visitor import the_visitor

blueprint = Blueprint("admin_units", __name__)


@blueprint.get("/admin/units")
@only("admin")
def page() -> str:
    return _page()


def _page(error: AccountError | None = None, unit_id: int | None = None) -> str:
    """`error`: of adding a unit, or of changing the one with `unit_id`; what was typed stays."""
    with reading(the_library().database) as connection:
        return render_template(
            "admin_units.html",
            units=units.every(connection),
            error=error,
            wrong=unit_id,
            typed=request.form.get("name", ""),
        )


@blueprint.post("/admin/units")
@only("admin")
def add() -> AnyResponse | tuple[str, int]:
    try:
        with writing(the_library().database) as connection:
            unit_id = units.add(connection, request.form.get("name", ""))
            _record(connection, "unit.added", unit_id, name=_wanted(connection, unit_id).name)
    except AccountError as error:
        return _page(error), 400
    flash("单位已添加。")
    return _back()


@blueprint.post("/admin/units/<id:unit_id>/rename")
@only("admin")
def rename(unit_id: int) -> AnyResponse | tuple[str, int]:
    try:
        with writing(the_library().database) as connection:
            before = _wanted(connection, unit_id).name
            units.rename(connection, unit_id, request.form.get("name", ""))
            after = _wanted(connection, unit_id).name
            _record(connection, "unit.renamed", unit_id, name=[before, after])
    except AccountError as error:
        return _page(error, unit_id), 400
    flash("名称已改。")
    return _back()


@blueprint.post("/admin/units/<id:unit_id>/delete")
@only("admin")
def delete(unit_id: int) -> AnyResponse | tuple[str, int]:
    try:
        with writing(the_library().database) as connection:
            unit = _wanted(connection, unit_id)
            units.remove(connection, unit_id)
            _record(connection, "unit.deleted", unit_id, name=unit.name, people=unit.people)
    except AccountError as error:
        return _page(error, unit_id), 400
    flash(f"已删除单位“{unit.name}”。")
    return _back()


def _wanted(connection: Connection, unit_id: int) -> Unit:
    return units.one(connection, unit_id) or abort(404)


def _record(connection: Connection, action: str, unit_id: int, **detail: object) -> None:
    audit.record(connection, the_visitor().actor, action, f"unit:{unit_id}", detail=detail)


def _back() -> AnyResponse:
    return redirect(url_for("admin_units.page"), 303)
