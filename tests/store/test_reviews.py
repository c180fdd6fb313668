"""Pages that wait for a person."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine as Database

from kb.errors import ReviewError
from kb.model import Article, Provenance
from kb.store import articles, reviews
from kb.store.articles import NewArticle
from kb.store.db import reading, writing
from kb.store.reviews import Doubt, Review, Taken
from tests.making import article

SURE, UNSURE = Provenance("site", 0.95), Provenance("generic", 0.42)


def read(title: str = "某页", provenance: Provenance = UNSURE) -> Article:
    return article(title, key="https://a.example/x", provenance=provenance)


def take(database: Database, found: Article, page_hash: str = "a" * 64) -> Taken:
    doubt = Doubt("https://a.example/x", "text/html", "原页文字", "crawl")
    with writing(database) as connection:
        near = articles.fingerprints(connection)
        return reviews.take(connection, NewArticle(found, page_hash), near, lambda: doubt)


def waiting(database: Database) -> list[Review]:
    with reading(database) as connection:
        return reviews.listed(connection, "waiting", limit=9)


def decide(database: Database, review: Review, state: reviews.State) -> None:
    with writing(database) as connection:
        reviews.decide(connection, review, state, "wang", note="不是文章")


def test_an_unsure_reading_waits_with_what_the_page_says_and_is_no_article(database: Database) -> None:
    taken = take(database, read())
    (review,) = waiting(database)

    assert taken == Taken("queued")
    assert (review.article, review.source_text, review.confidence) == (read(), "原页文字", 0.42)
    with reading(database) as connection:
        assert articles.summary(connection).count == 0


def test_the_same_again_waits_once_and_a_sure_reading_takes_it_out(database: Database) -> None:
    take(database, read())
    take(database, read("读得不同"))
    (review,) = waiting(database)
    taken = take(database, read("读得好", SURE))

    assert review.article.title == "读得不同"
    assert (taken.outcome, waiting(database)) == ("added", [])


@pytest.mark.parametrize("again", [read(), read("规则改进", SURE)])
def test_what_a_person_returned_stays_returned_for_the_same_bytes(database: Database, again: Article) -> None:
    take(database, read())
    (review,) = waiting(database)
    decide(database, review, "returned")

    assert take(database, again) == Taken("unchanged")
    assert waiting(database) == []


def test_other_bytes_wait_anew(database: Database) -> None:
    take(database, read())
    (review,) = waiting(database)
    decide(database, review, "returned")
    taken = take(database, read("新内容"), page_hash="b" * 64)
    (again,) = waiting(database)

    assert taken.outcome == "queued"
    assert (again.id, again.article.title, again.note) == (review.id, "新内容", None)


def test_of_two_decisions_the_second_is_refused(database: Database) -> None:
    take(database, read())
    (review,) = waiting(database)

    decide(database, review, "returned")
    for late in (review, replace(review, page_hash="b" * 64)):
        with pytest.raises(ReviewError) as refused:
            decide(database, late, "passed")
        assert refused.value.key == "review.changed"


def test_the_next_one_is_what_waits_behind_or_else_the_first(database: Database) -> None:
    for number in range(3):
        take(database, replace(read(), key=f"https://a.example/{number}"))
    ids = [review.id for review in waiting(database)]
    with reading(database) as connection:
        found = [reviews.next_waiting(connection, after) for after in (ids[0], ids[2])]

    assert found == [ids[1], ids[0]]
