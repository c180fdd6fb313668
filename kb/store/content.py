"""What the store keeps of an article, as JSON, and the article from it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, fields
from typing import Any

from kb.model import Article, Author, Block, Provenance, Quotation

_BLOCK = tuple(one.name for one in fields(Block))
_NESTED = ("blocks", "quotations", "authors", "provenance")
_PLAIN = tuple(one.name for one in fields(Article) if one.name not in ("key", "source", *_NESTED))


def of(article: Article) -> dict[str, Any]:
    """What is kept of an article, as JSON."""
    # By hand: dataclasses.asdict takes a third of the time of saving an article.
    content = {name: getattr(article, name) for name in _PLAIN}
    content["blocks"] = [{name: getattr(block, name) for name in _BLOCK} for block in article.blocks]
    content["quotations"] = [asdict(quotation) for quotation in article.quotations]
    content["authors"] = [asdict(author) for author in article.authors]
    content["provenance"] = asdict(article.provenance)
    return content


def hashed(content: dict[str, Any]) -> str:
    """SHA-256 of what a reader sees of an article; provenance and CMS tags do not count."""
    seen = {name: value for name, value in content.items() if name not in ("provenance", "tags")}
    return hashlib.sha256(json.dumps(seen, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def article(key: str, source: str, content: dict[str, Any]) -> Article:
    """The article that `of` made it from."""
    fields = dict(content)
    provenance = dict(fields.pop("provenance"))
    provenance["removed"] = tuple(provenance["removed"])
    provenance["flags"] = tuple(provenance["flags"])
    fields["blocks"] = tuple(Block(**block) for block in fields["blocks"])
    fields["quotations"] = tuple(Quotation(**quotation) for quotation in fields["quotations"])
    fields["authors"] = tuple(Author(**author) for author in fields["authors"])
    fields["tags"] = tuple(fields["tags"])
    return Article(key=key, source=source, provenance=Provenance(**provenance), **fields)
