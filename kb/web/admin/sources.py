"""The sources: state, last run, share of missing fields, one page on trial."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("admin_sources", __name__)
