"""One fetched article page -> Article: site rule, then e-newspaper family, then any site. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from kb.errors import ParseError
from kb.model import Article, Author, Block, Provenance, RawPage, SiteRule
from kb.parse import metadata
from kb.parse.anysite import is_text_page, offer_title, read_any_site, read_text_page
from kb.parse.boilerplate import is_sentence, trim
from kb.parse.byline import read_author_field
from kb.parse.draft import Draft, complete
from kb.parse.founder import read_founder
from kb.parse.lines import Line, squeezed
from kb.parse.marks import Marks
from kb.parse.notice import notice_reason
from kb.parse.outline import Kind
from kb.parse.page import decode, soup, without_controls
from kb.parse.quotation import quotations
from kb.parse.siterule import read_by_rule
from kb.parse.structure import read_body
from kb.text.fingerprint import anchors

_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_SHORT_HAN = 60
_HEADING_CHARS = 40
_TITLE_BLOCK_LINES = 8
_SPACE = re.compile(r"\s")


def read_page(page: RawPage, *, rule: SiteRule | None, source: str, limit_mib: float = 2.0) -> Article:
    """Read the article of a page. The first rung of the ladder that finds the text wins; lower ones fill what it lacks.

    `source`: slug of the source. `limit_mib`: largest page that is parsed. Where each field came from stands in
    provenance.origins, what was taken off in provenance.removed.
    provenance.confidence: 0.98 site rule, 0.95 e-newspaper family, 0.9 page saved as text, 0.85 known CMS, 0.7 (density alone)
    to 0.85 (readability agrees) any site, 0.55 when the two disagree; less 0.1 for damaged bytes and for a title known from
    <title> only; on any site less 0.25 for a text below 60 Chinese characters and less 0.3 for one without a sentence (0.15 and
    0.05 where a heading and a date confirm that it is an article), less 0.05 without a date.
    Raises ParseError: parse.too_large, parse.too_complex, parse.not_an_article (list, error and log-in pages),
    parse.no_body, parse.image_only, parse.no_title.
    """
    decoded = decode(page.body, page.content_type)
    html = without_controls(decoded.text)
    marks = Marks(soup(html, source=page.url, limit_mib=limit_mib))
    draft = _climb(marks, html, page.url, rule)
    if decoded.damaged:
        draft.flags.append("encoding.damaged")
    return _article(draft, page.url, source, rule)


def _climb(marks: Marks, html: str, url: str, rule: SiteRule | None) -> Draft:
    """The draft of the first rung that finds the text, completed from the rungs below."""
    draft = read_by_rule(marks, url, rule) if rule else Draft("none", 0.0)
    if rule and rule.body and not draft.lines:
        raise _without_body(marks, url)
    if rule and rule.family == "text-page":
        return complete(draft, read_text_page(marks, url))
    founder = read_founder(marks, html, url)
    if founder and "edition_page" in founder.flags:
        raise ParseError("parse.not_an_article", source=url, reason="版面目录 edition page")
    if founder and not (founder.lines or draft.lines):
        raise _without_body(marks, url, images="images" in founder.flags)
    draft = complete(draft, founder) if founder else draft
    if not draft.lines:
        lowest = read_text_page(marks, url) if is_text_page(marks) else read_any_site(marks, html, url)
        draft = complete(draft, lowest)
    offer_title(draft, marks, metadata.metas(marks))
    return draft


def _without_body(marks: Marks, url: str, *, images: bool = False) -> ParseError:
    reason = notice_reason(marks, marks.texts)
    if reason:
        return ParseError("parse.not_an_article", source=url, reason=reason)
    return ParseError("parse.image_only" if images else "parse.no_body", source=url)


def _article(draft: Draft, url: str, source: str, rule: SiteRule | None) -> Article:
    texts = draft.texts
    if "title" not in texts:
        raise ParseError("parse.no_title", source=url, line_count=len(draft.lines))
    captions, lines = _split_captions(draft.lines)
    lines = _trimmed(lines, draft, rule)
    known = draft.authors or (read_author_field(texts["author"]) if "author" in texts else ())
    # A field of bare names tells no roles; the text's own byline may.
    told = known if any(author.role != "作者" for author in known) else ()
    body = read_body([line.text for line in lines], marked_up=_marked_up(lines), authors=told)
    blocks = _with_captions(captions, body.blocks)
    if not blocks:
        raise ParseError("parse.no_body", source=url)
    _note_origins(draft, known, body.authors, body.affiliation, body.subtitle)
    return Article(
        key=url,
        url=url,
        source=source,
        title=squeezed(texts["title"]),
        blocks=blocks,
        newspaper=texts.get("newspaper"),
        published=texts.get("published"),
        edition_page=texts.get("edition_page"),
        page_name=texts.get("page_name"),
        kicker=texts.get("kicker"),
        subtitle=texts.get("subtitle") or body.subtitle,
        authors=_merged([*known, *body.authors]),
        affiliation=texts.get("affiliation") or body.affiliation,
        quotations=quotations(blocks),
        continues=body.continues,
        provenance=Provenance(
            draft.rule,
            round(_confidence(draft, lines), 2),
            dict(sorted(draft.origins.items())),
            tuple(dict.fromkeys([*draft.head, *body.removed, *draft.tail])),
            tuple(dict.fromkeys(draft.flags)),
        ),
    )


def _split_captions(lines: Sequence[Line]) -> tuple[list[str], list[Line]]:
    """The words under pictures in front of the text, and the text: a byline is looked for in its first lines."""
    start = next((place for place, line in enumerate(lines) if line.kind != "caption"), len(lines))
    return [line.text for line in lines[:start]], list(lines[start:])


def _trimmed(lines: list[Line], draft: Draft, rule: SiteRule | None) -> list[Line]:
    """The text without page furniture at both ends and without the title block, where the text repeats it."""
    trimmed = trim([line.text for line in lines], rule.boilerplate if rule else ())
    kept = lines[len(trimmed.head) : len(lines) - len(trimmed.tail)]
    start = _repeated([line.text for line in kept], draft.texts)
    draft.head += [*trimmed.head, *(line.text for line in kept[:start])]
    draft.tail = [*trimmed.tail, *draft.tail]
    return kept[start:]


def _repeated(lines: Sequence[str], texts: dict[str, str]) -> int:
    """How many of the first lines only repeat kicker, title and subtitle; a title may be spread over four lines.

    Nothing else is taken off: a poem's line or a heading may well hold the title's words.
    """
    known = {_SPACE.sub("", texts[name]) for name in ("kicker", "title", "subtitle") if name in texts}
    plain = [_SPACE.sub("", line) for line in lines[:_TITLE_BLOCK_LINES]]
    start = 0
    while taken := next((n for n in range(1, 5) if "".join(plain[start : start + n]) in known - {""}), 0):
        start += taken
    return start if start < len(lines) else 0


def _marked_up(lines: Sequence[Line]) -> dict[int, Kind]:
    """What the page's mark-up says of the lines. Short bold lines are headings unless most of the text is bold."""
    bold = sum(len(line.text) for line in lines if line.bold)
    few_bold = 2 * bold < sum(len(line.text) for line in lines)
    found: dict[int, Kind] = {}
    for place, line in enumerate(lines):
        if line.kind != "text":
            found[place] = Kind(line.kind)
        elif line.bold and few_bold and len(line.text) <= _HEADING_CHARS and not is_sentence(line.text):
            found[place] = Kind("heading")
    return found


def _with_captions(captions: list[str], blocks: Sequence[Block]) -> tuple[Block, ...]:
    whole = [*(Block("", "caption", None, text) for text in captions), *blocks]
    names = anchors([block.text for block in whole])
    return tuple(replace(block, anchor=name) for block, name in zip(whole, names, strict=True))


def _note_origins(
    draft: Draft,
    known: Iterable[Author],
    found: Sequence[Author],
    affiliation: str | None,
    subtitle: str | None,
) -> None:
    origin = draft.origins.pop("author", None)
    if origin or found:
        draft.origins["authors"] = origin or "body"
    if affiliation:
        draft.origins.setdefault("affiliation", "body")
    if subtitle:
        draft.origins.setdefault("subtitle", "body")


def _merged(authors: Iterable[Author]) -> tuple[Author, ...]:
    """Each name once, in order of appearance, with the most telling of its roles: 记者 rather than 作者."""
    found: dict[str, Author] = {}
    for author in authors:
        if author.name not in found or found[author.name].role == "作者":
            found[author.name] = author
    return tuple(found.values())


def _confidence(draft: Draft, lines: Sequence[Line]) -> float:
    """Source of the weights: read_page's docstring; none of them is measured."""
    value = draft.confidence
    value -= 0.1 * ("encoding.damaged" in draft.flags) + 0.1 * ("title.guessed" in draft.flags)
    if draft.rule == "generic":
        confirmed = "published" in draft.texts and draft.origins.get("title") == "heading"
        if sum(len(_HAN.findall(line.text)) for line in lines) < _SHORT_HAN:
            value -= 0.15 if confirmed else 0.25
        if not any(is_sentence(line.text) for line in lines):
            value -= 0.05 if confirmed else 0.3
        value -= 0.05 * ("published" not in draft.texts)
    return min(max(value, 0.0), 1.0)
