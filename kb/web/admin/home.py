"""The page that leads to all the others: health, last crawl and index, what waits, disk."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("admin", __name__)
