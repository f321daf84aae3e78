"""ONNX Runtime sessions and the text encoder; needs only numpy, onnxruntime and tokenizers."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import tokenizers

from skillshot.common import schema
from skillshot.common.arrays import Floats
from skillshot.common.errors import BundleError, SkillshotError
from skillshot.runtime.graph import check_graph
from skillshot.runtime.layout import ENCODER_FILES, ENCODERS

TOKENIZER_BYTES = 128 * 2**20  # the largest tokenizer.json of a known encoder has 33 MB
WINDOW = 131_072  # tokens; more than any encoder reads
_ENCODER = schema.fields(
    {"dimension": schema.whole(1, 65_536), "window": schema.whole(2, WINDOW), "pad_id": schema.whole(0, 2**31 - 1)}
)
_QUOTED = re.compile(r"\\.|\[\^?\]?[^\]]*(?:\]|\Z)")  # escapes and classes of a regular expression
_REPEATED = re.compile(r"\)(?:[+*]|\{\d*,)")
_PROVIDERS = ["CPUExecutionProvider"]
_ERRORS = tuple(
    kind
    for kind in vars(onnxruntime.capi.onnxruntime_pybind11_state).values()
    if isinstance(kind, type) and issubclass(kind, Exception)
)


class Session:
    """One ONNX graph on the CPU; thread-safe.

    One thread by default: two spinning threads made p50 3 to 10 times worse on a busy machine.

    Args:
        widths: the inputs, and the width of each; None: any.
        width: of the output; None: any.

    Raises:
        BundleError: the file is damaged, has other inputs or outputs, or refers to another file.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        threads: int = 1,
        *,
        widths: Mapping[str, int] | None = None,
        width: int | None = None,
    ) -> None:
        self._path = Path(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        # the fused kernel takes ten times as long as the sum and the norm separately (onnxruntime 1.31)
        with schema.door(path, "fit the bank again", _ERRORS):
            schema.regular(self._path)
            check_graph(self._path)
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=_PROVIDERS, disabled_optimizers=["SkipLayerNormFusion"],
                enable_fallback=0,  # which prints on stdout
            )  # fmt: skip
            nodes = self._session.get_inputs()
            self.inputs = tuple(node.name for node in nodes)
            if widths is not None and set(self.inputs) != widths.keys():
                raise ValueError(f"its inputs are {', '.join(self.inputs)[:80]}, expected {', '.join(sorted(widths))}")
            for node in nodes:
                if widths is not None and node.type == "tensor(float)" and node.shape[-1:] != [widths[node.name]]:
                    raise ValueError(f"input {node.name} has shape {node.shape}, expected (n, {widths[node.name]})")
            output = self._session.get_outputs()[0]
            if output.type != "tensor(float)" or len(output.shape) != 2 or not isinstance(output.shape[1], int):
                raise ValueError(f"its output is a {output.type} of shape {output.shape}, expected float (n, width)")
            self.width = output.shape[1]
            if width not in (None, self.width):
                raise ValueError(f"its output has width {self.width}, expected {width}")

    def run(self, feeds: Mapping[str, npt.NDArray[Any]]) -> Floats:
        """First output for feeds that contain the graph's inputs, (n, width); other feeds are ignored.

        Raises:
            BundleError: the graph fails, or returns another shape, NaN or infinite values.
        """
        with schema.door(self._path, "fit the bank again", _ERRORS):
            given = {name: feeds[name] for name in self.inputs}
            outputs: list[Floats] = self._session.run(None, given)
            rows = next((len(feed) for feed in given.values()), 0)
            if outputs[0].shape != (rows, self.width) or not np.isfinite(outputs[0]).all():
                raise ValueError(f"it returns {outputs[0].shape} for {rows} rows, or NaN, or infinite values")
            return outputs[0]


class TextEncoder:
    """Tokenizer and transformer: texts -> unit sentence embeddings (n, d) float32.

    precision: fp32 agrees with torch to seven digits; int8 is twice as fast (cosine to fp32 about .99).
    Pickled it holds its files, so that another machine can open it, with one thread.

    Raises:
        BundleError: one of its files is damaged.
    """

    def __init__(self, folder: str | os.PathLike[str], threads: int = 1, precision: str = "fp32") -> None:
        folder = Path(folder)
        self._source = folder, precision
        facts = schema.read_document(folder / "encoder.json", _ENCODER)
        self.dimension: int = facts["dimension"]
        self.window: int = facts["window"]
        self._pad: int = facts["pad_id"]
        self._file = folder / "tokenizer.json"
        with _tokenizer_door(self._file):
            schema.regular(self._file, TOKENIZER_BYTES)
            text = self._file.read_bytes()
            if b"Regex" in text or b"\\u00" in text:  # the key may be written with escapes
                _check_expressions(json.loads(text))
            self._tokenizer = tokenizers.Tokenizer.from_buffer(text)
            self._tokenizer.no_padding()
            self._tokenizer.enable_truncation(max_length=self.window)
        # int8 activations have one scale per tensor, so in a batch a vector would depend on the other texts;
        # in fp32 the activations of four texts stay in a core's cache: a quarter less time than 32
        self._batch = 1 if precision == "int8" else 4
        inputs = dict.fromkeys(("input_ids", "attention_mask"), 0)
        self._session = Session(folder / ENCODERS[precision], threads, widths=inputs, width=self.dimension)

    def __reduce__(self) -> tuple[Any, ...]:
        folder, precision = self._source
        names = *ENCODER_FILES, ENCODERS[precision]
        return _unpacked, ({name: (folder / name).read_bytes() for name in names}, precision)

    @property
    def vocabulary(self) -> int:
        """Number of different tokens."""
        return self._tokenizer.get_vocab_size()

    def tokenise(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, at most `window`, with begin and end tokens."""
        clean = [text.encode("utf-8", "replace").decode() for text in texts]
        with _tokenizer_door(self._file):
            found = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(clean)]
            if max(map(len, found), default=0) > self.window:
                raise ValueError(f"it returns more than {self.window} tokens")
        return found

    def too_long(self, texts: Sequence[str]) -> list[bool]:
        """Whether each text has more than `window` tokens."""
        return [bool(encoding.overflowing) for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text without begin and end tokens, at most `window`."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    @property
    def unknown(self) -> int | None:
        """Id of the token for what the vocabulary lacks; None where it lacks nothing."""
        model = self._tokenizer.model
        token = getattr(model, "unk_token", None)
        return getattr(model, "unk_id", None) if token is None else self._tokenizer.token_to_id(token)

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


def _unpacked(files: Mapping[str, bytes], precision: str) -> TextEncoder:
    with tempfile.TemporaryDirectory(prefix="skillshot-") as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        return TextEncoder(folder, precision=precision)


def _check_expressions(value: Any) -> None:
    """Refuse regular expressions with a repeated group, whose time may be exponential in a question's length."""
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_expressions(part)
    pattern = value.get("Regex") if isinstance(value, dict) else None
    if isinstance(pattern, str) and _REPEATED.search(_QUOTED.sub("", pattern)):
        raise ValueError(f"the regular expression {pattern[:80]!r} repeats a group, which may take for ever")


@contextlib.contextmanager
def _tokenizer_door(path: Path) -> Iterator[None]:
    """Turn what a damaged tokenizer raises into a BundleError; a panic of its Rust code is no Exception."""
    try:
        yield
    except SkillshotError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise  # KeyboardInterrupt and the like
        raise BundleError(f"{path}: {schema.cause(error)}; copy the bundle again") from error
