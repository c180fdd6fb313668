from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner
from lxml import html

from kb import cli, config, ingest
from kb.config import Settings
from kb.digest import Digest, digest
from kb.errors import AccountError
from kb.model import Actor, Exclusion, TopicContent
from kb.search import open_search
from kb.store import articles, limits, saved_searches, topics, units, users
from kb.store.articles import NewArticle
from kb.store.db import open_database, writing
from tests.making import FOR_TESTS, article

HOSTILE = "河流9<script>alert(1)</script>\n\x1b[2J"
TODAY = datetime.now().astimezone().date()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Nine articles: 1–3 of ten days ago, 4 and 5 of three days ago, the others of today; 6 excluded, 7 limited, 8 withdrawn."""
    settings = Settings(data=tmp_path_factory.mktemp("digest") / "data", **FOR_TESTS)
    config.prepare_data(settings)
    database = open_database(settings.database)
    made = [
        article(
            HOSTILE if one == 9 else f"河流{one}",
            (f"河流治理编号{one * 7919}。",),
            key=f"https://a.example/{one}",
        )
        for one in range(1, 10)
    ]
    with writing(database) as connection:
        articles.save(connection, [NewArticle(one) for one in made], articles.fingerprints(connection))
        for last, days in ((5, 3), (3, 10)):
            at = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
            connection.exec_driver_sql("UPDATE articles SET stored_at = ? WHERE id <= ?", (at, last))
        unit = units.add(connection, "县法院")
        limits.put(connection, Actor("cli:test"), "article", 7, [unit])
        articles.set_status(connection, 8, "withdrawn")
        topics.add(connection, "heliu", TopicContent("河流", "河流", excluded=(Exclusion(6, "试"),)), "")
        topics.add(connection, "caogao", TopicContent("草稿", "河流", state="draft"), "")
        for name, belongs in (("member", (unit,)), ("other", ())):
            user = users.add(connection, name, name, "reader", "x", units=belongs)
            saved_searches.add(
                connection, user, "治河", "q=河流&newspaper=清河日报&not_newspaper=云岭日报", 0
            )
    ingest.reindex(database, settings, everything=True)
    return settings


def told(settings: Settings, since: date, until: date = TODAY, user: str | None = None) -> Digest:
    database = open_database(settings.database)
    search = open_search(settings, database)
    return digest(search, database, since=since, until=until, site="https://kb.example", user=user)


def test_limited_excluded_and_withdrawn_articles_are_told_to_nobody_who_may_not_see_them(
    settings: Settings,
) -> None:
    for _ in range(2):
        found = told(settings, TODAY)
        ids = {one.user: [item.id for part in one.searches for item in part.articles] for one in found.people}

        assert [(part.name, part.total, [item.id for item in part.articles]) for part in found.topics] == [
            ("河流", 1, [9])
        ]
        assert ids == {"member": [9, 7, 6], "other": [9, 6]}
        assert [part.total for one in found.people for part in one.searches] == [3, 2]
        ingest.reindex(open_database(settings.database), settings, everything=True)


def test_days_are_held_to_at_both_ends(settings: Settings) -> None:
    found = told(settings, TODAY - timedelta(days=5), TODAY - timedelta(days=1), "other")

    assert [[item.id for item in part.articles] for part in (*found.topics, *found.people[0].searches)] == [
        [5, 4],
        [5, 4],
    ]
    assert [part.total for part in found.topics] == [2]
    assert [one.user for one in found.people] == ["other"]


def test_nobody_unknown_is_told_anything(settings: Settings) -> None:
    with pytest.raises(AccountError):
        told(settings, TODAY, user="nobody")


def test_the_command_prints_each_form_and_texts_stay_texts(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_DATA", str(settings.data))
    monkeypatch.setenv("KB_PUBLIC_URL", "https://kb.example/")
    asked = ["digest", "--since", TODAY.isoformat(), "--format"]
    said = {
        form: CliRunner().invoke(cli.main, [*asked, form], catch_exceptions=False).stdout
        for form in ("text", "html", "json")
    }
    page = html.document_fromstring(said["html"])

    assert json.loads(said["json"])["topics"][0]["articles"][0]["url"] == "https://kb.example/a/9"
    assert not page.cssselect("script, style, img, link") and "河流9<script>" in page.text_content()
    assert "\x1b" not in said["text"] and "https://kb.example/a/9" in said["text"]
    assert (
        CliRunner().invoke(cli.main, ["digest", "--since", "2026-02-02", "--until", "2026-02-01"]).exit_code
        == 3
    )
