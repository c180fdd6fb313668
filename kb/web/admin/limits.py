"""Which sources and articles show to people of some units alone."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("admin_limits", __name__)
