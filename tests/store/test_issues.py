from __future__ import annotations

from sqlalchemy import Engine as Database

from kb.store import articles, issues
from kb.store.articles import NewArticle
from kb.store.db import reading, writing
from kb.store.issues import Listed, Newspaper
from tests.making import article


def fill(database: Database, *places: tuple[str | None, str | None, str | None, str]) -> None:
    """Articles by newspaper, day, label and key; their title is their key."""
    items = [
        NewArticle(
            article(
                key,
                (f"第{number}篇的正文。",),
                key=key,
                newspaper=newspaper,
                published=day,
                edition_page=label,
                page_name="理论" if label == "07" else None,
            )
        )
        for number, (newspaper, day, label, key) in enumerate(places)
    ]
    with writing(database) as connection:
        articles.save(connection, items, articles.fingerprints(connection))


def address(number: int) -> str:
    return f"https://a.example/202403/15/content_{number}.html"


def test_newspapers_are_counted_with_their_first_and_last_issue(database: Database) -> None:
    fill(
        database,
        ("清河日报", "2024-03-15", "01", "a"),
        ("清河日报", "2023-01-02", "01", "b"),
        ("清河日报", None, None, "c"),
        ("清河日报", "2022-01-01", "01", "withdrawn"),
        ("青溪法治报", None, None, "d"),
        (None, "2024-03-15", None, "e"),
    )
    with writing(database) as connection:
        articles.set_status(connection, 1, "corrected")
        articles.set_status(connection, 4, "withdrawn")

    with reading(database) as connection:
        found = issues.newspapers(connection)
        years = issues.years(connection, "清河日报")
        unknown = issues.years(connection, "没有的报")
    assert found == [
        Newspaper("清河日报", 3, "2023-01-02", "2024-03-15"),
        Newspaper("青溪法治报", 1, None, None),
    ]
    assert list(years.items()) == [("2024", 1), ("2023", 1), ("", 1)]
    assert unknown == {}


def test_an_issue_has_its_pages_in_the_order_of_labels_and_their_articles_in_printed_order(
    database: Database,
) -> None:
    labels = ("A01", "10", "05-08", None, "2", "05")
    fill(
        database,
        *(("清河日报", "2024-03-15", label, address(100 + at)) for at, label in enumerate(labels)),
        *(("清河日报", "2024-03-15", "07", address(number)) for number in (1000, 9, 81)),
        ("清河日报", "2024-03-16", "01", address(7)),
    )
    with reading(database) as connection:
        pages = issues.issue(connection, "清河日报", "2024-03-15")
        days = issues.days(connection, "清河日报", "2024")

    assert [page.label for page in pages] == ["2", "05", "05-08", "07", "10", "A01", None]
    assert [listed.title for listed in pages[3].articles] == [address(9), address(81), address(1000)]
    assert (pages[3].name, pages[0].name) == ("理论", None)
    assert days == {"2024-03-15": 9, "2024-03-16": 1}


def test_keys_that_are_hashes_keep_the_order_of_storing() -> None:
    assert issues.in_order([(2, "content:aa"), (1, "content:bb"), (3, "id:10"), (4, "id:9")]) == [4, 3, 1, 2]


def test_the_nearest_issues_are_those_that_people_may_see(database: Database) -> None:
    fill(database, *(("清河日报", f"2024-03-{day}", "01", str(day)) for day in (10, 12, 14, 18)))
    with writing(database) as connection:
        articles.set_status(connection, 3, "gone")

    with reading(database) as connection:
        found = issues.nearest(connection, "清河日报", "2024-03-15")
        outside = issues.nearest(connection, "清河日报", "2024-03-18")

    assert (found, outside) == (("2024-03-12", "2024-03-18"), ("2024-03-12", None))


def test_an_article_has_neighbours_on_its_own_edition_page_only(database: Database) -> None:
    fill(
        database,
        *(("清河日报", "2024-03-15", "07", address(number)) for number in (3, 1, 2)),
        ("清河日报", "2024-03-15", "08", address(4)),
        ("清河日报", "2024-03-15", None, address(5)),
        ("清河日报", "2024-03-15", None, address(6)),
        ("清河日报", None, "07", address(7)),
    )
    with reading(database) as connection:
        middle, last, alone, unlabelled, undated = (
            issues.place(connection, one)
            for one in (articles.many(connection, range(1, 8))[number] for number in (3, 1, 4, 5, 7))
        )

    assert middle and (middle.before, middle.after) == (Listed(2, address(1)), Listed(1, address(3)))
    assert (middle.newspaper, middle.day, middle.label, middle.name) == (
        "清河日报",
        "2024-03-15",
        "07",
        "理论",
    )
    assert last and (last.before, last.after) == (Listed(3, address(2)), None)
    assert alone and (alone.before, alone.after) == (None, None)
    assert unlabelled and (unlabelled.label, unlabelled.after) == (None, Listed(6, address(6)))
    assert undated is None


def test_a_changed_article_moves_to_its_new_page(database: Database) -> None:
    fill(database, ("清河日报", "2024-03-15", "07", "a"))
    fill(database, ("清河日报", "2024-03-15", "08", "a"))

    with reading(database) as connection:
        assert [page.label for page in issues.issue(connection, "清河日报", "2024-03-15")] == ["08"]
