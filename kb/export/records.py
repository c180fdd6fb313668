"""The JSON that scripts rely on: one article, one page of results. The same keys everywhere."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kb.model import Hit, Results, StoredArticle


def article_record(stored: StoredArticle) -> dict[str, Any]:
    """An article as `kb show --json`, `kb export` and /a/<id>.json give it; `kb add` reads it back."""
    article = stored.article
    return {
        "id": stored.id,
        "url": article.url,
        "source": article.source,
        "newspaper": article.newspaper,
        "published": article.published,
        "edition_page": article.edition_page,
        "page_name": article.page_name,
        "kicker": article.kicker,
        "title": article.title,
        "subtitle": article.subtitle,
        "authors": [asdict(author) for author in article.authors],
        "affiliation": article.affiliation,
        "blocks": [
            {"anchor": block.anchor, "kind": block.kind, "level": block.level, "text": block.text}
            for block in article.blocks
        ],
        "quotations": [asdict(quotation) for quotation in article.quotations],
        "reprint_of": stored.reprint_of,
        "status": stored.status,
        "version": stored.version,
    }


def results_record(results: Results) -> dict[str, Any]:
    """A page of results as `kb search --json` and /search.json give it."""
    return {
        "total": results.total,
        "took_ms": results.took_ms,
        "fallback": results.fallback,
        "hits": [_hit_record(hit) for hit in results.hits],
        "facets": {name: [list(pair) for pair in counts] for name, counts in results.facets.items()},
        "partial": [_hit_record(hit) for hit in results.partial],
        "articles": results.articles,
        "groups": results.total if results.grouped else None,
        "expanded": [[word, list(others)] for word, others in results.expanded],
        "did_you_mean": [list(pair) for pair in results.did_you_mean],
    }


def _hit_record(hit: Hit) -> dict[str, Any]:
    return {
        "id": hit.id,
        "title": hit.title,
        "subtitle": hit.subtitle,
        "newspaper": hit.newspaper,
        "published": hit.published,
        "edition_page": hit.edition_page,
        "score": hit.score,
        "anchor": hit.anchor,
        "heading_path": list(hit.heading_path),
        "snippet": [{"text": run.text, "matched": run.matched} for run in hit.snippet],
        "reprint_of": hit.reprint_of,
        "copies": [asdict(copy) for copy in hit.copies],
    }
