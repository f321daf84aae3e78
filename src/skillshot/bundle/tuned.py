"""Put other weights of the score into a bundle: the same model and bank, and one changed constant of its query network.

The network multiplies each block of a query by its share of the score. So a tuned bundle is loaded, searched and
explained by the same code in the same time.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.bundle.card import write_card
from skillshot.bundle.changing import NEW, changing, put
from skillshot.common.arrays import Floats
from skillshot.common.errors import BundleError
from skillshot.common.extras import extras_named
from skillshot.common.space import bytes_under, need
from skillshot.runtime.layout import MODEL
from skillshot.runtime.manifest import check_files, read_manifest, write_manifest

NETWORKS = {"full": "skillshot", "lite": "lite"}


def write_tuned(
    folder: Path, out: Path, manifest: Mapping[str, Any], mode: str, score: Mapping[str, Any], tuned: Mapping[str, Any]
) -> None:
    """Write the bundle `folder` to `out`, which may be the same, with another `score` of one mode; in one step.

    Args:
        manifest: of the bundle whose weights were tuned.
        score: shares, doubt and confidence, as the manifest holds them.
        tuned: how they were found, for manifest and card.

    Raises:
        BundleError: the bundle is damaged, was changed meanwhile, or another process is changing it.
        DiskError: there is no space for it.
        MissingPackageError: onnx is not installed (extra `train`).
    """
    need(out, bytes_under(folder), "the tuned bundle")
    with changing(out) as (place, work):
        shutil.copytree(folder, work / NEW)
        if read_manifest(work / NEW) != manifest:
            raise BundleError(f"{folder}: changed while it was tuned; run the same command again")
        check_files(work / NEW, manifest)
        _replace(work / NEW / MODEL / f"{NETWORKS[mode]}.onnx", f"model.{mode}_shares", score["shares"])
        facts = {key: value for key, value in manifest.items() if key not in ("format", "files")}
        facts |= {"score": {**manifest["score"], mode: dict(score)}, "tuned": dict(tuned)}
        write_card(work / NEW, facts)
        write_manifest(work / NEW, facts)
        put(work, place)


def constant(path: Path, name: str) -> Floats:
    """A constant of an exported network.

    Raises:
        BundleError: the network has none of that name.
    """
    return _constant(_graph(path), name, path)[1]


def _replace(path: Path, name: str, values: Sequence[float]) -> None:
    with extras_named():
        from onnx import numpy_helper

        from skillshot.export.canonical import write_canonical

    proto = _graph(path)
    tensor, _ = _constant(proto, name, path)
    tensor.CopyFrom(numpy_helper.from_array(np.array(values, np.float32), name))
    write_canonical(proto, path)


def _graph(path: Path) -> Any:
    with extras_named():
        import onnx

    return onnx.load(path)


def _constant(proto: Any, name: str, path: Path) -> tuple[Any, Floats]:
    from onnx import numpy_helper

    for tensor in proto.graph.initializer:
        if tensor.name == name:
            return tensor, numpy_helper.to_array(tensor)
    raise BundleError(f"{path}: has no constant {name!r}; fit the bank again with this version")
