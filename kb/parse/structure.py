"""Body lines -> blocks, and the fields that stand in the text: names, unit, 转版 markers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kb.model import Author, Block
from kb.parse.affiliation import affiliation_at_end, names_in_affiliation, read_affiliation
from kb.parse.boilerplate import is_sentence
from kb.parse.byline import (
    MARKS,
    is_credit_line,
    is_editors_line,
    is_photo_credit,
    is_unit,
    names_at_end,
    names_in_dateline,
    read_author_field,
    read_credit,
)
from kb.parse.continuation import cut_end, cut_start, read_marker
from kb.parse.heading import is_abstract, is_author_line, is_subtitle
from kb.parse.outline import Kind, classify, is_caption
from kb.text.fingerprint import anchors

_ENDS = 4  # lines at either end of a body where names, unit and markers stand


@dataclass(frozen=True, slots=True)
class Body:
    """A body read from its lines."""

    blocks: tuple[Block, ...]
    authors: tuple[Author, ...] = ()
    affiliation: str | None = None
    subtitle: str | None = None  # a ——line that opens the body
    continues: str | None = None  # 下转第4版, as printed
    editors: tuple[str, ...] = ()  # lines that name editors
    removed: tuple[str, ...] = ()  # lines taken out of the text because a field holds them now, in page order


@dataclass
class _Reading:
    """What the ends of a body say, while their lines are taken out of the text."""

    kept: list[int]  # lines that stay text
    authors: list[Author]
    units: list[str] = field(default_factory=list)
    subtitle: list[str] = field(default_factory=list)
    markers: list[str] = field(default_factory=list)
    editors: list[str] = field(default_factory=list)


def read_body(
    lines: Sequence[str], *, marked_up: Mapping[int, Kind] | None = None, authors: Sequence[Author] = ()
) -> Body:
    """Read the body below a heading.

    `lines`: stripped, none empty. `marked_up`: what the page's mark-up says of single lines, by their index; lines of one
    table that follow each other become one block. `authors`: those already known, so that signatures are left in the text.
    Lines that are only a byline, a unit, editors or a 转版 marker leave the text; inside a line only a marker does.
    """
    reading = _Reading(list(range(len(lines))), list(authors))
    _take_head(lines, reading)
    _take_tail(lines, reading)
    texts = [lines[place] for place in reading.kept]
    _cut_markers(texts, reading)
    _names_inside(texts, reading)
    moved = {old: new for new, old in enumerate(reading.kept)}
    shifted = {moved[place]: kind for place, kind in (marked_up or {}).items() if place in moved}
    return Body(
        blocks=read_blocks(texts, marked_up=shifted, continued=bool(reading.markers)),
        authors=tuple(dict.fromkeys(reading.authors)),
        affiliation="；".join(dict.fromkeys(reading.units)) or None,
        subtitle="\n".join(reading.subtitle) or None,
        continues="；".join(dict.fromkeys(reading.markers)) or None,
        editors=tuple(reading.editors),
        removed=tuple(line for place, line in enumerate(lines) if place not in moved),
    )


def read_blocks(
    texts: Sequence[str],
    *,
    marked_up: Mapping[int, Kind] | None = None,
    continued: bool = False,
    archive: bool = False,
) -> tuple[Block, ...]:
    """One block a line, with kind, level and anchor; rows of a table join. Nothing is taken out."""
    kinds = classify(texts, marked_up=marked_up, continued=continued, archive=archive)
    joined: list[tuple[str, Kind]] = []
    for text, kind in zip(texts, kinds, strict=True):
        if kind.kind == "table" and joined and joined[-1][1].kind == "table":
            joined[-1] = (f"{joined[-1][0]}\n{text}", kind)
        elif text:
            joined.append((text, kind))
    names = anchors([text for text, _ in joined])
    return tuple(
        Block(anchor, kind.kind, kind.level, text, kind.run_in)
        for anchor, (text, kind) in zip(names, joined, strict=True)
    )


def _take_head(lines: Sequence[str], reading: _Reading) -> None:
    """Take a subtitle, names, unit and markers off the start of the text; pictures and an abstract are passed over."""
    for place, line in enumerate(lines[:_ENDS]):
        following = lines[place + 1] if place + 1 < len(lines) else ""
        if is_caption(line) or is_photo_credit(following) or is_abstract(line):
            continue
        affiliation = read_affiliation(line) or _marked_unit(line, place)
        if marker := read_marker(line):
            reading.markers.append(marker)
        elif is_subtitle(line) and place == len(reading.subtitle):
            reading.subtitle.append(line)
        elif affiliation or (reading.authors and place and is_unit(line)):
            reading.units.append(affiliation or line)
        elif not _take_author(line, reading, bare=place == 0 and is_sentence(following)):
            break
        reading.kept.remove(place)


def _take_tail(lines: Sequence[str], reading: _Reading) -> None:
    """Take names, unit, editors and markers off the end of the text."""
    for _ in range(min(_ENDS, len(reading.kept))):
        line = lines[reading.kept[-1]]
        whole, affiliation = _affiliation_above(lines, reading)
        if marker := read_marker(line):
            reading.markers.append(marker)
        elif is_editors_line(line):
            reading.editors.insert(0, line)
        elif affiliation:
            _take_unit(line, affiliation, reading)
            del reading.kept[len(reading.kept) - whole + 1 :]
        elif not _take_author(line, reading, bare=bool(reading.units) or len(reading.kept) == len(lines)):
            break
        reading.kept.pop()


def _affiliation_above(lines: Sequence[str], reading: _Reading) -> tuple[int, str | None]:
    """(lines it takes, unit) at the end of the text; its bracket may open one or two lines above."""
    last = [lines[place] for place in reading.kept[-3:]]
    for count in range(1, len(last) + 1):
        part = last[-count:]
        found = read_affiliation("".join(part)) if count == 1 or part[0][0] in "（(" else None
        if found:
            return count, found
    return 1, None


def _marked_unit(line: str, place: int) -> str | None:
    """The unit in a line right below the title that stands behind a byline's mark: ■青山县人民检察院."""
    return (
        read_credit(line).affiliation
        if place == 0 and line[0] in MARKS and not is_credit_line(line)
        else None
    )


def _take_unit(line: str, affiliation: str, reading: _Reading) -> None:
    """Take the line of a unit, with the names and the marker that may stand in it."""
    reading.units.append(affiliation)
    marker, _ = cut_end(line)
    reading.markers += [marker] if marker else []
    if not reading.authors:
        reading.authors += read_author_field(names) if (names := names_in_affiliation(line)) else ()


def _take_author(line: str, reading: _Reading, *, bare: bool) -> bool:
    """Take a line of names; bare ones count only where no author is known and the place is that of a byline."""
    if is_photo_credit(line) or not (
        is_credit_line(line) or (bare and not reading.authors and is_author_line(line))
    ):
        return False
    credit = read_credit(line)
    reading.authors += credit.authors
    reading.units += [credit.affiliation] if credit.affiliation else []
    return True


def _cut_markers(texts: list[str], reading: _Reading) -> None:
    """Cut （上接第1版） off the first line and （下转第3版） off the last; a line that was nothing else goes."""
    if not texts:
        return
    start, texts[0] = cut_start(texts[0])
    end, texts[-1] = cut_end(texts[-1])
    reading.markers = [*([start] if start else []), *reading.markers, *([end] if end else [])]
    for place in (-1, 0):
        if texts and not texts[place]:
            del texts[place], reading.kept[place]


def _names_inside(texts: Sequence[str], reading: _Reading) -> None:
    """Read, and leave where they are, names in a dateline, and names or a unit in brackets behind the last sentence."""
    if not texts:
        return
    if not reading.authors:
        datelines = (names_in_dateline(text) for text in texts[:_ENDS])
        reading.authors += next(filter(None, datelines), ()) or names_at_end(texts[-1])
    if not reading.units and (unit := affiliation_at_end(texts[-1])):
        reading.units.append(unit)
