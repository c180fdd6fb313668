"""Page furniture goes at head and tail, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.parse.boilerplate import is_foot, is_furniture, is_source_line, trim

TITLE = "基层检察机关党建工作的思考"
TEXT = "各项工作扎实推进，取得明显成效，群众给予好评。"


def strip_boilerplate(lines: Sequence[str], patterns: Iterable[str] = ()) -> tuple[list[str], list[str]]:
    """(kept, removed), both in page order."""
    trimmed = trim(lines, patterns)
    return list(trimmed.kept), [*trimmed.head, *trimmed.tail]


@pytest.mark.parametrize(
    "line",
    [
        "通版阅读请点击:",
        "上一版　下一版",
        "上一篇：关于加强作风建设的通知",
        "放大+ 缩小- 默认",
        "【字号：大 中 小】",
        "版面导航",
        "本版责编：张三",
        "打印 分享 收藏",
        "您的位置：首页 > 理论",
        "首页 >> 理论",
        "扫描二维码阅读",
        "关注青山检察公众号",
    ],
)
def test_navigation_and_tools_are_furniture(line: str):
    assert is_furniture(line)


@pytest.mark.parametrize(
    "line",
    [
        "某省互联网出版业务许可证:某新出网证字001号 某ICP备00000001号",
        "Copyright @ 2003-2023 QINGSHAN.EXAMPLE All rights reserved",
        "青山日报社主管主办 技术支持:青禾科技",
        "主管：青山县委宣传部 主办：青山日报社",
        "版权所有 青山日报社",
        "版权所有：青山日报社 未经授权不得转载。",
        "地址：青山县人民路1号 邮编：550000",
        "国内统一刊号：CN00-0000",
    ],
)
def test_licences_rights_and_addresses_are_the_foot(line: str):
    assert is_foot(line)


@pytest.mark.parametrize(
    "line",
    [
        "会上强调，注明版权所有的图片不得随意使用。",
        "三、加强技术支持",
        "分享是一种快乐",
        "返回家乡的年轻人",
        "推动主管部门履职",
        TITLE,
        TEXT,
    ],
)
def test_lines_of_an_article_are_neither(line: str):
    assert not is_furniture(line)
    assert not is_foot(line)


def test_head_and_tail_go_and_the_middle_stays():
    head = ["通版阅读请点击:", "展开通版", "当前版:07版", "发布日期:"]
    body = [TITLE, TEXT, "上一版", "版权所有 青山日报社", TEXT]
    tail = ["上一篇：无", "青山新闻", "版权所有 青山日报社", "青山大厦"]

    assert strip_boilerplate([*head, *body, *tail]) == (body, [*head, *tail])


def test_a_sentence_at_the_end_stays_whatever_it_says():
    lines = [TITLE, TEXT, "培训还讲到，网站上写着版权所有的图片不能随意使用。"]

    assert strip_boilerplate(lines) == (lines, [])


def test_a_signature_above_the_foot_stays():
    lines = [TITLE, TEXT, "青山县人民检察院", "2023年8月2日"]

    assert strip_boilerplate([*lines, "版权所有 青山日报社"]) == (lines, ["版权所有 青山日报社"])


def test_the_bare_name_of_the_newspaper_goes_only_beside_other_furniture():
    assert trim(["青山法治报", "2023年8月2日 第07版", TITLE, TEXT]).head == (
        "青山法治报",
        "2023年8月2日 第07版",
    )
    assert trim(["青山法治报", TEXT]).head == ()


def test_links_under_related_news_go_with_their_heading():
    related = ["相关新闻：", "青山县召开党建工作会议", "绿水县开展主题党日活动"]

    assert strip_boilerplate([TITLE, TEXT, *related]) == ([TITLE, TEXT], related)


def test_patterns_of_a_source_are_added():
    kept, removed = strip_boilerplate(
        ["青山云平台", TITLE, TEXT, "云上见"], patterns=("^青山云平台$", "^云上见$")
    )

    assert (kept, removed) == ([TITLE, TEXT], ["青山云平台", "云上见"])


_LINES = st.one_of(
    st.sampled_from(
        ["当前版:07版", "上一版", "版权所有", TITLE, TEXT, "（作者单位：甲院）", "■张三", "责编：李四", "……"]
    ),
    st.text(alphabet="上一版下大小：（）版权所有©。 第07", min_size=1, max_size=30),
)


@given(st.lists(_LINES, max_size=20))
def test_nothing_is_lost_and_nothing_changes_places(lines: list[str]):
    trimmed = trim(lines)

    assert [*trimmed.head, *trimmed.kept, *trimmed.tail] == lines


def test_a_line_that_names_where_the_text_was_printed_goes_from_its_end():
    assert is_source_line("《青山日报》（2023年08月02日 07版）")
    assert is_source_line("（来源：青山日报）")
    assert not is_source_line("来源：群众反映")


def test_marks_alone_are_a_divider_above_the_title_and_text_below_it():
    assert strip_boilerplate(["|", TITLE, TEXT, "……"]) == ([TITLE, TEXT, "……"], ["|"])


@pytest.mark.parametrize(
    "line",
    [
        "云岭传媒集团主管 云岭法治报社主办",
        "青山省司法厅主办",
        "制作单位：青禾网络科技有限公司",
        "Powered by QSCMS 5.0",
        "版权声明：本网所有内容，未经书面授权不得复制。",
        "电话：0851-12345678 传真：0851-87654321 邮箱：news@qs.example",
        "www.qingshan.example",
        "访问量:1234",
        "（完）",
        "END",
        "隐私政策 | 用户协议",
        "由青禾科技提供技术支持",
        "违法和不良信息举报中心",
        "微信公众号：青山发布",
        "第1234期",
        "字数：2331",
        "青山法治网",
    ],
)
def test_the_foot_is_known_with_and_without_a_unit_above_it(line: str):
    unit = "（作者单位：青山县人民检察院）"

    assert strip_boilerplate([TITLE, TEXT, unit, line]) == ([TITLE, TEXT, unit], [line])
    if line != "青山法治网":
        assert strip_boilerplate([TITLE, TEXT, line]) == ([TITLE, TEXT], [line])


def test_short_lines_behind_the_unit_go_and_names_and_markers_stay():
    unit = "（作者单位：青山县人民检察院；"
    kept = [TITLE, TEXT, unit, "绿水县人民法院）", "■王晓明", "（下转第4版）"]

    assert strip_boilerplate([*kept, "青山云", "某某出品"]) == (kept, ["青山云", "某某出品"])


@pytest.mark.parametrize(
    "line",
    [
        "主管主办单位要切实扛起政治责任,把好导向关。",
        "作者单位与稿件质量没有必然联系,但作者系统的研究会让文章更扎实。",
        "电话那头传来爽朗的笑声。",
        "未经批准，不得擅自复制涉密文件。",
    ],
)
def test_a_sentence_of_the_text_that_speaks_of_such_things_stays(line: str):
    assert strip_boilerplate([TITLE, TEXT, line, "版权所有"]) == ([TITLE, TEXT, line], ["版权所有"])


@pytest.mark.parametrize(
    "line",
    [
        "浏览次数：1234",
        "编辑：赵六",
        "点击量 33",
        "字数：2331",
        "http://www.qingshan.example/a.html",
        "分享到：微信",
        "青山晚报 2023年08月02日 第07版：理论 上一版 下一版",
    ],
)
def test_counters_editors_and_addresses_above_the_title_are_furniture(line: str):
    assert trim([line, TITLE, TEXT]).head == (line,)


def test_the_english_name_of_a_paper_belongs_to_its_masthead():
    head = ["青山日报", "QINGSHAN DAILY", "2023年8月2日 星期三"]

    assert trim([*head, TITLE, TEXT]).head == tuple(head)
    assert trim(["NBA", TEXT]).head == ()
