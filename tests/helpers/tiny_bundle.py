"""A whole bundle of 300 kB that loads in milliseconds: real code and formats, made-up networks."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from skillshot.bundle.build import build_bundle, bundle_facts
from skillshot.common.params import default_params
from skillshot.common.record import Record
from skillshot.features.channels import QUESTION, RATIONALE
from skillshot.features.lexical import LexicalView
from skillshot.training.verdict import judge

ROWS, BUCKETS, WIDTH = 24, 64, 8  # width of a sentence embedding
BLOCKS = STRUCTURE, LATENT, SENTENCE, WORDS = 2, 3, 2, 2
LEXICAL, Z = 2 * STRUCTURE + WORDS + SENTENCE, sum(BLOCKS) + 1  # width of the question view, and of a row
CURVE = {"offset": -0.5, "slope": 5.0, "near": [-0.5, 0.0, 0.25, 0.5, 1.0]}
SCORE = {
    "widths": list(BLOCKS),
    "full": {"shares": [0.4, 0.2, 0.3, 0.1], "doubt": 0.05, "confidence": CURVE},
    "lite": {"shares": [0.5, 0.1, 0.1, 0.3], "doubt": 0.1, "confidence": CURVE},
}
NOUNS = ("apples", "pens", "kites", "books")
STEPS = (
    ("{who} has {a} {noun} and buys {b} more. How many {noun} has {who} now?", "{a} + {b} = {sum}", "{sum}"),
    ("{who} has {sum} {noun} and gives {b} away. How many {noun} are left?", "{sum} - {b} = {a}", "{a}"),
    ("Each of {a} boxes has {b} {noun}. How many {noun} has {who} in the boxes?", "{a} * {b} = {product}", "{product}"),
)


def records(count: int = ROWS, first: int = 0) -> list[Record]:
    """Solved examples of three skills."""
    made = []
    for i in range(first, first + count):
        question, rationale, answer = STEPS[i % 3]
        a, b = 3 + i % 7, 2 + i % 5
        words = {
            "who": ("Ann", "Bo", "Cy")[i % 3],
            "noun": NOUNS[i % 4],
            "a": a,
            "b": b,
            "sum": a + b,
            "product": a * b,
        }
        texts = [text.format(**words) for text in (question + f" Case {i}.", rationale, answer)]
        made.append(Record(f"row-{i}", *texts, answer_type="number", metadata={"skill": i % 3, "i": i}))
    return made


def make(folder: Path) -> Path:
    """Write the bundle; returns its folder."""
    bank = records()
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as work:
        model = Path(work) / "model"
        texts, rationales = [r.text for r in bank], [r.rationale for r in bank]
        views = (
            ("question_view", QUESTION, texts, LEXICAL),
            ("rationale_view", RATIONALE, rationales, STRUCTURE),
        )
        for name, channels, of, width in views:
            view = LexicalView.learn(of, channels, buckets=BUCKETS)
            view.onto(rng.standard_normal((BUCKETS, width), np.float32)).save(model / name)
        _encoder(model, texts, rng)
        widths = {"lexical": LEXICAL}
        full = widths | {"sentence_embedding": WIDTH}
        posterior = {"question_embedding": WIDTH, "question_lexical": LEXICAL, "rationale_lexical": STRUCTURE}
        for name, inputs in (("lite", widths), ("skillshot", full), ("skillshot_posterior", posterior)):
            network(model / f"{name}.onnx", inputs, Z, rng)
        vectors = {"skillshot": rows_of_blocks(ROWS, rng)}
        for name in ("question", "rationale"):
            vectors[name] = _unit(rng.standard_normal((ROWS, WIDTH)).astype(np.float32))
        params = default_params([])
        found = [rng.uniform(0, 1, ROWS) for _ in range(3)]
        verdict = judge(*found, source="rationale", mode="full", trust=0.6, seed=0).to_dict()
        build_bundle(model, vectors, bank, bundle_facts(bank, params, {"kl": 1.5}, SCORE, verdict), params, folder)
    return folder


def rows_of_blocks(count: int, rng: np.random.Generator) -> np.ndarray:
    """Random rows of a bank, (count, Z): four unit blocks, each times 1/2, and nothing left to fill."""
    blocks = [_unit(rng.standard_normal((count, width))) / 2 for width in BLOCKS]
    return np.hstack([*blocks, np.zeros((count, 1))]).astype(np.float32)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def network(path: Path, inputs: Mapping[str, int], width: int, rng: np.random.Generator) -> None:
    """Sum of linear maps of the inputs, scaled to length 1."""
    weights = {name: rng.standard_normal((size, width)).astype(np.float32) for name, size in inputs.items()}
    nodes = [helper.make_node("MatMul", [name, f"w_{name}"], [f"of_{name}"]) for name in inputs]
    nodes.append(helper.make_node("Sum", [f"of_{name}" for name in inputs] + ["bias"], ["sum"]))
    nodes.append(helper.make_node("LpNormalization", ["sum"], ["skill"], axis=-1, p=2))
    held = {f"w_{name}": value for name, value in weights.items()} | {"bias": np.full((1, width), 0.01, np.float32)}
    _save(path, nodes, {name: (TensorProto.FLOAT, ["n", size]) for name, size in inputs.items()}, "skill", width, held)


def _encoder(model: Path, texts: Sequence[str], rng: np.random.Generator) -> None:
    words = sorted({word for text in texts for word in re.findall(r"\w+|[^\w\s]", text.lower())})
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", *words])}
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
        "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None,
        "decoder": None, "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"},
    }  # fmt: skip
    (model / "tokenizer.json").write_text(json.dumps(tokenizer))
    (model / "encoder.json").write_text(json.dumps({"dimension": WIDTH, "window": 64, "pad_id": 0}))
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["tokens"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["mask3"]),
        helper.make_node("Mul", ["tokens", "mask3"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "middle"], ["total"], keepdims=0),
        helper.make_node("Add", ["total", "bias"], ["moved"]),
        helper.make_node("LpNormalization", ["moved"], ["sentence_embedding"], axis=-1, p=2),
    ]
    held = {
        "table": rng.standard_normal((len(vocabulary), WIDTH)).astype(np.float32),
        "last": np.array([-1]), "middle": np.array([1]), "bias": np.full((1, WIDTH), 0.01, np.float32),
    }  # fmt: skip
    inputs = {name: (TensorProto.INT64, ["batch", "tokens"]) for name in ("input_ids", "attention_mask")}
    for name in ("encoder.onnx", "encoder.int8.onnx"):
        _save(model / name, nodes, inputs, "sentence_embedding", WIDTH, held)


def _save(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: Mapping[str, tuple[int, list[str | int]]],
    output: str,
    width: int,
    held: Mapping[str, np.ndarray],
) -> None:
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", width])],
        [numpy_helper.from_array(value, name) for name, value in held.items()],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(proto)
    path.write_bytes(proto.SerializeToString(deterministic=True))
