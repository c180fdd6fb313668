from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.crawl.address import Address, read
from kb.crawl.robots import READ_BYTES, Robots, read_rules
from kb.errors import FetchError

SITE = "https://szb.example.cn"


class Answers:
    """A site's robots.txt, and how often it was asked for."""

    def __init__(self, *answers: tuple[int, bytes] | FetchError) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.time = datetime(2026, 11, 22, tzinfo=UTC)

    def get(self, address: Address) -> tuple[int, bytes]:
        self.asked.append(address.url)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, FetchError):
            raise found
        return found

    def robots(self) -> Robots:
        return Robots(self.get, lambda: self.time)


def allowed(path: str, *answers: tuple[int, bytes] | FetchError) -> str:
    """ "yes", or the key of the refusal."""
    try:
        Answers(*answers).robots().check(read(SITE + path))
    except FetchError as error:
        return error.key
    return "yes"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 301])
def test_no_robots_txt_allows_everything(status: int) -> None:
    assert allowed("/a", (status, b"User-agent: *\nDisallow: /")) == "yes"


@pytest.mark.parametrize("status", [500, 502, 503, 599, 429])
def test_a_server_in_trouble_allows_nothing(status: int) -> None:
    assert allowed("/a", (status, b"")) == "fetch.robots_unreachable"


@pytest.mark.parametrize(
    "key", ["fetch.timeout", "fetch.unreachable", "fetch.no_host", "fetch.blocked_address"]
)
def test_a_site_that_cannot_be_asked_allows_nothing(key: str) -> None:
    facts = {"url": SITE, "host": "szb", "reason": "x", "address": "127.0.0.1"}

    assert allowed("/a", FetchError(key, **facts)) == "fetch.robots_unreachable"


def test_endless_redirects_count_as_no_robots_txt() -> None:
    assert allowed("/a", FetchError("fetch.redirects", url=SITE, limit=5)) == "yes"


RULES = b"""User-agent: *
Disallow: /private/
Disallow: /*.pdf$
Disallow: /search*?q=
Allow: /private/open.htm
"""


@pytest.mark.parametrize(
    ("path", "verdict"),
    [
        ("/a.htm", "yes"),
        ("/private/a.htm", "fetch.robots"),
        ("/private/open.htm", "yes"),
        ("/x/a.pdf", "fetch.robots"),
        ("/x/a.pdf.htm", "yes"),
        ("/search/1?q=2", "fetch.robots"),
    ],
)
def test_the_rules_are_read_as_rfc_9309_has_them(path: str, verdict: str) -> None:
    assert allowed(path, (200, RULES)) == verdict


def test_a_group_of_its_own_replaces_the_one_for_everybody() -> None:
    rules = b"User-agent: *\nDisallow: /\n\nUser-agent: KB\nDisallow: /own/\n"

    assert allowed("/a", (200, rules)) == "yes"
    assert allowed("/own/a", (200, rules)) == "fetch.robots"
    assert allowed("/a", (200, b"User-agent: kbot\nDisallow: /")) == "yes"


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbfUser-agent: *\nDisallow: /no",
        "# 本站规则\nUser-agent: *\nDisallow: /no".encode("gb18030"),
        b"User-agent: *\r\nDisallow: /no\r\n",
        b"USER-AGENT: *\nDISALLOW: /no",
        b"Crawl-delay: abc\n\x00\nUser-agent: *\nDisallow: /no",
        b"User-agent: *\n" + b"Disallow: /x\n" * 45_000 + b"Disallow: /no\n",
    ],
    ids=["bom", "gbk", "crlf", "upper case", "rubbish", "600 KB"],
)
def test_unusual_files_are_still_obeyed(body: bytes) -> None:
    assert len(body) < READ_BYTES
    assert allowed("/no/a", (200, body)) == "fetch.robots"


def test_a_page_in_place_of_rules_forbids_nothing() -> None:
    assert allowed("/a", (200, "<!DOCTYPE html><html><body>页面不存在</body></html>".encode())) == "yes"


@given(st.binary(max_size=300))
def test_reading_rules_never_fails(body: bytes) -> None:
    rules = read_rules(200, body)

    assert rules.can_fetch(SITE + "/a", "kb") in (True, False)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0.5", 0.5), ("10", 10.0), ("86400", 86400.0), ("abc", 0.0), ("-3", 0.0), ("nan", 0.0)],
)
def test_the_crawl_delay_is_read_in_seconds(value: str, seconds: float) -> None:
    robots = Answers((200, f"User-agent: *\nCrawl-delay: {value}\n".encode())).robots()

    assert robots.delay_seconds(read(SITE + "/a")) == seconds


def test_rules_are_asked_for_once_a_day_and_site() -> None:
    site = Answers((200, b""))
    robots = site.robots()
    for url in (SITE + "/a", SITE + "/b", "http://szb.example.cn/a"):
        robots.check(read(url))
    site.time += timedelta(hours=25)
    robots.check(read(SITE + "/c"))

    assert site.asked == [SITE + "/robots.txt", "http://szb.example.cn/robots.txt", SITE + "/robots.txt"]


def test_a_failed_question_is_not_remembered_as_an_answer() -> None:
    site = Answers((503, b""), (200, b""))
    robots = site.robots()
    with pytest.raises(FetchError):
        robots.check(read(SITE + "/a"))

    robots.check(read(SITE + "/a"))

    assert len(site.asked) == 2
