"""Where runs, versions and artifacts are stored, as URIs and as folders."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

ARTIFACTS = "mlartifacts"  # next to a local database


def tracking_uri(root: Path) -> str:
    """`MLFLOW_TRACKING_URI`, or the database in the repository `root`; a DVC experiment uses that of the original."""
    return os.environ.get("MLFLOW_TRACKING_URI") or database_uri(home(root) / "mlflow.db")


def database_uri(database: Path) -> str:
    """URI of an SQLite file; `?` would begin the URI's options, `#` and `%` are escapes."""
    escapes = {ord(character): f"%{ord(character):02X}" for character in "%?#"}
    return f"sqlite:///{str(database).translate(escapes)}"


def home(root: Path) -> Path:
    """The user's repository: for a temporary copy under `.dvc/tmp/exps`, the repository it was copied from."""
    parts = root.parts
    for i in range(len(parts) - 2):
        if parts[i : i + 3] == (".dvc", "tmp", "exps"):
            return Path(*parts[:i])
    return root


def local_path(location: str) -> Path | None:
    """The folder of a `file:` location or plain path, None for a store elsewhere."""
    scheme = urlparse(location).scheme
    if scheme == "file":
        return Path(url2pathname(urlparse(location).path))
    return None if scheme else Path(location)
