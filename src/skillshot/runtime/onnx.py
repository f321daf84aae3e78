"""ONNX Runtime sessions and the text encoder; needs only numpy, onnxruntime and tokenizers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import tokenizers

from skillshot.common.arrays import Floats
from skillshot.common.io import read_json
from skillshot.runtime.layout import ENCODERS


class Session:
    """One ONNX graph on the CPU; thread-safe.

    One thread by default: two spinning threads made p50 3 to 10 times worse on a busy machine.
    """

    def __init__(self, path: str | os.PathLike[str], threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        # the fused kernel takes ten times as long as the sum and the norm separately (onnxruntime 1.31)
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"]
        )
        self.inputs = tuple(node.name for node in self._session.get_inputs())

    def run(self, feeds: Mapping[str, npt.NDArray[Any]]) -> Floats:
        """First output for feeds that contain the graph's inputs; other feeds are ignored."""
        outputs: list[Floats] = self._session.run(None, {name: feeds[name] for name in self.inputs})
        return outputs[0]


class TextEncoder:
    """Tokenizer and transformer: texts -> unit sentence embeddings (n, d) float32.

    precision: fp32 agrees with torch to seven digits; int8 is twice as fast (cosine to fp32 about .99).
    """

    def __init__(self, folder: str | os.PathLike[str], threads: int = 1, precision: str = "fp32") -> None:
        folder = Path(folder)
        facts = read_json(folder / "encoder.json")
        self.dimension: int = facts["dimension"]
        self.window: int = facts["window"]
        self._pad: int = facts["pad_id"]
        self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=self.window)
        # int8 activations have one scale per tensor, so in a batch a vector would depend on the other texts
        self._batch = 1 if precision == "int8" else 32
        self._session = Session(folder / ENCODERS[precision], threads)

    @property
    def vocabulary(self) -> int:
        """Number of different tokens."""
        return self._tokenizer.get_vocab_size()

    def tokenise(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, at most `window`, with begin and end tokens."""
        clean = [text.encode("utf-8", "replace").decode() for text in texts]
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(clean)]

    def encode(self, texts: Sequence[str]) -> Floats:
        """Embed texts (any Unicode; lone surrogates become U+FFFD), longest first to save padding."""
        tokens = self.tokenise(texts)
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        order = sorted(range(len(texts)), key=lambda i: -len(tokens[i]))
        for start in range(0, len(order), self._batch):
            rows = order[start : start + self._batch]
            width = max(1, len(tokens[rows[0]]))
            ids = np.full((len(rows), width), self._pad, np.int64)
            mask = np.zeros((len(rows), width), np.int64)
            for line, row in enumerate(rows):
                ids[line, : len(tokens[row])] = tokens[row]
                mask[line, : len(tokens[row])] = 1
            vectors[rows] = self._session.run({"input_ids": ids, "attention_mask": mask})
        return vectors
