"""The elements of a JSON array of any size, one at a time, in constant memory."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skillshot.bank.limits import MAX_LINE, MIB
from skillshot.bank.rows import DECODER, decoded, parse_row, undecodable, why_deep
from skillshot.common.errors import InputError

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]')
_BLANKS = re.compile(r"[ \t\r\n]*+")


def elements_of(file: Path, handle: io.BufferedReader[Any]) -> Iterator[tuple[Any, str, bool]]:
    """Element, the reason where it is no row, and whether it was read as cp1252; several arrays are one.

    Raises:
        InputError: the brackets do not match, an element is over `MAX_LINE`, or the text is neither UTF-8 nor cp1252.
    """
    window = _Window(file, handle)
    while window.take("["):
        while not window.take("]"):
            yield (*window.element(), window.recoded)
            if not window.take(","):
                if not window.take("]"):
                    raise window.error("a comma or the array's end is missing")
                break
    if window.next():
        raise window.error("text after the array's end")


class _Window:
    """A part of a text: what was read is dropped, and more is read where a value needs it."""

    def __init__(self, file: Path, handle: io.BufferedReader[Any]) -> None:
        self._file, self._handle, self._rest = file, handle, b""
        self._text, self._at, self._line, self._ended = "", 0, 1, False
        self.recoded = False
        self._more()
        self._text = self._text.removeprefix("\ufeff")

    def next(self) -> str:
        """The next character that is not blank, "" at the end."""
        while True:
            self._at = _BLANKS.match(self._text, self._at).end()  # type: ignore[union-attr]  # it matches nothing too
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, character: str) -> bool:
        """Go past a character, where it is the next one."""
        found = self.next() == character
        self._at += found
        return found

    def element(self) -> tuple[Any, str]:
        """The next element, and the reason where it is no row."""
        if not self.next():
            raise self.error("the file ends within the array")
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError):
                # it may go on in the next part; what is read grows with what is there, so that this happens rarely
                if len(self._text) - self._at < MAX_LINE and self._more(len(self._text) - self._at):
                    continue
                return self._broken()
            if end == len(self._text) and self._more():  # a number may go on
                continue
            start, self._at = self._at, end
            return self._row(value, start, end)

    def _row(self, value: Any, start: int, end: int) -> tuple[Any, str]:
        if end - start > MAX_LINE:
            return None, f"row over {MAX_LINE // MIB} MiB"
        if not isinstance(value, dict):
            return value, "not a JSON object"
        brackets = self._text.count("[", start, end) + self._text.count("{", start, end)
        reason = why_deep(value, brackets)
        return (self._text[start : start + 200], reason) if reason else (value, "")

    def _broken(self) -> tuple[Any, str]:
        """An element that is not JSON, or has what JSON has not, if its end can be found."""
        depth = 0
        for token in _TOKEN.finditer(self._text, self._at, self._at + MAX_LINE):
            mark = token[0]
            if depth == 0 and mark in ",]":
                text, self._at = self._text[self._at : token.start()], token.start()
                if not text.strip():
                    raise self.error("a value is missing")
                return parse_row(text.strip())
            depth += 1 if mark in "[{" else -1 if mark in "]}" else 0
        if self._ended and len(self._text) - self._at <= MAX_LINE:
            raise self.error("the file ends within this row, or its brackets do not match")
        raise self.error(f"a row of over {MAX_LINE // MIB} MiB, or one whose brackets do not match")

    def error(self, why: str) -> InputError:
        """An error at the place that is read now."""
        line = self._line + self._text.count("\n", 0, self._at)
        return InputError(
            f"{self._file}: line {line}: not a JSON array: {why}\nfix it, or write one row a line as jsonl"
        )

    def _more(self, size: int = 0) -> bool:
        """Read on, about `size` bytes or more; False at the end."""
        if self._ended:
            return False
        data = self._rest + self._handle.read(max(MIB, size))
        self._ended = len(data) == len(self._rest)
        cut = len(data) if self._ended else data.rfind(b"\n") + 1 or _whole(data)
        self._rest = data[cut:]
        self._line += self._text.count("\n", 0, self._at)
        self._text, self._at = self._text[self._at :] + self._decoded(data[:cut]), 0
        return not self._ended or cut > 0

    def _decoded(self, data: bytes) -> str:
        try:
            self.recoded = False
            return data.decode("utf-8").replace("\0", "")
        except UnicodeDecodeError:
            parts = [decoded(line) for line in data.split(b"\n")]
            for number, (text, recoded) in enumerate(parts):
                self.recoded |= recoded
                if isinstance(text, UnicodeDecodeError):
                    place = self._line + self._text.count("\n", self._at) + number
                    raise InputError(f"{self._file}: line {place}: {undecodable(text)}\nsave it as UTF-8") from None
            return "\n".join(str(text) for text, _ in parts).replace("\0", "")


def _whole(data: bytes) -> int:
    """How many bytes make whole characters, where the last one may be cut."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte >= 0xC0:
            return len(data) - back
        if byte < 0x80:
            break
    return len(data)
