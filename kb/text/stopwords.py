"""Words that say little of what is looked for: particles, pronouns, words of a question. Pure.

They are searched for like any other; they weigh half in the ranking, and a question is not found by them alone.
"""

from __future__ import annotations

PARTICLES = "的 了 着 过 地 得 吗 呢 吧 啊 呀 么 嘛 之 者 所 等 的话"
PRONOUNS = "我 我们 我的 你 你们 您 他 她 它 他们 她们 自己 其 别人 人家 这 这个 这些 这种 这样 那 那个 那些 某 该 此"
QUESTIONS = (
    "怎么 怎么办 怎样 怎么样 如何 什么 什么样 为什么 哪 哪些 哪个 哪里 哪种 哪儿 谁 多少 几 几个 何 何时 是否 能否 可否 "
    "请 请问 有没有 是不是 能不能 会不会 可不可以 怎 咋 啥 多久 多长 多长时间"
)
LINKS = (
    "是 不是 在 有 没有 没 不 未 无 非 和 与 及 或 而 也 都 就 还 又 再 才 只 只有 只要 已 已经 正在 被 把 让 给 对 对于 关于 有关 "
    "从 向 由 于 以 按 按照 依照 根据 跟 同 比 为 为了 因 因为 所以 但 但是 如果 若 那么 算 算是"
)
ABILITIES = "能 能够 可以 不能 会 要 应 应该 应当 需 需要 必须 用"
MEASURES = "一个 一种 一些 一下 上 下 中 里 后 前 时 时候 情况 情况下 很 太 更 最 非常 比较"
STOPWORDS = frozenset(" ".join((PARTICLES, PRONOUNS, QUESTIONS, LINKS, ABILITIES, MEASURES)).split())
