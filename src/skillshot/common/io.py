"""Atomic file and folder writing, JSON, JSON lines and digests."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from skillshot.common.errors import NotANumberError

_EXCHANGE = 2  # RENAME_EXCHANGE of Linux' renameat2
_HERE = -100  # AT_FDCWD


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Open a temporary file in the folder of `path`; it replaces `path` only when the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    text: dict[str, Any] = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    try:
        with os.fdopen(descriptor, mode, **text) as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        Path(name).chmod(0o644)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def dump_json(value: Any) -> str:
    """Canonical JSON of reports and manifests: sorted keys.

    Raises:
        ValueError: a number is NaN or infinite.
    """
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write `value` as canonical JSON, atomically.

    Raises:
        NotANumberError: a number is NaN or infinite, which is not valid JSON; names its key.
    """
    try:
        text = dump_json(value)
    except ValueError as error:
        key = next(_not_finite(value, ""), "a key")
        raise NotANumberError(
            f"{path}: {key} is not a finite number; the file was not written\ncheck the inputs it is computed from"
        ) from error
    with atomic_write(path) as handle:
        handle.write(text)


def _not_finite(value: Any, name: str) -> Iterator[str]:
    """Dotted keys, with values, of the numbers that JSON cannot represent."""
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{name} ({value})"
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, part in entries:
        yield from _not_finite(part, f"{name}.{key}" if name else str(key))


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read one JSON document."""
    with open(path, encoding="utf-8") as handle:
        return json.load(handle)


def write_jsonl(path: str | os.PathLike[str], rows: Iterable[dict[str, Any]]) -> int:
    """Write one JSON object per line, atomically; returns how many."""
    count = 0
    with atomic_write(path) as handle:
        for row in rows:
            handle.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def read_jsonl(path: str | os.PathLike[str]) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON lines file written by this package."""
    with open(path, encoding="utf-8") as handle:
        for line in handle:
            yield json.loads(line)


def sha256_file(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def sha256_text(text: str) -> str:
    """SHA-256 of a text's UTF-8 bytes, in hex; lone surrogates are encoded as they are."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def sha256_bytes(data: bytes) -> str:
    """SHA-256 of bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def hash64(text: str) -> int:
    """64-bit hash of a text: the first 16 hex digits of its SHA-256."""
    return int(sha256_text(text)[:16], 16)


@contextlib.contextmanager
def made_once(path: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes `path` when the block succeeds, unless another process was faster.

    Several processes may do this at once: each has a folder of its own, and the first one stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-"))
    try:
        yield work
        work.chmod(0o755)
        try:
            work.rename(path)
        except OSError:
            if not path.is_dir():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextlib.contextmanager
def replaced_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder that replaces `path` when the block succeeds.

    What an earlier, killed process left behind is removed first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.parent / f".{path.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        swap_folders(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def swap_folders(new: Path, old: Path) -> None:
    """Move `new` to the path of `old`; atomic on Linux, two renames elsewhere."""
    if not old.exists():
        new.rename(old)
        return
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.renameat2(_HERE, os.fsencode(new), _HERE, os.fsencode(old), _EXCHANGE) == 0:
            return
    aside = new.with_name(new.name + ".old")
    old.rename(aside)
    new.rename(old)
    shutil.rmtree(aside)
