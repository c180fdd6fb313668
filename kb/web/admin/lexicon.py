"""Lexicon and synonyms, with a box to try what they do to a text."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("admin_lexicon", __name__)
