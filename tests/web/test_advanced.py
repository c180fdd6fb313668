"""The advanced search becomes a line of the query language and the same URL as any other search."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from lxml import html

from tests.web import shelf
from tests.web.conftest import See


def asked(client: FlaskClient, **fields: str) -> dict[str, list[str]]:
    response = client.get("/search/advanced", query_string=fields)
    assert response.status_code == 302, response.text
    parts = urlsplit(response.headers["Location"])
    assert parts.path == "/search"
    return parse_qs(parts.query)


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"all": "党建 业务"}, "党建 业务"),
        ({"any": "党建、党务"}, "党建 或 党务"),
        ({"all": "融合", "any": "党建 党务"}, "融合 (党建 或 党务)"),
        ({"all": "党建", "none": "培训 会议"}, "党建 非 培训 非 会议"),
        ({"exact": "党建和业务，一体“推进”"}, "「党建和业务，一体“推进”」"),
        ({"title": "三会一课", "author": "周见山"}, "标题:三会一课 作者:周见山"),
        ({"edition_page": "07", "newspaper": "清河日报"}, "报纸:清河日报 版次:07"),
        ({"heading": "把准方向", "quotation": "江山 人民"}, "小标题:把准方向 引语:江山 引语:人民"),
        ({"all": "与 -a 标题:b"}, "“与” “-a” “标题:b”"),
        ({"all": "党建", "least": "1000", "most": "3000"}, "党建 字数:1000..3000"),
        ({"least": "500"}, "字数:500.."),
        ({"since": "2023-01-01"}, "日期:2023-01-01.."),
    ],
)
def test_what_is_filled_in_becomes_one_line(client: FlaskClient, fields: dict[str, str], line: str) -> None:
    assert asked(client, **fields) == {"q": [line]}


def test_days_beside_words_can_be_changed_in_the_results(client: FlaskClient) -> None:
    assert asked(client, all="党建", since="2023-01-01", until="2023-12-31") == {
        "q": ["党建"],
        "since": ["2023-01-01"],
        "until": ["2023-12-31"],
    }


def test_the_search_finds_what_the_form_asked_for(client: FlaskClient) -> None:
    fields = {"title": "检察机关", "author": "周明远", "quotation": "江山", "none": "云岭", "least": "50"}
    page = client.get("/search/advanced", query_string=fields, follow_redirects=True)

    assert f"/a/{shelf.FULL}?" in page.text


def test_the_line_can_be_looked_at_first(see: See) -> None:
    page = see("/search/advanced?all=党建&title=三会一课&show=1")
    filled = {
        box.get("id"): box.get("value") for box in page.cssselect("form.advanced input") if box.get("value")
    }

    assert page.cssselect("[role=status] code")[0].text == "党建 标题:三会一课"
    assert filled == {"all": "党建", "title": "三会一课"}


@pytest.mark.parametrize("query", ["all=", "all=——&exact=“”"])
def test_a_form_with_nothing_to_look_for_says_so(see: See, query: str) -> None:
    assert "请至少填写一项" in see(f"/search/advanced?{query}").cssselect("[role=status]")[0].text_content()


@pytest.mark.parametrize("query", ["all=a&least=x", "all=a&since=2023-13-01", "all=a&most=-1"])
def test_a_number_or_day_that_cannot_be_read_is_a_sentence(client: FlaskClient, query: str) -> None:
    response = client.get(f"/search/advanced?{query}")

    assert response.status_code == 400
    assert "的值不能用" in html.document_fromstring(response.text).text_content()
