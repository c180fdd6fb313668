"""Lexicon and synonyms, with a box to try what they do to a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from kb import words
from kb.errors import WordsError
from kb.store import words as stored_words
from kb.store.db import reading
from kb.text.lexicon import Fault, own_word_fault, written
from kb.text.normalize import fold
from kb.web.access import only
from kb.web.asked import page_numbers
from kb.web.library import the_library
from kb.web.visitor import the_hidden, the_visitor
from kb.words import GroupLine, Line

blueprint = Blueprint("admin_lexicon", __name__)

editors = only("editor", "admin")
ON_A_PAGE = 50
SHOWN: dict[str, str] = {"": "全部", "own": "本库增改", "off": "已停用、已移除"}
STATES = {"shipped": "自带", "off": "自带,已停用", "added": "本库添加", "removed": "已移除"}
SAYS_WHEN = "同义词即时生效。词条在后台按新词表重建索引后生效,其间检索照常。"


@blueprint.get("/admin/lexicon")
@editors
def page() -> str:
    return _page()


def _page(error: WordsError | None = None, faults: Sequence[Fault] = (), **typed: str) -> str:
    library = the_library()
    search = library.search
    asked = {name: request.args.get(name, "").strip() for name in ("find", "show", "try", "more", "word")}
    with reading(library.database) as connection:
        lines = _chosen(words.every(connection), asked["find"], asked["show"])
    number = _number(len(lines))
    tried = (
        words.try_text(library.database, search, asked["try"], asked["more"].split())
        if asked["try"]
        else None
    )
    counted = asked["word"] or asked["find"]
    return render_template(
        "admin_lexicon.html",
        asked=asked,
        shown=SHOWN,
        states=STATES,
        lines=lines[(number - 1) * ON_A_PAGE : number * ON_A_PAGE],
        total=len(lines),
        number=number,
        address=lambda wanted: url_for(
            "admin_lexicon.page", find=asked["find"] or None, show=asked["show"] or None, page=wanted
        ),
        page_numbers=page_numbers(number, _last(len(lines))),
        counted=counted,
        affected=words.affected(search, counted, the_hidden())
        if counted and own_word_fault(counted) is None
        else None,
        standing=words.standing(library.database, library.settings, search),
        tried=tried,
        error=error,
        faults=faults,
        typed={"word": asked["word"], "frequency": "", "lines": "", **typed},
    )


def _chosen(lines: Sequence[Line], text: str, show: str) -> list[Line]:
    kept = {"own": ("added", "removed", "off"), "off": ("off", "removed")}.get(show)
    sought = fold(text)
    return [
        line
        for line in lines
        if (kept is None or line.state in kept) and (sought in fold(line.word) or text in line.subject)
    ]


def _last(total: int) -> int:
    return max(1, -(-total // ON_A_PAGE))


def _number(total: int) -> int:
    asked = request.args.get("page", "1")
    return min(max(1, int(asked)) if asked.isdecimal() and len(asked) < 6 else 1, _last(total))


def _done(said: str, endpoint: str = "admin_lexicon.page", **where: Any) -> AnyResponse:
    flash(said)
    return redirect(url_for(endpoint, **where), 303)


@blueprint.post("/admin/lexicon/add")
@editors
def add() -> tuple[str, int] | AnyResponse:
    word, frequency = request.form.get("word", ""), request.form.get("frequency", "")
    try:
        words.add(the_library().database, the_visitor().actor, word, frequency)
    except WordsError as error:
        return _page(error, word=word, frequency=frequency), 400
    return _done(f"已添加「{word.strip()}」。{SAYS_WHEN}", find=word.strip())


@blueprint.post("/admin/lexicon/remove")
@editors
def remove() -> tuple[str, int] | AnyResponse:
    return _switched(words.remove, "已停用「{}」;要撤销请点「恢复」。")


@blueprint.post("/admin/lexicon/put-back")
@editors
def put_back() -> tuple[str, int] | AnyResponse:
    return _switched(words.put_back, "已恢复「{}」。")


def _switched(change: Callable[..., None], said: str) -> tuple[str, int] | AnyResponse:
    word = request.form.get("word", "")
    try:
        change(the_library().database, the_visitor().actor, word)
    except WordsError as error:
        return _page(error), 400
    return _done(said.format(word) + SAYS_WHEN, find=word)


@blueprint.post("/admin/lexicon/import")
@editors
def take() -> tuple[str, int] | AnyResponse:
    text = request.form.get("lines", "")
    changed, faults = words.take_lines(the_library().database, the_visitor().actor, text.splitlines())
    if faults:
        return _page(WordsError("words.bad_lines", count=len(faults)), faults, lines=text), 400
    return _done(f"导入完成,改动 {changed} 个词条。{SAYS_WHEN}", show="own")


@blueprint.get("/admin/lexicon/export.tsv")
@editors
def export() -> Response:
    """What editors decided; the shipped file is in the program."""
    with reading(the_library().database) as connection:
        text = written(stored_words.own(connection))
    answer = Response("\ufeff" + text, mimetype="text/tab-separated-values")
    answer.headers["Content-Disposition"] = "attachment; filename=lexicon.tsv"
    return answer


# --- synonyms -----------------------------------------------------------------------------------------------


@blueprint.get("/admin/lexicon/synonyms")
@editors
def groups() -> str:
    return _groups_page()


def _groups_page(error: WordsError | None = None, typed: str = "") -> str:
    text = request.args.get("find", "").strip()
    with reading(the_library().database) as connection:
        found = words.every_group(connection)
    shown = [group for group in found if _has(group, text)]
    typed = typed or request.args.get("word", "").strip()
    return render_template(
        "admin_synonyms.html",
        groups=shown,
        total=len(found),
        find=text,
        states=STATES,
        error=error,
        typed=typed,
    )


def _has(group: GroupLine, text: str) -> bool:
    return any(fold(text) in fold(name) for name in group.names)


@blueprint.post("/admin/lexicon/synonyms/add")
@editors
def add_group() -> tuple[str, int] | AnyResponse:
    typed = request.form.get("names", "")
    try:
        words.add_group(the_library().database, the_visitor().actor, typed)
    except WordsError as error:
        return _groups_page(error, typed), 400
    names = words.names_in(typed)
    return _done(f"已添加同义词:{'、'.join(names)}。即时生效。", "admin_lexicon.groups", find=names[0])


@blueprint.post("/admin/lexicon/synonyms/switch")
@editors
def switch_group() -> tuple[str, int] | AnyResponse:
    names, on = tuple(request.form.getlist("name")), request.form.get("to") == "on"
    try:
        words.switch_group(the_library().database, the_visitor().actor, names, on=on)
    except WordsError as error:
        return _groups_page(error), 400
    said = "已恢复" if on else "已停用"
    return _done(f"{said}同义词:{'、'.join(names)}。即时生效。", "admin_lexicon.groups", find=names[0])
