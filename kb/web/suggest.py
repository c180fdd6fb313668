"""Suggestions while typing, as JSON for kb.js. Without JavaScript nothing is lost but them."""

from __future__ import annotations

import re

from flask import Blueprint, Response, jsonify, request, url_for

from kb.suggest import Kind, Suggestion
from kb.web.access import readers
from kb.web.library import the_library
from kb.web.visitor import the_hidden

blueprint = Blueprint("suggest", __name__)

LABELS: dict[Kind, str] = {"term": "提法", "newspaper": "报纸", "author": "作者", "title": "文章"}
FIELDS: dict[Kind, str] = {"newspaper": "报纸", "author": "作者"}
_PLAIN = re.compile(r"[\w·]+")
_QUOTES = re.compile('[“”"＂„‟]')  # they would end the phrase, and matching drops them anyway


@blueprint.get("/suggest.json")
@readers
def answer() -> Response:
    typed = request.args.get("q", "")
    found = the_library().suggester.find(typed, hidden=the_hidden())
    return jsonify({"q": typed, "suggestions": [_record(one) for one in found]})


def _record(suggestion: Suggestion) -> dict[str, str]:
    return {
        "text": suggestion.text,
        "kind": suggestion.kind,
        "label": LABELS[suggestion.kind],
        "url": _url(suggestion),
    }


def _url(suggestion: Suggestion) -> str:
    if suggestion.article_id is not None:
        return url_for("article.show", article_id=suggestion.article_id)
    text = suggestion.text if _PLAIN.fullmatch(suggestion.text) else f"“{_QUOTES.sub('', suggestion.text)}”"
    name = FIELDS.get(suggestion.kind)
    return url_for("search.page", q=f"{name}:{text}" if name else text)
