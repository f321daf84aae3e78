"""Raw rows of files of any form and size, one at a time: JSON, csv, tsv, YAML, text, parquet, Excel, sqlite, folders.

A line that cannot be read becomes a `Raw` with a reason; a file that cannot be read is an InputError.
"""

from __future__ import annotations

import gzip
import lzma
import os
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from skillshot.bank.compressed import PACKED, head_of, opened
from skillshot.bank.delimited import read_delimited
from skillshot.bank.json_text import read_json
from skillshot.bank.kinds import BankFile, find_files, kind_of, special, why
from skillshot.bank.limits import ROW_BYTES, check_ratio
from skillshot.bank.prompt_text import read_prompt
from skillshot.bank.rows import FileForm, Raw, read_plain
from skillshot.common.errors import InputError

_DESCRIBED = 100  # rows by which a file's form is described


def read_raw(path: str | os.PathLike[str]) -> Iterator[Raw]:
    """All rows of a file or of a folder's files, in order; in constant memory where the form allows it.

    Args:
        path: a file, a folder, or `file::part` for a sheet, a table, or the key of a list in a JSON or YAML object.

    Raises:
        InputError: a file is unreadable, empty, truncated or of no known kind; names file and line.
        MissingPackageError: the package that reads such a file is not installed.
    """
    for file in find_files(path):
        yield from _checked(file, FileForm())


def describe(path: str | os.PathLike[str]) -> str:
    """What is understood of the form of a file or of a folder's files, e.g. "csv, delimiter ';', header".

    Raises:
        InputError: as `read_raw`, as far as the first rows are concerned.
    """
    forms: Counter[str] = Counter()
    files = find_files(path)
    for file in files:
        form = FileForm(silent=True)
        for _ in islice(_checked(file, form), _DESCRIBED):
            pass
        forms[str(form)] += 1
    if files[0].name == files[0].path.name and len(files) == 1:
        return next(iter(forms))
    return f"folder of {len(files)} files: {'; '.join(f'{count} of {form}' for form, count in forms.items())}"


def read_questions(path: str | os.PathLike[str]) -> Iterator[Raw]:
    """The lines of a text file: a question each, or a JSON object.

    Raises:
        InputError: as `read_raw`.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: {'not a regular file but ' + special(path) if path.exists() else 'no such file'}")
    yield from _checked(BankFile(path.name, path), FileForm(), plain=True)


def _checked(file: BankFile, form: FileForm, plain: bool = False) -> Iterator[Raw]:
    """The rows of a file, whose errors are ours, and which may not be very many for its size."""
    path, line = file.path, 0
    try:
        size = path.stat().st_size
        for count, raw in enumerate(_plain(file) if plain else _rows(file, form)):
            line = raw.line
            check_ratio(path, size, count * ROW_BYTES)  # small rows too can be very many
            yield raw
    except (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError) as error:
        kind = PACKED.get(path.suffix.lower(), "data")
        raise InputError(f"{path}: damaged {kind} after line {line}: {why(error)}") from error
    except (OSError, UnicodeError) as error:
        raise InputError(f"{path}: cannot be read after line {line}: {why(error)}") from error
    if line == 0:
        raise InputError(f"{path}: no rows in this file")


def _rows(file: BankFile, form: FileForm) -> Iterator[Raw]:
    kind, path = kind_of(file), file.path
    match kind:
        case "parquet":
            from skillshot.bank.parquet import read_parquet

            form.add("parquet")
            yield from read_parquet(file.name, path)
        case "excel":
            from skillshot.bank.spreadsheet import read_excel

            yield from read_excel(file.name, path, form, file.part)
        case "sqlite":
            from skillshot.bank.database import read_sqlite

            yield from read_sqlite(file.name, path, form, file.part)
        case _:
            yield from _text(file, kind, form)


def _text(file: BankFile, kind: str, form: FileForm) -> Iterator[Raw]:
    form.ending = PACKED.get(file.path.suffix.lower(), "")
    head = head_of(file.path)
    with opened(file.path) as handle:
        match kind:
            case "json":
                yield from read_json(file.name, file.path, handle, head, form, file.part)
            case "yaml":
                from skillshot.bank.yaml_text import read_yaml

                yield from read_yaml(file.name, file.path, handle, form, file.part)
            case "prompt":
                yield from read_prompt(file.name, file.path, handle, form)
            case _:
                usual = "\t" if kind == "tsv" else ","
                yield from read_delimited(file.name, file.path, handle, head, form, usual)


def _plain(file: BankFile) -> Iterator[Raw]:
    with opened(file.path) as handle:
        yield from read_plain(file.name, handle)
