"""What a file of a bundle may hold: checks of JSON values and of arrays, and one door for everything that is damaged.

A check is a function of a value and its place. It raises ValueError with place, value and what is expected; `door`
turns that, and every error that reading a damaged file can raise, into a `BundleError`.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import re
import stat
import tokenize
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from skillshot.common import packed
from skillshot.common.errors import BundleError, SkillshotError

Check = Callable[[Any, str], None]

JSON_BYTES = 256 * 2**20  # size of the largest JSON file that is read; a vocabulary of a million words takes 20 MB
SHOWN = 80  # characters of a value or of another library's message that an error shows
LARGEST = 1e9  # length of the weights together; the products of larger ones overflow float32
UNIT = 0.02  # deviation of a unit row's squared length; float16 rounds within 0.002
ROWS = 65_536  # rows of an array that are checked at a time, to bound memory
# what numpy, json and the classes built from their results raise on damaged content
DAMAGE: tuple[type[Exception], ...] = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RecursionError,
    MemoryError,
    OSError,
    EOFError,
    SyntaxError,  # this and the next: the header of a `.npy` file is a Python literal
    tokenize.TokenError,
)


@contextlib.contextmanager
def door(path: object, fix: str = "copy the bundle again", more: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Turn what damaged content at `path` makes the block raise into a BundleError that names the file.

    Args:
        more: further exception classes, of a library that has its own.
    """
    try:
        yield
    except SkillshotError:
        raise
    except DAMAGE + more as error:
        raise BundleError(f"{path}: {cause(error)}; {fix}") from error


def cause(error: BaseException) -> str:
    """The first words of an error on one line; its class where it has none."""
    text = " ".join(str(error).split())
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if text and len(text) <= 3 * SHOWN else text[: 3 * SHOWN] or type(error).__name__


def refuse(value: Any, place: str, expected: str) -> None:
    """Raise ValueError: the value at a place is not what is expected."""
    shown = repr(value) if isinstance(value, str | int | float | None) else type(value).__name__
    if len(shown) > SHOWN:
        shown = f"{shown[:SHOWN]}..."
    raise ValueError(f"{place} is {shown}, expected {expected}")


def whole(low: int, high: int = 2**63 - 1) -> Check:
    """A whole number within bounds."""

    def check(value: Any, place: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            refuse(value, place, f"a whole number from {low} to {high}")

    return check


def number(low: float = -math.inf, high: float = math.inf) -> Check:
    """A finite number within bounds."""

    def check(value: Any, place: str) -> None:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        if not (fits and low <= value <= high and -1e300 < value < 1e300):
            refuse(value, place, "a finite number" + (f" from {low} to {high}" if low > -math.inf else ""))

    return check


def text(pattern: str | None = None, form: str = "a text") -> Check:
    """A text; where a pattern is given, it must match as a whole.

    Args:
        form: the pattern in words.
    """
    compiled = re.compile(pattern or "", re.ASCII)

    def check(value: Any, place: str) -> None:
        if not isinstance(value, str) or (pattern is not None and not compiled.fullmatch(value)):
            refuse(value, place, form)

    return check


def one_of(*known: str) -> Check:
    """One of some texts."""

    def check(value: Any, place: str) -> None:
        if not isinstance(value, str) or value not in known:
            refuse(value, place, f"one of {', '.join(known)}")

    return check


def listed(entry: Check, most: int | None = None) -> Check:
    """A list of equal things."""

    def check(value: Any, place: str) -> None:
        if not isinstance(value, list) or (most is not None and len(value) > most):
            refuse(value, place, "a list" if most is None else f"a list of at most {most} entries")
        for at, part in enumerate(value):
            entry(part, f"{place}[{at}]")

    return check


def mapped(key: Check, entry: Check) -> Check:
    """An object with any keys of one kind."""

    def check(value: Any, place: str) -> None:
        if not isinstance(value, dict):
            refuse(value, place, "an object")
        for name, part in value.items():
            key(name, f"{place}: the key")
            entry(part, f"{place}.{name[:SHOWN]}")

    return check


def fields(needed: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with known keys; further keys are ignored, so that a later version may add some."""

    def check(value: Any, place: str) -> None:
        if not isinstance(value, dict):
            refuse(value, place or "the document", "an object")
        for name, part in {**needed, **(optional or {})}.items():
            where = f"{place}.{name}" if place else name
            if name in value:
                part(value[name], where)
            elif name in needed:
                raise ValueError(f"{where} is missing")

    return check


def read_document(path: Path, check: Check, longest: int = JSON_BYTES) -> Any:
    """Read a JSON file of a bundle, plain or compressed, that passes a check.

    Raises:
        BundleError: it is missing, too large, not JSON, or not what the check expects.
    """
    with door(path):
        path = packed.stored(path)
        regular(path, longest)
        data = packed.unpacked(path, longest) if path.suffix == packed.SUFFIX else path.read_bytes()
        document = json.loads(data.decode())
        check(document, "")
    return document


def regular(path: Path, longest: int | None = None) -> int:
    """Size in bytes of a regular file; a link, a pipe or a device is refused, because opening it may never end.

    Raises:
        OSError: it is missing.
        ValueError: it is no regular file, or longer than `longest` bytes.
    """
    state = path.lstat()
    if not stat.S_ISREG(state.st_mode):
        raise ValueError("not a regular file")
    if longest is not None and state.st_size > longest:
        raise ValueError(f"{state.st_size} bytes, at most {longest} are read")
    return state.st_size


def read_array(path: Path, dtypes: Collection[type[np.generic]], shape: tuple[int | None, ...]) -> npt.NDArray[Any]:
    """Memory-map a `.npy` file, or unpack a compressed one; its header and its size are checked, its values are not.

    Args:
        shape: lengths that it must have; None: any.

    Raises:
        BundleError: it is missing, not `.npy`, or of another dtype, shape or size.
    """
    with door(path):
        path = packed.stored(path)
        size = regular(path)
        if path.suffix == packed.SUFFIX:
            source = io.BytesIO(packed.unpacked(path))
            found, size = np.lib.format.read_array(source, allow_pickle=False), len(source.getbuffer())
            end = source.tell()
        else:
            mapped = np.lib.format.open_memmap(path, mode="r")
            found, end = mapped, mapped.offset + mapped.nbytes
        kinds = [np.dtype(kind) for kind in dtypes]
        if found.dtype not in kinds:
            raise ValueError(f"dtype {found.dtype}, expected {' or '.join(map(str, kinds))}")
        fits = len(found.shape) == len(shape) and all(
            wanted in (None, length) for length, wanted in zip(found.shape, shape, strict=True)
        )
        if not fits:
            wanted = ", ".join("any" if length is None else str(length) for length in shape)
            raise ValueError(f"shape {found.shape}, expected ({wanted})")
        if end != size:
            raise ValueError(f"{size} bytes, its header says {end}")
        return np.asarray(found)  # the class memmap costs microseconds per access


def check_finite(values: npt.NDArray[np.floating], path: object) -> None:
    """Raise BundleError where a value is NaN, infinite or too large to be multiplied."""
    for part in _parts(values):
        if not np.vdot(part, part) <= LARGEST**2:  # false for NaN; one pass, which costs less than minimum and maximum
            raise BundleError(f"{path}: holds NaN, infinite or huge values; fit the bank again")


def check_unit(rows: npt.NDArray[np.floating], path: object) -> None:
    """Raise BundleError where a row is not of length 1; a NaN makes its row fail."""
    for part in _parts(rows):
        wide = part.astype(np.float32, copy=False)
        squares = np.einsum("ij,ij->i", wide, wide)
        if not (np.abs(squares - 1) <= UNIT).all():
            raise BundleError(f"{path}: a row is not of length 1; fit the bank again")


def check_rising(values: npt.NDArray[Any], path: object, *, strictly: bool = True) -> None:
    """Raise BundleError where values do not rise."""
    later, earlier = values[1:], values[:-1]
    if not (later > earlier if strictly else later >= earlier).all():
        raise BundleError(f"{path}: its values are not sorted; copy the bundle again")


def _parts(values: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    if values.size:
        yield from (values[start : start + ROWS] for start in range(0, len(values), ROWS))
