"""The truth: SQLAlchemy Core over SQLite or PostgreSQL. Everything else can be rebuilt from here."""
