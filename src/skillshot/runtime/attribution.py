"""What each word of a question adds to the score of a demonstration."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from skillshot.common.arrays import Doubles, Floats, Rows
from skillshot.features.parts import word_parts
from skillshot.runtime.policy import Policy

SEGMENTS = 12  # of a question, whose windows are scored: 134 passes of the policy, on half the question on average
WORDS = 400  # pieces of a question; only one of some thousand words has several words in a piece


def cut(text: str, limit: int = WORDS) -> list[str]:
    """Cut a text at spaces into at most `limit` pieces that concatenate to it again."""
    words = re.findall(r"\s*+\S++(?:\s++\Z)?", text) if text.strip() else [text]
    size = -(-len(words) // limit)
    return ["".join(words[start : start + size]) for start in range(0, len(words), size)]


def segments_of(words: Sequence[str], count: int = SEGMENTS) -> Rows:
    """The segment of each word, (n,): at most `count` segments of consecutive words, as even as can be."""
    many = min(count, len(words))
    return np.arange(len(words)) * many // len(words)


def attribute(
    policy: Policy, text: str, query: Floats, rows: Floats, count: int = SEGMENTS
) -> tuple[list[str], Doubles, Doubles]:
    """Contributions of the words of a text to its scores with bank rows.

    The players are at most `SEGMENTS` segments of the text; a coalition is the text without the others. Each gets the
    mean of what it adds over all orders that go round the text from one segment, forwards or backwards: Shapley's value
    over these orders instead of all. They sum to the score less that of a text without words, whatever the network
    does. In these orders the coalitions are windows of the text, or the text without a window, so that the encoder
    reads connected text. Two segments come in either order equally often, so the value is exact where no more than two
    interact; `docs/results/explanations.md` measures it against all orders.

    Within a segment, words get what they add to the blocks that are linear in the n-grams (`word_parts`), and equal
    parts of the rest.

    Args:
        query: the policy's row of the text, (z,).
        rows: (k, z).
        count: of segments, at most.

    Returns:
        words, which concatenate to the text; contributions (words, k); base (k,), the scores of a text without words.
        The contributions and the base sum to the score.
    """
    words = cut(text)
    of = segments_of(words, count)
    value = _windows(policy, joined(words, of), query, np.asarray(rows, np.float64))
    wanted = round_trips(value)
    shares = np.zeros((len(words), len(rows)))
    if len(words) > len(wanted):
        shares = word_parts(policy.view, text, words, policy.linear(text, rows))
        np.subtract.at(wanted, of, shares)
    return words, shares + (wanted / np.bincount(of)[:, None])[of], value[0, 0]


def joined(words: Sequence[str], of: Rows) -> list[str]:
    """The texts of the segments."""
    segments = [""] * (int(of[-1]) + 1)
    for word, segment in zip(words, of.tolist(), strict=True):
        segments[segment] += word
    return segments


def round_trips(value: Doubles) -> Doubles:
    """Mean of what each of m players adds, over the 2 m orders round a circle, (m, k).

    Args:
        value: (m, m + 1, k) worth of the window that starts at a player and has a length.
    """
    players = np.arange(len(value))
    total = np.zeros((len(value), value.shape[2]))
    for length in range(len(value)):
        start = (players - length) % len(value)
        total += value[start, length + 1] - value[start, length]
        total += value[players, length + 1] - value[(players + 1) % len(value), length]
    return total / (2 * len(value))


def _windows(policy: Policy, segments: Sequence[str], query: Floats, rows: Doubles) -> Doubles:
    """Scores of the windows of a circle of m segments, by first segment and length, (m, m + 1, k)."""
    count = len(segments)
    places = [(start, length) for start in range(count) for length in range(1, count)]
    texts = [""]
    for start, length in places:
        held = {(start + step) % count for step in range(length)}
        texts.append("".join(segment for place, segment in enumerate(segments) if place in held))
    scores = policy(texts).astype(np.float64) @ rows.T
    value = np.empty((count, count + 1, len(rows)))
    value[:, 0], value[:, count] = scores[0], query.astype(np.float64) @ rows.T
    for (start, length), found in zip(places, scores[1:], strict=True):
        value[start, length] = found
    return value
