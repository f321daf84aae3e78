"""Large files of a local artifact store, kept once: versions that hold the same bytes share them by hard links.

Eight versions of one encoder take the space of one. MLflow writes an artifact once and deletes it by name, so links
are safe: deleting a version drops its name, and the last name drops the bytes. A server's store (S3) has no links.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from skillshot.common.io import sha256_file

SHARED = "shared"  # folder of the artifact store: one file per content, named by its SHA-256
MIN_BYTES = 65536  # smaller files are not worth a link


def share(folder: Path, store: Path) -> int:
    """Replace the large files of `folder` by links to equal ones of `store`; returns the bytes that this saves.

    A file that cannot be linked (another file system, no such feature) stays as it is.
    """
    shared = store / SHARED
    shared.mkdir(parents=True, exist_ok=True)
    saved = 0
    with suppress(OSError):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink() and path.stat().st_size >= MIN_BYTES:
                saved += _shared(path, shared / sha256_file(path))
        for path in shared.iterdir():
            if path.stat().st_nlink == 1:  # no version has it any more
                path.unlink()
    return saved


def _shared(path: Path, kept: Path) -> int:
    if kept.exists() and kept.samefile(path):
        return 0
    # what was edited in place, through one of its names, is never given to another version
    if not kept.exists() or sha256_file(kept) != kept.name:
        kept.unlink(missing_ok=True)
        os.link(path, kept)
        return 0
    new = path.with_name(f".{path.name}.link")
    new.unlink(missing_ok=True)
    os.link(kept, new)
    os.replace(new, path)
    return path.stat().st_size
