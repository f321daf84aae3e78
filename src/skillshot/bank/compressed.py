"""Text files as streams of UTF-8 bytes, whether they are stored as gzip, bz2, xz or UTF-16."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from skillshot.bank.limits import MIB, check_ratio
from skillshot.common.errors import InputError

PACKED = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz"}  # suffix -> how a file is compressed
_BEGINS = {b"\x1f\x8b": "gzip", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_BLOCK = 8 << 10  # bytes unpacked at once: what follows a stream is copied, and a stream can have 14 bytes
_MEMORY = 256 * MIB  # that an xz file may ask for; `xz -9` needs 65 MiB, a header can ask for 4 GiB


@contextlib.contextmanager
def opened(file: Path) -> Iterator[io.BufferedReader[Any]]:
    """The bytes of a text file, unpacked; what is still compressed under another name is refused.

    Raises:
        InputError: the name and the content do not agree, or, while it is read, see `check_ratio`.
    """
    kind = PACKED.get(file.suffix.lower(), "")
    with io.BufferedReader(io.FileIO(file), MIB) as stored:
        head = stored.peek(8)
        if kind and head and packing(head) != kind:
            raise InputError(f"{file}: not {kind}, though its name ends in {file.suffix}\nrename it")
        handle: io.BufferedReader[Any] = io.BufferedReader(_Unpacked(file, stored, kind), MIB) if kind else stored
        head = handle.peek(8)
        if found := packing(head):
            ending = next((suffix for suffix in PACKED if PACKED[suffix] == found), "")
            where = f"inside {kind}" if kind else f"in a file that is not named {ending}" if ending else "here"
            raise InputError(f"{file}: {found} data {where}\n{'rename' if ending and not kind else 'unpack'} it")
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            handle = io.BufferedReader(_Utf8(handle), MIB)
        yield handle


def packing(head: bytes) -> str:
    """How data is compressed that begins so; "" where it is not."""
    if head[:3] == b"BZh" and head[4:7] in (b"1AY", b"\x17rE"):
        return "bz2"
    return next((kind for mark, kind in _BEGINS.items() if head.startswith(mark)), "")


def head_of(file: Path, size: int = MIB) -> bytes:
    """The first bytes of an unpacked text."""
    with opened(file) as handle:
        return handle.read(size)


class _Unpacked(io.RawIOBase):
    """The bytes of a compressed file, which may not be far more than the file has.

    Raises:
        InputError: while it is read, see `check_ratio`.
    """

    def __init__(self, path: Path, stored: io.BufferedReader[Any], kind: str) -> None:
        self._path, self._size, self._held = path, os.fstat(stored.fileno()).st_size, 0
        self._stream: gzip.GzipFile | _Streams
        if kind == "gzip":
            self._stream = gzip.GzipFile(fileobj=stored)
        elif kind == "bz2":
            self._stream = _Streams(stored, bz2.BZ2Decompressor)
        else:
            self._stream = _Streams(stored, lambda: lzma.LZMADecompressor(memlimit=_MEMORY))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._stream.readinto(buffer)
        self._held += count
        check_ratio(self._path, self._size, self._held)
        return count


class _Streams:
    """The streams of a bz2 or xz file, one after another; zero bytes may follow them."""

    def __init__(self, stored: io.BufferedReader[Any], new: Callable[[], Any]) -> None:
        self._stored, self._new, self._unpacker, self._rest = stored, new, new(), b""

    def readinto(self, buffer: Any) -> int:
        while True:
            if self._unpacker.eof:
                rest = (self._unpacker.unused_data or self._stored.read1(_BLOCK)).lstrip(b"\0")
                if not rest:
                    if self._stored.peek(1):
                        continue
                    return 0
                self._unpacker, self._rest = self._new(), rest
            if self._unpacker.needs_input and not self._rest:
                self._rest = self._stored.read1(_BLOCK)
                if not self._rest:
                    raise EOFError("it ends before its end marker")
            try:
                data = self._unpacker.decompress(self._rest, max_length=len(buffer))
            except OSError as error:  # bz2's error for bytes that are none
                raise EOFError(str(error)) from error
            self._rest = b""
            if data:
                buffer[: len(data)] = data
                return len(data)


class _Utf8(io.RawIOBase):
    """UTF-16 bytes as UTF-8 bytes, so that everything after it sees one encoding."""

    def __init__(self, handle: io.BufferedReader[Any]) -> None:
        self._text = io.TextIOWrapper(handle, encoding="utf-16", newline="")
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = self._text.read(1 << 16).encode("utf-8", "surrogatepass")
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)
