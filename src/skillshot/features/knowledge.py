"""Does an encoder know the language of some texts? Measured on its pieces; no language has a name here."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from typing import Any

from skillshot.features.scripts import wide

MEASURED, HEAD = 200, 500  # texts that are looked at, and their first characters
# letters a piece, of words that are spelled and of words that are known; one of full width says as much as two.
# MiniLM: English 3.6 to 4.8, Turkish 2.2, German 2, Korean 1.2, Russian 1
SPELLED, KNOWN = 1.0, 3.0
LITTLE = 0.5  # knowledge of its language below which a bank is warned

logger = logging.getLogger("skillshot")
_WORD = re.compile(r"[^\W\d_]+")  # numbers and signs are the same in every language


def encoder_knowledge(
    texts: Sequence[str], encode: Callable[[Sequence[str]], Sequence[Sequence[int]]], unknown: int | None
) -> float:
    """How well an encoder knows the words of some texts, from 0 (it spells them, or lacks their letters) to 1.

    The share of pieces that it has, times the place of their length between spelled and known words. 1 for texts
    without words.

    Args:
        encode: ids of the pieces of each text, without begin and end.
        unknown: id of the piece for what it does not have (None: it has a piece for everything).
    """
    words = [_WORD.findall(text[:HEAD]) for text in texts[:: max(1, len(texts) // MEASURED)][:MEASURED]]
    words = [found for found in words if found]
    pieces = [piece for row in encode([" ".join(found) for found in words]) for piece in row] if words else []
    if not pieces:
        return 1.0
    letters = sum(len(word) * (2 if wide(word) else 1) for found in words for word in found)
    have = sum(piece != unknown for piece in pieces) / len(pieces)
    length = (letters / len(pieces) - SPELLED) / (KNOWN - SPELLED)
    return have * min(1.0, max(0.0, length))


def known_language(encoder: Any, texts: Sequence[str]) -> float:
    """`encoder_knowledge` of a bank's texts by a `runtime.onnx.TextEncoder`; little is logged."""
    known = encoder_knowledge(texts, encoder.pieces, encoder.unknown)
    if known < LITTLE:
        logger.warning(
            "embed: the encoder knows little of the bank's language (%.2f of 1): it counts as far as it predicts\n"
            "a multilingual one may do better: --set embed.model=NAME", known,
        )  # fmt: skip
    return known
