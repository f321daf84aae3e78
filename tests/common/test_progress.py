"""Progress: a bar on a terminal, a few log lines anywhere else."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator

import pytest

from skillshot.common import progress as module
from skillshot.common.logs import logging_to_stderr
from skillshot.common.progress import progress, tracked


class Clock:
    """Time that passes when a test lets it."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    yield made


def test_log_lines_where_no_terminal_is(
    clock: Clock, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO, "skillshot"), progress("embed questions", 4000, "text", 1000) as advance:
        for _ in range(3):
            clock.now += 20
            advance(1000, "loss 0.1")
    assert [record.getMessage() for record in caplog.records] == [
        "embed questions: start, 3,000 texts",
        "embed questions: 3,000 of 4,000 texts, about 20 s left, loss 0.1",
        "embed questions: done, 4,000 texts in 60.0 s",
    ]
    assert "\r" not in capsys.readouterr().err


def test_work_that_ends_early_is_not_reported_as_done(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "skillshot"), progress("train skillshot", 200, "epoch") as advance:
        clock.now += 3
        advance(60)
    assert caplog.messages[-1] == "train skillshot: stopped early after 60 of 200 epochs in 3.0 s"


def test_nothing_is_written_unless_logging_is_set_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(tracked(range(3), "embed", "batch", 3)) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(tracked(range(3), "embed", "batch", 3)) == [0, 1, 2]
    assert "embed: 100%" in terminal.getvalue() and "3/3" in terminal.getvalue()


def test_the_handler_goes_when_its_block_ends(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("skillshot")
    handlers = list(logger.handlers)
    with logging_to_stderr():
        logger.info("a plain line")
    assert capsys.readouterr().err == "a plain line\n"
    assert logger.handlers == handlers
