"""Nothing that is sent to kb leads a browser elsewhere, puts kb into another site's frame or reaches a file beside the pages."""

from __future__ import annotations

from urllib.parse import quote, urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from werkzeug.test import TestResponse

from kb.web.library import library_of
from tests.web.people import post, signed_in

HERE = "http://localhost/"
PATHS = (
    "//evil.example", "//evil.example/", "///evil.example", "////evil.example", "/\\evil.example", "\\\\evil.example",
    "/\\/evil.example", "\\/\\/evil.example", "/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "/%09/evil.example",
    "/%0a/evil.example", "/%0d%0aLocation:%20https://evil.example", "/%2f/evil.example", "/%2f%2fevil.example",
    "/%5cevil.example", "/%5c%5cevil.example", "/.//evil.example", "/..//evil.example", "/a/..//evil.example",
    "/search/..%2f..%2f/evil.example", "/;@evil.example", "//evil.example%2f..", "//evil.example\\@localhost",
    "//localhost@evil.example", "//localhost:80@evil.example", "//evil.example#localhost", "//evil.example?localhost",
    "//[::1]", "//0x7f.1", "//evil。example", "／／evil.example", "/／evil.example", "//ⓔvil.example", "/\u200b/evil.example",
    "/\u2028/evil.example", "/\ufeff/evil.example", "//%65vil.example",
)  # fmt: skip
ADDRESSES = (
    "https://evil.example", "http://evil.example", "HTTPS://evil.example", "https:evil.example", "https:/evil.example",
    "https:///evil.example", "https:\\\\evil.example", "https://localhost.evil.example", "https://localhost@evil.example",
    "https://evil.example/localhost", " https://evil.example", "\thttps://evil.example", "\x00https://evil.example",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,<script>alert(1)</script>",
    "vbscript:x", "file:///etc/passwd", "ftp://evil.example", "mailto:a@evil.example", "blob:https://evil.example/x",
    "view-source:https://evil.example", "evil.example", "www.evil.example/", "@evil.example", ":80", "?next=//evil.example",
    "#//evil.example", "x" * 10_000,
)  # fmt: skip
HOSTILE = (*PATHS, *ADDRESSES)


def stays(location: str) -> bool:
    """Whether a browser that is here stays here: it drops tabs and line ends, and takes \\ for /."""
    as_browsers_do = "".join(one for one in location if one not in "\t\r\n").strip(" \x00").replace("\\", "/")
    target = urlsplit(urljoin(HERE, as_browsers_do))
    return target.scheme == "http" and target.netloc == "localhost" and not as_browsers_do.startswith("//")


def as_wsgi(path: str) -> str:
    return path.encode().decode("latin-1")


def leads(response: TestResponse) -> str:
    """Where an answer sends a browser; "/" when nowhere."""
    assert response.status_code < 500, response.status
    return response.headers.get("Location", "/")


@pytest.fixture(scope="module")
def reader(app: Flask) -> FlaskClient:
    return signed_in(app)


def test_there_are_many_forms_of_an_address_elsewhere() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 60
    assert not any(
        map(stays, ("//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example"))
    )
    assert stays("/search?q=a") and stays("/")


@pytest.mark.parametrize("target", HOSTILE, ids=range(len(HOSTILE)))
def test_a_way_back_never_leads_elsewhere(app: Flask, reader: FlaskClient, target: str) -> None:
    nobody = app.test_client()
    form = html.document_fromstring(nobody.get("/login", query_string={"next": target}).text)
    kept = form.xpath("//input[@name='next']/@value")
    ways = [
        leads(reader.get("/login", query_string={"next": target})),
        leads(post(reader, "/login", {"name": "nobody", "password": "wrong", "next": target})),
        leads(post(nobody, "/display", {"size": "large", "next": target})),
        leads(post(reader, "/password", {"present": "wrong", "next": target})),
        *kept,
    ]

    assert all(map(stays, ways)), ways
    assert kept


@pytest.mark.parametrize("path", PATHS, ids=range(len(PATHS)))
def test_a_path_never_leads_elsewhere(app: Flask, path: str) -> None:
    """Servers like to tidy up a path, and then send a browser to //evil.example."""
    for sent in (path, f"{path}/", quote(path, safe="/%\\?#@:;[].")):
        response = app.test_client().get(HERE, environ_overrides={"PATH_INFO": as_wsgi(sent)})
        assert stays(leads(response)) and "evil" not in urlsplit(leads(response)).netloc


@pytest.mark.parametrize(
    "name", ["Host", "X-Forwarded-Host", "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "Forwarded"]
)
def test_no_header_changes_where_an_answer_leads(app: Flask, name: str) -> None:
    headers = {name: "host=evil.example" if name == "Forwarded" else "evil.example"}
    client = signed_in(app)
    for url in ("/login?next=/search", "/search?q=党建&within=业务", "/me", "/", "/nope"):
        response = client.get(url, headers=headers)
        assert leads(response).startswith("/") and "evil.example" not in response.text


def test_no_other_site_puts_a_page_into_a_frame(app: Flask) -> None:
    admin = signed_in(app, "admin")
    for url in ("/", "/login", "/me", "/admin/users", "/nope", "/static/base.css"):
        headers = admin.get(url, buffered=True).headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    "folder", ["/static", "/help", "/papers", "/papers/云岭日报", "/a", "/admin/runs/failed"]
)
def test_no_path_reaches_a_file_beside_the_pages(app: Flask, folder: str) -> None:
    secret = library_of(app).settings.data.resolve() / "secret_key"
    assert secret.exists()
    key = secret.read_bytes()
    admin = signed_in(app, "admin")
    for way in (
        "../secret_key", "..%2fsecret_key", "%2e%2e/secret_key", "..\\secret_key", "....//secret_key", "%2e%2e%2fsecret_key",
        "..%252fsecret_key", "%252e%252e%252fsecret_key", "..%c0%afsecret_key", "..;/secret_key", f"/{secret}", f"%2f{secret}",
        "../../../../../../etc/passwd", "..%2f..%2f..%2f..%2fetc%2fpasswd", "/etc/passwd", "file:///etc/passwd", "../base.html",
        "..%00.css", "secret_key%00.css", "~root", "C:\\windows\\win.ini", "../kb/config.py", "../docs/operations", ".", "..",
    ):  # fmt: skip
        response = admin.get(f"{folder}/{way}", buffered=True)
        assert response.status_code in (200, 303, 308, 400, 404), (way, response.status)
        assert key not in response.data and b"root:" not in response.data and b"pydantic" not in response.data
        assert response.status_code != 200 or folder in ("/help", "/papers"), way


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "DEBUG", "PROPFIND", "PUT", "DELETE"])
def test_no_method_says_what_was_sent(app: Flask, method: str) -> None:
    """TRACE would show cookies to a script that may not read them."""
    client = signed_in(app)
    for url in ("/", "/login", "/me", "/static/base.css", "/healthz"):
        response = client.open(url, method=method, headers={"X-Secret": "only-here"})
        assert response.status_code == 405
        assert "only-here" not in response.text and "sign_in=" not in response.text
