"""E-newspaper article pages: Founder 方正 classic and PC templates and the ones built after them. Pure.

Facts: crawl.md §4, data/layouts.md (27 sites), layout_facts_papers.csv (510 newspapers).
"""

from __future__ import annotations

import re
from html import unescape

from bs4 import Comment, Tag

from kb.parse import frame, generic
from kb.parse.boilerplate import is_furniture
from kb.parse.byline import is_credit_line, read_credit
from kb.parse.draft import Draft
from kb.parse.layouts import (
    CAPTIONS,
    CLASSIC,
    FOUNDER_BODIES,
    LAYOUTS,
    MARKED,
    PAPER_TITLES,
    TITLE_BLOCKS,
    Layout,
)
from kb.parse.lines import Line, frame_lines, marked_bodies, plain_lines, read_lines, squeezed
from kb.parse.marks import Marks
from kb.parse.metadata import document_title
from kb.parse.tags import holds, marks_of, outermost
from kb.text.dates import read_date

_PROPERTY_START = re.compile(r"<!--\s{0,20}enpproperty", re.I)
_PROPERTY = re.compile(
    r"<(?:founder-)?(?P<name>[a-z]{2,20})\s{0,5}>(?P<text>[^\x00]{0,4000}?)</(?:founder-)?(?P=name)\s{0,5}>",
    re.I,
)
_COMMENTS = 4  # read of one page: a hostile page may hold thousands
_COMMENT_CHARS = 20_000
_BREAK = re.compile(r"<br\s{0,3}/?\s{0,3}>|</p\s{0,3}>", re.I)
_ANY_TAG = re.compile(r"<[^<>]{0,300}>")
_ALIASES = {"pretitle": "introtitle", "kicker": "introtitle", "page": "pagenum", "papername": "papername"}
EDITION_PAGE_TYPE = "2"


_FRAME_WORDS = re.compile(
    r"^(?:来源|日期|时间|版次|版面|发布时间|出版日期|稿源|编辑|责编|责任编辑|点击|阅读|字号)\s?[:：]"
)
_DATED = re.compile(r"\d{4}\s?[年./-]\s?\d{1,2}\s?[月./-]\s?\d{1,2}")
_BYLINE_CHARS = 60
_AUTHOR_MARKS = ("author", "zuozhe", "byline")
_SOURCE_TAIL = re.compile(
    r"\s{0,9}[《(（]?[^《》（()）]{0,20}[》]?\s{0,9}[(（]?\s{0,9}\d{4}\s?[年./-].{0,60}$"
)


def read_founder(marks: Marks, html: str, url: str) -> Draft | None:
    """The article of an e-newspaper page; None when the page shows no mark of one.

    The draft's title and body may be missing; its `published` is the comment's, else the address's, else the header line's.
    """
    known = properties(html)
    body = find_body(marks)
    found = _find_layout(marks, body, known)
    confidence = 0.95
    if body and not known and not _is_founder(marks, body):
        body = None
    if body is None or not _has_text(body):
        body = _layout_body(marks, found) or body
    if body is None and ("title" in known or _is_paper_title(marks, found)):
        # A title block of this family over an ordinary container: 69 of 510 newspapers call it "content".
        dense = generic.find_body(marks, html)
        body, confidence = (dense.node, dense.confidence) if dense else (None, 0.0)
    if body is None:
        return None
    draft = Draft(found[0].family if found else CLASSIC, confidence)
    if known.get("type") == EDITION_PAGE_TYPE:
        draft.flags.append("edition_page")
    draft.lines = read_lines(body)
    _add_captions(draft, marks, body)
    _read_frame(draft, marks, body, known, url)
    _read_title_block(draft, marks, body, known, found)
    if body.find("img") or any(tag.find("img") for tag in marks.all(*CAPTIONS)):
        draft.flags.append("images")
    if more_pages(marks):
        draft.flags.append("more_pages")
    return draft


def properties(html: str) -> dict[str, str]:
    """The fields of a page's enpproperty comments, both forms (<founder-title>, <title>), by plain name in lower case.

    Of several comments the first that names a field wins. `date` is YYYY-MM-DD …; breaks in texts become spaces.
    """
    found: dict[str, str] = {}
    place = 0
    for _ in range(_COMMENTS):
        start = _PROPERTY_START.search(html, place)
        end = html.find("-->", start.end(), start.end() + _COMMENT_CHARS) if start else -1
        if start is None or end < 0:
            break
        for entry in _PROPERTY.finditer(html, start.end(), end):
            name = entry["name"].lower()
            text = _plain_text(entry["text"])
            if text:
                found.setdefault(_ALIASES.get(name, name), text)
        place = end
    return found


def _plain_text(markup: str) -> str:
    text = unescape(_ANY_TAG.sub("", _BREAK.sub(" ", unescape(markup))))
    return squeezed(text)


def find_body(marks: Marks) -> Tag | None:
    """The tag that holds a Founder page's text: <founder-content>, the enpcontent comments, #ozoom …

    Of several the first that has text, since a page may carry an empty or a hidden second copy; else the first.
    """
    candidates = [*outermost(marks.all("founder-content")), *marked_bodies(marks.tree, founder_only=True)]
    candidates += [tag for path in FOUNDER_BODIES for tag in marks.all(path)]
    return next(filter(_has_text, candidates), candidates[0] if candidates else None)


def _has_text(tag: Tag) -> bool:
    """Whether it holds more than tools (放大 缩小 默认)."""
    return any(not is_furniture(line.text) for line in read_lines(tag))


def _is_founder(marks: Marks, body: Tag) -> bool:
    return (
        body.name == "founder-content"
        or "#ozoom" in marks_of(body)
        or bool(marked_bodies(marks.tree, founder_only=True))
    )


def _is_paper_title(marks: Marks, found: tuple[Layout, Tag] | None) -> bool:
    """Whether only e-newspapers print titles so; #title alone is everywhere, beside a kicker's place it is not."""
    if found is None:
        return False
    return found[0].title[0] in PAPER_TITLES or bool(marks.all("#pretitle", "#introtitle"))


def _layout_body(marks: Marks, found: tuple[Layout, Tag] | None) -> Tag | None:
    """The text of a page without a mark of Founder: where the layout of its title has it."""
    paths = found[0].body if found else ()
    return next((tag for path in paths for tag in marks.all(path) if _has_text(tag)), None)


def _find_layout(marks: Marks, body: Tag | None, known: dict[str, str]) -> tuple[Layout, Tag] | None:
    """The first layout whose title is on the page, and the title's tag."""
    for layout in LAYOUTS:
        tags = [
            tag for tag in marks.all(*layout.title) if not (body and holds(body, tag)) and plain_lines(tag)
        ]
        tags = [tag for tag in tags if not _names_newspaper(tag, known)]
        if tags:
            return layout, _wanted(tags, known)
    return None


def _names_newspaper(tag: Tag, known: dict[str, str]) -> bool:
    text = " ".join(plain_lines(tag))
    return text == known.get("papername") or frame.newspaper_of_title(text) is not None


def _wanted(tags: list[Tag], known: dict[str, str]) -> Tag:
    """Of several tags in a title's place the one that the comment knows, else the first."""
    title = _key(known.get("title", ""))
    return next((tag for tag in tags if title.startswith(_key(_text(tag)))), tags[0]) if title else tags[0]


def _key(text: str) -> str:
    return re.sub(r"\s", "", text)


def _text(tag: Tag) -> str:
    return " ".join(plain_lines(tag))


def _read_title_block(
    draft: Draft, marks: Marks, body: Tag, known: dict[str, str], found: tuple[Layout, Tag] | None
) -> None:
    """Title, kicker, subtitle, author: as printed above the body, completed from the comment."""
    names = (draft.texts.get("newspaper"), known.get("papername"), known.get("nodename"))
    if found:
        layout, title = found
        _offer_title(draft, title, frame.bare_title(known.get("title", ""), names), layout.family)
        _read_marked(draft, marks, body, layout)
        _read_around(draft, _beside(marks, body, layout, title), marks.position(title), known, marks)
        _read_between(draft, marks, title, body)
    else:
        _read_block(draft, marks, known)
    if not frame.newspaper_of_title(known.get("title", "")):
        draft.offer("title", frame.bare_title(known.get("title", ""), names), "founder-comment")
    draft.offer("kicker", known.get("introtitle"), "founder-comment")
    draft.offer("subtitle", known.get("subtitle"), "founder-comment")
    draft.offer("author", known.get("author"), "founder-comment")


def _offer_title(draft: Draft, title: Tag, stated: str, origin: str) -> None:
    """The printed title; where a line break cuts it and the comment gives the same, the comment's form.

    Without a comment the two halves are set apart by a space: 人民日报 prints two-line headlines so in its own lists.
    """
    printed = _text(title)
    same = stated and _key(printed) == _key(stated)
    draft.offer("title", stated if same and title.find("br") else printed, origin)


def _read_marked(draft: Draft, marks: Marks, body: Tag, layout: Layout) -> None:
    """What stands in tags that say what they are."""
    places = {"kicker": layout.kicker, "subtitle": layout.subtitle, "author": layout.author}
    for name, paths in places.items():
        for path in (*paths, *MARKED[name]):
            for tag in marks.all(path):
                if not holds(body, tag):
                    text = _author_text(tag) if name == "author" else "\n".join(plain_lines(tag))
                    draft.offer(name, text, layout.family)


def _author_text(tag: Tag) -> str:
    """An author line without the source and date that share its tag: 作者：张三 《光明日报》（ 2025年02月12日 04版）."""
    lines = [line for line in plain_lines(tag) if not _FRAME_WORDS.match(line)]
    return " ".join(filter(None, (_SOURCE_TAIL.sub("", line).strip() for line in lines)))


def _beside(marks: Marks, body: Tag, layout: Layout, title: Tag) -> list[Tag]:
    """The unmarked tags of the title block, in page order: in the nearest tag around the title that has any, outside the body."""
    tags = [
        tag
        for tag in marks.all(*layout.around)
        if not holds(body, tag) and not holds(title, tag) and not holds(tag, title)
    ]
    if not tags:
        return []
    for around in title.parents:
        inside = [tag for tag in tags if holds(around, tag)]
        if holds(around, body):
            return [tag for tag in inside if marks.position(tag) < marks.position(body)]
        if len(inside) == len(tags):
            return inside
    return []


def _read_around(draft: Draft, tags: list[Tag], title: int, known: dict[str, str], marks: Marks) -> None:
    """Lines before the title are its kicker; behind it a byline is the author and the rest the subtitle."""
    before, behind = [], []
    for tag in tags:
        lines = [
            line for line in plain_lines(tag) if not _FRAME_WORDS.match(line) and not _DATED.search(line)
        ]
        said = _stated_role(tag, " ".join(lines), known)
        if said:
            draft.offer(said, "\n".join(lines), draft.rule)
        elif marks.position(tag) < title:
            before += lines
        else:
            behind += lines
    draft.offer("kicker", "\n".join(before), draft.rule)
    credits = [line for line in behind if is_credit_line(line) or read_credit(line, expected=True).authors]
    draft.offer("author", " ".join(credits), draft.rule)
    draft.offer("subtitle", "\n".join(line for line in behind if line not in credits), draft.rule)


def _read_between(draft: Draft, marks: Marks, title: Tag, body: Tag) -> None:
    """The byline between title and text, whatever tag holds it: 本报记者 …, 作者：…, or a name in a tag called author."""
    if "author" in draft.texts:
        return
    first, last = marks.position(title), marks.position(body)
    for tag in marks.between(first, last):
        if tag.find(True) or holds(title, tag) or holds(body, tag) or tag.find_parent("a") or tag.name == "a":
            continue
        text = _author_text(tag)
        called = any(word in mark for mark in marks_of(tag) for word in _AUTHOR_MARKS)
        if len(text) <= _BYLINE_CHARS and (
            is_credit_line(text) or (called and read_credit(text, expected=True).authors)
        ):
            draft.offer("author", text, draft.rule)


def _stated_role(tag: Tag, text: str, known: dict[str, str]) -> str | None:
    """What a comment in the tag (<npm:article-author>) or the page's own comment says the text is."""
    notes = " ".join(str(note).lower() for note in tag.find_all(string=lambda one: isinstance(one, Comment)))
    for field, names in {
        "kicker": ("introtitle", "pretitle"),
        "subtitle": ("subtitle",),
        "author": ("author",),
    }.items():
        if any(f"article-{name}" in notes or tag.find(f"founder-{name}") for name in names):
            return field
        if text and any(_key(known.get(name, "")) == _key(text) for name in names):
            return field
    return None


def _read_block(draft: Draft, marks: Marks, known: dict[str, str]) -> None:
    """A title block without marks inside: the heading, the line that the comment knows, else its first line is the title."""
    block = marks.first(*TITLE_BLOCKS)
    lines = [line for line in read_lines(block) if not _FRAME_WORDS.match(line.text)] if block else []
    lines = [line for line in lines if not _DATED.search(line.text) and not frame.read_label(line.text)]
    if not lines:
        return
    stated = _key(known.get("title", ""))
    title = next((line for line in lines if stated and stated.startswith(_key(line.text))), None)
    title = title or next((line for line in lines if line.kind == "heading"), lines[0])
    place = lines.index(title)
    draft.offer("title", title.text, draft.rule)
    draft.offer("kicker", "\n".join(line.text for line in lines[:place]), draft.rule)
    behind = [line.text for line in lines[place + 1 :]]
    credits = [line for line in behind if is_credit_line(line)]
    draft.offer("author", " ".join(credits), draft.rule)
    draft.offer("subtitle", "\n".join(line for line in behind if line not in credits), draft.rule)


def _read_frame(draft: Draft, marks: Marks, body: Tag, known: dict[str, str], url: str) -> None:
    """Newspaper, date, edition page and its name, from comment, address and the lines around the article."""
    around = lines_around(marks, body)
    draft.offer("newspaper", known.get("papername"), "founder-comment")
    for tag in marks.all("founder-title"):
        draft.offer("newspaper", frame.newspaper_of_title(_text(tag)), "founder-title")
    read_frame(
        draft,
        around,
        document_title(marks),
        url,
        stated_date=known.get("date"),
        stated_page=known.get("pagenum"),
    )
    label = next(
        (one for one in _link_labels(marks) if frame.same_page(one.page, draft.texts.get("edition_page"))),
        None,
    )
    draft.offer("page_name", label.name if label else None, "edition-links")
    draft.offer("page_name", known.get("pagename"), "founder-comment")


def read_frame(
    draft: Draft, around: list[str], title: str, url: str, *, stated_date: str | None, stated_page: str | None
) -> None:
    """Date, edition label and newspaper of a page from what it states, its address and its frame lines."""
    issue, printed = frame.url_date(url), next(filter(None, map(read_date, around)), None)
    if issue == printed:
        # Both name the issue; a comment's date may be the day of the upload.
        draft.offer("published", issue, "url")
    draft.offer("published", read_date(stated_date or ""), "founder-comment")
    draft.offer("published", issue, "url")
    draft.offer("published", printed, "header")
    labels = [label for label in map(frame.read_label, around) if label]
    page = stated_page or frame.url_edition_page(url)
    label = next((one for one in labels if page is None or frame.same_page(one.page, page)), None)
    named = next(
        (one for one in labels if label and one.name and frame.same_page(one.page, label.page)), None
    )
    draft.offer("edition_page", label.page if label else None, "header")
    draft.offer("edition_page", page, "founder-comment" if stated_page else "url")
    draft.offer("page_name", named.name if named else None, "header")
    draft.offer("newspaper", next(filter(None, map(frame.newspaper_of_line, around)), None), "header")
    parts = reversed(frame.title_parts(title))
    draft.offer("newspaper", next(filter(None, map(frame.newspaper_of_title, parts)), None), "title")
    draft.offer("newspaper", next(filter(None, map(frame.newspaper_of_rights, around)), None), "rights")


def lines_around(marks: Marks, body: Tag | None) -> list[str]:
    """The lines of the page outside the article and outside links."""
    return frame_lines(marks.tree, skip={id(tag) for tag in marks.all("a")} | ({id(body)} if body else set()))


def _link_labels(marks: Marks) -> list[frame.Label]:
    """The edition labels that stand in links: the list of the issue's pages."""
    texts = (_text(tag) for tag in marks.all("a")[:400])
    return [label for label in map(frame.read_label, texts) if label]


def _add_captions(draft: Draft, marks: Marks, body: Tag) -> None:
    """Put the words under pictures that stand outside the text in front of it."""
    present = {line.text for line in draft.lines}
    captions: list[Line] = []
    for tag in outermost(marks.all(*CAPTIONS)):
        captions += [Line(text, "caption") for text in plain_lines(tag) if text not in present]
    draft.lines[:0] = [line for line in dict.fromkeys(captions) if len(line.text) <= 300]


def more_pages(marks: Marks) -> list[str]:
    """The addresses, as printed, of the further pages of a long article: content_1234_2.htm in #displaypagenum."""
    links = (str(tag.get("href", "")) for tag in marks.all("#displaypagenum a", ".displaypagenum a"))
    return list(dict.fromkeys(href for href in links if re.search(r"_\d{1,2}\.s?html?$", href)))
