"""Saved searches: kept by name, each with a feed."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("saved", __name__)
