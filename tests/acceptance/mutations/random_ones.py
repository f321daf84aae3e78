"""Random mutations, each from its own seed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from acceptance.mutations.draft import Draft
from skillshot.runtime.manifest import NAME

DEEP = json.loads("[" * 300 + "]" * 300)
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 10**9, 10**30, 1e308, float("nan"), float("-inf"), "", "../../x", "x" * 5000, [], {}, [None],
    {"a": 1}, [[]], "\ud800", DEEP,
)  # fmt: skip


def mutate(draft: Draft, seed: int) -> str:
    """Apply one random mutation; returns what it was."""
    rng = np.random.default_rng([16, seed])
    kinds = (_flip, _flip, _cut, _array_values, _array_values, _array_shape, _json, _json, _json, _swap, _file)
    return str(kinds[int(rng.integers(len(kinds)))](draft, rng))


def _pick(rng: np.random.Generator, values: Any) -> Any:
    return values[int(rng.integers(len(values)))]


def _flip(draft: Draft, rng: np.random.Generator) -> str:
    name, times = _pick(rng, [NAME, *draft.names]), int(rng.integers(1, 9))
    data = bytearray(json.dumps(draft.manifest).encode() if name == NAME else draft.data(name))
    # half of the flips near the start, where headers are
    for _ in range(times):
        data[int(rng.integers(min(len(data), 400) if rng.random() < 0.5 else len(data)))] ^= 1 << int(rng.integers(8))
    if name == NAME:
        draft.raw = bytes(data)
    else:
        draft.put(name, bytes(data))
    return f"{times} bits of {name}"


def _cut(draft: Draft, rng: np.random.Generator) -> str:
    name = _pick(rng, [NAME, *draft.names])
    data = json.dumps(draft.manifest).encode() if name == NAME else draft.data(name)
    at = int(rng.integers(len(data)))
    data = _pick(rng, (data[:at], data + data[:at], data[:at] + b"\0" * 64 + data[at:], b""))
    if name == NAME:
        draft.raw = data
    else:
        draft.put(name, data)
    return f"{name} cut or longer, at {at}"


def _arrays(draft: Draft) -> list[str]:
    return [name for name in draft.names if name.endswith(".npy")]


def _array_values(draft: Draft, rng: np.random.Generator) -> str:
    name = _pick(rng, _arrays(draft))
    values = draft.array(name).copy()
    flat = values.reshape(-1)
    at = rng.integers(len(flat), size=int(rng.integers(1, 4)))
    kind = _pick(rng, ("extreme", "shuffle", "reverse", "zero", "scale", "equal"))
    if kind == "extreme":
        floats = (np.nan, np.inf, -np.inf, 1e38, -1e30)
        info = None if values.dtype.kind == "f" else np.iinfo(values.dtype)
        flat[at] = _pick(rng, floats if info is None else (info.max, info.min, info.max // 2))
    elif kind == "shuffle":
        rng.shuffle(values)
    elif kind == "reverse":
        values = values[::-1]
    elif kind == "zero":
        values[...] = 0
    elif kind == "scale":
        values = (values * 3).astype(values.dtype)
    else:
        flat[at] = flat[0]
    draft.put_array(name, values)
    return f"{name}: {kind}"


def _array_shape(draft: Draft, rng: np.random.Generator) -> str:
    name = _pick(rng, _arrays(draft))
    values = draft.array(name)
    kinds = {
        "fewer": lambda: values[: len(values) // 2],
        "more": lambda: np.concatenate([values, values]),
        "one axis more": lambda: values[None],
        "flat": lambda: values.reshape(-1)[:, None],
        "transposed": lambda: np.asfortranarray(values.T),
        "empty": lambda: values[:0],
        "no axis": lambda: values.reshape(-1)[0],
        **{
            f"as {kind}": lambda kind=kind: values.astype(kind)
            for kind in ("float64", "float16", "int32", "int64", "uint8", "bool", "complex64", "U4", ">f4", ">u8", "O")
        },
    }
    kind = _pick(rng, sorted(kinds))
    draft.put_array(name, kinds[kind]())
    return f"{name}: {kind}"


def _json(draft: Draft, rng: np.random.Generator) -> str:
    documents = [name for name in draft.names if name.endswith(".json")]
    name = _pick(rng, [NAME, NAME, "bank/bank.jsonl", *documents])
    if name == "bank/bank.jsonl":
        rows: Any = draft.rows()
        what = _change(rows, rng)
        draft.put_rows([json.dumps(row) for row in rows])
        return f"row: {what}"
    document = draft.manifest if name == NAME else draft.json(name)
    what = _change(document, rng)
    if name != NAME:
        draft.put_json(name, document)
    return f"{name}: {what}"


def _change(document: Any, rng: np.random.Generator) -> str:
    """Change one entry of a document in its place."""
    here, path = document, []
    while True:
        keys = sorted(here) if isinstance(here, dict) else list(range(min(len(here), 50)))
        key = _pick(rng, keys)
        path.append(str(key))
        inner = here[key]
        if not isinstance(inner, dict | list) or not inner or rng.random() < 0.3:
            break
        here = inner
    if isinstance(here, dict) and rng.random() < 0.25:
        del here[key]
        return f"without {'.'.join(path)}"
    here[key] = _pick(rng, VALUES)
    return f"{'.'.join(path)} = {str(here[key])[:40]}"


def _swap(draft: Draft, rng: np.random.Generator) -> str:
    name = _pick(rng, draft.names)
    suffix = name.rsplit(".", 1)[-1]
    others = [other for other in draft.names if other != name and (other.endswith(suffix) or rng.random() < 0.1)]
    other = _pick(rng, others or draft.names)
    draft.put(name, draft.data(other))
    return f"{name} is {other}"


def _file(draft: Draft, rng: np.random.Generator) -> str:
    name = _pick(rng, draft.names)
    kind = _pick(rng, ("missing", "not listed", "folder", "link", "dead link"))
    path = draft.path(name)
    data = draft.data(name)
    path.unlink()
    if kind == "not listed":
        path.write_bytes(data)
        del draft.manifest["files"][name]
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        outside = draft.folder.parent / "outside"
        outside.mkdir(exist_ok=True)
        (outside / "data").write_bytes(data)
        path.symlink_to(outside / "data")
    elif kind == "dead link":
        path.symlink_to("nowhere")
    return f"{name}: {kind}"
