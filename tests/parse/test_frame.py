"""What address, <title> and the lines around an article say of it."""

from __future__ import annotations

import pytest

from kb.parse.frame import (
    Label,
    bare_title,
    newspaper_of_line,
    newspaper_of_rights,
    newspaper_of_title,
    read_label,
    same_page,
    url_date,
    url_edition_page,
)


@pytest.mark.parametrize(
    ("path", "day"),
    [
        ("/html/2023-10/12/node_1.htm", "2023-10-12"),
        ("/pc/layout/202310/12/node_01.html", "2023-10-12"),
        ("/szrb/20231012/html/content_20231012002002.htm", "2023-10-12"),
        ("/n1/2024/0108/c1001-40154267.html", "2024-01-08"),
        ("/201904/t20190415_192308.html", "2019-04-15"),
        ("/nw.D110000renmrb_20171016_2-01.htm", "2017-10-16"),
        ("/page?date=2023-10-12", "2023-10-12"),
        ("/content/202604/28/content_30178365.html", "2026-04-28"),
        ("/content_20301011.htm", None),
        ("/2023-02-30/a.htm", None),
        ("/detail/4009-20-40.htm", None),
    ],
)
def test_the_date_of_an_address_is_read_and_never_guessed(path: str, day: str | None) -> None:
    assert url_date(f"http://szb.example{path}") == day


def test_the_edition_page_of_an_old_address_is_read() -> None:
    assert (
        url_edition_page("http://e.example/rmrb/html/2017-10/16/nw.D110000renmrb_20171016_2-01.htm") == "01"
    )


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("第07版：理论", Label("07", "理论")),
        ("第A01版：头版", Label("A01", "头版")),
        ("A01： 头版", Label("A01", "头版")),
        ("2023年10月12日 星期四 第07版", Label("07", None)),
        ("05-08版：特刊", Label("05-08", "特刊")),
        ("第05、08版", Label("05-08", None)),
        ("《青溪日报》（2026年05月21日 第 01 版）", Label("01", None)),
        ("第 07 版：理论 上一版 下一版", Label("07", "理论")),
        ("来源：青溪日报 版次：A03", Label("A03", None)),
        ("（下转第4版）", None),
        ("上一版 下一版", None),
        ("今日8版", None),
        ("19:00", None),
        ("新版本", None),
    ],
)
def test_a_label_is_the_page_that_the_line_is_on(text: str, label: Label | None) -> None:
    assert read_label(text) == label


def test_leading_zeros_do_not_make_another_page() -> None:
    assert same_page("7", "07")
    assert not same_page("A7", "07")


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("青溪县推进融合(1)_光明网", "青溪县推进融合"),
        ("深化作风建设--青溪日报数字报", "深化作风建设"),
        ("守护母亲河_党建频道_青溪网", "守护母亲河"),
        ("青溪日报 - 守护母亲河", "守护母亲河"),
        ("把支部建在链上——青溪县调查", "把支部建在链上——青溪县调查"),
        ("[视频]【新思想】推进改革", "[视频]【新思想】推进改革"),
    ],
)
def test_the_name_of_the_site_is_no_part_of_the_title(title: str, bare: str) -> None:
    assert bare_title(title) == bare


def test_a_newspaper_is_named_only_where_one_is() -> None:
    assert newspaper_of_title("打造新型传媒集团·青溪日报社数字报") == "青溪日报"
    assert newspaper_of_title("关于工作情况的通报") is None
    assert newspaper_of_line("人民日报 2017年10月16日 星期一") == "人民日报"
    assert newspaper_of_line("青溪日报记者昨日从县里获悉") is None
    assert newspaper_of_rights("青溪日报社 版权所有 未经授权禁止使用") == "青溪日报"


def test_a_newspaper_may_be_padded_inside_its_marks() -> None:
    assert newspaper_of_line("《 青石日报 》（ 2021年05月04日 02 版）") == "青石日报"
