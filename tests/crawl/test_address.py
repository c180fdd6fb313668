from __future__ import annotations

import socket
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.crawl.address import (
    canonical,
    from_mirror,
    in_scope,
    is_public,
    join,
    read,
    read_mirrors,
    resolve,
    to_mirror,
)
from kb.errors import ConfigError, FetchError

REFUSED = [
    ("http://good.gov.cn\\@127.0.0.1/", "fetch.bad_url"),
    ("http://[::1]evil/", "fetch.bad_url"),
    ("http://user@good.gov.cn/", "fetch.bad_url"),
    ("http://user:secret@good.gov.cn/", "fetch.bad_url"),
    ("http://good.gov.cn@127.0.0.1/", "fetch.bad_url"),
    ("http://good.gov.cn:80@127.0.0.1/", "fetch.bad_url"),
    ("http://@127.0.0.1/", "fetch.bad_url"),
    ("http:///etc/passwd", "fetch.bad_url"),
    ("http://", "fetch.bad_url"),
    ("http://?x", "fetch.bad_url"),
    ("http:good.gov.cn", "fetch.scheme"),
    ("//good.gov.cn/", "fetch.scheme"),
    ("/a", "fetch.scheme"),
    ("", "fetch.scheme"),
    ("file:///etc/hostname", "fetch.scheme"),
    ("file://tv.cctv.com/etc/passwd", "fetch.scheme"),
    ("ftp://good.gov.cn/", "fetch.scheme"),
    ("gopher://127.0.0.1:70/_x", "fetch.scheme"),
    ("data:text/html,x", "fetch.scheme"),
    ("javascript:alert(1)", "fetch.scheme"),
    ("jar:http://good.gov.cn!/", "fetch.scheme"),
    ("http://good.gov.cn/a b", "fetch.bad_url"),
    ("http://good.gov.cn/a\tb", "fetch.bad_url"),
    ("http://good.gov.cn/a\r\nHost: x", "fetch.bad_url"),
    ("http://good.gov.cn/\x00", "fetch.bad_url"),
    ("http://good .gov.cn/", "fetch.bad_url"),
    ("http://good.gov.cn:0/", "fetch.bad_url"),
    ("http://good.gov.cn:99999/", "fetch.bad_url"),
    ("http://good.gov.cn:-1/", "fetch.bad_url"),
    ("http://good.gov.cn:80:80/", "fetch.bad_url"),
    ("http://[fe80::1%25eth0]/", "fetch.bad_url"),
    ("http://[::1/", "fetch.bad_url"),
    ("http://good.gov.cn%2f.evil.example/", "fetch.bad_url"),
    ("http://good.gov.cn%00/", "fetch.bad_url"),
    ("http://good.gov.cn/" + "a" * 2048, "fetch.bad_url"),
]


@pytest.mark.parametrize(("url", "key"), REFUSED)
def test_an_address_that_two_parsers_could_read_differently_is_refused(url: str, key: str) -> None:
    with pytest.raises(FetchError) as caught:
        read(url)

    assert caught.value.key == key


@given(st.text(max_size=80), st.text(max_size=40))
def test_reading_any_text_gives_an_address_or_a_fetch_error(head: str, tail: str) -> None:
    for url in (head, f"http://{head}/{tail}", f"https://szb.example.cn/{head}?{tail}"):
        try:
            address = read(url)
        except FetchError:
            continue
        assert read(address.url) == address


def test_an_address_is_read_into_its_parts() -> None:
    address = read("HTTPS://TV.CCTV.com/lm/xwlb/../day/20240301.shtml?a=1&b=")

    assert (address.scheme, address.host, address.port) == ("https", "tv.cctv.com", 443)
    assert address.target == "/lm/day/20240301.shtml?a=1&b="
    assert address.origin == "https://tv.cctv.com"


def test_chinese_host_names_and_paths_become_ascii() -> None:
    assert read("http://人民网.中国/要闻?词=党建").url == (
        "http://xn--gmq282eogn.xn--fiqs8s/%E8%A6%81%E9%97%BB?%E8%AF%8D=%E5%85%9A%E5%BB%BA"
    )


@pytest.mark.parametrize(
    ("url", "known_as"),
    [
        ("https://Tv.Cctv.com:443/a/./b.shtml#top", "https://tv.cctv.com/a/b.shtml"),
        ("http://szb.example.cn", "http://szb.example.cn/"),
        ("http://szb.example.cn/nw_1.htm?div=-1", "http://szb.example.cn/nw_1.htm?div=-1"),
        ("http://szb.example.cn/?b=2&a=1", "http://szb.example.cn/?b=2&a=1"),
        ("http://szb.example.cn/a?utm_source=x&id=3&spm=C.1", "http://szb.example.cn/a?id=3"),
        ("http://szb.example.cn/a;jsessionid=0A1B?x=1", "http://szb.example.cn/a?x=1"),
        (" http://szb.example.cn/第 1 版.htm ", "http://szb.example.cn/%E7%AC%AC%201%20%E7%89%88.htm"),
    ],
)
def test_a_page_is_known_under_one_form_of_its_address(url: str, known_as: str) -> None:
    assert canonical(url) == known_as
    assert canonical(known_as) == known_as


def test_a_path_that_repeats_itself_is_a_trap() -> None:
    with pytest.raises(FetchError) as caught:
        canonical("http://szb.example.cn/news/list/news/list/news/list/1.htm")

    assert caught.value.key == "fetch.trap"


def test_a_date_path_with_equal_numbers_is_no_trap() -> None:
    assert canonical("http://szb.example.cn/11/11/11/a.htm") == "http://szb.example.cn/11/11/11/a.htm"


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("node_2.htm", "https://szb.example.cn/html/node_2.htm"),
        ("../../x.htm#a", "https://szb.example.cn/x.htm"),
        ("//other.example/y", "https://other.example/y"),
        ("?p=2", "https://szb.example.cn/html/index.htm?p=2"),
    ],
)
def test_a_redirect_is_read_from_where_it_was_found(location: str, leads_to: str) -> None:
    assert join(read("https://szb.example.cn/html/index.htm"), location).url == leads_to


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "http://[::1", "\\\\127.0.0.1\\x", "http://a@127.0.0.1/"]
)
def test_a_redirect_to_what_may_not_be_read_is_refused(location: str) -> None:
    with pytest.raises(FetchError):
        join(read("https://szb.example.cn/"), location)


def test_a_source_covers_its_hosts_on_the_usual_ports_and_named_ports_only() -> None:
    hosts = ("szb.example.cn", "epaper.example.cn:8080")

    assert in_scope(read("http://szb.example.cn/"), hosts)
    assert in_scope(read("https://szb.example.cn/"), hosts)
    assert in_scope(read("http://epaper.example.cn:8080/"), hosts)
    assert not in_scope(read("http://szb.example.cn:8080/"), hosts)
    assert not in_scope(read("http://epaper.example.cn/"), hosts)
    assert not in_scope(read("http://www.szb.example.cn/"), hosts)
    assert not in_scope(read("http://szb.example.cn.evil.example/"), hosts)


@pytest.mark.parametrize(
    "ip",
    """127.0.0.1 127.1.2.3 0.0.0.0 10.0.0.1 172.16.5.4 192.168.1.1 169.254.169.254 100.64.0.1 100.100.100.200
    192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250
    240.0.0.1 255.255.255.255 ::1 :: ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b::808:808
    64:ff9b:1::1 2002:7f00:1:: 2002:808:808::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:db8::1 fc00::1
    fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 100::1 localhost 127.1 0x7f000001 2130706433 0177.0.0.1
    """.split(),
)
def test_addresses_that_are_not_the_public_internet_are_refused(ip: str) -> None:
    assert not is_public(ip)


@pytest.mark.parametrize("ip", ["8.8.8.8", "114.114.114.114", "2400:3200::1", "202.108.22.5"])
def test_public_addresses_are_allowed(ip: str) -> None:
    assert is_public(ip)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "[::1]"])
def test_every_way_to_write_this_machine_resolves_to_a_refused_address(host: str) -> None:
    found = resolve(host, 80, 5.0)

    assert found
    assert not any(is_public(ip) for ip in found)


def test_full_width_digits_reach_the_check_as_the_address_they_mean() -> None:
    assert read("http://①②⑦.⓪.⓪.①/").host == "127.0.0.1"


def test_a_resolver_that_hangs_is_left_after_the_time_given(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_args: Any, **_kwargs: Any) -> list[Any]:
        time.sleep(1.0)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    started = time.monotonic()
    with pytest.raises(FetchError) as caught:
        resolve("slow.example", 80, 0.05)

    assert caught.value.key == "fetch.no_host"
    assert time.monotonic() - started < 0.5


def test_mirrors_are_read_as_origin_and_place() -> None:
    mirrors = read_mirrors(
        "https://tv.cctv.com=http://127.0.0.1:8099, http://a.example=http://10.0.0.5/tree/ ,"
    )

    assert set(mirrors) == {"https://tv.cctv.com", "http://a.example"}
    assert to_mirror(read("https://tv.cctv.com/x?y=1"), mirrors).url == "http://127.0.0.1:8099/x?y=1"
    assert to_mirror(read("http://a.example/x"), mirrors).url == "http://10.0.0.5/tree/x"
    assert to_mirror(read("http://tv.cctv.com/x"), mirrors).url == "http://tv.cctv.com/x"


def test_what_a_mirror_names_as_its_own_is_the_original() -> None:
    mirrors = read_mirrors("https://tv.cctv.com=http://127.0.0.1:8099/tree")
    asked = read("https://tv.cctv.com/a/")

    assert (
        from_mirror(read("http://127.0.0.1:8099/tree/b/c"), asked, mirrors).url == "https://tv.cctv.com/b/c"
    )
    assert (
        from_mirror(read("http://127.0.0.1:8099/other"), asked, mirrors).url == "http://127.0.0.1:8099/other"
    )
    assert from_mirror(read("http://127.0.0.1:9/tree/b"), asked, mirrors).url == "http://127.0.0.1:9/tree/b"


@pytest.mark.parametrize(
    "text",
    [
        "tv.cctv.com=http://127.0.0.1",
        "https://tv.cctv.com",
        "https://a.example/x=http://127.0.0.1",
        "https://a.example=ftp://b",
    ],
)
def test_a_mirror_that_cannot_be_read_is_named_in_the_error(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_mirrors(text)

    assert caught.value.key == "config.bad_value"
    assert text in caught.value.words("zh")
