"""What was typed -> Query. Pure; takes what a Chinese keyboard types.

党建 业务                 words: all must match; 、 ， , ; separate as a space does
“党建和业务的关系”         a literal, in any of “” "" 「」 『』
党建 与 业务 或 检察       AND before OR; also AND OR NOT, 非, a leading minus, parentheses of both widths
标题:融合 作者:（张三 或 李四）   a field, in Chinese or English, with : or ：
日期:2023-01..2023-06     a year, a month, a day, a range of them, or 今年, 近三个月 (kb.text.ranges)
字数:>2000                a number, a range of them, or > >= < <=
专题:机关党建             what is in a topic of that name, or whose name contains it; or its slug

    query    = either { 或 either }        either = part { [与] part }
    part     = [非 | -] ( group | term )    group  = "(" query ")"        term = [field:] ( group | literal | word )
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from kb.errors import QueryError
from kb.model import And, Field, InTopic, Node, Not, Or, Phrase, Query, Word
from kb.text.normalize import fold, matching_form
from kb.text.ranges import BETWEEN, SIGN_WORDS, dates, length

CHARS_LIMIT = 200
TERMS_LIMIT = 32
DEPTH_LIMIT = 8

TEXT_FIELDS: dict[str, Field] = {
    "标题": "title", "题名": "title", "篇名": "title", "title": "title",
    "副题": "subtitle", "副标题": "subtitle", "subtitle": "subtitle",
    "作者": "author", "author": "author",
    "单位": "affiliation", "作者单位": "affiliation", "affiliation": "affiliation",
    "报纸": "newspaper", "newspaper": "newspaper",
    "来源": "source", "source": "source",
    "版次": "edition_page", "edition_page": "edition_page", "page": "edition_page",
    "版名": "edition_name", "edition_name": "edition_name", "page_name": "edition_name",
    "正文": "body", "body": "body",
    "小标题": "heading", "heading": "heading",
    "引语": "quotation", "引文": "quotation", "quotation": "quotation",
}  # fmt: skip


def _in_topic(text: str, _today: date, _place: int) -> Node:
    return InTopic(text)


VALUE_FIELDS: dict[str, Callable[[str, date, int], Node]] = {
    "日期": dates, "date": dates, "published": dates,
    "字数": length, "length": length,
    "专题": _in_topic, "topic": _in_topic,
}  # fmt: skip
OPERATORS = {"与": "and", "AND": "and", "或": "or", "OR": "or", "非": "not", "NOT": "not"}

# Left and right marks of one pair are typed for each other often enough; ”党建“ is a phrase too.
_CLOSERS = {**dict.fromkeys('“”"＂„‟', '“”"＂„‟'), "「": "」", "﹁": "﹂", "『": "』", "﹃": "﹄"}
_SEPARATORS = "、，,;；。！？!?\u3000"
_LONE_CLOSERS = "」』﹂﹄"
_OPEN, _CLOSE = "(（", ")）"
_MINUS = "-－−"
_FIELD = re.compile(r"([^\s:：“”\"＂「」『』、，,;；()（）\-－−]{2,22})\s{0,2}[:：]")
_NEXT_END = re.compile(rf"{BETWEEN.pattern}(?=\d)")
_THOUSANDS = re.compile(r",\d{3}(?!\d)")
_COMPARED = re.compile(rf"\s*(?:[<>＜＞≤≥]\s*=?|{SIGN_WORDS})\s*")


@dataclass(frozen=True, slots=True)
class _Token:
    """kind: word | phrase | field | open | close | and | or | not | value."""

    kind: str
    text: str
    at: int  # place in what was typed
    end: int


def parse(text: str, today: date) -> Query:
    """The query in a text; `today` is what 今年 is reckoned from.

    Raises QueryError for one that cannot be read: which says where (`place`, counted from 1) and why.
    """
    if len(text) > CHARS_LIMIT:
        raise QueryError("query.too_long", length=len(text), limit=CHARS_LIMIT)
    tokens = _Reader(text).tokens()
    terms = sum(token.kind in ("word", "phrase", "value") for token in tokens)
    if not tokens:
        raise QueryError("query.empty")
    if terms > TERMS_LIMIT:
        raise QueryError("query.too_many_terms", count=terms, limit=TERMS_LIMIT)
    is_strict = any(token.kind in ("and", "or", "not") for token in tokens)
    return Query(text, _Parser(tokens, today).query(), is_strict)


def topic_place(text: str) -> tuple[int, str] | None:
    """Where 专题: stands in a query that can be read, counted from 1, and how it is written there; None where it does not."""
    named = (token for token in _Reader(text).tokens() if token.kind == "field")
    found = next((one for one in named if VALUE_FIELDS.get(matching_form(one.text)) is _in_topic), None)
    return None if found is None else (found.at + 1, found.text)


def plain_words(text: str) -> str:
    """A text that cannot be read, without all that has a meaning: its words alone. May be empty."""
    words = re.split(r"[\s:：“”\"＂„‟「」『』﹁﹂﹃﹄、，,;；。！？!?()（）]+", text[:CHARS_LIMIT])
    bare = [word.lstrip(_MINUS) for word in words]
    return " ".join(
        [word for word in bare if _half_width(word) not in OPERATORS and fold(word)][:TERMS_LIMIT]
    )


# --- characters -> tokens -------------------------------------------------------------------------------------


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text

    def tokens(self) -> list[_Token]:
        found: list[_Token] = []
        at = 0
        while (at := self._skip(at)) < len(self._text):
            token = self._token(at, found[-1] if found else None)
            at = token.end
            if token.kind not in ("word", "phrase") or fold(token.text):
                found.append(token)
                continue
            while found and found[-1].kind in ("field", "not"):  # marks alone find nothing, nor does 标题:——
                found.pop()
        return found

    def _skip(self, at: int) -> int:
        """Past separators and closing marks that close nothing."""
        while at < len(self._text) and (self._is_separator(at) or self._text[at] in _LONE_CLOSERS):
            at += 1
        return at

    def _is_separator(self, at: int) -> bool:
        char = self._text[at]
        if char == "," and _THOUSANDS.match(self._text, at) and self._text[at - 1 : at].isdecimal():
            return False  # 1,000
        return char.isspace() or char in _SEPARATORS

    def _token(self, at: int, before: _Token | None) -> _Token:
        text, char = self._text, self._text[at]
        if char in _OPEN:
            return _Token("open", char, at, at + 1)
        if char in _CLOSE:
            return _Token("close", char, at, at + 1)
        if char in _CLOSERS:
            return self._phrase(at)
        if before is not None and before.kind == "field" and matching_form(before.text) in VALUE_FIELDS:
            return self._value(at)
        if (
            char in _MINUS
            and at + 1 < len(text)
            and not self._is_separator(at + 1)
            and text[at + 1] not in _MINUS
        ):
            return _Token("not", char, at, at + 1)
        if (found := _FIELD.match(text, at)) and _is_field(found[1]):
            return _Token("field", found[1], at, found.end())
        end = self._word_end(at)
        word = text[at:end]
        return _Token(OPERATORS.get(_half_width(word), "word"), word, at, end)

    def _phrase(self, at: int) -> _Token:
        closers = _CLOSERS[self._text[at]]
        for end in range(at + 1, len(self._text)):
            if self._text[end] in closers:
                return _Token("phrase", self._text[at + 1 : end], at, end + 1)
        raise QueryError("query.unclosed", mark=self._text[at], place=at + 1)

    def _value(self, at: int) -> _Token:
        """The value of 日期 or 字数: a comparison may be followed by a space, 至 stand between two."""
        compared = _COMPARED.match(self._text, at)
        end = self._word_end(compared.end() if compared else at)
        if between := _NEXT_END.match(self._text, end):
            end = self._word_end(between.end())
        return _Token("value", self._text[at:end], at, end)

    def _word_end(self, at: int) -> int:
        end = at
        while end < len(self._text) and not (
            self._is_separator(end)
            or self._text[end] in _CLOSERS
            or self._text[end] in _LONE_CLOSERS + _OPEN + _CLOSE
        ):
            end += 1
        return end


def _is_field(name: str) -> bool:
    return matching_form(name) in TEXT_FIELDS or matching_form(name) in VALUE_FIELDS


def _half_width(word: str) -> str:
    """ＡＮＤ as AND; small letters stay small, because `and` and `not` are words."""
    return "".join(chr(ord(char) - 0xFEE0) if "！" <= char <= "～" else char for char in word)


# --- tokens -> tree -------------------------------------------------------------------------------------------


class _Parser:
    """Recursive descent over the tokens; every method leaves `_at` behind what it has read."""

    def __init__(self, tokens: list[_Token], today: date) -> None:
        self._tokens = tokens
        self._today = today
        self._at = 0

    def query(self) -> Node:
        root = self._either(None, 0)
        if (token := self._next()) is not None:
            raise QueryError("query.not_open", mark=token.text, place=token.at + 1)
        return root

    def _next(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _kind(self) -> str | None:
        token = self._next()
        return token.kind if token else None

    def _either(self, field: Field | None, depth: int) -> Node:
        parts = [self._all(field, depth)]
        while self._kind() == "or":
            self._at += 1
            parts.append(self._all(field, depth))
        return _joined(Or, parts)

    def _all(self, field: Field | None, depth: int) -> Node:
        parts = [self._part(field, depth)]
        while (kind := self._kind()) not in (None, "or", "close"):
            self._at += kind == "and"
            parts.append(self._part(field, depth))
        return _joined(And, parts)

    def _part(self, field: Field | None, depth: int) -> Node:
        token = self._next()
        if token is None or token.kind in ("and", "or", "close"):
            raise self._missing(token)
        self._at += 1
        if token.kind == "not":
            return Not(self._part(field, depth))
        if token.kind == "open":
            return self._group(token, field, depth + 1)
        if token.kind == "field":
            return self._field(token, field, depth)
        if token.kind == "phrase":
            return Phrase(token.text, field)
        return Word(token.text, field)

    def _missing(self, token: _Token | None) -> QueryError:
        """An operator or a parenthesis that something must stand beside."""
        last = self._tokens[self._at - 1] if self._at else None
        if last is not None and last.kind == "field":
            return QueryError("query.no_value", name=f"{last.text}:", place=last.at + 1)
        if last is not None and last.kind == "open" and token is None:
            return QueryError("query.unclosed", mark=last.text, place=last.at + 1)
        culprit = last if token is None or (last is not None and last.kind == "open") else token
        if culprit is None:
            return QueryError("query.empty")
        return QueryError("query.no_operand", mark=culprit.text, place=culprit.at + 1)

    def _group(self, opened: _Token, field: Field | None, depth: int) -> Node:
        if depth > DEPTH_LIMIT:
            raise QueryError("query.nested_too_deep", limit=DEPTH_LIMIT, place=opened.at + 1)
        inner = self._either(field, depth)
        if self._kind() != "close":
            raise QueryError("query.unclosed", mark=opened.text, place=opened.at + 1)
        self._at += 1
        return inner

    def _field(self, token: _Token, outer: Field | None, depth: int) -> Node:
        name = matching_form(token.text)
        following = self._next()
        if following is None or following.kind in ("and", "or", "close", "field"):
            raise QueryError("query.no_value", name=f"{token.text}:", place=token.at + 1)
        if name in TEXT_FIELDS:
            if outer is not None and outer != TEXT_FIELDS[name]:
                raise QueryError("query.field_in_field", name=f"{token.text}:", place=token.at + 1)
            return self._part(TEXT_FIELDS[name], depth)
        self._at += 1
        if following.kind == "open":
            return self._values(name, following)
        if following.kind not in ("value", "phrase", "word"):
            raise QueryError("query.no_value", name=f"{token.text}:", place=token.at + 1)
        return VALUE_FIELDS[name](following.text, self._today, following.at + 1)

    def _values(self, name: str, opened: _Token) -> Node:
        """日期:(2023 或 2024): any of them."""
        parts: list[Node] = []
        while (token := self._next()) is not None:
            self._at += 1
            if token.kind == "close" and parts:
                return _joined(Or, parts)
            if token.kind in ("word", "phrase", "value"):
                parts.append(VALUE_FIELDS[name](token.text, self._today, token.at + 1))
            elif token.kind != "or":
                raise QueryError("query.no_operand", mark=token.text, place=token.at + 1)
        raise QueryError("query.unclosed", mark=opened.text, place=opened.at + 1)


def _joined(kind: type[And] | type[Or], parts: list[Node]) -> Node:
    """One node for parts of the same kind, each once."""
    flat: dict[Node, None] = {}
    for part in parts:
        flat |= dict.fromkeys(part.parts if isinstance(part, kind) else (part,))
    return next(iter(flat)) if len(flat) == 1 else kind(tuple(flat))
