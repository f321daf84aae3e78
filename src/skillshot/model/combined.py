"""The `skillshot` model: the closed-form structure head and the CVAE's latent, concatenated in one unit row.

row = [share * unit(structure), sqrt(1 - share^2) * unit(z)], so that one dot product is a weighted sum of both cosines.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from skillshot.model.nets import SkillCVAE


class Structure(nn.Module):
    """Predicts the structure of a question's rationale: the part from the words plus the part from the embedding."""

    offset: Tensor
    weight: Tensor

    def __init__(self, width: int, target: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(width, target))
        self.register_buffer("offset", torch.zeros(target))

    def forward(self, embedding: Tensor, lexical: Tensor) -> Tensor:
        """Embedding (n, d) and projected words (n, t) to predictions (n, t)."""
        return embedding @ self.weight + lexical + self.offset


class Skillshot(nn.Module):
    """All parts of the trained model.

    lexical (n, 2 t) is the structure predicted from the words: t columns that are added to the part of the sentence
    embedding, then t columns for the words alone. The policy reads the prediction of either kind, so that `lite` needs
    no network of its own.
    """

    share: Tensor
    target_centre: Tensor
    target_weight: Tensor
    lite_offset: Tensor

    def __init__(self, cvae: SkillCVAE, embedding: int, target: int) -> None:
        super().__init__()
        self.cvae = cvae
        self.structure = Structure(embedding, target)
        for name, value in {
            "share": torch.tensor(0.7071),
            "target_centre": torch.zeros(target),
            "target_weight": torch.ones(target),
            "lite_offset": torch.zeros(target),
        }.items():
            self.register_buffer(name, value)
        self.target = target

    def join(self, structure: Tensor, z: Tensor) -> Tensor:
        """Structure (n, t) and z (n, latent) to one unit row."""
        rest = (1 - self.share.square()).clamp_min(0).sqrt()
        heads = [self.share * functional.normalize(structure, dim=1), rest * functional.normalize(z, dim=1)]
        return functional.normalize(torch.cat(heads, 1), dim=1)

    def policy(self, embedding: Tensor, lexical: Tensor) -> Tensor:
        """Query: sentence embedding (n, d) and lexical (n, 2 t) to unit rows."""
        return self._query(self.structure(embedding, lexical[:, : self.target]))

    def lite(self, lexical: Tensor) -> Tensor:
        """Query by words alone: lexical (n, 2 t) to unit rows."""
        return self._query(lexical[:, self.target :] + self.lite_offset)

    def posterior(self, embedding: Tensor, lexical: Tensor, skeleton: Tensor) -> Tensor:
        """Bank item: question (n, d), (n, 2 t) and its rationale's structure (n, t) to unit rows."""
        predicted = self.structure(embedding, lexical[:, : self.target])
        weighted = self.weigh(skeleton)
        joined = torch.cat([self.cvae.question(predicted), self.cvae.rationale(weighted)], 1)
        return self.join(weighted, self.cvae.posterior(joined)[0])

    def weigh(self, skeleton: Tensor) -> Tensor:
        """Structure (n, t) of rationales, centred, scaled to length 1, each part weighted by its predictability."""
        weighted: Tensor = functional.normalize(skeleton - self.target_centre, dim=1) * self.target_weight
        return weighted

    def _query(self, predicted: Tensor) -> Tensor:
        return self.join(predicted, self.cvae.policy(self.cvae.question(predicted))[0])


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
