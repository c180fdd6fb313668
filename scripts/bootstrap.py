"""Make .venv from the locks, then run a verb: up, test, check or bench. Standard library only.

Nothing unlocked enters .venv: packages are installed with --require-hashes, pip itself is compared with
PIP_SHA256 below, and jieba (published as source only) is built with the setuptools of build.lock.
`.venv/kb-setup.json` is written last; where it is missing or tells of other locks, .venv is made again from
nothing, so an interrupted set-up repairs itself at the next start.
"""

import argparse
import base64
import configparser
import contextlib
import fcntl
import hashlib
import html
import importlib.util
import json
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.parse
import urllib.request
import venv
from pathlib import Path

# Before every definition, and the file keeps to the syntax of Python 3.6, so that an old Python can say it.
if sys.version_info < (3, 11):
    for newer in ("python3.13", "python3.12", "python3.11"):
        if shutil.which(newer):
            os.execvp(newer, [newer] + sys.argv)
    sys.stderr.write(
        "kb 需要 Python 3.11 或更新版本,这里的 python3 是 {0}。没有改动任何文件;安装后重新运行即可。\n"
        "kb needs Python 3.11 or newer; python3 here is {0}. Nothing was changed; install it, run again.\n"
        "(Debian 12: apt install python3)\n".format(platform.python_version())
    )
    sys.exit(3)

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCKS = ROOT / "requirements"
WHEELS = ROOT / "vendor" / "wheels"  # an offline set of packages: when it exists, no index is asked
SAMPLES = ROOT / "scripts" / "load_samples.py"

# tests/test_bootstrap.py holds these equal to requirements/build.lock.
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
PIP_WHEEL = "pip-26.3-py3-none-any.whl"

LAYOUT = 1  # raised when .venv must be made again although no lock has changed
FETCH_SECONDS = 60.0
FETCH_PAUSES = (0.0, 1.0, 3.0)  # seconds before each try

LAUNCHER = """\
import sys
from kb.cli import main
if __name__ == "__main__":
    sys.argv[0] = "kb"
    sys.exit(main())
"""

HINT = """\
修好后再次运行即可;已有数据不受影响。没有外网时,用 PIP_INDEX_URL 指定内网镜像(证书用 PIP_CERT),
或把锁定的包放进 {wheels}。
Mend that and run again; your data is not touched. Without internet, name a mirror in PIP_INDEX_URL (its
certificate in PIP_CERT), or put the locked packages into {wheels} (docs/operations.md).
可选 · optional on Debian: apt install ca-certificates python3-venv"""


class SetupError(Exception):
    """Set-up cannot go on; the message says why."""


# --- what .venv is to be, and whether it is that already -------------------------------------------------


def program(name: str) -> Path:
    """A program of .venv."""
    return VENV / "bin" / name


def stamp_file() -> Path:
    return VENV / "kb-setup.json"


def locks(kind: str) -> "list[Path]":
    """The lock files of `kind` (base, test, bench) in the order of installing; the last two hold all of base.lock."""
    return [LOCKS / "build.lock", LOCKS / f"{kind}.lock"]


def fingerprint(kind: str) -> str:
    """Hash of all that shapes .venv for `kind`: its locks, Python, machine and place."""
    facts = [LAYOUT, kind, sys.version_info[:2], sys.base_prefix, platform.machine(), str(ROOT)]
    digest = hashlib.sha256(repr(facts).encode())
    for lock in locks(kind):
        digest.update(lock.read_bytes())
    return digest.hexdigest()


def finished() -> "dict[str, str]":
    """What the last set-up that came to its end has left: {"base": fingerprint, "test": fingerprint}."""
    try:
        stamp = json.loads(stamp_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    # A copied tree may have lost the executable bits or the Python that .venv points to.
    usable = all(os.access(program(name), os.X_OK) for name in ("python", "kb"))
    return stamp if usable and isinstance(stamp, dict) else {}


def kernels() -> str:
    """Hash of all that shapes the compiled search kernels, or "" when there are none in .venv."""
    if not (VENV / "var" / "kb-kernels").is_dir():
        return ""
    digest = hashlib.sha256(fingerprint("base").encode())
    for source in sorted((ROOT / "kb" / "engine").glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def write_stamp(stamp: "dict[str, str]") -> None:
    """Say how far set-up came: whole or not at all."""
    partial = stamp_file().with_suffix(".partial")
    partial.write_text(json.dumps(stamp), encoding="utf-8")
    partial.replace(stamp_file())


# --- making .venv ----------------------------------------------------------------------------------------


def set_up(kind: str) -> None:
    """Make .venv for `kind`, unless it is that already; only one process at a time. Raises SetupError."""
    try:
        with one_at_a_time():
            done = finished()
            if done.get(kind) != fingerprint(kind):
                make(kind, fresh=done.get("base") != fingerprint("base"))
            done = finished()
            if not kernels() or done.get("kernels") != kernels():
                compile_kernels(done)
    except OSError as error:
        raise SetupError(str(error)) from error


def make(kind: str, *, fresh: bool) -> None:
    """Make .venv for `kind`: from nothing, or by adding to a finished one. Raises SetupError."""
    with step(1, f"Python {platform.python_version()}"):
        stamp_file().unlink(missing_ok=True)  # until the end, an interruption leaves no stamp
    with step(2, "建立 .venv · make .venv" if fresh else "沿用 .venv · keep .venv"):
        if fresh:
            venv.create(VENV, with_pip=False, clear=True, symlinks=True)
    with step(3, "安装依赖,逐个核对哈希 · install the locked packages"):
        for lock in locks(kind):
            install(lock)
    with step(4, "命令 .venv/bin/kb · the command .venv/bin/kb"):
        write_command()
        write_stamp({"base": fingerprint("base"), kind: fingerprint(kind)})


def compile_kernels(stamp: "dict[str, str]") -> None:
    """Compile kb's modules and, unless they are there already, its search kernels. Raises SetupError."""
    with step(5, "编译检索内核 · compile the search kernels"):
        # Bytecode also for those who may not write into the checkout, or are told not to write any.
        run([str(program("python")), "-m", "compileall", "-q", str(ROOT / "kb")])
        run([str(program("python")), "-m", "kb.engine.warm_up"])
        write_stamp(dict(stamp, kernels=kernels()))


def install(lock: Path) -> None:
    """Install one lock: with uv where it is on PATH and manages, else with pip. Raises SetupError."""
    options = ["--require-hashes", "--no-build-isolation", *offline_options(), "-r", str(lock)]
    uv = shutil.which("uv")
    if uv and not no_index():
        with contextlib.suppress(SetupError):
            run([uv, "pip", "install", "--python", str(program("python")), "--compile-bytecode", *options])
            return
    if not program("pip").exists():
        put_pip()
    run([str(program("python")), "-m", "pip", "install", *options])


def put_pip() -> None:
    """pip into .venv: its own wheel is its installer; ensurepip, where the system has it, is the second way.

    In this order because the wheel works on every machine (Debian without python3-venv has no ensurepip) and
    is the same pip on each. Raises SetupError.
    """
    try:
        wheel = fetch_pip(VENV)
        run([str(program("python")), f"{wheel}/pip", "install", "--no-index", "--no-deps", str(wheel)])
        wheel.unlink()
    except SetupError:
        if importlib.util.find_spec("ensurepip") is None:
            raise
        run([str(program("python")), "-m", "ensurepip", "--default-pip"])


def write_command() -> None:
    """Make the checkout importable in .venv, and write .venv/bin/kb."""
    places = {"base": str(VENV), "platbase": str(VENV)}
    packages = Path(sysconfig.get_path("purelib", "venv", places))
    # Relative, so that no character of the path depends on the locale in which Python reads this file.
    (packages / "kb-checkout.pth").write_text(os.path.relpath(ROOT, packages) + "\n", encoding="ascii")
    command = program("kb")
    command.write_bytes(os.fsencode(shebang(str(program("python"))) + LAUNCHER))
    command.chmod(0o755)


def shebang(python: str) -> str:
    """First line of a Python program; over sh where the kernel would cut the path or split it at a space."""
    if len(os.fsencode(python)) <= 120 and " " not in python:
        return f"#!{python}\n"
    return "#!/bin/sh\n'''exec' \"" + python + '" "$0" "$@"\n' + "' '''\n"


# --- running programs ------------------------------------------------------------------------------------


@contextlib.contextmanager
def step(number: int, words: str):
    """Print `[2/5] words …`, then the seconds it took."""
    started = time.monotonic()
    print(f"[{number}/5] {words} … ", end="", flush=True)
    yield
    print(f"{time.monotonic() - started:.1f} s", flush=True)


@contextlib.contextmanager
def one_at_a_time():
    """Hold a lock on the checkout; wait, and say so, while another set-up runs in it.

    Installers inherit the lock: one that outlives a killed set-up is waited for, too.
    """
    folder = os.open(LOCKS, os.O_RDONLY)
    os.set_inheritable(folder, True)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("另一个安装正在进行,等它结束 … · another set-up is running, waiting for it …", flush=True)
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def run(command: "list[str]") -> None:
    """Run an installer, its output kept in .venv/kb-setup.log. Raises SetupError with its last lines."""
    lines = []
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    pipes["close_fds"] = False  # no file of ours is inheritable, except the lock
    with open(VENV / "kb-setup.log", "a", encoding="utf-8") as log:
        with subprocess.Popen(command, env=installer_environment(), **pipes) as process:
            for line in process.stdout:
                log.write(line)
                lines = [*lines[-14:], line]
                show_progress(line)
    show_progress("")
    if process.returncode:
        raise SetupError("".join(lines).rstrip() + f"\n({VENV / 'kb-setup.log'})")


def show_progress(line: str) -> None:
    """On a terminal, show the package that pip is at, behind the words of the step; "" takes it away."""
    if sys.stdout.isatty() and (not line or line.startswith(("Collecting ", "Building ", "Installing "))):
        package = line.split(" (")[0].strip()[:50]
        print(f"\033[s{package}\033[K\033[u", end="", flush=True)


def installer_environment() -> "dict[str, str]":
    """The environment of pip, uv and the compiler: as configured, without what would lead packages elsewhere."""
    elsewhere = {"PYTHONHOME", "PYTHONPATH", "NUMBA_CACHE_DIR"}
    environment = {name: value for name, value in os.environ.items() if name not in elsewhere}
    environment.update(
        PIP_USER="0", PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_ROOT_USER_ACTION="ignore"
    )
    # uv does not read what pip is told.
    for name, value in (
        ("UV_DEFAULT_INDEX", setting("index-url")),
        ("UV_FIND_LINKS", ",".join(setting("find-links").split())),
        ("SSL_CERT_FILE", setting("cert")),
    ):
        if value:
            environment.setdefault(name, value)
    return environment


def offline_options() -> "list[str]":
    return ["--no-index", "--find-links", str(WHEELS)] if WHEELS.is_dir() else []


# --- fetching pip where nothing can fetch yet ------------------------------------------------------------


def setting(name: str) -> str:
    """A setting as pip finds it: PIP_<NAME>, the user's pip.conf, the system's; "" when unset."""
    value = os.environ.get("PIP_" + name.upper().replace("-", "_"))
    if value is not None:
        return value
    home = Path(os.path.expanduser("~"))  # never fails, not even for a user without an entry in passwd
    for path in (
        os.environ.get("PIP_CONFIG_FILE"),
        home / ".config/pip/pip.conf",
        home / ".pip/pip.conf",
        "/etc/xdg/pip/pip.conf",
        "/etc/pip.conf",
    ):
        parser = configparser.RawConfigParser()
        with contextlib.suppress(configparser.Error):
            parser.read(path or [], encoding="utf-8")
        for section in ("install", "global"):
            if parser.has_option(section, name):
                return parser.get(section, name)
    return ""


def no_index() -> bool:
    """Whether pip is told to ask no index."""
    return setting("no-index").lower() in {"1", "true", "yes", "on", "y", "t"}


def fetch_pip(folder: Path) -> Path:
    """pip's own wheel in `folder`: from vendor/wheels, find-links or the index. Raises SetupError."""
    reasons = []
    for find in pip_places():
        try:
            wheel = find()
        except (OSError, ValueError) as error:
            reasons.append(str(error))
            continue
        if hashlib.sha256(wheel).hexdigest() == PIP_SHA256:
            target = folder / PIP_WHEEL
            target.write_bytes(wheel)
            return target
        reasons.append(f"{PIP_WHEEL}: sha256 differs from the one in scripts/bootstrap.py")
    raise SetupError(f"无法取得 · cannot get {PIP_WHEEL}: " + "; ".join(reasons))


def pip_places() -> list:
    """Functions that return the wheel's bytes or raise OSError or ValueError, the nearest place first."""
    places = [] if not WHEELS.is_dir() else [lambda: (WHEELS / PIP_WHEEL).read_bytes()]
    online = not WHEELS.is_dir() and not no_index()
    links = setting("find-links").split()
    index = (setting("index-url") or "https://pypi.org/simple").rstrip("/") + "/pip/"
    for link in [*links, *([index] if online else [])]:
        if "://" in link:
            places.append(lambda page=link: download_from(page))
        else:
            places.append(lambda path=link: (Path(path) / PIP_WHEEL).read_bytes())
    return places


def download_from(page: str) -> bytes:
    """The wheel that a page of links names. Raises OSError or ValueError."""
    text = download(page).decode("utf-8", "replace")
    for link in re.findall(r"""href\s*=\s*["']([^"']+)["']""", text):
        target = urllib.parse.urljoin(page, html.unescape(link))
        if urllib.parse.unquote(urllib.parse.urlsplit(target).path).endswith("/" + PIP_WHEEL):
            return download(target)
    raise ValueError(f"{without_password(page)}: no {PIP_WHEEL}")


def download(url: str) -> bytes:
    """The bytes at `url`, tried again after a fault of the network. Raises OSError."""
    reason = ""
    for pause in FETCH_PAUSES:
        time.sleep(pause)
        try:
            return download_once(url)
        except urllib.error.HTTPError as error:
            reason = f"HTTP {error.code}"
            break
        except OSError as error:
            reason = str(error)
    raise OSError(f"{without_password(url)}: {reason}")


def download_once(url: str) -> bytes:
    """The bytes at `url`. Raises OSError.

       A minimal Debian has no certificates. What is fetched is compared with PIP_SHA256 before it is run, so
    where a certificate cannot be checked the wheel is fetched all the same, though never with a password.
    Everything after it comes through pip, which brings its own certificates.
    """
    request, secret = without_credentials(url)
    try:
        return read(request, ssl.create_default_context(cafile=setting("cert") or None))
    except urllib.error.URLError as error:
        if secret or not isinstance(error.reason, ssl.SSLCertVerificationError):
            raise
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    return read(request, unchecked)


def read(request: urllib.request.Request, context: ssl.SSLContext) -> bytes:
    proxy = setting("proxy")
    proxies = urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else None)
    opener = urllib.request.build_opener(proxies, urllib.request.HTTPSHandler(context=context))
    with opener.open(request, timeout=FETCH_SECONDS) as answer:
        return answer.read()


def without_credentials(url: str) -> "tuple[urllib.request.Request, bool]":
    """A request for `url`, the user and password of its address moved to a header; whether there were any."""
    user, at, _ = urllib.parse.urlsplit(url).netloc.rpartition("@")
    request = urllib.request.Request(without_password(url), headers={"Accept": "text/html, */*;q=0.1"})
    if at:
        token = base64.b64encode(urllib.parse.unquote(user).encode()).decode()
        request.add_unredirected_header("Authorization", "Basic " + token)
    return request, bool(at)


def without_password(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


# --- verbs -----------------------------------------------------------------------------------------------


def up(arguments: "list[str]") -> int:
    """Set up, load the samples on the first run, serve."""
    parser = argparse.ArgumentParser(
        prog="scripts/up", description="安装、载入样例、启动网页服务 · set up, load the samples, serve."
    )
    parser.add_argument(
        "--no-serve", action="store_true", help="只安装和载入,不启动服务 · set up and load only"
    )
    parser.add_argument("--port", type=int, help="端口,默认 8000 · port, by default 8000")
    parser.add_argument("--host", help="监听地址,默认 127.0.0.1 · address, by default 127.0.0.1")
    parser.add_argument(
        "--yes-open", action="store_true", help="允许监听其他地址 · allow an address that others can reach"
    )
    wanted = parser.parse_args(arguments)
    set_up("base")
    os.environ.setdefault("KB_DATA", str(ROOT / "data"))
    code = load_samples(Path(os.environ["KB_DATA"]))
    if code or wanted.no_serve:
        return code
    flags = ["--yes-open"] if wanted.yes_open else []
    for flag, value in (("--host", wanted.host), ("--port", wanted.port)):
        flags += [flag, str(value)] if value is not None else []
    os.execv(program("kb"), [str(program("kb")), "serve", *flags])


def load_samples(data: Path) -> int:
    """Load corpus/samples/ into a data folder that has not had them. Returns the exit code."""
    mark = data / "samples.loaded"
    if mark.exists():
        return 0
    code = subprocess.call([str(program("python")), str(SAMPLES)])
    if code == 0 and data.is_dir():
        mark.touch()  # a later start leaves the data alone, also where samples were withdrawn
    return code


def test(arguments: "list[str]") -> int:
    """Set up with the test tools, run the tests."""
    parser = argparse.ArgumentParser(
        prog="scripts/test",
        description="运行测试 · run the tests. 其余参数交给 pytest · other arguments go to pytest.",
    )
    parser.add_argument("--all", action="store_true", help="连同慢测试 · the slow tests, too")
    parser.add_argument(
        "--strict", action="store_true", help="跳过即失败,并运行检查 · skips fail; run the linters, too"
    )
    wanted, more = parser.parse_known_args(arguments)
    set_up("test")
    lint_code = lint() if wanted.strict else 0
    chosen = [] if wanted.all else ["-m", "not slow"]
    strict = ["-p", "tests.strict"] if wanted.strict else []
    # No test may ever meet the data or the settings of the person who runs it.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KB_")}
    command = [str(program("python")), "-m", "pytest", "-n", "auto", *chosen, *strict, *more]
    return subprocess.call(command, cwd=ROOT, env=environment) or lint_code


def check(arguments: "list[str]") -> int:
    """Set up with the test tools, run the linters."""
    argparse.ArgumentParser(prog="scripts/check", description="ruff, mypy").parse_args(arguments)
    set_up("test")
    return lint()


def bench(arguments: "list[str]") -> int:
    """Set up with the engines that scripts/bench/engines.py compares with."""
    description = "安装对比测速所需的引擎 · install the engines that scripts/bench/engines.py compares with."
    argparse.ArgumentParser(prog="scripts/bootstrap.py bench", description=description).parse_args(arguments)
    set_up("bench")
    return 0


def lint() -> int:
    """Run every linter, whatever the others say. The first exit code that is not 0."""
    codes = []
    for command in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]):
        print("$ " + " ".join(command), flush=True)
        codes.append(subprocess.call([str(program("python")), "-m", *command], cwd=ROOT))
    return next((code for code in codes if code), 0)


def main(arguments: "list[str]") -> int:
    verb = {"up": up, "test": test, "check": check, "bench": bench}[arguments[0]]
    try:
        return verb(arguments[1:])
    except SetupError as error:
        print(
            f"\n安装没有完成 · set-up did not finish: {error}\n" + HINT.format(wheels=WHEELS), file=sys.stderr
        )
        return 1
    except KeyboardInterrupt:
        print("\n已中断;再次运行即可 · interrupted; run it again.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
