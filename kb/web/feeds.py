"""For programs: Atom feeds, the sitemap, the description of the search box."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("feeds", __name__)
