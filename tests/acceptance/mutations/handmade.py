"""Mutations made by hand: each breaks one promise of the format. `HARMLESS` break none, so the bundle answers."""

# ruff: noqa: ARG005 (of a change that writes the same whatever was there)
from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from acceptance.mutations.draft import Draft

Mutation = Callable[[Draft], object]
MADE: dict[str, Mutation] = {}
HARMLESS: set[str] = set()
NAN, INF, HUGE = float("nan"), float("inf"), 10**9


def _made(name: str, mutation: Mutation, *, harmless: bool = False) -> None:
    assert name not in MADE, name
    MADE[name] = mutation
    if harmless:
        HARMLESS.add(name)


def _in_manifest(place: str, value: Any) -> Mutation:
    def mutation(draft: Draft) -> None:
        _set(draft.manifest, place, value)

    return mutation


def _in_json(name: str, place: str, value: Any) -> Mutation:
    def mutation(draft: Draft) -> None:
        document = draft.json(name)
        _set(document, place, value)
        draft.put_json(name, document)

    return mutation


def _set(document: Any, place: str, value: Any) -> None:
    *path, last = place.split("/")
    for key in path:
        document = document[int(key) if isinstance(document, list) else key]
    key = int(last) if isinstance(document, list) else last
    if value is KeyError:
        del document[key]
    else:
        document[key] = value


def _on_array(name: str, change: Callable[[np.ndarray], Any]) -> Mutation:
    return lambda draft: draft.put_array(name, change(draft.array(name).copy()))


def _put(array: np.ndarray, at: Any, value: Any) -> np.ndarray:
    array[at] = value
    return array


def _row(change: Callable[[dict[str, Any]], Any]) -> Mutation:
    """Change every row: whichever is chosen, it is met."""

    def mutation(draft: Draft) -> None:
        rows = draft.rows()
        draft.put_rows([json.dumps(found) if not isinstance(found := change(row), str) else found for row in rows])

    return mutation


# the manifest
for place, values in {
    "format": (2, 1, 3, 4, 6, "5", None, KeyError),
    "bank": ("..", ".", "", "/", "model", "bank-1/..", "bank-x", "bank-" + "1" * 30, "bank-99", None, 7, KeyError),
    "files": ([], None, {}, KeyError),
    "select": (None, [], KeyError),
    "select/mode": ("fast", None, 3, KeyError),
    "select/precision": ("int4", None, KeyError),
    "select/k": (0, -1, 2.5, "4", None),
    "data/records": (-1, 0, 5, HUGE, 1.5, None),
    "data/sha256": ("abc", None, 7),
    "embed/model": (7, "a\nb", "x" * 1000, "\ud800"),
    "index/exact_below": (None, -1, KeyError),
    "metrics": ([], {"kl": NAN}, {"kl": "1"}, {"a\nb": 1.0}),
    "seed": ("7", None),
    "skillshot": (None, "\x1b[31m"),
    "structure": ("program", "", "Rationale", None, 7, ["rationale"], KeyError),
    "score": (None, [], {}, KeyError),
    "score/widths": (
        None,
        9,
        [],
        [2, 3, 2],
        [2, 3, 2, 2, 1],
        [0, 3, 2, 2],
        [2, -3, 2, 2],
        [2, 3.0, 2, 2],
        [2, 3, True, 2],
        "2322",
        [3, 2, 2, 2],
        [2, 2, 3, 2],
        [65_536] * 4,
        [10**30, 3, 2, 2],
        KeyError,
    ),
    "verdict": (None, [], {}, "use it"),
    "verdict/verdict": (7, None, "x" * 1000, "a\nb", KeyError),
    "verdict/advice": (["a"], "\x1b[31m", KeyError),
    "verdict/skillshot": (NAN, "0.5", None, KeyError),
    "verdict/rows": (-1, 1.5, "7", True),
    "verdict/trust": (NAN, -0.1, 1.1, "0.5", None),
    "verdict/pairs": (None, [], {}),
    "verdict/pairs/skillshot-bm25": (None, {}, {"diff": 0, "low": NAN, "high": 1}, KeyError),
    "verdict/pairs/skillshot-question/low": (INF, "0", KeyError),
}.items():
    for value in values:
        shown = "missing" if value is KeyError else repr(value)[:30]
        _made(f"manifest: {place} {shown}", _in_manifest(place, value))


def _in_score(place: str, value: Any) -> Mutation:
    """Change both modes: whichever is loaded, it is met."""

    def mutation(draft: Draft) -> None:
        for mode in ("full", "lite"):
            _set(draft.manifest["score"][mode], place, value)

    return mutation


for place, values in {
    "shares": (
        None,
        {},
        [],
        [1.0],
        [0.4, 0.2, 0.4],
        [0.4, 0.2, 0.3, 0.1, 0.0],
        [0.4, 0.2, 0.3, 0.3],
        [0.1, 0.1, 0.1, 0.1],
        [0, 0, 0, 0],
        [1.4, -0.4, 0, 0],
        [NAN, 0.5, 0.25, 0.25],
        [INF, 0, 0, 0],
        ["1", 0, 0, 0],
        [True, 0, 0, 0],
        [10**400, 0, 0, 0],
        KeyError,
    ),
    "doubt": (NAN, INF, -INF, 0, -0.05, 1e-300, 10**400, "0.05", True, None, [0.05], KeyError),
    "confidence": (None, [], {}, 0.5, KeyError),
    "confidence/offset": (NAN, INF, 10**400, "0.5", True, None, [0.5], KeyError),
    "confidence/slope": (NAN, INF, -0.5, 10**400, "5", True, None, KeyError),
    "confidence/near": (None, [], [1.0, 0.0], [0.0, NAN], [0.0, 3.0], ["0"], [[0.0]], [0.0] * 300, KeyError),
}.items():
    for value in values:
        shown = "missing" if value is KeyError else repr(value)[:30]
        _made(f"score: {place} {shown}", _in_score(place, value))
_made("score: full missing", _in_manifest("score/full", KeyError))
_made("score: lite missing", _in_manifest("score/lite", KeyError))
# what is legal and rare
for place, value in {
    "shares": [0.41, 0.2, 0.3, 0.1],
    "doubt": 1e-6,
    "confidence": {"offset": 0, "slope": 0, "near": []},
    "confidence/offset": -1e6,
    "confidence/slope": 1e6,
    "confidence/near": [0.5],
}.items():
    _made(f"score: legal {place} {value}", _in_score(place, value), harmless=True)
for shares in ([0, 1, 0, 0], [0, 0, 0, 1]):
    _made(f"score: legal shares {shares}", _in_score("shares", shares), harmless=True)
_made("score: a key of a later version", _in_score("later", [NAN]), harmless=True)
_made("manifest: no verdict", _in_manifest("verdict", KeyError), harmless=True)
_made("manifest: unknown key", _in_manifest("later", {"a": 1}), harmless=True)
_made("manifest: a list", lambda draft: setattr(draft, "raw", b"[]"))
_made("manifest: NaN", lambda draft: setattr(draft, "raw", b"NaN"))
_made("manifest: nested 100,000 deep", lambda draft: setattr(draft, "raw", b"[" * 100_000))
_made("manifest: 2 MB", lambda draft: setattr(draft, "raw", b" " * 2**21 + b"{}"))
_made("manifest: a number of 5,000 digits", lambda draft: setattr(draft, "raw", b'{"format": ' + b"9" * 5000 + b"}"))
_made("manifest: not UTF-8", lambda draft: setattr(draft, "raw", b'{"format": "\xff\xfe"}'))


# names
def _listed(name: str) -> Mutation:
    def mutation(draft: Draft) -> None:
        draft.manifest["files"][name] = {"bytes": 6, "sha256": "0" * 64}

    return mutation


for name in (
    "../outside.txt", "../../x", "/etc/passwd", "model/../../outside.txt", "model/..", "..", ".", "", "model", "model/",
    "model//lite.onnx", "model\\..\\x", "C:\\x", "model/.hidden", "bank-1/a/b", "bank-77/bank.jsonl", "notes.txt",
    "model/a/b/c", "README.md/x", "manifest.json", "model/lite.onnx\x00", "model/lite.onnx\n", "model/．．", "~/x",
):  # fmt: skip
    _made(f"name: {name!r}", _listed(name))
for entry in (None, [], {}, {"bytes": -1, "sha256": "0" * 64}, {"bytes": "6", "sha256": "0" * 64}, {"bytes": 6}):
    _made(f"entry: {entry}", lambda draft, entry=entry: draft.manifest["files"].update({"model/lite.onnx": entry}))
_made("entry: digest is a list", lambda d: d.manifest["files"]["model/lite.onnx"].update(sha256=["0"]))


# links, pipes, folders in the place of a file
def _instead(name: str, make: Callable[[Path, bytes], object]) -> Mutation:
    def mutation(draft: Draft) -> None:
        path, data = draft.path(name), draft.data(name)
        path.unlink()
        make(path, data)

    return mutation


def _link(path: Path, data: bytes) -> None:
    target = path.parents[2] / "outside.txt"
    target.unlink(missing_ok=True)
    target.write_bytes(data)
    path.symlink_to(target)


for name in ("bank/bank.jsonl", "model/lite.onnx", "model/tokenizer.json"):
    _made(f"link: {name}", _instead(name, _link))
    _made(f"pipe: {name}", _instead(name, lambda path, _: os.mkfifo(path)))
    _made(f"folder: {name}", _instead(name, lambda path, _: path.mkdir()))


def _linked_folder(draft: Draft) -> None:
    away = draft.folder.parent / "away"
    draft.path("model").rename(away)
    draft.path("model").symlink_to(away)


_made("link: model", _linked_folder)

# arrays
VECTORS = "bank/skillshot.npy"
for label, change in {
    "a NaN": lambda a: _put(a, (3, 1), NAN),
    "all NaN": lambda a: a * NAN,
    "infinite": lambda a: _put(a, (3, 1), INF),
    "all zero": lambda a: a * 0,
    "one row zero": lambda a: _put(a, 3, 0),
    "of length 2": lambda a: a * 2,
    "100 rows missing": lambda a: a[: len(a) - min(100, len(a) - 1)],
    "one row more": lambda a: np.concatenate([a, a[:1]]),
    "one column less": lambda a: a[:, 1:],
    "no column": lambda a: a[:, :0],
    "no row": lambda a: a[:0],
    "float64": lambda a: a.astype(np.float64),
    "int8": lambda a: (a * 100).astype(np.int8),
    "big-endian": lambda a: a.astype(">f4"),
    "flat": lambda a: a.reshape(-1),
    "three axes": lambda a: a[None],
    "objects": lambda a: a.astype(object),
    "texts": lambda a: a.astype(str),
    "records": lambda a: np.zeros(len(a), [("a", "f4"), ("b", "f4")]),
}.items():
    _made(f"vectors: {label}", _on_array(VECTORS, change))
_made("vectors: float16", _on_array(VECTORS, lambda a: a.astype(np.float16)), harmless=True)
_made("vectors: by columns", _on_array(VECTORS, np.asfortranarray), harmless=True)
_made("vectors: a zip file", lambda draft: draft.put(VECTORS, b"PK\x03\x04" + b"\0" * 100))
_made("vectors: empty file", lambda draft: draft.put(VECTORS, b""))
_made("vectors: a pickle", lambda draft: draft.put(VECTORS, b"\x80\x04\x95\x00."))
_made("vectors: bytes after the end", lambda draft: draft.put(VECTORS, draft.data(VECTORS) + b"\0" * 8))


def _header(shape: str) -> Mutation:
    def mutation(draft: Draft) -> None:
        text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
        text = text.ljust(117) + b"\n"
        draft.put(VECTORS, b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + b"\0" * 64)

    return mutation


for shape in (
    "(10**12, 10)",
    "(1000000000000, 10)",
    "(-1, 10)",
    "('a', 10)",
    "(" * 50 + ")" * 50,
    "(99999999999999999999, 2)",
):
    _made(f"header: shape {shape[:25]}", _header(shape))
for name, label, change in (
    ("bank/bank_offsets.npy", "falling", lambda a: a[::-1].copy()),
    ("bank/bank_offsets.npy", "equal", lambda a: _put(a, 2, a[1])),
    ("bank/bank_offsets.npy", "not from 0", lambda a: _put(a, 0, 1)),
    ("bank/bank_offsets.npy", "negative", lambda a: _put(a, 1, -5)),
    ("bank/bank_offsets.npy", "beyond the end", lambda a: _put(a, -1, HUGE)),
    ("bank/bank_offsets.npy", "int32", lambda a: a.astype(np.int32)),
    ("bank/bank_offsets.npy", "float", lambda a: a.astype(np.float64)),
    ("bank/bank_offsets.npy", "none", lambda a: a[:0]),
    ("bank/bank_offsets.npy", "one", lambda a: a[:1]),
    ("bank/bank_keys.npy", "int64", lambda a: a.astype(np.int64)),
    ("bank/bank_keys.npy", "too few", lambda a: a[1:]),
    ("bank/bank_keys.npy", "two axes", lambda a: a[:, None]),
    ("bank/bank_ids.npy", "not sorted", lambda a: a[::-1].copy()),
    ("bank/bank_ids.npy", "too many", lambda a: np.append(a, a[-1:])),
    ("bank/bank_fields.npy", "codes without a value", lambda a: a + np.uint16(60_000)),
    ("bank/bank_fields.npy", "too few lines", lambda a: a[1:]),
    ("bank/bank_fields.npy", "int64", lambda a: a.astype(np.int64)),
    ("model/question_view/keys.npy", "not sorted", lambda a: a[::-1].copy()),
    ("model/question_view/keys.npy", "one twice", lambda a: _put(a, 1, a[0])),
    ("model/question_view/keys.npy", "too few", lambda a: a[1:]),
    ("model/question_view/keys.npy", "none", lambda a: a[:0]),
    ("model/question_view/keys.npy", "float64", lambda a: a.astype(np.float64)),
    ("model/question_view/weights.npy", "a NaN", lambda a: _put(a, 0, NAN)),
    ("model/question_view/weights.npy", "huge", lambda a: _put(a, 0, 3e38)),
    ("model/question_view/weights.npy", "float64", lambda a: a.astype(np.float64)),
    ("model/question_view/slots.npy", "of no channel", lambda a: _put(a, 0, 2**32 - 1)),
    ("model/question_view/slots.npy", "int64", lambda a: a.astype(np.int64)),
    ("model/question_view/projection.npy", "a NaN", lambda a: _put(a, (0, 0), NAN)),
    ("model/question_view/projection.npy", "infinite", lambda a: _put(a, (0, 0), INF)),
    ("model/question_view/projection.npy", "too few buckets", lambda a: a[1:]),
    ("model/question_view/projection.npy", "one column less", lambda a: a[:, 1:].copy()),
    ("model/question_view/projection.npy", "no column", lambda a: a[:, :0].copy()),
    ("model/question_view/projection.npy", "float64", lambda a: a.astype(np.float64)),
):
    _made(f"{name}: {label}", _on_array(name, change))

# JSON files of the model
LEXICAL = "model/question_view/lexical.json"
for place, values in {
    "channels/0/longest": (10**9, 10**30, 0, -1, 2.5, "3", None, KeyError),
    "channels/0/least": (NAN, -1, "0", 2),
    "channels/0/weight": (NAN, INF, -1, 1e300, None),
    "channels/0/part": ("tail", None, KeyError),
    "channels/0/name": (7,),
    "channels/0/extra": (1,),
    "channels": ([], None, {}, "all", KeyError),
    "buckets": (0, -4, 10**9, 1.5, "64", None, KeyError),
    "shares": ([], None, {"a": NAN}, {"a": "1"}, {"a": 7}),
    "vocabulary": (None, "abc", [""], [7], [None], {"a": 1}),
}.items():
    for value in values:
        shown = "missing" if value is KeyError else repr(value)[:30]
        _made(f"lexical.json: {place} {shown}", _in_json(LEXICAL, place, value))
_made("lexical.json: 10,000 channels", lambda d: d.put_json(LEXICAL, _many_channels(d.json(LEXICAL))))


def _many_channels(about: dict[str, Any]) -> dict[str, Any]:
    return about | {"channels": about["channels"] * 10_000}


for place, values in {
    "dimension": (0, -1, 5, 10**9, "8", None, KeyError),
    "window": (0, 1, -1, 10**9, NAN, None, KeyError),
    "pad_id": (-1, 2**40, "0", KeyError),
}.items():
    for value in values:
        shown = "missing" if value is KeyError else repr(value)[:30]
        _made(f"encoder.json: {place} {shown}", _in_json("model/encoder.json", place, value))

TOKENIZER = "model/tokenizer.json"
for label, data in {
    "empty": b"", "no JSON": b"{", "a list": b"[]", "another object": b'{"a": 1}', "null": b"null",
    "nested": b"[" * 5000 + b"]" * 5000, "not UTF-8": b"\xff\xfe{}",
}.items():  # fmt: skip
    _made(f"tokenizer.json: {label}", lambda draft, data=data: draft.put(TOKENIZER, data))
_SLOW = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}
_made("tokenizer.json: exponential", _in_json(TOKENIZER, "pre_tokenizer", _SLOW))
_made(
    "tokenizer.json: exponential, key with escapes",
    lambda draft: draft.put(
        TOKENIZER,
        draft.data(TOKENIZER).replace(
            b'"pre_tokenizer":', b'"pre_tokenizer": {"type": "Split", "behavior": "Isolated", "invert": false, '
            b'"pattern": {"\\u0052egex": "(a|a|aa)+$"}}, "_":', 1),
    ),
)  # fmt: skip
_made("tokenizer.json: bad expression", _in_json(TOKENIZER, "pre_tokenizer", _SLOW | {"pattern": {"Regex": "("}}))
_made(
    "tokenizer.json: text of a template that never ends",
    _in_json(TOKENIZER, "post_processor", {
        "type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "a", "type_id": 0}}] * 5000
        + [{"Sequence": {"id": "A", "type_id": 0}}], "pair": [],
        "special_tokens": {"a": {"id": "a", "ids": [0], "tokens": ["a"]}},
    }),
)  # fmt: skip

# rows and fields
for label, change in {
    "no JSON": lambda row: "{",
    "a list": lambda row: "[]",
    "a number": lambda row: "7",
    "no question": lambda row: {key: value for key, value in row.items() if key != "question"},
    "no id": lambda row: {key: value for key, value in row.items() if key != "id"},
    "id is a number": lambda row: row | {"id": 7},
    "question is a list": lambda row: row | {"question": ["a"]},
    "rationale is null": lambda row: row | {"rationale": None},
    "answer is an object": lambda row: row | {"answer": {}},
    "context is a number": lambda row: row | {"context": 3},
    "options is a number": lambda row: row | {"options": 3},
    "options hold numbers": lambda row: row | {"options": [3]},
    "nested 100,000 deep": lambda row: "[" * 100_000 + "]" * 100_000,
}.items():
    _made(f"rows: {label}", _row(change))
_made("rows: more fields", _row(lambda row: row | {"extra": {"a": [1]}}), harmless=True)
for place, values in {"values": (None, [], KeyError), "order": (None, {}, ["no such"], [7], KeyError)}.items():
    for value in values:
        shown = "missing" if value is KeyError else repr(value)[:30]
        _made(f"bank_fields.json: {place} {shown}", _in_json("bank/bank_fields.json", place, value))
_made("bank_fields.json: values of a field are a text", _in_json("bank/bank_fields.json", "values/skill", "abc"))


# graphs; `policies` are the two that selection runs
def _policies(change: Callable[[onnx.ModelProto], object]) -> Mutation:
    def mutation(draft: Draft) -> None:
        for name in ("model/lite.onnx", "model/skillshot.onnx"):
            proto = draft.graph(name)
            change(proto)
            draft.put_graph(name, proto)

    return mutation


def _external(proto: onnx.ModelProto) -> None:
    tensor = proto.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "weights.bin"
    tensor.ClearField("raw_data")


def _input(proto: onnx.ModelProto, name: str, new: str) -> None:
    for node in proto.graph.node:
        node.input[:] = [new if given == name else given for given in node.input]
    for value in proto.graph.input:
        value.name = new if value.name == name else value.name


def _more_inputs(proto: onnx.ModelProto) -> None:
    proto.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, ["n", 4]))


def _constant(value: Any) -> Callable[[onnx.ModelProto], None]:
    def change(proto: onnx.ModelProto) -> None:
        tensor = next(t for t in proto.graph.initializer if len(t.dims) == 2 and t.data_type == TensorProto.FLOAT)
        tensor.CopyFrom(onnx.numpy_helper.from_array(np.full(tuple(tensor.dims), value, np.float32), tensor.name))

    return change


def _loop(proto: onnx.ModelProto) -> None:
    """A loop of 2^62 steps before the output."""
    output = proto.graph.output[0].name
    for node in proto.graph.node:
        node.output[:] = ["before" if made == output else made for made in node.output]
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Identity", ["x"], ["y"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
        ],
    )
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.array(2**62), "times"))
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.array(True), "yes"))
    proto.graph.node.append(helper.make_node("Loop", ["times", "yes", "before"], [output], body=body))


for label, alter in {
    "weights elsewhere": _external,
    "another input": lambda proto: _input(proto, "lexical", "words"),
    "one input more": _more_inputs,
    "no output": lambda proto: proto.graph.ClearField("output"),
    "no nodes": lambda proto: proto.graph.ClearField("node"),
    "no weights": lambda proto: proto.graph.ClearField("initializer"),
    "unknown operation": lambda proto: setattr(proto.graph.node[0], "op_type", "Nothing"),
    "unknown domain": lambda proto: setattr(proto.graph.node[0], "domain", "evil"),
    "future version": lambda proto: setattr(proto.opset_import[0], "version", 10**6),
    "NaN weights": _constant(NAN),
    "infinite weights": _constant(INF),
    "a loop without end": _loop,
    "output of another width": lambda proto: setattr(
        proto.graph.output[0].type.tensor_type.shape.dim[1], "dim_value", 3
    ),
    "output of integers": lambda proto: setattr(proto.graph.output[0].type.tensor_type, "elem_type", TensorProto.INT64),
    "input of another width": lambda proto: [
        setattr(value.type.tensor_type.shape.dim[1], "dim_value", 3) for value in proto.graph.input
    ],
}.items():
    _made(f"graph: {label}", _policies(alter))


def _no_graph(data: Callable[[bytes], bytes]) -> Mutation:
    def mutation(draft: Draft) -> None:
        for name in ("model/lite.onnx", "model/skillshot.onnx"):
            draft.put(name, data(draft.data(name)))

    return mutation


for label, make in {
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "zeros": lambda data: b"\0" * len(data),
    "a text": lambda data: b"hello " * 100,
    "of onnxruntime's own format": lambda data: b"\x20\0\0\0ORTM" + data,
}.items():
    _made(f"graph: {label}", _no_graph(make))


def exchanged() -> Iterator[tuple[str, str]]:
    """Files exchanged for another of their kind."""
    yield "model/lite.onnx", "model/skillshot.onnx"
    yield "model/skillshot.onnx", "model/lite.onnx"
    yield "model/skillshot.onnx", "model/encoder.onnx"
    yield "model/encoder.int8.onnx", "model/lite.onnx"
    yield "model/tokenizer.json", "model/encoder.json"
    yield "model/encoder.json", LEXICAL
    yield LEXICAL, "bank/bank_fields.json"
    yield "bank/bank_ids.npy", "model/question_view/keys.npy"


for one, other in exchanged():
    _made(f"exchanged: {one} is {other}", lambda draft, one=one, other=other: draft.put(one, draft.data(other)))
