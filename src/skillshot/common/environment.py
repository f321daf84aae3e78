"""Process-wide switches, set in this one place and before any heavy import.

Offline and telemetry switches keep a run private and quick to fail; thread counts are pinned because the
same seed on another number of threads gives other floats. A variable that is already set is left alone.
"""

from __future__ import annotations

import os
from pathlib import Path

THREADS = "2"

DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "DVC_NO_ANALYTICS": "1",
    "DO_NOT_TRACK": "true",
    "GX_ANALYTICS_ENABLED": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # a missing hub set fails at once instead of after 23 s; hub sources switch it off themselves
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": THREADS,
    # one code path on every x86 machine of the last ten years; COMPATIBLE was measured 3 times slower
    "MKL_CBWR": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    # spinning threads starve a busy machine (measured: down to 1 token/s)
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
    "MPLBACKEND": "Agg",
    "TQDM_MININTERVAL": "1",
}


def configure() -> None:
    """Set every default that the environment does not set itself."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)


def repository(start: Path | None = None) -> Path:
    """Nearest folder upwards that holds `dvc.yaml` (the repository's root), else the start itself."""
    start = (start or Path.cwd()).resolve()
    return next((folder for folder in (start, *start.parents) if (folder / "dvc.yaml").exists()), start)
