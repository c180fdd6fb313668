"""Article pages of any site, and pages known by the order of their lines only. Pure."""

from __future__ import annotations

import re
from itertools import pairwise

from kb.errors import ParseError
from kb.parse import metadata
from kb.parse.boilerplate import trim
from kb.parse.draft import Draft
from kb.parse.frame import read_label
from kb.parse.generic import find_body
from kb.parse.heading import read_heading
from kb.parse.lines import Line
from kb.parse.marks import Marks
from kb.parse.masthead import read_masthead
from kb.parse.notice import notice_reason
from kb.text.dates import read_date

_HEAD_LINES = 12
_NEAR = 20  # lines above the text in which its title, date and source stand
_TEXT_PAGE = re.compile(r"^(?:通版阅读请点击|当前版面?)\s?[:：]")
_SPACE = re.compile(r"\s")
_HEAD = re.compile(
    r"[（(【\[]?(?:本文)?原标?题[为是]?\s?[:：《].{0,100}|图集|\+1|点击进入.{0,30}|视频[-：:].{0,60}|(?:自动)?播放.{0,40}|play\s.{0,40}"
)
_TAIL = re.compile(
    r"(?:本文|文章|稿件|信息|资料)?(?:来源|转自|出处)\s?[:：].{0,80}|[（(【\[]?(?:责任编辑|责编|编辑|校对|审核|监制|值班\S{0,3}|主编|制作|终审|初审|复审)\s?[:：/].{0,80}"
    r"|[（(【\[]?编辑\s.{0,40}|[（(【\[]?原标?题[为是]?\s?[:：《].{0,100}|图集|\+1|【纠错】|(?:此前|相关|更多|延伸)(?:报道|新闻|阅读|内容|资讯)\s?[:：].{0,80}|点击进入.{0,30}"
    r"|.{0,30}(?:请|欢迎)(?:下载|关注|扫码|订阅|点击).{0,60}|(?:特别|免责|版权)?声明\s?[:：].{0,400}|.{0,40}(?:转载请注明|(?:不得|禁止)转载|侵权).{0,100}"
    r"|[-—－\s]{0,10}(?:THE\s)?END[-—－\s]{0,10}|[（(](?:全文)?完[)）]|(?:关键[字词]|标签|Tags?)\s?[:：].{0,80}|(?:#[^#\s]{1,20}#?\s?){1,10}|\S{0,10}(?:微信公众号|官方微信|APP|客户端)"
    r"|(?:【\d】){2,20}|图片(?:均)?来(?:源于|自).{0,30}|[（(](?:综合)?(?:整理|编译)?自.{0,60}[)）]",
    re.I,
)


def read_any_site(marks: Marks, html: str, url: str) -> Draft:
    """The article of a page of which nothing is known.

    Raises ParseError("parse.not_an_article") for error, log-in and check pages, ("parse.no_body") for a page without a sentence.
    """
    page = marks.texts
    found = find_body(marks, html)
    reason = notice_reason(marks, [line.text for line in found.lines] if found else page)
    if reason:
        raise ParseError("parse.not_an_article", source=url, reason=reason)
    if found is None:
        raise ParseError("parse.no_body", source=url)
    draft = Draft("generic", found.confidence)
    stated = metadata.metas(marks)
    offer_title(draft, marks, stated, marks.position(found.node) if found.node else None)
    _take_printed_title(draft, page, [line.text for line in found.lines[:4]])
    head, lines = _without_head(list(found.lines), draft.texts.get("title", ""))
    draft.lines, tail = _without_tail(lines)
    draft.head, draft.tail = [line.text for line in head], [line.text for line in tail]
    near = [*_above(page, found.lines, draft.texts.get("title", "")), *draft.head, *draft.tail]
    _offer_facts(draft, marks, html, url, stated, near, page)
    return draft


def offer_title(draft: Draft, marks: Marks, stated: dict[str, str], before: int | None = None) -> None:
    """The page's title as metadata finds it; one from <title> alone is flagged title.guessed."""
    found = metadata.find_title(marks, stated, before)
    if found and "title" not in draft.texts:
        draft.offer("title", *found)
        if found[1] == "title":
            draft.flags.append("title.guessed")


def _offer_facts(
    draft: Draft, marks: Marks, html: str, url: str, stated: dict[str, str], near: list[str], page: list[str]
) -> None:
    below = _below(page, draft.lines)
    draft.offer_found("published", metadata.find_date(marks, html, url, stated, near, below))
    draft.offer_found("newspaper", metadata.find_source(stated, near, metadata.document_title(marks)))
    draft.offer_found("author", metadata.find_author(stated, near))
    facts = read_masthead(near)
    label = next((one for line in page[:_HEAD_LINES] if read_date(line) and (one := read_label(line))), None)
    if label and not facts.edition_page:
        # 2024年03月17日 星期三 02版：要闻, wherever the page prints it
        draft.offer("edition_page", label.page, "header")
        draft.offer("page_name", label.name, "header")
    draft.offer("edition_page", facts.edition_page, "header")
    draft.offer("page_name", facts.page_name if facts.edition_page else None, "header")


def _above(page: list[str], body: tuple[Line, ...], title: str) -> list[str]:
    """The lines between the title and the text; without the title, the few above the text."""
    start = _place(page, [line.text for line in body[:3]])
    wanted = _SPACE.sub("", title)
    first = max(start - _NEAR, 0)
    titles = [place for place in range(first, start) if wanted and wanted in _SPACE.sub("", page[place])]
    return page[titles[0] + 1 : start] if titles else page[max(start - 8, 0) : start]


def _below(page: list[str], body: list[Line]) -> list[str]:
    end = _place(page, [line.text for line in reversed(body[-3:])]) + 1
    return page[end : end + 10]


def _place(page: list[str], texts: list[str]) -> int:
    """Where the first of `texts` that the page has as a line stands; 0 when it has none."""
    places = {_SPACE.sub("", line): place for place, line in reversed(list(enumerate(page)))}
    keys = (_SPACE.sub("", text) for text in texts)
    return next((places[key] for key in keys if key in places), 0)


def _take_printed_title(draft: Draft, page: list[str], body: list[str]) -> None:
    """Where only <title> tells the title: it stands, if the page prints it; else the line above the date line is the title."""
    if draft.origins.get("title") != "title":
        return
    claimed = _SPACE.sub("", draft.texts["title"])
    place = _place(page, body[:3])
    above = [*page[max(place - 8, 0) : place], *body[:4]]
    near = above if len(claimed) < 8 else page
    printed = title_lines(above, claimed) or any(claimed in _SPACE.sub("", line) for line in near)
    found = None if printed else _above_date(above)
    if found:
        draft.texts["title"] = found
    if found or printed:
        draft.origins["title"] = "text"
        draft.flags.remove("title.guessed")


def _above_date(lines: list[str]) -> str | None:
    """The line that can be a title and has a date or source line below it."""
    for title, below in pairwise(lines):
        can_be = len(title) in range(6, 81) and "。" not in title and not metadata.is_info_line(title)
        if can_be and metadata.is_info_line(below) and any(char.isdigit() for char in below):
            return title
    return None


def _without_tail(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """(the text, lines behind it that web sites add: source, editors, notices, advice to read on)."""
    end = len(lines)
    while end > 1 and _TAIL.fullmatch(lines[end - 1].text):
        end -= 1
    return lines[:end], lines[end:]


def _without_head(lines: list[Line], title: str) -> tuple[list[Line], list[Line]]:
    """(title, date and source lines that stand in the text's container, the text)."""
    start = title_lines([line.text for line in lines[:_HEAD_LINES]], title)
    while start < min(len(lines) - 1, _HEAD_LINES) and _is_head(lines[start].text):
        start += 1
    return lines[:start], lines[start:]


def _is_head(text: str) -> bool:
    return metadata.is_info_line(text) or _HEAD.fullmatch(text) is not None


def title_lines(texts: list[str], title: str) -> int:
    """How many of the first lines end with the title: one line that holds it, or up to four that make it together."""
    wanted = _SPACE.sub("", title)
    plain = [_SPACE.sub("", text) for text in texts]
    for start in range(len(plain)) if wanted else ():
        if wanted in plain[start] and len(plain[start]) <= len(wanted) + 12:
            return start + 1
        for end in range(start + 2, min(start + 5, len(plain) + 1)):
            if "".join(plain[start:end]) == wanted:
                return end
    return 0


def is_text_page(marks: Marks) -> bool:
    """Whether the page opens with the frame words of the seed's layout."""
    return any(_TEXT_PAGE.match(line) for line in marks.texts[:_HEAD_LINES])


def read_text_page(marks: Marks, url: str) -> Draft:
    """A page known by the order of its lines: frame, title block, text, foot (the seed's layout).

    Raises ParseError("parse.no_title").
    """
    lines = [placed.line for placed in marks.lines]
    trimmed = trim([line.text for line in lines])
    head = read_heading(trimmed.kept, source=url)
    facts = read_masthead([*trimmed.head, *head.facts])
    draft = Draft("text-page", 0.9)
    for name in ("published", "edition_page", "page_name", "newspaper"):
        draft.offer(name, getattr(facts, name), "header")
    for name in ("title", "kicker", "subtitle", "affiliation"):
        draft.offer(name, getattr(head, name), "lines")
    draft.authors = head.authors
    start = len(trimmed.head) + head.lines_used
    draft.lines = lines[start : len(lines) - len(trimmed.tail)]
    draft.head, draft.tail = list(trimmed.head), list(trimmed.tail)
    draft.flags += ["title.guessed"] if head.guessed else []
    return draft
