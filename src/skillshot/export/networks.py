"""Export of policies and posteriors to ONNX, and a comparison of the choices of both implementations."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skillshot.common.arrays import Floats
from skillshot.export.canonical import export_graph
from skillshot.export.lite import write_lite
from skillshot.runtime.index import top_k

if TYPE_CHECKING:
    import torch


# inputs of each network, in the order of its forward
INPUTS: dict[str, tuple[str, ...]] = {
    "lars": ("sentence_embedding",),
    "ridge": ("sentence_embedding",),
    "skillshot": ("sentence_embedding", "lexical"),
    "lite": ("lexical",),
    "lars_posterior": ("question_embedding", "rationale_embedding"),
    "ridge_posterior": ("rationale_embedding",),
    "skillshot_posterior": ("question_embedding", "question_lexical", "rationale_lexical"),
}


def export_networks(
    networks: Mapping[str, torch.nn.Module], widths: Mapping[str, int], folder: str | os.PathLike[str]
) -> None:
    """Write each network as `<name>.onnx`: float32 (n, width) arrays in, unit rows `skill` (n, z) out.

    Args:
        widths: width of each input, by name.
    """
    import torch

    from skillshot.model.combined import LitePolicy

    for name, network in networks.items():
        path = Path(folder) / f"{name}.onnx"
        if isinstance(network, LitePolicy):
            write_lite(network.model.lite_arrays, path)
            continue
        inputs = {key: torch.ones((2, widths[key])) for key in INPUTS[name]}
        export_graph(network, inputs, {0: "rows"}, "skill", path)


def agreement(mine: Floats, theirs: Floats, bank: Floats, k: int = 4) -> dict[str, Any]:
    """Compare the query vectors of two implementations by value and by choice.

    Args:
        mine, theirs: (n, z) query vectors of the two implementations.
        bank: (m, z) vectors of the bank.

    Returns:
        the largest absolute difference, and the share of queries with the same top-k rows in any order.
    """
    same = [
        set(top_k(bank @ a, k).tolist()) == set(top_k(bank @ b, k).tolist()) for a, b in zip(mine, theirs, strict=True)
    ]
    return {
        "queries": len(mine),
        "max_difference": float(np.abs(mine - theirs).max()) if len(mine) else 0.0,
        "same_top_k": float(np.mean(same)) if same else 1.0,
    }
