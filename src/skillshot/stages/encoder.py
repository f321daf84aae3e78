"""Stage encoder: the sentence encoder as ONNX, in fp32 and int8 -> models/encoder."""

from __future__ import annotations

import shutil
from pathlib import Path

from skillshot.common.io import write_json
from skillshot.common.params import load_params
from skillshot.export.ready import ready_encoder
from skillshot.stages._runner import stage_main


@stage_main
def main() -> None:
    """Write models/encoder and reports/encoder.json; an equal encoder that is kept on the machine is copied."""
    name = load_params().embed.model
    ready, folder = ready_encoder(name), Path("models/encoder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in ready.files:
        shutil.copyfile(path, folder / path.name)
    write_json("reports/encoder.json", {"model": name, "max_difference": ready.max_difference})


if __name__ == "__main__":
    main()
