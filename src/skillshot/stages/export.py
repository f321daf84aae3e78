"""Stage export: policies -> ONNX, next to the encoder, with parity against torch."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from skillshot.common.io import read_json, write_json
from skillshot.common.params import load_params
from skillshot.common.record import read_records
from skillshot.export.model import export_model
from skillshot.model.fitted import Fitted
from skillshot.stages._runner import stage_main


@stage_main
def main() -> None:
    """Read models/train and models/encoder, write models/export and reports/export.json."""
    params = load_params()
    folder = Path("models/export")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree("models/encoder", folder)
    difference = float(read_json("reports/encoder.json")["max_difference"])
    texts = [record.text for record in read_records("data/validate/bank.jsonl")]
    embeddings = np.load("data/embed/bank_question.npy", allow_pickle=False)
    fitted = Fitted.load("models/train")
    report = export_model(fitted, texts, embeddings, params, folder, difference)
    write_json("reports/export.json", report)


if __name__ == "__main__":
    main()
