"""Topics as editors change them: rule, must-reads, exclusions, history."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("topic_editing", __name__)
