"""The rules of the house, as functions: folder of a checkout -> sentences about what breaks them. Used by test_house.py."""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

# DESIGN §2: a unit imports floors below its own, and modules of its own folder. 4.5 is every other use case.
FLOORS = {"": 0, "errors": 0, "model": 0, "config": 1, "log": 1, "text": 1, "query": 2, "parse": 2}
FLOORS |= {
    "rewriting": 2.5,
    "hits": 2.5,
    "topic_rules": 2.5,
    "topic_checks": 2.5,
    "crawl": 3,
    "store": 3,
    "engine": 3,
    "export": 3,
    "ingest": 4,
    "search": 4,
    "web": 5,
    "commands": 5.5,
    "cli": 6,
    "__main__": 7,
}
OTHER_USE_CASES = 4.5
HIDDEN_FROM_WEB = {"engine", "crawl", "parse"}
PURE = {"errors", "model", "query", "rewriting", "hits", "topic_rules", "topic_checks", "text", "parse"}
IMPURE_IMPORTS = {"flask", "http", "logging", "requests", "shutil", "socket", "sqlalchemy", "sqlite3", "ssl"}
IMPURE_IMPORTS |= {
    "structlog",
    "subprocess",
    "tempfile",
    "time",
    "urllib3",
    "waitress",
    "whoosh",
}
IMPURE_CALLS = {"print", "input", "read_text", "read_bytes", "write_text", "write_bytes", "urlopen"}
IMPURE_CALLS |= {"now", "today", "utcnow", "getenv"}
WORKING_INITS = {"engine", "web"}
LONGEST_FUNCTION = 60
MEDIAN_FUNCTION = 12
LONGEST_MODULE = 400
EMPTY_NAMES = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc"}
LOSSY_WRITERS = {"AsyncWriter", "BufferedWriter"}


@dataclass(frozen=True)
class Module:
    """One module of kb/."""

    path: Path  # kb/store/articles.py, from the checkout
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source, str(self.path))

    @property
    def name(self) -> str:
        """kb.store.articles; a package is named without __init__."""
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def unit(self) -> str:
        """store for kb/store/articles.py, ingest for kb/ingest.py, "" for kb/__init__.py."""
        return [*self.name.split("."), ""][1]

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        return (
            node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        )


def modules(root: Path) -> list[Module]:
    paths = sorted((root / "kb").rglob("*.py"))
    return [Module(path.relative_to(root), path.read_text(encoding="utf-8")) for path in paths]


def imports(module: Module, known: set[str]) -> Iterator[tuple[int, str]]:
    """(line, module) of everything imported, anywhere in the file; `from kb import config` is kb.config."""
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*parents, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{origin}.{alias.name}"
                yield node.lineno, inner if inner in known else origin


# --- imports ----------------------------------------------------------------------------------------------------


def broken_floors(root: Path) -> list[str]:
    """Imports that do not point down."""
    found = modules(root)
    known = {module.name for module in found}
    problems = []
    for module in found:
        for line, target in imports(module, known):
            if target.split(".")[0] == "kb" and not may_import(module.unit, [*target.split("."), ""][1]):
                problems.append(f"{module.path}:{line}: {module.unit} may not import {target}")
    return problems


def may_import(unit: str, target: str) -> bool:
    if unit == "web" and target in HIDDEN_FROM_WEB:
        return False
    return unit == target or FLOORS.get(target, OTHER_USE_CASES) < FLOORS.get(unit, OTHER_USE_CASES)


def import_cycles(root: Path) -> list[str]:
    """Modules that import one another in a ring, each ring once."""
    found = modules(root)
    known = {module.name for module in found}
    graph = {module.name: {name for _, name in imports(module, known) if name in known} for module in found}
    rings: dict[frozenset[str], str] = {}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            ring = trail[trail.index(name) :]
            rings.setdefault(frozenset(ring), "import cycle: " + " -> ".join([*ring, name]))
        elif name not in finished:
            for target in sorted(graph[name] - {name}):
                visit(target, (*trail, name))
            finished.add(name)

    finished: set[str] = set()
    for name in sorted(graph):
        visit(name, ())
    return list(rings.values())


def third_party_imports(folder: Path, own: frozenset[str]) -> set[str]:
    """Top-level names imported below `folder` that are not in `own`."""
    found = [Module(path, path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.py"))]
    return {target.split(".")[0] for module in found for _, target in imports(module, set())} - own


def impurities(root: Path) -> list[str]:
    """Input, output, network or clock in what must be pure."""
    problems = []
    for module in modules(root):
        if module.unit not in PURE:
            continue
        for line, target in imports(module, set()):
            if target.split(".")[0] in IMPURE_IMPORTS or target == "urllib.request":
                problems.append(f"{module.path}:{line}: {module.unit} is pure and may not import {target}")
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and (
                called(node) in IMPURE_CALLS or ast.unparse(node.func) == "open"
            ):
                problems.append(
                    f"{module.path}:{node.lineno}: {module.unit} is pure and may not call {called(node)}"
                )
    return problems


def called(node: ast.Call) -> str:
    return getattr(node.func, "id", None) or getattr(node.func, "attr", "")


def working_inits(root: Path) -> list[str]:
    """__init__ files that do more than say what the folder is, and names that one imports only to hand them on."""
    problems = []
    for module in modules(root):
        if not module.is_package or not module.unit:
            continue
        body = [node for node in module.tree.body if not isinstance(node, ast.Expr)]
        if body and (module.unit not in WORKING_INITS or module.name.count(".") > 1):
            problems.append(f"{module.path}: only {sorted(WORKING_INITS)} have a working __init__")
        problems += [f"{module.path}: re-exports {name}" for name in handed_on(module)]
    return problems


def handed_on(module: Module) -> list[str]:
    """Imported names that the file itself never uses."""
    nodes = list(ast.walk(module.tree))
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module != "__future__"]
    names = [alias.asname or alias.name for node in froms for alias in node.names]
    quoted = " ".join(str(node.value) for node in nodes if isinstance(node, ast.Constant))
    return ["__all__"] * ("__all__" in used) + [
        name for name in names if name not in used and not re.search(rf"\b{re.escape(name)}\b", quoted)
    ]


# --- size and names ---------------------------------------------------------------------------------------------


def sizes(root: Path) -> list[str]:
    """Functions and modules that have grown too long."""
    problems = []
    lengths = []
    for module in modules(root):
        lines = module.source.count("\n")
        if lines > LONGEST_MODULE and f"{LONGEST_MODULE} lines" not in (ast.get_docstring(module.tree) or ""):
            problems.append(f"{module.path}: {lines} lines; its docstring must say why it passes 400 lines")
        for function in module.functions():
            length = (function.end_lineno or function.lineno) - function.lineno + 1
            lengths.append(length)
            if length > LONGEST_FUNCTION:
                problems.append(f"{module.path}:{function.lineno}: {function.name} has {length} lines")
    if lengths and statistics.median(lengths) > MEDIAN_FUNCTION:
        problems.append(f"kb: the median function has {statistics.median(lengths)} lines")
    return problems


def empty_names(root: Path) -> list[str]:
    """Names that say nothing about what a thing is."""
    problems = []
    for module in modules(root):
        own = module.name.split(".")[-1]
        kinds: list[tuple[str, set[str]]] = [(own, EMPTY_NAMES | {"base"})]
        kinds += [
            (node.name, EMPTY_NAMES | {"base"})
            for node in ast.walk(module.tree)
            if isinstance(node, ast.ClassDef)
        ]
        kinds += [(function.name, EMPTY_NAMES) for function in module.functions()]
        problems += [f"{module.path}: {name}" for name, empty in kinds if words(name) & empty]
    return problems


def words(name: str) -> set[str]:
    """snake_case and CamelCase names in lower-case words."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)}


# --- habits -----------------------------------------------------------------------------------------------------


def banned_code(root: Path) -> list[str]:
    """Writers that lose work, dynamic imports, markup made by hand, unfinished code."""
    banned = LOSSY_WRITERS | {"import_module", "__import__", "Markup"}
    problems = []
    for module in modules(root):
        for node in ast.walk(module.tree):
            name = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "name", None)
            if name in banned or (isinstance(node, ast.Raise) and "NotImplementedError" in ast.unparse(node)):
                problems.append(
                    f"{module.path}:{getattr(node, 'lineno', 0)}: banned: {name or ast.unparse(node)}"
                )
        for number, line in enumerate(module.source.splitlines(), 1):
            if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
                problems.append(f"{module.path}:{number}: unfinished: {line.strip()}")
    return problems


def swallowed_errors(root: Path) -> list[str]:
    """`except Exception`, or wider, that neither logs the traceback nor raises again."""
    problems = []
    for module in modules(root):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ExceptHandler) and catches_all(node) and not tells(node):
                problems.append(f"{module.path}:{node.lineno}: a wide except must log the traceback")
    return problems


def catches_all(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or getattr(kind, "id", "") in {"Exception", "BaseException"} for kind in kinds)


def tells(handler: ast.ExceptHandler) -> bool:
    for node in ast.walk(handler):
        if isinstance(node, ast.Raise) and node.exc is None:
            return True
        if isinstance(node, ast.Call) and (
            called(node) == "exception" or any(keyword.arg == "exc_info" for keyword in node.keywords)
        ):
            return True
    return False


def changing_test_ids(root: Path) -> list[str]:
    """Values of pytest.mark.parametrize that change by the second: then pytest-xdist refuses to run anything."""
    problems = []
    for path in sorted((root / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        decorators = [mark for node in ast.walk(tree) for mark in getattr(node, "decorator_list", [])]
        for node in [node for mark in decorators for node in ast.walk(mark) if isinstance(node, ast.Call)]:
            if ast.unparse(node.func) == "gzip.compress" and not any(
                word.arg == "mtime" for word in node.keywords
            ):
                problems.append(
                    f"{path.relative_to(root)}:{node.lineno}: gzip.compress writes the time; give mtime=0"
                )
    return problems


# --- templates --------------------------------------------------------------------------------------------------

UNSAFE_MARKUP = {
    r"\|\s*safe\b": "|safe",
    r"autoescape\s+false": "autoescape off",
    r"<style\b": "inline style",
    r"\sstyle\s*=": "inline style",
    r"<script\b(?![^>]*\bsrc\s*=)": "inline script",
    r"<[^>]*\son[a-z]+\s*=": "inline event handler",
    r"javascript:": "javascript: address",
    r"(?:src|href)\s*=\s*[\"'](?:https?:)?//": "file or link on a fixed foreign host",
}


def unsafe_templates(root: Path) -> list[str]:
    """Markup that the Content-Security-Policy refuses, or that escapes nothing; partials that do not say their needs."""
    problems = []
    for path in sorted((root / "templates").rglob("*.html")):
        source = path.read_text(encoding="utf-8")
        # A comment may name what it forbids; its lines are kept for the line numbers.
        code = re.sub(r"\{#.*?#\}", lambda match: "\n" * match[0].count("\n"), source, flags=re.DOTALL)
        for pattern, what in UNSAFE_MARKUP.items():
            for match in re.finditer(pattern, code, re.IGNORECASE):
                line = code.count("\n", 0, match.start()) + 1
                problems.append(f"{path.relative_to(root)}:{line}: {what}")
        if path.name.startswith("_") and not source.startswith("{#"):
            problems.append(f"{path.relative_to(root)}:1: a partial says in its first line what it needs")
    return problems


RULES = (
    broken_floors,
    import_cycles,
    impurities,
    working_inits,
    sizes,
    empty_names,
    banned_code,
    swallowed_errors,
    changing_test_ids,
    unsafe_templates,
)
