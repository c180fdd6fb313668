"""A part of a page's tree -> its lines as a reader sees them. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from bs4 import BeautifulSoup, CData, Comment, Tag
from bs4.element import NavigableString

from kb.parse.tags import marks_of

LineKind = Literal["text", "heading", "list", "quote", "table", "caption"]

_BLOCK = frozenset(
    "address article aside blockquote body caption center dd details dir div dl dt fieldset figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 header hr html li main menu nav ol p pre section summary table tbody td tfoot th thead tr ul "
    "founder-content founder-title founder-subtitle founder-introtitle founder-author cms-content".split()
)
_SKIPPED = frozenset(
    "script style noscript template select option textarea button input iframe frame object embed audio video svg "
    "head title meta link map area canvas".split()
)
_KINDS: dict[str, LineKind] = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "heading"),
    "li": "list",
    "blockquote": "quote",
    "figcaption": "caption",
}
_BOLD = frozenset({"strong", "b", "th", "h1", "h2", "h3", "h4", "h5", "h6"})
_BOLD_STYLE = re.compile(r"font-weight\s{0,5}:\s{0,5}(?:bold|[6-9]00)", re.I)
_CENTRED_STYLE = re.compile(r"text-align\s{0,5}:\s{0,5}center", re.I)
# Where templates put the words under a picture: Founder (#newspic, .attachment, .pic_c), 人民日报 (.pci_c), common CMSs.
_CAPTION_MARKS = frozenset(
    "#newspic .pic_c .pci_c .attachment .pictext .img_txt .picname .pic-text .img-desc .pictureexplain .img_caption".split()
)
_FOUNDER_STARTS = ("enpcontent", "<npm:article-content>")
_BODY_STARTS = (*_FOUNDER_STARTS, "repaste.body.begin")
_BODY_ENDS = ("/enpcontent", "</npm:article-content>", "repaste.body.end")

_CJK = "\u2e80-\u2fdf\u3001-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_SOURCE_BREAK = re.compile(f"(?<=[{_CJK}])[ \\t]{{0,200}}[\\r\\n][ \\t\\r\\n]{{0,400}}(?=[{_CJK}])")
_SPACES = re.compile(r"[ \t\r\n\f\v]+")
_INVISIBLE = dict.fromkeys(
    [0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF, 0xFFFC]
)
# An indent in the middle of a line: pages without <p> run their paragraphs together with it.
_INDENT = re.compile(r"(?:\xa0 ?){3,40}|\u3000{2,8}(?!\u3000)")
_NUMBERED = re.compile(r"[一二三四五六七八九十第（(\d①-⑳]")
_SENTENCE_END = frozenset("。！？；：…”’」』）》!?;:)")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page: a paragraph, a heading, a list item, a table row, the words under a picture."""

    text: str  # stripped, never empty; cells of a table row are divided by a tab
    kind: LineKind = "text"
    bold: bool = False  # every visible character of it is bold


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line with where it stands."""

    line: Line
    block: Tag  # the innermost block tag around it
    linked: int  # characters of it that are links


def read_lines(node: Tag, *, skip: Collection[int] = ()) -> list[Line]:
    """The lines of the body that `node` holds.

    Where comments mark a body (<!--enpcontent-->, <!--repaste.body.begin-->) only what they enclose is kept, and of
    several such parts the first that has text: Founder pages may carry a hidden second copy. `skip`: id() of tags
    left out.
    """
    return [placed.line for placed in _read(_Reader(node, marked=True), node, skip)]


def plain_lines(node: Tag) -> list[str]:
    """The visible lines below `node` as text, in page order."""
    return [placed.line.text for placed in place_lines(node)]


def frame_lines(tree: Tag, *, skip: Collection[int] = ()) -> list[str]:
    """As `plain_lines` for a whole page, but words in different tags of one line are set apart: style sheets do that."""
    return [placed.line.text for placed in _read(_Reader(tree, marked=False, apart=True), tree, skip)]


def place_lines(node: Tag, *, skip: Collection[int] = ()) -> list[PlacedLine]:
    """The visible lines below `node`, in page order, each with its block and how much of it is links.

    Blocks and <br> end a line; scripts and forms are left out.
    """
    return _read(_Reader(node, marked=False), node, skip)


def marked_bodies(tree: Tag, *, founder_only: bool = False) -> list[Tag]:
    """The smallest tags that hold both comments that mark a body, in page order; at most three."""
    wanted = _FOUNDER_STARTS if founder_only else _BODY_STARTS
    starts = tree.find_all(string=lambda text: isinstance(text, Comment) and text.strip() in wanted)
    found: list[Tag] = []
    for start in starts[:3]:
        end = start.find_next(string=lambda text: isinstance(text, Comment) and text.strip() in _BODY_ENDS)
        around = {id(parent) for parent in end.parents} if end else set()
        found += [parent for parent in start.parents if id(parent) in around or not end][:1]
    return found


def _read(reader: _Reader, node: Tag, skip: Collection[int]) -> list[PlacedLine]:
    for event, item in _events(node, skip):
        if event == "text":
            reader.text(str(item))
        elif isinstance(item, _Row):
            reader.row(item)
        elif event == "comment":
            if reader.mark(str(item).strip()):
                break
        elif isinstance(item, Tag):
            reader.open(item) if event == "open" else reader.close(item)
    reader.flush()
    return reader.lines


def squeezed(text: str) -> str:
    """One line: white space of the source as single spaces; full-width spaces, which a headline may mean, stay."""
    return _SPACES.sub(" ", text.replace("\xa0", " ")).strip()


def fragment(html: str) -> BeautifulSoup:
    """The tree of a piece of a page that was already found small enough to parse."""
    return BeautifulSoup(html, "lxml")


def _events(root: Tag, skip: Collection[int]) -> Iterator[tuple[str, object]]:
    """What a reader meets going through the tree: open and close of tags, texts, comments, rows of data tables.

    No recursion: trees may be deep.
    """
    stack: list[tuple[bool, object]] = [(False, root)]
    while stack:
        closing, item = stack.pop()
        if isinstance(item, Tag):
            if closing:
                yield "close", item
            elif item.name in _SKIPPED or id(item) in skip:
                continue
            elif item.name == "table" and (rows := _data_rows(item)):
                yield from (("row", row) for row in rows)
            else:
                yield "open", item
                stack.append((True, item))
                stack.extend((False, child) for child in reversed(item.contents))
        elif isinstance(item, Comment):
            yield "comment", item
        elif type(item) is NavigableString or isinstance(item, CData):
            yield "text", item


class _Reader:
    """Collects text between block ends into lines."""

    def __init__(self, root: Tag, *, marked: bool, apart: bool = False) -> None:
        self.lines: list[PlacedLine] = []
        self._blocks = [root]
        self._pieces: list[tuple[str, bool]] = []  # text, whether it is bold
        self._linked = 0  # characters in links since the line began
        self._kinds: list[LineKind] = []
        self._bold = self._centred = self._links = 0  # open tags that say so
        self._after_image = False
        self._heeds_marks = marked
        self._sets_apart = apart
        self._started = False  # a comment has said that the body begins

    def mark(self, comment: str) -> bool:
        """Take note of a comment; True when the marked body ends here."""
        if self._heeds_marks and comment in _BODY_ENDS:
            self.flush()
            return self._started and bool(self.lines)
        if self._heeds_marks and comment in _BODY_STARTS:
            self.flush()
            self.lines.clear()
            self._started = True
        return False

    def text(self, text: str) -> None:
        self._pieces.append((_SOURCE_BREAK.sub("", text), self._bold > 0))
        self._linked += len(text.strip()) if self._links else 0

    def row(self, row: _Row) -> None:
        self.flush()
        self.lines.append(PlacedLine(Line("\t".join(row.cells), "table"), self._blocks[-1], row.linked))

    def open(self, tag: Tag) -> None:
        if tag.name in _BLOCK or tag.name == "br":
            self.flush()
        elif self._sets_apart:
            self._pieces.append((" ", self._bold > 0))
        if tag.name in _BLOCK:
            self._blocks.append(tag)
        self._after_image = self._after_image or tag.name == "img"
        self._step(tag, +1)

    def close(self, tag: Tag) -> None:
        if tag.name in _BLOCK:
            self.flush()
            self._blocks.pop()
        elif self._sets_apart:
            self._pieces.append((" ", self._bold > 0))
        self._step(tag, -1)

    def _step(self, tag: Tag, by: int) -> None:
        style = str(tag.get("style") or "")
        self._links += by * (tag.name == "a")
        self._bold += by * (tag.name in _BOLD or bool(style and _BOLD_STYLE.search(style)))
        centred = tag.name == "center" or str(tag.get("align") or "").lower() == "center"
        self._centred += by * (centred or bool(style and _CENTRED_STYLE.search(style)))
        kind = "caption" if marks_of(tag) & _CAPTION_MARKS else _KINDS.get(tag.name)
        if kind and by > 0:
            self._kinds.append(kind)
        elif kind:
            self._kinds.pop()

    def flush(self) -> None:
        """End the line."""
        bold = bool(self._pieces) and all(is_bold for text, is_bold in self._pieces if text.strip())
        texts = split_run("".join(text for text, _ in self._pieces))
        for text in texts:
            line = Line(text, self._kind(text), bold)
            self.lines.append(PlacedLine(line, self._blocks[-1], self._linked // len(texts)))
            self._after_image = False
        self._pieces.clear()
        self._linked = 0

    def _kind(self, text: str) -> LineKind:
        if "caption" in self._kinds or (self._after_image and self._centred and _is_caption(text)):
            return "caption"
        kind = self._kinds[-1] if self._kinds else "text"
        # Some sites set their whole page in one <li>: only what stands in it directly is an item.
        return "text" if kind == "list" and self._blocks[-1].name != "li" else kind


def _is_caption(text: str) -> bool:
    """Whether a centred line below a picture is about it: short, no section's number, no sentence of the text."""
    return len(text) <= 100 and not _NUMBERED.match(text) and (len(text) <= 30 or not text.endswith("。"))


def split_run(text: str) -> list[str]:
    """A run of text without line breaks, as the paragraphs it holds, each cleaned and stripped, none empty.

    Pages without paragraph marks divide them by an indent (four &nbsp; or two full-width spaces) in mid-line: it ends a
    paragraph after the end of a sentence, and, in a text where it does so, everywhere.
    """
    text = _SPACES.sub(" ", text if text.isascii() else text.translate(_INVISIBLE)).strip()
    breaks = [found.span() for found in _INDENT.finditer(text)]
    if not breaks:
        text = _SPACES.sub(" ", text.replace("\xa0", " ")).strip()
        return [text] if text else []
    if not any(text[start - 1] in _SENTENCE_END for start, _ in breaks):
        breaks = []
    starts = [0, *(end for _, end in breaks)]
    ends = [*(start for start, _ in breaks), len(text)]
    pieces = (text[start:end].replace("\xa0", " ") for start, end in zip(starts, ends, strict=True))
    return [piece for piece in (_SPACES.sub(" ", part).strip() for part in pieces) if piece]


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of a table of data."""

    cells: list[str]  # none empty
    linked: int  # characters of them that are links


def _data_rows(table: Tag) -> list[_Row]:
    """The rows of a table that holds data: several short cells each. [] for one that only lays out the page."""
    if table.find(["table", "p", "div", "img", "founder-content"]) is not None:
        return []
    rows = list(filter(None, map(_read_row, table.find_all("tr"))))
    wide = [row for row in rows if len(row.cells) >= 2]
    if len(wide) < 2 or len(wide) * 2 < len(rows):
        return []
    return rows if all(len(cell) <= 200 for row in rows for cell in row.cells) else []


def _read_row(row: Tag) -> _Row | None:
    cells = [text for cell in row.find_all(["td", "th"]) if (text := _cell_text(cell))]
    linked = sum(len(tag.get_text(strip=True)) for tag in row.find_all("a"))
    return _Row(cells, linked) if cells else None


def _cell_text(cell: Tag) -> str:
    texts = (str(text) for text in cell.find_all(string=True) if type(text) is NavigableString)
    return " ".join(split_run("".join(texts)))
