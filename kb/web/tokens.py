"""Tokens that scripts sign in with: made and taken back on 我的."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("tokens", __name__)
