from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from kb import config
from kb.crawl.source import _FIELD_KEYS, _KEYS, _LINK_KEYS, Source, chosen, describe, expand, load, load_all
from kb.errors import ConfigError

GOOD = """slug = "qinghe"
name = "清河日报"
newspaper = "清河日报"
verified = 2026-11-22
facts = "自编"
hosts = ["szb.qinghe.example", "old.qinghe.example:8080"]
start = ["https://szb.qinghe.example/{date:%Y-%m/%d}/node_1.htm"]
days = 5
depth = 2
pages = 300
pace_seconds = 1.5
enabled = false

[links]
edition = ['/node_\\d+\\.htm$']
article = ['/content_\\d+\\.htm$']

[fields]
family = "founder-classic"
title = ["td.font01", "h1"]
body = ["#ozoom"]
published_from_url = '/(?P<y>\\d{4})-(?P<m>\\d\\d)/(?P<d>\\d\\d)/'
boilerplate = ['^扫码阅读$']
"""


def written(folder: Path, text: str = GOOD, name: str = "qinghe") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_source_file_is_read_whole(tmp_path: Path) -> None:
    source = load(written(tmp_path))

    assert (source.slug, source.name, source.verified, source.enabled) == (
        "qinghe",
        "清河日报",
        "2026-11-22",
        False,
    )
    assert source.hosts == ("szb.qinghe.example", "old.qinghe.example:8080")
    assert (source.days, source.depth, source.pages, source.pace_seconds) == (5, 2, 300, 1.5)
    assert source.rule.title == ("td.font01", "h1")
    assert (source.rule.slug, source.rule.newspaper, source.rule.family) == (
        "qinghe",
        "清河日报",
        "founder-classic",
    )
    assert re.fullmatch("[0-9a-f]{8}", source.rule.version)


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    short = "\n".join(
        line
        for line in GOOD.splitlines()
        if not line.startswith(("days", "depth", "pages", "pace", "enabled"))
    )
    source = load(written(tmp_path, short))

    assert (source.days, source.depth, source.pages, source.pace_seconds, source.enabled) == (
        3,
        4,
        None,
        None,
        True,
    )


def test_the_version_of_a_rule_changes_with_its_fields_only(tmp_path: Path) -> None:
    version = load(written(tmp_path)).rule.version

    assert load(written(tmp_path, GOOD.replace("days = 5", "days = 6"))).rule.version == version
    assert load(written(tmp_path, GOOD.replace("#ozoom", "#zoom"))).rule.version != version


@pytest.mark.parametrize(
    ("old", "new", "name", "line"),
    [
        ("days = 5", "dayz = 5", "dayz", 8),
        ("days = 5", 'days = "5"', "days", 8),
        ("days = 5", "days = true", "days", 8),
        ("days = 5", "days = -1", "days", 8),
        ("days = 5", "days = 0", "days", 8),
        ("pages = 300", "pages = 0", "pages", 10),
        ("pace_seconds = 1.5", "pace_seconds = 90000", "pace_seconds", 11),
        ("pace_seconds = 1.5", 'pace_seconds = "2"', "pace_seconds", 11),
        ("enabled = false", "enabled = 0", "enabled", 12),
        ('slug = "qinghe"', 'slug = "清河"', "slug", 1),
        ('slug = "qinghe"', 'slug = "other"', "slug", 1),
        ('name = "清河日报"\nnews', 'name = " "\nnews', "name", 2),
        ("verified = 2026-11-22", 'verified = "soon"', "verified", 4),
        ("verified = 2026-11-22", "verified = 7", "verified", 4),
        ('"szb.qinghe.example", ', '"https://szb.qinghe.example", ', "hosts", 6),
        ('"szb.qinghe.example", ', "", "start", 7),
        ('hosts = ["szb.qinghe.example", "old.qinghe.example:8080"]', "hosts = []", "hosts", 6),
        (
            'hosts = ["szb.qinghe.example", "old.qinghe.example:8080"]',
            'hosts = "szb.qinghe.example"',
            "hosts",
            6,
        ),
        ('start = ["https', 'start = ["ftp', "start", 7),
        ("https://szb", "https://user@szb", "start", 7),
        ("edition = ['/node_", "edition = ['(/node_", "links.edition", 15),
        ("edition = ", "editions = ", "links.editions", 15),
        ("article = ['/content_\\d+\\.htm$']", "", "links", 14),
        ('title = ["td.font01", "h1"]', 'title = "h1"', "fields.title", 20),
        ('"td.font01"', '"td..font01"', "fields.title", 20),
        ('"td.font01"', '"td:nth-child(x"', "fields.title", 20),
        ('"td.font01"', '""', "fields.title", 20),
        ('family = "founder-classic"', 'family = "fangzheng"', "fields.family", 19),
        ("(?P<y>", "(?P<year>", "fields.published_from_url", 22),
        ("'^扫码阅读$'", "'^扫码阅读[$'", "fields.boilerplate", 23),
        ("[links]", "links = 1\n[linkz]", "linkz", 15),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_file_line_and_key(
    tmp_path: Path, old: str, new: str, name: str, line: int
) -> None:
    assert old in GOOD
    path = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load(path)

    assert caught.value.key in ("source.bad_value", "source.unknown_key")
    assert (caught.value.facts["name"], caught.value.facts["line"]) == (name, line)
    assert str(path) in caught.value.words("zh")
    assert name in caught.value.words("en")


@pytest.mark.parametrize("key", ["slug", "name", "verified", "facts", "hosts", "start"])
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    text = "\n".join(line for line in GOOD.splitlines() if not line.startswith(f"{key} ="))
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, text))

    assert caught.value.key == "source.missing_key"
    assert caught.value.facts["name"] == key


@pytest.mark.parametrize("content", [b'slug = "a', b"\xff\xfe\x00", b"a = 1\na = 2"])
def test_a_file_that_is_no_toml_is_named_with_the_place(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "qinghe.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path)

    assert caught.value.key == "source.unreadable"
    assert str(path) in caught.value.words("zh")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "none.toml")

    assert caught.value.key == "source.unreadable"


def test_a_file_of_ones_own_replaces_the_shipped_one(tmp_path: Path) -> None:
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    shipped.mkdir()
    own.mkdir()
    written(shipped)
    written(shipped, GOOD.replace('"qinghe"', '"lanshan"', 1), "lanshan")
    written(own, GOOD.replace("days = 5", "days = 9"))

    sources = load_all((shipped, own))

    assert list(sources) == ["lanshan", "qinghe"]
    assert sources["qinghe"].days == 9


def test_a_broken_shipped_file_does_no_harm_once_it_is_replaced(tmp_path: Path) -> None:
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    shipped.mkdir()
    own.mkdir()
    written(shipped, "slug = ")
    written(own)

    assert list(load_all((shipped, own, tmp_path / "absent"))) == ["qinghe"]


def shipped_sources() -> dict[str, Source]:
    return load_all([config.shipped("corpus/sources")])


def test_the_shipped_sources_are_valid_and_only_real_ones_run_unasked() -> None:
    sources = shipped_sources()

    assert set(sources) >= {"cctv-xwlb", "guizhou-fazhi", "sample-classic", "sample-pc"}
    assert [source.slug for source in chosen(sources, ())] == ["cctv-xwlb"]
    assert sources["guizhou-fazhi"].verified == "never"


def test_the_reference_names_every_key() -> None:
    text = (config.shipped("corpus/sources") / "README.md").read_text(encoding="utf-8")
    keys = {*_KEYS, *_LINK_KEYS, *_FIELD_KEYS} - {"links", "fields"}

    assert {key for key in keys if f"`{key}`" not in text} == set()


def test_sources_are_chosen_by_name_whether_enabled_or_not() -> None:
    sources = shipped_sources()

    assert [source.slug for source in chosen(sources, ["sample-pc", "cctv-xwlb", "sample-pc"])] == [
        "sample-pc",
        "cctv-xwlb",
    ]


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        chosen(shipped_sources(), ["cctv"])

    assert caught.value.key == "source.unknown"
    assert "cctv-xwlb" in caught.value.words("zh")


def test_a_start_address_is_written_out_for_a_day() -> None:
    template = "https://tv.cctv.com/lm/xwlb/day/{date:%Y%m%d}.shtml"

    assert expand(template, date(2024, 3, 1)) == "https://tv.cctv.com/lm/xwlb/day/20240301.shtml"
    assert (
        expand("https://a.example/%E4%BA%BA/{date:%Y-%m/%d}/", date(2024, 3, 1))
        == "https://a.example/%E4%BA%BA/2024-03/01/"
    )


def test_describing_a_source_tells_everything_that_was_understood(tmp_path: Path) -> None:
    lines = "\n".join(describe(load(written(tmp_path))))

    for word in (
        "qinghe",
        "清河日报",
        "2026-11-22",
        "szb.qinghe.example",
        "founder-classic",
        "td.font01 | h1",
        "扫码阅读",
    ):
        assert word in lines
