"""Columns of an article's newspaper and edition page for the pages of issues; the search log."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROWS = 5000  # articles filled by one statement


def upgrade() -> None:
    # Not in a batch, which would copy the table: articles refer to one another.
    op.add_column("articles", sa.Column("newspaper", sa.Text(), nullable=True))
    op.add_column("articles", sa.Column("edition_page", sa.Text(), nullable=True))
    _fill()
    op.create_index(
        "ix_articles_issue", "articles", ["newspaper", "status", "published", "edition_page"], unique=False
    )
    op.create_table(
        "searches",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("asked_at", sa.String(length=20), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_searches")),
    )
    op.create_index(op.f("ix_searches_asked_at"), "searches", ["asked_at"], unique=False)


def _fill() -> None:
    """From what each article's content says. The database itself reads it, so memory stays bounded."""
    connection = op.get_bind()
    articles = sa.table(
        "articles",
        sa.column("id", sa.Integer()),
        sa.column("content", sa.JSON()),
        sa.column("newspaper", sa.Text()),
        sa.column("edition_page", sa.Text()),
    )
    last = connection.scalar(sa.select(sa.func.max(articles.c.id))) or 0
    said = {name: articles.c.content[name].as_string() for name in ("newspaper", "edition_page")}
    for after in range(0, last, ROWS):
        some = articles.c.id.between(after + 1, after + ROWS)
        connection.execute(sa.update(articles).where(some).values(said))
