"""Every table of the store, in one place. Portable SQL only: SQLite now, PostgreSQL when that is outgrown.

Longer than 400 lines because it is the table of all tables.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
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

# Numbers that only grow: that of the last change of an article (seq), of limits (limits), the last id of an article.
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
# Covers the coverage line of the home page: how many, from when to when, last stored, of which sources.
Index(
    "ix_articles_shown",
    articles.c.status,
    articles.c.published,
    articles.c.stored_at,
    articles.c.source,
)

# Covers the lists of newspapers and of the days and pages of one.
Index(
    "ix_articles_issue",
    articles.c.newspaper,
    articles.c.status,
    articles.c.published,
    articles.c.edition_page,
    articles.c.source,
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
# Covers what is counted of each source: how far it is, when it answered last, what is due next.
Index(
    "ix_frontier_counted",
    frontier.c.source,
    frontier.c.state,
    frontier.c.kind,
    frontier.c.due_at,
    frontier.c.fetched_at,
)

# --- crawl runs ---------------------------------------------------------------------------------------------------

# One line for every source of every `kb crawl`.
runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("source", String(80), nullable=False),
    Column("started_at", String(20), nullable=False),
    Column("ended_at", String(20)),  # NULL: running, or killed
    Column("fetched", Integer, nullable=False),
    Column("new", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("blocked", Integer, nullable=False),
    Column("left", Integer, nullable=False),
    Column("stopped", String(40)),  # key of the error that stopped it: robots.refused
    Column("detail", Text),  # its words in Chinese
    Column("pid", Integer, nullable=False),  # of the process that crawls: it holds the writer's lock
    Column("lacking", JSON, nullable=False),  # {"read": 41, "date": 3}: kb.store.runs.Lacking
)

Index("ix_runs_source_started_at", runs.c.source, runs.c.started_at)

# What operators decided about a source beside its TOML file.
source_states = Table(
    "source_states",
    metadata,
    Column("source", String(80), primary_key=True),
    Column("is_paused", Boolean, nullable=False),
    Column("changed_at", String(20), nullable=False),
    Column("changed_by", Text, nullable=False),
)

# --- people -------------------------------------------------------------------------------------------------------

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(64), nullable=False, unique=True),  # typed at sign-in: zhangsan
    Column("full_name", String(64), nullable=False),  # 张三
    Column("role", String(12), nullable=False),  # kb.model.Role
    Column("password_hash", Text, nullable=False),  # Argon2id, encoded
    Column(
        "old_hashes", JSON, nullable=False
    ),  # earlier ones, the last first, where the policy asks for them
    Column("password_set_at", String(20), nullable=False),
    Column("must_change", Boolean, nullable=False),  # the password, at the next sign-in
    Column("locked_at", String(20)),  # NULL: may sign in
    Column("created_at", String(20), nullable=False),
    Column("preferences", JSON, nullable=False),  # what /me keeps: size, contrast, keys, history
    sqlite_autoincrement=True,  # the id of what was deleted is nobody else's, later
)

# 单位: groups of people that a source or an article can be limited to.
units = Table(
    "units",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(80), nullable=False, unique=True),
    sqlite_autoincrement=True,  # the id of what was deleted is nobody else's, later
)

user_units = Table(
    "user_units",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("unit_id", Integer, ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
)

# 会话: what a browser's cookie stands for. The token itself is nowhere.
sign_ins = Table(
    "sign_ins",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False, unique=True),  # SHA-256, hex
    Column("created_at", String(20), nullable=False),
    Column("seen_at", String(20), nullable=False),  # to the minute
    Column("address", String(45), nullable=False),
    Column("device", String(200), nullable=False),  # the browser's own words, cut
    Column("ended_at", String(20)),
    sqlite_autoincrement=True,  # the id of what was deleted is nobody else's, later
)

# Browsers that a person has signed in with before: guessing elsewhere does not lock these out.
devices = Table(
    "devices",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False),
    Column("seen_at", String(20), nullable=False),
    UniqueConstraint("user_id", "token_hash"),
    sqlite_autoincrement=True,  # the id of what was deleted is nobody else's, later
)

# Failed sign-ins by what is counted together: a name from unknown devices, a known device, an address.
guesses = Table(
    "guesses",
    metadata,
    Column("bucket", String(64), primary_key=True),  # SHA-256 of what it stands for
    Column("failures", Integer, nullable=False),
    Column("last_at", String(32), nullable=False),
    Column("locked_until", String(32)),
)

# Tokens that are good once: the one that makes the first administrator.
one_time_tokens = Table(
    "one_time_tokens",
    metadata,
    Column("purpose", String(20), primary_key=True),  # first_admin
    Column("token_hash", String(64), nullable=False),
    Column("expires_at", String(20), nullable=False),
)

# What signed-in people searched for, for themselves alone.
search_history = Table(
    "search_history",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("asked_at", String(20), nullable=False),
    Column("query", Text, nullable=False),
    Column("total", Integer, nullable=False),
)

# --- who may see what -----------------------------------------------------------------------------------------------

# A source or an article that has lines here shows to people of these units alone.
source_limits = Table(
    "source_limits",
    metadata,
    Column("source", String(80), primary_key=True),
    Column("unit_id", Integer, ForeignKey("units.id"), primary_key=True),
)

article_limits = Table(
    "article_limits",
    metadata,
    Column("article_id", Integer, ForeignKey("articles.id"), primary_key=True),
    Column("unit_id", Integer, ForeignKey("units.id"), primary_key=True),
)

# --- the audit log ----------------------------------------------------------------------------------------------------

# Only ever added to; triggers refuse the rest. See kb.store.audit.
audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),  # UTC
    Column("actor", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("sign_in", Integer),
    Column("action", String(40), nullable=False),  # user.locked
    Column("object", Text, nullable=False),  # user:zhangsan
    Column("outcome", String(12), nullable=False),  # ok, refused, failed
    Column("detail", Text, nullable=False),  # JSON
    Column("key", String(16), nullable=False),  # name of the key that sealed it
    Column("previous", String(64), nullable=False),  # the seal of the record before
    Column("seal", String(64), nullable=False),
)

# Its two ends, sealed too: what was cut off at either end is missed. And how far its copy was known to reach.
audit_ends = Table(
    "audit_ends",
    metadata,
    Column("name", String(8), primary_key=True),  # first, last, copied
    Column("seq", Integer, nullable=False),
    Column("seal", String(64), nullable=False),  # of that record; of `first` the one before it
    Column("mac", String(64), nullable=False),
)

# --- words ------------------------------------------------------------------------------------------------------------

# Terms that this library's editors added to the shipped lexicon, or took out of it.
lexicon_words = Table(
    "lexicon_words",
    metadata,
    Column("word", String(40), primary_key=True),
    Column("frequency", Integer),  # as jieba counts; NULL: the lowest at which the word is cut out whole
    Column("is_removed", Boolean, nullable=False),
    Column("changed_at", String(20), nullable=False),
    Column("changed_by", Text, nullable=False),
)

# 同义词 that they added, or shipped groups that they switched off.
synonym_groups = Table(
    "synonym_groups",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("names", JSON, nullable=False),  # ["二十大", "党的二十大"]
    Column("is_removed", Boolean, nullable=False),
    Column("changed_at", String(20), nullable=False),
    Column("changed_by", Text, nullable=False),
)

# --- review -------------------------------------------------------------------------------------------------------------

# 待审: what was read with too little confidence to be searched unseen.
reviews = Table(
    "reviews",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),  # of the article it would be
    Column("source", String(80), nullable=False),
    Column("name", Text, nullable=False),  # of the file, or the address
    Column("page_hash", String(64), nullable=False),
    Column("content_type", Text, nullable=False),
    Column("content", JSON, nullable=False),  # the article as read, as in `articles`
    Column("source_text", Text, nullable=False),  # what the page says, without its markup
    Column("confidence", Integer, nullable=False),  # in hundredths
    Column("state", String(8), nullable=False, index=True),  # waiting, passed, returned
    Column("created_at", String(20), nullable=False),
    Column("created_by", Text, nullable=False),
    Column("decided_at", String(20)),
    Column("decided_by", Text),
    Column("note", Text),
    Column("article_id", Integer, ForeignKey("articles.id")),
    # What passing it did to the article, so that it can be undone.
    Column("outcome", String(9)),  # added, changed, unchanged
    Column("version", Integer),  # that the article had then
    Column("former_status", String(9)),  # that the article had before; none where it was added
)

# Files that editors sent, and what became of each.
uploads = Table(
    "uploads",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", String(20), nullable=False, index=True),
    Column("by", Text, nullable=False),
    Column("files", JSON, nullable=False),  # kb.store.uploads.UploadedFile of each
)

# --- topics -------------------------------------------------------------------------------------------------------------

topics = Table(
    "topics",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("slug", String(80), nullable=False, unique=True),
    Column("version", Integer, nullable=False),  # the present one
    sqlite_autoincrement=True,  # the id of what was deleted is nobody else's, later
)

# Every version, the present one too.
topic_versions = Table(
    "topic_versions",
    metadata,
    Column("topic_id", Integer, ForeignKey("topics.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("content", JSON, nullable=False),  # kb.model.TopicContent
    Column("editor", Text, nullable=False),
    Column("changed_at", String(20), nullable=False),
    Column("note", Text, nullable=False),
)

# What holds for this library as a whole: its id, which feeds are known by, and that the shipped topics were taken in.
library_facts = Table(
    "library_facts",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

# --- saved searches and tokens ------------------------------------------------------------------------------------------

saved_searches = Table(
    "saved_searches",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(80), nullable=False),  # 本周党建
    Column("asked", Text, nullable=False),  # q=党建&newspaper=…: the search, as in its address
    Column("code", String(26), nullable=False, unique=True),  # of its feed: 128 random bits
    Column("created_at", String(20), nullable=False),
    Column("seen_id", Integer, nullable=False),  # the last article that its owner was shown as new
    UniqueConstraint("user_id", "name"),
    sqlite_autoincrement=True,  # the id of what was deleted is nobody else's, later
)

# What scripts sign in with. The token itself is nowhere.
api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(80), nullable=False),  # 周报脚本
    Column("token_hash", String(64), nullable=False, unique=True),  # SHA-256, hex
    Column("created_at", String(20), nullable=False),
    Column("expires_at", String(20)),  # NULL: until it is taken back
    Column("seen_at", String(20)),  # last used, to the day
    sqlite_autoincrement=True,  # the id of what was deleted is nobody else's, later
)
