from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from tests.web import shelf
from tests.web.people import post, signed_in

SHOWN = ("data-size", "data-contrast", "data-keys")


def shown(client: FlaskClient, url: str = "/") -> list[str | None]:
    """What the page says about how it is shown."""
    page = html.document_fromstring(client.get(url).text)
    return [page.get(name) for name in SHOWN]


def test_a_page_is_shown_as_usual_until_somebody_chooses(client: FlaskClient) -> None:
    assert shown(client) == ["normal", "normal", "on"]


@pytest.mark.parametrize(
    "url", ["/", "/search?q=三会一课", f"/a/{shelf.FULL}", "/papers", "/help", "/nope", "/healthz"]
)
def test_who_only_reads_gets_no_cookie(client: FlaskClient, url: str) -> None:
    assert not client.get(url).headers.getlist("Set-Cookie")


def test_what_was_chosen_is_kept_in_the_browser_and_leads_back_to_the_page(client: FlaskClient) -> None:
    chosen = {"size": "huge", "contrast": "high", "keys": "off", "next": "/papers"}
    answer = post(client, "/display", chosen)

    assert (answer.status_code, answer.location) == (303, "/papers")
    assert "显示设置已保存。" in client.get("/papers").text
    assert shown(client, "/nope") == ["huge", "high", "off"]
    cookie = next(line for line in answer.headers.getlist("Set-Cookie") if line.startswith("display="))
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie


def test_every_page_links_the_choice_and_comes_back_to_itself(client: FlaskClient) -> None:
    here = "/search?q=三会一课&page=2"
    page = html.document_fromstring(client.get(here).text)
    link = next(one for one in page.cssselect("header a") if one.text == "大字")
    form = html.document_fromstring(client.get(link.get("href")).text).cssselect("main form")[0]

    assert unquote(form.fields["next"]) == here


@pytest.mark.parametrize(
    "bad", ["https://a.example/", "//a.example", "/\\a.example", "javascript:alert(1)", "/\n/a.example", ""]
)
def test_it_never_leads_away_from_the_site(client: FlaskClient, bad: str) -> None:
    assert post(client, "/display", {"size": "large", "next": bad}).location == "/"
    assert (
        "a.example"
        not in html.document_fromstring(client.get(f"/display?next={quote(bad)}").text)
        .cssselect("main")[0]
        .text_content()
    )


@pytest.mark.parametrize("kept", ["", "x", "a.b.c.d.e", "huge", "huge.high.off.on", '"><b>.<i>.on'])
def test_a_cookie_that_says_nonsense_is_taken_as_far_as_it_is_known(client: FlaskClient, kept: str) -> None:
    client.set_cookie("display", kept)

    assert shown(client) in (["normal", "normal", "on"], ["huge", "normal", "on"], ["huge", "high", "off"])


def test_without_its_token_nothing_is_kept(client: FlaskClient) -> None:
    answer = client.post("/display", data={"size": "huge"})

    assert answer.status_code == 400
    assert shown(client) == ["normal", "normal", "on"]


def test_what_a_person_chose_is_kept_with_the_account_and_goes_before_the_browser(app: Flask) -> None:
    at_home = signed_in(app, "reader", name="shows-large")
    post(at_home, "/display", {"size": "large", "contrast": "high", "keys": "off"})
    elsewhere = signed_in(app, "reader", name="shows-large")
    elsewhere.set_cookie("display", "huge.normal.on")

    assert shown(elsewhere) == ["large", "high", "off"]
    assert shown(app.test_client()) == ["normal", "normal", "on"]
