"""The `skillshot` model: four views of a question, each as one block of a row, and their shares of the score.

A bank row is four unit blocks: the structure of its rationale, its latent, its sentence embedding, its words. A query
row weighs each block by its share, so that one dot product is the weighted sum of four similarities. The query's
structure and latent are as long as the prediction is certain (at most 1): where the bank teaches nothing about a
question, they are short, and the wording decides. Its sentence is short where the question is foreign to the bank.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from skillshot.common.arrays import Floats
from skillshot.model.arrays import SHARP, LatentNet, Lite, Widths
from skillshot.model.nets import LEAK, SkillCVAE


class Structure(nn.Module):
    """Predicts the structure of a question's rationale: the part from the words plus the part from the embedding.

    The latter is a kernel machine: a Gaussian of the distance to each of m landmarks, questions of the bank. Wording
    says the same in many ways, and a linear map of the embedding follows only one of them.
    """

    offset: Tensor
    weight: Tensor
    landmarks: Tensor

    def __init__(self, embedding: int, landmarks: int, target: int) -> None:
        super().__init__()
        self.register_buffer("landmarks", torch.zeros(landmarks, embedding))
        self.register_buffer("weight", torch.zeros(landmarks, target))
        self.register_buffer("offset", torch.zeros(target))

    def forward(self, embedding: Tensor, lexical: Tensor) -> Tensor:
        """Embedding (n, d) and projected words (n, t) to predictions (n, t)."""
        near = torch.exp(2 * SHARP * (embedding @ self.landmarks.T - 1))
        return near @ self.weight + lexical + self.offset


class Skillshot(nn.Module):
    """All parts of the trained model.

    lexical (n, 2 t + w + e) is what the words of a question say, in four parts: their share of the predicted structure
    (t columns, to which that of the sentence embedding is added), their principal coordinates (w), the structure
    predicted from words alone (t), and the sentence embedding predicted from words alone (e). `lite` reads the last
    three and needs no network of its own.
    """

    target_centre: Tensor
    target_weight: Tensor
    step_share: Tensor
    sentence_centre: Tensor
    sentence_directions: Tensor
    words_offset: Tensor
    lite_offset: Tensor
    lite_sentence_offset: Tensor
    full_shares: Tensor
    lite_shares: Tensor

    def __init__(self, cvae: SkillCVAE, embedding: int, landmarks: int, widths: Widths) -> None:
        super().__init__()
        self.cvae, self.widths = cvae, widths
        self.structure = Structure(embedding, landmarks, widths.structure)
        for name, value in {
            "target_centre": torch.zeros(widths.structure),
            "target_weight": torch.ones(widths.structure),
            "step_share": torch.zeros(1),
            "sentence_centre": torch.zeros(embedding),
            "sentence_directions": torch.zeros(embedding, widths.sentence),
            "words_offset": torch.zeros(widths.words),
            "lite_offset": torch.zeros(widths.structure),
            "lite_sentence_offset": torch.zeros(widths.sentence),
            "full_shares": torch.full((4,), 0.25),
            "lite_shares": torch.full((4,), 0.25),
        }.items():
            self.register_buffer(name, value)

    def policy(self, embedding: Tensor, lexical: Tensor) -> Tensor:
        """Query: sentence embedding (n, d) and lexical to rows."""
        t, w = self.widths.structure, self.widths.words
        # as long as the part of the sentence that the bank's directions hold: short for a question from elsewhere
        length = (embedding - self.sentence_centre).norm(dim=1, keepdim=True).clamp_min(1e-9)
        sentence, words = self._sentence(embedding) / length, self._words(lexical[:, t : t + w])
        return self._query(self.structure(embedding, lexical[:, :t]), sentence, words, self.full_shares)

    def lite(self, lexical: Tensor) -> Tensor:
        """Query by words alone: lexical to rows."""
        t, w = self.widths.structure, self.widths.words
        structure = lexical[:, t + w : 2 * t + w] + self.lite_offset
        sentence = shortened(lexical[:, 2 * t + w :] + self.lite_sentence_offset)
        return self._query(structure, sentence, self._words(lexical[:, t : t + w]), self.lite_shares)

    @property
    def lite_arrays(self) -> Lite:
        """What `lite` computes, for the export."""
        structure, held, sentence, words = self.lite_shares.tolist()
        latent, net = None, self.cvae.policy
        if held > 0:
            linear = [*(layer for layer in net.body if isinstance(layer, nn.Linear)), net.mean]
            layers = [(_array(layer.weight.T), _array(layer.bias)) for layer in linear]
            latent = LatentNet(_array(self.cvae.question.centre), _array(self.cvae.question.scale), layers, LEAK)
        return Lite(
            self.widths,
            self.widths.structure,
            _array(self.words_offset),
            _array(self.lite_offset),
            _array(self.lite_sentence_offset),
            (structure, held, sentence, words),
            latent,
        )

    def posterior(self, embedding: Tensor, lexical: Tensor, skeleton: Tensor) -> Tensor:
        """Bank item: question (n, d), its lexical row, and its rationale's structure (n, t) to unit rows."""
        t, w = self.widths.structure, self.widths.words
        predicted = self.structure(embedding, lexical[:, :t])
        target = self._target(skeleton - self.target_centre)
        joined = torch.cat([self.cvae.question(predicted), self.cvae.rationale(target * self.target_weight)], 1)
        latent = functional.normalize(self.cvae.posterior(joined)[0], dim=1)
        sentence = functional.normalize(self._sentence(embedding), dim=1)
        row = torch.cat([target, latent, sentence, self._words(lexical[:, t : t + w])], 1) / 2
        # a block may be empty (no known word, nothing predicted); the last coordinate takes what is missing to 1
        return torch.cat([row, (1 - row.square().sum(1, keepdim=True)).clamp_min(0).sqrt()], 1)

    def _target(self, centred: Tensor) -> Tensor:
        """Skeleton and steps, each of length 1, weighted so that both together have length 1 too."""
        u = self.widths.steps
        if not u:
            return functional.normalize(centred, dim=1)
        skeleton = functional.normalize(centred[:, :-u], dim=1) * (1 - self.step_share).sqrt()
        return torch.cat([skeleton, functional.normalize(centred[:, -u:], dim=1) * self.step_share.sqrt()], 1)

    def _query(self, structure: Tensor, sentence: Tensor, words: Tensor, shares: Tensor) -> Tensor:
        certain = shortened(structure)
        latent = functional.normalize(self.cvae.policy(self.cvae.question(structure))[0], dim=1)
        latent = latent * certain.norm(dim=1, keepdim=True)
        blocks = [block * (2 * share) for block, share in zip((certain, latent, sentence, words), shares, strict=True)]
        return torch.cat([*blocks, torch.zeros_like(words[:, :1])], 1)

    def _sentence(self, embedding: Tensor) -> Tensor:
        return (embedding - self.sentence_centre) @ self.sentence_directions

    def _words(self, projected: Tensor) -> Tensor:
        return functional.normalize(projected + self.words_offset, dim=1)


def _array(values: Tensor) -> Floats:
    return values.detach().cpu().contiguous().numpy()


def shortened(rows: Tensor) -> Tensor:
    """Rows of length at most 1; shorter ones stay as they are."""
    short: Tensor = rows / rows.norm(dim=1, keepdim=True).clamp_min(1)
    return short


class SkillPolicy(nn.Module):
    """`Skillshot.policy` as a module, for export."""

    def __init__(self, model: Skillshot) -> None:
        super().__init__()
        self.model = model

    def forward(self, sentence_embedding: Tensor, lexical: Tensor) -> Tensor:
        return self.model.policy(sentence_embedding, lexical)


class LitePolicy(nn.Module):
    """`Skillshot.lite` as a module, for export."""

    def __init__(self, model: Skillshot) -> None:
        super().__init__()
        self.model = model

    def forward(self, lexical: Tensor) -> Tensor:
        return self.model.lite(lexical)


class SkillPosterior(nn.Module):
    """`Skillshot.posterior` as a module, for export."""

    def __init__(self, model: Skillshot) -> None:
        super().__init__()
        self.model = model

    def forward(self, question_embedding: Tensor, question_lexical: Tensor, rationale_lexical: Tensor) -> Tensor:
        return self.model.posterior(question_embedding, question_lexical, rationale_lexical)
