"""The text encoder in 8-bit integers: twice as fast on a CPU, a quarter of the size."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

from skillshot.export.canonical import write_canonical


def quantise(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Write a graph with int8 weights, one scale per output channel, and activations quantised as they come.

    One scale per tensor loses three times as much (cosine .956 against .993). Weights keep 7 bits: with 8, processors
    without VNNI instructions saturate a sum of two products, and answer differently from those that have them.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    root = logging.getLogger()
    level = root.level
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "int8.onnx"
        root.setLevel(logging.ERROR)  # it asks for a preprocessing that changes nothing here
        try:
            quantize_dynamic(source, path, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
        finally:
            root.setLevel(level)
        write_canonical(onnx.load(path), target)
