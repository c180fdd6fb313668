"""What can be a person's name in Chinese: surnames, compound surnames, names of minorities. Pure."""

from __future__ import annotations

import re

# The hundred surnames and those that registers add, without the ones that mostly open common words (有, 从, 能, 都 …).
SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳鲍史唐"
    "费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧肖尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪舒屈项祝"
    "董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱丘骆高夏蔡田樊胡凌霍虞万支柯昝管卢莫经房裘缪干解应宗丁宣邓郁单杭洪包诸左石崔"
    "吉钮龚程嵇邢滑裴陆荣翁荀羊惠甄曲家封芮储靳邴糜松井段富巫乌焦巴弓牧隗山谷车侯宓蓬全郗班仰秋仲伊宫宁仇栾甘钭厉戎祖武符刘景詹束龙"
    "叶幸韶郜黎蓟薄宿白怀蒲邰鄂索咸籍赖卓蔺屠蒙池乔阴胥苍闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍璩桑桂濮牛寿边扈燕冀浦尚农温庄晏柴瞿"
    "阎闫充慕连茹习宦艾鱼容向古易慎戈廖庾耿弘匡国文寇广禄阙东欧沃蔚越夔隆巩厍聂晁勾敖融冷訾辛阚那饶曾毋沙鞠丰巢关蒯查荆游竺权逯盖益桓"
    "岳帅缑亢况郈琴商牟佘佴墨哈谯笪阳佟言福覃代付邸苑冼揭隋栗但敬晋楚迟仝拜撒铁朴原海矫南鹿刀占展芦谌续綦官钦粟涂衣庹佀"
    "邝区麦莽罕郇"
)
COMPOUND_SURNAMES = frozenset(
    "欧阳 上官 司马 诸葛 皇甫 尉迟 公孙 慕容 令狐 司徒 夏侯 东方 南宫 长孙 宇文 轩辕 端木 百里 呼延 闻人 澹台 公冶 宗政 "
    "濮阳 淳于 单于 太叔 申屠 仲孙 钟离 鲜于 闾丘 独孤 拓跋 西门 万俟 赫连 梁丘 左丘 东郭 完颜 纳兰 叶赫 乐正 司空 司寇 "
    "爱新 阿史 达奚 耶律".split()
)
# Characters that transliterate names of Tibetans, Uyghurs, Mongols, Yi …
_TRANSLITERATING = frozenset(
    "阿艾埃安巴拜贝比毕别宾波伯布才曹措次达大丹旦但德登迪丁顶东都杜多恩尔法夫尕嘎甘干高格公古哈海汗浩合赫黑呼花吉加嘉江娇杰金晶久君喀卡开凯康"
    "克孔库拉郎朗勒雷里力丽利林龙隆鲁吕伦罗洛麻玛买迈曼毛梅门蒙米敏明莫木穆姆乃南尼娘努诺帕潘培平普其齐奇启强乔青曲却热仁日瑞萨赛桑色"
    "沙山尚神生什思斯松苏素索塔太坦提铁图吐托瓦万旺威维温翁乌武西喜下夏祥肖协辛雄央杨雅亚延燕耶依伊衣以义英永尤由雨玉云再增扎泽张"
    "顿列洛赤荣仓琼旦珍争正智朱孜子孙卓紫宗佐降白玛初巧娅彝么奴兰热娜妮琳珠色黛迪"
)
# Words of two to four characters that open with a surname and stand alone on lines of newspapers.
_NOT_NAMES = frozenset(
    "全文完 全媒体 全文 全面 全体 全国 全省 全市 全县 全院 党建 党课 党员 党校 党史 党务 党章 党风 党委 党组 时评 时事 时政 "
    "时间 时讯 文化 文明 文艺 文苑 文件 文摘 文汇 文学 文图 图文 言论 国际 国内 国家 国防 东方 南方 广场 广角 广告 广播 关注 关键 关于 "
    "任务 成效 成果 成就 方法 方案 方式 经验 经济 经典 应对 应用 平安 平台 高度 高层 高端 海外 海报 海量 段落 程序 计划 单位 "
    "路径 强化 强军 强国 安全 石榴 白皮书 边疆 农村 农业 农民 江山 江南 山水 水利 水平 金融 金句 别样 费用 管理 查处 "
    "史话 史料 史鉴 诸君 常识 常态 常务 常委 解读 解析 解码 解难 解说 宣传 宣讲 荣誉 惠民 干部 干警 原创 原则 原文 展望 展览 "
    "代表 代序 续写 修养 修改 区情 图表 图片 图解 图说 木兰 努力 热点 热线 热评 热议 热词 普法 卡片 封面 印象 印发 "
    "家风 家训 家庭 家教 花絮 和谐 和美 和平 乐享 乐业 明天 明德 易错 向导 古韵 温馨 温情 连线 连载 综述 计量 "
    "章程 明确 路上 席位 季度 支部 支持 方向 江河 田野 万象 万物 房产 车间 景区 龙头 叶脉 池塘 牛年 马年 龙年 寿险 商业 商务 "
    "阳光 福利 敬业 初心 初稿 南北 门诊 占比 续集 海洋 原因 那么 曾经 越来越 贡献 关爱 关怀 东南 山川 区域 "
    "习近平总 马克思 毛泽东思 公告 通知 余音 余论 余地 华章 华夏 严明 严格 严查 施工 施行 施策 何为 何以 凤凰 花开 鲁迅文 "
    "高质量 高标准 高水平 广大 安排 国法 关口 明年 那时 温暖 干净 平凡 平等 平衡 费心 成功 成长 成立 成绩".split()
)
_NEVER_INSIDE = frozenset("的了是在或被把这那哪吗呢吧啊呀们个：:，,。；;！!？?“”\"'《》（）()")
_HAN_ONLY = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]{1,12}\Z")
# 一．学习 is a heading, so a full stop stands for the dot only between longer parts.
_DOTTED = re.compile(r"[\u3400-\u9fff]{1,8}(?:(?:[·•‧・∙⋅]|(?<=..)[.．](?=..))[\u3400-\u9fff]{1,8}){1,3}\Z")
_COLUMN = re.compile(
    r".*(?:评论?|手记|调查|观察|来信|札记|感言|点评|简介|理论|观点|论坛|论道|调研|视野|探索|探讨|专栏|专版|专题|热点|关注|聚焦|看台|广角|随笔|杂谈|漫谈|纵横|之窗|园地|天地|简讯|速递|快讯|动态|"
    r"前沿|实践|思考|研究|案例|故事|人物|风采|视点|视角|声音|讲堂|课堂|导读|摘要|编者|核心|阅读|提示|链接|延伸|背景|新闻|要闻|头条|特稿|"
    r"普法|说法|学习|党建|党课|党史|法治|法制|检察|政法|综合|社会|时事|时政|副刊|文苑|文化|报告|通报|公告|通知|精神|工作|建设)\Z"
)


def is_name(text: str) -> bool:
    """Whether `text` is surely shaped like one person's name: 许剑虹, 欧阳明月, 买买提·吐尔逊, 扎西卓玛."""
    return text not in _NOT_NAMES and is_shaped_like_name(text)


def is_shaped_like_name(text: str) -> bool:
    """As is_name, but common words that open with a surname (文明, 成长) count too: a name beside others may be one."""
    if _DOTTED.match(text):
        return True
    if not 2 <= len(text) <= 6 or not _HAN_ONLY.match(text) or not _NEVER_INSIDE.isdisjoint(text[1:]):
        return False
    if len(text) <= 3 and text[0] in SURNAMES:
        return True
    if 3 <= len(text) <= 4 and text[:2] in COMPOUND_SURNAMES:
        return True
    return len(text) >= 3 and _TRANSLITERATING.issuperset(text)


def may_be_name(text: str) -> bool:
    """Whether `text` can be a name where one is expected: pen names too (木子, 言实), but no name of a column."""
    if is_name(text):
        return True
    plain = 2 <= len(text) <= 4 and _HAN_ONLY.match(text) is not None and text not in _NOT_NAMES
    return plain and _NEVER_INSIDE.isdisjoint(text) and not _COLUMN.match(text)


def split_names(text: str) -> list[str]:
    """The names that `text` is made of without marks between them: 张三李四王小五; [] when it is not.

    One name where it can be one, else the fewest names of two and three characters that each open with a surname.
    """
    if is_name(text):
        return [text]
    if not 4 <= len(text) <= 12 or not _HAN_ONLY.match(text):
        return []
    best: dict[int, list[str]] = {len(text): []}
    for start in range(len(text) - 2, -1, -1):
        rests = [
            [text[start:end], *best[end]]
            for end in (start + 3, start + 2, start + 4)
            if end in best
            and is_name(text[start:end])
            and (end - start < 4 or text[start : start + 2] in COMPOUND_SURNAMES)
        ]
        if rests:
            best[start] = min(rests, key=len)
    return best.get(0, [])
