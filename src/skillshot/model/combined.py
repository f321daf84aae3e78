"""`skillshot` at work: the closed-form structure head and the CVAE's latent, side by side in one unit row.

row = [share * unit(structure), sqrt(1 - share^2) * unit(z)], so one dot product weighs both cosines.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from skillshot.model.nets import SkillCVAE


class Structure(nn.Module):
    """What a question foretells of its rationale's structure: the words' part plus the embedding's."""

    offset: Tensor
    weight: Tensor

    def __init__(self, width: int, target: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(width, target))
        self.register_buffer("offset", torch.zeros(target))

    def forward(self, embedding: Tensor, lexical: Tensor) -> Tensor:
        """Embedding (n, d) and already projected words (n, t) to predictions (n, t)."""
        return embedding @ self.weight + lexical + self.offset


class Skillshot(nn.Module):
    """All parts of the trained model.

    lexical (n, 2 t) holds what the words alone foretell of the structure: t columns to go with the sentence
    embedding, t columns to stand alone. The policy reads the prediction, whichever way it was made, so `lite` needs
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
        return self._ask(self.structure(embedding, lexical[:, : self.target]))

    def lite(self, lexical: Tensor) -> Tensor:
        """Query by words alone: lexical (n, 2 t) to unit rows."""
        return self._ask(lexical[:, self.target :] + self.lite_offset)

    def posterior(self, embedding: Tensor, lexical: Tensor, skeleton: Tensor) -> Tensor:
        """Bank item: question (n, d), (n, 2 t) and its rationale's structure (n, t) to unit rows."""
        foretold = self.structure(embedding, lexical[:, : self.target])
        seen = self.weigh(skeleton)
        joined = torch.cat([self.cvae.question(foretold), self.cvae.rationale(seen)], 1)
        return self.join(seen, self.cvae.posterior(joined)[0])

    def weigh(self, skeleton: Tensor) -> Tensor:
        """Structure (n, t) of rationales, centred, of length 1, each part weighted by how well it is foretold."""
        weighted: Tensor = functional.normalize(skeleton - self.target_centre, dim=1) * self.target_weight
        return weighted

    def _ask(self, foretold: Tensor) -> Tensor:
        return self.join(foretold, self.cvae.policy(self.cvae.question(foretold))[0])


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

    def forward(self, question_embedding: Tensor, question_lexical: Tensor, rationale_lexical: Tensor) -> Tensor:
        return self.model.posterior(question_embedding, question_lexical, rationale_lexical)
