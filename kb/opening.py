"""What commands open before they work: settings, the store, the writer's lock, the kernels. Imports stand inside."""

from __future__ import annotations

import ctypes
import gc
import os
import pwd
import signal
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine as Database

    from kb.config import Settings
    from kb.model import Actor

M_ARENA_MAX = -8  # of mallopt(3)
STDIN = 0


def start_quickly() -> None:
    """Half a command's time is imports: fewer looks for garbage meanwhile, no threads for matrices that kb has not."""
    gc.set_threshold(50_000, 20, 50)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def settings() -> Settings:
    """The settings, with a data folder that can be written to and a log on standard error."""
    from kb import config, log

    found = config.load()
    if "log_level" not in found.model_fields_set:
        # A command says on stderr what it has to say; its log is for those who ask for one.
        found = found.model_copy(update={"log_level": "ERROR"})
    log.configure_library(found.log_level)
    config.prepare_data(found)
    return found


def store() -> tuple[Settings, Database]:
    """The settings and the store."""
    from kb.store.db import open_database

    found = settings()
    return found, open_database(found.database)


def actor() -> Actor:
    """Who gives a command, as the audit log names the user of the system: cli:kb."""
    from kb.model import Actor

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without an entry
        name = str(os.getuid())
    return Actor(f"cli:{name}")


def kernels() -> None:
    """Where set-up has not compiled the search kernels (a wheel, another processor), do it now and say so."""
    from kb.engine.kernel_cache import is_complete

    if not is_complete():
        from kb.engine import warm_up

        warm_up.ensure(lambda line: click.echo(line, err=True))


def spare_memory() -> None:
    """Two heaps for all threads together, where glibc would take one for each and keep most of what is freed in it."""
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").mallopt(M_ARENA_MAX, 2)


def end_with_parent() -> None:
    """Go on only while the parent process holds the other end of standard input; SIGTERM interrupts like Ctrl+C."""

    def wait() -> None:
        while os.read(STDIN, 1):
            pass
        os._exit(1)

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Thread(target=wait, name="parent", daemon=True).start()


@contextmanager
def writing_run(*, indexes: bool = True) -> Iterator[tuple[Settings, Database]]:
    """The store under the writer's lock, for a run that also `indexes`. Raises LockedError when another run holds it."""
    from kb.store.db import checkpoint, open_database
    from kb.store.lock import writer_lock

    found = settings()
    if indexes:
        kernels()
    with writer_lock(found.data):
        database = open_database(found.database)
        yield found, database
        checkpoint(database, found.data)
