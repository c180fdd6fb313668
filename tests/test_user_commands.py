"""`kb user`, and what `kb serve` asks for before others can reach it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kb import opening
from kb.cli import main
from kb.config import Settings
from kb.store import passwords, sign_ins, users
from kb.store.db import open_database, reading, writing
from kb.web import server
from tests.making import CHEAP_HASHES, PASSWORD
from tests.test_cli import own_log

__all__ = ["own_log"]  # a fixture that is used by itself

OTHER = "河对岸的第四棵槐树"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in CHEAP_HASHES.items():
        monkeypatch.setenv(f"KB_{name.upper()}", str(value))
    return tmp_path / "data"


def kb(data: Path, *arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["--data", str(data), *arguments], input=typed, catch_exceptions=False)


def add(data: Path, name: str = "zhangsan", *options: str) -> Result:
    return kb(data, "user", "add", name, *options, typed=f"{PASSWORD}\n")


def listed(data: Path) -> dict[str, dict[str, object]]:
    return {one["name"]: one for one in json.loads(kb(data, "user", "list", "--json").stdout)}


def test_an_account_lives_from_the_command_line(data: Path) -> None:
    added = add(data, "ZhangSan", "--full-name", "张三")
    add(data, "lisi", "--role", "admin", "--keep-password")
    locked = kb(data, "user", "lock", "zhangsan")
    shown = listed(data)
    kb(data, "user", "unlock", "zhangsan")
    kb(data, "user", "role", "zhangsan", "editor")
    then = listed(data)["zhangsan"]
    deleted = kb(data, "user", "delete", "zhangsan", "--yes")

    assert [one.exit_code for one in (added, locked, deleted)] == [0, 0, 0]
    assert (shown["zhangsan"]["full_name"], shown["zhangsan"]["must_change"]) == ("张三", True)
    assert (shown["lisi"]["role"], shown["lisi"]["must_change"], shown["lisi"]["locked_at"]) == (
        "admin",
        False,
        None,
    )
    assert shown["zhangsan"]["locked_at"] and not then["locked_at"] and then["role"] == "editor"
    assert list(listed(data)) == ["lisi"]
    assert "lisi  admin  lisi" in kb(data, "user", "list").stdout


def test_a_new_password_comes_by_standard_input_and_ends_the_sign_ins(data: Path) -> None:
    add(data)
    database = open_database(Settings(data=data).database)
    with writing(database) as connection:
        token = sign_ins.begin(connection, 1)
    changed = kb(data, "user", "passwd", "zhangsan", typed=f"{OTHER}\n")

    assert changed.exit_code == 0 and OTHER not in changed.output
    with reading(database) as connection:
        kept = users.kept(connection, 1)
        assert kept and passwords.holds(Settings(data=data, **CHEAP_HASHES), kept.present, OTHER)
        assert sign_ins.present(connection, token) is None


@pytest.mark.parametrize(
    ("arguments", "typed", "key"),
    [
        (["user", "add", "zhangsan"], "", "account.no_password"),
        (["user", "add", "zhangsan"], "short\n", "account.password_short"),
        (["user", "add", "zhang san"], f"{PASSWORD}\n", "account.bad_name"),
        (["user", "lock", "nobody"], "", "account.unknown"),
        (["user", "lock", "wangwu"], "", "account.last_admin"),
        (["user", "add", "wangwu"], f"{PASSWORD}\n", "account.name_taken"),
    ],
)
def test_what_cannot_be_is_one_sentence_in_each_language(
    data: Path, arguments: list[str], typed: str, key: str
) -> None:
    add(data, "wangwu", "--role", "admin")
    refused = kb(data, *arguments, typed=typed)

    assert refused.exit_code == 2
    assert refused.stdout == "" and f"[{key}]" in refused.stderr


def test_no_password_is_ever_an_argument() -> None:
    group = main.commands["user"]
    options = {flag for command in group.commands.values() for param in command.params for flag in param.opts}  # type: ignore[attr-defined]

    assert not {flag for flag in options if "password" in flag and flag != "--keep-password"}


def test_a_deletion_is_asked_about(data: Path) -> None:
    add(data)

    assert kb(data, "user", "delete", "zhangsan", typed="n\n").exit_code != 0
    assert list(listed(data)) == ["zhangsan"]


def test_the_audit_log_names_the_user_of_the_system(data: Path) -> None:
    assert re.fullmatch(r"cli:[\w.-]+", opening.actor().name)


# --- serving ----------------------------------------------------------------------------------------------------


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """`kb serve` without serving: what it would print after it listens."""
    lines: list[str] = []

    def serve(_app: object, settings: Settings, *, say: object) -> None:
        say(f"党建学习知识库: http://{settings.host}:8000/   (Ctrl+C 停止 · stops)")  # type: ignore[operator]
        say("a second line with http://x/")  # type: ignore[operator]

    monkeypatch.setattr(server, "serve", serve)
    monkeypatch.setattr(opening, "kernels", lambda: None)
    monkeypatch.setattr(opening, "spare_memory", lambda: None)
    yield lines


@pytest.mark.usefixtures("said")
def test_serve_prints_the_way_to_the_first_administrator_until_there_is_one(data: Path) -> None:
    first = kb(data, "serve").stdout
    second = kb(data, "serve").stdout
    add(data, "wangwu", "--role", "admin")
    third = kb(data, "serve").stdout

    tokens = [
        re.findall(r"http://127\.0\.0\.1:8000/first\?token=([\w-]{43})", one)
        for one in (first, second, third)
    ]
    assert [len(found) for found in tokens] == [1, 1, 0]
    assert tokens[0] != tokens[1]


@pytest.mark.usefixtures("said")
def test_others_reach_a_server_with_an_administrator_or_by_express_wish(data: Path) -> None:
    wide = ("serve", "--host", "0.0.0.0")  # noqa: S104  that is the question

    def outcome(*options: str) -> str:
        answer = kb(data, *wide, *options)
        found = re.search(r"\[(serve\.\w+)\]", answer.output)
        return found[1] if found else str(answer.exit_code)

    nobody = outcome(), outcome("--yes-open")
    add(data)
    no_admin = outcome(), outcome("--yes-open")
    add(data, "wangwu", "--role", "admin")
    with_admin = outcome()

    assert (nobody, no_admin, with_admin) == (("serve.open", "0"), ("serve.no_admin", "serve.no_admin"), "0")
