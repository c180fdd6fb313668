from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from lxml import html
from sqlalchemy import insert, select

from kb.config import Settings
from kb.model import ROLES
from kb.store import articles
from kb.store.db import reading, writing
from kb.store.tables import audit, units
from kb.web import create_app
from kb.web.admin import limits
from kb.web.library import EXTENSION
from tests.web import shelf
from tests.web.people import post, signed_in

COURT = 1


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    made = create_app(shelf.build(Path(tmp_path_factory.mktemp("limits") / "data")))
    with writing(made.extensions[EXTENSION].database) as connection:
        connection.execute(insert(units), [{"id": COURT, "name": "县法院"}, {"id": 2, "name": "办公室"}])
    return made


def seen(app: Flask, url: str = "/admin/limits") -> str:
    """The words of a page as the administrator sees it."""
    tree = html.document_fromstring(signed_in(app, "admin").get(url).text)
    return " ".join(tree.cssselect("main")[0].text_content().split())


def recorded(app: Flask) -> list[tuple[str, str, str]]:
    with reading(app.extensions[EXTENSION].database) as connection:
        rows = connection.execute(select(audit.c.actor, audit.c.action, audit.c.object).order_by(audit.c.seq))
        return [(row[0], row[1], row[2]) for row in rows if row[1].startswith("limit.")]


def test_a_source_is_limited_and_lifted_and_both_hold_at_the_next_request(app: Flask) -> None:
    admin, everybody = signed_in(app, "admin"), app.test_client()
    before = everybody.get(f"/a/{shelf.FULL}").status_code

    answer = post(admin, "/admin/limits", {"kind": "source", "source": "sample", "units": COURT})
    told = " ".join(admin.get("/admin/limits").text.split())
    while_limited = everybody.get(f"/a/{shelf.FULL}").status_code, everybody.get("/").text
    post(admin, "/admin/limits/lift", {"kind": "source", "name": "sample"})
    after = everybody.get(f"/a/{shelf.FULL}").status_code

    with reading(app.extensions[EXTENSION].database) as connection:
        count = articles.summary(connection).count
    assert (answer.status_code, answer.location) == (303, "/admin/limits")
    assert f"来源 sample 现在只对所选单位显示，对其他人隐藏 {count} 篇" in told
    assert "县法院" in told
    assert while_limited[0] == 404 and "知识库还没有材料" in while_limited[1]
    assert (before, after) == (200, 200)
    assert recorded(app)[-2:] == [
        ("a-admin", "limit.set", "source:sample"), ("a-admin", "limit.lifted", "source:sample"),
    ]  # fmt: skip


def test_articles_are_named_by_ids_and_addresses_and_open_copies_are_told(app: Flask) -> None:
    admin = signed_in(app, "admin")
    lines = f"{shelf.FULL}\n\n http://localhost/a/{shelf.FIRST_NOTE} \n{shelf.FULL}"
    post(admin, "/admin/limits", {"kind": "article", "articles": lines, "units": [COURT, 2]})
    told = seen(app)
    assert f"对其他人隐藏 2 篇：编号 {shelf.FULL}、{shelf.FIRST_NOTE}" in " ".join(
        admin.get("/admin/limits").text.split()
    )
    post(admin, "/admin/limits", {"kind": "article", "articles": shelf.FULL, "units": 2, "copies": 1})
    with_copies = [line[2] for line in recorded(app)][-2:]
    for one in (shelf.FULL, shelf.REPRINT, shelf.FIRST_NOTE):
        post(admin, "/admin/limits/lift", {"kind": "article", "name": one})

    assert "县法院、办公室" in told
    assert with_copies == [f"article:{shelf.FULL}", f"article:{shelf.REPRINT}"]
    assert "没有单独受限的文章" in seen(app)


def test_an_administrator_outside_the_unit_sees_the_id_and_not_the_article(app: Flask) -> None:
    admin, member = signed_in(app, "admin"), signed_in(app, "admin", name="judge", units=[COURT])
    post(admin, "/admin/limits", {"kind": "article", "articles": shelf.FULL, "units": COURT})
    pages = [one.get("/admin/limits").text for one in (admin, member)]
    opened = [one.get(f"/a/{shelf.FULL}").status_code for one in (admin, member)]
    told = member.get(f"/a/{shelf.FULL}").text
    post(admin, "/admin/limits/lift", {"kind": "article", "name": shelf.FULL})

    assert [f'href="/a/{shelf.FULL}"' in page for page in pages] == [False, True]
    assert all("检察机关党建" not in page for page in pages)
    assert opened == [404, 200]
    assert "只对县法院的人显示，请勿外传。" in told and f'href="/admin/limits?article={shelf.FULL}"' in told
    assert f">{shelf.FULL}</textarea>" in member.get(f"/admin/limits?article={shelf.FULL}").text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"kind": "source", "source": "sample"}, "至少选一个单位"),
        ({"kind": "source", "source": "nowhere", "units": COURT}, "没有来源 nowhere"),
        ({"kind": "article", "articles": "1\nx<b>", "units": COURT}, "找不到文章:x<b>"),
        ({"kind": "article", "articles": " ", "units": COURT}, "找不到文章"),
        ({"kind": "article", "articles": "1", "units": 99}, "至少选一个单位"),
        ({"kind": "article", "articles": "\n".join(map(str, range(501))), "units": COURT}, "一次最多 500 篇"),
    ],
)
def test_what_cannot_be_done_is_said_beside_what_was_typed(
    app: Flask, form: dict[str, str | int], said: str
) -> None:
    before = recorded(app)
    answer = post(signed_in(app, "admin"), "/admin/limits", form)
    page = html.document_fromstring(answer.text)

    assert answer.status_code == 400
    assert said in page.cssselect("[role=alert]")[0].text_content()
    assert (page.cssselect("#articles")[0].text or "").strip() == str(form.get("articles", "")).strip()
    assert recorded(app) == before


def test_lifting_what_is_not_limited_is_told_and_nothing_else(app: Flask) -> None:
    admin = signed_in(app, "admin")
    for form in ({"kind": "article", "name": "1"}, {"kind": "source", "name": "x"}, {"kind": "x"}):
        answer = post(admin, "/admin/limits/lift", form)
        assert answer.status_code == 303
        assert "没有阅读限制" in admin.get("/admin/limits").text


@pytest.mark.slow
def test_many_limited_articles_are_paged_and_looked_for(app: Flask) -> None:
    admin, ids = signed_in(app, "admin"), range(shelf.FIRST_NOTE, shelf.FIRST_NOTE + 23)
    post(
        admin,
        "/admin/limits",
        {"kind": "article", "articles": "\n".join(map(str, ids)), "units": COURT},
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "SIZE", 10)
        first, third = seen(app), admin.get("/admin/limits?page=3&about=县法院").text
    one = seen(app, f"/admin/limits?about={ids[0]}")
    none = seen(app, "/admin/limits?about=没有这个")
    for number in ids:
        post(admin, "/admin/limits/lift", {"kind": "article", "name": number})

    assert "受限的文章（23）" in first
    assert html.document_fromstring(third).cssselect("[aria-current=page]")[-1].text_content().split() == [
        "第", "3", "页",
    ]  # fmt: skip
    assert "受限的文章（1）" in one
    assert "没有符合的来源" in none and "没有符合的文章" in none


def test_without_units_the_page_says_what_to_do_first(settings: Settings) -> None:
    assert "还没有单位" in seen(create_app(settings))


def test_only_administrators_come_here(app: Flask) -> None:
    for role in ROLES:
        wanted = 200 if role == "admin" else 403
        assert signed_in(app, role).get("/admin/limits").status_code == wanted
        assert post(signed_in(app, role), "/admin/limits", {}).status_code == (
            400 if role == "admin" else 403
        )
