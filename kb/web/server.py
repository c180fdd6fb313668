"""`kb serve`: one web process, and beside it a child process, the indexer, that keeps the index up to the store."""

from __future__ import annotations

import errno
import gc
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from flask import Flask
from waitress.server import create_server

from kb.config import Settings
from kb.errors import ConfigError, KbError
from kb.web.library import EXTENSION

log = logging.getLogger("kb.serve")

PORTS_TRIED = 20
LOOK_SECONDS = 0.2  # between two looks at whether the indexer lives
END_SECONDS = 5.0  # for the indexer to end when it is told to
FIRST_PAUSE, LONGEST_PAUSE = (
    0.5,
    60.0,
)  # seconds before a failed indexer is replaced; twice as long every time
STEADY_SECONDS = 60.0  # after which a failure counts as the first again


def serve(app: Flask, settings: Settings, *, say: Callable[[str], None]) -> None:
    """Serve `app` until interrupted, by Ctrl+C or SIGTERM; `say` prints a line.

    A taken port means the next free one. Raises ConfigError("serve.no_port") when none of them is.
    """
    server = listen(app, settings)
    say(f"党建学习知识库: http://{settings.host}:{server.effective_port}/   (Ctrl+C 停止 · stops)")
    if int(server.effective_port) != settings.port:
        say(f"端口 {settings.port} 已被占用,改用 {server.effective_port}。The first port is taken.")
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    stop = threading.Event()
    indexer = threading.Thread(target=keep_indexer, args=(settings, stop), name="indexer", daemon=True)
    indexer.start()
    threading.Thread(target=make_ready, args=(app,), name="ready", daemon=True).start()
    try:
        server.run()
    finally:
        stop.set()
        server.close()
        indexer.join(timeout=2 * END_SECONDS)
        app.extensions[EXTENSION].log.flush()


def listen(app: Flask, settings: Settings):  # type: ignore[no-untyped-def]  # waitress has no types
    """A waitress server on the configured port or the next free one; `.effective_port` says which."""
    for port in range(settings.port, settings.port + PORTS_TRIED if settings.port else 1):
        try:
            return create_server(app, host=settings.host, port=port, threads=settings.web_threads, ident="kb")
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise ConfigError("serve.no_port", port=settings.port, reason=error.strerror) from error
    raise ConfigError("serve.no_port", port=settings.port, reason=f"{PORTS_TRIED} ports taken")


def make_ready(app: Flask) -> None:
    """Open the index and search once, so that the first request need not; what is loaded by then stays for good."""
    library = app.extensions[EXTENSION]
    library.log.flush()
    try:
        library.search.find("学习")
    except KbError as error:
        log.warning("search.not_ready", extra={"key": error.key})
    gc.collect()
    gc.freeze()


def keep_indexer(settings: Settings, stop: threading.Event) -> None:
    """Keep `kb reindex --follow` running: one that ended well is replaced at once, one that failed after a pause."""
    pause = FIRST_PAUSE
    while not stop.is_set():
        started = time.monotonic()
        code = _run_indexer(settings, stop)
        if stop.is_set():
            return
        if code == 0 or time.monotonic() - started > STEADY_SECONDS:
            pause = FIRST_PAUSE
        if code:
            log.error("indexer.ended", extra={"exit": code, "again_in_seconds": pause})
        stop.wait(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def _run_indexer(settings: Settings, stop: threading.Event) -> int:
    """One indexer, to its end. It writes its own log, and ends when the other end of its standard input is closed."""
    command = [sys.executable, "-m", "kb", "--data", str(settings.data), "reindex", "--follow"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    ) as child:
        while child.poll() is None:
            if stop.wait(LOOK_SECONDS):
                child.terminate()
                try:
                    child.wait(END_SECONDS)
                except subprocess.TimeoutExpired:
                    child.kill()
        return int(child.returncode)
