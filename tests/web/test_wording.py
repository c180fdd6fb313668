from __future__ import annotations

import time
from dataclasses import replace

import pytest

from kb.model import Author
from kb.web import wording
from tests.making import article


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    unnamed = replace(article(), newspaper=None)

    assert wording.date(None) == "缺发布日期"
    assert wording.newspaper(unnamed) == "未注明报纸（来源 sample）"
    assert wording.newspaper(replace(unnamed, source="files")) == "未注明报纸"
    assert wording.names(()) == "未署名"
    assert wording.edition(None) == ""


def test_names_share_the_role_they_have_in_common() -> None:
    authors = (Author("王小明", "记者"), Author("李见山", "记者"), Author("张青", "通讯员"))

    assert wording.byline(authors) == "记者 王小明、李见山 通讯员 张青"
    assert wording.names(authors) == "王小明、李见山、张青"


def test_an_edition_page_is_its_label_with_版_and_its_name() -> None:
    assert wording.edition("07", "理论") == "07版 理论"
    assert wording.edition("A01") == "A01版"


def test_a_moment_is_told_by_the_clock_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    told = wording.moment("2026-11-22T16:10:00Z")
    monkeypatch.undo()
    time.tzset()

    assert told == "2026-11-23 00:10"


def test_numbers_are_written_for_people() -> None:
    assert wording.number(12430) == "12,430"
    assert wording.seconds(3.2) == "0.01"
    assert wording.seconds(1234) == "1.23"
    assert wording.length(1873).replace("\u00a0", " ") == "约 1,900 字"
    assert wording.length(82).replace("\u00a0", " ") == "82 字"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 Chrome/109.0.0.0 Safari/537.36", "Chrome 109 · Windows 7"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/120.0 Safari/537.36 Edg/120.0.1", "Edge 120 · Windows 10"),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/110.0 Safari/537.36 Qaxbrowser/1.1", "奇安信浏览器 1 · Linux"),
        ("Mozilla/5.0 (Linux; Android 12) Chrome/107.0 MicroMessenger/8.0", "微信 8 · Android"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("x" * 200, "x" * 40),
        ("", "不明设备"),
    ],
)  # fmt: skip
def test_a_device_is_called_what_people_call_it(said: str, words: str) -> None:
    assert wording.device(said) == words
