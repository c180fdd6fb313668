"""The audit log: page and export."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("admin_audit", __name__)
