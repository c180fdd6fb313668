"""提法: where and when a wording stands in the library."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("formulations", __name__)
