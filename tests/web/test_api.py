from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient

from kb import ingest
from kb.config import Settings, shipped
from kb.model import Actor
from kb.store import articles, limits, units
from kb.store.articles import NewArticle
from kb.store.db import writing
from kb.web import api_parameters, create_app, limiting
from kb.web.api_parameters import Parameter
from kb.web.library import library_of
from tests.web import shelf
from tests.web.asking_api import DRAFT, NOTES, PARTY, bearer, everything, token_of, with_topics

FILE = shipped("docs") / "openapi.yaml"
SPEC = schemathesis.openapi.from_path(FILE).raw_schema
LISTS = ("/api/v1/export", f"/api/v1/topics/{NOTES}/articles")


@pytest.fixture(scope="module")
def api(library_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return create_app(with_topics(library_settings, tmp_path_factory.mktemp("api") / "data"))


@pytest.fixture
def script(api: Flask) -> FlaskClient:
    return api.test_client()


def get(script: FlaskClient, url: str, status: int = 200) -> Any:
    answer = script.get(url)
    assert answer.status_code == status, answer.text
    return answer.get_json()


# --- the description ------------------------------------------------------------------------------------------------


def described(path: str) -> dict[str, dict[str, Any]]:
    """The query parameters that openapi.yaml has for a path, with their schemas."""
    found = {}
    for one in SPEC["paths"][path]["get"].get("parameters", ()):
        if "$ref" in one:
            one = SPEC["components"]["parameters"][one["$ref"].rpartition("/")[2]]
        if one["in"] == "query":
            found[one["name"]] = one["schema"]
    return found


def schema(known: Parameter) -> dict[str, Any]:
    """What openapi.yaml must say of a parameter."""
    if known.kind == "number":
        said: dict[str, Any] = {"type": "integer", "minimum": known.least, "maximum": known.most}
    elif known.kind == "choice":
        said = {"type": "string", "enum": list(known.choices)}
    elif known in api_parameters.FACET_VALUES:
        return {"$ref": "#/components/schemas/Values"}
    else:
        return {"maxItems": known.most} if known.most else {}
    return said if known.default is None else said | {"default": known.default}


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("/api/v1/search", api_parameters.SEARCH),
        ("/api/v1/export", api_parameters.EXPORT),
        ("/api/v1/topics/{topic_slug}/articles", api_parameters.EXPORT),
        ("/api/v1/formulations", api_parameters.WORDINGS),
        ("/api/v1/articles/{article_id}", api_parameters.VERSION),
    ],
)
def test_the_description_has_exactly_the_parameters_that_are_taken(
    path: str, known: tuple[Parameter, ...]
) -> None:
    said = described(path)

    assert list(said) == [one.name for one in known]
    assert [one.name for one in known if not schema(one).items() <= said[one.name].items()] == []


def test_every_address_is_described_limited_and_told_to_people(api: Flask) -> None:
    routes = [rule.rule for rule in api.url_map.iter_rules() if rule.rule.startswith("/api/v1/")]
    paths = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule) for rule in routes}
    page = (shipped("docs") / "api.md").read_text(encoding="utf-8")
    names = {name for path in paths for name in described(path)}

    assert paths == set(SPEC["paths"])
    assert set(routes) <= set(limiting.LIMITED)
    assert [one for one in (*paths, *names) if f"`{one}`" not in page] == []


def test_the_description_is_served_as_it_is_and_people_are_led_to_words(script: FlaskClient) -> None:
    served = script.get("/openapi.yaml")

    assert served.mimetype == "application/yaml" and served.data == FILE.read_bytes()
    assert script.get("/api").headers["Location"] == "/help/api"


# --- answers --------------------------------------------------------------------------------------------------------


def test_a_search_gives_what_the_page_for_scripts_gives_and_where_people_read_it(script: FlaskClient) -> None:
    found, before = get(script, "/api/v1/search?q=三会&limit=5"), get(script, "/search.json?q=三会&limit=5")
    first = found["hits"][0]
    onward = get(script, found["next"])

    assert [{**hit, "page": None} for hit in found["hits"]] == [
        {**hit, "page": None} for hit in before["hits"]
    ]
    assert first["page"] == f"http://localhost/a/{first['id']}"
    assert found["total"] == before["total"] and found["facets"] == before["facets"]
    assert onward["offset"] == 5 and not {hit["id"] for hit in onward["hits"]} & {
        hit["id"] for hit in found["hits"]
    }


def test_an_article_is_given_in_any_of_its_versions(script: FlaskClient) -> None:
    present, first = get(script, "/api/v1/articles/1"), get(script, "/api/v1/articles/1?version=1")

    assert (present["version"], first["version"]) == (2, 1)
    assert len(present["blocks"]) == len(first["blocks"]) + 1
    assert get(script, "/api/v1/articles/1?version=3", 404)["key"] == "store.no_version"
    assert get(script, f"/api/v1/articles/{shelf.WITHDRAWN}", 410)["key"] == "store.withdrawn"
    assert get(script, f"/api/v1/articles/{2**63}", 404)["key"] == "web.not_found"


@pytest.mark.parametrize("limit", [1, 7, 500])
def test_following_next_gives_everything_once_in_the_order_of_its_coming(
    script: FlaskClient, limit: int
) -> None:
    shown = [one for one in range(1, 7 + shelf.NOTES) if one not in (shelf.WITHDRAWN, shelf.GONE)]

    assert everything(script, f"/api/v1/export?limit={limit}") == shown
    assert everything(script, f"/api/v1/export?limit={limit}&q=三会一课") == shown[4:]


def test_what_comes_into_the_library_meanwhile_comes_last(library_settings: Settings, tmp_path: Path) -> None:
    settings = with_topics(library_settings, tmp_path / "data")
    script = create_app(settings).test_client()
    first = get(script, "/api/v1/export?limit=20")
    database = library_of(script.application).database
    with writing(database) as connection:
        near = articles.fingerprints(connection)
        added = articles.save(connection, [NewArticle(shelf.note(100))], near)[0].id
    ingest.reindex(database, settings, everything=False)
    rest = everything(script, first["next"])

    assert rest == sorted(set(rest)) and rest[-1] == added
    assert not {one["id"] for one in first["articles"]} & set(rest)


def test_lines_of_json_hold_the_same_articles_and_a_header_where_to_go_on(script: FlaskClient) -> None:
    as_json = get(script, "/api/v1/export?limit=3&newspaper=云岭日报")
    lines = script.get(
        "/api/v1/export?limit=3&newspaper=云岭日报", headers={"Accept": "application/x-ndjson"}
    )

    assert lines.mimetype == "application/x-ndjson" and "Accept" in lines.vary
    assert [json.loads(line) for line in lines.text.splitlines()] == as_json["articles"]
    assert lines.headers["Link"] == f'<{as_json["next"]}>; rel="next"'
    assert as_json["left"] == len(everything(script, as_json["next"]))


def test_topics_are_counted_and_drafts_are_not_there(script: FlaskClient) -> None:
    listed = {one["slug"]: one for one in get(script, "/api/v1/topics")["topics"]}
    one = get(script, f"/api/v1/topics/{PARTY}")

    assert set(listed) == {PARTY, NOTES} and listed[NOTES]["parent"] == PARTY
    assert {slug: len(everything(script, f"/api/v1/topics/{slug}/articles")) for slug in listed} == {
        slug: topic["articles"] for slug, topic in listed.items()
    }
    assert listed[NOTES]["articles"] == shelf.NOTES - 1
    assert [must["id"] for must in one["must_reads"]] == [shelf.FULL]  # the other one was withdrawn
    assert [below["slug"] for below in one["topics"]] == [NOTES]
    for slug in (DRAFT, "no-such"):
        assert get(script, f"/api/v1/topics/{slug}", 404)["key"] == "topic.unknown"
        assert get(script, f"/api/v1/topics/{slug}/articles", 404)["key"] == "topic.unknown"


def test_what_is_excluded_from_a_topic_is_not_in_its_articles_whatever_is_asked(script: FlaskClient) -> None:
    for query in ("", "?q=三会一课", "?q=三会一课&scope=title", f"?after={shelf.FIRST_NOTE - 1}"):
        found = everything(script, f"/api/v1/topics/{NOTES}/articles{query}")

        assert shelf.FIRST_NOTE not in found and len(found) == shelf.NOTES - 1


def test_what_is_limited_to_a_unit_is_in_no_answer_to_others_and_in_all_to_its_people(
    library_settings: Settings, tmp_path: Path
) -> None:
    app = create_app(with_topics(library_settings, tmp_path / "data"))
    limited = (shelf.FULL, shelf.FIRST_NOTE + 1)
    with writing(library_of(app).database) as connection:
        court = units.add(connection, "县法院")
        for number in limited:
            limits.put(connection, Actor("cli:test"), "article", number, [court])
    nobody, member = app.test_client(), app.test_client()
    told = bearer(token_of(app, units=[court]))

    assert not set(everything(nobody, "/api/v1/export?limit=9")) & set(limited)
    assert set(limited) < set(everything(member, "/api/v1/export?limit=9", headers=told))
    assert get(nobody, f"/api/v1/topics/{PARTY}")["must_reads"] == []
    assert len(member.get(f"/api/v1/topics/{PARTY}", headers=told).get_json()["must_reads"]) == 1
    assert {one["slug"]: one["articles"] for one in get(nobody, "/api/v1/topics")["topics"]}[
        NOTES
    ] == shelf.NOTES - 2
    assert {hit["score"] for hit in get(nobody, "/api/v1/search?q=三会")["hits"]} == {None}
    assert get(nobody, f"/api/v1/articles/{shelf.FULL}", 404)["key"] == "store.no_article"
    assert member.get(f"/api/v1/articles/{shelf.FULL}", headers=told).status_code == 200


def test_formulations_are_told_side_by_side(script: FlaskClient) -> None:
    found = get(script, "/api/v1/formulations?q=三会一课&q=民惟邦本")

    assert [one["articles"] for one in found["formulations"]] == [shelf.NOTES, 2]
    assert found["formulations"][1]["first"]["article_id"] == shelf.FULL
    assert get(script, "/api/v1/formulations", 400)["key"] == "formulation.empty"


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "parameter", "key"),
    [
        ("q=a&newpaper=b", "newpaper", "api.unknown_parameter"),
        ("q=a&q=b", "q", "api.repeated_parameter"),
        ("q=a&limit=101", "limit", "query.bad_parameter"),
        ("q=a&limit=", "limit", "query.bad_parameter"),
        ("q=a&limit=１", "limit", "query.bad_parameter"),
        ("q=a&offset=1000", "offset", "query.bad_parameter"),
        ("q=a&sort=added", "sort", "query.bad_parameter"),
        ("q=a&since=2023-02-30", "since", "query.bad_parameter"),
        ("q=a&since=", "since", "query.bad_parameter"),
        ("q=a&year=" + "x" * 201, "year", "query.bad_parameter"),
        ("q=a" + "&year=" * 101, "year", "query.bad_parameter"),
        ("q=", None, "query.empty"),
        ("q=(a", None, "query.unclosed"),
    ],
)
def test_what_a_script_asks_wrongly_is_named(
    script: FlaskClient, query: str, parameter: str | None, key: str
) -> None:
    answer = get(script, f"/api/v1/search?{query}", 400)

    assert (answer["key"], answer.get("parameter")) == (key, parameter)
    assert set(answer) - {"parameter"} == {"key", "message", "message_en"}


@pytest.mark.parametrize("url", ["/api/v1/nothing", "/api/v1/topics/党", "/api/v1/articles/x"])
def test_also_what_is_not_there_is_told_as_json(script: FlaskClient, url: str) -> None:
    assert get(script, url, 404)["key"] == "web.not_found" or "topics" in url
    answer = script.post(url if "topics" not in url else "/api/v1/topics")
    assert answer.status_code in (404, 405) and set(answer.get_json()) == {"key", "message", "message_en"}


def test_so_many_requests_a_minute_and_then_when_to_come_again(library_settings: Settings) -> None:
    strict = create_app(library_settings.model_copy(update={"api_per_minute": 2})).test_client()
    urls = ("/api/v1/topics", "/api/v1/articles/1", "/api/v1/search?q=三会")
    found = [strict.get(url) for url in urls]

    assert [one.status_code for one in found] == [200, 200, 429]
    assert found[2].get_json()["key"] == "web.too_many_requests"
    assert 1 <= int(found[2].headers["Retry-After"]) <= 60


@pytest.mark.parametrize(
    "url",
    [
        "/openapi.yaml", "/api/v1/search?q=三会", "/api/v1/articles/1", "/api/v1/export", "/api/v1/topics",
        "/api/v1/formulations?q=三会一课",
        f"/api/v1/topics/{PARTY}", f"/api/v1/topics/{NOTES}/articles",
    ],
)  # fmt: skip
def test_what_did_not_change_is_not_sent_again(script: FlaskClient, url: str) -> None:
    first = script.get(url)
    again = script.get(url, headers={"If-None-Match": first.headers["ETag"]})
    other = script.get(url, headers={"If-None-Match": '"other"'})

    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert (other.status_code, other.data) == (200, first.data)
    assert script.head(url).headers["ETag"] == first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache" and "Authorization" in first.vary


def test_a_next_address_asks_for_the_same(script: FlaskClient) -> None:
    url = f"/api/v1/export?limit=2&q={quote('三会 & 支部')}&newspaper=云岭日报&newspaper=青溪法治报&not_year=1999"
    found = everything(script, url)

    assert found == [one["id"] for one in get(script, url.replace("limit=2", "limit=500"))["articles"]]
