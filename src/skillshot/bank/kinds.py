"""Which files a path stands for, and of what kind each is: by its first bytes, by its name, by its text."""

from __future__ import annotations

import logging
import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from skillshot.bank.compressed import PACKED, head_of
from skillshot.bank.database import MAGIC
from skillshot.bank.delimited import names_fields
from skillshot.bank.json_text import looks_like_json
from skillshot.bank.prompt_text import is_prompt
from skillshot.common.errors import InputError

KINDS = {  # suffix -> kind; of texts also when compressed
    ".jsonl": "json", ".ndjson": "json", ".json": "json", ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".yaml": "yaml",
    ".yml": "yaml", ".parquet": "parquet", ".xlsx": "excel", ".xlsm": "excel", ".sqlite": "sqlite",
    ".sqlite3": "sqlite", ".db": "sqlite",
}  # fmt: skip
_BINARY = frozenset(("parquet", "excel", "sqlite"))
SUFFIXES = tuple(
    suffix + packed for suffix, kind in KINDS.items() for packed in ("", *PACKED) if not packed or kind not in _BINARY
)
WITH_PARTS = {"json": "key", "yaml": "key", "excel": "sheet", "sqlite": "table"}  # what follows `::`
# in a folder these are read only where nothing else is there: they may be settings, notes or another program's
_UNSURE = (".json", ".yaml", ".yml", ".db", ".sqlite", ".sqlite3", ".txt")
_NOTES = ("readme", "license", "licence", "citation", "requirements", "notice", "changelog", "~$")
_SPECIAL = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
_OLE = b"\xd0\xcf\x11\xe0"  # Excel before 2007, and encrypted files
_READ = 64 << 10  # bytes by which a text is recognised

logger = logging.getLogger("skillshot")


@dataclass(frozen=True)
class BankFile:
    """A file to read: its short name, path, and what is to be read of it."""

    name: str
    path: Path
    part: str = ""


def find_files(path: str | os.PathLike[str]) -> list[BankFile]:
    """The files of a path in a fixed order; a folder is searched in depth; `file::part` names a part of a file.

    Raises:
        InputError: nothing there, or not readable.
    """
    path, part = _parted(Path(path))
    try:
        if path.is_dir():
            if part:
                raise InputError(f"{path}: a folder has no part {part!r}\nname a file in it")
            skipped: list[str] = []
            found = _sure(path, sorted(_inside(path, skipped)), skipped)
            if not found:
                also = f"; skipped: {', '.join(skipped)[:200]}" if skipped else ""
                raise InputError(f"{path}: no .jsonl, .csv, .tsv, .parquet, .xlsx or .json file in this folder{also}")
            return [BankFile(file.relative_to(path).as_posix(), file) for file in found]
        if not path.exists():
            raise InputError(f"{path}: no such file")
    except (OSError, RuntimeError) as error:  # a symlink loop, a folder that may not be listed
        raise InputError(f"{path}: {why(error)}") from error
    if not path.is_file():
        raise InputError(f"{path}: not a regular file but {special(path)}")
    return [BankFile(path.name, path, part)]


def kind_of(file: BankFile) -> str:
    """The kind of a file: what its first bytes say, then its name, then its text.

    Raises:
        InputError: of no known kind, or of one without the part that is asked for.
    """
    named = _named(file.path)
    with open(file.path, "rb") as handle:
        begins = handle.read(16)
    kind = _binary(file.path, begins) or named or _text_kind(file.path)
    if named and kind != named:
        logger.warning("%s: is read as %s, which it is, whatever its name", file.path, kind)
    if file.part and kind not in WITH_PARTS:
        raise InputError(f"{file.path}: a {kind} file has no part {file.part!r}\npass the file alone")
    return kind


def holds_rows(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a folder or file of rows, rather than a text with one question a line.

    Raises:
        InputError: it cannot be opened.
    """
    path, part = _parted(Path(path))
    if part or path.is_dir() or path.name.lower().endswith(SUFFIXES):
        return True
    if not path.is_file():
        return False
    try:
        with open(path, "rb") as handle:
            if _binary(path, handle.read(16)):
                return True
        text = _head(path)
    except (OSError, EOFError) as error:
        raise InputError(f"{path}: {why(error)}") from error
    lines = [line for line in text.split("\n")[:-1] if line.strip()] or [text]
    return is_prompt(text) or (looks_like_json(text) and (len(lines) == 1 or not _mixed(lines)))


def special(path: Path) -> str:
    """What a path is that is no regular file."""
    return _SPECIAL.get(stat.S_IFMT(path.stat().st_mode), "no file")


def why(error: BaseException) -> str:
    """The message of an error of the system or a library, on one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:200]


def _parted(path: Path) -> tuple[Path, str]:
    """`file::part` as its two parts; a file that has this name is itself."""
    text = os.fspath(path)
    try:
        if "::" in text and not path.exists():
            before, _, after = text.partition("::")
            return Path(before), after
    except OSError:  # a name that is too long
        pass
    return path, ""


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
                if file.name.lower().endswith((*SUFFIXES, ".txt")) and not file.name.lower().startswith(_NOTES):
                    yield file
            else:
                skipped.append(f"{file.relative_to(folder).as_posix()} ({special(file)})")
                logger.warning("%s: skipped, because it is %s", file, special(file))


def _sure(folder: Path, files: list[Path], skipped: list[str]) -> list[Path]:
    sure = [file for file in files if not _bare(file).endswith(_UNSURE)]
    others = [file.relative_to(folder).as_posix() for file in files if file not in set(sure)] if sure else []
    if others:
        skipped += others
        logger.warning(
            "%s: next to files of rows these are not read: %s; if they hold rows, pass them on their own",
            folder, ", ".join(others)[:200],
        )  # fmt: skip
    return sure or files


def _bare(path: Path) -> str:
    """A file's name in lower case, without the suffix of a compression."""
    name = path.name.lower()
    return next((name.removesuffix(packed) for packed in PACKED if name.endswith(packed)), name)


def _named(path: Path) -> str:
    name = _bare(path)
    return next((kind for suffix, kind in KINDS.items() if name.endswith(suffix)), "")


def _binary(path: Path, begins: bytes) -> str:
    if begins.startswith(b"PAR1"):
        return "parquet"
    if begins.startswith(MAGIC):
        return "sqlite"
    if begins.startswith(_OLE):
        raise InputError(f"{path}: an Excel file of before 2007, or with a password\nsave it as .xlsx without one")
    if begins.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(path) as archive:
                if any(name.startswith("xl/") for name in archive.namelist()):
                    return "excel"
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
            pass
        raise InputError(f"{path}: begins like a zip file, but is no Excel file\nunpack it")
    return ""


def _text_kind(path: Path) -> str:
    text = _head(path)
    if looks_like_json(text):
        return "json"
    if is_prompt(text):
        return "prompt"
    if names_fields(text):
        return "csv"
    raise InputError(
        f"{path}: unknown kind of file; known: {', '.join(KINDS)}, JSON under any name, text with Q: and A:\n"
        "rename it if it is one of these"
    )


def _head(path: Path) -> str:
    return head_of(path, _READ).decode("utf-8", "replace").replace("\0", "").lstrip("\ufeff \t\r\n")


def _mixed(lines: list[str]) -> bool:
    """Whether some lines are JSON objects and others are texts."""
    return lines[0].rstrip().endswith("}") and not all(line.lstrip().startswith("{") for line in lines)
