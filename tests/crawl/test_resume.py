from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine as Database

from kb.config import Settings
from kb.store import pages
from kb.store.db import check
from tests.crawl.serving import serving
from tests.crawl.site import Site, articles, counts, crawl, issue

ROOT = Path(__file__).parents[2]

# A run that kills itself without warning at the n-th call of one of the functions handed to it.
RUN = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from kb.config import Settings
from kb.crawl import walk
from kb.store.db import open_database
from tests.crawl import site

data, base, place, number = sys.argv[1:]
settings = Settings(data=Path(data))
left = int(number)

def dying(function, *, after):
    def call(*arguments):
        global left
        left -= 1
        if left == 0 and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call

hands = site.handed
def handed(database, settings):
    found = hands(database, settings)
    name, _, when = place.partition(" ")
    return replace(found, **{name: dying(getattr(found, name), after=when == "after")}) if name else found
site.handed = handed
site.crawl(open_database(settings.database), settings, base)
"""


def run(settings: Settings, base: str, place: str = "", number: int = 0) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", RUN, str(settings.data), base, place, str(number)]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})


def whole_site() -> Site:
    days = [issue(f"2024-03/{day}", articles=4, editions=2) for day in ("08", "09", "10")]
    return Site({path: body for found in days for path, body in found.items()})


def assert_complete(site: Site, database: Database, settings: Settings) -> None:
    expected = sorted(path.removeprefix("/html/") for path in site.pages if "content_" in path)

    assert articles(database) == expected
    assert check(database) == []
    assert pages.clean(settings.pages) == 0


@pytest.mark.parametrize(
    ("place", "number"),
    [("take after", 3), ("keep after", 9)],
    ids=["article written, not committed", "raw page kept, no row"],
)
def test_a_run_killed_in_the_middle_of_a_page_is_taken_up_without_loss(
    place: str, number: int, database: Database, settings: Settings
) -> None:
    site = whole_site()
    with serving(site) as served:
        assert run(settings, served.base, place, number).wait(30) == -signal.SIGKILL
        assert len(articles(database)) < 24
        crawl(database, settings, served.base)
        fetched = len(site.hits)
        assert counts(crawl(database, settings, served.base)) == {}

    assert_complete(site, database, settings)
    assert fetched == 31  # one page twice: the one that was in hand


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 2, 8, 20, 30])
@pytest.mark.parametrize(
    "place", ["keep before", "links after", "take before", "transaction before", "transaction after"]
)
def test_a_run_killed_anywhere_is_taken_up_without_loss(
    place: str, number: int, database: Database, settings: Settings
) -> None:
    site = whole_site()
    with serving(site) as served:
        run(settings, served.base, place, number).wait(30)
        crawl(database, settings, served.base)

    assert_complete(site, database, settings)


@pytest.mark.slow
def test_ten_kills_at_random_moments_lose_and_double_nothing(database: Database, settings: Settings) -> None:
    site = whole_site()
    moments = random.Random(20240310)
    with serving(site) as served:
        for _ in range(10):
            process = run(settings, served.base)
            time.sleep(moments.uniform(0.5, 1.3))
            process.kill()
            process.wait(10)
            pages.clean(settings.pages)
        crawl(database, settings, served.base)

    assert_complete(site, database, settings)
