"""How much skill and wording count, and how sure a prediction is: estimated on the bank itself, without labels.

Each row of the bank is a question whose rationale is known, and is predicted by a model that did not see it
(cross-fitted). The similarity of that rationale to those of the rows that a score would choose
measures how good the score is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skillshot.common.arrays import Doubles, Floats, Rows

WORDING = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0)  # shares of wording that are tried
SAFE = 0.2  # share of wording that is taken where fewer is not clearly better
SENTENCE = (1.0, 0.6, 0.3, 0.0)  # the sentence embedding's part of the wording; the rest are words
# the latent's part of the skill, and the rows at which it has half of that: a network on few rows predicts them, not
# new questions, and cross-fitting it would multiply the time of training
LATENT, LATENT_ROWS = 0.3, 300
CERTAIN = 2.0  # standard errors by which another mix of the wording must be better than the sentence embedding
K = 4  # demonstrations whose similarity is measured
# least and largest. Below .02 a language model gets four near copies: on storyskills its NLL was .68 instead of .59
DOUBT = (0.02, 0.3)
TRACE = 0.01  # least share of the sentence, by whose similarity a foreign question is known
OWN = np.float32(-2)  # score of the row itself and of its duplicates
Qualities = Mapping[float, Mapping[float, Doubles]]  # by the mix of the wording, then by its share


@dataclass(frozen=True)
class Similarities:
    """Of m questions of the bank to its n rows, (m, n): predicted structure, sentence embedding and words.

    sentence: None without a text encoder; words are all of the wording then.
    truth (m, n): similarity of the questions' own rationales to those of the rows. same (m, n): the row is the question
    itself, or has the same text.
    """

    structure: Floats
    sentence: Floats | None
    words: Floats
    truth: Floats
    same: npt.NDArray[np.bool_]

    @property
    def mixes(self) -> tuple[float, ...]:
        """Parts of the sentence embedding in the wording that are tried."""
        return (0.0,) if self.sentence is None else SENTENCE

    @property
    def nearest(self) -> Floats:
        """By which a foreign question is known."""
        return self.words if self.sentence is None else self.sentence

    def score(self, wording: float, sentence: float) -> Floats:
        """The score without the latent, (m, n); `OWN` where the row is the question itself."""
        scores = (1 - wording) * self.structure
        by_sentence = 0 if self.sentence is None else sentence * self.sentence
        scores += wording * (by_sentence + (1 - sentence) * self.words)
        scores[self.same] = OWN
        return scores

    def quality(self, chosen: Rows) -> Doubles:
        """Of the rows chosen (m, k): three parts mean similarity of the rationale, one part the best one's, (m,)."""
        found = np.take_along_axis(self.truth, chosen, 1)
        return np.asarray((3 * found.mean(1) + found.max(1)) / 4, np.float64)

    def mean(self, chosen: Rows) -> Doubles:
        """Mean similarity of the rationale to those of the rows chosen (m, k), (m,)."""
        return np.asarray(np.take_along_axis(self.truth, chosen, 1).mean(1), np.float64)


@dataclass(frozen=True)
class Shares:
    """Shares of the score, which sum to 1."""

    structure: float
    latent: float
    sentence: float
    words: float

    @classmethod
    def of(cls, wording: float, sentence: float, rows: int, latent: bool, encoder: bool = True) -> Shares:
        """From the share of the wording, and the sentence embedding's part of it.

        encoder: whether there is a sentence embedding; otherwise the words keep the trace by which a foreign question
            is known.
        """
        part = LATENT * rows / (rows + LATENT_ROWS) if latent else 0.0
        known = max(TRACE, wording * sentence) if encoder else 0.0
        words = min(wording * (1 - sentence), 1 - known) if encoder else max(TRACE, wording)
        skill = 1 - known - words
        return cls(skill * (1 - part), skill * part, known, words)

    @property
    def numbers(self) -> tuple[float, float, float, float]:
        """In the order of the blocks of a row."""
        return self.structure, self.latent, self.sentence, self.words


def best(scores: Floats, k: int = K) -> Rows:
    """Rows of the k highest scores of each question, (m, min(k, n)), in no order."""
    k = min(k, scores.shape[1])
    return np.argpartition(-scores, k - 1, axis=1)[:, :k]


def qualities_of(found: Similarities) -> Qualities:
    """Quality of each question (m,) at each mix of the wording and each share of it."""
    return {
        sentence: {wording: found.quality(best(found.score(wording, sentence))) for wording in WORDING}
        for sentence in found.mixes
    }


def choose(found: Qualities, judged: npt.NDArray[np.bool_] | slice = slice(None)) -> tuple[float, float]:
    """Share of the wording, and the sentence embedding's part of it, with the best cross-fitted quality.

    Where that is within a standard error of the quality with more wording, up to `SAFE`, the wording counts more: it
    makes the chosen rows differ.
    Another mix than the sentence embedding alone must be better by two standard errors: it is the more general text
    feature, and words win only where the encoder does not know the language or the bank is of one form.

    Args:
        judged: the questions that choose.
    """
    tried: dict[float, tuple[float, Doubles]] = {}
    for sentence, of_mix in found.items():
        qualities = {wording: quality[judged] for wording, quality in of_mix.items()}
        highest = max(WORDING, key=lambda share: float(qualities[share].mean()))
        wording = max(share for share in WORDING if share == highest or _undecided(qualities, share, highest))
        tried[sentence] = wording, qualities[wording]
    first, *_ = tried
    mix = max(tried, key=lambda sentence: float(tried[sentence][1].mean()))
    mix = mix if certain(tried[mix][1] - tried[first][1]) else first
    return tried[mix][0], mix


def certain(gain: Doubles) -> bool:
    """Whether a mean gain (m,) is above 0 by `CERTAIN` standard errors."""
    error = float(gain.std()) / max(1, len(gain)) ** 0.5
    return bool(gain.mean() > CERTAIN * error)


def _undecided(qualities: Mapping[float, Doubles], share: float, highest: float) -> bool:
    """Whether a share of wording, at most `SAFE`, is as good as the highest one within a standard error."""
    loss = qualities[highest] - qualities[share]
    return share <= SAFE and float(loss.mean()) <= float(loss.std()) / max(1, len(loss)) ** 0.5


def doubt(target: Floats, predicted: Floats) -> float:
    """Variance of the residual (n, t) in the directions that have most of it: tr(C C) / tr(C).

    For unit targets and a Gaussian residual of this variance the posterior of the true rationale over the bank is the
    softmax of the predicted similarity divided by it.
    """
    residual = (target - predicted).astype(np.float64)
    covariance = residual.T @ residual / max(1, len(residual))
    total = float(np.trace(covariance))
    return float(np.clip(np.square(covariance).sum() / total if total else DOUBT[1], *DOUBT))
