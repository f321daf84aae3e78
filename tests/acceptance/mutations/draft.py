"""A bundle being mutated: files are changed, then the manifest gets their sizes and digests."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from skillshot.runtime.manifest import NAME


class Draft:
    """A copy of a bundle; files are hard links until they are changed, so that a large one is copied at once."""

    def __init__(self, bundle: Path, folder: Path) -> None:
        shutil.copytree(bundle, folder, copy_function=os.link)
        self.folder = folder
        self.manifest: dict[str, Any] = json.loads((folder / NAME).read_text())
        self.bank: str = self.manifest["bank"]
        self.raw: bytes | None = None  # the manifest's bytes, where it is no proper JSON

    @property
    def names(self) -> list[str]:
        """Files of the manifest without the card, which is not read."""
        return sorted(name for name in self.manifest["files"] if name != "README.md")

    def path(self, name: str) -> Path:
        """Path of a file; `bank/` stands for the bank's folder."""
        return self.folder / self.full(name)

    def full(self, name: str) -> str:
        """Name of a file in the manifest."""
        return name.replace("bank/", f"{self.bank}/", 1) if name.startswith("bank/") else name

    def data(self, name: str) -> bytes:
        """Bytes of a file."""
        return self.path(name).read_bytes()

    def put(self, name: str, data: bytes) -> None:
        """Replace a file and its entry."""
        path = self.path(name)
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.manifest["files"][self.full(name)] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    def array(self, name: str) -> np.ndarray:
        """A `.npy` file."""
        return np.load(io.BytesIO(self.data(name)), allow_pickle=False)

    def put_array(self, name: str, values: Any) -> None:
        """Replace a `.npy` file."""
        out = io.BytesIO()
        np.save(out, np.asarray(values), allow_pickle=True)
        self.put(name, out.getvalue())

    def json(self, name: str) -> Any:
        """A JSON file."""
        return json.loads(self.data(name))

    def put_json(self, name: str, value: Any) -> None:
        """Replace a JSON file; NaN is written as it is."""
        self.put(name, json.dumps(value).encode())

    def graph(self, name: str) -> onnx.ModelProto:
        """An ONNX file."""
        return onnx.load_from_string(self.data(name))

    def put_graph(self, name: str, proto: onnx.ModelProto) -> None:
        """Replace an ONNX file."""
        self.put(name, proto.SerializeToString())

    def rows(self) -> list[Any]:
        """The rows of the bank."""
        return [json.loads(line) for line in self.data("bank/bank.jsonl").splitlines()]

    def put_rows(self, lines: list[str]) -> None:
        """Replace the rows, with offsets that fit."""
        encoded = [line.encode() + b"\n" for line in lines]
        self.put("bank/bank.jsonl", b"".join(encoded))
        self.put_array("bank/bank_offsets.npy", np.cumsum([0, *map(len, encoded)], dtype=np.int64))

    def finish(self) -> None:
        """Write the manifest."""
        path = self.folder / NAME
        path.unlink()
        path.write_bytes(json.dumps(self.manifest).encode() if self.raw is None else self.raw)
