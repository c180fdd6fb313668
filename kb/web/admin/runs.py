"""Crawl runs, what failed in them, and trying it again."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("admin_runs", __name__)
