"""Crawls in tests do not wait for the disk: what is lost in a power cut is the promise of tests/store."""

from __future__ import annotations

import os
import sqlite3

import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import event

from kb.config import Settings
from kb.store.db import open_database


@pytest.fixture
def database(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Database:
    """An empty store that does not sync."""
    monkeypatch.setattr(os, "fsync", lambda _handle: None)
    opened = open_database(settings.database)
    opened.dispose()

    @event.listens_for(opened, "connect")
    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    return opened
