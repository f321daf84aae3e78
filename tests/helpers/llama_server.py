"""llama.cpp's OpenAI-compatible server on the embedded model's weights, in this process (package xllamacpp).

It serves the numbers of the embedded engine: the packaged 4-bit weights written in fp32. With the 4-bit weights,
llama.cpp multiplies by 8-bit activations, and one near tie in ten gives another token.
"""

from __future__ import annotations

import contextlib
import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.llm.weights import packaged_gguf

Post = Callable[[str, str, dict[str, Any]], Any]


@contextlib.contextmanager
def running(folder: Path) -> Iterator[tuple[str, Post]]:
    """URL of the server (without /v1) and a function that posts JSON to it. folder: for 540 MB of weights."""
    os.environ.update(GOMP_SPINCOUNT="0", OMP_WAIT_POLICY="PASSIVE")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(full_precision(folder / "fp32.gguf"))
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.n_ctx, params.n_parallel = 2048, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.port = 0  # any free one; the address is loopback by default
    server = xllamacpp.Server(params)
    try:
        yield server.listening_address, _post
    finally:
        del server


def full_precision(path: Path) -> Path:
    """The packaged GGUF file with every tensor in fp32."""
    from gguf import GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType
    from gguf.quants import dequantize

    reader, writer = GGUFReader(packaged_gguf()), GGUFWriter(path, "llama")
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
            continue  # the writer's own
        array = field.types[0] == GGUFValueType.ARRAY
        writer.add_key_value(name, field.contents(), field.types[0], field.types[-1] if array else None)
    writer.add_file_type(LlamaFileType.ALL_F32)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, dequantize(tensor.data, tensor.tensor_type).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _post(url: str, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)
