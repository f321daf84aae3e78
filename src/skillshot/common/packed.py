"""Files of a bundle that are stored compressed: NAME.gz instead of NAME, read into memory as a whole."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from skillshot.common.io import atomic_write

SUFFIX = ".gz"
LEVEL = 6  # 9 takes twice the time for half a percent
LARGEST = 256 * 2**20  # bytes of an unpacked file; a small file that unpacks to more is hostile


def stored(path: Path) -> Path:
    """The path of a file as it is there, plain or compressed.

    Raises:
        ValueError: both are there, and a manifest lists only one of them.
    """
    packed = path.with_name(path.name + SUFFIX)
    if not packed.exists():
        return path
    if path.exists():
        raise ValueError(f"{packed.name} is there too")
    return packed


def unpacked(path: Path, largest: int = LARGEST) -> bytes:
    """Content of a compressed file.

    Raises:
        ValueError: it is no gzip file, is cut, or unpacks to more than `largest` bytes.
    """
    reader = zlib.decompressobj(wbits=31)  # gzip
    try:
        data = reader.decompress(path.read_bytes(), largest + 1)
    except zlib.error as error:
        raise ValueError(f"not gzip: {error}") from error
    if len(data) > largest:
        raise ValueError(f"unpacks to more than {largest} bytes")
    if not reader.eof or reader.unused_data:
        raise ValueError("the compressed file is cut, or something follows it")
    return data


def pack(folder: Path) -> None:
    """Compress every file under a folder in place; equal files give equal bytes."""
    for path in sorted(found for found in folder.rglob("*") if found.is_file()):
        with atomic_write(path.with_name(path.name + SUFFIX), "wb") as handle:
            handle.write(gzip.compress(path.read_bytes(), LEVEL, mtime=0))
        path.unlink()
