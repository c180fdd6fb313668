"""Load corpus/samples through the real chain: its newspapers crawled from a loopback mirror, its files added.

Idempotent: what is stored already is left as it is. Runs `kb` itself, so it needs the environment that scripts/up makes.
"""

from __future__ import annotations

import functools
import http.server
import os
import subprocess
import sys
import threading
from pathlib import Path

SAMPLES = Path(__file__).resolve().parent.parent / "corpus" / "samples"
NEWSPAPERS = {
    "sample-classic": "https://szb.qinghe-ribao.example",
    "sample-pc": "https://epaper.lanshan-fazhi.example",
}


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing about it."""

    def log_message(self, format: str, *args: object) -> None:
        """Keep the terminal for the progress of the crawl."""


def serve_folder(folder: Path) -> http.server.ThreadingHTTPServer:
    """A web server for `folder` on a free loopback port, running in a thread."""
    handler = functools.partial(QuietHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def kb(*arguments: str, **environment: str) -> int:
    """Run one kb command with its output shown; returns its exit code."""
    command = [sys.executable, "-m", "kb", *arguments]
    return subprocess.run(command, env=os.environ | environment, check=False).returncode


def main() -> int:
    """Crawl the sample newspapers, add the sample files, index everything once at the end."""
    servers = {base: serve_folder(SAMPLES / "site" / base.split("//")[1]) for base in NEWSPAPERS.values()}
    mirrors = ",".join(f"{base}=http://127.0.0.1:{server.server_port}" for base, server in servers.items())
    print("正在装入样例资料 · loading the sample articles", flush=True)
    codes = [kb("crawl", *NEWSPAPERS, "--no-index", KB_CRAWL_MIRRORS=mirrors)]
    codes.append(kb("add", str(SAMPLES / "text"), str(SAMPLES / "archive.jsonl")))
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
