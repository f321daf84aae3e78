"""Register a prior in MLflow, once: `python -m scripts.publish_prior models/prior`; see pipelines/prior/dvc.yaml."""

from __future__ import annotations

import sys
from pathlib import Path

from skillshot.common.environment import configure
from skillshot.track.prior import NAME, publish_prior

ROOT = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    configure()
    number, new = publish_prior(ROOT, Path(sys.argv[1]))
    print(f"{NAME}: {'published' if new else 'already published'} as version {number}")
