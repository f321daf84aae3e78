"""Where the log lines of this package go when it runs as a program."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator

from skillshot.common.sinks import terminal


class StderrHandler(logging.Handler):
    """Prints messages, escaped, on the stderr of the moment (a test or a notebook may exchange it)."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        print(terminal(self.format(record)), file=sys.stderr)


@contextlib.contextmanager
def logging_to_stderr(level: int = logging.INFO) -> Iterator[None]:
    """Show what the logger `skillshot` reports, until the block ends; libraries leave this to their caller."""
    logger = logging.getLogger("skillshot")
    handler, before = StderrHandler(), (logger.level, logger.propagate)
    logger.addHandler(handler)
    logger.setLevel(level)
    # a library may add a handler to the root logger on the way, which would print each message once more
    logger.propagate = bool(logging.getLogger().handlers)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]
