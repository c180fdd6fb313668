"""Formulations over a library with a month of which it has nothing."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from kb import cli, config, ingest
from kb.config import Settings
from kb.store import articles
from kb.store.articles import NewArticle
from kb.store.db import open_database, writing
from kb.web import create_app
from tests.making import FOR_TESTS, article


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Articles of March and May 2024, none of April; 清河精神 is in one of two of March and in the one of May."""
    settings = Settings(data=tmp_path_factory.mktemp("formulations") / "data", **FOR_TESTS)
    config.prepare_data(settings)
    database = open_database(settings.database)
    made = [
        article(f"第{one}篇", (text,), key=f"https://a.example/{one}", published=day)
        for one, (text, day) in enumerate(
            (
                ("大力弘扬“清河精神”。", "2024-03-15"),
                ("河边植树。", "2024-03-20"),
                ("传承清河精神。", "2024-05-01"),
            )
        )
    ]
    with writing(database) as connection:
        articles.save(connection, [NewArticle(one) for one in made], articles.fingerprints(connection))
    ingest.reindex(database, settings, everything=True)
    return settings


def told(settings: Settings, *wanted: str) -> str:
    found = CliRunner().invoke(
        cli.main, ["formulation", *wanted], env={"KB_DATA": str(settings.data)}, catch_exceptions=False
    )
    assert found.exit_code == 0, found.output
    return found.stdout


def test_a_month_of_which_the_library_has_nothing_is_hatched_and_said_and_is_not_nought(settings: Settings):
    page = create_app(settings).test_client().get("/formulations?q=清河精神").text

    assert 'fill="url(#chart-1-gap)"><title>2024年4月' in page
    assert "斜线处库里没有任何材料，不能当作“没有”：2024年4月。" in page


def test_the_command_tells_the_table_as_csv_and_everything_as_json(settings: Settings):
    lines = told(settings, "清河精神", "--csv").lstrip("\ufeff").splitlines()
    (one,) = json.loads(told(settings, "清河精神", "--json"))["formulations"]

    assert lines[1:] == [
        "清河精神,2024-03,1,2,500.00",
        "清河精神,2024-04,0,0,",
        "清河精神,2024-05,1,1,1000.00",
    ]
    assert [month["month"] for month in one["months"]] == ["2024-03", "2024-05"]
    assert (one["first"]["published"], one["last"]["published"]) == ("2024-03-15", "2024-05-01")
