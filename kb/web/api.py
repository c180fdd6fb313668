"""/api/v1: the library for scripts."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("api", __name__)
