"""Every table of the store, in one place. Portable SQL only: SQLite now, PostgreSQL when that is outgrown."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# One row: the sequence number that the last change of an article got.
sequence = Table(
    "sequence",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

# What is read of a page, in JSON: title, blocks, authors … as kb.store.articles writes them.
articles = Table(
    "articles",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),
    Column("seq", BigInteger, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("status", String(12), nullable=False),
    Column("source", String(80), nullable=False),
    Column("published", String(10), index=True),
    Column("content_hash", String(64), nullable=False),
    Column("body_hash", String(64), nullable=False, index=True),
    Column("simhash", BigInteger, nullable=False),
    Column("body_chars", Integer, nullable=False),
    Column("reprint_of", Integer, ForeignKey("articles.id"), index=True),
    Column("page_hash", String(64)),
    Column("stored_at", String(20), nullable=False),
    Column("content", JSON, nullable=False),  # behind all that is counted without it
    # What `content` says too, for the pages of issues, which read them from their index.
    Column("newspaper", Text),
    Column("edition_page", Text),
)

# Earlier versions of an article, kept when its text changes.
article_versions = Table(
    "article_versions",
    metadata,
    Column("article_id", Integer, ForeignKey("articles.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("content", JSON, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("body_chars", Integer, nullable=False),
    Column("page_hash", String(64)),
    Column("stored_at", String(20), nullable=False),
)

Index("ix_articles_source_published", articles.c.source, articles.c.published)
# Covers the coverage line of the home page: how many, from when to when, last stored.
Index("ix_articles_shown", articles.c.status, articles.c.published, articles.c.stored_at)

# Covers the lists of newspapers and of the days and pages of one.
Index(
    "ix_articles_issue",
    articles.c.newspaper,
    articles.c.status,
    articles.c.published,
    articles.c.edition_page,
)

# What was searched for, and nothing about who did.
searches = Table(
    "searches",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("asked_at", String(20), nullable=False, index=True),
    Column("query", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("took_ms", Integer, nullable=False),
)

# The crawler's frontier: every page it knows, as kb.model.CrawlPage; `id` is the order of discovery.
frontier = Table(
    "frontier",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("source", String(80), nullable=False),
    Column("url", Text, nullable=False, index=True),
    Column("kind", String(8), nullable=False),
    Column("depth", Integer, nullable=False),
    Column("issue", String(10)),
    Column("state", String(8), nullable=False),
    Column("not_before", String(20)),
    Column("lease_until", String(20)),
    Column("tries", Integer, nullable=False),
    Column("checks", Integer, nullable=False),
    Column("due_at", String(20)),
    Column("discovered_from", Text),
    Column("final_url", Text),
    Column("http_status", Integer),
    Column("content_type", Text),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("fetched_at", String(20)),
    Column("page_hash", String(64)),
    Column("reason", String(40)),
    Column("detail", Text),
    UniqueConstraint("source", "url"),
)

Index("ix_frontier_source_state", frontier.c.source, frontier.c.state)
