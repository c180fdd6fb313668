"""How pages are shown to one person: size, contrast, keys. Kept in the browser, and with the account of who signed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from flask import Blueprint, flash, g, redirect, render_template, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from kb.store import users
from kb.store.db import writing
from kb.web.access import public
from kb.web.forms import safe_next, this_page
from kb.web.library import the_library
from kb.web.visitor import the_visitor

YEAR_SECONDS = 365 * 24 * 3600

# What can be chosen, the usual first.
SIZES = {"normal": "标准", "large": "大", "huge": "特大"}
CONTRASTS = {"normal": "标准", "high": "高对比"}
KEYS = {"on": "开", "off": "关"}
CHOICES = {"size": ("字号", SIZES), "contrast": ("对比", CONTRASTS), "keys": ("快捷键", KEYS)}

blueprint = Blueprint("display", __name__)


@dataclass(frozen=True, slots=True)
class Display:
    """What somebody chose."""

    size: str = "normal"  # of SIZES
    contrast: str = "normal"
    keys: str = "on"


@blueprint.get("/display")
@public
def page() -> str:
    return render_template("display.html", back=safe_next(request.args.get("next")))


@blueprint.post("/display")
@public
def change() -> AnyResponse:
    """Keep what was chosen and lead back to the page."""
    chosen = read(request.form)
    if user := the_visitor().user:
        with writing(the_library().database) as connection:
            prefer(connection, user.id, **asdict(chosen))
    response = redirect(safe_next(request.form.get("next")), 303)
    secure = the_library().settings.tls
    kept = ".".join(asdict(chosen).values())
    response.set_cookie(_cookie(), kept, max_age=YEAR_SECONDS, secure=secure, httponly=True, samesite="Lax")
    flash("显示设置已保存。")
    return response


@blueprint.app_template_global("the_display")
def the_display() -> Display:
    """What the present visitor chose; looked up once."""
    if "display" not in g:
        kept = dict(zip(CHOICES, request.cookies.get(_cookie(), "").split("."), strict=False))
        user = the_visitor().user
        g.display = read({**kept, **(user.preferences if user else {})})
    return cast(Display, g.display)


@blueprint.app_template_global("here")
def here() -> str | None:
    """The present page, to come back to; None where it cannot be asked for again."""
    if request.endpoint is None or request.method != "GET":
        return None
    if request.endpoint == "display.page":
        return request.args.get("next")
    return this_page()


@blueprint.app_template_global("display_choices")
def display_choices() -> Mapping[str, tuple[str, Mapping[str, str]]]:
    """The name, label and values of everything that can be chosen."""
    return CHOICES


def read(values: Mapping[str, Any]) -> Display:
    """What is chosen; what is none of the values is as usual."""
    known = {name: values[name] for name, (_, words) in CHOICES.items() if values.get(name) in words}
    return Display(**known)


def prefer(connection: Connection, user_id: int, **chosen: str) -> None:
    """Change some of what a person prefers, and leave the rest."""
    present = users.one(connection, user_id)
    users.set_preferences(connection, user_id, {**(present.preferences if present else {}), **chosen})


def _cookie() -> str:
    """The cookie that keeps it. With TLS under a name that a browser takes from this host alone."""
    return "__Host-display" if the_library().settings.tls else "display"
