"""The text encoder with 8-bit integer weights: twice as fast on a CPU, a quarter of the size."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skillshot.export.canonical import write_canonical
from skillshot.runtime.layout import ENCODERS

if TYPE_CHECKING:
    from skillshot.common.arrays import Floats

# the texts, and the number of sequences of random tokens, from which activations are measured. A bank's own texts would
# give mean cosines at most .001 better on five English banks and .003 on a Korean one, but each bank its own encoder
CALIBRATION = 64
SAMPLE = (
    "A train leaves at 8:15 a.m. and covers 60 miles in an hour and a half. How fast does it go?",
    "Which singer performed in the most stadiums between 2010 and 2014?",
    "Is it true that a penguin could win a race against a sloth?",
    "Write a function that returns the second largest value of a list of integers.",
    "The patient reports chest pain and shortness of breath since yesterday. Which test comes first?",
    "List the names of all employees who earn more than the average salary of their department.",
    "Tom has 3 red marbles and twice as many blue ones. He gives away 4. How many are left?",
    "Summarise the clause on termination: either party may end this agreement with thirty days' notice.",
    "A rose was given to the girl by the teacher that Emma liked.",
    "What is the square root of 144 divided by the sum of 2 and 4?",
    "My order has not arrived and I would like a refund, please.",
    "If x + 5 = 12, what is 3x - 1?",
    "SELECT name, COUNT(*) FROM concert GROUP BY name HAVING COUNT(*) > 2",
    "Translate into French: the weather was better than we had expected.",
    "Why does ice float on water, although most solids sink in their own liquid?",
    '{"tool": "weather", "city": "Oslo", "days": 3}',
)
MIGRATION = 0.75  # share of an activation's spread that moves to the weights (1: all of it)
TINY = 1e-5  # activation of a channel that is never active


def quantise(folder: str | os.PathLike[str]) -> None:
    """Write an int8 copy of the encoder in `folder`; activations are quantised dynamically.

    Weights have one scale per output channel: one per tensor loses three times as much (cosine .956 against .993).
    Weights have 7 bits: with 8, processors without VNNI instructions saturate a sum of two products and give other
    results than processors with VNNI.
    A few channels of the activations are ten times as large as the rest and would use most of the 8 bits, so the
    channels are levelled first (SmoothQuant, Xiao et al., 2023): cosine .996. Their spread is measured on `SAMPLE` and
    on random tokens, because the words of a few texts alone would make all other words worse.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    folder = Path(folder)
    with tempfile.TemporaryDirectory() as work, _quiet():
        levelled, path = Path(work) / "levelled.onnx", Path(work) / "int8.onnx"
        onnx.save(_levelled(onnx.load(folder / ENCODERS["fp32"]), _tokens(folder)), levelled)
        quantize_dynamic(levelled, path, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
        write_canonical(onnx.load(path), folder / ENCODERS["int8"])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the quantiser's advice, which changes nothing here: it goes to the root logger.

    A root logger without a handler would be given one, which then repeats all messages of the application.
    """
    root, nowhere = logging.getLogger(), logging.NullHandler()
    level = root.level
    root.addHandler(nowhere)
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(nowhere)


def _tokens(folder: Path) -> list[list[int]]:
    """Token ids of `SAMPLE`, and of `CALIBRATION` sequences of random tokens."""
    from skillshot.runtime.onnx import TextEncoder

    encoder = TextEncoder(folder)
    first, last = (ids := encoder.tokenise([""])[0])[:-1], ids[-1:]
    draws = np.random.default_rng(0)
    length = min(64, encoder.window - len(ids))
    made = [[*first, *draws.integers(encoder.vocabulary, size=length).tolist(), *last] for _ in range(CALIBRATION)]
    return encoder.tokenise(SAMPLE) + made


def _levelled(model: Any, tokens: Sequence[Sequence[int]]) -> Any:
    """The same function, with each channel's activations divided and its weights multiplied by a scale."""
    from onnx import helper, numpy_helper

    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    readers = Counter(name for node in model.graph.node for name in node.input)
    products = defaultdict(list)
    for node in model.graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights and readers[node.input[1]] == 1:
            products[node.input[0]].append(node)
    largest = _largest(model, list(products), tokens)
    scaling: dict[str, Any] = {}
    for name, nodes in products.items():
        arrays = [numpy_helper.to_array(weights[node.input[1]]) for node in nodes]
        of_weights = np.maximum(np.max([np.abs(array).max(1) for array in arrays], axis=0), TINY)
        scale = _rounded(np.maximum(largest[name], TINY) ** MIGRATION / of_weights ** (1 - MIGRATION))
        for node, array in zip(nodes, arrays, strict=True):
            weights[node.input[1]].CopyFrom(numpy_helper.from_array(array * scale[:, None], node.input[1]))
            node.input[0] = f"{name}_levelled"
        model.graph.initializer.append(numpy_helper.from_array(1 / scale, f"{name}_scale"))
        scaling[name] = helper.make_node("Mul", [name, f"{name}_scale"], [f"{name}_levelled"], name=f"{name}_level")
    nodes = [made for node in model.graph.node for made in (node, *(scaling[o] for o in node.output if o in scaling))]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def _rounded(scale: Floats) -> Floats:
    """Scales around 1, rounded to quarter powers of two, so that last-bit differences of machines disappear."""
    steps = np.log2(scale) - np.log2(scale).mean()
    rounded: Floats = np.exp2(np.round(4 * steps) / 4).astype(np.float32)
    return rounded


def _largest(model: Any, names: Sequence[str], tokens: Sequence[Sequence[int]]) -> dict[str, Floats]:
    """Largest absolute value of each channel of the named tensors (1, t, channels) over all token sequences."""
    import onnx
    import onnxruntime
    from onnx import helper

    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    del watched.graph.output[:]
    watched.graph.output.extend(helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, None) for n in names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(watched.SerializeToString(), options, providers=["CPUExecutionProvider"])
    most: dict[str, Floats] = {}
    for ids in tokens:
        row = np.array([ids], np.int64)
        values = session.run(None, {"input_ids": row, "attention_mask": np.ones_like(row)})
        for name, value in zip(names, values, strict=True):
            seen = np.abs(value[0]).max(0)
            most[name] = np.maximum(most.get(name, seen), seen)
    return most
