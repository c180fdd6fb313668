"""The log: one JSON object a line on standard error, an event name and its facts."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from structlog.typing import Processor

FIRST: tuple[Processor, ...] = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    # The traceback as text: the structured form would carry local variables, the search text among them.
    structlog.processors.format_exc_info,
)
LINE = structlog.processors.JSONRenderer(ensure_ascii=False)


def configure(level: str) -> None:
    """Set up the log once in a process; `level` is DEBUG, INFO, WARNING or ERROR.

    Lines of the standard library's loggers, ours and waitress's, take the same form.
    """
    if structlog.is_configured():
        return
    least = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*FIRST, LINE],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *_names: structlog.PrintLogger(sys.stderr),
    )
    for name in ("kb", "waitress"):
        logger = logging.getLogger(name)
        logger.addHandler(_Lines())
        logger.setLevel(least)


class _Lines(logging.Handler):
    """Prints records of the standard library as lines of this log."""

    def __init__(self) -> None:
        super().__init__()
        meta: Any = structlog.stdlib.ProcessorFormatter.remove_processors_meta
        self.formatter = structlog.stdlib.ProcessorFormatter(
            processors=[meta, LINE], foreign_pre_chain=[*FIRST, structlog.stdlib.ExtraAdder()]
        )

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr)  # noqa: T201  # this is the log
