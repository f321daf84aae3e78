"""The steps from checked records to a bundle, shared by the DVC stages and `skillshot fit`."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from skillshot.bank.record import Record
from skillshot.errors import SkillshotError
from skillshot.export.encoder import export_encoder
from skillshot.export.networks import agreement, export_networks
from skillshot.export.quantise import quantise
from skillshot.io import atomic_write
from skillshot.params import Params
from skillshot.runtime.layout import LARGE, MODEL, QUESTION_VIEW, RATIONALE_VIEW
from skillshot.runtime.manifest import write_manifest

if TYPE_CHECKING:
    from skillshot.model.fit import Fitted

Floats = npt.NDArray[np.float32]


def export_model(
    encoder: Any, fitted: Fitted, texts: Sequence[str], embeddings: Floats, params: Params, folder: Path
) -> dict[str, Any]:
    """Write encoder and networks as ONNX into `folder`, and prove parity on bank questions.

    Args:
        encoder: the sentence-transformers model that made `embeddings`.
        texts, embeddings: the bank's question texts and their torch embeddings (n, d).

    Returns:
        the report of the stage: files, sizes, differences, share of equal choices.

    Raises:
        SkillshotError: ONNX and torch differ by more than `export.max_difference`.
    """
    import torch

    from skillshot.runtime.onnx import Session, TextEncoder

    folder.mkdir(parents=True, exist_ok=True)
    facts = export_encoder(encoder, folder)
    order = np.random.default_rng(params.seed).permutation(len(texts))
    quantise(folder, [texts[row] for row in order[::-1]])  # from the end: the parity questions are the first
    fitted.question_view.save(folder / QUESTION_VIEW)
    fitted.rationale_view.save(folder / RATIONALE_VIEW)
    widths = {
        "sentence_embedding": facts["dimension"],
        "question_embedding": facts["dimension"],
        "rationale_embedding": facts["dimension"],
        "lexical": fitted.question_view.width,
        "question_lexical": fitted.question_view.width,
        "rationale_lexical": fitted.rationale_view.width,
    }
    networks = dict(fitted.policies) | {f"{name}_posterior": net for name, net in fitted.posteriors.items()}
    export_networks(networks, widths, folder)

    rows = order[: params.export.parity_questions]
    sample = [texts[row] for row in rows]
    onnx_feeds = {
        "sentence_embedding": TextEncoder(folder).encode(sample),
        "lexical": fitted.question_view.transform(sample),
    }
    torch_feeds = onnx_feeds | {"sentence_embedding": embeddings[rows]}
    int8_feeds = onnx_feeds | {"sentence_embedding": TextEncoder(folder, precision="int8").encode(sample)}
    cosines = np.einsum("ij,ij->i", int8_feeds["sentence_embedding"], embeddings[rows])
    report: dict[str, Any] = {
        "int8": {"mean_cosine": float(cosines.mean()), "worst_cosine": float(cosines.min())},
        "encoder": {"max_difference": float(np.abs(onnx_feeds["sentence_embedding"] - embeddings[rows]).max())},
        "bytes": {path.name: path.stat().st_size for path in sorted(folder.glob("*.onnx"))},
    }
    for name, network in fitted.policies.items():
        session = Session(folder / f"{name}.onnx")
        with torch.no_grad():
            theirs = network.eval()(*(torch.from_numpy(torch_feeds[key]) for key in session.inputs)).numpy()
        bank = fitted.vectors["skillshot" if name == "lite" else name]
        report[name] = agreement(session.run(onnx_feeds), theirs, bank, params.select.k)
        if report[name]["max_difference"] > params.export.max_difference:
            raise SkillshotError(
                f"export: {name}.onnx differs from torch by {report[name]['max_difference']:.2e}, "
                f"allowed export.max_difference {params.export.max_difference:.0e}"
            )
        if name == "skillshot":
            report["int8"]["choices"] = agreement(session.run(int8_feeds), theirs, bank, params.select.k)
    return report


def build_bundle(
    model: Path,
    vectors: Mapping[str, Floats],
    records: Sequence[Record],
    facts: Mapping[str, Any],
    params: Params,
    folder: Path,
) -> None:
    """Put exported model and bank together as a bundle folder; an old bundle there is replaced at the end.

    Args:
        vectors: bank vectors by selector ("skillshot", "lars", "ridge", "question", "rationale"), each (n, z).
        facts: what the manifest tells beside files: data digests, metrics, the mode `auto` stands for.
    """
    from skillshot.runtime import large
    from skillshot.runtime.card import write_card
    from skillshot.runtime.store import write_store

    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        shutil.copytree(model, work / MODEL)
        bank = work / "bank-1"
        bank.mkdir()
        write_store(bank, records)
        for name, values in vectors.items():
            with atomic_write(bank / f"{name}.npy", "wb") as handle:
                np.save(handle, np.ascontiguousarray(values, params.index.dtype), allow_pickle=False)
        if len(records) > params.index.exact_below:
            large.build(vectors["skillshot"], bank / LARGE)
        manifest = {"bank": bank.name, "index": {"exact_below": params.index.exact_below}, **facts}
        write_card(work, manifest)
        write_manifest(work, manifest)
        work.chmod(0o755)
        replace_folder(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def replace_folder(new: Path, old: Path) -> None:
    """Move a finished folder to its place; what was there is removed only after."""
    aside = Path(tempfile.mkdtemp(dir=old.parent, prefix=f".{old.name}.old."))
    try:
        if old.exists():
            os.replace(old, aside / "old")
        os.replace(new, old)
    except BaseException:
        if (aside / "old").exists() and not old.exists():
            os.replace(aside / "old", old)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def bundle_facts(records: Sequence[Record], params: Params, diagnostics: Mapping[str, Any]) -> dict[str, Any]:
    """What a bundle tells about itself, beside its files."""
    from skillshot import __version__
    from skillshot.runtime.store import bank_digest

    return {
        "skillshot": __version__,
        "select": {
            "mode": params.select.mode,
            "precision": params.select.precision,
            "near_tie": params.select.near_tie,
        },
        "data": {"records": len(records), "sha256": bank_digest(records)},
        "embed": {"model": params.embed.model},
        "seed": params.seed,
        "metrics": dict(diagnostics),
    }
