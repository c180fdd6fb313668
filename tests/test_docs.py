"""The documents say what the code does: every setting, command, option and error key, both ways; no dead reference."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from kb import cli, errors
from kb.config import Settings

ROOT = Path(__file__).resolve().parent.parent
OPERATIONS = ROOT / "docs" / "operations.md"
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
UNITS = sorted((ROOT / "scripts" / "systemd").iterdir())


def rows(heading: str) -> list[str]:
    """The rows of the first table under the heading that ends with `heading`, without its head."""
    section = re.search(
        rf"^#+ [^\n]*{re.escape(heading)}\n(.*?)(?=^#|\Z)", text(OPERATIONS), re.MULTILINE | re.DOTALL
    )
    assert section, heading
    return [line for line in section[1].splitlines() if line.startswith("|")][2:]


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


# --- tables -----------------------------------------------------------------------------------------------------


def test_every_setting_is_documented_with_its_default_and_help() -> None:
    expected = []
    for name, field in Settings.model_fields.items():
        default = f"`{field.default}`" if field.default not in (None, "") else "—"
        expected.append(f"| `KB_{name.upper()}` | {default} | {field.description} |")

    assert rows("Settings") == expected


def test_every_error_is_documented_with_its_words() -> None:
    expected = [f"| `{key}` | {words['zh']} |" for key, words in errors.WORDS.items()]

    assert rows("Errors") == expected


def test_every_command_is_documented_with_its_options() -> None:
    expected = {name: sorted(options(command)) for name, command in commands(cli.main, "kb")}
    documented = {}
    for row in rows("Commands"):
        name, given, _ = row.strip("| ").split(" | ")
        documented[re.split(r" [A-Z\[]", name.strip("`"))[0]] = sorted(re.findall(r"--[a-z-]+", given))

    assert documented == expected


def test_every_exit_code_is_documented() -> None:
    documented = {int(row.split("|")[1]) for row in rows("Exit codes")}
    raised = {kind.exit_code for kind in [errors.KbError, *errors.KbError.__subclasses__()]}

    assert documented == {0, 130} | raised


def commands(group: click.Group, prefix: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


def options(command: click.Command) -> set[str]:
    """The long options of a command, without those that are for kb itself."""
    shown = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
    flags = {flag for param in shown for flag in param.opts}
    return {flag for flag in flags if flag.startswith("--")}


# --- words that name things -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_names_only_what_exists(path: Path) -> None:
    known = {name.split()[1] for name, _ in commands(cli.main, "kb")}
    verbs = set(re.findall(r"`(?:[A-Z_]+=\S+ )?(?:\S*/)?kb ([a-z]+)", text(path)))
    settings = set(re.findall(r"\bKB_[A-Z_]+\b", text(path)))
    scripts = {name.rstrip(".") for name in re.findall(r"\bscripts/[\w./-]*\w", text(path))}
    links = {link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text(path)) if "://" not in link}

    assert verbs <= known
    assert settings <= {f"KB_{name.upper()}" for name in Settings.model_fields}
    assert [name for name in scripts if not (ROOT / name).exists()] == []
    assert [link for link in links if link and not (path.parent / link).exists()] == []


# --- systemd units ----------------------------------------------------------------------------------------------

SANDBOX = {
    "NoNewPrivileges": "yes",
    "PrivateTmp": "yes",
    "ProtectHome": "yes",
    "ProtectSystem": "strict",
    "SystemCallArchitectures": "native",
    "UMask": "0077",
}


def unit(path: Path) -> configparser.RawConfigParser:
    """A unit file; a key given twice keeps its last value."""
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    parser.read_string(text(path))
    return parser


@pytest.mark.parametrize(
    "path", [path for path in UNITS if path.suffix == ".service"], ids=lambda path: path.name
)
def test_a_service_runs_an_existing_command_in_a_sandbox(path: Path) -> None:
    service = unit(path)["Service"]
    program, *arguments = service["ExecStart"].split()
    known = {name.split()[1] for name, _ in commands(cli.main, "kb")}

    assert {key: service.get(key) for key in SANDBOX} == SANDBOX
    assert {"MemoryMax", "SystemCallFilter", "IPAddressDeny", "CapabilityBoundingSet"} <= set(service)
    assert program == "/opt/kb/.venv/bin/kb"
    assert arguments[0] in known


@pytest.mark.parametrize(
    "path", [path for path in UNITS if path.suffix == ".timer"], ids=lambda path: path.name
)
def test_a_timer_starts_a_service_that_is_there(path: Path) -> None:
    assert path.with_suffix(".service") in UNITS
    assert unit(path)["Install"]["WantedBy"] == "timers.target"


def test_the_operations_manual_names_every_unit() -> None:
    assert [path.name for path in UNITS if path.name not in text(OPERATIONS)] == []
