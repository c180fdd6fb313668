"""Topics as files, those that kb brings among them, and `kb topic`: what is written is read back, what cannot be is refused whole."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st
from sqlalchemy import Engine as Database

from kb import config, diagnose, topic_checks, topic_files, topics
from kb.cli import main
from kb.config import Settings
from kb.errors import TopicError
from kb.export.topic_file import Kept, TopicFile, read, write
from kb.model import Actor, Exclusion, Topic, TopicContent
from kb.store import articles
from kb.store import topics as stored
from kb.store.articles import NewArticle
from kb.store.db import open_database, reading, writing
from kb.text.fingerprint import Fingerprints
from tests.making import article
from tests.test_cli import own_log

__all__ = ["own_log"]  # a fixture that is used by itself

EDITOR = Actor("ziliaoyuan")
FILE = TopicFile("jiguan", "机关党建", "党建 业务", "导语", pinned=(Kept("k", "题"),))


def save(database: Database, *titles: str) -> list[int]:
    made = [article(title, key=f"https://a.example/{title}") for title in titles]
    with writing(database) as connection:
        return [
            one.id for one in articles.save(connection, [NewArticle(one) for one in made], Fingerprints())
        ]


def every(database: Database) -> dict[str, Topic]:
    with reading(database) as connection:
        return {one.slug: one for one in stored.every(connection)}


# --- the format -----------------------------------------------------------------------------------------------

lines = st.text(max_size=30).map(topic_checks.one_line)
markdown = st.text(st.characters() | st.sampled_from('\n"\\#\t'), max_size=60).map(topic_checks._lines)
kept = st.builds(Kept, key=lines.filter(bool), title=lines, reason=lines)
files = st.builds(
    TopicFile,
    slug=st.from_regex(topic_checks.SLUG, fullmatch=True),
    name=lines,
    rule=lines,
    introduction=markdown,
    parent=st.none() | st.from_regex(topic_checks.SLUG, fullmatch=True),
    place=st.integers(0, topic_checks.PLACES),
    state=st.sampled_from(["shown", "draft", "removed"]),
    pinned=st.lists(kept, max_size=3).map(tuple),
    excluded=st.lists(kept, max_size=3).map(tuple),
)


@given(files)
def test_what_is_written_is_read_back_the_same(file: TopicFile) -> None:
    assert read(write(file), "a.toml") == file


@runs(max_examples=50)
@given(st.text() | st.text(st.sampled_from('slug="a"\nrule=[]{}#\\')))
def test_whatever_a_file_holds_it_is_read_or_refused_by_name(text: str) -> None:
    try:
        read(text, "a.toml")
    except TopicError as error:
        assert error.key == "topic.bad_file"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "不是 TOML"),
        ("slug = 'a'\nname = 'b'", "缺少 rule"),
        ("slug = 'a'\nname = 'b'\nrule = 'c'\nrules = 'd'", "不认识 rules"),
        ("slug = 'a'\nname = 'b'\nrule = 'c'\nplace = true", "place 的值不是数字"),
        ("slug = 'a'\nname = 'b'\nrule = 'c'\nstate = 'gone'", "state 要是"),
        ("slug = 'a'\nname = 'b'\nrule = 'c'\npinned = ['d']", "pinned 第 1 项没有 key"),
        ("slug = 'a'\nname = 'b'\nrule = 'c'\n[[excluded]]\nkey = 'd'\nid = 3", "excluded 第 1 项只能有"),
        ("slug = 'a'\nname = 'b'\nrule = 'c'\n[pinned]\nkey = 'd'", "pinned 的值不是列表"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(text: str, said: str) -> None:
    with pytest.raises(TopicError, match=r"a\.toml") as caught:
        read(text, "a.toml")

    assert said in caught.value.words("zh")


# --- between libraries ----------------------------------------------------------------------------------------


def test_topics_move_to_another_library_by_the_keys_of_their_articles(
    database: Database, tmp_path: Path
) -> None:
    first, _between, second = save(database, "甲", "乙", "丙")
    content = TopicContent(
        "机关党建", "党建", '一行\n\n"三行"', pinned=(second,), excluded=(Exclusion(first, "通知"),)
    )
    topics.create(database, EDITOR, "jiguan", content)
    topics.create(database, EDITOR, "ronghe", TopicContent("融合", "融合", parent="jiguan", state="draft"))
    topic_files.export(database, tmp_path / "out")
    other = open_database(tmp_path / "other.sqlite3")
    ids = save(other, "丙", "甲")
    moved = topic_files.files_in([tmp_path / "out"])
    topic_files.take(other, EDITOR, list(reversed(moved)))

    assert every(other)["jiguan"].content == replace(
        content, pinned=(ids[0],), excluded=(Exclusion(ids[1], "通知"),)
    )
    assert every(other)["ronghe"].content == every(database)["ronghe"].content
    assert [one.what for one in topic_files.take(other, EDITOR, moved)] == ["unchanged"] * 2


def test_files_are_checked_as_the_topics_stand_when_all_are_in_and_one_bad_one_keeps_out_all(
    database: Database,
) -> None:
    topics.create(database, EDITOR, "aa", TopicContent("甲", "甲"))
    topics.create(database, EDITOR, "bb", TopicContent("乙", "乙", parent="aa"))
    swapped = [("a", TopicFile("aa", "乙", "甲", parent="bb")), ("b", TopicFile("bb", "甲", "乙"))]
    for path, bad, said in [
        ("c", TopicFile("cc", "丙", "(丙"), "第 1 个字处"),
        ("c", TopicFile("cc", "乙", "丙"), "已经有专题「乙」"),
        ("c", TopicFile("cc", "丙", "丙", parent="aa"), "专题只分两级"),
        ("c", TopicFile("bb", "丙", "丙"), "bb 在几个文件里"),
    ]:
        with pytest.raises(TopicError) as caught:
            topic_files.take(database, EDITOR, [*swapped, (path, bad)])

        assert said in caught.value.words("zh")
        assert every(database)["aa"].version == 1
    told = topic_files.take(database, EDITOR, swapped, is_dry=True)

    assert every(database)["aa"].version == 1
    assert topic_files.take(database, EDITOR, swapped) == told
    assert (every(database)["aa"].content.name, every(database)["aa"].content.parent) == ("乙", "bb")


# --- the topics that kb brings --------------------------------------------------------------------------------


def test_a_new_library_gets_the_shipped_topics_once_and_keeps_what_editors_made_of_them(
    database: Database, settings: Settings
) -> None:
    brings = settings.model_copy(update={"starter_topics": True})
    topics.create(database, EDITOR, "own", TopicContent("机关党建", "自己的"))

    assert topic_files.ensure_starters(database, settings) == 0
    count = topic_files.ensure_starters(database, brings)
    found = every(database)
    assert "jiguan-dangjian" not in found  # the library has a topic of that name
    assert not [one for one in found.values() if one.content.parent == "jiguan-dangjian"]
    assert {one.editor for one in found.values() if one.slug != "own"} == {""}
    topics.remove(database, EDITOR, "baomi")
    assert (count, topic_files.ensure_starters(database, brings)) == (len(found) - 1, 0)
    assert every(database)["baomi"].content.state == "removed"


def test_the_shipped_topics_stand_in_two_levels_and_are_written_as_kb_writes_them() -> None:
    found = topic_files.starters()
    tops = {file.slug for _path, file in found if file.parent is None}

    assert len(found) >= 15
    assert {file.parent for _path, file in found} - {None} <= tops
    for path, file in found:
        assert path.endswith(f"/{file.slug}.toml")
        assert Path(path).read_text(encoding="utf-8") == write(file)
        assert file.introduction
        assert not file.pinned and not file.excluded


# --- kb topic -------------------------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KB_STARTER_TOPICS", "false")
    return tmp_path / "library"


def kb(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--data", str(data), *arguments], catch_exceptions=False)


def test_an_import_says_what_is_not_in_the_library_and_exits_with_1_until_it_is(
    data: Path, tmp_path: Path
) -> None:
    path = tmp_path / "jiguan.toml"
    path.write_text(write(replace(FILE, excluded=(Kept("gone", "旧闻", "通知"),))), encoding="utf-8")
    dry = kb(data, "topic", "import", str(path), "--dry-run")
    empty = kb(data, "topic", "list", "--json")
    done = kb(data, "topic", "import", str(tmp_path), "--json")
    again = kb(data, "topic", "import", str(path))

    assert (dry.exit_code, done.exit_code, again.exit_code, json.loads(empty.stdout)) == (1, 1, 1, [])
    assert dry.stdout.endswith("topic import dry run: 1 added, 0 changed, 0 unchanged\n")
    assert "没有设为必读:题 k" in dry.stderr
    assert "没有移出:旧闻 gone" in again.stderr
    (told,) = json.loads(done.stdout)
    assert (told["what"], told["version"], [one["key"] for one in told["missing"]]) == (
        "added",
        1,
        ["k", "gone"],
    )
    path.write_text(write(replace(FILE, pinned=())), encoding="utf-8")
    assert kb(data, "topic", "import", str(path)).exit_code == 0


def test_a_bad_file_or_name_exits_with_2_and_a_topic_is_shown_as_its_file(data: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(write(replace(FILE, pinned=())), encoding="utf-8")
    bad.write_text("rule = '\x1b'", encoding="utf-8")

    assert kb(data, "topic", "import", str(good), str(bad)).exit_code == 2
    assert kb(data, "topic", "import", str(tmp_path / "none.toml")).exit_code == 2
    assert kb(data, "topic", "show", "jiguan").exit_code == 2
    assert kb(data, "topic", "import", str(good)).exit_code == 0
    assert kb(data, "topic", "show", "jiguan").stdout == good.read_text(encoding="utf-8")
    assert kb(data, "topic", "show", "jiguan", "--version", "2").exit_code == 2
    assert json.loads(kb(data, "topic", "show", "jiguan", "--json").stdout)["content"]["name"] == "机关党建"
    assert kb(data, "topic", "export", str(tmp_path / "out"), "jiguan").exit_code == 0
    assert (tmp_path / "out" / "jiguan.toml").read_text(encoding="utf-8") == good.read_text(encoding="utf-8")
    assert kb(data, "topic", "export", str(good / "inside")).exit_code == 2
    assert "jiguan  机关党建  第 1 版" in kb(data, "topic", "list").stdout


def test_what_was_excluded_stays_away_when_the_index_is_made_anew_and_when_a_backup_is_restored(
    data: Path, tmp_path: Path
) -> None:
    shutil.copytree(config.shipped("corpus") / "samples" / "text", tmp_path / "text")
    kb(data, "add", str(tmp_path / "text"))
    kb(data, "topic", "import", str(_made(tmp_path, "all.toml", TopicFile("all", "全部", "党员 或 法律"))))
    found = _titles(data)
    settings = Settings(data=data)
    database = open_database(settings.database)
    gone, pinned = found[0][0], found[1][0]
    topics.exclude(database, EDITOR, "all", [gone], "通知")
    topics.pin(database, EDITOR, "all", pinned)
    left = [one for one in found if one[0] != gone]
    database.dispose()

    assert len(found) > 2
    assert _titles(data) == left
    kb(data, "reindex", "--all")
    assert _titles(data) == left
    kb(data, "backup", str(tmp_path / "kept"))
    (kept,) = (tmp_path / "kept").glob("kb-*.tar")
    restored = tmp_path / "restored"
    kb(restored, "restore", str(kept))
    kb(restored, "reindex", "--all")
    assert _titles(restored) == left
    exported = kb(restored, "topic", "show", "all").stdout
    assert exported.count("[[excluded]]") == exported.count("[[pinned]]") == 1


def _made(folder: Path, name: str, file: TopicFile) -> Path:
    path = folder / name
    path.write_text(write(file), encoding="utf-8")
    return path


def _titles(data: Path) -> list[tuple[int, str]]:
    """Id and title of what is in the topic, by id."""
    found: Any = json.loads(kb(data, "search", "专题:全部", "--json", "--limit", "50").stdout)
    return sorted((hit["id"], hit["title"]) for hit in found["hits"])


def test_doctor_names_a_rule_that_cannot_be_read_any_more(database: Database, settings: Settings) -> None:
    topics.create(database, EDITOR, "good", TopicContent("好", "好"))

    assert diagnose._topics(database, settings).ok
    with writing(database) as connection:
        stored.add(connection, "old", TopicContent("旧专题", "党建 (读不懂"), "")
    found = diagnose._topics(database, settings)
    assert (found.ok, "旧专题" in found.says, "第 4 个字" in found.says) == (False, True, True)
