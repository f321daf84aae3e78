"""`skillshot` at work: the closed-form structure head and the CVAE's latent, side by side in one unit row.

row = [share * unit(structure), sqrt(1 - share^2) * unit(z)], so one dot product weighs both cosines.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from skillshot.model.nets import SkillCVAE


class Structure(nn.Module):
    """Predicted or read structure: (x - centre) of the right half of lexical, plus the embedding's part."""

    offset: Tensor
    weight: Tensor

    def __init__(self, width: int, target: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(width, target))
        self.register_buffer("offset", torch.zeros(target))

    def forward(self, embedding: Tensor, lexical: Tensor) -> Tensor:
        """Embedding (n, d) and already projected words (n, t) to unit rows (n, t)."""
        return functional.normalize(embedding @ self.weight + lexical + self.offset, dim=1)


class Skillshot(nn.Module):
    """All parts of the trained model.

    lexical (n, 2 t) holds what the words alone predict of the structure: t columns to go with the sentence
    embedding, t columns to stand alone.
    """

    share: Tensor
    target_centre: Tensor
    lite_offset: Tensor
    lite_weight: Tensor
    lite_bias: Tensor

    def __init__(self, cvae: SkillCVAE, embedding: int, target: int) -> None:
        super().__init__()
        self.cvae = cvae
        self.structure = Structure(embedding, target)
        latent = cvae.sizes["latent"]
        for name, value in {
            "share": torch.tensor(0.7071),
            "target_centre": torch.zeros(target),
            "lite_offset": torch.zeros(target),
            "lite_weight": torch.zeros(2 * target, int(latent)),
            "lite_bias": torch.zeros(int(latent)),
        }.items():
            self.register_buffer(name, value)
        self.target = target

    def join(self, structure: Tensor, z: Tensor) -> Tensor:
        """Unit structure (n, t) and raw z (n, latent) to one unit row."""
        rest = (1 - self.share.square()).clamp_min(0).sqrt()
        return functional.normalize(
            torch.cat([self.share * structure, rest * functional.normalize(z, dim=1)], 1), dim=1
        )

    def policy(self, embedding: Tensor, lexical: Tensor) -> Tensor:
        """Query: sentence embedding (n, d) and lexical (n, 2 t) to unit rows."""
        z = self.cvae.policy(self.cvae.question(embedding, lexical))[0]
        return self.join(self.structure(embedding, lexical[:, : self.target]), z)

    def lite(self, lexical: Tensor) -> Tensor:
        """Query by words alone: lexical (n, 2 t) to unit rows."""
        structure = functional.normalize(lexical[:, self.target :] + self.lite_offset, dim=1)
        return self.join(structure, lexical @ self.lite_weight + self.lite_bias)

    def posterior(self, embedding: Tensor, lexical: Tensor, rationale: Tensor, skeleton: Tensor) -> Tensor:
        """Bank item: question (n, d), (n, 2 t), rationale (n, d) and its structure (n, t) to unit rows."""
        joined = torch.cat([self.cvae.question(embedding, lexical), self.cvae.rationale(rationale, skeleton)], 1)
        structure = functional.normalize(skeleton - self.target_centre, dim=1)
        return self.join(structure, self.cvae.posterior(joined)[0])


class SkillPolicy(nn.Module):
    """`Skillshot.policy` as a module of its own, for export."""

    def __init__(self, model: Skillshot) -> None:
        super().__init__()
        self.model = model

    def forward(self, sentence_embedding: Tensor, lexical: Tensor) -> Tensor:
        return self.model.policy(sentence_embedding, lexical)


class LitePolicy(nn.Module):
    """`Skillshot.lite` as a module of its own, for export."""

    def __init__(self, model: Skillshot) -> None:
        super().__init__()
        self.model = model

    def forward(self, lexical: Tensor) -> Tensor:
        return self.model.lite(lexical)


class SkillPosterior(nn.Module):
    """`Skillshot.posterior` as a module of its own, for export."""

    def __init__(self, model: Skillshot) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        question_embedding: Tensor,
        question_lexical: Tensor,
        rationale_embedding: Tensor,
        rationale_lexical: Tensor,
    ) -> Tensor:
        return self.model.posterior(question_embedding, question_lexical, rationale_embedding, rationale_lexical)
