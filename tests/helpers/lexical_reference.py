"""Reference implementation of the lexical view, with n-grams as strings and counts as dictionaries: slow but simple."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from skillshot.features.channels import Channel, spelled
from skillshot.features.grams import AGAIN, ODD, code, salted
from skillshot.features.lexical import BUCKETS, COMMON, RAREST, Floats
from skillshot.features.tokens import foreign, tokenise


class Reference:
    """Learns from texts and reads others; float64 (n, BUCKETS) before any projection."""

    def __init__(self, texts: Sequence[str], channels: tuple[Channel, ...]) -> None:
        counts = Counter(word for text in texts for word in set(tokenise(text)))
        self.channels = spelled(channels) if foreign(counts) else channels
        self.shares = {word: n / len(texts) for word, n in counts.items() if n > max(2, COMMON * len(texts))}
        frequency = Counter(gram for text in texts for grams in self.grams(text) for gram in grams)
        self.weights = {g: np.log((1 + len(texts)) / (1 + n)) + 1 for g, n in frequency.items() if n >= RAREST}

    def grams(self, text: str) -> list[list[str]]:
        return [[f"{i}{g}" for g in channel.grams(text, self.shares)] for i, channel in enumerate(self.channels)]

    def place(self, gram: str) -> int:
        """64-bit hash of a gram: a polynomial of its tokens' codes, or of the whole where it is not a run of tokens."""
        channel, gram = int(gram[0]), gram[1:]
        if self.channels[channel].part == "equations":
            return int(salted(np.array([code(gram)], np.uint64), channel)[0])
        run, time = re.fullmatch(r"(.+?)(?:#(\d))?", gram, re.DOTALL).groups("1")
        total = 0
        for token in run.split(" "):
            total = total * int(ODD) + int(salted(np.array([code(token)], np.uint64), channel)[0])
        return (total + (int(time) - 1) * int(AGAIN)) % 2**64

    def transform(self, texts: Sequence[str]) -> Floats:
        out = np.zeros((len(texts), BUCKETS))
        for row, text in zip(out, texts, strict=True):
            for channel, grams in zip(self.channels, self.grams(text), strict=True):
                known = [gram for gram in grams if gram in self.weights]
                length = np.sqrt(sum(self.weights[gram] ** 2 for gram in known))
                for gram in known:
                    place = self.place(gram)
                    sign = 1 if place >= 2**63 else -1
                    row[place % BUCKETS] += sign * channel.weight * self.weights[gram] / length
            lengths = [c.weight for c, grams in zip(self.channels, self.grams(text), strict=True)
                       if any(gram in self.weights for gram in grams)]  # fmt: skip
            row /= np.sqrt(np.sum(np.square(lengths))) or 1.0
        return np.asarray(out, np.float32)
