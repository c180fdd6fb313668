"""Topics -> what an engine is told of them; 专题: in a query -> the topics that it means. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from kb.errors import QueryError
from kb.model import (
    NO_TOPICS,
    And,
    Filters,
    InTopic,
    Membership,
    Node,
    Not,
    Or,
    Page,
    Query,
    Topic,
    TopicSet,
)
from kb.query import parse
from kb.text.normalize import fold
from kb.text.synonyms import Table, expand

FACET = "topic"


class TopicRules:
    """The topics of a library with their rules read, for a day: 近三个月 is reckoned from it. Safe to share between threads.

    `former`: names that shown topics had earlier, each with the slug of the topic, as kb.store.topics.former_names gives them:
    what was saved or linked under an earlier name goes on finding the topic.
    """

    def __init__(
        self,
        topics: Sequence[Topic] = (),
        synonyms: Table | None = None,
        former: Mapping[str, str] | None = None,
    ) -> None:
        self._topics = tuple(topic for topic in topics if topic.content.state == "shown")
        self._synonyms = synonyms or {}
        self._names = {topic.slug: topic.content.name for topic in self._topics}
        present = {fold(name) for name in self._names.values()}
        self._former = {
            fold(name): self._names[slug]
            for name, slug in (former or {}).items()
            if slug in self._names and fold(name) not in present
        }
        self._read: tuple[date | None, TopicSet] = (None, NO_TOPICS)

    def on(self, today: date) -> TopicSet:
        """What each of the shown topics has; one and the same for a whole day."""
        if not self._topics:
            return NO_TOPICS
        known = self._read
        if known[0] != today:
            members = tuple(self.membership(topic, today) for topic in self._topics)
            known = self._read = today, TopicSet(members)
        return known[1]

    def called(self, names: Sequence[str]) -> list[Topic]:
        """The shown topics with these names, in their order."""
        return [topic for topic in self._topics if topic.content.name in names]

    def membership(self, topic: Topic, today: date) -> Membership:
        """What one topic has, also where it is a draft. One whose rule cannot be read any more has what is pinned."""
        content = topic.content
        try:
            root: Node | None = expand(parse(content.rule, today), self._synonyms).root
        except QueryError:
            root = None
        excluded = frozenset(one.article_id for one in content.excluded)
        return Membership(content.name, root, frozenset(content.pinned), excluded)

    def meant(self, query: Query, today: date) -> Query:
        """The query with its topics looked up."""
        found = self._meant(query.root, self.on(today).members)
        return query if found is query.root else replace(query, root=found)

    def filters(self, filters: Filters) -> Filters:
        """The filters with topics by their names, where they were chosen by slug or by an earlier name."""
        if FACET not in filters.only and FACET not in filters.without:
            return filters
        return replace(filters, only=self._named(filters.only), without=self._named(filters.without))

    def _named(self, chosen: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return {
            name: tuple(self._name(value) for value in values) if name == FACET else values
            for name, values in chosen.items()
        }

    def _name(self, said: str) -> str:
        """The present name of the topic of this slug or earlier name; what is neither stays."""
        return self._names.get(said) or self._former.get(fold(said), said)

    def _meant(self, node: Node, members: Sequence[Membership]) -> Node:
        match node:
            case InTopic(topics=()):
                return replace(node, topics=self._called(node.text, members))
            case And() | Or():
                parts = tuple(self._meant(part, members) for part in node.parts)
                return node if parts == node.parts else type(node)(parts)
            case Not():
                part = self._meant(node.part, members)
                return node if part is node.part else Not(part)
        return node

    def _called(self, text: str, members: Sequence[Membership]) -> tuple[Membership, ...]:
        """Those of that name, slug or earlier name; where there are none those whose name contains it."""
        name = fold(self._name(text.strip()))
        equal = tuple(one for one in members if fold(one.name) == name)
        return equal or tuple(one for one in members if name and name in fold(one.name))


def away(query: Query, page: Page) -> frozenset[int]:
    """Articles that were excluded from all the topics that are asked for: not even told as copies of a hit."""
    asked = [clause.topics for clause in query.clauses if isinstance(clause, InTopic)]
    chosen = page.only.get(FACET, ())
    if chosen and "" not in chosen:
        asked.append(tuple(one for one in page.topics.members if one.name in chosen))
    gone: frozenset[int] = frozenset()
    for members in asked:
        if members:
            kept = frozenset.union(*(one.pinned for one in members))
            gone |= frozenset.intersection(*(one.excluded for one in members)) - kept
    return gone
