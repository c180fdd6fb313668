"""Article pages of unknown sites: where the text is, by the density of Chinese sentences arbitrated with readability. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import lxml.etree
from bs4 import Tag
from readability import Document
from readability.readability import Unparseable

from kb.parse.lines import Line, PlacedLine, fragment, marked_bodies, place_lines, read_lines
from kb.parse.marks import Marks
from kb.parse.tags import holds, marks_of, outermost

_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_PROSE = re.compile(r"[，。；！？,;!?]")
# Class and id words of what stands around articles. Word by word: `comment` counts, `commentary` does not.
_ASIDE_WORDS = frozenset(
    "nav navbar navi navigation menu submenu breadcrumb breadcrumbs crumb crumbs crumbnav footer foot copyright copy header topbar toolbar "
    "sidebar side aside comment comments commentlist cmt reply replies related relate relation recommend recommended recommendation recom "
    "share sharebar bdsharebuttonbox social rank ranking hot hotnews ad ads adv advert advertisement gg banner qrcode ewm login register search "
    "tag tags tagcloud pager pagination page-nav prev next prevnext disclaimer statement feedback tool tools toolbox print "
    "editor zebian jiucuo xgxw xgyd tuijian hotlist friendlink links popup dialog modal mask float guess".split()
)
_WORD = re.compile(r"[a-z]+|\d+")
_ASIDE_TAGS = frozenset({"nav", "footer", "aside", "form", "header"})
_HIDDEN = re.compile(r"display\s{0,5}:\s{0,5}none", re.I)
# Containers that only one CMS writes: each names the article's text and nothing else (layouts.md; strict, see crawl.md §2.3).
_CMS_BODIES = (
    ".trs_editor", ".rm_txt_con", "#ucap-content", ".pages_content", "#detailcontent", ".show_text", "#artibody", ".trs_uedit",
    ".trs_paper_preview", ".view.trs_uedit_bj_wrap", "#js_content", "#rwb_zw", "#vsb_content", "#vsb_content_2", "#vsb_newscontent",
    ".v_news_content", ".wp_articlecontent", "#zhengwen", "#fontzoom", ".detail_content", "#cnt-main-article-qq", "#main_content",
    ".cnt_bd", "#content_area", ".article_content_body", "#p-detail", ".xly_wz", "#chan_newsdetail", ".left_zw", "#mp-editor",
    "#endtext", ".post_text", ".post_body", "#text_content", ".content_area", ".syl-page-article", "#article_inbox",
)  # fmt: skip
# Tried only where density finds no sentence.
_COMMON_BODIES = (
    *_CMS_BODIES, "#zoom", "article", ".article-content", ".article_content", ".article", "#article", ".content", "#content", ".con",
    ".main-content", ".detail", ".text", "#text",
)  # fmt: skip
_PARAGRAPHS = frozenset({"p", "span", "font", "strong", "section"})
_FEW_WORDS = 4
_SHINGLE_CHARS = 5


@dataclass(frozen=True, slots=True)
class FoundBody:
    """Where the text of a page is."""

    lines: tuple[Line, ...]
    node: Tag | None  # the container; None when readability's tree was taken
    how: str  # cms | density | readability | container
    confidence: float  # as kb.parse.article.read_page tells


def find_body(marks: Marks, html: str) -> FoundBody | None:
    """The text of an article page of any site; None when the page has no Chinese sentence at all."""
    root = marks.tree
    placed = place_lines(root, skip=asides(marks))
    node = densest(placed, root)
    if node is None:
        plain = unlinked_container(marks)
        return FoundBody(tuple(read_lines(plain)), plain, "container", 0.7) if plain else None
    dense = tuple(one.line for one in placed if holds(node, one.block))
    cms = _stated_body(marks, dense)
    if cms is not None:
        return FoundBody(tuple(read_lines(cms)), cms, "cms", 0.85)
    return _arbitrate(dense, node, _readability(html))


def asides(marks: Marks) -> set[int]:
    """id() of the tags around the article: navigation, comments, recommendations, what is hidden.

    A tag that holds most of the page's text is no aside, whatever it is called.
    """
    weights = _weigh(marks.lines, marks.tree)
    most = weights[id(marks.tree)].good / 2
    found: set[int] = set()
    for tag in marks.tree.find_all(True):
        if (tag.parent is not None and id(tag.parent) in found) or (
            _is_aside(tag) and weights[id(tag)].good <= most
        ):
            found.add(id(tag))
    return found


def _is_aside(tag: Tag) -> bool:
    if tag.name in ("body", "html", "p", "span"):
        return False
    if tag.name in _ASIDE_TAGS or _HIDDEN.search(str(tag.get("style") or "")):
        return True
    return any(not _ASIDE_WORDS.isdisjoint(_WORD.findall(mark)) for mark in marks_of(tag))


def weight(placed: PlacedLine) -> int:
    """How much a line speaks for its container: Chinese characters in sentences; against it, links and loose words.

    Headings count nothing: they stand above articles and above boxes.
    """
    text = placed.line.text
    han = len(_HAN.findall(text))
    if 2 * placed.linked >= len(text):
        return -min(2 * len(text), 60)
    if placed.line.kind == "heading":
        return 0
    if _PROSE.search(text) or han >= 25:
        return han
    return -min(len(text), 10)


@dataclass(slots=True)
class _Weight:
    """What the lines in a tag weigh."""

    good: int = 0
    bad: int = 0
    links: int = 0  # lines that are mostly links
    words: int = 0  # lines without a link and without a sentence

    @property
    def sum(self) -> int:
        return self.good - self.bad


def _weigh(placed: Iterable[PlacedLine], root: Tag) -> dict[int, _Weight]:
    """What the lines in every tag below `root` weigh, by the tag's id()."""
    weights: dict[int, _Weight] = defaultdict(_Weight)
    for one in placed:
        here, value = weights[id(one.block)], weight(one)
        here.good += max(value, 0)
        here.bad += max(-value, 0)
        here.links += one.linked > 0 and value < 0
        here.words += one.linked == 0 and value < 0
    for tag in reversed(root.find_all(True)):
        own, above = weights[id(tag)], weights[id(tag.parent)]
        above.good += own.good
        above.bad += own.bad
        above.links += own.links
        above.words += own.words
    return weights


def densest(placed: list[PlacedLine], root: Tag) -> Tag | None:
    """The tag whose lines, taken together, weigh most; narrowed down while that drops more bad lines than good."""
    weights = _weigh(placed, root)
    best = max([root, *root.find_all(True)], key=lambda tag: weights[id(tag)].sum)
    return _container(_narrowed(best, weights), weights) if weights[id(best)].good > 0 else None


def _container(tag: Tag, weights: dict[int, _Weight]) -> Tag:
    """A paragraph that outweighs all the rest stands for the tag around it, where only a few words stand beside it."""
    around = tag.parent
    if tag.name not in _PARAGRAPHS or around is None or around.name in ("body", "html"):
        return tag
    own, whole = weights[id(tag)], weights[id(around)]
    return around if whole.links == own.links and whole.words - own.words <= _FEW_WORDS else tag


def unlinked_container(marks: Marks) -> Tag | None:
    """Where the text of a page without any sentence is, a poem or a list of names: the one common container without links."""
    for path in _COMMON_BODIES:
        tags = outermost(marks.all(path))
        placed = place_lines(tags[0]) if len(tags) == 1 else []
        if (
            len(placed) >= 2
            and not any(one.linked for one in placed)
            and _han([one.line for one in placed]) >= 8
        ):
            return tags[0]
    return None


def _narrowed(tag: Tag, weights: dict[int, _Weight]) -> Tag:
    while True:
        children = [child for child in tag.children if isinstance(child, Tag)]
        child = max(children, key=lambda one: weights[id(one)].sum, default=None)
        if child is None:
            return tag
        whole, part = weights[id(tag)], weights[id(child)]
        lost_good, lost_bad = whole.good - part.good, whole.bad - part.bad
        if part.good < 0.6 * whole.good or lost_bad < 0.3 * lost_good:
            return tag
        tag = child


def _stated_body(marks: Marks, dense: tuple[Line, ...]) -> Tag | None:
    """The body that comments mark, else the container of a known CMS; it must be the only one and hold a good part of the dense text."""
    wanted = _han(dense)
    for tags in (marked_bodies(marks.tree), *(outermost(marks.all(path)) for path in _CMS_BODIES)):
        if len(tags) == 1 and 6 * _han(read_lines(tags[0])) > wanted:
            return tags[0]
    return None


def _readability(html: str) -> tuple[Line, ...]:
    """The lines of readability's choice; () when it makes none."""
    try:
        summary = Document(html).summary(html_partial=True)
    except (Unparseable, lxml.etree.LxmlError, ValueError):
        return ()
    return tuple(read_lines(fragment(summary)))


def _arbitrate(dense: tuple[Line, ...], node: Tag, readable: tuple[Line, ...]) -> FoundBody:
    """One of two readings of a page. The rule and what it is worth (F1 .985 against .933 and .964): crawl.md §2.3."""
    ours, theirs = FoundBody(dense, node, "density", 0.7), FoundBody(readable, None, "readability", 0.7)
    if min(_han(dense), _han(readable)) < 150:
        return ours if _han(dense) >= _han(readable) or _han(readable) < 150 else theirs
    mine, other = _shingles(dense), _shingles(readable)
    common = len(mine & other)
    agreement = common / min(len(mine), len(other))
    if agreement < 0.2:
        return replace(theirs, confidence=0.55)
    # Beyond the rule: three times as long, a reading that shares a fifth has the text of which ours is a part.
    holds_ours = common > 0.8 * len(mine) and len(other) > 1.3 * len(mine)
    better = theirs if holds_ours or len(other) > 3 * len(mine) else ours
    return replace(better, confidence=0.7 + 0.15 * agreement)


def _han(lines: Collection[Line]) -> int:
    return sum(len(_HAN.findall(line.text)) for line in lines)


def _shingles(lines: Iterable[Line]) -> set[str]:
    text = "".join("".join(line.text.split()) for line in lines)
    return {text[start : start + _SHINGLE_CHARS] for start in range(max(len(text) - _SHINGLE_CHARS + 1, 1))}
