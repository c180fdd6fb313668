"""Topics (专题): the index of all, and the page of one."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("topics", __name__)
