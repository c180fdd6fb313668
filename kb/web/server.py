"""`kb serve`: web processes on one listening socket, and the indexer, which keeps the index up to the store.

With one web process it is this one, and the indexer its child. With more this one only keeps them and the indexer running;
they are forked from it, so that what is loaded before is in memory once.
"""

from __future__ import annotations

import errno
import gc
import logging
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from flask import Flask
from waitress.server import create_server

from kb import topic_statistics
from kb.config import Settings
from kb.errors import ConfigError, KbError
from kb.search import Search, open_search
from kb.text import completion
from kb.web import metrics
from kb.web.door import Channel, ChannelWithTls
from kb.web.library import EXTENSION, Library
from kb.web.processes import END_SECONDS, Kept, keep

log = logging.getLogger("kb.serve")

PORTS_TRIED = 20
BACKLOG = 1024  # connections that wait to be accepted
LARGEST_BODY = 2  # to the largest upload: what is larger is not even taken in, whoever sends it
LOADING = ("学习 党建", "“学习党建”")  # what loads the segmenter and the kernels


def serve(app: Flask, settings: Settings, *, say: Callable[[str], None]) -> None:
    """Serve `app` until interrupted, by Ctrl+C or SIGTERM; `say` prints a line.

    A taken port means the next free one. Raises ConfigError("serve.no_port") when none of them is.
    """
    listening = listen(settings)
    port = listening.getsockname()[1]
    say(f"党建学习知识库: http://{settings.host}:{port}/   (Ctrl+C 停止 · stops)")
    if settings.port and port != settings.port:
        say(f"端口 {settings.port} 已被占用,改用 {port}。The first port is taken.")
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    if settings.web_processes > 1:
        _keep_many(app, settings, listening)
    else:
        _serve_alone(app, settings, listening)


def listen(settings: Settings) -> socket.socket:
    """A socket that listens on the configured port or the next free one."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    for port in range(settings.port, settings.port + PORTS_TRIED if settings.port else 1):
        try:
            return socket.create_server((settings.host, port), family=family, backlog=BACKLOG)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise ConfigError("serve.no_port", port=settings.port, reason=error.strerror) from error
    raise ConfigError("serve.no_port", port=settings.port, reason=f"{PORTS_TRIED} ports taken")


def _serve_alone(app: Flask, settings: Settings, listening: socket.socket) -> None:
    stop = threading.Event()
    alive, _own_end = os.pipe()
    indexer = Kept("indexer", lambda: Indexer.start(settings, alive))
    keeper = threading.Thread(target=keep, args=([indexer], stop), name="indexer", daemon=True)
    keeper.start()
    try:
        _answer(app, settings, listening)
    finally:
        stop.set()
        keeper.join(timeout=2 * END_SECONDS)


def _answer(app: Flask, settings: Settings, listening: socket.socket) -> None:
    """Answer requests until interrupted."""
    server = create_server(
        app,
        sockets=[listening],
        threads=settings.web_threads,
        ident="kb",
        max_request_body_size=round(LARGEST_BODY * settings.upload_limit_mib * 2**20),
        clear_untrusted_proxy_headers=False,  # kb.web.callers sees to them: what was forwarded is not local
    )
    server.channel_class = ChannelWithTls if settings.tls else Channel
    threading.Thread(target=make_ready, args=(app,), name="ready", daemon=True).start()
    stop = threading.Event()
    present = app.extensions[EXTENSION].present
    work_out = partial(topic_statistics.work_out, database=app.extensions[EXTENSION].database)
    threading.Thread(target=present.keep_ready, args=(stop, work_out), name="topics", daemon=True).start()
    try:
        server.run()
    finally:
        stop.set()
        server.close()
        app.extensions[EXTENSION].log.flush()


def make_ready(app: Flask) -> None:
    """Open the index, search and make the suggestions, so that no request need; what is loaded then stays for good."""
    library: Library = app.extensions[EXTENSION]
    library.log.flush()
    _search(library.search)
    with suppress(KbError):  # as above
        library.search.get_ready()
    try:
        library.suggester.refresh()
    except KbError as error:
        log.warning("suggest.not_ready", extra={"key": error.key})
    gc.collect()
    gc.freeze()


def _search(search: Search) -> None:
    try:
        for text in LOADING:
            search.find(text)
    except KbError as error:
        log.warning("search.not_ready", extra={"key": error.key})


# --- several web processes ------------------------------------------------------------------------------------


def _keep_many(app: Flask, settings: Settings, listening: socket.socket) -> None:
    """This process has no threads, no open database and no open index whenever it forks.

    A pipe tells children that it is gone: it alone holds the end that could be written to.
    """
    load(app, settings)
    alive, own_end = os.pipe()

    def starting(number: int) -> Callable[[], Forked]:
        return lambda: Forked.start(lambda: _be_web(app, settings, listening, alive, own_end, number))

    webs = [Kept("web", starting(number)) for number in range(settings.web_processes)]
    with suppress(KeyboardInterrupt):
        keep([Kept("indexer", lambda: Indexer.start(settings, alive)), *webs], threading.Event())


def load(app: Flask, settings: Settings) -> None:
    """Load what all web processes share: segmenter, kernels, readings of characters. What was opened for it is closed."""
    library: Library = app.extensions[EXTENSION]
    # Another index object, which is gone afterwards; without a time limit, which would need a thread.
    _search(replace(open_search(settings, library.database), query_seconds=None))
    completion.table(LOADING)
    library.database.dispose()
    gc.collect()
    gc.freeze()


def _be_web(
    app: Flask, settings: Settings, listening: socket.socket, alive: int, own_end: int, number: int
) -> None:
    """A web process, until it is told to end or its parent is gone."""
    os.close(own_end)
    metrics.counters_of(app).take_row(number)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the parent, which then tells everybody
    signal.signal(signal.SIGTERM, _interrupt_once)
    threading.Thread(target=_end_with, args=(alive,), name="parent", daemon=True).start()
    with suppress(KeyboardInterrupt):
        app.extensions[
            EXTENSION
        ].present.follow()  # the index may be newer than what was loaded before the fork
        _answer(app, settings, listening)


def _interrupt_once(number: int, _frame: object) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _end_with(alive: int) -> None:
    os.read(alive, 1)  # ends when nobody is left who could write
    os.kill(os.getpid(), signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Forked:
    """A copy of this process that does one thing."""

    process: multiprocessing.process.BaseProcess

    @classmethod
    def start(cls, work: Callable[[], None]) -> Forked:
        process = multiprocessing.get_context("fork").Process(target=work, daemon=True)
        process.start()
        return cls(process)

    def code(self) -> int | None:
        return self.process.exitcode

    def terminate(self) -> None:
        self.process.terminate()

    def kill(self) -> None:
        self.process.kill()


@dataclass(frozen=True, slots=True)
class Indexer:
    """`kb reindex --follow`. It writes its own log, and ends when the other end of the pipe `alive` is closed."""

    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, settings: Settings, alive: int) -> Indexer:
        command = [sys.executable, "-m", "kb", "--data", str(settings.data), "reindex", "--follow"]
        return cls(subprocess.Popen(command, stdin=alive, stdout=subprocess.DEVNULL, start_new_session=True))

    def code(self) -> int | None:
        return self.process.poll()

    def terminate(self) -> None:
        self.process.terminate()

    def kill(self) -> None:
        self.process.kill()
