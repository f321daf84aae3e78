"""Canonical ONNX files: the same weights give the same bytes, independent of folder and date."""

from __future__ import annotations

import inspect
import logging
import os
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from skillshot.common.errors import SkillshotError
from skillshot.common.io import atomic_write

if TYPE_CHECKING:
    import torch


def export_graph(
    module: torch.nn.Module,
    inputs: Mapping[str, torch.Tensor],
    axes: Mapping[int, Any],
    output: str,
    path: str | os.PathLike[str],
) -> None:
    """Export a module on the CPU as canonical ONNX; all inputs have the dynamic `axes`.

    Raises:
        SkillshotError: the exporter returned nothing.
    """
    import torch

    # distinct tensors: the same object given twice is exported as one input, and the mask would be the token ids
    examples = tuple(tensor.clone() for tensor in inputs.values())
    shapes: list[Any] = [dict(axes) for _ in inputs]
    kinds = [parameter.kind for parameter in inspect.signature(module.forward).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        shapes = [tuple(shapes)]  # the exporter treats *inputs as one parameter, a tuple
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # shared axis names of two inputs, and torchvision
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            module.eval().cpu(), examples, dynamo=True, optimize=True, verbose=False,
            input_names=list(inputs), output_names=[output],
            dynamic_shapes=tuple(shapes),
        )  # fmt: skip
    if program is None:
        raise SkillshotError(f"{path}: torch.onnx.export returned no program for {type(module).__name__}")
    write_canonical(program.model_proto, path)


def write_canonical(proto: Any, path: str | os.PathLike[str]) -> None:
    """Write a ModelProto without traces of the exporting machine, with the weights in the same file.

    The dynamo exporter writes source paths and stack traces into node metadata and doc strings; they are removed.
    """
    import onnx

    proto.producer_name, proto.producer_version, proto.doc_string = "skillshot", "", ""
    del proto.metadata_props[:]
    _strip(proto.graph)
    for function in proto.functions:
        function.doc_string = ""
        del function.metadata_props[:]
        for node in function.node:
            node.doc_string = ""
            del node.metadata_props[:]
    onnx.checker.check_model(proto)
    with atomic_write(path, "wb") as handle:
        handle.write(proto.SerializeToString(deterministic=True))


def _strip(graph: Any) -> None:
    graph.doc_string = ""
    del graph.metadata_props[:]
    for part in (*graph.node, *graph.initializer, *graph.input, *graph.output, *graph.value_info):
        part.doc_string = ""
        del part.metadata_props[:]
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _strip(attribute.g)
