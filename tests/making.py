"""Articles made for tests: invented, short, complete."""

from __future__ import annotations

from typing import Any

from kb.model import Article, Author, Block
from kb.text.fingerprint import anchors

CHEAP_HASHES: dict[str, Any] = {"password_memory_kib": 8, "password_passes": 1, "password_lanes": 1}
# Tests ask more often in a minute than people do.
FOR_TESTS: dict[str, Any] = {
    **CHEAP_HASHES,
    "sign_ins_per_minute": 100_000,
    "uploads_per_minute": 100_000,
    "api_per_minute": 100_000,
    "starter_topics": False,
}
PASSWORD = "青溪河边的第三棵柳树"

BODY = (
    "青石县把支部建在项目上，把党课讲到工地旁，党建与业务的结合点越找越准。",
    "一是定期开展主题党日。党员带头认领难题，逐项销号。",
    "二是严格落实三会一课。支部书记每季度讲一次党课，青年干警轮流领学。",
)


def article(
    title: str = "让支部强在项目一线",
    texts: tuple[str, ...] = BODY,
    *,
    key: str = "https://a.example/1",
    **more: Any,
) -> Article:
    """An article whose blocks are paragraphs with these texts."""
    blocks = tuple(
        Block(anchor, "paragraph", None, text) for anchor, text in zip(anchors(texts), texts, strict=True)
    )
    fields: dict[str, Any] = {
        "newspaper": "清河日报",
        "published": "2024-03-15",
        "edition_page": "07",
        "authors": (Author("周见山", "作者"),),
        "affiliation": "青石县人民检察院",
    }
    return Article(key=key, source="sample", title=title, blocks=blocks, url=key, **(fields | more))
