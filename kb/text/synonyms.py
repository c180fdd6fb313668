"""Equal names: 二十大 finds 中国共产党第二十次全国代表大会 too, and the page says so. Pure: the file is read by the use case."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from kb.errors import ConfigError
from kb.model import And, Node, Not, Or, Query, Word
from kb.text.normalize import fold

LONGEST = 40  # characters of a term
MOST_NAMES = 20  # of a group that editors add
EXPANDED = (None, "title", "body")  # fields in which a word has synonyms; a name is never another one

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

Table = Mapping[str, tuple[str, ...]]  # folded term -> its group, as written


def read(text: str) -> Table:
    """The table in the text of a synonyms.toml: `groups`, a list of lists of equal terms.

    Raises ConfigError("lexicon.bad_synonyms") for the first group that is not as it must be.
    """
    try:
        groups = tomllib.loads(text).get("groups")
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("lexicon.bad_synonyms", place="TOML", reason=error) from error
    if not isinstance(groups, list):
        raise ConfigError("lexicon.bad_synonyms", place="groups", reason="应为列表 (must be a list)")
    table: dict[str, tuple[str, ...]] = {}
    for number, group in enumerate(groups, 1):
        if (reason := _fault(group, table)) is not None:
            raise ConfigError("lexicon.bad_synonyms", place=f"groups[{number}]", reason=reason)
        table.update(dict.fromkeys(map(fold, group), tuple(group)))
    return table


def _fault(group: object, table: Table) -> str | None:
    if not isinstance(group, list) or not all(isinstance(term, str) for term in group):
        return "应为词语的列表 (must be a list of terms)"
    folded = [fold(term) for term in group]
    if len(set(folded)) < max(2, len(folded)):
        return "应有两个以上不同的词语 (needs two or more different terms)"
    for term, known in zip(group, folded, strict=True):
        if not 2 <= len(known) <= LONGEST:
            return f"{term} 的长度应为 2–{LONGEST} 字 (length must be 2–{LONGEST})"
        if known in table:
            return f"{term} 已在另一组 (is in another group)"
    return None


def groups(table: Table) -> list[tuple[str, ...]]:
    """The groups of a table, in its order."""
    return list(dict.fromkeys(table.values()))


def over(shipped: Table, own: Sequence[tuple[str, ...]], removed: Sequence[tuple[str, ...]]) -> Table:
    """The shipped groups with the library's `own` over them.

    A shipped group that is `removed`, or shares a name with one of its own, is not in force. A group of its own that is
    removed says nothing about a shipped one.
    """
    decided, off = {fold(name) for group in own for name in group}, set(removed)
    table = {
        name: group
        for name, group in shipped.items()
        if group not in off and not any(fold(one) in decided for one in group)
    }
    for group in own:
        table.update(dict.fromkeys(map(fold, group), group))
    return table


def group_fault(names: Sequence[str], table: Table) -> str | None:
    """Why names cannot be a group beside those in the table, in Chinese; None when they can."""
    if len(names) > MOST_NAMES:
        return f"一组最多 {MOST_NAMES} 个词语"
    for name in names:
        if _UNPRINTABLE.search(name) or name != name.strip():
            return f"{name.strip()!r} 含有不允许的字符"
    return _fault(list(names), table)


def expand(query: Query, table: Table) -> Query:
    """The query whose typed words find their equal names too: never phrases, names, or what is excluded."""
    return replace(query, root=_expand(query.root, table))


def _expand(node: Node, table: Table) -> Node:
    match node:
        case Word() if node.field in EXPANDED:
            return replace(node, also=_others(fold(node.text), table))
        case And() | Or():
            return replace(node, parts=tuple(_expand(part, table) for part in node.parts))
    return node


def _others(word: str, table: Table) -> tuple[str, ...]:
    """The equal names of a folded word, but for those that hold it or a shorter one: a literal finds them anyway."""
    group = [term for term in table.get(word, ()) if fold(term) != word]
    return tuple(term for term in group if not _is_held(term, [word, *map(fold, group)]))


def _is_held(term: str, others: Sequence[str]) -> bool:
    folded = fold(term)
    return any(other in folded for other in others if other != folded)


def expanded(query: Query) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What was added to which typed word, for the notice: (("二十大", ("中国共产党第二十次全国代表大会",)),)."""
    return tuple(dict.fromkeys((word.text, word.also) for word in _words(query.root) if word.also))


def _words(node: Node) -> Iterator[Word]:
    match node:
        case Word():
            yield node
        case And() | Or():
            for part in node.parts:
                yield from _words(part)
        case Not():
            yield from _words(node.part)
