"""我的: display, sign-ins, search history, export and deletion of one's own data."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("me", __name__)
