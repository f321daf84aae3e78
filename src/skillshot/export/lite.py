"""Graphs that read words alone, written node by node: no torch, in a bundle of either kind."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.common.schema import door
from skillshot.export.canonical import OPSET, write_canonical
from skillshot.model.arrays import FittedLite, LatentNet, Lite, LiteBank, Widths
from skillshot.runtime.layout import QUESTION_VIEW, RATIONALE_VIEW

IR = 8  # version of the file format that belongs to `OPSET`: newer ones need a newer onnxruntime


class GraphWriter:
    """An ONNX graph of float32 rows; each method adds nodes and returns the name of their output."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._held: dict[str, Any] = {}

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """One operator of ONNX."""
        from onnx import helper

        output = f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def array(self, values: Any, dtype: type[np.generic] = np.float32, name: str | None = None) -> str:
        """A constant; a name is given where it is looked up in the written graph."""
        from onnx import numpy_helper

        name = name or f"array_{len(self._held)}"
        self._held[name] = numpy_helper.from_array(np.ascontiguousarray(values, dtype), name)
        return name

    def columns(self, rows: str, start: int, count: int) -> str:
        """Columns of rows."""
        bounds = [self.array([number], np.int64) for number in (start, start + count, 1)]
        return self.node("Slice", rows, *bounds)

    def length(self, rows: str, least: float) -> str:
        """Length of each row (n, 1), at least `least`."""
        norm = self.node("ReduceL2", rows, self.array([1], np.int64), keepdims=1)
        return self.node("Clip", norm, self.array(least))

    def unit(self, rows: str) -> str:
        """Rows scaled to length 1."""
        return self.node("Div", rows, self.length(rows, 1e-12))

    def times(self, rows: str, values: Any) -> str:
        """Rows times a number or a row."""
        return self.node("Mul", rows, self.array(values))

    def plus(self, rows: str, values: Any) -> str:
        """Rows plus a row."""
        return self.node("Add", rows, self.array(values))

    def joined(self, blocks: Sequence[str]) -> str:
        """Blocks side by side."""
        return self.node("Concat", *blocks, axis=1)

    def write(self, inputs: dict[str, int], output: str, width: int, path: str | os.PathLike[str]) -> None:
        """Write the graph, whose last node gives the output `skill` (n, width), from inputs of these widths."""
        from onnx import TensorProto, helper

        self._nodes.append(helper.make_node("Identity", [output], ["skill"]))
        values = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", size]) for name, size in
                  (inputs | {"skill": width}).items()}  # fmt: skip
        graph = helper.make_graph(
            self._nodes, "main", [values[name] for name in inputs], [values["skill"]], list(self._held.values())
        )
        imports = [helper.make_opsetid("", OPSET)]
        write_canonical(helper.make_model(graph, opset_imports=imports, ir_version=IR), path)


def write_lite(lite: Lite, path: str | os.PathLike[str]) -> None:
    """The query policy: `lexical` (n, columns) to rows (n, row), as `Skillshot.lite`."""
    to, widths, start = GraphWriter(), lite.widths, lite.first
    t, z, e, w = widths.structure, widths.latent, widths.sentence, widths.words
    words = to.unit(to.plus(to.columns("lexical", start, w), lite.words))
    structure = to.plus(to.columns("lexical", start + w, t), lite.structure)
    certain = _shortened(to, structure)
    nothing = to.columns(words, 0, 1)
    shares = to.array(lite.shares, name="model.lite_shares")  # as in skillshot.onnx; `skillshot tune` replaces them
    twice = [to.times(to.node("Slice", shares, *(to.array([at], np.int64) for at in (i, i + 1))), 2) for i in range(4)]
    blocks = [to.node("Mul", certain, twice[0])]
    if lite.latent is not None:
        latent = to.node("Mul", to.unit(_latent(to, structure, lite.latent)), to.length(certain, 0))
        blocks.append(to.node("Mul", latent, twice[1]))
    elif z:
        blocks.append(to.times(nothing, np.zeros((1, z))))
    if e:
        sentence = _shortened(to, to.plus(to.columns("lexical", start + w + t, e), lite.sentence))
        blocks.append(to.node("Mul", sentence, twice[2]))
    blocks += [to.node("Mul", words, twice[3]), to.times(nothing, 0.0)]
    to.write({"lexical": lite.columns}, to.joined(blocks), widths.row, path)


def write_lite_posterior(bank: LiteBank, path: str | os.PathLike[str]) -> None:
    """The bank's side without a text encoder, `LiteBank.rows`: rows whose latent and sentence have width 0."""
    to, widths = GraphWriter(), bank.widths
    t, u, w = widths.structure, widths.steps, widths.words
    centred = to.plus("rationale_lexical", -bank.centre)
    parts = [(0, t - u, 1 - bank.step_share), (t - u, u, bank.step_share)] if u else [(0, t, 1.0)]
    blocks = [to.times(to.unit(to.columns(centred, at, count)), share**0.5) for at, count, share in parts]
    blocks.append(to.unit(to.plus(to.columns("question_lexical", 0, w), bank.words)))
    row = to.times(to.joined(blocks), 0.5)
    # a block may be empty (no known word); the last coordinate takes what is missing to 1
    square = to.node("ReduceSumSquare", row, to.array([1], np.int64), keepdims=1)
    rest = to.node("Sqrt", to.node("Clip", to.node("Sub", to.array(1.0), square), to.array(0.0)))
    inputs = {"question_lexical": w + t, "rationale_lexical": t}
    to.write(inputs, to.joined([row, rest]), widths.row, path)


def _shortened(to: GraphWriter, rows: str) -> str:
    """Rows of length at most 1; shorter ones stay as they are."""
    return to.node("Div", rows, to.length(rows, 1))


def _latent(to: GraphWriter, structure: str, net: LatentNet) -> str:
    rows = to.node("Div", to.plus(structure, -net.centre), to.array(net.scale))
    for number, (weight, bias) in enumerate(net.layers):
        if number:
            rows = to.node("LeakyRelu", rows, alpha=net.leak)
        rows = to.plus(to.node("MatMul", rows, to.array(weight)), bias)
    return rows


def export_lite(fitted: FittedLite, folder: Path) -> None:
    """Write the views and both graphs into `folder`."""
    fitted.question_view.save(folder / QUESTION_VIEW)
    fitted.rationale_view.save(folder / RATIONALE_VIEW)
    write_lite(fitted.policy, folder / "lite.onnx")
    write_lite_posterior(fitted.posterior, folder / "skillshot_posterior.onnx")


def lite_constants(path: Path, widths: Sequence[int]) -> Lite:
    """The arrays of a graph that `write_lite` wrote: its constants, in the order in which it uses them.

    Args:
        widths: of structure, latent, sentence and words in a row.

    Raises:
        BundleError: the graph is not such a graph.
    """
    import onnx
    from google.protobuf.message import DecodeError
    from onnx import numpy_helper

    with door(path, "fit the bank again", (DecodeError,)):
        graph = onnx.load(path).graph
        held = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        used: dict[str, list[Any]] = {"Add": [], "MatMul": [], "Div": [], "LeakyRelu": []}
        for node in graph.node:
            if node.op_type == "LeakyRelu":
                used["LeakyRelu"].append(node.attribute[0].f)
            elif node.op_type in used and node.input[1] in held:
                used[node.op_type].append(held[node.input[1]])
        words, structure, *adds = used["Add"]
        latent = None
        if used["MatMul"]:
            centre, *adds = adds
            biases, adds = adds[: len(used["MatMul"])], adds[len(used["MatMul"]) :]
            layers = list(zip(used["MatMul"], biases, strict=True))
            latent = LatentNet(-centre, used["Div"][0], layers, float(used["LeakyRelu"][0]))
        t, z, e, w = widths
        found = Lite(Widths(t, z, e, w), 0, words, structure, adds[0] if e else words[:0], (0, 0, 0, 0), latent)
        if (len(words), len(structure), len(found.sentence)) != (w, t, e):
            raise ValueError(f"offsets of {len(words)}, {len(structure)} and {len(found.sentence)} columns")
        return found
