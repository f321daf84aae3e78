"""Export of the sentence encoder to one ONNX file: tokens in, unit sentence embedding out (pooling and norm inside)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skillshot.common.errors import InputError
from skillshot.common.io import write_json
from skillshot.export.canonical import export_graph
from skillshot.export.quantise import quantise

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def write_encoder(encoder: SentenceTransformer, folder: Path) -> None:
    """Write all files of an encoder, `export_encoder`'s and the int8 copy.

    Raises:
        InputError: the model cannot be exported.
    """
    export_encoder(encoder, folder)
    quantise(folder)


def export_encoder(encoder: SentenceTransformer, folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Write `encoder.onnx`, `tokenizer.json` and `encoder.json` into `folder`.

    The graph is input_ids, attention_mask (int64 (n, t)) -> sentence_embedding (float32 (n, d), unit rows).

    Raises:
        InputError: the model is not a transformer with mean or [CLS] pooling and a fast tokenizer.
    """
    import torch

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    transformer, pooling = encoder[0], encoder[1] if len(encoder) > 1 else None
    mode = getattr(pooling, "pooling_mode", "")
    mode = mode if isinstance(mode, str) else "+".join(mode)
    if mode not in ("mean", "cls"):
        raise InputError(f"embed.model: pooling {mode!r} cannot be exported; choose a model with mean or cls pooling")

    model = transformer.auto_model
    attention = model.config._attn_implementation

    class Graph(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            states = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            if mode == "mean":
                weights = attention_mask.unsqueeze(-1).to(states.dtype)
                pooled = (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
            else:
                pooled = states[:, 0]
            return torch.nn.functional.normalize(pooled, dim=-1)

    tokens = torch.ones((2, 8), dtype=torch.int64)
    mask = tokens.clone()
    mask[1, 5:] = 0  # some models do not read a mask without padding, and a trace would keep that
    inputs = {"input_ids": tokens, "attention_mask": mask}
    model.set_attn_implementation("eager")  # torch's fused attention is exported with guards that take 8 % of the time
    try:
        export_graph(Graph(), inputs, {0: "batch", 1: "tokens"}, "sentence_embedding", folder / "encoder.onnx")
    finally:
        model.set_attn_implementation(attention)
    source = Path(encoder.tokenizer.name_or_path) / "tokenizer.json"
    if source.exists():
        shutil.copyfile(source, folder / "tokenizer.json")
    else:
        encoder.tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    facts = {
        "window": int(encoder.max_seq_length),
        "dimension": int(encoder.get_embedding_dimension()),
        "pad_id": int(encoder.tokenizer.pad_token_id or 0),
    }
    write_json(folder / "encoder.json", facts)
    return facts
