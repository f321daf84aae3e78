"""Both modes of a fitted selector judged on the bank itself: shares of the score, doubt, calibration, comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from skillshot.common.arrays import Doubles, Floats, Rows
from skillshot.common.record import normalise_question
from skillshot.features.bm25 import BM25
from skillshot.training.blend import Qualities, Shares, Similarities, best, certain, choose, doubt, qualities_of
from skillshot.training.confidence import Calibration, calibrate

JUDGED = 600  # questions of the bank that are judged, at most
# part of the structure that words alone predict; none where all features together are better with certainty. On the
# development slices of six banks a half is better than none on five (Spider +.02), and worse on SQL templates (-.05)
ALONE = 0.5


@dataclass(frozen=True)
class Judged:
    """What one mode, "full" or "lite", was found to be.

    quality: mean similarity of rationales of the four rows chosen for each judged question, (m,). The share of wording
        is chosen on the other half of the questions, so that no question helps to judge itself.
    """

    shares: Shares
    doubt: float
    calibration: Calibration
    quality: Doubles

    def to_dict(self) -> dict[str, Any]:
        """As the manifest holds it."""
        return {
            "shares": [round(share, 6) for share in self.shares.numbers],
            "doubt": round(self.doubt, 6),
            "confidence": asdict(self.calibration) | {"near": list(self.calibration.near)},
        }


@dataclass(frozen=True)
class Crossfit:
    """Judgement of each mode, and of question similarity and BM25 on the same questions, (m,) each.

    modes: "full" and "lite"; lite alone where there is no text encoder.
    """

    modes: Mapping[str, Judged]
    question: Doubles
    bm25: Doubles

    @property
    def mode(self) -> str:
        """The mode that the verdict is about: full where there is one."""
        return next(iter(self.modes))

    @property
    def main(self) -> Judged:
        """Judgement of that mode."""
        return self.modes[self.mode]

    @property
    def trust(self) -> float:
        """Share of the score that is skill, not wording."""
        shares = self.main.shares
        return shares.structure + shares.latent

    @property
    def lite_share(self) -> float:
        """Share of full's quality that lite keeps, at most 1; 0 where full has none."""
        full, lite = float(self.main.quality.mean()), float(self.modes["lite"].quality.mean())
        return min(1.0, max(0.0, lite / full)) if full > 0 else 0.0

    def diagnostics(self) -> dict[str, float]:
        """Numbers for the report."""
        return {
            "agreement": float(self.main.quality.mean()),
            "agreement_question": float(self.question.mean()),
            "agreement_bm25": float(self.bm25.mean()),
            "agreement_lite": float(self.modes["lite"].quality.mean()),
            "lite_share": self.lite_share,
            "trust": self.trust,
            "doubt": self.main.doubt,
        }


def judge_modes(
    texts: Sequence[str],
    target: Floats,
    sentence: Floats | None,
    plain: Any,
    words: Floats,
    seen: Mapping[str, tuple[Floats, Floats]],
    *,
    latent: bool,
    learned: bool,
    seed: int,
    wording: float | None = None,
) -> Crossfit:
    """Judge the modes on at most `JUDGED` questions.

    Args:
        texts: n questions. target (n, t), sentence (n, e), words (n, w): blocks of the bank's rows; no sentence without
            a text encoder.
        plain: (n, d) unit rows, dense or sparse, whose products are plain similarity of questions.
        seen: for each mode the cross-fitted structure (n, t) and the sentence (n, e) on the question's side.
        latent: whether there is one. learned: whether structure was predicted; otherwise the wording is all.
        wording: its share where the bank cannot show one; None: chosen on the bank.
    """
    given = wording if learned else 1.0
    rows, same = judged(texts, seed)
    truth, by_words = target[rows] @ target.T, words[rows] @ words.T
    modes = {}
    for mode, (structure, asked) in seen.items():
        # as a query is, see `Skillshot.policy`
        certain = structure[rows] / np.maximum(1, np.linalg.norm(structure[rows], axis=1, keepdims=True))
        by_sentence = None if sentence is None else asked[rows] @ sentence.T
        found = Similarities(certain @ target.T, by_sentence, by_words, truth, same)
        tried = qualities_of(found) if given is None else {}
        wording, part = choose(tried) if given is None else (given, found.mixes[0])
        spread = doubt(target, structure)
        modes[mode] = Judged(
            Shares.of(wording, part, len(texts), latent, sentence is not None),
            spread,
            calibrate(found, target, wording, part, spread),
            _honest(found, tried) if given is None else found.mean(best(found.score(wording, part))),
        )
    similar = plain[rows] @ plain.T
    rivals = Similarities(
        truth, similar if isinstance(similar, np.ndarray) else similar.toarray(), by_words, truth, same
    )
    keywords = BM25(texts).scores([texts[row] for row in rows])
    keywords[same] = -1
    return Crossfit(modes, rivals.mean(best(rivals.score(1.0, 1.0))), rivals.mean(best(keywords)))


def words_alone(texts: Sequence[str], target: Floats, joint: Floats, alone: Floats, seed: int) -> float:
    """The part of the structure that is predicted by words alone, `ALONE` or 0.

    Args:
        target (n, t): structure. joint (n, t), alone (n, t): its cross-fitted prediction by all features, and by words.
    """
    rows, same = judged(texts, seed)
    truth, nothing = target[rows] @ target.T, np.zeros((len(rows), len(texts)), np.float32)

    def quality(part: float) -> Doubles:
        scores = ((1 - part) * joint[rows] + part * alone[rows]) @ target.T
        found = Similarities(scores, nothing, nothing, truth, same)
        return found.quality(best(found.score(0.0, 1.0)))

    return 0.0 if certain(quality(0.0) - quality(ALONE)) else ALONE


def judged(texts: Sequence[str], seed: int) -> tuple[Rows, npt.NDArray[np.bool_]]:
    """Rows (m,) whose questions are judged, and whether each has the text of each row of the bank, (m, n)."""
    rows = np.sort(np.random.default_rng(seed).permutation(len(texts))[:JUDGED])
    number = {text: i for i, text in enumerate(dict.fromkeys(map(normalise_question, texts)))}
    key = np.array([number[normalise_question(text)] for text in texts])
    return rows, key[rows][:, None] == key[None, :]


def _honest(found: Similarities, tried: Qualities) -> Doubles:
    """Quality of each question, with the wording's share chosen on the other half of the questions."""
    first = np.arange(len(found.same)) % 2 == 0
    out = np.zeros(len(first))
    for half in (first, ~first):
        if half.any() and (~half).any():
            out[half] = found.mean(best(found.score(*choose(tried, ~half))))[half]
    return out
