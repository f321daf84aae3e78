"""Raw rows of files of any size, one at a time: jsonl, csv, tsv (also gzipped), parquet, or a folder of them.

A line that cannot be read becomes a `Raw` with a reason; a file that cannot be read is an InputError.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from skillshot.bank.rows import Raw, read_csv, read_jsonl, read_plain
from skillshot.common.errors import InputError

SUFFIXES = (".jsonl", ".jsonl.gz", ".ndjson", ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")


def find_files(path: str | os.PathLike[str]) -> list[tuple[str, Path]]:
    """The readable files of a path, as (short name, path), in a fixed order; a folder is searched in depth.

    Raises:
        InputError: nothing there, not readable, or of no known kind.
    """
    path = Path(path)
    try:
        if path.is_dir():
            found = sorted(_inside(path))
            if not found:
                raise InputError(f"{path}: no {', '.join(SUFFIXES[:2])}, .csv, .tsv or .parquet file in this folder")
            return [(file.relative_to(path).as_posix(), file) for file in found]
        if not path.exists():
            raise InputError(f"{path}: no such file")
    except (OSError, RuntimeError) as error:  # a symlink loop, a folder that may not be listed
        raise InputError(f"{path}: {_why(error)}") from error
    if not path.is_file():
        raise InputError(f"{path}: not a regular file")
    if not path.name.lower().endswith(SUFFIXES):
        hint = "\na JSON array becomes JSON lines by: jq -c '.[]' FILE" if path.suffix == ".json" else ""
        raise InputError(f"{path}: unknown kind of file; known: {', '.join(SUFFIXES)}{hint}")
    return [(path.name, path)]


def _inside(folder: Path) -> Iterator[Path]:
    """Files of a known kind in a folder, hidden ones apart; a part that may not be listed is an OSError."""

    def stop(error: OSError) -> None:
        raise error

    for where, folders, names in os.walk(folder, onerror=stop):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files = (Path(where) / name for name in names if not name.startswith("."))
        # a dangling link is kept, so that reading it fails: a partial bank must not pass for the whole
        known = (file for file in files if file.name.lower().endswith(SUFFIXES))
        yield from (file for file in known if file.is_file() or not file.exists())


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
        raise InputError(f"{path}: {'not a regular file' if path.exists() else 'no such file'}")
    yield from _checked(path.name, path, plain=True)


def _checked(name: str, file: Path, plain: bool = False) -> Iterator[Raw]:
    line = 0
    try:
        rows = _parquet(name, file) if file.name.lower().endswith(".parquet") else _text(name, file, plain)
        for raw in rows:
            line = raw.line
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
    with gzip.open(file) if zipped else open(file, "rb") as handle:
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


def _parquet(name: str, file: Path) -> Iterator[Raw]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    line = 0
    try:
        with pq.ParquetFile(file) as table:
            for batch in table.iter_batches(batch_size=1024):
                for row in batch.to_pylist():
                    line += 1
                    yield Raw(name, line, row)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{file}: not a readable parquet file (after row {line}): {_why(error)}") from error


def _why(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:200]
