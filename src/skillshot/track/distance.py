"""Distance of two files of the same kind: |a - b| / max(1, |a|) for numbers; everything else must be equal."""

from __future__ import annotations

import csv
import fnmatch
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.track.values import leaves


@dataclass(frozen=True)
class Distance:
    """value: the largest relative difference, infinite where no tolerance applies. place: where it is."""

    value: float
    place: str = ""


def distance(then: Path, now: Path, ignore: Iterable[str] = ()) -> Distance:
    """Compare two files, or two folders file by file.

    Args:
        ignore: patterns of keys (JSON) or columns (CSV) that differ in every run, such as seconds.
    """
    if then.is_dir() and now.is_dir():
        names = {side: {p.relative_to(side).as_posix() for p in side.rglob("*") if p.is_file()} for side in (then, now)}
        odd = sorted(names[then] ^ names[now])
        if odd:
            return Distance(math.inf, f"{odd[0]} is in only one of them")
        parts = ((name, distance(then / name, now / name, ignore)) for name in sorted(names[then]))
        return _largest((part.value, f"{name} {part.place}".strip()) for name, part in parts)
    if then.read_bytes() == now.read_bytes():
        return Distance(0.0)
    read = READERS.get(now.suffix)
    if read is None:
        return Distance(math.inf, f"{now.suffix or 'these'} files are compared by bytes")
    try:
        ours, theirs = read(then), read(now)
    except (ValueError, KeyError, OSError) as error:
        return Distance(math.inf, f"cannot be read: {error}")
    ours, theirs = (
        {key: value for key, value in side.items() if not any(fnmatch.fnmatch(key, p) for p in ignore)}
        for side in (ours, theirs)
    )
    odd = sorted(ours.keys() ^ theirs.keys())
    if odd:
        return Distance(math.inf, f"{odd[0]} is in only one of them")
    return _largest((_apart(ours[key], theirs[key]), key) for key in sorted(ours))


def _largest(parts: Iterable[tuple[float, str]]) -> Distance:
    value, place = max(parts, default=(0.0, ""), key=lambda part: part[0])
    return Distance(value, place if value else "")


def _apart(then: Any, now: Any) -> float:
    if type(then) is bool or type(now) is bool or not (_numeric(then) and _numeric(now)):
        return 0.0 if then == now else math.inf
    a, b = np.asarray(then, np.float64), np.asarray(now, np.float64)
    if a.shape != b.shape:
        return math.inf
    if not a.size:
        return 0.0
    with np.errstate(invalid="ignore"):
        apart = np.abs(a - b) / np.maximum(1.0, np.abs(a))
    apart = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, apart)
    return float(np.nan_to_num(apart, nan=math.inf, posinf=math.inf).max())


def _numeric(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, np.ndarray) and value.dtype.kind in "fiu")


def _json(path: Path) -> Mapping[str, Any]:
    return dict(leaves({"": json.loads(path.read_text(encoding="utf-8"))}))


def _csv(path: Path) -> Mapping[str, Any]:
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    table: dict[str, Any] = {}
    for column in rows[0] if rows else ():
        cells = [row[column] for row in rows]
        try:
            table[column] = np.array([float(cell) if cell else math.nan for cell in cells])
        except ValueError:
            table[column] = cells
    return table


def _npy(path: Path) -> Mapping[str, Any]:
    return {"values": np.load(path, allow_pickle=False)}


def _safetensors(path: Path) -> Mapping[str, Any]:
    from safetensors.numpy import load_file

    return dict(load_file(path))


def _onnx(path: Path) -> Mapping[str, Any]:
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    del model.graph.initializer[:]
    return {**weights, "graph": model.SerializeToString(deterministic=True)}


READERS: dict[str, Callable[[Path], Mapping[str, Any]]] = {
    ".json": _json, ".csv": _csv, ".npy": _npy, ".safetensors": _safetensors, ".onnx": _onnx,
}  # fmt: skip
