"""Queries that brought stock Whoosh down, or would bring down something careless (reliability.md §4), and generated ones."""

from __future__ import annotations

import random

HOSTILE: dict[str, str] = {
    "a common word": "学习",
    "three words": "学习 党建 工作",
    "all dates": "日期:1900..2100",
    "all lengths": "字数:>0",
    "a phrase of two words": "“学习党建”",
    "the same phrase 50 times": " ".join(["“学习党建”"] * 50),
    "the same word until the cap": "学习 " * 66,
    "50 nested parentheses": "(" * 50 + "学习" + ")" * 50,
    "8 nested parentheses": "(" * 8 + "学习" + ")" * 8,
    "500 nested parentheses": "(" * 500 + "学习" + ")" * 500,
    "5,000 nested parentheses": "(" * 5000 + "学习" + ")" * 5000,
    "20,000 open parentheses": "(" * 20_000,
    "full-width parentheses that close nothing": "）" * 190,
    "2,000 times NOT": "NOT " * 2000,
    "NOT until the cap": "NOT " * 49,
    "minus signs": "-" * 199 + "学",
    "10,000 quotation marks": '"' * 10_000,
    "quotation marks until the cap": "“”" * 100,
    "an open quotation mark": "“学习",
    "a star": "*",
    "a star in a field": "正文:*",
    "a prefix": "学*",
    "a prefix of marks": "学?????",
    "a suffix": "*1",
    "stars between": "*1*2*3*",
    "marks and a star": "?" * 12 + "*",
    "30 wildcards in OR": " OR ".join(["*n*"] * 30),
    "200 stars in OR": " OR ".join(["*"] * 200),
    "a range of texts": "正文:[a TO 龥]",
    "an open range": "[学 TO]",
    "1,000 words in OR": " OR ".join(f"学{n}" for n in range(1000)),
    "10,000 words in OR": " OR ".join(["学"] * 10_000),
    "10,000 words in AND": " 与 ".join(["学"] * 10_000),
    "32 words in OR": " 或 ".join("学习党建工作推进会议支部活动主题日常思想组织作风纪律制度"[n : n + 1] for n in range(28)),
    "a phrase of 300 words": "“" + "学习 " * 300 + "”",
    "a phrase as long as may be": "“" + "学" * 198 + "”",
    "a phrase with slop": "“学习 党建”~1000",
    "20,000 characters": "词" * 20_000,
    "100,000 letters": "a" * 100_000,
    "1,000,000 letters": "a" * 1_000_000,
    "200 unknown characters": "龘" * 200,
    "200 known characters": "学习党建" * 50,
    "fuzzy words": "学习~1 党建~2 工作~3",
    "a date that is none": "日期:[x TO y]",
    "words for a date": "日期:'last tuesday of never'",
    "an unknown field": "没有的字段:学习",
    "an endless boost": "学习^1e999 党建^nan",
    "a boost": "学习^9999999999999999999",
    "a NUL": "学\x00习",
    "control characters": "".join(map(chr, range(32))) + "学习",
    "only operators": "AND OR NOT 与 或 非",
    "only a field": "标题:",
    "a field of a field": "标题:" * 40 + "学",
    "marks of both directions": "\u202e\u200f学习\u202c\u2066" * 20,
    "joined pictures": "👩\u200d👩\u200d👧" * 40,
    "marks above one letter": "a" + "\u0301" * 199,
    "a regular expression": "/(学+)+$/",
    "markup": "<script>alert(1)</script>' OR 1=1 --{{7*7}}",
}  # fmt: skip

PIECES = (
    *"()（）“”「」\"'-－*?~^/\\:：,，、；;[]{}.!&|+",
    *"学习党建工作会议支部龘a1",
    " ", "\u3000", "\t", " AND ", " OR ", " NOT ", " 与 ", " 或 ", " 非 ", "NOT", "AND", " TO ", "..", "~2", "^9", ">", "<=",
    "标题:", "作者：", "单位:", "报纸:", "正文:", "副题:", "小标题:", "引语:", "来源:", "版次:", "版名:", "日期:", "字数:", "title:", "body:",
    "2023", "2023-02-30", "2023..", "..2023-06", "近三个月", "今年", "07版", ">2000", "三会一课", "党的二十大", "主题党日", "email", "ＡＢ",
    "\x00", "\x7f", "\ufeff", "\u202e", "\u0301", "😀", "𠮷", "臺灣",
)  # fmt: skip


def generated(count: int, seed: int) -> list[str]:
    """Queries of random pieces, most within the caps, some far beyond."""
    dice = random.Random(seed)
    lengths = (1, 3, 8, 20, 60, 180, 2000)
    weights = (8, 20, 30, 20, 10, 8, 1)
    return [
        "".join(dice.choices(PIECES, k=dice.randint(1, dice.choices(lengths, weights)[0])))
        for _ in range(count)
    ]
