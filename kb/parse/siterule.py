"""What a source's own rule (SiteRule: CSS selectors from its TOML file) reads from a page. Pure."""

from __future__ import annotations

import re

from kb.model import SiteRule
from kb.parse.draft import Draft
from kb.parse.frame import read_label
from kb.parse.lines import plain_lines, read_lines
from kb.parse.marks import Marks
from kb.parse.metadata import document_headline
from kb.text.dates import read_date

_TEXT_FIELDS = ("title", "kicker", "subtitle", "author", "page_name")


def read_by_rule(marks: Marks, url: str, rule: SiteRule) -> Draft:
    """The fields and body lines that the rule's selectors find. `lines` stays empty when no body selector finds text."""
    name = f"{rule.slug}@{rule.version}" if rule.version else rule.slug
    draft = Draft(name, 0.98)
    draft.offer("newspaper", rule.newspaper, "rule")
    for field in _TEXT_FIELDS:
        for selector in getattr(rule, field):
            draft.offer(field, _text(marks, selector, "\n" if field == "subtitle" else " "), "rule")
    for selector in rule.published:
        draft.offer("published", read_date(_text(marks, selector, " ")), "rule")
    draft.offer("published", _date_from_url(rule, url), "url")
    for selector in rule.edition_page:
        label = read_label(_text(marks, selector, " "))
        draft.offer("edition_page", label.page if label else None, "rule")
        draft.offer("page_name", label.name if label else None, "rule")
    _read_body(draft, marks, rule)
    return draft


def _text(marks: Marks, selector: str, joint: str) -> str:
    """The text of the first tag that the selector finds and that has some; of <meta> its content, of <title> its headline."""
    for tag in marks.tree.select(selector, limit=20):
        text = joint.join(plain_lines(tag))
        if tag.name == "meta":
            text = str(tag.get("content") or "")
        elif tag.name == "title":
            text = document_headline(marks)
        if text.strip():
            return text
    return ""


def _date_from_url(rule: SiteRule, url: str) -> str | None:
    found = re.search(rule.published_from_url, url) if rule.published_from_url else None
    return read_date("{y}-{m}-{d}".format(**found.groupdict())) if found else None


def _read_body(draft: Draft, marks: Marks, rule: SiteRule) -> None:
    cut = {id(tag) for selector in rule.remove for tag in marks.tree.select(selector)}
    bodies = (tag for selector in rule.body for tag in marks.tree.select(selector, limit=20))
    draft.lines = next(filter(None, (read_lines(tag, skip=cut) for tag in bodies)), [])
