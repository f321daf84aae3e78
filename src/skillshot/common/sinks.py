"""What leaves the process, one escape for each medium: terminal, CSV, Markdown, labels of pictures.

Texts of banks, bundles and endpoints are not trusted. HTML and prompts have their sinks elsewhere: the templates of
`skillshot.common.templates`, and `skillshot.runtime.prompt`.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

# C0 but tab and line feed, DEL, C1, marks that reorder a line, lone surrogates
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")  # spreadsheets read fullwidth signs too
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)*([eE][+-]?[0-9]+)?%?")
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>()#+!|~&$]")
_LIST = re.compile(r"^([0-9]*)([-.])")  # what begins a list, or a rule
LABEL = 60  # characters of a label in a picture; more would not fit


def terminal(text: str, *, encoding: str = "utf-8") -> str:
    """Text that a terminal only shows: what would steer it is written as an escape, such as ``\\x1b``.

    Args:
        encoding: of the terminal; characters that it lacks become escapes too.
    """
    text = _CONTROL.sub(_escape, text)
    if encoding.lower().replace("-", "") != "utf8":
        text = "".join(char if _fits(char, encoding) else _escaped(char) for char in text)
    return text


def one_line(value: Any) -> str:
    """A value in a line that others follow: as `terminal`, and a line feed becomes an escape."""
    return terminal(str(value)).replace("\n", "\\n")


def csv_cell(value: Any) -> Any:
    """A value in a CSV file: a text that a spreadsheet would run as a formula gets an apostrophe; numbers stay."""
    if not isinstance(value, str):
        return value
    formula = _FORMULA.match(value) and not _NUMBER.fullmatch(value)
    return "'" * bool(formula) + terminal(value)


def markdown(text: str) -> str:
    """Text on one line in which nothing is Markdown or HTML."""
    text = _MARKDOWN.sub(r"\\\g<0>", " ".join(terminal(text).split()))
    return _LIST.sub(r"\1\\\2", text)


def markdown_code(text: str) -> str:
    """Text as a code span, whose backticks are one more than any run of them inside."""
    ticks = "`" * (_longest_run(text) + 1)
    edge = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{ticks}{edge}{' '.join(terminal(text).split()) or ' '}{edge}{ticks}"


def markdown_block(text: str) -> str:
    """Text as a code block, whose fence is longer than any run of backticks inside."""
    ticks = "`" * max(3, _longest_run(text) + 1)
    return f"{ticks}\n{terminal(text)}\n{ticks}"


def label(value: Any, limit: int = LABEL) -> str:
    """A value as a label of matplotlib: a dollar sign is no mathematics, and a name with `_` in front is not hidden."""
    text = " ".join(terminal(str(value)).split())
    text = text if len(text) <= limit else text[: limit - 3] + "..."
    return text.replace("$", r"\$") if text[:1] != "_" else " " + text.replace("$", r"\$")


class EscapedStream:
    """A text stream whose output passes `terminal`. `exact` is the stream below, for data that a program reads."""

    def __init__(self, exact: Any) -> None:
        self.exact = exact

    def write(self, text: str) -> int:
        """Write the text, escaped."""
        self.exact.write(terminal(text, encoding=getattr(self.exact, "encoding", None) or "utf-8"))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.exact, name)


@contextlib.contextmanager
def escaped_output() -> Iterator[None]:
    """Pass all that is printed through `terminal`, until the block ends. A stream that is closed swallows its text."""
    before = sys.stdout, sys.stderr
    _keep_descriptors()
    with open(os.devnull, "w", encoding="utf-8") as nothing:
        sys.stdout, sys.stderr = (EscapedStream(nothing if stream is None else stream) for stream in before)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before


def exact(stream: Any) -> Any:
    """The stream below an `EscapedStream`: for a progress bar, and for data that goes into a file or a pipe."""
    return getattr(stream, "exact", stream)


def _keep_descriptors() -> None:
    """Take descriptors 0 to 2 where they are closed: a file opened later would get one, and the output of a library."""
    for number in range(3):
        with contextlib.suppress(OSError):
            os.fstat(number)
            continue
        os.open(os.devnull, os.O_RDWR)  # the lowest free number


def _escape(match: re.Match[str]) -> str:
    return _escaped(match[0])


def _escaped(char: str) -> str:
    """``\\x1b`` below U+0020, else as in JSON, so that a printed JSON document stays one."""
    if char < " ":
        return f"\\x{ord(char):02x}"
    data = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{data[i : i + 2].hex()}" for i in range(0, len(data), 2))


def _fits(char: str, encoding: str) -> bool:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
