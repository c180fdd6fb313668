"""Pages that were read with too little confidence: text beside source, 通过 or 退回."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("admin_review", __name__)
