"""Rows of a bank as questions of their own: similarities to the other rows, by a prediction that did not see them.

A bundle's model has learned from every row of its bank, so it predicts them better than it predicts new questions.
Weights learned on such predictions would trust them too much. Here each row's structure is predicted by ridges that are
fitted again without its fold, with the penalties of the fit, which the manifest holds. The latent has no such
prediction: it follows the structure, as in the fit (`skillshot.training.blend`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from skillshot.bundle.tuned import constant
from skillshot.common.arrays import Doubles, Floats, Mask, Rows
from skillshot.common.errors import BundleError, InputError
from skillshot.common.record import Record, normalise_question
from skillshot.features.lexical import LexicalView
from skillshot.runtime.hedge import CANDIDATES, chosen_rows
from skillshot.runtime.index import top_k
from skillshot.runtime.layout import MODEL, QUESTION_VIEW, refuse_slim, resolve_mode
from skillshot.runtime.manifest import read_manifest
from skillshot.runtime.scoring import Scoring
from skillshot.selectors.pool import NO_ENCODER, Pool
from skillshot.training.axes import landmarks_of, lengths, nearness, sparse_spread, spread
from skillshot.training.blend import Similarities
from skillshot.training.crossfit import JUDGED
from skillshot.training.structure_head import FOLDS, Ridges

WHOLE = 0.99  # length of a row's blocks from which a fit learned from it; a row held for wrong is shorter
PARTS = ("skill", "sentence", "words")  # what a weight is for; skill: structure and latent


@dataclass(frozen=True)
class BankQuestions:
    """m rows of a bank as questions, in the order in which a seed drew them.

    rows (m,): theirs. found: similarities to all n rows, in which "the same" are the row itself, rows with its text and
    rows of its group. vectors (n, z), target (n, t): rows of the bank, and their structure.
    """

    folder: Path
    manifest: dict[str, Any]
    mode: str
    records: Sequence[Record]
    rows: Rows
    found: Similarities
    vectors: Floats
    target: Floats

    @property
    def scoring(self) -> Scoring:
        """How the bundle scores in the mode that it serves."""
        return Scoring.of(self.manifest["score"], self.mode)

    @property
    def similarities(self) -> tuple[Floats, Floats, Floats]:
        """Of the questions to all rows by each of `PARTS`, (m, n)."""
        return self.found.structure, self.found.nearest, self.found.words

    @property
    def weights(self) -> Doubles:
        """Present weights of `PARTS`, (3,), which sum to 1."""
        structure, latent, sentence, words = self.scoring.shares
        return np.array([structure + latent, sentence, words])

    def shares(self, weights: Doubles) -> tuple[float, ...]:
        """Shares of the four blocks: structure and latent divide the skill as they do in the bundle."""
        structure, latent, _, _ = self.scoring.shares
        part = latent / (structure + latent) if latent else 0.0
        skill, sentence, words = np.round(weights / weights.sum(), 6).tolist()
        return round(skill * (1 - part), 6), round(skill * part, 6), sentence, words

    def choose(self, i: int, weights: Doubles, k: int) -> tuple[int, ...]:
        """Rows of the hedged set that the selector would choose for question i with these weights, best first."""
        skill, sentence, words = weights / weights.sum()
        by_skill, by_sentence, by_words = self.similarities
        scores = skill * by_skill[i] + sentence * by_sentence[i] + words * by_words[i]
        rows = top_k(scores, max(CANDIDATES, k + 1), ~self.found.same[i])
        scoring = replace(self.scoring, shares=self.shares(weights))
        chosen = chosen_rows(scores[rows], self.vectors, rows, scoring.weights, scoring.doubt, k)
        return tuple(chosen.tolist())

    def parts(self, i: int, chosen: Sequence[int]) -> Doubles:
        """Mean similarity of question i to the rows chosen, by each of `PARTS`, (3,)."""
        rows = list(chosen)
        return np.array([part[i, rows].mean() for part in self.similarities], np.float64)


def bank_questions(folder: Path, seed: int) -> BankQuestions:
    """At most `JUDGED` rows of a bundle's bank as questions, drawn with the seed: one of a text, and one of a group.

    Raises:
        BundleError: the bundle is damaged, or lacks the penalties of its fit.
        InputError: it was fitted without a text encoder, or is slim.
    """
    manifest = read_manifest(folder)
    refuse_slim(folder, manifest, "tuning")
    pool = Pool(folder, seed)
    if "full" not in manifest["score"]:  # one of the parts to weigh is missing
        raise InputError(f"{folder}: {NO_ENCODER}")
    mode = resolve_mode(manifest["select"]["mode"], manifest)
    scoring, records, vectors = pool.scoring(mode), pool.records, pool.vectors("skillshot")
    structure, _, sentence, words = (2 * vectors[:, block] for block in scoring.blocks)
    owner = _owners(records)
    learned = np.linalg.norm(sentence, axis=1) >= WHOLE
    first: dict[int, int] = {}
    for i in np.random.default_rng(seed).permutation(len(records)).tolist():
        if learned[i] and (records[i].rationale or records[i].answer):
            first.setdefault(int(owner[i]), i)
    rows = np.array(list(first.values())[:JUDGED], np.intp)
    heard, predicted = _predicted(folder, manifest, mode, pool, owner, learned)
    asks = _sentences(folder, pool, rows) if mode == "full" else heard[rows]
    certain = predicted[rows] / np.maximum(1, np.linalg.norm(predicted[rows], axis=1, keepdims=True))
    found = Similarities(
        certain @ structure.T, asks @ sentence.T, words[rows] @ words.T, structure[rows] @ structure.T,
        _same(records, rows, owner),
    )  # fmt: skip
    return BankQuestions(folder, manifest, mode, records, rows, found, vectors, structure)


def _owners(records: Sequence[Record]) -> Rows:
    """For each row the first of its group, or with its text where it has no group."""
    names: dict[tuple[bool, str], int] = {}
    keys = [(bool(record.group), record.group or normalise_question(record.question)) for record in records]
    return np.array([names.setdefault(key, i) for i, key in enumerate(keys)], np.intp)


def _same(records: Sequence[Record], rows: Rows, owner: Rows) -> Mask:
    keys: dict[str, int] = {}
    texts = np.array([keys.setdefault(normalise_question(record.question), len(keys)) for record in records])
    same: Mask = (owner[rows][:, None] == owner[None, :]) | (texts[rows][:, None] == texts[None, :])
    return same


def _embeddings(pool: Pool, rows: Rows) -> Floats:
    """Sentence embeddings of rows, unit (m, d)."""
    return pool.vectors("question")[rows] if pool.has("question") else pool.embed([pool.records[i].text for i in rows])


def _sentences(folder: Path, pool: Pool, rows: Rows) -> Floats:
    """The sentence of rows as the query network has it, (m, e): short where the question is foreign to the bank."""
    network = folder / MODEL / "skillshot.onnx"
    centred = _embeddings(pool, rows) - constant(network, "model.sentence_centre")
    return np.asarray(centred @ constant(network, "model.sentence_directions") / lengths(centred), np.float32)


def _predicted(
    folder: Path, manifest: dict[str, Any], mode: str, pool: Pool, owner: Rows, learned: Mask
) -> tuple[Floats, Floats]:
    """Sentence as words alone predict it (n, e), and structure (n, t), each row by a fit without its fold."""
    blocks = pool.scoring(mode).blocks
    vectors, metrics, records = pool.vectors("skillshot"), manifest["metrics"], pool.records
    target = 2 * vectors[:, blocks[0]]
    heard, predicted = 2 * vectors[:, blocks[2]], np.zeros_like(target)
    if not target.any():  # nothing was learned from this bank
        return heard, predicted
    missing = [name for name in ("ridge", "lite_ridge", "words_alone") if name not in metrics]
    if missing:
        raise BundleError(f"{folder}: its manifest has no metric {missing[0]!r}, with which it was fitted; fit again")
    part = np.flatnonzero(learned)
    texts = [records[i].text for i in part]
    found = LexicalView.load(folder / MODEL / QUESTION_VIEW).sparse(texts)
    question = _embeddings(pool, part)
    landmarks, whitening = landmarks_of(question, manifest["seed"])
    near = nearness(question, landmarks) @ whitening
    near -= near.mean(0)
    near *= np.float32(sparse_spread(found) / max(spread(near), 1e-9))
    ridges = Ridges(found, near, np.hstack([target, heard])[part], owner[part] % FOLDS)
    alone = ridges.cross_fitted(metrics["lite_ridge"], False)
    width = target.shape[1]
    heard[part] = alone[:, width:]
    predicted[part] = alone[:, :width]
    if mode == "full":
        apart = metrics["words_alone"]
        joint = ridges.cross_fitted(metrics["ridge"], True)[:, :width]
        predicted[part] = apart * alone[:, :width] + (1 - apart) * joint
    return heard, predicted
