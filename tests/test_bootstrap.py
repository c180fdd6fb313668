"""scripts/: the set-up that runs before anything is installed. Nothing here uses the network or touches .venv."""

from __future__ import annotations

import ast
import hashlib
import http.server
import importlib.util
import json
import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
WHEEL = b"PK the bytes of pip's wheel"


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """scripts/bootstrap.py, loaded from its file, working on a checkout that has locks and nothing else."""
    spec = importlib.util.spec_from_file_location("kb_bootstrap", ROOT / "scripts" / "bootstrap.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    root = tmp_path / "check out"
    (root / "requirements").mkdir(parents=True)
    for kind in ("build", "base", "test", "bench"):
        (root / "requirements" / f"{kind}.lock").write_text(f"{kind}==1\n", encoding="utf-8")
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_", "KB_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("HOME", str(tmp_path))
    places = {"ROOT": root, "VENV": root / ".venv", "LOCKS": root / "requirements"}
    places |= {"WHEELS": root / "vendor" / "wheels", "SAMPLES": root / "scripts" / "load_samples.py"}
    for name, value in places.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(module, "PIP_SHA256", hashlib.sha256(WHEEL).hexdigest())
    monkeypatch.setattr(module, "FETCH_PAUSES", (0.0, 0.0))
    return module


@pytest.fixture
def installed(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the locks that set-up would install, in order; nothing is installed."""
    names: list[str] = []
    monkeypatch.setattr(bootstrap, "install", lambda lock: names.append(lock.name))
    monkeypatch.setattr(bootstrap, "run", lambda command: None)
    return names


@pytest.fixture
def compiled(bootstrap: ModuleType, installed: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The modules that set-up runs; the kernels appear when their module is run."""
    modules: list[str] = []

    def run(command: list[str]) -> None:
        modules.append(command[2])
        if command[2] == "kb.engine.warm_up":
            (bootstrap.VENV / "var" / "kb-kernels" / "0123").mkdir(parents=True, exist_ok=True)

    engine = bootstrap.ROOT / "kb" / "engine"
    engine.mkdir(parents=True)
    (engine / "best.py").write_text("", encoding="utf-8")
    monkeypatch.setattr(bootstrap, "run", run)
    return modules


# --- locks ------------------------------------------------------------------------------------------------------


def pins(name: str) -> dict[str, str]:
    """{package: version} of a lock."""
    text = (LOCKS / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["build.lock", "base.lock", "test.lock", "bench.lock"])
def test_every_locked_package_has_a_hash_and_no_lock_names_a_host(name: str) -> None:
    text = (LOCKS / name).read_text(encoding="utf-8")
    entries = re.findall(
        r"^[a-z0-9-]+==[^\n]*\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.MULTILINE
    )

    assert len(entries) == len(pins(name)) > 0
    assert not re.search(r"://|index-url|find-links|trusted-host", text)


@pytest.mark.parametrize("name", ["test.lock", "bench.lock"])
def test_the_larger_locks_hold_the_base_lock(name: str) -> None:
    assert pins("base.lock").items() <= pins(name).items()


def test_pip_is_the_one_of_the_lock() -> None:
    source = (ROOT / "scripts" / "bootstrap.py").read_text(encoding="utf-8")
    written = re.search(
        r'PIP_SHA256 = "([0-9a-f]{64})"\nPIP_WHEEL = "pip-([0-9.]+)-py3-none-any.whl"', source
    )
    assert written

    assert written[2] == pins("build.lock")["pip"]
    assert f"--hash=sha256:{written[1]}" in (LOCKS / "build.lock").read_text(encoding="utf-8")


def test_jieba_is_built_with_a_locked_setuptools_that_needs_no_wheel_package() -> None:
    assert int(pins("build.lock")["setuptools"].split(".")[0]) >= 71


# --- the scripts themselves -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["up", "test", "check"])
def test_the_commands_are_a_few_lines_of_sh_that_hand_over_to_bootstrap(name: str) -> None:
    text = (ROOT / "scripts" / name).read_text(encoding="utf-8")

    assert text.startswith("#!/bin/sh\n")
    assert len(text.splitlines()) <= 6
    assert text.rstrip().endswith(f'bootstrap.py" {name} "$@"')


def test_an_old_python_can_read_the_file_that_says_it_is_too_old() -> None:
    source = (ROOT / "scripts" / "bootstrap.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 7))
    check = next(number for number, node in enumerate(tree.body) if "version_info" in ast.unparse(node))

    assert not any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body[:check])
    assert "from __future__ import annotations" not in source


def test_nothing_but_the_standard_library_is_imported() -> None:
    for name in ("bootstrap.py", "reindex_new.py"):
        tree = ast.parse((ROOT / "scripts" / name).read_text(encoding="utf-8"))
        imported = {
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        }
        imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

        assert {module.split(".")[0] for module in imported} <= sys.stdlib_module_names


def test_no_script_asks_for_root_or_installs_system_packages() -> None:
    for name in ("up", "test", "check", "bootstrap.py", "load_samples.py", "reindex_new.py"):
        code = (ROOT / "scripts" / name).read_text(encoding="utf-8")

        assert not re.search(r"\bsudo\b|apt-get|\bapt\b(?! install ca-certificates| install python3\))", code)


# --- whether set-up is needed -----------------------------------------------------------------------------------


def test_a_finished_set_up_is_not_repeated(bootstrap: ModuleType, installed: list[str]) -> None:
    bootstrap.set_up("base")
    first = installed.copy()
    bootstrap.set_up("base")

    assert first == ["build.lock", "base.lock"]
    assert installed == first


def test_the_test_tools_are_added_to_a_finished_environment(
    bootstrap: ModuleType, installed: list[str]
) -> None:
    bootstrap.set_up("base")
    kept = bootstrap.VENV / "kept"
    kept.touch()
    bootstrap.set_up("test")
    bootstrap.set_up("base")
    bootstrap.set_up("test")

    assert installed == ["build.lock", "base.lock", "build.lock", "test.lock"]
    assert kept.exists()


def test_an_interrupted_set_up_starts_again_from_nothing(
    bootstrap: ModuleType, installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(lock: Path) -> None:
        (bootstrap.VENV / "half-installed").touch()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(bootstrap, "install", interrupted)
        assert bootstrap.main(["up", "--no-serve"]) == 130
    bootstrap.set_up("base")

    assert installed == ["build.lock", "base.lock"]
    assert not (bootstrap.VENV / "half-installed").exists()


@pytest.mark.parametrize("change", ["lock", "bits", "stamp", "python"])
def test_a_changed_lock_or_damaged_environment_is_made_again(
    bootstrap: ModuleType, installed: list[str], monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    bootstrap.set_up("base")
    installed.clear()
    if change == "lock":
        (bootstrap.LOCKS / "base.lock").write_text("base==2\n", encoding="utf-8")
    elif change == "bits":
        bootstrap.program("kb").chmod(0o644)
    elif change == "stamp":
        bootstrap.stamp_file().write_text("[", encoding="utf-8")
    else:
        monkeypatch.setattr(bootstrap.sys, "base_prefix", "/opt/other-python")
    bootstrap.set_up("base")

    assert installed == ["build.lock", "base.lock"]


def test_the_kernels_are_compiled_as_a_step_of_their_own_and_only_once(
    bootstrap: ModuleType, compiled: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap.set_up("base")
    first, said = compiled.copy(), capsys.readouterr().out
    bootstrap.set_up("base")

    assert first == compiled == ["compileall", "kb.engine.warm_up"]
    assert "[5/5] 编译检索内核 · compile the search kernels … " in said
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("change", ["sources", "lock", "removed", "interrupted"])
def test_kernels_are_compiled_again_when_what_they_come_from_has_changed(
    bootstrap: ModuleType, compiled: list[str], monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    bootstrap.set_up("base")
    compiled.clear()
    if change == "sources":
        (bootstrap.ROOT / "kb" / "engine" / "best.py").write_text("ANY = 1", encoding="utf-8")
    elif change == "lock":
        (bootstrap.LOCKS / "base.lock").write_text("numba==2\n", encoding="utf-8")
    elif change == "removed":
        bootstrap.shutil.rmtree(bootstrap.VENV / "var")
    else:
        stamp = json.loads(bootstrap.stamp_file().read_text(encoding="utf-8"))
        bootstrap.write_stamp({name: value for name, value in stamp.items() if name != "kernels"})
    bootstrap.set_up("base")

    assert compiled == ["compileall", "kb.engine.warm_up"]


def test_set_up_does_not_finish_when_the_kernels_cannot_be_compiled(
    bootstrap: ModuleType, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(command: list[str]) -> None:
        raise bootstrap.SetupError("no memory")

    with monkeypatch.context() as patch:
        patch.setattr(bootstrap, "run", fails)
        with pytest.raises(bootstrap.SetupError, match="no memory"):
            bootstrap.set_up("base")
    bootstrap.set_up("base")

    assert compiled == ["compileall", "kb.engine.warm_up"]


def test_a_second_set_up_waits_for_the_first(
    bootstrap: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    with bootstrap.one_at_a_time():
        waiting = threading.Thread(target=lambda: bootstrap.one_at_a_time().__enter__(), daemon=True)
        waiting.start()
        waiting.join(0.2)
        waited = waiting.is_alive()
    waiting.join(5)

    assert waited and not waiting.is_alive()
    assert "另一个安装正在进行" in capfd.readouterr().out


def test_a_failed_set_up_says_why_and_what_to_do_in_both_languages(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: None)
    code = bootstrap.main(["up", "--no-serve"])
    said = capsys.readouterr().err

    assert code == 1
    assert "安装没有完成" in said and "set-up did not finish" in said
    assert "PIP_INDEX_URL" in said and "apt install" in said


# --- the command ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["plain", "with space", "党建", "long-" + "x" * 120])
def test_the_command_starts_from_any_checkout_path(
    bootstrap: ModuleType, tmp_path: Path, folder: str
) -> None:
    bootstrap.ROOT = tmp_path / folder
    bootstrap.VENV = bootstrap.ROOT / ".venv"
    (bootstrap.ROOT / "kb").mkdir(parents=True)
    (bootstrap.ROOT / "kb" / "cli.py").write_text("def main(): print('kb runs')\n", encoding="utf-8")
    bootstrap.venv.create(bootstrap.VENV, with_pip=False, symlinks=True)
    bootstrap.write_command()
    answer = subprocess.run([bootstrap.program("kb")], cwd="/", capture_output=True, text=True, check=True)

    assert answer.stdout == "kb runs\n"
    assert stat.S_IMODE(bootstrap.program("kb").stat().st_mode) == 0o755


# --- pip's own wheel --------------------------------------------------------------------------------------------


class Index(http.server.BaseHTTPRequestHandler):
    """A package index that has pip's wheel and, at /broken/, one with other bytes; /private/ asks for a password."""

    seen: list[str | None]
    wheel_name: str

    def do_GET(self) -> None:
        self.seen.append(self.headers["Authorization"])
        if self.path.startswith("/private/") and not self.headers["Authorization"]:
            self.send_error(401)
            return
        self.send_response(200)
        self.end_headers()
        if self.path.endswith(".whl"):
            self.wfile.write(b"other" if self.path.startswith("/broken/") else WHEEL)
        else:
            self.wfile.write(
                f'<a href="{self.wheel_name}#sha256=0">pip</a><a href="pip-1.tar.gz">x</a>'.encode()
            )

    def log_message(self, format: str, *args: object) -> None:
        """Nothing to say."""


@pytest.fixture
def index(bootstrap: ModuleType) -> Iterator[str]:
    """host:port of an `Index`."""
    handler = type("Handler", (Index,), {"seen": [], "wheel_name": bootstrap.PIP_WHEEL})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_pip_comes_from_the_index_that_pip_is_told(
    bootstrap: ModuleType, index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = tmp_path / "pip.conf"
    configuration.write_text(f"[global]\nindex-url = http://{index}/simple/\n", encoding="utf-8")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))

    assert bootstrap.fetch_pip(tmp_path).read_bytes() == WHEEL


def test_the_environment_outranks_the_configuration_file(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = tmp_path / ".config" / "pip" / "pip.conf"
    configuration.parent.mkdir(parents=True)
    configuration.write_text("[global]\nindex-url = http://file.example/\ncert = /a.pem\n", encoding="utf-8")
    monkeypatch.setenv("PIP_INDEX_URL", "http://environment.example/")

    assert bootstrap.setting("index-url") == "http://environment.example/"
    assert bootstrap.setting("cert") == "/a.pem"
    assert bootstrap.setting("find-links") == ""


def test_a_wheel_with_another_hash_is_never_used(
    bootstrap: ModuleType, index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"http://{index}/broken/")

    with pytest.raises(bootstrap.SetupError, match="sha256 differs"):
        bootstrap.fetch_pip(tmp_path)
    assert not (tmp_path / bootstrap.PIP_WHEEL).exists()


def test_a_password_in_the_index_address_goes_into_the_header_and_not_into_messages(
    bootstrap: ModuleType, index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"http://reader:p%40ss@{index}/private/simple/")
    wheel = bootstrap.fetch_pip(tmp_path).read_bytes()
    monkeypatch.setenv("PIP_INDEX_URL", "http://reader:p%40ss@127.0.0.1:9/simple/")

    assert wheel == WHEEL
    with pytest.raises(bootstrap.SetupError) as caught:
        bootstrap.fetch_pip(tmp_path)
    assert "reader" not in str(caught.value) and "p%40ss" not in str(caught.value)


def test_an_offline_set_of_packages_is_used_and_no_index_is_asked(
    bootstrap: ModuleType, index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"http://{index}/broken/")
    bootstrap.WHEELS.mkdir(parents=True)
    (bootstrap.WHEELS / bootstrap.PIP_WHEEL).write_bytes(WHEEL)

    assert bootstrap.fetch_pip(tmp_path).read_bytes() == WHEEL
    assert bootstrap.offline_options() == ["--no-index", "--find-links", str(bootstrap.WHEELS)]
    assert len(bootstrap.pip_places()) == 1


def test_a_find_links_folder_is_looked_into_before_the_index(
    bootstrap: ModuleType, index: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"http://{index}/broken/")
    monkeypatch.setenv("PIP_FIND_LINKS", f"{tmp_path}/none {tmp_path}/wheels")
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / bootstrap.PIP_WHEEL).write_bytes(WHEEL)

    assert bootstrap.fetch_pip(tmp_path).read_bytes() == WHEEL


def test_ensurepip_is_the_second_way_where_the_wheel_cannot_be_had(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(bootstrap, "run", commands.append)
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: object())
    bootstrap.put_pip()

    assert commands == [[str(bootstrap.program("python")), "-m", "ensurepip", "--default-pip"]]


def test_uv_is_used_when_found_and_pip_when_uv_does_not_manage(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str]) -> None:
        commands.append(command)
        if command[0] == "/opt/uv":
            raise bootstrap.SetupError("too old")

    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: "/opt/uv")
    monkeypatch.setattr(bootstrap, "run", run)
    monkeypatch.setattr(bootstrap, "put_pip", lambda: commands.append(["pip is put"]))
    bootstrap.install(bootstrap.LOCKS / "base.lock")

    assert [command[0] for command in commands] == ["/opt/uv", "pip is put", str(bootstrap.program("python"))]
    assert all(
        "--require-hashes" in command and "--no-build-isolation" in command for command in commands[::2]
    )


def test_a_failed_installer_shows_its_last_lines_and_where_the_rest_is(bootstrap: ModuleType) -> None:
    bootstrap.VENV.mkdir()
    failing = [sys.executable, "-c", "print('x' * 9); import sys; sys.exit('no space left')"]

    with pytest.raises(bootstrap.SetupError) as caught:
        bootstrap.run(failing)
    assert "no space left" in str(caught.value)
    assert "xxxxxxxxx" in (bootstrap.VENV / "kb-setup.log").read_text(encoding="utf-8")


# --- verbs ------------------------------------------------------------------------------------------------------


@pytest.fixture
def calls(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that a verb runs after set-up; the last may be the one it becomes."""
    made: list[list[str]] = []

    def call(command: list[str], **options: object) -> int:
        made.append([str(part) for part in command])
        return 0

    monkeypatch.setattr(bootstrap, "set_up", lambda kind: (bootstrap.ROOT / "data").mkdir(exist_ok=True))
    monkeypatch.setattr(bootstrap.subprocess, "call", call)
    monkeypatch.setattr(bootstrap.os, "execv", lambda path, command: call(command))
    return made


def test_up_loads_the_samples_once_then_serves_with_the_flags_it_was_given(
    bootstrap: ModuleType, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_DATA", "")  # so that what the verb sets is taken back after the test
    monkeypatch.delenv("KB_DATA")
    bootstrap.main(["up", "--host", "0.0.0.0", "--port", "8123", "--yes-open"])  # noqa: S104
    bootstrap.main(["up", "--no-serve"])
    kb = str(bootstrap.program("kb"))

    assert calls == [
        [str(bootstrap.program("python")), str(bootstrap.SAMPLES)],
        [kb, "serve", "--yes-open", "--host", "0.0.0.0", "--port", "8123"],  # noqa: S104
    ]
    assert os.environ["KB_DATA"] == str(bootstrap.ROOT / "data")


def test_samples_that_did_not_load_are_loaded_again_at_the_next_start(
    bootstrap: ModuleType, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (bootstrap.ROOT / "data").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(bootstrap.subprocess, "call", lambda command: 1)
        code = bootstrap.load_samples(bootstrap.ROOT / "data")

    assert code == 1
    assert bootstrap.load_samples(bootstrap.ROOT / "data") == 0
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], ["-n", "auto", "-m", "not slow"]),
        (["--all"], ["-n", "auto"]),
        (["--strict"], ["-n", "auto", "-m", "not slow", "-p", "tests.strict"]),
        (["tests/text", "-k", "fold"], ["-n", "auto", "-m", "not slow", "tests/text", "-k", "fold"]),
    ],
)
def test_test_runs_pytest_last(
    bootstrap: ModuleType, calls: list[list[str]], given: list[str], expected: list[str]
) -> None:
    bootstrap.main(["test", *given])

    assert calls[-1] == [str(bootstrap.program("python")), "-m", "pytest", *expected]
    assert len(calls) == (4 if "--strict" in given else 1)


def test_tests_never_see_the_settings_of_the_person_who_runs_them(
    bootstrap: ModuleType, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, str] = {}
    monkeypatch.setenv("KB_DATA", "/srv/kb-data")
    monkeypatch.setattr(bootstrap.subprocess, "call", lambda command, cwd, env: seen.update(env) or 0)
    bootstrap.main(["test"])

    assert "PATH" in seen and "KB_DATA" not in seen


def test_a_linter_that_fails_fails_the_strict_run_although_the_tests_pass(
    bootstrap: ModuleType, calls: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        bootstrap.subprocess, "call", lambda command, **options: 1 if "mypy" in command else 0
    )

    assert bootstrap.main(["test", "--strict"]) == 1
    assert bootstrap.main(["check"]) == 1
    assert bootstrap.main(["test"]) == 0


# --- strict -----------------------------------------------------------------------------------------------------


def test_strict_turns_every_kind_of_skip_into_a_failure_and_leaves_xfail_alone(tmp_path: Path) -> None:
    (tmp_path / "test_skips.py").write_text(
        "import pytest\n"
        "@pytest.fixture\n"
        "def browser(): pytest.skip('no Chromium on PATH')\n"
        "def test_by_fixture(browser): pass\n"
        "@pytest.mark.skip(reason='marked')\n"
        "def test_marked(): pass\n"
        "@pytest.mark.xfail(reason='known')\n"
        "def test_expected(): assert False\n"
        "def test_passes(): pass\n",
        encoding="utf-8",
    )
    (tmp_path / "test_module.py").write_text(
        "import pytest\npytest.importorskip('no_such_module')\n", encoding="utf-8"
    )
    plain = run_pytest(tmp_path)
    strict = run_pytest(
        tmp_path, "-p", "tests.strict", "-p", "xdist", "-n", "1", "--continue-on-collection-errors"
    )

    assert plain.returncode == 0 and "1 passed, 3 skipped, 1 xfailed" in plain.stdout
    assert strict.returncode == 1 and "1 passed" in strict.stdout and "1 xfailed" in strict.stdout
    assert "skipped" not in strict.stdout.splitlines()[-1] and "no Chromium on PATH" in strict.stdout


def run_pytest(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """pytest on the tests of `folder`, away from this project's configuration."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        os.devnull,
        "--rootdir",
        str(folder),
        "-p",
        "no:cacheprovider",
    ]
    return subprocess.run(
        [*command, *options, str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )


# --- for cron ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "shown"), [(0, "said"), (4, ""), (5, "said")])
def test_reindex_new_passes_exit_codes_on_and_is_quiet_while_another_run_is_active(
    tmp_path: Path, code: int, shown: str
) -> None:
    script = tmp_path / "scripts" / "reindex_new.py"
    kb = tmp_path / ".venv" / "bin" / "kb"
    for path, text in ((script, (ROOT / "scripts" / "reindex_new.py").read_text(encoding="utf-8")), (kb, "")):
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    kb.write_text(f'#!/bin/sh\necho "$KB_DATA $*"\necho said >&2\nexit {code}\n', encoding="utf-8")
    kb.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "KB_DATA"}
    answer = subprocess.run(
        [sys.executable, script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )

    assert answer.returncode == code
    assert answer.stdout == f"{tmp_path}/data reindex --new\n"
    assert answer.stderr.strip() == shown


# --- what is installed ------------------------------------------------------------------------------------------


def test_a_wheel_carries_templates_corpus_and_documents_and_finds_them(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    wheel = next(tmp_path.glob("kb-*.whl"))
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(wheel), str(tmp_path / "site")], check=True)
    question = "import kb.config, json; print(json.dumps([str(kb.config.shipped(n)) for n in ('templates', 'corpus', 'docs')]))"
    answer = subprocess.run(
        [sys.executable, "-c", question],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "site"), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(answer.stdout) == [
        str(tmp_path / "site" / "kb" / name) for name in ("templates", "corpus", "docs")
    ]
    assert any((tmp_path / "site" / "kb" / "templates").iterdir())
    assert any((tmp_path / "site" / "kb" / "corpus").iterdir())
    assert (tmp_path / "site" / "kb" / "docs" / "operations.md").exists()
