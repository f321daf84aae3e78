"""Stage embed: the bank -> frozen sentence embeddings, by the exported encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from skillshot.common.io import atomic_write, write_json
from skillshot.common.params import load_params
from skillshot.common.parts import engine
from skillshot.common.record import read_records
from skillshot.common.structure import structure_of
from skillshot.encoder import embed_texts, fastest
from skillshot.runtime.onnx import TextEncoder
from skillshot.stages._runner import stage_main


@stage_main
def main() -> None:
    """Read the bank in data/validate and models/encoder, write data/embed and reports/embed.json."""
    settings = load_params()
    params = settings.embed
    encoder = fastest(params.model, lambda threads: TextEncoder("models/encoder", threads))
    report: dict[str, object] = {"model": params.model}
    records = list(read_records("data/validate/bank.jsonl"))
    # the latter is what the latent explains, the answer where there are no rationales
    sides = {"question": [r.text for r in records], "rationale": structure_of(records).texts}
    with engine(settings.engine):
        found = {side: embed_texts(encoder, texts, params.batch_size, f"bank {side}s") for side, texts in sides.items()}
    for side, embedded in found.items():
        with atomic_write(Path("data/embed") / f"bank_{side}.npy", "wb") as handle:
            np.save(handle, embedded.vectors, allow_pickle=False)
        report |= {"window": embedded.window, "dimension": embedded.vectors.shape[1]}
        # of all pairs; only another encoder moves it on the same bank, and a damaged one moves it far
        similarity = float(np.square(embedded.vectors.mean(0, dtype=np.float64)).sum()) if records else 0.0
        report[f"bank_{side}"] = {
            "texts": len(records), "truncated": embedded.truncated, "mean_similarity": round(similarity, 6),
        }  # fmt: skip
    write_json("reports/embed.json", report)


if __name__ == "__main__":
    main()
