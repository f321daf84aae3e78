"""Reads as much of an ONNX file as shows what onnxruntime would read or do besides: the file is not executed for that.

Refused are weights in another file (export writes none, and the manifest has no digest of them) and loops, whose
length the file alone decides. Only the tags of the protobuf format are walked, not the weights: 4 ms for 90 MB.
"""

from __future__ import annotations

import mmap
from pathlib import Path

# message -> {number of a field: message in it}, as far as tensors and nodes are (onnx.proto3)
_PARTS: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_VARINT, _BYTES, _SIZES = 0, 2, {1: 8, 5: 4}  # kinds of values, and sizes of the fixed ones
_OP_TYPE = 4  # of a node
_ELSEWHERE = (13, 14)  # of a tensor: external_data, data_location
_LOOPS = (b"Loop", b"Scan", b"SequenceMap")
_DEEPEST = 32  # messages inside messages; control flow in an exported graph has 10


def check_graph(path: Path) -> None:
    """Check that an ONNX file holds all its weights and no loop.

    Raises:
        ValueError, IndexError: it does not, or it is no protobuf message.
    """
    with open(path, "rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data:
        _walk(data, 0, len(data), "model", 0)


def _walk(data: mmap.mmap, at: int, end: int, kind: str, depth: int) -> None:
    if depth > _DEEPEST:
        raise ValueError(f"its graphs are nested more than {_DEEPEST} deep")
    parts = _PARTS[kind]
    while at < end:
        tag, low = _varint(data, at)
        wire, field = tag & 7, tag >> 3
        size = _SIZES.get(wire)
        if wire == _BYTES:
            size, low = _varint(data, low)
        elif wire == _VARINT:
            size = _varint(data, low)[1] - low
        if size is None or low + size > end:
            raise ValueError("it is no ONNX file, or cut")
        at = low + size
        if field in parts and wire == _BYTES:
            _walk(data, low, at, parts[field], depth + 1)
        elif kind == "tensor" and field in _ELSEWHERE and data[low:at] not in (b"", b"\0"):
            raise ValueError("its weights are in another file, which the manifest does not cover")
        elif kind == "node" and field == _OP_TYPE and data[low:at] in _LOOPS:
            raise ValueError(f"it has a {data[low:at].decode()} node, and no exported network has loops")


def _varint(data: mmap.mmap, at: int) -> tuple[int, int]:
    """A whole number in 7-bit groups, and the position after it."""
    value = data[at]
    if value < 128:
        return value, at + 1
    value &= 127
    for place in range(1, 10):
        byte = data[at + place]  # an IndexError behind the end of the file
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value, at + place + 1
    raise ValueError("it is no ONNX file")
