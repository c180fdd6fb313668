"""A library with topics for the tests of the API, and scripts that hold tokens."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from kb.config import Settings
from kb.model import Exclusion, Role, TopicContent
from kb.store import api_tokens, topics, users
from kb.store.db import open_database, writing
from kb.web.library import library_of
from tests.web import shelf
from tests.web.people import NO_PASSWORD

PARTY, NOTES, DRAFT = "wen-dangjian", "sanhui-yike", "caogao"


def with_topics(settings: Settings, folder: Path) -> Settings:
    """A copy of a library, with a topic, one below it, and a draft."""
    shutil.copytree(settings.data, folder)
    made = settings.model_copy(update={"data": folder})
    database = open_database(made.database)
    pinned = (shelf.FULL, shelf.WITHDRAWN)
    excluded = (Exclusion(shelf.FIRST_NOTE, "样例"),)
    with writing(database) as connection:
        for former in topics.every(connection):  # the shelf's own: these tests count all there are
            topics.change(connection, former, replace(former.content, state="removed"), "", "")
        for slug, content in {
            PARTY: TopicContent("机关党建", "党建", "**说明**", pinned=pinned),
            NOTES: TopicContent("三会一课", "标题:三会一课", parent=PARTY, excluded=excluded),
            DRAFT: TopicContent("草稿", "调研", state="draft"),
        }.items():
            topics.add(connection, slug, content, "周明远")
    database.dispose()
    return made


def token_of(
    app: Flask,
    role: Role = "reader",
    *,
    name: str | None = None,
    good_for: timedelta | None = None,
    **more: Any,
) -> str:
    """A token of a person of this role."""
    name = name or f"t-{role}"
    with writing(library_of(app).database) as connection:
        found = users.by_name(connection, name)
        user_id = found.id if found else users.add(connection, name, name, role, NO_PASSWORD, **more)
        return api_tokens.make(connection, user_id, "脚本", good_for)[1]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def everything(client: FlaskClient, url: str, **more: Any) -> list[int]:
    """The ids that a script gets that follows `next` to the end."""
    ids: list[int] = []
    onward: str | None = url
    while onward:
        answer = client.get(onward, **more).get_json()
        ids += [one["id"] for one in answer["articles"]]
        onward = answer["next"]
    return ids
