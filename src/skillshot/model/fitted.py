"""The result of training: views, query policies, bank posteriors and bank vectors. Saved without pickle."""

from __future__ import annotations

from dataclasses import astuple, dataclass
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
from skillshot.features.rationale import RationaleView
from skillshot.model.arrays import Widths
from skillshot.model.combined import LitePolicy, SkillPolicy, SkillPosterior, Skillshot
from skillshot.model.nets import PolicyHead, PosteriorHead, SkillCVAE, Standardise
from skillshot.model.ridge import Ridge, RidgeBank

MODULES = ("skillshot", "lars", "ridge", "ridge_bank")
FACTS = ("history", "diagnostics", "score", "verdict", "suspicious")


@dataclass(frozen=True)
class Fitted:
    """A trained model. The score of a query against a bank item is the dot product of their rows.

    policies: query side, raw inputs to rows: lars, ridge (sentence_embedding), skillshot (sentence_embedding, lexical),
        lite (lexical). The baselines lars and ridge are there only if they were fitted.
    posteriors: bank side, unit rows: lars, ridge, skillshot; ridge reads only the rationale's embedding.
    vectors: name -> float32 (n_bank, dim); lite is compared with the vectors of skillshot.
    score: widths of a row's blocks, and for each mode shares, doubt and calibration, as the manifest holds them.
    verdict: what the bank says of its own selector (`skillshot.training.verdict`).
    suspicious: rows held for wrong, as `skillshot.training.suspects` describes them, worst first.
    """

    question_view: LexicalView
    rationale_view: RationaleView
    skillshot: Skillshot
    lars: SkillCVAE | None
    ridge: Ridge | None
    ridge_bank: RidgeBank | None
    vectors: dict[str, Floats]
    history: list[dict[str, Any]]
    diagnostics: dict[str, float]
    score: dict[str, Any]
    verdict: dict[str, Any]
    suspicious: list[dict[str, Any]]

    @property
    def policies(self) -> dict[str, nn.Module]:
        """Query side by selector."""
        found: dict[str, nn.Module] = {
            "skillshot": SkillPolicy(self.skillshot).eval(),
            "lite": LitePolicy(self.skillshot).eval(),
        }
        if self.lars is not None:
            found["lars"] = PolicyHead(self.lars.question, self.lars.policy).eval()
        if self.ridge is not None:
            found["ridge"] = self.ridge.eval()
        return found

    @property
    def posteriors(self) -> dict[str, nn.Module]:
        """Bank side by selector; skillshot reads the question, its lexical row and the rationale's lexical row."""
        found: dict[str, nn.Module] = {"skillshot": SkillPosterior(self.skillshot).eval()}
        if self.lars is not None:
            found["lars"] = PosteriorHead(self.lars.question, self.lars.rationale, self.lars.posterior).eval()
        if self.ridge_bank is not None:
            found["ridge"] = self.ridge_bank.eval()
        return found

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
        facts = {name: getattr(self, name) for name in FACTS}
        write_json(folder / "fitted.json", about | facts)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Fitted:
        """Read what `save` wrote."""
        folder = Path(folder)
        about = read_json(folder / "fitted.json")
        modules: dict[str, Any] = dict.fromkeys(MODULES)
        for name, shape in about["shapes"].items():
            modules[name] = _build(shape).eval()
            modules[name].load_state_dict(load_file(folder / f"{name}.safetensors"))
        return cls(
            LexicalView.load(folder / "question_view"),
            RationaleView.load(folder / "rationale_view"),
            vectors={n: np.load(folder / f"vectors_{n}.npy", allow_pickle=False) for n in about["vectors"]},
            **{name: about[name] for name in FACTS},
            **modules,
        )

    def _modules(self) -> dict[str, nn.Module]:
        return {name: module for name in MODULES if (module := getattr(self, name)) is not None}


@torch.no_grad()
def run(module: nn.Module, *inputs: Floats) -> Floats:
    """Apply a module to arrays, on the module's device: float32 (n, dim)."""
    device = next(iter(module.state_dict().values())).device
    out: Tensor = module(*(torch.from_numpy(np.ascontiguousarray(x, np.float32)).to(device) for x in inputs))
    return out.cpu().numpy()


def _shape(module: nn.Module) -> dict[str, Any]:
    if isinstance(module, Skillshot):
        landmarks, embedding = module.structure.landmarks.shape
        sizes = {"embedding": embedding, "landmarks": landmarks, "widths": astuple(module.widths)}
        return {"kind": "skillshot", **sizes, "cvae": _shape(module.cvae)}
    if isinstance(module, SkillCVAE):
        widths = {"question": module.question.widths, "rationale": module.rationale.widths}
        return {"kind": "cvae", **widths, **module.sizes}
    if isinstance(module, Ridge):
        return {"kind": "ridge", "width": module.weight.shape[0], "target": module.weight.shape[1]}
    return {"kind": "ridge_bank", "width": module.state_dict()["centre"].shape[0]}


def _build(shape: dict[str, Any]) -> nn.Module:
    kind, about = shape["kind"], {k: v for k, v in shape.items() if k != "kind"}
    if kind == "skillshot":
        return Skillshot(_cvae(about["cvae"]), about["embedding"], about["landmarks"], Widths(*about["widths"]))
    if kind == "cvae":
        return _cvae(shape)
    return Ridge(**about) if kind == "ridge" else RidgeBank(**about)


def _cvae(shape: dict[str, Any]) -> SkillCVAE:
    about = {k: v for k, v in shape.items() if k not in ("kind", "question", "rationale")}
    return SkillCVAE(Standardise(shape["question"]), Standardise(shape["rationale"]), **about)
