"""Train a skill CVAE: AdamW, one-cycle learning rate, early stopping, checkpoints that resume to the same result."""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from skillshot.common.io import read_json, write_json
from skillshot.common.params import TrainParams
from skillshot.common.progress import progress as show_progress
from skillshot.model.nets import SkillCVAE

WARM = 0.25  # share of the steps in which the learning rate rises
CHECKPOINT_EVERY = 10  # epochs; a killed run loses at most this many
BASELINES = ("lars",)  # labels of models that are trained to compare with


def one_cycle(step: int, steps: int, peak: float) -> float:
    """Learning rate of a step: cosine up from peak/25, cosine down to peak/10,000 (Smith, 1708.07120)."""
    rise = max(1, int(WARM * steps))
    if step < rise:
        low, high, share = peak / 25, peak, step / rise
    else:
        low, high, share = peak / 1e4, peak, 1 - (step - rise) / max(1, steps - rise)
    return low + (high - low) * (1 - math.cos(math.pi * share)) / 2


def epoch_seed(seed: int, epoch: int) -> int:
    """Seed of one epoch, so that a resumed run draws the same numbers as an uninterrupted one."""
    return (seed * 1_000_003 + epoch) % (2**31)


def split(rows: int, holdout: float, seed: int) -> tuple[Tensor, Tensor]:
    """Row numbers held out for early stopping, and those for training."""
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(seed))
    held = min(max(1, round(holdout * rows)), rows - 1)
    return order[:held], order[held:]


@dataclass
class Progress:
    """State of training. Together with the tensors it is all that a checkpoint needs."""

    epoch: int = 0
    best: float = math.inf
    best_epoch: int = -1
    history: list[dict[str, float]] = field(default_factory=list)


def train(
    model: SkillCVAE,
    question: Tensor,
    rationale: Tensor,
    settings: TrainParams,
    seed: int,
    *,
    label: str = "cvae",
    work: Path | None = None,
    published_noise: bool = False,
    halt: threading.Event | None = None,
) -> Progress:
    """Fit `model` in place on standardised rows (n, dq) and (n, dr); it is left with its best held-out weights.

    Args:
        work: folder of the checkpoint; training resumes from a checkpoint of the same run.
        halt: when set, training raises KeyboardInterrupt at the end of the epoch.

    Returns:
        The progress, whose history has per epoch: loss, reconstruction, kl, their held-out values, learning rate,
        gradient norm.
    """
    device = question.device
    watch, learn = (rows.to(device) for rows in split(len(question), settings.holdout, seed))
    batch = min(settings.batch_size, len(learn))
    per_epoch = math.ceil(len(learn) / batch)
    epochs = min(settings.epochs, math.ceil(settings.steps / per_epoch))
    optimiser = torch.optim.AdamW(
        model.parameters(), settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    store = Checkpoint(work / label, identity(question, rationale, settings, seed)) if work else None
    best = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    progress = Progress()
    if store and (restored := store.restore(model, optimiser)):
        progress, best = restored
    # its own generators, because another model may be training in another thread
    noise, order = torch.Generator(device), torch.Generator()
    model.draw_from(noise)
    precision = torch.autocast(device.type, torch.bfloat16, enabled=settings.precision == "bf16")
    title = f"train baseline {label}" if label in BASELINES else f"train {label}"
    with show_progress(title, epochs, "epoch", progress.epoch) as advance:
        while progress.epoch < epochs:
            if halt and halt.is_set():
                raise KeyboardInterrupt
            for generator in (noise, order):
                generator.manual_seed(epoch_seed(seed, progress.epoch))
            model.train()
            shuffled = learn[torch.randperm(len(learn), generator=order).to(device)]
            sums = torch.zeros(4, dtype=torch.float64)
            for i, rows in enumerate(torch.split(shuffled, batch)):
                rate = one_cycle(progress.epoch * per_epoch + i, epochs * per_epoch, settings.learning_rate)
                for group in optimiser.param_groups:
                    group["lr"] = rate
                with precision:
                    loss = model.loss(question[rows], rationale[rows], settings.beta, published_noise=published_noise)
                optimiser.zero_grad(set_to_none=True)
                loss.total.backward()  # type: ignore[no-untyped-call]
                norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 100.0)
                optimiser.step()
                parts = torch.stack([loss.total, loss.reconstruction, loss.kl, norm]).detach()
                sums += parts.cpu().double() * len(rows)
            model.eval()
            with torch.no_grad(), precision:
                unseen = model.loss(question[watch], rationale[watch], settings.beta, published_noise=published_noise)
            means = (sums / len(learn)).tolist()
            row = {
                "epoch": float(progress.epoch),
                **dict(zip(("loss", "reconstruction", "kl", "gradient_norm"), means, strict=True)),
                "held_out_loss": float(unseen.total),
                "held_out_reconstruction": float(unseen.reconstruction),
                "held_out_kl": float(unseen.kl),
                "learning_rate": rate,
            }
            progress.history.append(row)
            if row["held_out_loss"] < progress.best:
                progress.best, progress.best_epoch = row["held_out_loss"], progress.epoch
                best = {name: tensor.clone() for name, tensor in model.state_dict().items()}
            progress.epoch += 1
            advance(1, f"loss {row['loss']:.3g}, held out {row['held_out_loss']:.3g}, KL {row['kl']:.3g}")
            stop = progress.epoch - 1 - progress.best_epoch >= settings.patience
            if store and (stop or progress.epoch == epochs or progress.epoch % CHECKPOINT_EVERY == 0):
                store.save(model, optimiser, progress, best)
            if stop:
                break
    model.load_state_dict(best)
    model.draw_from(None)
    model.eval()
    return progress


def identity(question: Tensor, rationale: Tensor, settings: TrainParams, seed: int) -> dict[str, Any]:
    """Identity of a run: its rows, settings, seed and code. A checkpoint with another identity is not resumed."""
    inputs, code = hashlib.sha256(), hashlib.sha256()
    for rows in (question, rationale):
        inputs.update(rows.cpu().numpy().tobytes())
    for path in sorted(Path(__file__).parents[1].glob("*/*.py")):
        if path.parent.name in ("features", "model", "training"):
            code.update(path.read_bytes())
    return {"inputs": inputs.hexdigest(), "code": code.hexdigest(), "settings": repr(settings), "seed": seed}


class Checkpoint:
    """Weights, best weights, optimiser moments and history in two files that are replaced together."""

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        self.folder, self.identity = folder, identity

    def save(
        self, model: SkillCVAE, optimiser: torch.optim.Optimizer, progress: Progress, best: dict[str, Tensor]
    ) -> None:
        """Write a numbered tensor file, then the JSON that points to it, then delete the older one."""
        tensors = {f"now.{name}": tensor for name, tensor in model.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in best.items()}
        for i, state in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{i}.{name}": torch.as_tensor(value) for name, value in state.items()}
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"epoch-{progress.epoch}.safetensors"
        save_file({key: tensor.detach().cpu().clone() for key, tensor in tensors.items()}, self.folder / f".{name}")
        (self.folder / f".{name}").replace(self.folder / name)
        about = {"identity": self.identity, "tensors": name, "epoch": progress.epoch, "best_epoch": progress.best_epoch}
        write_json(self.folder / "checkpoint.json", about | {"best": progress.best, "history": progress.history})
        for old in self.folder.glob("epoch-*.safetensors"):
            if old.name != name:
                old.unlink()

    def restore(self, model: SkillCVAE, optimiser: torch.optim.Optimizer) -> tuple[Progress, dict[str, Tensor]] | None:
        """Bring model and optimiser to the saved epoch; None where no checkpoint of this run is saved."""
        about = read_json(path) if (path := self.folder / "checkpoint.json").exists() else {}
        if about.get("identity") != self.identity:
            return None
        tensors = load_file(self.folder / about["tensors"])
        parts: dict[str, dict[str, Tensor]] = {"now": {}, "best": {}, "optimiser": {}}
        for key, tensor in tensors.items():
            part, _, name = key.partition(".")
            parts[part][name] = tensor
        model.load_state_dict(parts["now"])
        state: dict[int, dict[str, Tensor]] = {}
        for key, tensor in parts["optimiser"].items():
            number, _, name = key.partition(".")
            state.setdefault(int(number), {})[name] = tensor
        optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
        return Progress(about["epoch"], about["best"], about["best_epoch"], about["history"]), parts["best"]


def to_device(arrays: Sequence[Any], device: str) -> list[Tensor]:
    """Arrays as float32 tensors on the device (`auto`: the GPU where there is one)."""
    name = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    return [torch.as_tensor(array, dtype=torch.float32, device=name) for array in arrays]
