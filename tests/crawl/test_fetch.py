from __future__ import annotations

import gzip
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3.util.connection
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.crawl.address import Address, read, read_mirrors
from kb.crawl.fetch import Fetcher, Response, is_page
from kb.errors import FetchError
from tests.crawl.serving import Script, answer, serving, slowly

SITE = "https://szb.example.cn"
PAGE = "<html><title>清河日报</title><p>正文</p></html>".encode()
TLS = Path(__file__).parent / "tls"


def fetcher(base: str, **changes: Any) -> Fetcher:
    """A fetcher of SITE that finds it at `base`."""
    limits: dict[str, Any] = {"deadline_seconds": 5.0, "wire_bytes": 200_000, "decoded_bytes": 400_000}
    return Fetcher(("szb.example.cn",), mirrors=read_mirrors(f"{SITE}={base}"), **(limits | changes))


def get(script: Script, path: str = "/1.htm", **changes: Any) -> Response:
    with serving(script) as served:
        return fetcher(served.base, **changes).get(SITE + path)


def refusal(script: Script, **changes: Any) -> str:
    """The key of the error that fetching ends with."""
    with pytest.raises(FetchError) as caught:
        get(script, **changes)
    return caught.value.key


def always(data: bytes) -> Script:
    return lambda _head: [data]


# --- what comes back ------------------------------------------------------------------------------------


def test_a_page_comes_back_with_what_a_later_parse_needs() -> None:
    response = get(always(answer(PAGE, 'ETag: "v1"', "Last-Modified: Fri, 01 Mar 2024 00:00:00 GMT")))

    assert response.body == PAGE
    assert (response.url, response.status) == (f"{SITE}/1.htm", 200)
    assert response.content_type == "text/html; charset=utf-8"
    assert (response.etag, response.last_modified) == ('"v1"', "Fri, 01 Mar 2024 00:00:00 GMT")


def test_a_request_says_who_asks_and_carries_no_cookie() -> None:
    with serving(always(answer(PAGE, "Set-Cookie: id=1"))) as served:
        ours = fetcher(served.base)
        ours.get(SITE + "/1.htm?a=1")
        ours.get(SITE + "/2.htm")

    assert served.requests[0].startswith(b"GET /1.htm?a=1 HTTP/1.1\r\n")
    assert b"User-Agent: kb\r\n" in served.requests[0]
    assert b"Accept-Encoding: gzip\r\n" in served.requests[0]
    assert b"cookie" not in served.requests[1].lower()


def test_a_known_page_is_asked_for_conditionally() -> None:
    with serving(always(answer(status="304 Not Modified", length=False))) as served:
        response = fetcher(served.base).get(
            SITE + "/1.htm", etag='"v1"', last_modified="Fri, 01 Mar 2024 00:00:00 GMT"
        )

    assert (response.status, response.body) == (304, b"")
    assert b'If-None-Match: "v1"\r\n' in served.requests[0]
    assert b"If-Modified-Since: Fri, 01 Mar 2024 00:00:00 GMT\r\n" in served.requests[0]


def test_a_304_to_a_plain_request_is_an_error() -> None:
    assert refusal(always(answer(status="304 Not Modified", length=False))) == "fetch.status"


@pytest.mark.parametrize(
    "status", ["404 Not Found", "500 Oops", "206 Partial Content", "204 No Content", "302 Found"]
)
def test_any_other_status_is_an_error_that_carries_it(status: str) -> None:
    with pytest.raises(FetchError) as caught:
        get(always(answer(PAGE, status=status)))

    assert caught.value.key == "fetch.status"
    assert caught.value.facts["status"] == int(status[:3])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("Retry-After: 120", 120.0),
        ("Retry-After: Fri, 01 Mar 2024 00:00:00 GMT", 0.0),
        ("Retry-After: soon", None),
        ("Retry-After: -5", None),
        ("Retry-After: 999999999999999", 999999999.0),
        ("X: y", None),
    ],
)
def test_retry_after_is_read_as_seconds(header: str, seconds: float | None) -> None:
    with pytest.raises(FetchError) as caught:
        get(always(answer(b"", header, status="429 Too Many Requests")))

    assert caught.value.facts["retry_after"] == seconds


def test_a_retry_after_date_counts_from_now() -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    with pytest.raises(FetchError) as caught:
        get(always(answer(b"", f"Retry-After: {later}", status="503 Busy")))

    assert 3500 < float(str(caught.value.facts["retry_after"])) <= 3600


# --- size -----------------------------------------------------------------------------------------------


def test_gzip_is_unpacked_and_members_follow_each_other() -> None:
    body = gzip.compress(PAGE) + gzip.compress(b"<p>2</p>") + b"\x00\x00"

    assert get(always(answer(body, "Content-Encoding: gzip"))).body == PAGE + b"<p>2</p>"


def test_a_gzip_bomb_is_seen_before_it_grows() -> None:
    bomb = gzip.compress(b"<p>" + b"a" * 60_000_000)
    assert len(bomb) < 100_000
    with serving(always(answer(bomb, "Content-Encoding: gzip"))) as served:
        ours = fetcher(served.base)
        tracemalloc.start()
        with pytest.raises(FetchError) as caught:
            ours.get(SITE + "/1.htm")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert caught.value.key == "fetch.too_large"
    assert peak < 4_000_000


@pytest.mark.parametrize(
    "encoding", ["gzip, gzip", "br", "deflate", "zstd", "compress", "gzip\r\nContent-Encoding: gzip"]
)
def test_other_and_multiple_encodings_are_refused(encoding: str) -> None:
    body = gzip.compress(gzip.compress(PAGE))

    assert refusal(always(answer(body, f"Content-Encoding: {encoding}"))) == "fetch.encoding"


@pytest.mark.parametrize("body", [gzip.compress(PAGE, mtime=0)[:-9], b"no gzip at all", b"\x1f\x8b\x08", b""])
def test_damaged_gzip_is_an_error_not_half_a_page(body: bytes) -> None:
    assert refusal(always(answer(body, "Content-Encoding: gzip"))) == "fetch.broken"


def test_a_body_announced_too_large_is_not_read() -> None:
    assert refusal(always(answer(b"", "Content-Length: 10000000000", length=False))) == "fetch.too_large"


def endless(start: bytes, piece: bytes) -> Script:
    def script(_head: bytes) -> Iterable[bytes]:
        yield start
        while True:
            yield piece

    return script


CHUNKED = answer(b"", "Transfer-Encoding: chunked", length=False)


@pytest.mark.parametrize(
    "script",
    [
        endless(answer(b"", length=False), b"a" * 10_000),
        endless(CHUNKED, b"2710\r\n" + b"a" * 10_000 + b"\r\n"),
        endless(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" * 500),
    ],
    ids=["body", "chunks", "interim answers"],
)
def test_an_endless_answer_ends_at_the_cap(script: Script) -> None:
    assert refusal(script) in ("fetch.too_large", "fetch.broken")


@pytest.mark.parametrize(
    "script",
    [
        endless(b"HTTP/1.1 200 OK\r\n", b"X-Header: 1\r\n"),
        endless(b"HTTP/1.1 200 OK\r\nX: ", b"a" * 10_000),
        endless(b"", b"a" * 10_000),
        endless(CHUNKED, b"1" * 10_000),
        endless(CHUNKED + b"0\r\n", b"Trailer: 1\r\n" * 1000),
    ],
    ids=["headers", "one header", "status line", "chunk line", "trailers"],
)
def test_an_endless_head_or_frame_is_given_up(script: Script) -> None:
    assert refusal(script) in ("fetch.broken", "fetch.too_large")


@pytest.mark.parametrize(
    "data",
    [
        answer(PAGE, f"Content-Length: {len(PAGE) + 1}", length=False),
        answer(PAGE, "Content-Length: -1", length=False),
        answer(PAGE, "Content-Length: x", length=False),
        answer(PAGE, "Content-Length: 1", f"Content-Length: {len(PAGE)}", length=False),
        CHUNKED + b"4\r\nabcd\r\n",
        CHUNKED + b"zz\r\nabcd\r\n",
        CHUNKED + b"ff\r\nabcd",
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200\r\nbroken",
    ],
    ids="short negative word two cut-chunks bad-size cut-chunk empty garbage cut-head".split(),
)
def test_an_answer_that_breaks_its_word_is_never_a_page(data: bytes) -> None:
    assert refusal(always(data)) == "fetch.broken"


# --- time -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
        answer(PAGE),
        answer(b"", "Set-Cookie: " + "a" * 100),
    ],
    ids=["head", "body", "long header"],
)
def test_a_byte_now_and_then_does_not_hold_a_fetch_past_its_deadline(data: bytes) -> None:
    started = time.monotonic()

    assert refusal(lambda _head: slowly(data, 0.05), deadline_seconds=0.4) == "fetch.timeout"
    assert time.monotonic() - started < 1.0


def test_a_server_that_says_nothing_is_left_at_the_deadline() -> None:
    def silence(_head: bytes) -> Iterable[bytes]:
        time.sleep(2.0)
        yield b""

    started = time.monotonic()

    assert refusal(silence, deadline_seconds=0.3) == "fetch.timeout"
    assert time.monotonic() - started < 1.0


def test_redirects_share_one_deadline() -> None:
    def slow_redirect(_head: bytes) -> Iterable[bytes]:
        time.sleep(0.2)
        yield answer(b"", "Location: /next", status="302 Found")

    started = time.monotonic()

    assert refusal(slow_redirect, deadline_seconds=0.5) == "fetch.timeout"
    assert time.monotonic() - started < 1.0


# --- redirects ------------------------------------------------------------------------------------------


def redirecting(steps: dict[str, str], status: str = "302 Found") -> Script:
    def script(head: bytes) -> Iterable[bytes]:
        path = head.split(b" ")[1].decode()
        yield answer(b"", f"Location: {steps[path]}", status=status) if path in steps else answer(PAGE)

    return script


def test_a_redirect_within_the_source_is_followed_and_its_end_is_told() -> None:
    assert get(redirecting({"/1.htm": "b/2.htm", "/b/2.htm": f"{SITE}/3.htm"})).url == f"{SITE}/3.htm"


def test_a_mirror_that_redirects_to_itself_stays_the_original() -> None:
    with serving(lambda head: redirecting({"/1.htm": served.base + "/2.htm"})(head)) as served:
        response = fetcher(served.base).get(SITE + "/1.htm")

    assert response.url == f"{SITE}/2.htm"


def test_a_location_in_raw_chinese_bytes_is_understood() -> None:
    location = "/第一版.htm".encode("gb18030")
    data = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"

    def script(head: bytes) -> Iterable[bytes]:
        yield data if b"GET /1.htm" in head else answer(PAGE)

    assert get(script).url == f"{SITE}/%E7%AC%AC%E4%B8%80%E7%89%88.htm"


@pytest.mark.parametrize(
    ("location", "key"),
    [
        ("/1.htm", "fetch.redirects"),
        ("file:///etc/passwd", "fetch.scheme"),
        ("gopher://szb.example.cn/", "fetch.scheme"),
        ("data:text/html,x", "fetch.scheme"),
        ("https://other.example/", "fetch.out_of_scope"),
        ("https://127.0.0.1/", "fetch.out_of_scope"),
        ("https://169.254.169.254/latest/meta-data/", "fetch.out_of_scope"),
        ("https://szb.example.cn:8443/", "fetch.out_of_scope"),
        ("http://szb.example.cn/1.htm", "fetch.downgrade"),
        ("https://a@szb.example.cn/", "fetch.bad_url"),
        ("https://szb.example.cn\\@127.0.0.1/", "fetch.bad_url"),
    ],
)
def test_a_redirect_that_leads_astray_is_not_followed(location: str, key: str) -> None:
    with serving(redirecting({"/1.htm": location})) as served, pytest.raises(FetchError) as caught:
        fetcher(served.base).get(SITE + "/1.htm")

    assert caught.value.key == key
    assert len(served.requests) == (6 if key == "fetch.redirects" else 1)


def test_every_hop_is_announced_before_it_is_made() -> None:
    hops: list[str] = []

    def before_hop(address: Address) -> None:
        hops.append(address.url)
        if address.target == "/3.htm":
            raise FetchError("fetch.robots", url=address.url)

    with serving(redirecting({"/1.htm": "/2.htm", "/2.htm": "/3.htm"})) as served, pytest.raises(FetchError):
        fetcher(served.base).get(SITE + "/1.htm", before_hop=before_hop)

    assert hops == [f"{SITE}/{number}.htm" for number in (1, 2, 3)]
    assert len(served.requests) == 2


# --- the guard ------------------------------------------------------------------------------------------


class Spy:
    """Stands in for the network: notes where connections go and leads them to a local port."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
        self.connected: list[tuple[str, int]] = []
        self._port = port
        monkeypatch.setattr(urllib3.util.connection, "create_connection", self._connect)

    def _connect(self, address: tuple[str, int], timeout: Any = None, **_more: Any) -> socket.socket:
        self.connected.append(address)
        return socket.create_connection(("127.0.0.1", self._port), timeout)


def public(*ips: str) -> Callable[[str, int, float], list[str]]:
    return lambda _host, _port, _seconds: list(ips)


def test_the_checked_address_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the name is asked for once; the second answer, this machine, is never used."""
    answers = iter([["202.108.22.5"], ["127.0.0.1"]])
    with serving(always(answer(PAGE))) as served:
        spy = Spy(monkeypatch, served.port)
        ours = Fetcher(("szb.example.cn",), resolve=lambda *_args: next(answers))
        body = ours.get("http://szb.example.cn/1.htm").body

    assert body == PAGE
    assert spy.connected == [("202.108.22.5", 80)]
    assert b"Host: szb.example.cn\r\n" in served.requests[0]


def test_a_second_hop_is_resolved_and_checked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([["202.108.22.5"], ["127.0.0.1"]])
    with serving(redirecting({"/1.htm": "/2.htm"})) as served:
        spy = Spy(monkeypatch, served.port)
        with pytest.raises(FetchError) as caught:
            Fetcher(("szb.example.cn",), resolve=lambda *_args: next(answers)).get(
                "http://szb.example.cn/1.htm"
            )

    assert caught.value.key == "fetch.blocked_address"
    assert spy.connected == [("202.108.22.5", 80)]


@pytest.mark.parametrize(
    "ips",
    [
        ("127.0.0.1",),
        ("202.108.22.5", "127.0.0.1"),
        ("202.108.22.5", "::1"),
        ("100.100.100.200",),
        ("::ffff:8.8.8.8",),
    ],
)
def test_one_refused_address_refuses_the_host(ips: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy(monkeypatch, 9)
    with pytest.raises(FetchError) as caught:
        Fetcher(("szb.example.cn",), resolve=public(*ips)).get("http://szb.example.cn/")

    assert caught.value.key == "fetch.blocked_address"
    assert spy.connected == []


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "127.1", "[::1]", "0x7f000001", "0"])
def test_this_machine_is_out_of_reach_even_when_a_source_names_it(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy(monkeypatch, 9)
    with pytest.raises(FetchError) as caught:
        Fetcher((host,)).get(f"http://{host}/")

    assert caught.value.key == "fetch.blocked_address"
    assert spy.connected == []


def test_the_name_of_this_machine_is_never_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the resolver knows localhost it is a refused address, elsewhere an unknown host."""
    spy = Spy(monkeypatch, 9)
    with pytest.raises(FetchError) as caught:
        Fetcher(("localhost",)).get("http://localhost/")

    assert caught.value.key in ("fetch.blocked_address", "fetch.no_host")
    assert spy.connected == []


def test_a_mirror_opens_its_own_port_only() -> None:
    """The operator's word for one address and port is no word for another port of that machine."""
    with serving(always(answer(PAGE))) as served:
        ours = Fetcher(("szb.example.cn", "127.0.0.1"), mirrors=read_mirrors(f"{SITE}={served.base}"))
        for url in (f"{served.base}/1.htm", "http://127.0.0.1/1.htm"):
            with pytest.raises(FetchError):
                ours.get(url)

    assert served.requests == []


def test_the_next_address_is_tried_when_one_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(always(answer(PAGE))) as served:
        spy = Spy(monkeypatch, served.port)
        connect = spy._connect

        def first_fails(address: tuple[str, int], timeout: Any = None, **more: Any) -> socket.socket:
            if address[0] == "2400:3200::1":
                raise OSError("Network is unreachable")
            return connect(address, timeout, **more)

        monkeypatch.setattr(urllib3.util.connection, "create_connection", first_fails)
        ours = Fetcher(("szb.example.cn",), resolve=public("2400:3200::1", "202.108.22.5"))

        assert ours.get("http://szb.example.cn/1.htm").body == PAGE


def test_a_host_that_refuses_connections_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(FetchError) as caught:
        fetcher(f"http://127.0.0.1:{port}").get(SITE + "/1.htm")

    assert caught.value.key == "fetch.unreachable"


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert get(always(answer(PAGE))).body == PAGE


# --- TLS ------------------------------------------------------------------------------------------------


def tls_get(certificate: str, name: str, monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "ca.pem"))
    with serving(always(answer(PAGE)), str(TLS / certificate)) as served:
        Spy(monkeypatch, served.port)
        return Fetcher((name,), resolve=public("202.108.22.5")).get(f"https://{name}/").body


def test_tls_is_checked_against_the_name_although_the_address_is_pinned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert tls_get("good.pem", "tls.example", monkeypatch) == PAGE


@pytest.mark.parametrize(
    ("certificate", "name"),
    [("good.pem", "other.example"), ("expired.pem", "tls.example"), ("self-signed.pem", "tls.example")],
)
def test_a_certificate_that_is_not_right_ends_the_fetch(
    certificate: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FetchError) as caught:
        tls_get(certificate, name, monkeypatch)

    assert caught.value.key == "fetch.tls"


def test_a_server_without_tls_is_no_https_server(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(always(answer(PAGE))) as served:
        Spy(monkeypatch, served.port)
        with pytest.raises(FetchError) as caught:
            Fetcher(("tls.example",), resolve=public("202.108.22.5"), deadline_seconds=1.0).get(
                "https://tls.example/"
            )

    assert caught.value.key in ("fetch.tls", "fetch.unreachable")


# --- what a page is -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html; charset=gb2312", PAGE),
        ("TEXT/HTML", PAGE),
        ("text/plain", b"x"),
        ("application/xhtml+xml", PAGE),
        ("application/xml", b"<a/>"),
        ("", PAGE),
        ("application/octet-stream", b"\n <link/>\n<li>"),
        ("application/octet-stream", b"\xef\xbb\xbf<html>"),
        ("text/html; charset=utf-16", "<html>".encode("utf-16-le")),
        ("text/html", "<html>".encode("utf-16")),
        ("text/html", b""),
    ],
)
def test_text_and_markup_are_pages(content_type: str, body: bytes) -> None:
    assert is_page(content_type, body)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html", b"%PDF-1.7"),
        ("text/html", b"PK\x03\x04"),
        ("text/html", b"\x89PNG\r\n"),
        ("text/html", b"a\x00b"),
        ("text/html", gzip.compress(PAGE, mtime=0)),
        ("application/pdf", b"x"),
        ("image/jpeg", PAGE),
        ("application/octet-stream", b"MZ\x90"),
        ("", b"plain words"),
        ("application/json", b"{}"),
    ],
)
def test_other_formats_are_no_pages(content_type: str, body: bytes) -> None:
    assert not is_page(content_type, body)


@given(st.text(max_size=40), st.binary(max_size=200))
def test_asking_whether_something_is_a_page_never_fails(content_type: str, body: bytes) -> None:
    assert is_page(content_type, body) in (True, False)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", CHUNKED, answer(b"", length=False)]),
)
def test_whatever_a_server_sends_ends_in_a_page_or_a_fetch_error(data: bytes, head: bytes) -> None:
    try:
        response = get(always(head + data), deadline_seconds=1.0)
    except FetchError:
        return

    assert response.status == 200


def test_robots_are_read_up_to_a_number_of_bytes() -> None:
    body = b"User-agent: *\n" * 100_000
    with serving(always(answer(body))) as served:
        status, first = fetcher(served.base).get_robots(read(SITE + "/robots.txt"), first_bytes=5_000)

    assert (status, first) == (200, body[:5_000])
