"""What is limited to a unit shows nowhere to others: every page says to them what it says in a library that never had it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kb.model import ROLES
from kb.web import create_app
from kb.web.library import EXTENSION
from tests.web import secrets
from tests.web.people import signed_in
from tests.web.secrets import ADDRESS, HIDDEN, MARK, OPEN

# What each route is asked for; a new route needs its line. In a query string a marker is asked for, in words of its own.
ASKED: dict[str, tuple[str, ...]] = {
    "/": ("/",),
    "/search": tuple(
        f"/search?q={one}"
        for one in (
            "", "党建", "党建&copies=1", "党建 骊歌文", "骊歌文", "骊哥文", "“骊山脚下”", "作者:骊歌人", "报纸:骊歌日报", "标题:骊歌题", "单位:骊歌",
            "党建&newspaper=骊歌日报", "党建&-newspaper=骊歌日报", "党建&author=骊歌人&year=2020", "党建&sort=oldest", "党建&sort=longest",
            "党建&source=lige", "同谋划", "同谋划&copies=1", "巡回审判", "巡回审判&copies=1", "记录 销号 调解 骊", "党建&page=2", "党建 没有这个词呀",
            "党建&scope=title", "骊歌文&scope=title", "支部 骊歌文&since=2018-01-01&until=2020-12-31", "日期:2001", "-党建", "党健业务",
        )
    ),
    "/search.json": tuple(
        f"/search.json?q={one}"
        for one in ("党建&limit=50", "骊歌文", "党建 骊歌文&limit=50", "同谋划", "同谋划&copies=0", "巡回审判&copies=0", "日期:..2021", "骊哥文")
    ),
    "/search.atom": tuple(
        f"/search.atom?q={one}" for one in ("党建", "党建&copies=0", "骊歌文", "同谋划", "同谋划&copies=0", "日期:2001", "党建&newspaper=骊歌日报", "")
    ),
    "/feed.atom": ("/feed.atom",),
    "/sitemap.xml": ("/sitemap.xml",),
    "/sitemap-<id:number>.xml": ("/sitemap-0.xml", "/sitemap-1.xml"),
    "/robots.txt": ("/robots.txt",),
    "/opensearch.xml": ("/opensearch.xml",),
    "/saved/<code>": (f"/saved/{secrets.SAVED}",),
    "/saved/<code>.atom": (f"/saved/{secrets.SAVED}.atom",),
    "/feed/source/<slug>.atom": (f"/feed/source/{secrets.SECRET}.atom", "/feed/source/open.atom"),
    "/t/<topic_slug>.atom": ("/t/dangjian.atom", "/t/shenpan.atom"),
    "/formulations": tuple(f"/formulations?q={one}" for one in ("", "党建", "骊歌文", "党建&q=骊山脚下", "业务")),
    "/formulations.json": tuple(f"/formulations.json?q={one}" for one in ("党建", "骊歌文", "骊山", "巡回审判")),
    "/formulations.csv": tuple(f"/formulations.csv?q={one}" for one in ("党建", "骊歌文")),
    "/search/advanced": ("/search/advanced", "/search/advanced?all=骊歌文"),
    "/suggest.json": tuple(f"/suggest.json?q={one}" for one in ("骊", "骊歌", "lige", "lg", "lgt", "党建", "第", "清河", "周", "djjs")),
    "/a/<id:article_id>": (
        *(f"/a/{number}" for number in (*HIDDEN, *OPEN[:12], 400)),
        *(f"/a/{secrets.CORRECTED}?version={version}" for version in (1, 2, 3)),
        *(f"/a/{number}?q=党建 骊歌文" for number in (2, 3)),
    ),
    "/a/<id:article_id>.json": (
        *(f"/a/{number}.json" for number in (*HIDDEN, 2, 4, 6, 10, 13)),
        f"/a/{secrets.CORRECTED}.json?version=1",
    ),
    "/papers": ("/papers",),
    "/papers/<name:newspaper>": ("/papers/清河日报", "/papers/清河日报?year=2001", "/papers/清河日报?year=2023", "/papers/骊歌日报"),
    "/papers/<name:newspaper>/<day>": (
        "/papers/清河日报/2023-05-12", "/papers/清河日报/2001-01-02", "/papers/清河日报/2021-05-12", "/papers/骊歌日报/2018-06-13",
        "/papers/清河日报/2001-01-01",
    ),
    "/papers/<name:newspaper>/<day>/<name:label>": (
        "/papers/清河日报/2023-05-12/02", "/papers/清河日报/2023-05-12/骊7", "/papers/清河日报/2023-05-12/07", "/papers/骊歌日报/2018-06-13/骊7",
    ),
    "/topics": ("/topics",),
    "/t/<topic_slug>": (
        "/t/dangjian", "/t/dangjian?q=骊歌文", "/t/dangjian?q=支部&sort=oldest", "/t/dangjian?month=2018-06&year=2018",
        "/t/dangjian?newspaper=骊歌日报", "/t/dangjian?copies=1&page=2", "/t/shenpan", "/t/dangjian?q=支部 骊歌文",
    ),
    "/t/<topic_slug>.json": ("/t/dangjian.json?limit=100", "/t/shenpan.json", "/t/dangjian.json?q=骊歌文"),
    "/t/<topic_slug>.csv": ("/t/dangjian.csv", "/t/shenpan.csv"),
    "/topics/new": ("/topics/new",),
    "/t/<topic_slug>/edit": ("/t/dangjian/edit",),
    "/t/<topic_slug>/pins": ("/t/dangjian/pins",),
    "/t/<topic_slug>/exclusions": ("/t/dangjian/exclusions",),
    "/t/<topic_slug>/history": ("/t/dangjian/history", "/t/dangjian/history?version=1&against=0"),
    "/help": ("/help",),
    "/help/<name>": ("/help/query-syntax",),
    "/healthz": ("/healthz",),
    "/readyz": ("/readyz",),
    "/metrics": ("/metrics",),
    "/display": ("/display",),
    "/login": ("/login",),
    "/first": ("/first",),
    "/password": ("/password",),
    "/me": ("/me",),
    "/me/delete": ("/me/delete",),
    "/me/tokens": ("/me/tokens",),
    "/api": ("/api",),
    "/openapi.yaml": ("/openapi.yaml",),
    "/api/v1/search": tuple(
        f"/api/v1/search?q={one}"
        for one in ("党建&limit=50", "骊歌文", "党建 骊歌文&limit=50", "同谋划", "同谋划&copies=0", "日期:..2021", "骊哥文", "党建&source=lige")
    ),
    "/api/v1/articles/<id:article_id>": (
        *(f"/api/v1/articles/{number}" for number in (*HIDDEN, 2, 4, 6, 10, 13)),
        f"/api/v1/articles/{secrets.CORRECTED}?version=1",
    ),
    "/api/v1/export": (
        "/api/v1/export?limit=500", "/api/v1/export?limit=3", "/api/v1/export?limit=2&after=2", "/api/v1/export?q=骊歌文",
        "/api/v1/export?newspaper=骊歌日报", "/api/v1/export?q=党建&limit=2",
    ),
    "/api/v1/formulations": ("/api/v1/formulations?q=党建&q=骊歌文&q=骊山脚下",),
    "/api/v1/topics": ("/api/v1/topics",),
    "/api/v1/topics/<topic_slug>": ("/api/v1/topics/dangjian",),
    "/api/v1/topics/<topic_slug>/articles": ("/api/v1/topics/dangjian/articles", "/api/v1/topics/dangjian/articles?limit=2"),
    "/admin": ("/admin",),
    "/admin/users": ("/admin/users", "/admin/users?q=骊"),
    "/admin/users/new": ("/admin/users/new",),
    "/admin/users/<id:user_id>": ("/admin/users/1",),
    "/admin/units": ("/admin/units",),
    "/admin/health": ("/admin/health",),
    "/admin/limits": ("/admin/limits", "/admin/limits?about=3", "/admin/limits?article=3"),
    "/admin/audit": ("/admin/audit",),
    "/admin/audit.csv": ("/admin/audit.csv",),
    "/admin/audit.jsonl": ("/admin/audit.jsonl",),
    "/admin/sources": ("/admin/sources",),
    "/admin/sources/try": ("/admin/sources/try",),
    "/admin/runs": ("/admin/runs",),
    "/admin/runs/<id:run_id>": ("/admin/runs/1",),
    "/admin/runs/failed/<slug>": (f"/admin/runs/failed/{secrets.SECRET}",),
    "/admin/queries": ("/admin/queries",),
    "/admin/queries.csv": ("/admin/queries.csv",),
    "/admin/lexicon": ("/admin/lexicon", "/admin/lexicon?q=骊歌"),
    "/admin/lexicon/export.tsv": ("/admin/lexicon/export.tsv",),
    "/admin/lexicon/synonyms": ("/admin/lexicon/synonyms",),
    "/admin/upload": ("/admin/upload",),
    "/admin/upload/<id:upload_id>": ("/admin/upload/1",),
    "/admin/review": ("/admin/review",),
    "/admin/review/<id:review_id>": ("/admin/review/1",),
    "/static/<path:filename>": ("/static/base.css",),
}  # fmt: skip

# Where something of limited articles may stand, and why.
SLUGS = ((ADDRESS,), "the slugs of sources, for whoever looks after them; no text of an article")
TYPED = ((MARK,), "what people typed into the box, which is no text of the library")
UNREAD = ((MARK, ADDRESS), "what is no article yet, which somebody must read before it becomes one")
EXEMPT: dict[str, tuple[tuple[str, ...], str]] = {
    "/admin": SLUGS,
    "/admin/audit": SLUGS,
    "/admin/audit.csv": SLUGS,
    "/admin/audit.jsonl": SLUGS,
    "/admin/limits": SLUGS,
    "/admin/queries": TYPED,
    "/admin/queries.csv": TYPED,
    "/admin/review": UNREAD,
    "/admin/review/<id:review_id>": UNREAD,
    "/admin/runs": SLUGS,
    "/admin/runs/<id:run_id>": SLUGS,
    "/admin/runs/failed/<slug>": SLUGS,
    "/admin/sources": SLUGS,
    "/admin/upload": UNREAD,
    "/admin/upload/<id:upload_id>": UNREAD,
}
# Of the whole installation, for programs that watch it: how many articles there are and wait, none of them named.
OF_ALL = ("/metrics", "/readyz")
VOLATILE = (
    (r"(?<=用时 )[0-9.]+(?= 秒)|(?<=\"took_ms\":)\s*[0-9.]+|(?<=\"score\":)\s*([0-9.e-]+|null)", "0"),
    (r"(?<=请求编号 )[0-9a-f]+|(?<=name=\"csrf_token\" value=\")[^\"]+", "0"),
)
# What members are told otherwise: searches that are made of what everybody may see, and that an article is limited.
RELATED = re.compile(
    r'<nav class="related".*?</nav>| *<p class="notice">只对县法院的人显示[^<]*</p>\n', re.DOTALL
)
FEW = 4  # addresses of a route that every role asks for
PEOPLE: dict[str, tuple[str, tuple[int, ...]]] = {
    "nobody known": ("", ()),
    "of another unit": ("reader", (secrets.OFFICE,)),
    **{role: (role, ()) for role in ROLES},
}


@dataclass
class Libraries:
    """The same people at both libraries; `before` says what the first one told them while nothing was limited."""

    limited: Flask
    without: Flask
    before: dict[str, dict[str, tuple[int, str]]]
    at_once: dict[str, tuple[int, str]]  # what was suggested by the tables that were made before


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Libraries]:
    monkeypatch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("leaks")
    settings = secrets.build(folder / "all")
    app = create_app(settings)
    for name in ("member", *PEOPLE):
        browser(app, name)
    other = create_app(secrets.without(settings, folder / "without"))
    for one in (app, other):
        one.extensions[EXTENSION].suggester.refresh()
        # What the tests ask in vain would soon be popular with nobody.
        monkeypatch.setattr(one.extensions[EXTENSION].log, "note", lambda *_search: None)
    before = {name: told(browser(app, name), readable(app)) for name in ("nobody known", "member")}
    secrets.limit(app.extensions[EXTENSION].database)
    at_once = told(app.test_client(), list(ASKED["/suggest.json"]))
    app.extensions[EXTENSION].suggester.refresh()
    yield Libraries(app, other, before, at_once)
    for one in (app, other):
        one.extensions[EXTENSION].database.dispose()
    monkeypatch.undo()


def browser(app: Flask, name: str) -> FlaskClient:
    if name == "member":
        return signed_in(app, "reader", name=name, units=(secrets.COURT,))
    role, units = PEOPLE[name]
    return signed_in(app, role, name=name, units=units) if role else app.test_client()  # type: ignore[arg-type]


def rules(app: Flask) -> list[tuple[str, str]]:
    """Path and endpoint of every route that answers a GET."""
    return [(str(rule), rule.endpoint) for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]


def readable(app: Flask) -> list[str]:
    """What is asked of the routes of the library: those for whoever may read."""
    return [
        url
        for path, endpoint in rules(app)
        if app.view_functions[endpoint].access.who in ("readers", "public") and path not in OF_ALL  # type: ignore[attr-defined]
        for url in ASKED[path]
    ]


def told(client: FlaskClient, urls: list[str]) -> dict[str, tuple[int, str]]:
    """What pages say, without what is of the moment."""
    found = {}
    for url in urls:
        with client.get(url) as answer:
            text = answer.text
        assert answer.status_code != 429, url
        for pattern, instead in VOLATILE:
            text = re.sub(pattern, instead, text)
        found[url] = (answer.status_code, text)
    return found


def differences(found: dict[str, tuple[int, str]], expected: dict[str, tuple[int, str]]) -> list[str]:
    """The addresses that answer otherwise than expected, each with what differs."""
    told = []
    for url, (status, text) in found.items():
        lines = unified_diff(expected[url][1].splitlines(), text.splitlines(), lineterm="", n=0)
        changed = "\n".join(lines)
        if changed or status != expected[url][0]:
            told.append(f"{url} {status}\n{changed}")
    return told


def markers(url: str, text: str) -> list[str]:
    """Words of limited articles, save those that the address itself says."""
    said = unquote(url)
    words = re.findall(rf"\w*(?:{MARK}|{ADDRESS})\w*", unquote(text))
    return [word for word in words if not any(part in said for part in (word, MARK, ADDRESS))]


def test_every_route_is_asked(libraries: Libraries) -> None:
    assert sorted(path for path, _ in rules(libraries.limited) if path not in ASKED) == []


def test_while_nothing_is_limited_everything_shows_so_that_the_other_tests_can_fail(
    libraries: Libraries,
) -> None:
    everything = libraries.before["nobody known"]
    said = "\n".join(text for _, text in everything.values())
    words = "题 副题 肩题 日报 版 县人民检察院 人 文 小标题 更正 引语".split()

    assert [word for word in words if f"骊歌{word}" not in said] == []
    assert f"https://{ADDRESS}.example/3.html" in said and "骊7" in said
    shown = [url for url, (_, text) in everything.items() if MARK in text and MARK not in url]
    assert {"/", "/papers", "/a/2", "/a/10", "/papers/清河日报/2023-05-12", "/search?q=党建"} <= set(shown)
    different = told(libraries.without.test_client(), list(everything))
    assert sum(everything[url] != different[url] for url in everything) > len(everything) / 2


@pytest.mark.parametrize(
    "name", [*list(PEOPLE)[:2], *(pytest.param(role, marks=pytest.mark.slow) for role in ROLES)]
)
def test_to_people_outside_it_is_as_if_it_had_never_been_there(libraries: Libraries, name: str) -> None:
    urls = readable(libraries.limited)
    found = told(browser(libraries.limited, name), urls)
    expected = told(browser(libraries.without, name), urls)

    assert differences(found, expected) == []


@pytest.mark.parametrize("name", PEOPLE)
def test_no_page_at_all_says_a_word_of_it(libraries: Libraries, name: str) -> None:
    client, app, said = browser(libraries.limited, name), libraries.limited, {}
    for path, _ in rules(app):
        allowed, _why = EXEMPT.get(path, ((), ""))
        for url, (_, text) in told(client, list(ASKED[path][:FEW])).items():
            found = [word for word in markers(url, text) if not any(one in word for one in allowed)]
            if found:
                said[url] = found

    assert said == {}


def test_suggestions_made_before_a_limit_are_not_shown_after_it(libraries: Libraries) -> None:
    before = libraries.before["nobody known"]

    assert any(markers("", before[url][1]) for url in libraries.at_once)
    assert {
        url: markers(url, text) for url, (_, text) in libraries.at_once.items() if markers(url, text)
    } == {}


def test_people_of_the_unit_see_all_of_it(libraries: Libraries) -> None:
    before = libraries.before["member"]
    # So are suggestions; and the sitemap has what everybody may see, whoever asks.
    urls = [url for url in before if not url.startswith(("/suggest.json", "/sitemap-"))]
    now = told(browser(libraries.limited, "member"), urls)
    pages = [{url: (some[url][0], RELATED.sub("", some[url][1])) for url in urls} for some in (now, before)]

    assert differences(*pages) == []


def test_scores_which_weigh_words_by_all_articles_are_told_only_to_who_sees_all(libraries: Libraries) -> None:
    hits = {
        name: browser(libraries.limited, name).get("/search.json?q=党建").get_json()["hits"]
        for name in ("nobody known", "member")
    }

    assert {hit["score"] is None for hit in hits["nobody known"]} == {True}
    assert {hit["score"] is None for hit in hits["member"]} == {False}
