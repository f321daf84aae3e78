"""Export of a fitted model to ONNX, with a parity check against torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skillshot.common.arrays import Floats
from skillshot.common.errors import SkillshotError
from skillshot.common.params import Params
from skillshot.export.networks import agreement, export_networks
from skillshot.runtime.layout import QUESTION_VIEW, RATIONALE_VIEW

if TYPE_CHECKING:
    from skillshot.model.fitted import Fitted


def export_model(
    fitted: Fitted,
    texts: Sequence[str],
    embeddings: Floats,
    params: Params,
    folder: Path,
    difference: float,
) -> dict[str, Any]:
    """Write the networks as ONNX into `folder`, where the encoder's files are, and check parity on bank questions.

    Args:
        texts, embeddings: the bank's question texts and their embeddings (n, d).
        difference: largest difference of an embedding by the encoder's files from torch's, as measured when exported.

    Returns:
        the report of the stage: file sizes, differences, share of equal choices.

    Raises:
        SkillshotError: ONNX and torch differ by more than `export.max_difference`.
    """
    import torch

    from skillshot.runtime.onnx import Session, TextEncoder

    fitted.question_view.save(folder / QUESTION_VIEW)
    fitted.rationale_view.save(folder / RATIONALE_VIEW)
    dimension = embeddings.shape[1]
    widths = {
        "sentence_embedding": dimension,
        "question_embedding": dimension,
        "rationale_embedding": dimension,
        "lexical": fitted.question_view.width,
        "question_lexical": fitted.question_view.width,
        "rationale_lexical": fitted.rationale_view.width,
    }
    networks = dict(fitted.policies) | {f"{name}_posterior": net for name, net in fitted.posteriors.items()}
    export_networks(networks, widths, folder)

    rows = np.random.default_rng(params.seed).permutation(len(texts))[: params.export.parity_questions]
    sample = [texts[row] for row in rows]
    feeds = {"sentence_embedding": embeddings[rows], "lexical": fitted.question_view.transform(sample)}
    int8_feeds = feeds | {"sentence_embedding": TextEncoder(folder, precision="int8").encode(sample)}
    cosines = np.einsum("ij,ij->i", int8_feeds["sentence_embedding"], embeddings[rows])
    _check("encoder", difference, params.export.max_difference)
    report: dict[str, Any] = {
        "int8": {"mean_cosine": float(cosines.mean()), "worst_cosine": float(cosines.min())},
        "encoder": {"max_difference": difference},
        "bytes": {path.name: path.stat().st_size for path in sorted(folder.glob("*.onnx"))},
    }
    for name, network in fitted.policies.items():
        session = Session(folder / f"{name}.onnx")
        with torch.no_grad():
            theirs = network.eval()(*(torch.from_numpy(feeds[key]) for key in session.inputs)).numpy()
        bank = fitted.vectors["skillshot" if name == "lite" else name]
        report[name] = agreement(session.run(feeds), theirs, bank, params.select.k)
        _check(name, report[name]["max_difference"], params.export.max_difference)
        if name == "skillshot":
            report["int8"]["choices"] = agreement(session.run(int8_feeds), theirs, bank, params.select.k)
    return report


def _check(name: str, difference: float, most: float) -> None:
    if difference > most:
        raise SkillshotError(
            f"export: {name}.onnx differs from torch by {difference:.2e}, more than export.max_difference {most:.0e}\n"
            "check the versions of torch and onnxruntime, or raise export.max_difference"
        )
