"""Raw rows of files of any size, one at a time: jsonl, csv, tsv (also gzipped), parquet, or a folder of them.

A line that cannot be read becomes a `Raw` with a reason; a file that cannot be read is an InputError.
"""

from __future__ import annotations

import gzip
import io
import logging
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skillshot.bank.limits import MIB, ROW_BYTES, check_ratio
from skillshot.bank.rows import Raw, read_csv, read_jsonl, read_plain
from skillshot.common.errors import InputError

SUFFIXES = (".jsonl", ".jsonl.gz", ".ndjson", ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")
_SPECIAL = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}

logger = logging.getLogger("skillshot")


def find_files(path: str | os.PathLike[str]) -> list[tuple[str, Path]]:
    """The readable files of a path, as (short name, path), in a fixed order; a folder is searched in depth.

    Raises:
        InputError: nothing there, not readable, or of no known kind.
    """
    path = Path(path)
    try:
        if path.is_dir():
            skipped: list[str] = []
            found = sorted(_inside(path, skipped))
            if not found:
                kinds = f"{', '.join(SUFFIXES[:2])}, .csv, .tsv or .parquet"
                also = f"; skipped: {', '.join(skipped)[:200]}" if skipped else ""
                raise InputError(f"{path}: no {kinds} file in this folder{also}")
            return [(file.relative_to(path).as_posix(), file) for file in found]
        if not path.exists():
            raise InputError(f"{path}: no such file")
    except (OSError, RuntimeError) as error:  # a symlink loop, a folder that may not be listed
        raise InputError(f"{path}: {_why(error)}") from error
    if not path.is_file():
        raise InputError(f"{path}: not a regular file but {_kind(path)}")
    if not path.name.lower().endswith(SUFFIXES):
        hint = "\na JSON array becomes JSON lines by: jq -c '.[]' FILE" if path.suffix == ".json" else ""
        raise InputError(f"{path}: unknown kind of file; known: {', '.join(SUFFIXES)}{hint}")
    return [(path.name, path)]


def _inside(folder: Path, skipped: list[str]) -> Iterator[Path]:
    """Files of a known kind in a folder, hidden ones apart; a part that may not be listed is an OSError.

    FIFOs, sockets and devices are logged, put into `skipped`, and never opened, because reading one may never end.
    """

    def stop(error: OSError) -> None:
        raise error

    for where, folders, names in os.walk(folder, onerror=stop):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for file in (Path(where) / name for name in sorted(names) if not name.startswith(".")):
            # a dangling link is kept, so that reading it fails: a partial bank must not pass for the whole
            if file.is_file() or not file.exists():
                if file.name.lower().endswith(SUFFIXES):
                    yield file
            else:
                skipped.append(f"{file.relative_to(folder).as_posix()} ({_kind(file)})")
                logger.warning("%s: skipped, because it is %s", file, _kind(file))


def _kind(path: Path) -> str:
    return _SPECIAL.get(stat.S_IFMT(path.stat().st_mode), "no file")


def read_raw(path: str | os.PathLike[str]) -> Iterator[Raw]:
    """All rows of a file or of a folder's files, in order, in constant memory.

    Raises:
        InputError: a file is unreadable, empty, truncated or not of the kind of its suffix; names file and line.
    """
    for name, file in find_files(path):
        yield from _checked(name, file)


def read_questions(path: str | os.PathLike[str]) -> Iterator[Raw]:
    """The lines of a text file: a question each, or a JSON object.

    Raises:
        InputError: as `read_raw`.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: {'not a regular file but ' + _kind(path) if path.exists() else 'no such file'}")
    yield from _checked(path.name, path, plain=True)


def _checked(name: str, file: Path, plain: bool = False) -> Iterator[Raw]:
    line = 0
    try:
        if file.name.lower().endswith(".parquet"):
            from skillshot.bank.parquet import read_parquet

            rows = read_parquet(name, file)
        else:
            rows = _text(name, file, plain)
        size = file.stat().st_size
        for count, raw in enumerate(rows):
            line = raw.line
            check_ratio(file, size, count * ROW_BYTES)  # small rows too can be very many
            yield raw
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{file}: damaged gzip after line {line}: {_why(error)}") from error
    except (OSError, UnicodeError) as error:
        raise InputError(f"{file}: cannot be read after line {line}: {_why(error)}") from error
    if line == 0:
        raise InputError(f"{file}: no rows in this file")


def _text(name: str, file: Path, plain: bool) -> Iterator[Raw]:
    lower = file.name.lower()
    zipped = lower.endswith(".gz")
    with io.BufferedReader(io.FileIO(file), MIB) as stored:
        handle: io.BufferedReader[Any] = io.BufferedReader(_Unzipped(file, stored), MIB) if zipped else stored
        head = handle.peek(4)[:4]
        if head[:2] == b"\x1f\x8b":
            raise InputError(f"{file}: gzip data {'inside gzip' if zipped else 'in a file that is not named .gz'}")
        if head in (b"PAR1", b"PK\x03\x04"):
            raise InputError(f"{file}: not text: it begins like a {'parquet' if head == b'PAR1' else 'zip'} file")
        if plain:
            yield from read_plain(name, handle)
        elif ".csv" in lower or ".tsv" in lower:
            yield from read_csv(name, handle, "\t" if ".tsv" in lower else ",")
        else:
            yield from read_jsonl(name, handle)


class _Unzipped(io.RawIOBase):
    """The bytes of a gzip file, which may not be far more than the file has.

    Raises:
        InputError: while it is read, see `check_ratio`.
    """

    def __init__(self, path: Path, stored: io.BufferedReader[Any]) -> None:
        self._gzip, self._path, self._size = gzip.GzipFile(fileobj=stored), path, os.fstat(stored.fileno()).st_size
        self._held = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._gzip.readinto(buffer)
        self._held += count
        check_ratio(self._path, self._size, self._held)
        return count


def _why(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:200]
