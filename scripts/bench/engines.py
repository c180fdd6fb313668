"""kb's engine beside its peers: the same documents, words and queries, in one process, every answer of kb's checked.

    .venv/bin/python scripts/bench/engines.py --corpus PATH.jsonl.gz --docs 100000 --peers tantivy,fts5,whoosh --json

Peers come from the extra [bench]: python3 scripts/bootstrap.py bench. What is measured, and how: docs/benchmarks.md.
Exit code 1 when an answer of kb's differs from the exhaustive scan, 2 when something needed is missing.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import peers
import tables

# Nothing heavy is imported here: every process that is started imports this file again.


def main() -> int:
    asked = arguments()
    from comparing import compared

    with workplace(asked.out) as folder:
        result = compared(asked, folder)
    if asked.out:
        written = json.dumps(result, ensure_ascii=False, indent=1)
        (asked.out / "engines.json").write_text(written, encoding="utf-8")
    if asked.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        print(tables.markdown(result) if asked.markdown else tables.text(result))
    return 1 if result["exact"]["differences"] else 0


def arguments() -> argparse.Namespace:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--corpus", type=Path, required=True, help="an archive, .jsonl or .jsonl.gz")
    options.add_argument("--docs", type=int, default=100_000, help="so many of its first articles")
    options.add_argument("--peers", default="tantivy", help=f"of {','.join(peers.PEERS)}")
    options.add_argument("--queries", type=int, default=200, help="of each class")
    options.add_argument(
        "--passes", type=int, default=5, help="over all queries, not counting the first, which warms up"
    )
    options.add_argument("--seed", type=int, default=1, help="of the queries")
    options.add_argument(
        "--slow-docs", type=int, default=10_000, help="documents that whoosh gets; told in the result"
    )
    options.add_argument(
        "--openings", type=int, default=5, help="fresh processes that open the index, and run commands"
    )
    options.add_argument("--out", type=Path, help="keep engines.json here, and indexes in its folder work")
    options.add_argument("--reuse", action="store_true", help="take what an earlier run has built in --out")
    printed = options.add_mutually_exclusive_group()
    printed.add_argument("--json", action="store_true")
    printed.add_argument("--markdown", action="store_true", help="tables as in docs/benchmarks.md")
    asked = options.parse_args()
    if not asked.corpus.is_file():
        options.error(f"{asked.corpus} is missing")
    try:
        asked.peers = list(peers.named(asked.peers))
    except (ValueError, RuntimeError) as error:
        options.error(str(error))
    return asked


@contextmanager
def workplace(out: Path | None) -> Iterator[Path]:
    if out is None:
        with tempfile.TemporaryDirectory(prefix="kb-bench-") as name:
            yield Path(name) / "work"
    else:
        yield out / "work"


if __name__ == "__main__":
    sys.exit(main())
