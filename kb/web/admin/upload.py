"""Files that editors add."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("admin_upload", __name__)
