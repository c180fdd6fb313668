"""The search log: what people search for, and in vain."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("admin_queries", __name__)
