#!/usr/bin/env python3
"""Index the articles stored since the last run: `kb reindex --new` for cron and timers. Safe to repeat.

Needs only python3: it calls .venv/bin/kb of this checkout, on $KB_DATA or the checkout's data folder. Prints one
line, passes the exit codes of kb on. Without a terminal, a run that meets another writer says nothing and ends
with 4: that writer indexes what it stores, and the next run takes what is left.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKED = 4


def main() -> int:
    """Run `kb reindex --new`; returns its exit code."""
    command = [str(ROOT / ".venv" / "bin" / "kb"), "reindex", "--new"]
    environment = {"KB_DATA": str(ROOT / "data"), "PYTHONUTF8": "1", **os.environ}
    if sys.stderr.isatty():
        return subprocess.call(command, env=environment)
    finished = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)
    sys.stdout.write(finished.stdout)
    if finished.returncode != LOCKED:
        sys.stderr.write(finished.stderr)
    return finished.returncode


if __name__ == "__main__":
    sys.exit(main())
