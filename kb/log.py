"""The log: one JSON object a line on standard error, an event name and its facts.

structlog is imported when a line is written or a web application is made: a command seldom has a line to write.
"""

from __future__ import annotations

import logging
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from structlog.typing import Processor


def configure(level: str) -> None:
    """Set up the log of a web process once; `level` is DEBUG, INFO, WARNING or ERROR."""
    import structlog

    if structlog.is_configured():
        return
    structlog.configure(
        processors=[*_first(), _line()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_names: structlog.PrintLogger(sys.stderr),
    )
    configure_library(level)


def configure_library(level: str) -> None:
    """Lines of the standard library's loggers, ours and waitress's, take the same form."""
    for name in ("kb", "waitress"):
        logger = logging.getLogger(name)
        if not any(isinstance(handler, _Lines) for handler in logger.handlers):
            logger.addHandler(_Lines())
        logger.setLevel(level.upper())


def _first() -> list[Processor]:
    from structlog import processors

    # The traceback as text: the structured form would carry local variables, the search text among them.
    return [
        processors.add_log_level,
        processors.TimeStamper(fmt="iso", utc=True, key="at"),
        processors.format_exc_info,
    ]


def _line() -> Processor:
    from structlog.processors import JSONRenderer

    return JSONRenderer(ensure_ascii=False)


class _Lines(logging.Handler):
    """Prints records of the standard library as lines of this log."""

    @cached_property
    def _form(self) -> logging.Formatter:
        from structlog import stdlib

        meta: Any = stdlib.ProcessorFormatter.remove_processors_meta
        return stdlib.ProcessorFormatter(
            processors=[meta, _line()], foreign_pre_chain=[*_first(), stdlib.ExtraAdder()]
        )

    def emit(self, record: logging.LogRecord) -> None:
        print(self._form.format(record), file=sys.stderr)  # noqa: T201  # this is the log
