"""A file of JSON lines in which each line holds the digest of the one before, so that a later change is found.

A line is a JSON object whose last key is `digest`: the SHA-256 of the line's bytes before `, "digest"`. Its key
`previous` is the digest of the line before, and 64 zeros in the first line; `line` counts from 1. Whoever can write the
file can also make a new chain from any line to the end, or cut the end off: both are found only by a digest that was
kept elsewhere.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skillshot.common.errors import InputError, SkillshotError
from skillshot.common.io import sha256_bytes
from skillshot.common.locks import lock, unlock

START = "0" * 64  # what stands for the digest before the first line
LONGEST = 2**24  # bytes of a line that is read; one of 100 demonstrations has some 30,000
_TAIL = 4096  # bytes that are read first, from the end; most last lines are shorter
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
_SIGNED = b', "digest": "'
_FIRST = b'{"line": 1, "previous": "' + START.encode()
_END = len(_SIGNED) + 64 + len(b'"}')


class Chain:
    """A file that is appended to; thread-safe, also with other processes that append to it."""

    def __init__(self, path: Path) -> None:
        self._path, self._name = path, str(path)
        self._known: tuple[tuple[int, ...], int, str] | None = None  # state of the file, number, digest

    def append(self, rows: Iterable[str]) -> None:
        """Append rows as one write, under the file's lock: all of them or, on a full disk, none.

        What a killed process left unfinished stays; the next line names it (`unfinished`: its digest) and continues the
        chain behind it. Nothing is synced to the disk: a power failure may lose the last lines.

        Args:
            rows: JSON objects with a key or more, each as the text of one line.

        Raises:
            InputError: the file cannot be opened, or is no such record.
            BundleError: the file cannot be locked.
            SkillshotError: the disk is full.
        """
        try:
            handle = os.open(self._name, _FLAGS, 0o644)
        except OSError as error:
            raise InputError(
                f"{self._path}: {error.strerror}; an audit record is a file that can be written"
            ) from error
        try:
            lock(handle, self._path)
            try:
                self._append(handle, rows)
            finally:
                unlock(handle)
        finally:
            os.close(handle)

    def _append(self, handle: int, rows: Iterable[str]) -> None:
        state, known = _state(handle), self._known
        if known is not None and known[0] == state:  # nobody else has written
            _, number, previous = known
            more, data = "", b""
        else:
            number, previous, behind = _end(self._path, handle, state[-1])
            digest = sha256_bytes(behind.removesuffix(b"\n"))
            more = f', "unfinished": "{digest}"' if behind.strip() else ""
            data = b"" if _ended(handle, state[-1]) else b"\n"
        for row in rows:
            number += 1
            body = f'{{"line": {number}, "previous": "{previous}"{more}, {row[1:-1]}'.encode()
            previous, more = sha256_bytes(body), ""
            data += body + _SIGNED + previous.encode() + b'"}\n'
        _write(handle, data, state[-1], self._path)
        self._known = _state(handle), number, previous


def _state(handle: int) -> tuple[int, ...]:
    """What differs once another process has written to the file; the size last."""
    found = os.fstat(handle)
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


@dataclass(frozen=True)
class ChainCheck:
    """What a check found. lines: in the file. last: digest of the last one. wrong, remarks: sentences with lines."""

    lines: int
    last: str
    wrong: tuple[str, ...]
    remarks: tuple[str, ...]


def check(path: Path, last: str | None = None) -> ChainCheck:
    """Read a record from its start and compare every line with the one before.

    Args:
        last: digest that a line must have, kept from an earlier check; finds a record that was cut or made anew.

    Raises:
        InputError: there is no such file.
    """
    wrong: list[str] = []
    remarks: list[str] = []
    previous, number, lines, seen, loose = START, 0, 0, last in (None, START), list[bytes]()
    for lines, line in enumerate(_lines(path), 1):
        row = _row(line)
        if row is None:
            loose.append(line)
            continue
        place = _places(lines - len(loose), lines - 1)
        named = row.get("unfinished")
        if loose and named == sha256_bytes(b"".join(loose).removesuffix(b"\n")):
            remarks.append(f"{place}: unfinished, the writer was killed; line {lines} names it and goes on")
        elif loose:
            wrong.append(f"{place}: changed; it is no line of a record")
        elif named is not None:
            wrong.append(f"line {lines}: names an unfinished line before it, which was removed")
        loose = []
        if sha256_bytes(line.rstrip(b"\n")[:-_END]) != row["digest"]:
            wrong.append(f"line {lines}: changed; its digest is not that of its text")
        if row["previous"] != previous or row["line"] != number + 1:
            wrong.append(f"line {lines}: {_apart(row['line'], number, lines)}")
        previous, number, seen = row["digest"], row["line"], seen or row["digest"] == last
    if loose:
        place = _places(lines - len(loose) + 1, lines)
        wrong.append(f"{place}: unfinished at the end; its writer was killed, or the end was cut")
    if not seen:
        wrong.append(f"no line has the digest {last}: the end was cut, or the record was made anew")
    return ChainCheck(lines, previous, tuple(wrong), tuple(remarks))


def _places(first: int, last: int) -> str:
    return f"line {last}" if first == last else f"lines {first} to {last}"


def _apart(count: int, before: int, line: int) -> str:
    if count > before + 1:
        return f"{_places(before + 1, count - 1)} of the record stood before it and was removed or changed"
    if count == before + 1 and line > 1:
        return f"does not hold the digest of line {line - 1}; one of the two was changed"
    return f"is line {count} of the record and follows line {before}; the lines were reordered, or one was inserted"


def _row(line: bytes) -> dict[str, Any] | None:
    """The object of a whole line with the keys of the chain; None for anything else."""
    text = line.rstrip(b"\n")
    if len(text) < _END or text[-_END:-66] != _SIGNED:
        return None
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        return None
    kinds = {"line": int, "previous": str, "digest": str}
    fits = isinstance(row, dict) and all(isinstance(row.get(name), kind) for name, kind in kinds.items())
    return row if fits else None


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with open(path, "rb") as handle:
            while line := handle.readline(LONGEST):
                yield line
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; expected an audit record") from error


def _end(path: Path, handle: int, size: int) -> tuple[int, str, bytes]:
    """Number and digest of the last whole line, and what stands behind it.

    Raises:
        InputError: no line is one of a record.
    """
    want = _TAIL
    while True:
        start = max(0, size - want)
        data = _read(handle, start, size)
        at = len(data)
        while at > 0:
            first = data.rfind(b"\n", 0, at - 1) + 1
            if first == 0 and start > 0:
                break  # the line begins before what was read
            row = _row(data[first:at])
            if row is not None:
                return row["line"], row["digest"], data[at:]
            at = first
        if start == 0 and data[: len(_FIRST)] == _FIRST[: len(data)]:
            return 0, START, data  # nothing, or a first line that was not finished
        if start == 0 or want > LONGEST:
            raise InputError(
                f"{path}: is no audit record: it begins with {_read(handle, 0, min(size, 60))!r}\n"
                "give a new file, or one that `--audit` has written"
            )
        want *= 16


def _read(handle: int, start: int, end: int) -> bytes:
    os.lseek(handle, start, os.SEEK_SET)
    data = b""
    while len(data) < end - start and (part := os.read(handle, end - start - len(data))):
        data += part
    return data


def _ended(handle: int, size: int) -> bool:
    """Whether the file is empty or ends with a line end."""
    return size == 0 or _read(handle, size - 1, size) == b"\n"


def _write(handle: int, data: bytes, size: int, path: Path) -> None:
    try:
        done = 0
        while done < len(data):
            done += os.write(handle, data[done:])
    except OSError as error:
        os.ftruncate(handle, size)  # no half line stays
        raise SkillshotError(f"{path}: {error.strerror}; nothing was written, so the selection is refused") from error
