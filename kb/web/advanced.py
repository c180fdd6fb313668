"""The advanced search: a form whose fields become one line of the query language, and the same search as any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flask import Blueprint, redirect, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kb.model import DateRange, Field, Filters, LengthRange, Node, Not, Or, Phrase, Word
from kb.rewriting import all_of, line, typed
from kb.text.normalize import fold
from kb.web.access import readers
from kb.web.asked import Asked, read_filters, read_number

WORDS = {"all": "含有全部词语", "any": "含有任一词语", "none": "不含词语", "exact": "一字不差地含有"}
PLACES: dict[Field, str] = {
    "title": "标题",
    "author": "作者",
    "affiliation": "作者单位",
    "newspaper": "报纸",
    "source": "来源",
    "edition_page": "版次",
    "heading": "小标题",
    "quotation": "讲话引文",
}

blueprint = Blueprint("advanced", __name__)


@blueprint.get("/search/advanced")
@readers
def form() -> str | Response:
    """The form; what was filled in is searched for, or with `show` only written out."""
    days = read_filters(request.args)
    filters = Filters(since=days.since, until=days.until)
    root = all_of(_parts(request.args))
    if root is None and not filters.is_empty:
        root, filters = (
            DateRange(f"{days.since or ''}..{days.until or ''}", days.since, days.until),
            Filters(),
        )
    made = None if root is None else line(root)
    if made and "show" not in request.args:
        return redirect(Asked(made, filters).url())
    return render_template(
        "advanced.html",
        words=WORDS,
        places=PLACES,
        values=request.args,
        made=made,
        is_asked=bool(request.args),
    )


def _parts(args: MultiDict[str, str]) -> Iterator[Node]:
    """What the filled-in fields ask for. Raises QueryError for a length that is no number."""
    yield from _words(args, "all")
    some = _words(args, "any")
    if some:
        yield some[0] if len(some) == 1 else Or(tuple(some))
    if fold(exact := args.get("exact", "")):
        yield Phrase(exact.strip())
    for field in PLACES:
        yield from _words(args, field, field)
    least = read_number(args, "least", default=0, least=0)
    most = read_number(args, "most", default=0, least=0)
    if least or most:
        yield LengthRange(f"{least or ''}..{most or ''}", least or None, most or None)
    yield from (Not(word) for word in _words(args, "none"))


def _words(args: Mapping[str, str], name: str, field: Field | None = None) -> list[Word | Phrase]:
    return [word for word in typed(args.get(name, ""), field) if fold(word.text)]
