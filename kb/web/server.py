"""`kb serve`: one web process, and beside it a child process that keeps the index up to the store."""

from __future__ import annotations

import errno
import logging
import subprocess
import sys
import threading
from collections.abc import Callable

from flask import Flask
from waitress.server import create_server

from kb.config import Settings
from kb.errors import ConfigError

log = logging.getLogger("kb.serve")

PORTS_TRIED = 20
INDEXER_PAUSE_SECONDS = 5.0  # between two looks at whether the index lags behind the store
LOCKED_EXIT = 4  # of a child that found the writer's lock taken: whoever holds it indexes too


def serve(app: Flask, settings: Settings, *, behind: Callable[[], bool], say: Callable[[str], None]) -> None:
    """Serve `app` until interrupted. `behind()` tells whether the index needs work; `say` prints a line.

    A taken port means the next free one. Raises ConfigError("serve.no_port") when none of them is.
    """
    server = listen(app, settings)
    say(f"党建学习知识库: http://{settings.host}:{server.effective_port}/   (Ctrl+C 停止 · stops)")
    if int(server.effective_port) != settings.port:
        say(f"端口 {settings.port} 已被占用,改用 {server.effective_port}。The first port is taken.")
    stop = threading.Event()
    indexer = threading.Thread(
        target=keep_indexed, args=(settings, behind, stop), name="indexer", daemon=True
    )
    indexer.start()
    try:
        server.run()
    finally:
        stop.set()
        server.close()
        indexer.join(timeout=10)


def listen(app: Flask, settings: Settings):  # type: ignore[no-untyped-def]  # waitress has no types
    """A waitress server on the configured port or the next free one; `.effective_port` says which."""
    for port in range(settings.port, settings.port + PORTS_TRIED if settings.port else 1):
        try:
            return create_server(app, host=settings.host, port=port, threads=settings.web_threads, ident="kb")
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise ConfigError("serve.no_port", port=settings.port, reason=error.strerror) from error
    raise ConfigError("serve.no_port", port=settings.port, reason=f"{PORTS_TRIED} ports taken")


def keep_indexed(settings: Settings, behind: Callable[[], bool], stop: threading.Event) -> None:
    """Run `kb reindex --new` in a child whenever the index lags; a failed child is replaced."""
    while not stop.is_set():
        if behind():
            _index_once(settings, stop)
        stop.wait(INDEXER_PAUSE_SECONDS)


def _index_once(settings: Settings, stop: threading.Event) -> None:
    command = [sys.executable, "-m", "kb", "--data", str(settings.data), "reindex", "--new"]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while child.poll() is None:
        if stop.wait(0.2):
            child.terminate()
            break
    _, complaint = child.communicate()
    if child.returncode not in (0, LOCKED_EXIT) and not stop.is_set():
        said = complaint.decode("utf-8", "replace")
        log.error("indexer.failed", extra={"exit": child.returncode, "stderr": said})
