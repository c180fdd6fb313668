"""A new word, from the page to the searches: real processes over a real folder."""

from __future__ import annotations

import threading
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from kb import words
from kb.config import Settings
from kb.model import Actor
from kb.store import sign_ins, users
from kb.store.db import open_database, writing
from tests.serving import PATIENCE_SECONDS, Served, serving, store, until
from tests.web.people import NO_PASSWORD

WORD = "枫溪夜话会"
TRIED = urllib.parse.urlencode({"try": f"{WORD}开幕"})


class Editor:
    """A browser in which an editor is signed in."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.database = open_database(Settings(data=served.data).database)
        with writing(self.database) as connection:
            user = users.add(connection, "wang", "王", "editor", NO_PASSWORD)
            self.token = sign_ins.begin(connection, user, address="127.0.0.1", device="test")

    def page(self) -> str:
        asked = urllib.request.Request(  # noqa: S310  # our own
            f"{self.served.base}/admin/lexicon?{TRIED}", headers={"Cookie": f"sign_in={self.token}"}
        )
        with urllib.request.urlopen(asked, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310  # our own
            return str(answer.read().decode())

    def is_one_word(self) -> bool:
        """Wherever the question goes, of several web processes: asked so often that each will have answered."""
        return all(f"{WORD} / 开幕" in (page := self.page()) and "检索正在使用" in page for _ in range(8))


@pytest.mark.slow
@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_new_word_becomes_one_word_and_no_search_fails_meanwhile(tmp_path: Path, processes: str) -> None:
    data = tmp_path / "data"
    store(data, f"{WORD}开幕")
    with serving(data, "--processes", processes) as served:
        until(lambda: served.finds(f"{WORD}开幕"), "searchable")
        editor = Editor(served)
        before = editor.page()
        answers: list[bool] = []
        stop = threading.Event()

        def ask() -> None:
            while not stop.is_set():
                answers.append(served.finds(f"{WORD}开幕"))

        asking = threading.Thread(target=ask)
        asking.start()
        words.add(editor.database, Actor("wang"), WORD)
        until(editor.is_one_word, "one word everywhere")
        store(data, f"{WORD}闭幕")
        until(lambda: served.finds(f"{WORD}闭幕"), "searchable with the new words")
        stop.set()
        asking.join()

    assert f"{WORD} / 开幕" not in before.split("新词表的切分")[0]
    assert answers and all(answers)
