"""The result of training: views, query policies, bank posteriors and bank vectors. Saved without pickle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from skillshot.common.arrays import Floats
from skillshot.common.io import atomic_write, read_json, write_json
from skillshot.features.lexical import LexicalView
from skillshot.model.combined import LitePolicy, SkillPolicy, SkillPosterior, Skillshot
from skillshot.model.nets import PolicyHead, PosteriorHead, SkillCVAE, Standardise
from skillshot.model.ridge import Ridge, RidgeBank


@dataclass(frozen=True)
class Fitted:
    """A trained model. The score of a query against a bank item is the dot product of unit rows.

    policies: query side, raw inputs to unit rows: lars, ridge (sentence_embedding), skillshot
        (sentence_embedding, lexical), lite (lexical).
    posteriors: bank side: lars, ridge, skillshot; ridge reads only the rationale's embedding.
    vectors: name -> float32 (n_bank, dim); lite is compared with the vectors of skillshot.
    """

    question_view: LexicalView
    rationale_view: LexicalView
    lars: SkillCVAE
    skillshot: Skillshot
    ridge: Ridge
    ridge_bank: RidgeBank
    vectors: dict[str, Floats]
    history: list[dict[str, Any]]
    diagnostics: dict[str, float]

    @property
    def policies(self) -> dict[str, nn.Module]:
        """Query side by selector."""
        return {
            "lars": PolicyHead(self.lars.question, self.lars.policy).eval(),
            "skillshot": SkillPolicy(self.skillshot).eval(),
            "lite": LitePolicy(self.skillshot).eval(),
            "ridge": self.ridge.eval(),
        }

    @property
    def posteriors(self) -> dict[str, nn.Module]:
        """Bank side by selector; skillshot reads the question, its lexical row and the rationale's lexical row."""
        return {
            "lars": PosteriorHead(self.lars.question, self.lars.rationale, self.lars.posterior).eval(),
            "skillshot": SkillPosterior(self.skillshot).eval(),
            "ridge": self.ridge_bank.eval(),
        }

    def save(self, folder: str | PathLike[str]) -> None:
        """Write views, one safetensors file per network, bank vectors and fitted.json into `folder`."""
        folder = Path(folder)
        self.question_view.save(folder / "question_view")
        self.rationale_view.save(folder / "rationale_view")
        for name, module in self._modules().items():
            save_file({k: v.contiguous().cpu() for k, v in module.state_dict().items()}, folder / f"{name}.safetensors")
        for name, rows in self.vectors.items():
            with atomic_write(folder / f"vectors_{name}.npy", "wb") as handle:
                np.save(handle, rows, allow_pickle=False)
        shapes = {name: _shape(module) for name, module in self._modules().items()}
        about = {"shapes": shapes, "vectors": sorted(self.vectors)}
        write_json(folder / "fitted.json", about | {"history": self.history, "diagnostics": self.diagnostics})

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Fitted:
        """Read what `save` wrote."""
        folder = Path(folder)
        about = read_json(folder / "fitted.json")
        modules: dict[str, Any] = {}
        for name, shape in about["shapes"].items():
            modules[name] = _build(shape).eval()
            modules[name].load_state_dict(load_file(folder / f"{name}.safetensors"))
        return cls(
            LexicalView.load(folder / "question_view"),
            LexicalView.load(folder / "rationale_view"),
            vectors={n: np.load(folder / f"vectors_{n}.npy", allow_pickle=False) for n in about["vectors"]},
            history=about["history"],
            diagnostics=about["diagnostics"],
            **modules,
        )

    def _modules(self) -> dict[str, nn.Module]:
        return {n: getattr(self, n) for n in ("lars", "skillshot", "ridge", "ridge_bank")}


@torch.no_grad()
def run(module: nn.Module, *inputs: Floats) -> Floats:
    """Apply a module to arrays, on the module's device: float32 (n, dim)."""
    device = next(iter(module.state_dict().values())).device
    out: Tensor = module(*(torch.from_numpy(np.ascontiguousarray(x, np.float32)).to(device) for x in inputs))
    return out.cpu().numpy()


def _shape(module: nn.Module) -> dict[str, Any]:
    if isinstance(module, Skillshot):
        embedding, target = module.structure.weight.shape
        return {"kind": "skillshot", "embedding": embedding, "target": target, "cvae": _shape(module.cvae)}
    if isinstance(module, SkillCVAE):
        sizes: Mapping[str, Any] = module.sizes
        return {"kind": "cvae", "question": module.question.widths, "rationale": module.rationale.widths, **sizes}
    if isinstance(module, Ridge):
        return {"kind": "ridge", "width": module.weight.shape[0], "target": module.weight.shape[1]}
    return {"kind": "ridge_bank", "width": module.state_dict()["centre"].shape[0]}


def _build(shape: dict[str, Any]) -> nn.Module:
    kind, sizes = shape["kind"], {k: v for k, v in shape.items() if k != "kind"}
    if kind == "skillshot":
        return Skillshot(_cvae(sizes["cvae"]), sizes["embedding"], sizes["target"])
    if kind == "cvae":
        return _cvae(shape)
    return Ridge(**sizes) if kind == "ridge" else RidgeBank(**sizes)


def _cvae(shape: dict[str, Any]) -> SkillCVAE:
    sizes = {k: v for k, v in shape.items() if k not in ("kind", "question", "rationale")}
    return SkillCVAE(Standardise(shape["question"]), Standardise(shape["rationale"]), **sizes)
